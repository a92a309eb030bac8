"""Replays: a dataset sent through a stream, at the pace of its own time or as fast as it goes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from time import perf_counter

from shardstream import _core, text
from shardstream._epoch import from_millis
from shardstream.dataset import Files, file_names
from shardstream.duration import is_duration, nanoseconds
from shardstream.errors import InvalidArgumentException, SerializationException, ShardstreamError

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterator
    from typing import Any, Literal, TypedDict, Unpack, overload

    from shardstream.background import BackgroundReplay
    from shardstream.stream import Stream

    _Told = bool | Callable[[int], object]
    # Is told how many rows were sent, and tells whether to go on.
    _Heard = Callable[[int], bool]

    class _Options(TypedDict, total=False):
        key: str | None
        time: str | None
        speed: float | Literal["max"]
        delay: str | datetime.timedelta | None
        data: str | None
        null_key: str | None
        progress: bool | Callable[[int], object]
        format: Literal["parquet", "csv", "ndjson", "arrow"] | None
        on_bad_line: Literal["raise", "skip"]
        limit: int | None
else:

    def overload(function: object) -> object:
        """What only type checkers look at."""
        return function


__all__ = ["ReplayReport", "replay"]

_PAIRS_AT_ONCE = 500
_ROWS_MAX = 2**62


class ReplayReport:
    """What a replay did.

    Attributes:
        records: Records stored.
        rows: Rows read.
        throttled: Rows that found their shard's capacity used up, and were not stored.
        skipped: Lines of text files that could not be read, where `on_bad_line="skip"`.
        per_shard: Records stored, by shard.
        elapsed: Seconds it took.
        first_event_time: The event time of the earliest row; None without `time=`.
        last_event_time: The event time of the latest row.
    """

    __slots__ = (
        "_core",
        "elapsed",
        "first_event_time",
        "last_event_time",
        "per_shard",
        "records",
        "rows",
        "skipped",
        "throttled",
    )

    def __init__(
        self, report: _core.WriteReport, elapsed: float, event_ms: tuple[int, int] | None, skipped: int
    ) -> None:
        """Take the counts of what was written."""
        self._core = report
        self.records: int = report.records
        self.rows: int = report.rows
        self.throttled: int = report.throttled
        self.skipped = skipped
        self.per_shard: dict[str, int] = report.per_shard
        self.elapsed = elapsed
        self.first_event_time = None if event_ms is None else from_millis(event_ms[0])
        self.last_event_time = None if event_ms is None else from_millis(event_ms[1])

    @property
    def bytes(self) -> int:
        """Bytes stored, keys counted, as Kinesis counts them: a row of a table as its JSON."""
        return self._core.bytes

    @property
    def failed_rows(self) -> list[int]:
        """The rows that were not stored, by their place in the dataset."""
        return self._core.failed_rows

    @property
    def events_per_second(self) -> float:
        """Rows a second, reading included."""
        return self.rows / self.elapsed if self.elapsed else 0.0

    def plot(self, *, backend: Literal["altair", "matplotlib"] | None = None) -> Any:  # noqa: ANN401 - neither is a dependency
        """Draw the records of each shard, beside what an even spread would give.

        Args:
            backend: "altair" or "matplotlib"; the first of them that is installed, if not given.

        Returns:
            An `altair.Chart` (or layers of them) or a `matplotlib.figure.Figure`, to go on with.
        """
        from shardstream import plots

        return plots.replay_report(self, backend=backend)

    def __repr__(self) -> str:
        """Say how much went where."""
        throttled = f", throttled={self.throttled:,}" if self.throttled else ""
        return (
            f"ReplayReport(records={self.records:,}{throttled}, shards={len(self.per_shard)}, "
            f"elapsed={self.elapsed:.3f}s, events_per_second={self.events_per_second:,.0f})"
        )

    def _repr_html_(self) -> str:
        from shardstream import display

        return display.replay_report(self)


@overload
def replay(  # noqa: D103 - the one below says it
    source: object, stream: Stream, *, background: Literal[False] = False, **options: Unpack[_Options]
) -> ReplayReport: ...
@overload
def replay(  # noqa: D103, F811
    source: object, stream: Stream, *, background: Literal[True], **options: Unpack[_Options]
) -> BackgroundReplay: ...
def replay(  # noqa: F811
    source: object,
    stream: Stream,
    *,
    key: str | None = None,
    time: str | None = None,
    speed: float | Literal["max"] = "max",
    delay: str | datetime.timedelta | None = None,
    data: str | None = None,
    null_key: str | None = None,
    progress: bool | Callable[[int], object] = False,
    format: Literal["parquet", "csv", "ndjson", "arrow"] | None = None,  # noqa: A002 - what readers of files call it
    on_bad_line: Literal["raise", "skip"] = "raise",
    limit: int | None = None,
    background: bool = False,
) -> ReplayReport | BackgroundReplay:
    """Send a dataset through a stream, row by row in its own order.

    Args:
        source: A Parquet, CSV, newline-delimited JSON or Arrow IPC file, a glob of them or a list; any table that
            speaks Arrow; or an iterable of `(key, data)`.
        stream: Where the rows go.
        key: The column of partition keys. Not for iterables, whose pairs have theirs.
        time: The column of event times. On a `ManualClock` the clock moves along with it, and nothing sleeps; what is
            older than the stream's retention by then is forgotten, so give a stream that shall keep a month one of that
            length: `create_stream(..., retention="31d")`.
        speed: "max", or a factor of real time: 60 replays an hour in a minute. Needs `time`.
        delay: Makes rows arrive late: a duration like "5s" for all of them; or a column of durations, or of numbers
            of seconds, one for each: the rows then arrive in order of time plus delay. Needs `time`.
        data: A column of bytes or text that becomes the records' data; the rows themselves, if not given.
        null_key: What stands in for null keys; without it they are an error.
        progress: True for a tqdm bar, if tqdm is installed; or a function that is told how many rows went by.
        format: What the files are, where their names do not say.
        on_bad_line: What to do with a line of a text file that cannot be read: "raise", or "skip" and count it.
        limit: Rows at most.
        background: Return at once, and send the rows in a thread: what comes back has `result()`, `stop()` and `done`.
            What is wrong with the arguments, the files or the columns is still raised here.

    Returns:
        ReplayReport: `records`, `bytes`, `per_shard`, `throttled`, `elapsed`, `events_per_second`. Or a
        `BackgroundReplay` that gives it later.

    Raises:
        DatasetNotFoundError: No file matches.
        DatasetError: A file is broken, or not what its name says.
        ColumnNotFoundError: A column is not there.
        ValidationException: A key is null, empty or too long. What was stored before is said, and stays.

    Examples:
        >>> import shardstream as ss
        >>> stream = ss.Engine().create_stream("pairs", shards=2)
        >>> ss.replay([("user-1", b"a"), ("user-2", b"b")], stream).records
        2
    """
    if not isinstance(stream, _core.Stream):
        message = f"stream: a shardstream.Stream, not {type(stream).__name__} {stream!r}"
        raise SerializationException(message)
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        message = f"limit: a number of rows from 1 on, or None for all, not {limit!r}"
        raise InvalidArgumentException(message)
    for name, value in (("key", key), ("time", time), ("data", data), ("null_key", null_key)):
        if value is not None:
            text.checked(value, name)
    if not isinstance(progress, bool) and not callable(progress):
        message = f"progress: True, False, or a function that takes a number of rows, not {progress!r}"
        raise SerializationException(message)
    names = file_names(source, "source")
    files = Files(names or [], format, on_bad_line)
    if names is None and not _is_table(source):
        if (time, delay, data, format, speed) != (None, None, None, None, "max"):
            message = "an iterable of (key, data) has no columns: time, speed, delay, data and format are for others"
            raise InvalidArgumentException(message)
        pairs = _pairs(source, key, limit)
        bar = _Progress(progress, None)
        return _started(lambda heard: _replay_pairs(pairs, stream, null_key, heard), bar, stream, background)
    if key is None:
        message = f'key: the name of the column of partition keys, like key="user_id", not {key!r}'
        raise SerializationException(message)
    if time is None and (delay is not None or speed != "max"):
        message = 'speed and delay need time=, the column of event times: as in time="ts"'
        raise InvalidArgumentException(message)
    delay_ns, delay_column = _delay(delay)
    run = _core.Replay(
        stream,
        None if names is not None else source,
        names,
        key=key,
        time=time,
        speed=_speed(speed),
        delay_ns=delay_ns,
        delay_column=delay_column,
        data=data,
        null_key=null_key,
        format=files.format,
        skip_bad_lines=files.skip_bad_lines,
        limit=None if limit is None else min(limit, _ROWS_MAX),
    )
    bar = _Progress(progress, run.rows_hint())
    return _started(lambda heard: _run(run, heard), bar, stream, background)


def _started(
    send: Callable[[_Heard], ReplayReport],
    bar: _Progress,
    stream: Stream,
    background: bool,  # noqa: FBT001 - as it was given
) -> ReplayReport | BackgroundReplay:
    """Send rows here, or in a thread."""

    def run(goes_on: Callable[[], bool], counted: Callable[[int], object]) -> ReplayReport:
        with bar as told:

            def heard(rows: int) -> bool:
                if rows:
                    counted(rows)
                    told(rows)
                return goes_on()

            return send(heard)

    if not background:
        return run(lambda: True, lambda _rows: None)
    from shardstream.background import BackgroundReplay

    return BackgroundReplay(run, stream.name)


def _run(run: _core.Replay, heard: _Heard) -> ReplayReport:
    began = perf_counter()
    try:
        while (rows := run.step()) is not None and heard(rows):
            pass
    except ShardstreamError as error:
        stored = run.report().records
        message = f"{error}; {stored:,} records were stored before"
        raise type(error)(message) from error
    return ReplayReport(run.report(), perf_counter() - began, run.event_times_ms(), run.skipped())


def _pairs(source: object, key: str | None, limit: int | None) -> Iterator[Any]:
    if key is not None:
        message = "an iterable of (key, data) has its keys: leave key out"
        raise InvalidArgumentException(message)
    if not isinstance(source, Iterable) or isinstance(source, str | bytes | dict):
        message = (
            "source: a file name, a glob, a table that speaks Arrow, or an iterable of (key, data), not "
            f"{type(source).__name__}"
        )
        raise SerializationException(message)
    return itertools.islice(source, None if limit is None else min(limit, _ROWS_MAX))


def _replay_pairs(pairs: Iterator[Any], stream: Stream, null_key: str | None, heard: _Heard) -> ReplayReport:
    counts = _core.WriteReport()
    began = perf_counter()
    done = 0
    for batch in itertools.batched(pairs, _PAIRS_AT_ONCE) if hasattr(itertools, "batched") else _batched(pairs):
        try:
            counts = counts.plus(stream.put_many([_entry(done + i, pair, null_key) for i, pair in enumerate(batch)]))
        except ShardstreamError as error:
            message = f"{error} (counted from pair {done:,}); {counts.records:,} records were stored before"
            raise type(error)(message) from error
        done += len(batch)
        if not heard(len(batch)):
            break
    return ReplayReport(counts, perf_counter() - began, None, 0)


def _batched(pairs: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Like `itertools.batched`, which came with Python 3.12."""
    rest = iter(pairs)
    while batch := tuple(itertools.islice(rest, _PAIRS_AT_ONCE)):
        yield batch


