"""A stream: shards that take, keep and hand out records."""

from __future__ import annotations

import datetime

from shardstream import _core, position, text
from shardstream._epoch import from_millis
from shardstream.duration import whole_millis
from shardstream.errors import InvalidArgumentException, SerializationException

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
    from typing import Any, Literal, Self

    from shardstream.engine import Engine
    from shardstream.hot import HotReport
    from shardstream.live import LiveView
    from shardstream.query import WindowQuery
    from shardstream.traffic import Traffic
    from shardstream.windows import Window

__all__ = ["Stream"]


class Stream(_core.Stream):
    """A stream of shards; `Engine.create_stream` and `Engine.stream` give one.

    Within a shard records keep the order in which they were put, for ever. Read together, the shards give all records
    in that order, a split or merged shard's before its children's. A stream of a folder pickles as where it is.

    Examples:
        >>> import shardstream as ss
        >>> clicks = ss.Engine().create_stream("clicks", shards=2)
        >>> clicks.put_many([(b"first", "user-42"), (b"second", "user-42")]).failed_record_count
        0
        >>> records = clicks.read()
        >>> len(records), records[0].data, records[0].shard_id == records[1].shard_id
        (2, b'first', True)
    """

    __slots__ = ("_engine",)

    _engine: Engine

    @classmethod
    def _of(cls, engine: Engine, name: str) -> Self:
        """The stream of this name; `Engine.stream` gives it."""
        stream = cls(engine._core, name)  # noqa: SLF001 - the native engine, which the face wraps
        stream._engine = engine
        return stream

    def write(
        self,
        table: object,
        *,
        key: str,
        time: str | None = None,
        data: str | None = None,
        null_key: str | None = None,
    ) -> _core.WriteReport:
        """Append a table's rows as records, without copying their columns.

        Args:
            table: Any table that speaks Arrow: a polars or pandas DataFrame, a pyarrow Table, a DuckDB relation.
            key: The column of partition keys: text, dictionary-encoded text, or integers (keyed by their digits).
            time: The column of event times, checked to be one; `window(time=...)` names it again. Records arrive now.
            data: A column of bytes or text that becomes the records' data. If not given, the rows themselves are:
                they keep their columns, and their JSON is made when somebody asks for bytes.
            null_key: What stands in for null keys; without it they are an error.

        Returns:
            WriteReport: `records`, `bytes`, `per_shard`, `throttled`, `failed_rows`.

        Raises:
            ColumnNotFoundError: A column is not there.
            ColumnTypeError: A column is of a type that cannot be what it is named as.
            ValidationException: A key is null, empty or too long, or a row over the record limit. No row is stored.
        """
        text.checked(key, "key")
        for name, value in (("time", time), ("data", data), ("null_key", null_key)):
            if value is not None:
                text.checked(value, name)
        return self.write_table(table, key=key, data=data, null_key=null_key, time=time)

    def read(
        self,
        start: position.Position = "TRIM_HORIZON",
        end: position.Position | None = None,
        *,
        shard_id: str | _core.Shard | None = None,
        limit: int | None = None,
    ) -> _core.Records:
        """Read the records that are there now, in order of arrival.

        Args:
            start: `"TRIM_HORIZON"` (the oldest kept), `"LATEST"` (nothing yet), a sequence number or record (that one
                first), an aware time (what arrived then or later), a duration like `"15m"` (that long ago), or a pair
                like `("AFTER_SEQUENCE_NUMBER", number)`.
            end: Likewise, where to stop: the record right there is not read any more. All there is, if not given.
            shard_id: Read this shard only: its id, or one of `shards()`.
            limit: Records at most.

        Returns:
            Records: A sequence of `Record`, and a table to any Arrow library.

        Raises:
            ResourceNotFoundException: There is no such shard.
            InvalidArgumentException: A position is none, or lies in another stream or in the future.
            ProvisionedThroughputExceededException: With limits="aws", a shard's reads are used up: each call is one
                read of every shard it touches.

        Source: GetShardIterator and GetRecords of the Kinesis Data Streams API.
        """
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            message = f"limit: a number of records from 1 on, or None for all, not {limit!r}"
            raise InvalidArgumentException(message)
        shard = None if shard_id is None else position.shard_name(shard_id)
        from_cut, until_cut = position.cuts(self, start, end, shard)
        return self.read_between(from_cut, until_cut, shard, None if limit is None else min(limit, 2**62))

    def follow(
        self,
        start: position.Position = "LATEST",
        *,
        shard_id: str | _core.Shard | None = None,
        timeout: str | datetime.timedelta | None = None,
    ) -> Iterator[_core.Record]:
        """Iterate over records as they come, one at a time.

        Where it starts is fixed by this call, not by the first look. It ends when nothing has come for `timeout`, when
        the stream is deleted, or when the one shard followed is closed and read to its end. On a `ManualClock` nobody
        but you moves time: with a timeout it ends once it has caught up, without waiting.

        An iterator that ended for want of records goes on when it is asked again: with `timeout="0s"`, looping over the
        same one gives what came since.

        Args:
            start: As in `read`.
            shard_id: Follow this shard only.
            timeout: How long to wait for another record; for ever, if not given (Ctrl-C works).
        """
        return self._follow(start, shard_id, timeout)

    def follow_async(
        self,
        start: position.Position = "LATEST",
        *,
        shard_id: str | _core.Shard | None = None,
        timeout: str | datetime.timedelta | None = None,
    ) -> AsyncGenerator[_core.Record, None]:
        """Iterate over records as they come, in a running event loop of asyncio, which is never blocked.

        As `follow` otherwise. Cancelling the task, `aclose()` and leaving the `async for` end it, and its thread with
        it.

        Args:
            start: As in `read`; fixed by this call.
            shard_id: Follow this shard only.
            timeout: How long to wait for another record; for ever, if not given.

        Examples:
            >>> import asyncio
            >>> import shardstream as ss
            >>> async def first(stream):
            ...     async for record in stream.follow_async("TRIM_HORIZON"):
            ...         return record.data
            >>> clicks = ss.Engine().create_stream("clicks")
            >>> result = clicks.put(b"page", key="user-42")
            >>> asyncio.run(first(clicks))
            b'page'
        """
        from shardstream import followers

        records = self._follow(start, shard_id, timeout)
        return followers.follow(lambda: records.take(followers.CHUNK_RECORDS), records.stop)

    def _follow(
        self, start: position.Position, shard_id: str | _core.Shard | None, timeout: str | datetime.timedelta | None
    ) -> _core.Follow:
        timeout_ms = None if timeout is None else whole_millis(timeout, "timeout")
        if timeout_ms is not None and timeout_ms < 0:
            message = f"timeout: not negative, unlike {timeout!r}"
            raise InvalidArgumentException(message)
        shard = None if shard_id is None else position.shard_name(shard_id)
        from_cut, _ = position.cuts(self, start, None, shard)
        return self.follow_from(from_cut, shard, timeout_ms)

    def window(
        self,
        window: Window,
        *,
        time: str = "arrival_time",
        watermark: str | datetime.timedelta = "0s",
        allowed_lateness: str | datetime.timedelta = "0s",
        idle_timeout: str | datetime.timedelta | None = None,
        null_times: Literal["raise", "skip"] = "raise",
        on_malformed: Literal["keep", "raise"] = "keep",
        schema: Mapping[str, str] | None = None,
    ) -> WindowQuery:
        """Begin a query that groups records into windows of event time.

        The query reads columns by name: those of tables written, fields of records that are JSON objects, and
        `arrival_time`, `partition_key` and `shard_id`, which every record has.

        Args:
            window: `ss.tumble`, `ss.hop`, `ss.session`, `ss.cumulate` or `ss.rolling`.
            time: The column of event times: timestamps (without a timezone they are read as UTC), dates, or ISO 8601
                text. When the record arrived, if not given.
            watermark: How far out of order rows are expected: the watermark trails the newest event time by this, and
                windows close when it passes their end. Only live queries and `collect(order="arrival")` use it.
            allowed_lateness: How much longer a closed window would still take rows.
            idle_timeout: When nothing arrives for this long, the watermark moves with the clock.
            null_times: What to do with rows without a time: "raise", or "skip" and count them.
            on_malformed: What to do with records that are not JSON objects with fitting fields: "keep" them apart and
                count them, or "raise".
            schema: Types of JSON fields, by name, where they should not be inferred: "int64", "float64", "string",
                "bool".

        Returns:
            WindowQuery: Add `.by(...)` and `.agg(...)`, then `.collect()` or `.follow()`.
        """
        from shardstream.query import QueryOptions, WindowQuery

        options = QueryOptions(
            window=window,
            time=time,
            watermark=watermark,
            allowed_lateness=allowed_lateness,
            idle_timeout=idle_timeout,
            null_times=null_times,
            on_malformed=on_malformed,
            schema=schema,
        )
        return WindowQuery(self, options)

    def live(
        self,
        query: WindowQuery,
        *,
        every: str | datetime.timedelta = "250ms",
        rows: int = 10,
        timeout: str | datetime.timedelta | None = None,
        start: position.Position = "LATEST",
        end: position.Position | None = None,
    ) -> LiveView:
        """Show a query's newest windows while records come, in a notebook's cell or in a line of a terminal.

        It returns at once. Keep what it returns: a view that nobody holds stops. What is put or replayed from here on,
        in this cell or another or in a thread, is shown as it comes.

        Args:
            query: A query of this stream, from `window`.
            every: How long a picture stands at least.
            rows: How many windows the table shows, the newest.
            timeout: It ends when nothing has come for this long, by the machine's time whatever the engine's clock;
                never, if not given.
            start: Where to begin, as in `read`; fixed by this call. `"TRIM_HORIZON"` also takes what is there already.
            end: Where to stop; follows until it is stopped, if not given.

        Returns:
            LiveView: `stop()`, `wait()`, `is_live`, `windows`, `stats`; a with statement stops it.

        Raises:
            InvalidArgumentException: The query is of another stream or a table, or computes nothing.
        """
        from shardstream.query import WindowQuery

        if not isinstance(query, WindowQuery):
            message = f"query: what window(...) and agg(...) give, not {type(query).__name__} {query!r:.80}"
            raise SerializationException(message)
        source = query._source  # noqa: SLF001 - of one house
        if not isinstance(source, _core.Stream) or source.arn != self.arn:
            message = f"query: one of this stream, {self.name!r}, not of {source!r:.80}"
            raise InvalidArgumentException(message)
        return query.live(every=every, rows=rows, timeout=timeout, start=start, end=end)

    def traffic(self, bins: int = 60, *, newest: int | None = None, time: str | None = None) -> Traffic:
        """Measure what each shard took, and when.

        Args:
            bins: How many bins the time is cut into at most, 8 to 10,000; their width is one that people use: 1 or 2 of
                a second, 10 seconds, a minute, 10 minutes, an hour, a day, and the like.
            newest: Look at so many of the newest records alone; at all, if not given.
            time: A column of event times to go by instead of arrival, as if records had arrived then: one of the
                tables written, or a field of JSON. What `limits="aws"` throttled is then in no bin.

        Returns:
            Traffic: Two tables, `shards` and `history`: records, bytes, and those throttled or over the limits.

        Raises:
            ColumnNotFoundError: No record has the column.
            ColumnTypeError: The column is no time.

        Examples:
            >>> import shardstream as ss
            >>> clicks = ss.Engine().create_stream("clicks", shards=1)
            >>> results = clicks.put_many([(b"page", f"user-{n}") for n in range(1_200)])
            >>> clicks.traffic().shards.column("over_limit")  # a shard takes 1,000 records in a second
            [200]
        """
        from shardstream.traffic import measure

        return measure(self, bins=bins, newest=newest, time=time)

    def explain_hot(self, top: int = 10, *, newest: int | None = None, time: str | None = None) -> HotReport:
        """Explain hot shards: which keys load them, when they would have been throttled, and what would help.

        Every record is played against the limits of its shard (1,000 records and 1 MiB a second), as it is, with each
        hot shard split where its load falls apart most evenly, and with its heavy keys salted into 2, 4 and 8 sub-keys
        wherever those fall on the ring. It takes about a second for ten million records on two cores.

        Args:
            top: So many shards, and so many keys of each.
            newest: Look at so many of the newest records alone; at all, if not given.
            time: A column of event times to go by instead of arrival, as in `traffic`.

        Returns:
            HotReport: `shards`, `keys`, and what remedies would have left; `print` explains it in sentences.

        Raises:
            ColumnNotFoundError: No record has the column.
            ColumnTypeError: The column is no time.

        Examples:
            >>> import shardstream as ss
            >>> clicks = ss.Engine(clock=ss.ManualClock("2026-01-01T09:00:00Z")).create_stream("clicks", shards=4)
            >>> results = clicks.put_many([(b"page", "tenant-42" if n % 4 else f"user-{n}") for n in range(2_000)])
            >>> clicks.explain_hot().shards[0]
            HotShard('shardId-000000000002', share=81%, throttled=618, cause='key')
        """
        from shardstream.hot import explain

        return explain(self, top=top, newest=newest, time=time)

    def split_shard(self, shard_id: str | _core.Shard, at: int | str | None = None) -> None:
        """Split an open shard in two; it closes, and its records stay readable.

        Args:
            shard_id: The shard.
            at: The first hash key of the upper child; the middle of what the shard owns, if not given.

        Raises:
            InvalidArgumentException: The shard is closed, or the hash key does not lie inside of it.
            ResourceNotFoundException: There is no such shard.
            ValidationException: The stream is on demand.

        Source: SplitShard of the Kinesis Data Streams API.
        """
        super().split_shard(position.shard_name(shard_id), at)

    def merge_shards(self, shard_id: str | _core.Shard, adjacent_shard_id: str | _core.Shard) -> None:
        """Merge two open shards, the first of which ends where the second starts; both close.

        Raises:
            InvalidArgumentException: A shard is closed, or the two are not neighbours in this order.
            ResourceNotFoundException: There is no such shard.
            ValidationException: The stream is on demand.

        Source: MergeShards of the Kinesis Data Streams API.
        """
        super().merge_shards(position.shard_name(shard_id), position.shard_name(adjacent_shard_id))

    def update_shard_count(self, target: int) -> None:
        """Split and merge until this many open shards cut the ring evenly.

        Args:
            target: 1 to 10,000; with limits="aws" at most double and at least half of the open shards, and at most
                ten times a day.

        Raises:
            ValidationException: The target is below 1, or the stream on demand.
            LimitExceededException: The target is above 10,000, or the day's updates are used up.
            InvalidArgumentException: The step is too big.

        Source: UpdateShardCount of the Kinesis Data Streams API.
        """
        if isinstance(target, bool) or not isinstance(target, int):
            message = f"target: an int, not {type(target).__name__} {target!r}"
            raise SerializationException(message)
        super().update_shard_count(max(-(2**62), min(target, 2**62)))

    def plot(
        self,
        kind: Literal["throughput", "throttles", "skew", "lineage", "ring"] = "throughput",
        *,
        time: str | None = None,
        backend: Literal["altair", "matplotlib"] | None = None,
    ) -> Any:  # noqa: ANN401 - neither library is a dependency
        """Draw what came to the stream, and what became of its shards. A shard has the same colour in all charts.

        Args:
            kind: "throughput" (records a second of each shard, by arrival, and where one was throttled or would have
                been), "throttles" (how many records were too much, over time), "skew" (the heaviest keys, and their
                shares of their shards' load), "lineage" (the shards from creation to closing, with splits and merges),
                or "ring" (what each open shard owns of the hash keys, and how heavily it is loaded).
            time: A column of event times to go by instead of arrival, as if records had arrived then; for the first
                three kinds.
            backend: "altair" or "matplotlib"; the first of them that is installed, if not given.

        Returns:
            An `altair.Chart` (or layers of them) or a `matplotlib.figure.Figure`, to go on with.

        Raises:
            ColumnNotFoundError: No record has the column.
            InvalidArgumentException: A kind or backend is none, or not installed.
        """
        from shardstream import plots

        return plots.stream(self, kind, time=time, backend=backend)

    def fork(self, name: str) -> Stream:
        """Make a stream that begins with this one's shards and records, and goes its own way from there.

        Nothing is copied that is sealed: files get second names, blocks in memory are shared. Sequence numbers of the
        records, shards, settings and tags are the same; consumers are not taken along.

        Args:
            name: The new stream's name.

        Raises:
            ResourceInUseException: There is a stream of this name already.
            LimitExceededException: The account has no room for its shards.
            StoreError: What is in memory cannot be sealed.

        Examples:
            >>> import shardstream as ss
            >>> clicks = ss.Engine().create_stream("clicks", shards=1)
            >>> before = clicks.put(b"shared", key="user-42")
            >>> trial = clicks.fork("trial")
            >>> after = trial.put(b"of the fork alone", key="user-42")
            >>> len(clicks.read()), len(trial.read())
            (1, 2)
        """
        self.fork_as(text.checked(name, "name"))
        return Stream._of(self._engine, name)

    def seal(self) -> None:
        """Write the records that are in memory to segments now, so that other tools see them.

        It happens by itself when there are some 64 MiB of them, and when the engine is closed. In memory it does
        nothing.

        Raises:
            StoreError: The disk is full or fails; the records stay as safe as they were.
        """
        super().seal()

    def increase_retention(self, retention: str | datetime.timedelta) -> None:
        """Keep records for longer, up to 8,760 hours; what is forgotten already does not come back.

        Source: IncreaseStreamRetentionPeriod of the Kinesis Data Streams API.
        """
        self.increase_retention_ms(whole_millis(retention, "retention"))

    def decrease_retention(self, retention: str | datetime.timedelta) -> None:
        """Keep records for a shorter time, down to 24 hours; older ones are gone at once.

        Source: DecreaseStreamRetentionPeriod of the Kinesis Data Streams API.
        """
        self.decrease_retention_ms(whole_millis(retention, "retention"))

    @property
    def retention(self) -> datetime.timedelta:
        """How long records are kept."""
        return datetime.timedelta(milliseconds=self.retention_ms())

    @property
    def created(self) -> datetime.datetime:
        """When the stream was created, aware, in UTC."""
        return from_millis(self.created_ms())

    def __len__(self) -> int:
        """How many records are kept."""
        return self.record_count()

    def __bool__(self) -> bool:
        """A stream is true, also without records."""
        return True

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as its name and its engine, which must be of a folder."""
        from shardstream import _descriptors

        return _descriptors.stream, (self._engine, self.name)

    def __repr__(self) -> str:
        """Say which stream this is, and what is in it."""
        try:
            shards: Sequence[Any] = self.shards()
            count = self.record_count()
        except Exception as error:  # noqa: BLE001 - a repr of a deleted stream says so and does not raise
            return f"Stream({self.name!r}, {type(error).__name__})"
        opened = sum(shard.is_open for shard in shards)
        return (
            f"Stream({self.name!r}, {opened:,} open shard{'' if opened == 1 else 's'}, "
            f"{count:,} record{'' if count == 1 else 's'})"
        )

    def _repr_html_(self) -> str:
        from shardstream import display

        return display.stream(self)
