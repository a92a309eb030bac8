"""The producer with a bug: where Kinesis refuses some records of a batch, all of it is sent again."""

from __future__ import annotations

from typing import Any

import producer
from producer import NotSentError, Record, batches

__all__ = ["NotSentError", "Producer", "batches"]


class Producer(producer.Producer):
    """Takes a batch for refused as a whole."""

    def _refused(self, batch: list[Record], results: list[dict[str, Any]]) -> tuple[list[Record], str]:
        refused, reason = super()._refused(batch, results)
        # The bug: the records that Kinesis took are put a second time.
        return (batch if refused else []), reason
