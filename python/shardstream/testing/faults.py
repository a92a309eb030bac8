"""Faults: what goes wrong on purpose at an engine's clients, its endpoint, and the mock."""

from __future__ import annotations

from collections.abc import Iterable

from shardstream import _core, text
from shardstream.duration import whole_millis
from shardstream.errors import InvalidArgumentException, SerializationException

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    import datetime
    from types import TracebackType
    from typing import Any, Self, TypedDict, Unpack

    from shardstream.engine import Engine

    class Where(TypedDict, total=False):
        """Where a fault happens."""

        at: Iterable[int] | None
        stream: str | None
        shard_id: str | None
        required: bool

    class Words(Where, total=False):
        """Where and how often a fault happens."""

        times: int | None
        rate: float | None


__all__ = ["Fault", "Faults", "Fired"]

_PERCENT = 100
_CODES = ("InternalFailure", "ProvisionedThroughputExceededException")
# Faults that happen at some operations alone.
_OPERATIONS = {
    "duplicate_delivery": ("GetRecords", "SubscribeToShard"),
    "drop_subscription": ("SubscribeToShard",),
    "empty_pages": ("GetRecords",),
    "expire_iterators": ("GetRecords",),
    "reshard": ("PutRecord", "PutRecords"),
}
_WORDS = ("times", "rate", "at", "stream", "shard_id", "required")


class Fault:
    """A fault of a script; a context manager that ends it.

    Attributes:
        place: Its place among the faults of its engine.
        line: The line of the script.
        required: Whether a test that uses the plugin's fixture fails where it never happened.
    """

    def __init__(self, core: _core.Faults, place: int, line: str, *, required: bool) -> None:
        """Name the place that the engine gave it."""
        self._core = core
        self.place = place
        self.line = line
        self.required = required

    @property
    def fired(self) -> int:
        """At how many calls it happened."""
        return self._core.counts()[self.place]

    def end(self) -> None:
        """Let it happen no more; what it did stays counted."""
        self._core.end(self.place)

    def __enter__(self) -> Self:
        """Use it in a with statement, which ends it."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self.end()

    def __repr__(self) -> str:
        """Say what it is, and how often it happened."""
        return f"<{self.line}: fired {self.fired}>"


class Fired:
    """A fault that happened.

    Attributes:
        op: The operation.
        call: Which call of the operation it was, from 1, since the fault or the chaos began.
        stream: The stream's name.
        shard_id: The shard's, or `None` where the call was not about one.
        line: The line of a script that lets it happen again at the same call.
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        """Read what the engine tells."""
        self.op: str = facts["op"]
        self.call: int = facts["call"]
        self.stream: str = facts["stream"]
        self.shard_id: str | None = facts["shard_id"]
        self._kind: str = facts["kind"]
        self._members: dict[str, Any] = facts["members"]
        self.place: int | None = facts["place"]

    @property
    def line(self) -> str:
        """The line of a script that lets it happen again at the same call."""
        return _line(self._kind, **self._own(), op=self._op(), at=[self.call])

    def _own(self) -> dict[str, Any]:
        members = dict(self._members)
        if self._kind == "latency":
            return {"duration": f"{members['ms']}ms"}
        if self._kind == "drop_connection" and not members["after_write"]:
            return {}
        return members

    def _op(self) -> str | None:
        is_implied = self._kind in ("duplicate_delivery", "empty_pages", "expire_iterators", "drop_subscription")
        return None if is_implied and self.op in ("GetRecords", "SubscribeToShard") else self.op

    def repeat(self, faults: Faults) -> None:
        """Let it happen again, at the same call."""
        fault: Fault = getattr(faults, self._kind)(**self._own(), at=[self.call], op=self.op, required=False)
        faults.asked_for.remove(fault)

    def __repr__(self) -> str:
        """Say what happened where."""
        where = self.stream if self.shard_id is None else f"{self.stream} {self.shard_id}"
        return f"<{self._kind} at call {self.call} of {self.op}, {where}>"


