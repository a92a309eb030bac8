"""The consumer with a bug: it notes a record as processed before it is."""

from __future__ import annotations

import consumer
from consumer import SHARD_END, Record

__all__ = ["SHARD_END", "Consumer"]


class Consumer(consumer.Consumer):
    """Sets the checkpoint too early."""

    def _handle(self, shard_id: str, record: Record) -> None:
        # The bug: what goes wrong after this line never comes again.
        self._checkpoints[shard_id] = record["SequenceNumber"]
        self._process(record)
