"""The engine: streams in this process, in memory or on a disk."""

from __future__ import annotations

import os
from collections.abc import Mapping

from shardstream import _core, text
from shardstream.clock import ManualClock, SystemClock
from shardstream.duration import whole_millis
from shardstream.errors import InvalidArgumentException, SerializationException
from shardstream.stream import Stream

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    import datetime
    from types import TracebackType
    from typing import Literal, Self

    from shardstream.client import KinesisClient
    from shardstream.server import Server
    from shardstream.testing.faults import Faults

__all__ = ["Engine"]

# A process that is forked off has the memory of its parent, and none of the threads that held locks there.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_core.leave_engines_behind)

_ACCOUNT_DIGITS = 12
_DEFAULT_SHARDS = 4
_RECORD_BYTES_MAX = 1024 * 1024
_PORT_MAX = 65_535
_LIMITS = (None, "aws")
_DURABILITIES = ("commit", "interval", "none")
_COMPRESSIONS = ("lz4", "zstd")
# What a stream holds in memory before it is sealed.
_SEAL_BYTES = 64 * 1024 * 1024
_MODES = ("PROVISIONED", "ON_DEMAND")


class Engine:
    """Kinesis in this process: streams by name, without a server; in memory, or in a folder that keeps them.

    Of a folder, it pickles as where that is: unpickled or copied, it is a reader of the same folder.

    Args:
        path: The folder that keeps everything across processes and crashes; made if it is not there. In memory, if not
            given. One process writes it, others may read it (`read_only`). Sealed records are Arrow files that any
            tool opens: `pl.scan_ipc("events/clicks/*/*.arrow")`.
        durability: When a put to a folder returns: `"commit"`, once its records are on stable storage (puts of all
            threads share one sync); `"interval"`, once the operating system has them, and a power loss takes at most
            the last 100 ms; `"none"`, likewise, and the operating system decides when they are on the disk. A crash of
            this process alone loses nothing in any of them.
        compression: Of sealed records: `"lz4"`, `"zstd"`, or `None`, which reads fastest.
        read_only: Read what another process writes, as it comes.
        clock: A `ManualClock` that only you move; the machine's clock if not given.
        limits: `"aws"` throttles as Amazon does: shards (1,000 records and 1 MiB a second in, 5 reads and 2 MiB out),
            how often an account may ask, and how much a stream may change in a day; streams on demand grow. `None`
            throttles nothing. Sizes and shapes are checked either way.
        region: The region in ARNs; `"us-east-1"` if not given, or what the folder was made with.
        account_id: The account in ARNs and messages: 12 digits; zeros if not given, or what the folder was made with.
        seed: The same seed, clock and input give the same sequence numbers.
        threads: How many threads writes and queries of this engine use at most; default the environment variable
            SHARDSTREAM_THREADS, else the cores.
        create_stream_ms: How long a stream is CREATING, on the engine's clock; not at all unless given.
        update_stream_ms: How long a stream is UPDATING after a change.
        delete_stream_ms: How long a stream is DELETING.
        shard_limit: Open shards of an account in a region, at most; Amazon's default if not given.

    Raises:
        InvalidArgumentException: An argument is not one of those named here.
        StoreLockedError: Another process writes the folder; the message says which.
        StoreDamagedError: The folder holds something else than was written; the message says where.
        StoreVersionError: A newer version of shardstream wrote it.

    Examples:
        >>> import shardstream as ss
        >>> with ss.Engine() as engine:
        ...     clicks = engine.create_stream("clicks", shards=4)
        ...     result = clicks.put(b"page", key="user-42")
        ...     [record.data for record in clicks.read()]
        [b'page']
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        durability: Literal["commit", "interval", "none"] = "commit",
        compression: Literal["lz4", "zstd"] | None = None,
        read_only: bool = False,
        clock: ManualClock | None = None,
        limits: Literal["aws"] | None = None,
        region: str | None = None,
        account_id: str | None = None,
        seed: int = 0,
        threads: int | None = None,
        create_stream_ms: int = 0,
        update_stream_ms: int = 0,
        delete_stream_ms: int = 0,
        shard_limit: int | None = None,
    ) -> None:
        """Make an engine without streams, or open the folder that keeps them."""
        if clock is not None and not isinstance(clock, _core.ManualClock):
            message = f"clock: a shardstream.ManualClock or None, not {type(clock).__name__}"
            raise SerializationException(message)
        if limits not in _LIMITS:
            message = f'limits: "aws" or None, not {limits!r}'
            raise InvalidArgumentException(message)
        if account_id is not None:
            digits = text.checked(account_id, "account_id")
            if len(digits) != _ACCOUNT_DIGITS or not (digits.isascii() and digits.isdigit()):
                message = f"account_id: 12 digits, not {account_id!r}"
                raise InvalidArgumentException(message)
        if region is not None and not text.checked(region, "region"):
            message = f'region: a name like "eu-west-1", not {region!r}'
            raise InvalidArgumentException(message)
        if isinstance(seed, bool) or not (isinstance(seed, int) and 0 <= seed < 2**64):
            message = f"seed: an int from 0 to 2**64 - 1, not {seed!r}"
            raise InvalidArgumentException(message)
        store = _store(path, durability=durability, compression=compression, read_only=read_only)
        self._core = _core.Engine(
            clock=clock,
            limits_aws=limits == "aws",
            region=region,
            account_id=account_id,
            seed=seed,
            threads=threads,
            durations_ms=(
                _checked_count(create_stream_ms, "create_stream_ms"),
                _checked_count(update_stream_ms, "update_stream_ms"),
                _checked_count(delete_stream_ms, "delete_stream_ms"),
            ),
            shard_limit=None if shard_limit is None else _checked_count(shard_limit, "shard_limit"),
            store=store,
        )
        self._path = None if store is None else str(store["path"])
        # Whoever unpickles this engine may work in another folder.
        self._folder = None if self._path is None else os.path.abspath(self._path)  # noqa: PTH100 - pathlib is not loaded for it
        self._options: dict[str, object] = {
            "clock": clock,
            "limits": limits,
            "region": region,
            "account_id": account_id,
            "seed": seed,
            "threads": threads,
            "create_stream_ms": create_stream_ms,
            "update_stream_ms": update_stream_ms,
            "delete_stream_ms": delete_stream_ms,
            "shard_limit": shard_limit,
        }
        self._clock = clock
        self._limits = limits
        self._seed = seed
        self._faults: Faults | None = None

    @property
    def clock(self) -> ManualClock | SystemClock:
        """The clock the engine was made with, or the machine's."""
        return SystemClock(self._core) if self._clock is None else self._clock

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose at this engine's clients and endpoint; nothing until it is told to."""
        if self._faults is None:
            from shardstream.testing.faults import Faults

            self._faults = Faults(self, seed=self._seed)
        return self._faults

    @property
    def path(self) -> str | None:
        """The folder that keeps the engine's streams; `None` in memory."""
        return self._path

    @property
    def limits(self) -> Literal["aws"] | None:
        """Whose limits throttle; `None` where nothing does."""
        return self._limits

    @property
    def region(self) -> str:
        """The region in ARNs."""
        return self._core.region

    @property
    def account_id(self) -> str:
        """The account in ARNs: 12 digits."""
        return self._core.account_id

    @property
    def closed(self) -> bool:
        """Whether the engine was closed."""
        return self._core.closed

    def create_stream(
        self,
        name: str,
        shards: int | None = None,
        *,
        retention: str | datetime.timedelta = "24h",
        mode: Literal["PROVISIONED", "ON_DEMAND"] = "PROVISIONED",
        tags: Mapping[str, str] | None = None,
        max_record_size: int = _RECORD_BYTES_MAX,
    ) -> Stream:
        """Create a stream, ACTIVE at once.

        Args:
            name: 1 to 128 characters of a-z A-Z 0-9 _ . -
            shards: How many shards cut the hash ring evenly, 1 to 10,000; 4 if not given.
            retention: How long records are kept: whole hours, from 24 hours to 8,760 (a year).
            mode: `"PROVISIONED"` streams are resharded by you, `"ON_DEMAND"` ones are not.
            tags: At most 50 labels.
            max_record_size: Bytes of a record at most, its key counted: 1 MiB to 10 MiB.

        Raises:
            ResourceInUseException: There is a stream of this name already.
            ValidationException: The name breaks its pattern, or there would be no shard.
            LimitExceededException: More than 10,000 shards.
            InvalidArgumentException: Another argument is out of its range.

        Source: CreateStream of the Kinesis Data Streams API.
        """
        text.checked(name, "name")
        if shards is None:
            shards = _DEFAULT_SHARDS
        if isinstance(shards, bool) or not isinstance(shards, int):
            message = f"shards: an int, not {type(shards).__name__} {shards!r}"
            raise SerializationException(message)
        if mode not in _MODES:
            message = f'mode: "PROVISIONED" or "ON_DEMAND", not {mode!r}'
            raise InvalidArgumentException(message)
        if not (isinstance(max_record_size, int) and 2**20 <= max_record_size <= 10 * 2**20):
            message = f"max_record_size: 1,048,576 to 10,485,760 bytes, not {max_record_size!r}"
            raise InvalidArgumentException(message)
        self._core.create_stream(
            name,
            shards=max(-(2**62), min(shards, 2**62)),
            retention_ms=whole_millis(retention, "retention"),
            on_demand=mode == "ON_DEMAND",
            record_bytes_max=max_record_size,
            tags={} if tags is None else _checked_tags(tags),
        )
        return self.stream(name)

    def stream(self, name: str) -> Stream:
        """The stream of this name.

        Raises:
            ResourceNotFoundException: There is none.
        """
        text.checked(name, "name")
        return Stream._of(self, name)  # noqa: SLF001 - of one house

    def list_streams(self) -> list[str]:
        """The names of the streams, in order.

        Source: ListStreams of the Kinesis Data Streams API.
        """
        return self._core.stream_names()

    def delete_stream(self, name: str) -> None:
        """Delete a stream and its records; those who follow it come to their end.

        Raises:
            ResourceNotFoundException: There is no stream of this name.
        """
        text.checked(name, "name")
        self._core.delete_stream(name)

    def snapshot(self, path: str | os.PathLike[str], *, compression: Literal["lz4", "zstd"] | None = None) -> None:
        """Write everything there is to a new folder, which `Engine(path)` opens.

        What is sealed is shared, not copied: files get second names. So a snapshot takes milliseconds, and both go
        their own ways from here. What is in memory is written.

        Args:
            path: The folder, which must be empty or not there.
            compression: Of what is written, as for `Engine`.

        Raises:
            InvalidArgumentException: There is something in the folder.
            StoreError: The folder cannot be written.

        Examples:
            >>> import tempfile
            >>> engine = Engine()
            >>> result = engine.create_stream("clicks").put(b"page", key="user-42")
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     engine.snapshot(folder)
            ...     with Engine(folder) as again:
            ...         [record.data for record in again.stream("clicks").read()]
            [b'page']
        """
        self._core.snapshot(os.fspath(path), _checked_compression(compression))

    def client(self, service_name: Literal["kinesis"] = "kinesis") -> KinesisClient:
        """A client of the API in this process: boto3's methods and dictionaries, without HTTP and without boto3.

        Args:
            service_name: `"kinesis"`.

        Raises:
            InvalidArgumentException: There is no such service here.

        Examples:
            >>> client = Engine().client("kinesis")
            >>> answer = client.create_stream(StreamName="clicks", ShardCount=2)
            >>> client.list_streams()["StreamNames"]
            ['clicks']
        """
        if service_name != "kinesis":
            message = f'service_name: "kinesis", not {service_name!r}'
            raise InvalidArgumentException(message)
        from shardstream.client import KinesisClient

        return KinesisClient(self)

    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tls: bool | tuple[str, str] = False,
        credentials: Mapping[str, str] | None = None,
        insecure: bool = False,
    ) -> Server:
        """Start a server that AWS's clients take for Kinesis; it answers when this returns.

        Args:
            host: The address to listen on; other machines reach only another one than the default.
            port: The port; any that is free if 0.
            tls: Whether connections are encrypted: with a certificate made on the spot, or with the files of a
                certificate chain and its key, in PEM.
            credentials: Secrets by access key; requests must then be signed with one of them. Anybody may call if not
                given, which another address than this machine's own refuses.
            insecure: Answer anybody on such an address, too.

        Returns:
            Server: Its `url` is the client's `endpoint_url`; leaving its with statement stops it.

        Raises:
            InvalidArgumentException: An address that other machines reach, without credentials.
            ServerError: The address is taken, or the certificate cannot be used.
        """
        from shardstream.server import Server

        if isinstance(port, bool) or not (isinstance(port, int) and 0 <= port <= _PORT_MAX):
            message = f"port: 0 to {_PORT_MAX}, not {port!r}"
            raise InvalidArgumentException(message)
        return Server(
            self._core,
            host=text.checked(host, "host"),
            port=port,
            tls=bool(tls),
            files=tls if isinstance(tls, tuple) else None,
            credentials=None if credentials is None else list(credentials.items()),
            insecure=insecure,
        )

    def tick(self) -> None:
        """Do what the clock has made due at once: forget records past their retention.

        Every call does so for what it touches; this does it for all streams, to free memory.
        """
        self._core.tick()

    def close(self) -> None:
        """Let go of all streams; every later call raises EngineClosedError. Closing again does nothing.

        In a folder, everything stays, whatever the durability: it is made stable and sealed.

        Raises:
            StoreError: What was put cannot be made stable.
        """
        self._core.close()

    def __enter__(self) -> Self:
        """Use the engine in a with statement, which closes it."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the engine."""
        self.close()

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as a descriptor, which opens the folder again to be read; an engine in memory is not pickled."""
        from shardstream import _descriptors

        if self._folder is None:
            _descriptors.refuse(
                "an engine in memory",
                "its streams are in this process alone",
                'give it a folder, as in ss.Engine("events/"), which other processes read, '
                "or serve() it and give them the url",
            )
        return _descriptors.engine, (self._folder, self._options)

    def __repr__(self) -> str:
        """Say where it keeps its streams, and how many."""
        # One that was refused is shown in tracebacks.
        if not hasattr(self, "_limits"):
            return "Engine(not made)"
        if self.closed:
            return "Engine(closed)"
        where = "in memory" if self._path is None else repr(self._path)
        limits = "" if self._limits is None else f", limits={self._limits!r}"
        try:
            count = len(self.list_streams())
        except Exception as error:  # noqa: BLE001 - a repr says what is wrong and does not raise
            return f"Engine({where}, {type(error).__name__}{limits})"
        return f"Engine({where}, {count} stream{'' if count == 1 else 's'}{limits})"

    def _repr_html_(self) -> str:
        from shardstream import display

        return display.engine(self)


def _store(
    path: str | os.PathLike[str] | None, *, durability: object, compression: object, read_only: object
) -> dict[str, object] | None:
    if durability not in _DURABILITIES:
        message = f'durability: "commit", "interval" or "none", not {durability!r}'
        raise InvalidArgumentException(message)
    if not isinstance(read_only, bool):
        message = f"read_only: True or False, not {read_only!r}"
        raise InvalidArgumentException(message)
    checked = _checked_compression(compression)
    if path is None:
        if read_only or compression is not None or durability != "commit":
            message = "durability, compression and read_only are for a path; there is none"
            raise InvalidArgumentException(message)
        return None
    if not isinstance(path, (str, os.PathLike)):
        message = f"path: a folder, not {type(path).__name__} {path!r}"
        raise SerializationException(message)
    folder = os.fspath(path)
    if not folder or not isinstance(folder, str):
        message = f'path: a folder like "events/", not {path!r}'
        raise InvalidArgumentException(message)
    return {
        "path": folder,
        "durability": str(durability),
        "compression": checked,
        "read_only": read_only,
        "seal_bytes": _SEAL_BYTES,
    }


def _checked_compression(compression: object) -> str:
    if compression is None:
        return "none"
    if compression not in _COMPRESSIONS:
        message = f'compression: "lz4", "zstd" or None, not {compression!r}'
        raise InvalidArgumentException(message)
    return str(compression)


def _checked_tags(tags: object) -> dict[str, str]:
    if not isinstance(tags, Mapping):
        message = f'tags: labels by name, like {{"team": "web"}}, not {type(tags).__name__} {tags!r}'
        raise SerializationException(message)
    return {
        text.checked(key, "tags"): text.checked(value, f"tags: the value of {key!r}") for key, value in tags.items()
    }


def _checked_count(count: object, name: str) -> int:
    if isinstance(count, bool) or not (isinstance(count, int) and 0 <= count < 2**31):
        message = f"{name}: an int from 0 to 2**31 - 1, not {count!r}"
        raise InvalidArgumentException(message)
    return count
