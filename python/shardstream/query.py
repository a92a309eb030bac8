"""Queries: windows, keys and aggregates over a stream or a table, and what comes out."""

from __future__ import annotations

import datetime

from shardstream import _core, position, text
from shardstream.dataset import Files, file_names
from shardstream.duration import nanoseconds
from shardstream.errors import InvalidArgumentException, SerializationException
from shardstream.windows import Aggregate, Window

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
    from typing import Any, Literal, Self

    from shardstream.dataset import Format, OnBadLine
    from shardstream.live import LiveView
    from shardstream.stream import Stream

__all__ = ["QueryOptions", "QueryStats", "WindowQuery", "WindowResult", "window"]

_Duration = str | datetime.timedelta
_TYPES = ("int64", "float64", "string", "bool")


class QueryOptions:
    """What a query knows before its keys and aggregates: windows, time, lateness."""

    __slots__ = (
        "allowed_lateness_ns",
        "idle_timeout_ns",
        "raise_malformed",
        "schema",
        "skip_null_times",
        "time",
        "watermark_ns",
        "window",
    )

    def __init__(
        self,
        *,
        window: Window,
        time: str,
        watermark: _Duration,
        allowed_lateness: _Duration,
        idle_timeout: _Duration | None,
        null_times: str,
        on_malformed: str = "keep",
        schema: Mapping[str, str] | None = None,
    ) -> None:
        """Check the options as a user gave them."""
        if not isinstance(window, Window):
            message = f"window: one of ss.tumble, ss.hop, ss.session, ss.cumulate, ss.rolling, not {window!r}"
            raise SerializationException(message)
        self.window = window
        self.time = _column(time, "time")
        self.watermark_ns = _not_negative(watermark, "watermark")
        self.allowed_lateness_ns = _not_negative(allowed_lateness, "allowed_lateness")
        self.idle_timeout_ns = None if idle_timeout is None else _not_negative(idle_timeout, "idle_timeout")
        if self.idle_timeout_ns == 0:
            message = "idle_timeout: longer than nothing, or None for never"
            raise InvalidArgumentException(message)
        self.skip_null_times = _choice(null_times, "null_times", ("raise", "skip")) == "skip"
        self.raise_malformed = _choice(on_malformed, "on_malformed", ("keep", "raise")) == "raise"
        self.schema = {} if schema is None else dict(schema)
        for name, data_type in self.schema.items():
            _choice(data_type, f"schema: the type of {name!r}", _TYPES)


