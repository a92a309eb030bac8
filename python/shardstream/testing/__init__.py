"""Testing of Kinesis applications: mocks of AWS's clients, faults on demand, assertions that explain, and strategies.

The fixtures of the pytest plugin (`kinesis`, `kinesis_client`, `kinesis_stream`, ...) need no import; docs/testing.md
tells of them.

Examples:
    >>> import shardstream as ss
    >>> with ss.testing.mock_kinesis() as engine:
    ...     stream = engine.create_stream("clicks", shards=2)
    ...     # Here boto3.client("kinesis") and aiobotocore's clients find the stream.
    >>> ss.testing.assert_records([b"page"], [b"page"])
"""

from shardstream.testing.assertions import assert_balanced, assert_no_loss, assert_per_key_order, assert_records
from shardstream.testing.faults import Fault, Faults, Fired
from shardstream.testing.mock import mock_kinesis

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from shardstream.testing import strategies
    from shardstream.testing.machine import ConsumerMachine

__all__ = [
    "ConsumerMachine",
    "Fault",
    "Faults",
    "Fired",
    "assert_balanced",
    "assert_no_loss",
    "assert_per_key_order",
    "assert_records",
    "mock_kinesis",
    "strategies",
]


def __getattr__(name: str) -> object:
    """What needs Hypothesis is imported when it is asked for."""
    if name == "ConsumerMachine":
        from shardstream.testing.machine import ConsumerMachine

        return ConsumerMachine
    if name == "strategies":
        import importlib

        return importlib.import_module("shardstream.testing.strategies")
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
