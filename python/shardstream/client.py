"""The Kinesis API in this process: the methods, dictionaries and exceptions of AWS's client, without HTTP."""

from __future__ import annotations

import re
import uuid

from shardstream import _core
from shardstream.errors import ShardstreamError
from shardstream.pages import PAGES, Paginator

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from shardstream.engine import Engine

__all__ = ["KinesisClient"]

_DELAY_S = 10
_ATTEMPTS = 18
_EXCEPTIONS: dict[tuple[type[Exception], str], type[Exception]] = {}
# Codes of operations that are not here yet.
_CODES_NOT_YET = ("ThrottlingException",)
_CODES: list[str] = []


class KinesisClient:
    """Kinesis as `boto3.client("kinesis")` offers it, answered by an engine of this process.

    Every operation is a method by boto3's name, as `put_record(StreamName="clicks", Data=b"...", PartitionKey="u1")`.
    Parameters, answers, paginators, waiters and `client.exceptions` are boto3's; where botocore is installed, what is
    raised is a `botocore.exceptions.ClientError`, too.
    """

    def __init__(self, engine: Engine) -> None:
        """Make a client of an engine."""
        self._engine = engine
        self._core = _core.Kinesis(engine._core)  # noqa: SLF001 - the native engine, which the face wraps
        self._operations = {_snake(name): name for name in self._core.operations()}
        self.exceptions = Exceptions()

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """The method of an operation."""
        operation = self.__dict__.get("_operations", {}).get(name)
        if operation is None:
            message = f"{type(self).__name__!r} has no method {name!r}: dir(client) lists those there are"
            raise AttributeError(message)

        def call(**parameters: object) -> dict[str, Any]:
            return self._call(operation, parameters)

        call.__name__ = call.__qualname__ = name
        members = ", ".join(self._core.input_members(operation))
        call.__doc__ = f"{operation} of the Kinesis Data Streams API.\n\nArgs:\n    parameters: {members or 'none'}.\n"
        self.__dict__[name] = call
        return call

    def __dir__(self) -> list[str]:
        """Its methods, those of the operations among them."""
        return sorted({*super().__dir__(), *self._operations})

    def _call(self, operation: str, parameters: dict[str, object]) -> dict[str, Any]:
        if operation == "PutRecords" and (outcome := self._core.put_records(parameters)) is not None:
            return self._answered(operation, *outcome)
        if operation == "SubscribeToShard":
            subscription, refusal = self._core.subscribe(parameters)
            answer: dict[str, Any] | None = None
            if subscription is not None:
                answer = {"EventStream": EventStream(subscription, operation, self.exceptions)}
        else:
            answer, refusal = self._core.call(operation, parameters)
        return self._answered(operation, answer, refusal)

    def _answered(
        self, operation: str, answer: dict[str, Any] | None, refusal: tuple[str, str, int] | None
    ) -> dict[str, Any]:
        if refusal is not None:
            raise self.exceptions.of(refusal, operation)
        return {**(answer or {}), "ResponseMetadata": _metadata(200)}

    def _wait(self, seconds: float) -> bool:
        return self._core.wait(seconds)

    def can_paginate(self, operation_name: str) -> bool:
        """Whether an operation answers in pages."""
        return operation_name in PAGES

    def get_paginator(self, operation_name: str) -> Paginator:
        """What asks for all pages of an operation.

        Raises:
            ValueError: The operation does not answer in pages.
        """
        if operation_name not in PAGES:
            message = f"{operation_name} does not answer in pages; {', '.join(PAGES)} do"
            raise ValueError(message)
        return Paginator(getattr(self, operation_name), PAGES[operation_name])

    @property
    def waiter_names(self) -> list[str]:
        """The names of the waiters."""
        return ["stream_exists", "stream_not_exists"]

    def get_waiter(self, waiter_name: str) -> Waiter:
        """What waits until a stream is there, or gone.

        Raises:
            ValueError: There is no waiter of this name.
        """
        if waiter_name not in self.waiter_names:
            message = f"Waiter does not exist: {waiter_name}; there are {', '.join(self.waiter_names)}"
            raise ValueError(message)
        return Waiter(self, waiter_name)

    def close(self) -> None:
        """Do nothing: the engine is closed by whoever made it."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as a client of its engine, which must be of a folder."""
        return KinesisClient, (self._engine,)

    def __repr__(self) -> str:
        """Say whose client it is."""
        return f"KinesisClient({self._engine!r})"


