"""The asynchronous consumer with a bug: a shard that fails keeps the others waiting."""

from __future__ import annotations

import logging

import async_consumer

__all__ = ["AsyncConsumer"]

logger = logging.getLogger(__name__)


class AsyncConsumer(async_consumer.AsyncConsumer):
    """Tries a page that failed again while it is still its turn."""

    async def _read(self, shard_id: str) -> int:
        # The bug: the slot is not given back between two tries, and while it is taken no other shard is read.
        while not self._is_stopping:
            try:
                return await super()._read(shard_id)
            except Exception:
                logger.exception("shard %s: trying its page again", shard_id)
                await self._sleep(self._pause)
        return 0
