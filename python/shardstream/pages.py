"""Answers that come in pages: asked for one by one, bounded, and gone on with, as AWS's client does it."""

from __future__ import annotations

import base64
import copy
import json

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

__all__ = ["PAGES", "PageIterator", "Pages", "Paginator"]

_CUT = "boto_truncate_amount"
# What a token of shards stands for: the service refuses any of it beside one.
_OF_SHARDS = ("StreamName", "StreamARN", "ExclusiveStartShardId", "StreamCreationTimestamp", "ShardFilter")


class Pages:
    """How the pages of an operation follow each other: paths into its answers, and what it is asked with."""

    def __init__(
        self,
        lists: list[str],
        bound: str,
        *,
        asked_with: str,
        token: str,
        more: str | None = None,
        rest: str | None = None,
        stands_for: tuple[str, ...] = (),
    ) -> None:
        """Take the lists that go on from page to page, the first of which is counted.

        Args:
            lists: Paths of the lists.
            bound: The parameter that bounds a page.
            asked_with: The parameter that the next page is asked for with.
            token: The path of its value.
            more: The path of what says whether there are more, where that is said.
            rest: The path of what stands around the lists and is in the whole answer, too.
            stands_for: The parameters that are left out once a page is asked for by its token.
        """
        self.lists = lists
        self.bound = bound
        self.asked_with = asked_with
        self.token = token
        self.more = more
        self.rest = rest
        self.stands_for = stands_for

    def next_token(self, page: dict[str, Any]) -> str | None:
        """What the next page is asked for with; nothing at the last."""
        if self.more is not None and not _found(page, self.more):
            return None
        token: str | None = _found(page, self.token)
        return token


PAGES = {
    "describe_stream": Pages(
        ["StreamDescription.Shards"],
        "Limit",
        asked_with="ExclusiveStartShardId",
        token="StreamDescription.Shards[-1].ShardId",  # noqa: S106 - a path
        more="StreamDescription.HasMoreShards",
        rest="StreamDescription",
    ),
    "list_shards": Pages(
        ["Shards"],
        "MaxResults",
        asked_with="NextToken",
        token="NextToken",  # noqa: S106 - a path
        stands_for=_OF_SHARDS,
    ),
    "list_stream_consumers": Pages(
        ["Consumers"],
        "MaxResults",
        asked_with="NextToken",
        token="NextToken",  # noqa: S106 - a path
        stands_for=("StreamCreationTimestamp",),
    ),
    "list_streams": Pages(
        ["StreamNames", "StreamSummaries"],
        "Limit",
        asked_with="NextToken",
        token="NextToken",  # noqa: S106 - a path
        more="HasMoreStreams",
    ),
}


class Paginator:
    """Asks for all pages of an operation."""

    def __init__(self, method: Callable[..., dict[str, Any]], pages: Pages) -> None:
        """Take a method and how its pages follow each other."""
        self._method = method
        self._pages = pages

    def paginate(self, **parameters: object) -> PageIterator:
        """The pages, one by one; `PaginationConfig` bounds them: `MaxItems`, `PageSize`, and a `StartingToken`."""
        return PageIterator(self._method, self._pages, parameters)

    def __repr__(self) -> str:
        """Say whose pages it asks for."""
        return f"Paginator({self._method.__name__!r})"


class PageIterator:
    """Pages, one by one.

    Attributes:
        resume_token: What a later `StartingToken` goes on with, where `MaxItems` ended the pages early.
    """

    def __init__(self, method: Callable[..., dict[str, Any]], pages: Pages, parameters: dict[str, Any]) -> None:
        """Take what the first page is asked for with."""
        self._method = method
        self._pages = pages
        self._config = parameters.pop("PaginationConfig", {})
        self._parameters = parameters
        self.resume_token: str | None = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Ask for page after page."""
        pages, parameters = self._pages, dict(self._parameters)
        start = _decoded(self._config.get("StartingToken"))
        skipped, token = start.pop(_CUT, 0), start.get(pages.asked_with)
        if (size := self._config.get("PageSize")) is not None:
            parameters[pages.bound] = int(size)
        most = self._config.get("MaxItems")
        left = None if most is None else int(most)
        while True:
            if token is not None:
                kept = {name: value for name, value in parameters.items() if name not in pages.stands_for}
                parameters = {**kept, pages.asked_with: token}
            page = self._method(**parameters)
            for path in pages.lists:
                del (_found(page, path) or [])[:skipped]
            count = len(_found(page, pages.lists[0]) or [])
            after = pages.next_token(page)
            if left is not None and left < count:
                for path in pages.lists:
                    del (_found(page, path) or [])[left:]
                self.resume_token = _encoded({pages.asked_with: token, _CUT: left + skipped})
                yield page
                return
            yield page
            if after is None:
                return
            left = None if left is None else left - count
            if left == 0:
                self.resume_token = _encoded({pages.asked_with: after})
                return
            token, skipped = after, 0

    def build_full_result(self) -> dict[str, Any]:
        """All pages as one answer, with the `NextToken` to go on with where `MaxItems` ended it early."""
        whole: dict[str, Any] = {}
        for page in self:
            if not whole and self._pages.rest is not None:
                rest = copy.copy(_found(page, self._pages.rest)) or {}
                for path in [*self._pages.lists, self._pages.more or ""]:
                    rest.pop(path.rpartition(".")[2], None)
                whole[self._pages.rest] = rest
            for path in self._pages.lists:
                *outer, last = path.split(".")
                inner = whole
                for name in outer:
                    inner = inner.setdefault(name, {})
                inner.setdefault(last, []).extend(_found(page, path) or [])
        if self.resume_token is not None:
            whole["NextToken"] = self.resume_token
        return whole

    def __repr__(self) -> str:
        """Say whose pages they are."""
        return f"PageIterator({self._method.__name__!r})"


def _encoded(token: dict[str, object]) -> str:
    return base64.b64encode(json.dumps(token).encode()).decode()


def _decoded(token: str | None) -> dict[str, Any]:
    if token is None:
        return {}
    try:
        decoded = json.loads(base64.b64decode(token, validate=True))
    except ValueError as error:
        message = f"Bad starting token: {token}"
        raise ValueError(message) from error
    return dict(decoded)


def _found(page: dict[str, Any], path: str) -> Any:  # noqa: ANN401 - whatever stands there
    """What stands at a path such as `StreamDescription.Shards[-1].ShardId`; nothing where there is nothing."""
    found: Any = page
    for name in path.split("."):
        is_last = name.endswith("[-1]")
        found = found.get(name.removesuffix("[-1]")) if found is not None else None
        if is_last and found is not None:
            found = found[-1] if found else None
    return found