class WindowQuery:
    """A query over windows; each verb gives a new one, and nothing runs before `collect` or `follow`.

    Examples:
        >>> import shardstream as ss
        >>> stream = ss.Engine().create_stream("orders", shards=2)
        >>> for minute, amount in ((0, 5), (0, 7), (1, 2)):
        ...     data = f'{{"at": "2026-01-01T09:0{minute}:30Z", "region": "eu", "amount": {amount}}}'
        ...     _ = stream.put(data.encode(), key="user-42")
        >>> query = stream.window(ss.tumble("1m"), time="at").by("region").agg(total=ss.sum("amount"))
        >>> query.collect().column("total")
        [12, 2]
    """

    __slots__ = ("_aggregates", "_keys", "_options", "_source")

    def __init__(
        self,
        source: Stream | Files | Any,  # noqa: ANN401 - any table that speaks Arrow
        options: QueryOptions,
        keys: tuple[str, ...] = (),
        aggregates: tuple[tuple[str, Aggregate], ...] = (),
    ) -> None:
        """Take what to read, and what is known so far."""
        self._source = source
        self._options = options
        self._keys = keys
        self._aggregates = aggregates

    def by(self, *columns: str) -> WindowQuery:
        """Compute for each combination of these columns' values apart. Null is a value of its own.

        Args:
            columns: Names of columns, of any plain type.
        """
        keys = tuple(_column(column, "by") for column in columns)
        return WindowQuery(self._source, self._options, self._keys + keys, self._aggregates)

    def agg(self, *unnamed: Aggregate, **named: Aggregate) -> WindowQuery:
        """Compute these in each window.

        Args:
            unnamed: Aggregates whose columns are called after them, as in `sum_amount`.
            named: Aggregates by the name that their column shall have.
        """
        pairs = [(aggregate.name if isinstance(aggregate, Aggregate) else "", aggregate) for aggregate in unnamed]
        pairs += named.items()
        for name, aggregate in pairs:
            if not isinstance(aggregate, Aggregate):
                message = f"agg: {name or 'an argument'} is {aggregate!r}; use ss.count(), ss.sum(column) and the like"
                raise SerializationException(message)
        return WindowQuery(self._source, self._options, self._keys, self._aggregates + tuple(pairs))

    def collect(
        self,
        *,
        order: Literal["event", "arrival"] = "event",
        start: position.Position = "TRIM_HORIZON",
        end: position.Position | None = None,
        shard_id: str | _core.Shard | None = None,
        threads: int | None = None,
    ) -> WindowResult:
        """Answer from all that is there now; every window closes.

        Files are read a batch at a time, and of Parquet and Arrow files only the columns that the query names: what is
        held is a few batches and the open windows. So is a stream of batches, which can be collected once.

        Args:
            order: "event" counts every row, whatever the order of arrival. "arrival" answers as a live consumer would
                have: rows in order of arrival against the watermark, those that come too late kept apart in `late`.
            start: Where to begin in a stream, as in `Stream.read`.
            end: Where to stop in a stream.
            shard_id: Read this shard only: its id, or one of `shards()`.
            threads: How many threads to use at most; default the engine's for a stream, else the environment variable
                SHARDSTREAM_THREADS, else the cores. The answer is the same for any number.

        Returns:
            WindowResult: `window_start`, `window_end`, the keys and the aggregates, sorted by the first three; `late`,
            `malformed` and `stats`.

        Raises:
            ColumnNotFoundError: A column is not there.
            ColumnTypeError: A column's type does not go with its aggregate or with being the time.
            DatasetNotFoundError: No file matches.
            DatasetError: A file is broken, or not what its name says; or a stream of batches failed.
            InvalidArgumentException: Rows have no time, or the query no aggregates.
        """
        query = self._native()
        arrival = _choice(order, "order", ("event", "arrival")) == "arrival"
        if not isinstance(self._source, _core.Stream):
            if (start, end, shard_id) != ("TRIM_HORIZON", None, None):
                message = "start, end and shard_id are for streams; this query is over a table: filter it instead"
                raise InvalidArgumentException(message)
            if isinstance(self._source, Files):
                files = self._source
                answer = query.collect_files(
                    files.names,
                    format=files.format,
                    skip_bad_lines=files.skip_bad_lines,
                    arrival=arrival,
                    threads=threads,
                )
                return self._result(answer)
            return self._result(query.collect_table(self._source, arrival=arrival, threads=threads))
        shard = None if shard_id is None else position.shard_name(shard_id)
        from_cut, until_cut = position.cuts(self._source, start, end, shard)
        answer = query.collect_stream(self._source, from_cut, until_cut, shard, arrival=arrival, threads=threads)
        return self._result(answer)

    def follow(
        self,
        *,
        emit: Literal["final", "changes"] = "final",
        start: position.Position = "LATEST",
        end: position.Position | None = None,
        shard_id: str | _core.Shard | None = None,
        timeout: str | datetime.timedelta | None = None,
    ) -> Iterator[WindowResult]:
        """Answer live: rows in order of arrival against the watermark, an update whenever there is news.

        Where it starts is fixed by this call. It ends when nothing has come for `timeout`, leaving open windows open;
        or when the stream comes to `end` or is deleted, which closes them. Fed the same rows, its final windows are
        those of `collect(order="arrival")`.

        An iterator that ended for want of news goes on when it is asked again: with `timeout="0s"`, looping over the
        same one gives what changed since, in a program that does other things between.

        Args:
            emit: "final" gives each window once, when nothing can change it any more: the watermark has passed its end
                and the allowed lateness. "changes" gives windows each time they changed; the last one given counts.
            start: Where to begin, as in `Stream.read`.
            end: Where to stop; follows for ever, if not given.
            shard_id: Follow this shard only.
            timeout: How long to wait for news; for ever, if not given (Ctrl-C works). On a `ManualClock` it ends
                once it has caught up, without waiting.

        Yields:
            WindowResult: The windows of this update, with the rows late and the records malformed since the last, and
            `stats` so far.
        """
        return map(self._result, self._follow(emit, start, end, shard_id, timeout))

    def follow_async(
        self,
        *,
        emit: Literal["final", "changes"] = "final",
        start: position.Position = "LATEST",
        end: position.Position | None = None,
        shard_id: str | _core.Shard | None = None,
        timeout: str | datetime.timedelta | None = None,
    ) -> AsyncGenerator[WindowResult, None]:
        """Answer live in a running event loop of asyncio, which is never blocked; `async for update in ...`.

        As `follow` otherwise. Cancelling the task, `aclose()` and leaving the `async for` end it, and its thread with
        it.

        Args:
            emit: As in `follow`.
            start: Where to begin, as in `Stream.read`; fixed by this call.
            end: Where to stop.
            shard_id: Follow this shard only.
            timeout: How long to wait for news; for ever, if not given.

        Yields:
            WindowResult: The windows of this update, as in `follow`.
        """
        from shardstream import followers

        answers = self._follow(emit, start, end, shard_id, timeout)

        def take() -> list[WindowResult] | None:
            answer = next(answers, None)
            return None if answer is None else [self._result(answer)]

        return followers.follow(take, answers.stop)

    def live(
        self,
        *,
        every: str | datetime.timedelta = "250ms",
        rows: int = 10,
        timeout: str | datetime.timedelta | None = None,
        start: position.Position = "LATEST",
        end: position.Position | None = None,
        shard_id: str | _core.Shard | None = None,
    ) -> LiveView:
        """Show the newest windows while records come; see `Stream.live`."""
        from shardstream.live import LiveView

        if not isinstance(self._source, _core.Stream):
            message = "live() is for streams; a table has all its rows already: collect() it"
            raise InvalidArgumentException(message)
        return LiveView(self, every=every, rows=rows, timeout=timeout, start=start, end=end, shard_id=shard_id)

    def __repr__(self) -> str:
        """Say the query as it was written."""
        is_named = isinstance(self._source, _core.Stream | Files)
        source = repr(self._source) if is_named else type(self._source).__name__
        by = f".by({', '.join(map(repr, self._keys))})" if self._keys else ""
        aggregates = ", ".join(f"{name}={aggregate!r}" for name, aggregate in self._aggregates)
        return f"{source}.window({self._options.window!r}, time={self._options.time!r}){by}.agg({aggregates})"

    def _result(self, answer: _core.Answer) -> WindowResult:
        return WindowResult(answer, keys=tuple(dict.fromkeys(self._keys)), window=self._options.window)

    def _follow(
        self,
        emit: str,
        start: position.Position,
        end: position.Position | None,
        shard_id: str | _core.Shard | None,
        timeout: str | datetime.timedelta | None,
    ) -> _core.QueryFollow:
        if not isinstance(self._source, _core.Stream):
            message = "follow() is for streams; a table has all its rows already: collect() it"
            raise InvalidArgumentException(message)
        query = self._native()
        changes = _choice(emit, "emit", ("final", "changes")) == "changes"
        timeout_ms = None if timeout is None else _not_negative(timeout, "timeout") // 1_000_000
        shard = None if shard_id is None else position.shard_name(shard_id)
        from_cut, until_cut = position.cuts(self._source, start, end, shard)
        until = None if end is None else until_cut
        return query.follow(self._source, from_cut, until, shard, changes=changes, timeout_ms=timeout_ms)

    def _native(self) -> _core.Query:
        options = self._options
        if not self._aggregates:
            message = "the query computes nothing yet: add .agg(n=ss.count()), for one"
            raise InvalidArgumentException(message)
        return _core.Query(
            kind=options.window.kind,
            spans=options.window.spans,
            time=options.time,
            keys=list(self._keys),
            aggregates=[
                (name, aggregate.function, aggregate.column, aggregate.options) for name, aggregate in self._aggregates
            ],
            watermark_ns=options.watermark_ns,
            allowed_lateness_ns=options.allowed_lateness_ns,
            idle_timeout_ns=options.idle_timeout_ns,
            skip_null_times=options.skip_null_times,
            raise_malformed=options.raise_malformed,
            schema=options.schema,
        )