class Faults:
    """What goes wrong on purpose at every client, endpoint and mock of an engine.

    Each method adds one fault, and all take the same words. Where: `op`, an operation like `"PutRecord"`; `stream`, a
    stream's name; `shard_id`. How often: `times`, at how many calls; `rate`, by chance from 0 to 1; `at`, at which
    calls of the operation, counted from 1; a fault that says nothing of it happens once. And `required=False`: a test
    need not see it.

    Streams themselves (`stream.put`, `stream.read`) never fail: they are how a test looks at the truth.

    Attributes:
        asked_for: The faults that were asked for one by one.
        is_chaotic: Whether chaos was unleashed.

    Examples:
        >>> import shardstream as ss
        >>> engine = ss.Engine(clock=ss.ManualClock())
        >>> client = engine.client("kinesis")
        >>> stream = engine.create_stream("clicks", shards=1)
        >>> fault = engine.faults.throttle(op="PutRecord", times=2)
        >>> for attempt in range(3):
        ...     try:
        ...         answer = client.put_record(StreamName="clicks", Data=b"page", PartitionKey="user-1")
        ...     except client.exceptions.ProvisionedThroughputExceededException:
        ...         print("again")
        again
        again
        >>> fault.fired
        2
    """

    def __init__(self, engine: Engine, *, seed: int = 0) -> None:
        """Take an engine, and the seed that chance is drawn from."""
        self._core = _core.Faults(engine._core)  # noqa: SLF001 - the native engine, which the face wraps
        self.asked_for: list[Fault] = []
        self._seed = seed
        self._wanted: list[Fired] | None = None
        self.is_chaotic = False
        self._core.reset(seed)

    def throttle(self, op: str | None = None, **words: Unpack[Words]) -> Fault:
        """Refuse calls as Kinesis does where a shard or an operation is asked too much.

        Of a `PutRecords` each record is refused by itself, with a 200 for the call, as Kinesis does: all of them, or
        those of `shard_id`, or each at `rate`.

        Args:
            op: The operation; any if not given.
            words: Where and how often; see the class.

        Source: the errors of each operation of the Kinesis Data Streams API.
        """
        return self._add("throttle", {}, op, words)

    def fail_records(
        self,
        indexes: Iterable[int] = (0,),
        *,
        op: str = "PutRecords",
        code: str = "InternalFailure",
        **words: Unpack[Words],
    ) -> Fault:
        """Refuse the records of a `PutRecords` that stand at these places, and store the others.

        Args:
            indexes: Places in the call, from 0.
            op: `"PutRecords"`: no other operation refuses records one by one.
            code: Their `ErrorCode`: `"InternalFailure"` or `"ProvisionedThroughputExceededException"`.
            words: Where and how often; see the class.
        """
        if op != "PutRecords":
            message = f'op: only "PutRecords" refuses records one by one, not {op!r}: throttle() or internal_failure()'
            raise InvalidArgumentException(message)
        if text.checked(code, "code") not in _CODES:
            message = f"code: {_either(_CODES)}, not {code!r}"
            raise InvalidArgumentException(message)
        places = [_count(index, "indexes", least=0) for index in _checked_list(indexes, "indexes")]
        return self._add("fail_records", {"indexes": places, "code": code}, op, words)

    def internal_failure(self, op: str | None = None, **words: Unpack[Words]) -> Fault:
        """Answer with a failure of the service, status 500, and do nothing of what was asked.

        Args:
            op: The operation; any if not given.
            words: Where and how often; see the class.
        """
        return self._add("internal_failure", {}, op, words)

    def expire_iterators(self, *, op: str = "GetRecords", **words: Unpack[Words]) -> Fault:
        """Let all shard iterators that are out be older than five minutes; or those of some calls of `GetRecords`.

        Without `times`, `rate` and `at` it is the iterators of all streams that were handed out before now.

        Args:
            op: `"GetRecords"`, which iterators are handed in to.
            words: Where and how often; see the class.
        """
        return self._add("expire_iterators", {}, op, words, once=False)

    def empty_pages(
        self, times: int | None = None, *, op: str = "GetRecords", rate: float | None = None, **where: Unpack[Where]
    ) -> Fault:
        """Answer `GetRecords` with no records though there are some, as Kinesis may; `MillisBehindLatest` tells.

        Args:
            times: How many pages.
            op: `"GetRecords"`, which answers in pages.
            rate: Of how many pages, from 0 to 1.
            where: Where; see the class.
        """
        return self._add("empty_pages", {}, op, {"times": times, "rate": rate, **where})

    def latency(self, duration: str | datetime.timedelta, op: str | None = None, **words: Unpack[Words]) -> Fault:
        """Let answers take their time: a `ManualClock` that stands still is moved on, any other is waited for.

        Unlike other faults it lasts, unless `times`, `rate` or `at` is given.

        Args:
            duration: How long, like `"250ms"`.
            op: The operation; any if not given.
            words: Where and how often; see the class.
        """
        return self._add("latency", {"latency_ms": whole_millis(duration, "duration")}, op, words, once=False)

    def duplicate_delivery(
        self, rate: float | None = None, *, op: str | None = None, times: int | None = None, **where: Unpack[Where]
    ) -> Fault:
        """Hand out records twice in `GetRecords` and in the events of `SubscribeToShard`.

        It lasts, unless `times` or `at` is given.

        Args:
            rate: Of how many records, from 0 to 1; all if not given.
            op: `"GetRecords"` or `"SubscribeToShard"`; both if not given.
            times: At how many calls.
            where: Where; see the class.
        """
        return self._add("duplicate_delivery", {}, op, {"times": times, "rate": rate, **where}, once=False)

    def reshard(
        self,
        after_records: int | None = None,
        *,
        shards: int | None = None,
        op: str | None = None,
        **words: Unpack[Words],
    ) -> Fault:
        """Reshard a stream under its users, once so many records were put through a client.

        Args:
            after_records: How many; after the next put, if neither this nor `at` is given.
            shards: To how many shards; if not given to twice as many as are open, and to half of more than 8.
            op: After this operation; `"PutRecord"` or `"PutRecords"`, any of them if not given.
            words: Where and how often; see the class.
        """
        own = {
            "after_records": None if after_records is None else _count(after_records, "after_records"),
            "shards": None if shards is None else _count(shards, "shards"),
        }
        return self._add("reshard", own, op, words)

    def drop_connection(self, op: str | None = None, *, after_write: bool = False, **words: Unpack[Words]) -> Fault:
        """Close the connection without an answer.

        Args:
            op: The operation; any if not given.
            after_write: Whether what was asked is done all the same, so that trying again does it twice.
            words: Where and how often; see the class.
        """
        return self._add("drop_connection", {"after_write": bool(after_write)}, op, words)

    def drop_subscription(
        self, after_events: int = 1, *, op: str = "SubscribeToShard", **words: Unpack[Words]
    ) -> Fault:
        """Break a subscription off.

        Args:
            after_events: After so many events of it.
            op: `"SubscribeToShard"`, which subscriptions begin with.
            words: Where and how often; see the class.
        """
        own = {"after_events": _count(after_events, "after_events", least=0)}
        return self._add("drop_subscription", own, op, words)

    def chaos(self, seed: int | None = None, *, rate: float = 0.2) -> None:
        """Let chance mix all of these from now on.

        No operation fails more than twice in a row: a program that tries again gets through. Where a test that uses
        the plugin's fixture fails, it is run again with fewer and fewer of the faults that happened, and the smallest
        schedule that still fails it is printed as a script.

        Args:
            seed: The same seed and the same calls give the same faults; the engine's if not given.
            rate: Of how many calls, from 0 to 1.
        """
        self.is_chaotic = True
        if self._wanted is not None:
            for fired in self._wanted:
                fired.repeat(self)
            return
        self._core.chaos(self._seed if seed is None else _count(seed, "seed", least=0, most=2**64 - 1), _percent(rate))

    def replay(self, wanted: list[Fired] | None) -> None:
        """Let these happen where chaos is unleashed, instead of what chance chooses."""
        self._wanted = wanted

    @property
    def fired(self) -> list[Fired]:
        """What happened, in order; the first 10,000."""
        return [Fired(facts) for facts in self._core.fired()]

    @property
    def unfired(self) -> list[Fault]:
        """The faults that were asked for and have not happened."""
        return [fault for fault in self.asked_for if fault.required and not fault.fired]

    def script(self) -> str:
        """What happened, as lines that let it happen again at the same calls."""
        return "\n".join(f"kinesis_faults.{fired.line}" for fired in self.fired)

    def assert_fired(self) -> None:
        """Check that every fault that was asked for has happened.

        Raises:
            AssertionError: Some have not; the message names them.
        """
        __tracebackhide__ = True
        if unfired := self.unfired:
            lines = "\n".join(f"  kinesis_faults.{fault.line}" for fault in unfired)
            message = f"{len(unfired)} of {len(self.asked_for)} faults never fired:\n{lines}"
            raise AssertionError(message)

    def clear(self) -> None:
        """Forget all faults, and what happened."""
        self.asked_for = []
        self.is_chaotic = False
        self._core.reset(self._seed)

    def _add(self, name: str, own: dict[str, Any], op: str | None, words: Words, *, once: bool = True) -> Fault:
        if unknown := [word for word in words if word not in _WORDS]:
            message = f"{name}() does not know {', '.join(unknown)}; besides its own it takes {', '.join(_WORDS)}"
            raise SerializationException(message)
        at, rate, times = words.get("at"), words.get("rate"), words.get("times")
        stream, shard_id = words.get("stream"), words.get("shard_id")
        calls = None if at is None else [_count(call, "at") for call in _checked_list(at, "at")]
        line = _line(
            name, **_shown(name, own), op=op, stream=stream, shard_id=shard_id, times=times, rate=rate, at=calls
        )
        if once and times is None and rate is None and calls is None:
            times = 1
        place = self._core.add(
            {"name": name, **{member: value for member, value in own.items() if value is not None}},
            operation=_checked_operation(name, op),
            stream=None if stream is None else text.checked(stream, "stream"),
            shard=None if shard_id is None else text.checked(shard_id, "shard_id"),
            at=calls,
            rate=None if rate is None else _rate(rate),
            times=None if times is None else _count(times, "times"),
        )
        if place is None:
            message = f'shard_id: an id like "shardId-000000000000", not {shard_id!r}'
            raise InvalidArgumentException(message)
        fault = Fault(self._core, place, line, required=words.get("required", True))
        self.asked_for.append(fault)
        return fault

    def __repr__(self) -> str:
        """Say what was asked for, and how often it happened."""
        return f"Faults({self.asked_for!r})"


