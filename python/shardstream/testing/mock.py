"""`mock_kinesis`: AWS's clients in this process, created before or inside, whose Kinesis is an engine."""

from __future__ import annotations

import datetime
import functools
import inspect
import os
import sys
import threading

from shardstream.clock import ManualClock
from shardstream.engine import Engine
from shardstream.errors import InvalidArgumentException

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType
    from typing import Any, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["mock_kinesis"]


if TYPE_CHECKING:

    @overload
    def mock_kinesis(function: F, /) -> F: ...
    @overload
    def mock_kinesis(**options: Any) -> KinesisMock: ...  # noqa: ANN401 - as Engine takes them


def mock_kinesis(function: Any = None, /, **options: Any) -> Any:
    """Let boto3's, botocore's and aiobotocore's clients find Kinesis in an engine of this process.

    A decorator of functions, coroutines and classes of tests, and a context manager, synchronous and asynchronous, that
    hands out the engine. Clients of any age, made before or inside, are answered; other services pass through, or go to
    moto's `mock_aws` where that is used, too. Retries of clients do not sleep: the engine's clock moves on instead.

    Args:
        function: What it decorates, where it is used without parentheses.
        options: `engine=`, as of the fixture `kinesis`, with whose clock and faults it is then answered; or what an
            engine is made with, as for `Engine`, which is closed at the end. Its clock, if not given, runs from the
            present time, can be moved, and follows freezegun and time-machine; its region, if not given, is
            AWS_DEFAULT_REGION's.

    Examples:
        >>> import shardstream as ss
        >>> with ss.testing.mock_kinesis(limits="aws") as engine:
        ...     engine.create_stream("clicks", shards=1)
        Stream('clicks', 1 open shard, 0 records)
    """
    mock = KinesisMock(options)
    return mock if function is None else mock(function)


class KinesisMock:
    """What `mock_kinesis` makes: a decorator and a context manager."""

    def __init__(self, options: dict[str, Any]) -> None:
        """Keep the engine, or what engines are made with."""
        engine = options.get("engine")
        if engine is not None and (len(options) > 1 or not isinstance(engine, Engine)):
            message = f"engine: a shardstream.Engine, and no other options beside it, not {options!r}"
            raise InvalidArgumentException(message)
        self._options = options
        self._active: list[Engine] = []

    def __enter__(self) -> Engine:
        """Begin, and hand out the engine."""
        engine = self._options.get("engine") or _made(self._options)
        _MOCKS.push(engine)
        self._active.append(engine)
        return engine

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End, and close the engine."""
        engine = self._active.pop()
        _MOCKS.remove(engine)
        if engine is not self._options.get("engine"):
            engine.close()

    async def __aenter__(self) -> Engine:
        """Begin, and hand out the engine."""
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End, and close the engine."""
        self.__exit__(exc_type, exc, traceback)

    def __call__(self, function: F) -> F:
        """Decorate a function, a coroutine, a generator, or the tests of a class: each call has an engine of its own.

        A test of a `unittest.TestCase` shares it with its `setUp` and `tearDown`.
        """
        if isinstance(function, type):
            self._decorate_tests(function)
            return function
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def mocked_coroutine(*args: object, **kwargs: object) -> object:
                with KinesisMock(self._options):
                    return await function(*args, **kwargs)

            return mocked_coroutine  # type: ignore[return-value]
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def mocked_generator(*args: object, **kwargs: object) -> Generator[object, object, object]:
                # A fixture, whose test comes before its end.
                with KinesisMock(self._options):
                    return (yield from function(*args, **kwargs))

            return mocked_generator  # type: ignore[return-value]

        @functools.wraps(function)
        def mocked(*args: object, **kwargs: object) -> object:
            with KinesisMock(self._options):
                return function(*args, **kwargs)

        return mocked  # type: ignore[return-value]

    def __repr__(self) -> str:
        """Say it as it was written, and whether it is active."""
        options = ", ".join(f"{name}={option!r}" for name, option in self._options.items())
        return f"<mock_kinesis({options}){', active' if self._active else ''}>"

    def _decorate_tests(self, tests: type) -> None:
        unittest = sys.modules.get("unittest")
        if unittest is not None and issubclass(tests, unittest.TestCase):
            # Which runs setUp, the test, and tearDown.
            setattr(tests, "run", self(tests.run))  # type: ignore[attr-defined]  # noqa: B010 - a type has none
            return
        for name, member in list(vars(tests).items()):
            if not name.startswith("test"):
                continue
            if isinstance(member, (classmethod, staticmethod)):
                setattr(tests, name, type(member)(self(member.__func__)))
            elif callable(member):
                setattr(tests, name, self(member))


def _made(options: dict[str, Any]) -> Engine:
    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
    made = {name: option for name, option in options.items() if name != "engine"}
    if made.get("clock") is None:
        made["clock"] = _running_clock()
    if made.get("region") is None and region:
        made["region"] = region
    return Engine(**made)


def _running_clock() -> ManualClock:
    clock = ManualClock(datetime.datetime.now(datetime.UTC), follow=True)
    clock.run()
    return clock


class _Mocks:
    """The mocks that are active, the innermost last, and what they changed of botocore."""

    def __init__(self) -> None:
        self._engines: list[Engine] = []
        self._lock = threading.Lock()
        self._undo: list[Callable[[], None]] = []

    def push(self, engine: Engine) -> None:
        with self._lock:
            if not self._engines:
                # First what may fail.
                self._undo += [*self._patches(), *_credentials()]
            self._engines.append(engine)

    def remove(self, engine: Engine) -> None:
        with self._lock:
            self._engines.remove(engine)
            if not self._engines:
                while self._undo:
                    self._undo.pop()()

    def engine(self) -> Engine | None:
        return self._engines[-1] if self._engines else None

    def _patches(self) -> list[Callable[[], None]]:
        try:
            from botocore.endpoint import Endpoint
        except ImportError as error:
            message = "mock_kinesis needs boto3 or aiobotocore: pip install boto3, or use engine.client('kinesis')"
            raise ImportError(message) from error
        # Which aiobotocore's endpoints inherit, and which comes before requests are signed.
        return [_patch(Endpoint, "make_request", self._before)]

    def _before(self, original: Callable[..., object], endpoint: object, *args: object, **kwargs: object) -> object:
        self._reroute(endpoint)
        return original(endpoint, *args, **kwargs)

    def _reroute(self, endpoint: Any) -> None:  # noqa: ANN401 - botocore's
        from shardstream.testing import botocore

        is_kinesis = endpoint._endpoint_prefix == "kinesis"  # noqa: SLF001 - what tells services apart
        with self._lock:
            if is_kinesis and self._engines and not botocore.is_rerouted(endpoint):
                self._undo.append(botocore.reroute(endpoint, self.engine))


_MOCKS = _Mocks()


def _patch(owner: type, name: str, replacement: Callable[..., object]) -> Callable[[], None]:
    original = vars(owner)[name]

    @functools.wraps(original)
    def patched(self: object, *args: object, **kwargs: object) -> object:
        return replacement(original, self, *args, **kwargs)

    setattr(owner, name, patched)
    return functools.partial(setattr, owner, name, original)


def _credentials() -> list[Callable[[], None]]:
    """Credentials where the environment has none: requests are signed before they are answered."""
    if "AWS_ACCESS_KEY_ID" in os.environ or "AWS_PROFILE" in os.environ:
        return []
    made = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    before = {name: os.environ[name] for name in made if name in os.environ}
    os.environ.update(made)

    def undo() -> None:
        for name in made:
            os.environ.pop(name, None)
        os.environ.update(before)

    return [undo]