class QueryStats:
    """Counts of a query, so far.

    Attributes:
        rows: Rows read, late ones and those without a time included.
        late_rows: Rows too late for every window they would belong to.
        partly_late_rows: Rows too late for some of their windows.
        null_time_rows: Rows without a time, skipped.
        malformed_records: Records that could not be read.
        windows: Result rows given out.
        open_windows: Windows that still take rows.
        watermark: How far event time is believed to be complete; None before any row, and where order="event".
        max_event_time: The newest event time.
        max_lateness: How far behind the watermark the latest late row was.
    """

    __slots__ = (
        "late_rows",
        "malformed_records",
        "max_event_time",
        "max_lateness",
        "null_time_rows",
        "open_windows",
        "partly_late_rows",
        "rows",
        "watermark",
        "windows",
    )

    rows: int
    late_rows: int
    partly_late_rows: int
    null_time_rows: int
    malformed_records: int
    windows: int
    open_windows: int
    watermark: datetime.datetime | None
    max_event_time: datetime.datetime | None
    max_lateness: datetime.timedelta | None

    def __init__(self, counts: Mapping[str, Any]) -> None:
        """Take the counts by name."""
        for name in self.__slots__:
            setattr(self, name, counts[name])

    def as_dict(self) -> dict[str, Any]:
        """The counts by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __repr__(self) -> str:
        """Say what was counted."""
        shown = ", ".join(f"{name}={value}" for name, value in self.as_dict().items() if value not in (0, None))
        return f"QueryStats({shown})"


class WindowResult(_core.Table):
    """Windows and what was computed in them: a table to any Arrow library.

    `polars.DataFrame(result)`, `pyarrow.table(result)`, `duckdb.from_arrow(result)` and
    `pandas.DataFrame.from_arrow(result)` take it as it is, as often as they like.

    Attributes:
        late: The rows that came too late, as a table: their values in the columns that the query names, the watermark
            then, and how late they were; over a stream, with the shard and the sequence number to find them by.
        malformed: The records that could not be read, as a table: where they are, what is wrong, what they carry.
        stats: Counts of rows, late rows and windows.
        keys: The columns that windows were computed apart by; empty where that is not known.
        window: How event time was cut; None where that is not known.
    """

    late: _core.Table
    malformed: _core.Table
    stats: QueryStats
    keys: tuple[str, ...] = ()
    window: Window | None = None

    def __new__(cls, answer: _core.Answer, *, keys: tuple[str, ...] = (), window: Window | None = None) -> Self:
        """Take an answer of the native module, and what is known of its query."""
        result = super().__new__(cls, answer.windows)
        result.keys = keys
        result.window = window
        result.late = answer.late
        result.malformed = answer.malformed
        result.stats = QueryStats(answer.stats)
        return result

    def __reduce__(self) -> tuple[Callable[..., WindowResult], tuple[Any, ...]]:
        """Pickle as Arrow's bytes and the counts."""
        from shardstream import _descriptors

        parts = (self.to_ipc(), self.late.to_ipc(), self.malformed.to_ipc(), self.stats.as_dict())
        return _descriptors.window_result, (*parts, (self.keys, self.window))

    def to_polars(self) -> Any:  # noqa: ANN401 - polars is not a dependency
        """The windows as a polars DataFrame; polars must be installed."""
        import polars

        return polars.DataFrame(self)

    def to_pandas(self) -> Any:  # noqa: ANN401 - pandas is not a dependency
        """The windows as a pandas DataFrame; pandas and pyarrow must be installed."""
        return self.to_arrow().to_pandas()

    def to_arrow(self) -> Any:  # noqa: ANN401 - pyarrow is not a dependency
        """The windows as a pyarrow Table; pyarrow must be installed."""
        import pyarrow

        return pyarrow.table(self)

    def plot(
        self,
        y: str | None = None,
        *,
        by: str | Sequence[str] | None = None,
        kind: Literal["line", "step", "point", "span", "bar", "lateness"] | None = None,
        backend: Literal["altair", "matplotlib"] | None = None,
    ) -> Any:  # noqa: ANN401 - neither library is a dependency
        """Draw the windows over time, a line for each combination of keys; or how late the late rows were.

        Of many keys the twelve with the greatest sums are drawn, and of many points those that can be told apart; the
        subtitle says so. Times are UTC.

        Args:
            y: The column to draw: of numbers, times or spans. The first such aggregate, if not given.
            by: The columns that lines are told apart by; the query's keys, if not given.
            kind: "line", "step" (each window at its own height), "point", "span" (from the start of each window to its
                end), "bar", or "lateness": a histogram of `late`. What goes with the windows, if not given.
            backend: "altair" or "matplotlib"; the first of them that is installed, if not given.

        Returns:
            An `altair.Chart` (or layers of them) or a `matplotlib.figure.Figure`, to go on with.

        Raises:
            ColumnNotFoundError: There is no such column.
            ColumnTypeError: A column's values have no place on an axis, like text.
            InvalidArgumentException: A kind or backend is none, or not installed; or a window has several rows by
                these columns.
        """
        from shardstream import plots

        return plots.window_result(self, y, by=by, kind=kind, backend=backend)

    def __repr__(self) -> str:
        """Say how many rows there are, and how many came late."""
        rows, columns = self.shape
        late = f", {self.stats.late_rows:,} late" if self.stats.late_rows else ""
        malformed = f", {self.stats.malformed_records:,} malformed" if self.stats.malformed_records else ""
        return (
            f"WindowResult({rows:,} row{'' if rows == 1 else 's'} x {columns} column{'' if columns == 1 else 's'}"
            f"{late}{malformed})"
        )

    def __str__(self) -> str:
        """Draw the first rows, after the line that says how many there are."""
        shown = 10
        rows = len(self)
        more = f"\n... {rows - shown:,} more" if shown < rows else ""
        return f"{self!r}\n{self.slice(0, shown).to_text()}{more}"

    def _repr_html_(self) -> str:
        from shardstream import display

        return display.window_result(self)