def _entry(index: int, pair: object, null_key: str | None) -> tuple[Any, Any]:
    if isinstance(pair, tuple | list) and len(pair) == 2:  # noqa: PLR2004 - a pair
        key, data = pair
        return data, null_key if key is None else key
    message = f"pair {index:,} of the source is not (key, data): {pair!r:.80}"
    raise SerializationException(message)


def _is_table(source: object) -> bool:
    return hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__")


def _speed(speed: object) -> float | None:
    if speed == "max":
        return None
    if isinstance(speed, int | float) and not isinstance(speed, bool) and 0 < speed < float("inf"):
        return float(speed)
    message = f'speed: "max", or a factor of real time above 0, not {speed!r}'
    raise InvalidArgumentException(message)


def _delay(delay: object) -> tuple[int, str | None]:
    if delay is None:
        return 0, None
    if isinstance(delay, str) and not is_duration(delay):
        return 0, delay
    span = nanoseconds(delay, "delay")
    if span < 0:
        message = f"delay: rows cannot arrive before they happen: {delay!r}"
        raise InvalidArgumentException(message)
    return span, None


class _Progress:
    """A bar, a callback or nothing, told how many rows went by."""

    def __init__(self, progress: _Told, total: int | None) -> None:
        self._bar: Any = None
        self._told: Callable[[int], object] = lambda _rows: None
        if callable(progress):
            self._told = progress
        elif progress:
            try:
                from tqdm.auto import tqdm
            except ImportError as error:
                message = (
                    "progress=True draws a bar with tqdm, which is not installed: pip install tqdm, or pass a function"
                )
                raise InvalidArgumentException(message) from error
            self._bar = tqdm(total=total, unit="rows", unit_scale=True)
            self._told = self._bar.update

    def __enter__(self) -> Callable[[int], object]:
        return self._told

    def __exit__(self, *_exc: object) -> None:
        if self._bar is not None:
            self._bar.close()
