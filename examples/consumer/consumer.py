"""A consumer that polls the shards of a stream, and begins again where it was."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from threading import Event

    from botocore.client import BaseClient

T = TypeVar("T")
Record: TypeAlias = dict[str, Any]
"""A record as `get_records` returns it: Data, PartitionKey, SequenceNumber."""

SHARD_END = "SHARD_END"
PASSING = {
    "ExpiredIteratorException",
    "InternalFailure",
    "InternalFailureException",
    "KMSThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "ServiceUnavailable",
    "ThrottlingException",
}
logger = logging.getLogger(__name__)


class Consumer:
    """Hands each record of a stream to a function, at least once, those of a key in their order.

    It survives reshards (parents are read to their end before their children), iterators that expire, pages without
    records, throttles, failures, and its own end: another one with the same checkpoints goes on.

    Args:
        client: As `boto3.client("kinesis")` makes it.
        stream_name: The stream.
        process: What is done with a record. Where it raises, so does `poll`, and the record comes again.
        checkpoints: Keeps how far each shard was read: a dictionary, or what stays longer and looks like one.
    """

    def __init__(
        self,
        client: BaseClient,
        stream_name: str,
        process: Callable[[Record], None],
        checkpoints: MutableMapping[str, str],
    ) -> None:
        self._client = client
        self._stream_name = stream_name
        self._process = process
        self._checkpoints = checkpoints
        self._shards: dict[str, dict[str, Any]] = {}
        self._iterators: dict[str, str] = {}

    def run(self, stop: Event, pause: float = 1.0) -> None:
        """Poll until told to stop, and wait so many seconds where no record came."""
        while not stop.is_set():
            if not self.poll():
                stop.wait(pause)

    def poll(self) -> int:
        """Read a page of each shard whose turn it is; returns how many records were processed."""
        return sum(self._read(shard_id) for shard_id in self._ready())

    def _ready(self) -> list[str]:
        """The shards that are not at their end, and whose parents are, or are kept no more."""
        self._shards = self._shards or self._ask(self._list) or {}
        ended = {shard_id for shard_id in self._shards if self._checkpoints.get(shard_id) == SHARD_END}
        waiting = {shard_id: shard for shard_id, shard in self._shards.items() if shard_id not in ended}
        parents = ("ParentShardId", "AdjacentParentShardId")
        return [id_ for id_, shard in waiting.items() if all(shard.get(name) not in waiting for name in parents)]

    def _list(self) -> dict[str, dict[str, Any]]:
        pages = self._client.get_paginator("list_shards").paginate(StreamName=self._stream_name)
        return {shard["ShardId"]: shard for page in pages for shard in page["Shards"]}

    def _read(self, shard_id: str) -> int:
        page = self._ask(lambda: self._page(shard_id))
        if page is None:
            return 0
        for record in page["Records"]:
            self._handle(shard_id, record)
        self._go_on(shard_id, page.get("NextShardIterator"))
        return len(page["Records"])

    def _page(self, shard_id: str) -> dict[str, Any]:
        # Taken out: whatever goes wrong from here on, the next poll begins at the checkpoint.
        iterator = self._iterators.pop(shard_id, None) or self._iterator(shard_id)
        page: dict[str, Any] = self._client.get_records(ShardIterator=iterator)
        return page

    def _iterator(self, shard_id: str) -> str:
        position = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard_id in self._checkpoints:
            after = self._checkpoints[shard_id]
            position = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
        answer = self._client.get_shard_iterator(StreamName=self._stream_name, ShardId=shard_id, **position)
        iterator: str = answer["ShardIterator"]
        return iterator

    def _handle(self, shard_id: str, record: Record) -> None:
        self._process(record)
        self._checkpoints[shard_id] = record["SequenceNumber"]

    def _go_on(self, shard_id: str, iterator: str | None) -> None:
        if iterator is not None:
            self._iterators[shard_id] = iterator
            return
        self._checkpoints[shard_id] = SHARD_END
        # A shard ends when it is split or merged: there are new ones.
        self._shards = {}

    def _ask(self, question: Callable[[], T]) -> T | None:
        """What Kinesis answers; None where it does not now, but may at the next poll."""
        try:
            return question()
        except ClientError as error:
            if error.response["Error"]["Code"] not in PASSING:
                raise
            logger.warning("trying again: %s", error)
        except (EndpointConnectionError, HTTPClientError) as error:
            logger.warning("trying again: %s", error)
        return None