def window(
    table: object,
    window: Window,
    *,
    time: str,
    watermark: _Duration = "0s",
    allowed_lateness: _Duration = "0s",
    null_times: Literal["raise", "skip"] = "raise",
    format: Format | None = None,  # noqa: A002 - what readers of files call it
    on_bad_line: OnBadLine = "raise",
) -> WindowQuery:
    """Begin a query over a table or files that groups their rows into windows of event time.

    The same verbs as over a stream: `ss.window(table, ss.tumble("1m"), time="ts").by("region").agg(n=ss.count())`.
    Files may be larger than memory: `ss.window("events/*.parquet", ...)` reads them a batch at a time.

    Args:
        table: Any table that speaks Arrow: a polars or pandas DataFrame, a pyarrow Table, a DuckDB relation. Or a
            Parquet, CSV, newline-delimited JSON or Arrow IPC file, a glob of them or a list. Or a stream of batches,
            like a `pyarrow.RecordBatchReader`: an object that speaks Arrow and has no length; it is read as it goes.
        window: `ss.tumble`, `ss.hop`, `ss.session`, `ss.cumulate` or `ss.rolling`.
        time: The column of event times: timestamps (without a timezone they are read as UTC), dates, or ISO 8601 text.
        watermark: As in `Stream.window`; `collect(order="arrival")` takes the rows' order for that of arrival.
        allowed_lateness: As in `Stream.window`.
        null_times: What to do with rows without a time: "raise", or "skip" and count them.
        format: What the files are, where their names do not say: "parquet", "csv", "ndjson" or "arrow".
        on_bad_line: What to do with a line of JSON that cannot be read: "raise", or "skip" and count it in
            `stats.malformed_records`.

    Examples:
        >>> import shardstream as ss
        >>> flights = ss.window("notebooks/data/flights.parquet", ss.tumble("10000d"), time="scheduled")
        >>> flights.by("origin").agg(n=ss.count()).collect().column("n")
        [120835, 111279, 104662]
    """
    names = file_names(table, "table")
    if names is None and (format, on_bad_line) != (None, "raise"):
        message = "format and on_bad_line are for files; this is a table already"
        raise InvalidArgumentException(message)
    source = table if names is None else Files(names, format, on_bad_line)
    options = QueryOptions(
        window=window,
        time=time,
        watermark=watermark,
        allowed_lateness=allowed_lateness,
        idle_timeout=None,
        null_times=null_times,
    )
    return WindowQuery(source, options)


def _column(name: object, what: str) -> str:
    return text.checked(name, f"{what}: a column's name")


def _choice(value: object, name: str, known: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in known:
        return value
    message = f"{name}: one of {', '.join(map(repr, known))}, not {value!r}"
    raise InvalidArgumentException(message)


def _not_negative(duration: object, name: str) -> int:
    span = nanoseconds(duration, name)
    if span < 0:
        message = f"{name}: not negative, unlike {duration!r}"
        raise InvalidArgumentException(message)
    return span