class EventStream:
    """The events of a subscription, in order; on a `ManualClock` it ends where the next one is not there yet."""

    def __init__(self, subscription: _core.Subscription, operation: str, exceptions: Exceptions) -> None:
        """Take a subscription."""
        self._subscription = subscription
        self._operation = operation
        self._exceptions = exceptions

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Hand out events as they come."""
        while True:
            event, refusal = self._subscription.next()
            if refusal is not None:
                raise self._exceptions.of(refusal, self._operation)
            if event is None:
                return
            yield {"SubscribeToShardEvent": event}

    def close(self) -> None:
        """End the subscription."""
        self._subscription.close()

    def __repr__(self) -> str:
        """Say which operation opened it."""
        return f"EventStream({self._operation!r})"


def _service_codes() -> list[str]:
    """The codes that operations of the service name, in order."""
    if not _CODES:
        models = map(_core.Kinesis.model, _core.Kinesis.operations())
        _CODES.extend(sorted({*_CODES_NOT_YET, *(code for model in models for code in model["errors"])}))
    return _CODES


class Exceptions:
    """The exceptions of a client, by the service's names."""

    def __init__(self) -> None:
        """Find out whether botocore is there, whose exceptions ours are then."""
        try:
            from botocore.exceptions import ClientError, ConnectionClosedError, ParamValidationError, WaiterError
        except ImportError:
            ClientError, ParamValidationError, WaiterError = _ClientError, _ParamValidationError, _WaiterError  # noqa: N806 - classes
            ConnectionClosedError = _ConnectionClosedError  # noqa: N806 - a class
        self.ClientError: type[Exception] = ClientError
        self._param_validation_error: Callable[..., Exception] = ParamValidationError
        self._waiter_error: Callable[..., Exception] = WaiterError
        self._connection_closed_error: Callable[..., Exception] = ConnectionClosedError

    def __getattr__(self, name: str) -> type[Exception]:
        """The exception of one of the service's codes."""
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in (known := _service_codes()):
            message = f"{self!r} has no attribute {name}. Valid exceptions are: {', '.join(known)}"
            if name.endswith("Error"):
                message += f". Errors of connections and arguments are botocore's own: botocore.exceptions.{name}"
            raise AttributeError(message)
        return self.from_code(name)

    def __dir__(self) -> list[str]:
        """What there is to name, the service's codes included."""
        return [*super().__dir__(), *_service_codes()]

    def __repr__(self) -> str:
        """Say whose exceptions these are."""
        return "KinesisExceptions()"

    def from_code(self, code: str) -> type[Exception]:
        """The exception of a code, whoever's it is."""
        # Those of all clients, as boto3's are of a session: an error is the same whichever client met it.
        found = _EXCEPTIONS.get((self.ClientError, code))
        if found is None:
            members = {"__module__": __name__, "__reduce__": _reduced}
            made = type(code, (self.ClientError, ShardstreamError), members)
            found = _EXCEPTIONS.setdefault((self.ClientError, code), made)
        return found

    def of(self, refusal: tuple[str, str, int], operation: str) -> Exception:
        """The exception of a refusal."""
        code, message, status = refusal
        if code == "InvalidParameters":
            return self._param_validation_error(report=message)
        if code == "ConnectionClosedError":
            return self._connection_closed_error(endpoint_url=f"shardstream, {operation}", request=None)
        error = {"Message": message, "Code": code}
        response = {"Error": error, "ResponseMetadata": _metadata(status), "message": message}
        return self.from_code(code)(response, operation)

    def gave_up(self, name: str, reason: str, last_response: object) -> Exception:
        """The exception of a waiter that waited long enough."""
        return self._waiter_error(name=name, reason=reason, last_response=last_response)


class _ClientError(ShardstreamError):
    """A refusal of the service, where botocore is not installed."""

    def __init__(self, error_response: dict[str, Any], operation_name: str) -> None:
        error = error_response["Error"]
        super().__init__(
            f"An error occurred ({error['Code']}) when calling the {operation_name} operation: {error['Message']}"
        )
        self.response = error_response
        self.operation_name = operation_name


class _ParamValidationError(ShardstreamError, ValueError):
    """Parameters that are none of an operation's, where botocore is not installed."""

    def __init__(self, report: str) -> None:
        super().__init__(f"Parameter validation failed:\n{report}")


class _ConnectionClosedError(ShardstreamError, ConnectionError):
    """A connection that was closed on purpose, where botocore is not installed."""

    def __init__(self, endpoint_url: str, request: object) -> None:
        super().__init__(
            f'Connection was closed before we received a valid response from endpoint URL: "{endpoint_url}".'
        )
        self.request = request


class _WaiterError(ShardstreamError):
    """A waiter that waited long enough, where botocore is not installed."""

    def __init__(self, name: str, reason: str, last_response: object) -> None:
        super().__init__(f"Waiter {name} failed: {reason}")
        self.last_response = last_response


class Waiter:
    """Asks for a stream again and again until it is there, or gone."""

    def __init__(self, client: KinesisClient, name: str) -> None:
        """Take the waiter's name."""
        self._client = client
        self.name = name

    def wait(self, WaiterConfig: Mapping[str, int] | None = None, **parameters: object) -> None:  # noqa: N803 - boto3's name
        """Wait, ten seconds between two questions and eighteen of them unless `WaiterConfig` says otherwise.

        On a `ManualClock`, which only its user moves, questions follow each other at once.

        Raises:
            WaiterError: The stream is not there, or not gone, after the last question.
        """
        config = WaiterConfig or {}
        delay, attempts = config.get("Delay", _DELAY_S), config.get("MaxAttempts", _ATTEMPTS)
        answer: object = None
        for attempt in range(attempts):
            if attempt and not self._client._wait(delay):  # noqa: SLF001 - of one house
                # Time stands still: nothing will be otherwise when asked again.
                break
            is_there, answer = self._look(parameters)
            if is_there == (self.name == "stream_exists"):
                return
        raise self._client.exceptions.gave_up(_camel(self.name), "Max attempts exceeded", answer)

    def __repr__(self) -> str:
        """Say what it waits for."""
        return f"Waiter({self.name!r})"

    def _look(self, parameters: dict[str, Any]) -> tuple[bool | None, object]:
        """Whether the stream is there; none where it is on its way."""
        try:
            answer = self._client.describe_stream(**parameters)
        except self._client.exceptions.ResourceNotFoundException as error:
            return False, error.response  # type: ignore[attr-defined]
        status = answer["StreamDescription"]["StreamStatus"]
        return (True if status == "ACTIVE" else None), answer


def _reduced(error: Any) -> tuple[object, ...]:  # noqa: ANN401 - an exception made for its code
    """Pickle an exception whose class is made when its code is met."""
    from shardstream import _descriptors

    return _descriptors.client_error, (type(error).__name__, error.response, error.operation_name)


def _metadata(status: int) -> dict[str, Any]:
    return {"RequestId": str(uuid.uuid4()), "HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
