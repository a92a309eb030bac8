"""Every error shardstream raises, named as AWS names it where AWS has a name for it.

All of them are `ShardstreamError`s; where Python has a word for the kind of mistake, they are that too, so
`except ValueError` and `except LookupError` work as one would expect.
"""

__all__ = [
    "ColumnNotFoundError",
    "ColumnTypeError",
    "DatasetError",
    "DatasetNotFoundError",
    "EngineClosedError",
    "ForkedEngineError",
    "InvalidArgumentException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RecordDecodeError",
    "ResourceInUseException",
    "ResourceNotFoundException",
    "SerializationException",
    "ServerError",
    "ShardstreamError",
    "StoreDamagedError",
    "StoreError",
    "StoreFullError",
    "StoreLockedError",
    "StorePoisonedError",
    "StoreReadOnlyError",
    "StoreVersionError",
    "ValidationException",
]


class ShardstreamError(Exception):
    """The base of all errors of shardstream."""

    @property
    def code(self) -> str:
        """The error's name, as the API's replies carry it."""
        return type(self).__name__


class InvalidArgumentException(ShardstreamError, ValueError):
    """An argument is out of range, or does not go with the others."""


class ValidationException(InvalidArgumentException):
    """An argument breaks a constraint of the API: a length, a pattern, a least or greatest value."""


class SerializationException(ShardstreamError, TypeError):
    """An argument is of a type that cannot be what is asked for."""


class ResourceNotFoundException(ShardstreamError, LookupError):
    """There is no stream, or no shard, of this name."""


class ResourceInUseException(ShardstreamError):
    """There is a stream of this name already."""


class LimitExceededException(ShardstreamError):
    """More than a limit of the service allows."""


class ProvisionedThroughputExceededException(ShardstreamError):
    """A shard's capacity for this second is used up; the same call may succeed a little later."""


class ServerError(ShardstreamError, OSError):
    """A server cannot be started: its address is taken, or its certificate cannot be used."""


class EngineClosedError(ShardstreamError, RuntimeError):
    """The engine was closed before."""


class ForkedEngineError(ShardstreamError, RuntimeError):
    """The engine was opened by the process that this one was forked off; open it again here."""


class StoreError(ShardstreamError, OSError):
    """A store cannot be read or written."""


class StoreDamagedError(StoreError):
    """What a store holds is not what was written there; `shardstream repair` keeps what can be read."""


class StoreFullError(StoreError):
    """No room is left on the disk; nothing was stored, and what is stored stays."""


class StoreLockedError(StoreError):
    """Another process writes the store."""


class StorePoisonedError(StoreError):
    """A write or sync failed before; the store takes no more, and what is readable stays so."""


class StoreReadOnlyError(StoreError):
    """The store was opened to be read."""


class StoreVersionError(StoreError):
    """A newer program wrote the store."""


class ColumnNotFoundError(InvalidArgumentException, LookupError):
    """A table, or a stream's records, have no column of this name."""


class ColumnTypeError(InvalidArgumentException, TypeError):
    """A column's type does not go with what is asked of it."""


class RecordDecodeError(ShardstreamError, ValueError):
    """A record's data is not what it is read as."""


class DatasetError(ShardstreamError, ValueError):
    """A file cannot be read as a dataset, or written."""


class DatasetNotFoundError(DatasetError, FileNotFoundError):
    """There is no file of this name, or none that a pattern matches."""
