"""A state machine that puts, reshards, crashes and fails around one's own consumer, and looks for what it lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import islice

from shardstream.clock import ManualClock
from shardstream.engine import Engine
from shardstream.errors import SerializationException

try:
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
except ImportError as error:
    message = "shardstream.testing.machine needs hypothesis: pip install hypothesis"
    raise ImportError(message, name="hypothesis") from error

from shardstream.testing.assertions import assert_no_loss, assert_per_key_order
from shardstream.testing.disturbances import Disturbance, disturbances
from shardstream.testing.items import read
from shardstream.testing.strategies import partition_keys

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, ClassVar

    from shardstream.client import KinesisClient
    from shardstream.testing.items import Item

__all__ = ["ConsumerMachine"]

# Iterators live for 300 seconds.
_WAITS = (1, 301, 3_600)
# The longest there is: what a consumer did not get, it lost by itself.
_RETENTION = "8760h"

_index = st.integers(0, 15)
_keys = st.runner().flatmap(lambda machine: machine.keys)


class ConsumerMachine(RuleBasedStateMachine):
    """Looks for a way in which a consumer loses records, or sees those of a key in another order.

    Subclass it and say how the consumer is started, and what one round of it is. Hypothesis then puts records, splits
    and merges shards, lets time pass, polls, kills the consumer and starts it again, in any order; where the engine has
    faults, it throttles, fails, expires iterators, hands out empty pages and records twice. In the end the faults stop
    and the consumer is polled until nothing new comes. By then it has to have seen all that was put, each key's records
    in the order in which they were put; records may come more than once, for Kinesis promises no more than that.

    The shortest way to a failure that was found is printed as the steps that lead there.

    Attributes:
        shards: How many shards the stream begins with.
        max_shards: How many are open at once, at most.
        keys: A strategy for partition keys; few of them, so that their order is tried.
        faults_allowed: Whether reads fail, too; a consumer that does not expect that ends with the error it meets.
        patience: How many rounds without a new record, with a minute between two, end the last polling; two more are
            granted for each shard that there was.
        checkpoints: A dictionary that stays when the consumer is killed, for what it keeps outside of itself.
        clock: A `ManualClock`, the engine's.
        engine: The engine; `stream` is a stream of it, `client` its client, and `faults` what goes wrong there.
        sent: The records put so far, in order, as dictionaries.
        received: What the consumer has processed so far, in order.

    Examples:
        >>> class Reader(ConsumerMachine):
        ...     shards = 1
        ...     max_shards = 1
        ...     faults_allowed = False
        ...
        ...     def start(self, client, stream_name):
        ...         shard = client.list_shards(StreamName=stream_name)["Shards"][0]["ShardId"]
        ...         return lambda **where: client.get_records(
        ...             ShardIterator=client.get_shard_iterator(StreamName=stream_name, ShardId=shard, **where)[
        ...                 "ShardIterator"
        ...             ]
        ...         )["Records"]
        ...
        ...     def poll(self, read):
        ...         after = self.checkpoints.get("after")
        ...         where = {"ShardIteratorType": "TRIM_HORIZON"}
        ...         if after is not None:
        ...             where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
        ...         for record in read(**where):
        ...             yield record
        ...             self.checkpoints["after"] = record["SequenceNumber"]
        >>> from hypothesis import settings
        >>> from hypothesis.stateful import run_state_machine_as_test
        >>> run_state_machine_as_test(Reader, settings=settings(max_examples=5, database=None))

        In a test suite, `TestReader = Reader.TestCase` is what pytest and unittest collect.
    """

    shards: ClassVar[int] = 2
    max_shards: ClassVar[int] = 8
    keys: ClassVar[st.SearchStrategy[str]] = partition_keys(count=4)
    faults_allowed: ClassVar[bool] = True
    patience: ClassVar[int] = 10

    def __init__(self) -> None:
        """Make an engine with a stream, and start the consumer."""
        super().__init__()
        self.clock = ManualClock()
        self.engine = Engine(clock=self.clock)
        self.stream = self.engine.create_stream("stream", shards=self.shards, retention=_RETENTION)
        self.client = self.engine.client("kinesis")
        self.faults: Any = getattr(self.engine, "faults", None) if self.faults_allowed else None
        self.checkpoints: dict[Any, Any] = {}
        self.sent: list[dict[str, Any]] = []
        self.received: list[object] = []
        self._killed: list[object] = []
        self._failed = False
        self.consumer = self.start(self.client, self.stream.name)

    def start(self, client: KinesisClient, stream_name: str) -> Any:  # noqa: ANN401 - whatever the user has
        """Make the consumer; called again after each crash.

        Args:
            client: What it reads with, as `boto3.client("kinesis")`.
            stream_name: What it reads.

        Returns:
            What `poll` is given: the consumer. What it kept in memory is gone when it is started again;
            `self.checkpoints` is not.
        """
        message = f"{type(self).__name__}.start(client, stream_name): not defined; return your consumer"
        raise NotImplementedError(message)

    def poll(self, consumer: Any) -> Iterable[object]:  # noqa: ANN401 - whatever `start` returned
        """Let the consumer do one round.

        Args:
            consumer: What `start` returned.

        Returns:
            The records that it processed, as it got them, or their data alone. A generator is killed at times in the
            middle of a round: then those records count as processed after which it was asked for another.
        """
        message = f"{type(self).__name__}.poll(consumer): not defined; return the records it processed"
        raise NotImplementedError(message)

    @rule(keys=st.lists(_keys, min_size=1, max_size=6))
    def put(self, keys: list[str]) -> None:
        """Put a record, or some together."""
        for key in keys:
            # Numbered, so that data alone tells which record it is.
            data = str(len(self.sent)).encode()
            stored = self.stream.put(data, key)
            place = {"SequenceNumber": stored.sequence_number, "ShardId": stored.shard_id}
            self.sent.append({"Data": data, "PartitionKey": key, **place})

    @precondition(lambda self: len(self._open()) < self.max_shards)
    @rule(index=_index)
    def split_shard(self, index: int) -> None:
        """Split an open shard in the middle."""
        shards = self._open()
        self.stream.split_shard(shards[index % len(shards)])

    @precondition(lambda self: len(self._open()) > 1)
    @rule(index=_index)
    def merge_shards(self, index: int) -> None:
        """Merge an open shard with its neighbour above."""
        shards = self._open()
        lower = index % (len(shards) - 1)
        self.stream.merge_shards(shards[lower], shards[lower + 1])

    @rule(seconds=st.sampled_from(_WAITS))
    def wait(self, seconds: int) -> None:
        """Let time pass; iterators expire after five minutes."""
        self.clock.advance(f"{seconds}s")

    @rule()
    def poll_once(self) -> None:
        """Let the consumer do a round."""
        with self._of_the_user():
            self._poll()

    @rule(processed=st.none() | st.integers(0, 4))
    def crash(self, processed: int | None) -> None:
        """Kill the consumer and start another: between two rounds, or at a record after some of a round."""
        with self._of_the_user():
            if processed is not None:
                self._poll_in_part(processed)
            self.consumer = self.start(self.client, self.stream.name)

    # One rule for all of them: a rule that is never enabled keeps hypothesis from finding the shortest way.
    @precondition(lambda self: self.faults is not None)
    @rule(by=disturbances())
    def disturb(self, by: Disturbance) -> None:
        """Let reads go wrong."""
        by.happen(self.faults)

    def teardown(self) -> None:
        """Stop the faults, poll until nothing new comes, and see that nothing is lost or out of order.

        Raises:
            AssertionError: Something is; the message names its key, shard and sequence number.
        """
        try:
            # After an error of the consumer, what it has not seen yet would hide the error.
            if not self._failed:
                self._poll_to_the_end()
                self._check()
        finally:
            self.engine.close()

    def _open(self) -> list[str]:
        """The open shards, in the order of the ring."""
        opened = [shard for shard in self.stream.shards() if shard.is_open]
        return [shard.shard_id for shard in sorted(opened, key=lambda shard: shard.starting_hash_key)]

    @contextlib.contextmanager
    def _of_the_user(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._failed = True
            raise

    def _round(self) -> Iterator[object]:
        records: Any = self.poll(self.consumer)
        if records is None:
            message = f"{type(self).__name__}.poll: returns the records that were processed, not None"
            raise SerializationException(message)
        if isinstance(records, Iterator):
            return records
        # Not a generator: all of it was processed when `poll` returned.
        self.received += records
        return iter(())

    def _poll(self) -> None:
        self.received += self._round()

    def _poll_in_part(self, processed: int) -> None:
        records = self._round()
        self.received += islice(records, processed)
        next(records, None)
        # Closed now, the generator would run its `finally`, which no process does that is killed.
        self._killed.append(records)

    def _poll_to_the_end(self) -> None:
        if self.faults is not None:
            self.faults.clear()
        seen: set[tuple[str | None, str | None, bytes]] = set()
        quiet, enough = 0, self.patience + 2 * len(self.stream.shards())
        while quiet < enough:
            known, before = len(seen), len(self.received)
            self._poll()
            new = read(self.received[before:], "received")
            seen.update((item.sequence_number, item.partition_key, item.data) for item in new)
            quiet = 0 if len(seen) > known else quiet + 1
            self.clock.advance("1m")

    def _check(self) -> None:
        received = self._placed()
        assert_no_loss(self.sent, received)
        assert_per_key_order(received, self.sent)

    def _placed(self) -> list[object]:
        """What was received; what it does not say of itself is added, its shard at least."""
        sent = {record["Data"]: record for record in self.sent}
        items = zip(read(self.received, "received"), self.received, strict=True)
        return [{**sent[item.data], **_said(item)} if item.data in sent else record for item, record in items]


def _said(item: Item) -> dict[str, str]:
    said = {"PartitionKey": item.partition_key, "SequenceNumber": item.sequence_number}
    return {name: value for name, value in said.items() if value is not None}