def _shown(name: str, own: dict[str, Any]) -> dict[str, Any]:
    if name == "latency":
        return {"duration": f"{own['latency_ms']}ms"}
    return {member: value for member, value in own.items() if value is not False}


def _line(name: str, **arguments: object) -> str:
    first = arguments.pop("duration", None)
    shown = [] if first is None else [repr(first)]
    shown += [f"{name}={value!r}" for name, value in arguments.items() if value is not None]
    return f"{name}({', '.join(shown)})".replace("'", '"')


def _checked_operation(name: str, op: str | None) -> str | None:
    known = _core.Kinesis.operations()
    own = _OPERATIONS.get(name, known)
    if op is None or op in own:
        return op
    if op in known:
        message = f"op: {name}() happens at {_either(own)}, not at {op!r}"
        raise InvalidArgumentException(message)
    from difflib import get_close_matches

    # However it is spelt: boto3's methods are called put_record and the like.
    plain = {name.lower(): name for name in known}
    near = get_close_matches(str(op).replace("_", "").lower(), plain, n=3, cutoff=0.5)
    hint = f"; did you mean {_either(plain[name] for name in near)}?" if near else ', as in "PutRecords"'
    message = f"op: {op!r} is not an operation of Kinesis{hint}"
    raise InvalidArgumentException(message)


def _either(names: Iterable[str]) -> str:
    return " or ".join(map(repr, names))


def _checked_list(values: object, name: str) -> list[Any]:
    if isinstance(values, int) and not isinstance(values, bool):
        return [values]
    if isinstance(values, str) or not isinstance(values, Iterable):
        message = f"{name}: a list of numbers, not {type(values).__name__} {values!r}"
        raise SerializationException(message)
    return list(values)


def _count(value: object, name: str, least: int = 1, most: int = 2**31 - 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        message = f"{name}: an int of {least} or more, not {value!r}"
        raise InvalidArgumentException(message)
    if value > most:
        message = f"{name}: an int of {most} at most, not {value!r}"
        raise InvalidArgumentException(message)
    return value


def _rate(rate: object) -> float:
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
        message = f"rate: a number from 0 to 1, not {rate!r}"
        raise InvalidArgumentException(message)
    return float(rate)


def _percent(rate: float) -> int:
    return round(_rate(rate) * _PERCENT)
