"""Amazon Kinesis, embedded: streams of shards, replay of datasets and windowed aggregation in this process.

An `Engine` holds streams. A `Stream` takes records, routes each to a shard by its key, and hands them out again in
order. `replay` sends a dataset through a stream. `Stream.window` computes aggregates over windows of event time.

Examples:
    >>> import shardstream as ss
    >>> engine = ss.Engine()
    >>> stream = engine.create_stream("clicks", shards=4)
    >>> stream.put(b"page", key="user-42").shard_id
    'shardId-000000000001'
    >>> [record.data for record in stream.read()]
    [b'page']
"""

from shardstream import errors
from shardstream._core import (
    PutError,
    PutManyResult,
    PutResult,
    Record,
    Records,
    Shard,
    Table,
    WriteReport,
)
from shardstream.clock import ManualClock, SystemClock
from shardstream.engine import Engine
from shardstream.query import QueryStats, WindowQuery, WindowResult, window
from shardstream.replays import ReplayReport, replay
from shardstream.stream import Stream
from shardstream.windows import (
    Aggregate,
    Window,
    approx_count_distinct,
    count,
    count_distinct,
    cumulate,
    first,
    hop,
    last,
    max,  # noqa: A004 - SQL's own word
    mean,
    median,
    min,  # noqa: A004 - SQL's own word
    quantile,
    rolling,
    session,
    std,
    sum,  # noqa: A004 - SQL's own word
    top_k,
    tumble,
    var,
)

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from shardstream import testing
del TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "Aggregate",
    "Engine",
    "ManualClock",
    "PutError",
    "PutManyResult",
    "PutResult",
    "QueryStats",
    "Record",
    "Records",
    "ReplayReport",
    "Shard",
    "Stream",
    "SystemClock",
    "Table",
    "Window",
    "WindowQuery",
    "WindowResult",
    "WriteReport",
    "__version__",
    "approx_count_distinct",
    "count",
    "count_distinct",
    "cumulate",
    "errors",
    "first",
    "hop",
    "last",
    "max",
    "mean",
    "median",
    "min",
    "quantile",
    "replay",
    "rolling",
    "session",
    "std",
    "sum",
    "testing",
    "top_k",
    "tumble",
    "var",
    "window",
]


def __getattr__(name: str) -> object:
    """What only tests need is imported when it is asked for."""
    if name == "testing":
        import importlib

        return importlib.import_module("shardstream.testing")
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
