"""A producer that puts records in batches, and tries again those that Kinesis refused."""

from __future__ import annotations

import random
import time
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from botocore.client import BaseClient

Record: TypeAlias = tuple[bytes, str]
"""A record's data and its partition key."""

BATCH_RECORDS = 500
BATCH_BYTES = 10 * 1024 * 1024
NO_ANSWER = "NoAnswer"
PASSING = {
    "InternalFailure",
    "InternalFailureException",
    "KMSThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "ServiceUnavailable",
    "ThrottlingException",
    NO_ANSWER,
}


class NotSentError(Exception):
    """Some records were not sent.

    Attributes:
        records: All that Kinesis did not take, in order: try these again, and no others.
        reason: The error code that the first of them were refused with.
    """

    def __init__(self, records: list[Record], reason: str) -> None:
        keys = sorted({key for _, key in records})
        super().__init__(f"{len(records)} records not sent: {reason}; keys {', '.join(keys[:10])}")
        self.records = records
        self.reason = reason


class Producer:
    """Puts records into a stream, each at least once.

    A record comes twice only where an answer of Kinesis was lost on its way. Records of a key are sent in their order
    and a batch is done with before the next begins; but within a batch Kinesis may take a record and refuse one of the
    same key before it, which then comes after it.

    Args:
        client: As `boto3.client("kinesis")` makes it.
        stream_name: The stream.
        tries: How often a batch is tried before the producer gives up.
        sleep: Waits for so many seconds.
        jitter: A share of the longest wait, from 0 to 1, so that producers that were refused together do not come back
            together.
    """

    def __init__(
        self,
        client: BaseClient,
        stream_name: str,
        *,
        tries: int = 8,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._stream_name = stream_name
        self._tries = tries
        self._sleep = sleep
        self._jitter = jitter

    def send(self, records: Iterable[Record]) -> None:
        """Put records, in order.

        Raises:
            NotSentError: Kinesis refused some for good, or as often as they were tried.
        """
        remaining = batches(records)
        for batch in remaining:
            left, reason = self._deliver(batch)
            if left:
                raise NotSentError([*left, *chain.from_iterable(remaining)], reason)

    def _deliver(self, batch: list[Record]) -> tuple[list[Record], str]:
        """Try until nothing is left, or trying again is of no use; what is left, and why."""
        left, reason = self._put(batch)
        for attempt in range(1, self._tries):
            if not left or reason not in PASSING:
                break
            self._sleep(self._jitter() * min(0.1 * 2**attempt, 5.0))
            left, reason = self._put(left)
        return left, reason

    def _put(self, batch: list[Record]) -> tuple[list[Record], str]:
        """Put a batch once; what is left of it, and why."""
        entries = [{"Data": data, "PartitionKey": key} for data, key in batch]
        try:
            answer = self._client.put_records(StreamName=self._stream_name, Records=entries)
        except ClientError as error:
            return batch, error.response["Error"]["Code"]
        except (EndpointConnectionError, HTTPClientError):
            return batch, NO_ANSWER
        return self._refused(batch, answer["Records"])

    def _refused(self, batch: list[Record], results: list[dict[str, Any]]) -> tuple[list[Record], str]:
        """The records that were refused, and why the first of them was; a call that succeeds may refuse all of them."""
        refused = [(record, result) for record, result in zip(batch, results, strict=True) if "ErrorCode" in result]
        reason = refused[0][1]["ErrorCode"] if refused else ""
        return [record for record, _ in refused], reason


def batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Cut records into batches that `PutRecords` takes; keys count as bytes, too."""
    batch: list[Record] = []
    total = 0
    for data, key in records:
        size = len(data) + len(key.encode())
        if batch and (len(batch) == BATCH_RECORDS or total + size > BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append((data, key))
        total += size
    if batch:
        yield batch
