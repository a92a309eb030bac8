"""A consumer on aiobotocore: a task for each shard, so many pages at a time, and an end without loss."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from aiobotocore.client import AioBaseClient

Record: TypeAlias = dict[str, Any]
"""A record as `get_records` returns it: Data, PartitionKey, SequenceNumber."""

SHARD_END = "SHARD_END"
logger = logging.getLogger(__name__)


class AsyncConsumer:
    """Hands each record of a stream to a coroutine, at least once, those of a key in their order.

    Shards do not wait for each other, unless one is the parent of the other: where reading or processing fails, it is
    logged, and that shard alone begins again at its checkpoint after a pause.

    Args:
        client: As `aiobotocore.session.get_session().create_client("kinesis")` makes it.
        stream_name: The stream.
        process: What is done with a record. Where it raises, the record comes again.
        checkpoints: Keeps how far each shard was read: a dictionary, or what stays longer and looks like one.
        pages: How many pages are read and processed at a time, at most.
        pause: Seconds until a shard is asked again that had nothing, or failed.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        client: AioBaseClient,
        stream_name: str,
        process: Callable[[Record], Awaitable[None]],
        checkpoints: MutableMapping[str, str],
        *,
        pages: int = 8,
        pause: float = 1.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._stream_name = stream_name
        self._process = process
        self._checkpoints = checkpoints
        self._slots = asyncio.Semaphore(pages)
        self._pause = pause
        self._sleep = sleep
        self._iterators: dict[str, str] = {}
        self._is_stopping = False
        self._changed = asyncio.Event()

    def stop(self) -> None:
        """Let `run` return, once the pages at hand are processed."""
        self._is_stopping = True
        self._changed.set()

    async def run(self) -> None:
        """Read all shards, and those that come of them, until told to stop."""
        following: set[str] = set()
        async with asyncio.TaskGroup() as tasks:
            while not self._is_stopping:
                self._changed.clear()
                for shard_id in await self._ready():
                    if shard_id not in following:
                        following.add(shard_id)
                        tasks.create_task(self._follow(shard_id))
                # A shard ends when it is split or merged: there are new ones.
                await self._changed.wait()

    async def _ready(self) -> list[str]:
        """The shards that are not at their end, and whose parents are, or are kept no more."""
        while not self._is_stopping:
            try:
                shards = await self._list()
            except Exception:
                logger.exception("stream %s: listing its shards again", self._stream_name)
                await self._sleep(self._pause)
                continue
            waiting = {id_: shard for id_, shard in shards.items() if self._checkpoints.get(id_) != SHARD_END}
            parents = ("ParentShardId", "AdjacentParentShardId")
            return [id_ for id_, shard in waiting.items() if all(shard.get(name) not in waiting for name in parents)]
        return []

    async def _list(self) -> dict[str, dict[str, Any]]:
        pages = self._client.get_paginator("list_shards").paginate(StreamName=self._stream_name)
        return {shard["ShardId"]: shard async for page in pages for shard in page["Shards"]}

    async def _follow(self, shard_id: str) -> None:
        """Read a shard until its end, or until told to stop."""
        while not self._is_stopping and self._checkpoints.get(shard_id) != SHARD_END:
            async with self._slots:
                count = await self._turn(shard_id)
            if not count:
                await self._sleep(self._pause)
        self._changed.set()

    async def _turn(self, shard_id: str) -> int:
        """Process a page of a shard; returns how many records it had, none where something went wrong."""
        try:
            return await self._read(shard_id)
        except Exception:
            logger.exception("shard %s: beginning again at its checkpoint", shard_id)
            return 0

    async def _read(self, shard_id: str) -> int:
        # Taken out: whatever goes wrong from here on, the next turn begins at the checkpoint.
        iterator = self._iterators.pop(shard_id, None) or await self._iterator(shard_id)
        page = await self._client.get_records(ShardIterator=iterator)
        for record in page["Records"]:
            await self._process(record)
            self._checkpoints[shard_id] = record["SequenceNumber"]
        if page.get("NextShardIterator") is None:
            self._checkpoints[shard_id] = SHARD_END
        else:
            self._iterators[shard_id] = page["NextShardIterator"]
        return len(page["Records"])

    async def _iterator(self, shard_id: str) -> str:
        position = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard_id in self._checkpoints:
            after = self._checkpoints[shard_id]
            position = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
        answer = await self._client.get_shard_iterator(StreamName=self._stream_name, ShardId=shard_id, **position)
        iterator: str = answer["ShardIterator"]
        return iterator
