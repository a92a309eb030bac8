"""Datasets: files of rows, by their names."""

from __future__ import annotations

import os
from collections.abc import Sequence

from shardstream import text
from shardstream.errors import InvalidArgumentException

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from typing import Literal

    Format = Literal["parquet", "csv", "ndjson", "arrow"]
    OnBadLine = Literal["raise", "skip"]

__all__ = ["Files", "file_names"]

_FORMATS = ("parquet", "csv", "ndjson", "arrow")


class Files:
    """Files of a dataset, and how to read them."""

    __slots__ = ("format", "names", "skip_bad_lines")

    def __init__(self, names: list[str], format: str | None, on_bad_line: str) -> None:  # noqa: A002 - as readers of files call it
        """Check how they are to be read."""
        self.names = names
        self.format = _choice("format", format, (None, *_FORMATS))
        self.skip_bad_lines = _choice("on_bad_line", on_bad_line, ("raise", "skip")) == "skip"

    def __repr__(self) -> str:
        """Name them, the first of many."""
        if len(self.names) == 1:
            return repr(self.names[0])
        shown = 3
        more = f", ... {len(self.names) - shown:,} more" if shown < len(self.names) else ""
        return f"[{', '.join(map(repr, self.names[:shown]))}{more}]"


def file_names(source: object, name: str) -> list[str] | None:
    """The file names and globs that a source stands for, if it does.

    Args:
        source: A path, a glob, a list of them, or something else.
        name: What it is, for the error.
    """
    if isinstance(source, str | os.PathLike):
        return [text.checked(os.fsdecode(source), name)]
    if isinstance(source, Sequence) and source and all(isinstance(each, str | os.PathLike) for each in source):
        return [text.checked(os.fsdecode(each), name) for each in source]
    return None


def _choice(name: str, value: str | None, known: tuple[str | None, ...]) -> str | None:
    if value not in known:
        message = f"{name}: one of {', '.join(map(repr, known))}, not {value!r}"
        raise InvalidArgumentException(message)
    return value
