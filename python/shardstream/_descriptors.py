"""How objects are pickled: values as their parts, engines and streams as where they are kept."""

from __future__ import annotations

from types import SimpleNamespace

from shardstream import _core
from shardstream.errors import SerializationException

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from shardstream.clock import ManualClock
    from shardstream.engine import Engine
    from shardstream.query import WindowResult
    from shardstream.stream import Stream
    from shardstream.windows import Window


def engine(path: str, options: dict[str, Any]) -> Engine:
    """A reader of the folder that a pickled engine kept its streams in."""
    from shardstream.engine import Engine

    return Engine(path, read_only=True, **options)


def stream(engine: Engine, name: str) -> Stream:
    """The stream of this name."""
    return engine.stream(name)


def clock(made: type[ManualClock], start: str, follow: bool, is_still: bool) -> ManualClock:  # noqa: FBT001 - pickled in this order
    """A clock that stands, or runs from, where a pickled one stood."""
    clock = made(start, follow=follow)
    if not is_still:
        clock.run()
    return clock


def record(data: bytes, partition_key: str, sequence_number: str, arrival_ms: int) -> _core.Record:
    """A record, away from its stream."""
    return _core.Record.of(data, partition_key, sequence_number, arrival_ms)


def put_result(sequence_number: str) -> _core.PutResult:
    """Where a record was stored."""
    return _core.PutResult.of(sequence_number)


def put_error(code: str, message: str) -> _core.PutError:
    """Why a record was not stored."""
    return _core.PutError.of(code, message)


def write_report(rows: int, per_shard: dict[str, int], failed_rows: list[int], stored_bytes: int) -> _core.WriteReport:
    """What became of a table's rows."""
    return _core.WriteReport.of(rows, per_shard, failed_rows, stored_bytes)


def shard(state: bytes) -> _core.Shard:
    """A shard, as it was."""
    return _core.Shard.of(state)


def table(ipc: bytes) -> _core.Table:
    """A table, of an Arrow IPC stream."""
    return _core.Table.from_ipc(ipc)


def window_result(
    windows: bytes,
    late: bytes,
    malformed: bytes,
    stats: dict[str, Any],
    query: tuple[tuple[str, ...], Window | None],
) -> WindowResult:
    """What a query answered, of three Arrow IPC streams, its counts, and its query's keys and windows."""
    from shardstream.query import WindowResult

    answer: Any = SimpleNamespace(windows=table(windows), late=table(late), malformed=table(malformed), stats=stats)
    keys, window = query
    return WindowResult(answer, keys=keys, window=window)


def client_error(code: str, response: dict[str, Any], operation: str) -> Exception:
    """What a client of the API raised."""
    from shardstream.client import Exceptions

    return Exceptions().from_code(code)(response, operation)


def refuse(what: str, why: str, instead: str) -> NoReturn:
    """Say that something is not pickled, why, and what to do."""
    message = f"{what} is not pickled: {why}; {instead}"
    raise SerializationException(message)
