"""Records, tables and results of queries as a notebook shows them: their shape, and their first rows."""

from __future__ import annotations

import datetime
import re

from shardstream.display import page, words
from shardstream.display.shards import short

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from shardstream._core import Record, Records, Table
    from shardstream.query import WindowResult

__all__ = ["records", "table", "window_result"]

_ROWS_MAX = 10
_COLUMNS_MAX = 16
# With more columns than this, their cells are cut shorter.
_WIDE = 8
_CELL_CHARACTERS, _NARROW_CELL_CHARACTERS = 60, 28
_NAME_CHARACTERS, _TYPE_CHARACTERS = 40, 28
# As long as a shard's id.
_NUMBER_CHARACTERS = 20
_TYPES = {
    "BinaryView": "binary",
    "FixedSizeList": "list",
    "LargeBinary": "binary",
    "LargeList": "list",
    "LargeUtf8": "string",
    "List": "list",
    "ListView": "list",
    "Map": "map",
    "Struct": "struct",
    "Utf8": "string",
    "Utf8View": "string",
}
_NUMBER = re.compile(r"U?Int|Float|Decimal|Duration")
_INTEGRAL_MAX, _FRACTION_MIN = 1e15, 1e-4
_DIGITS = 6
# Of so many records the shards are counted; the first ones.
_COUNTED_MAX = 1_000_000
_SHARDS_MAX = 6


@page.one_line_if_it_fails("Table")
def table(table: Table) -> str:
    """A table as HTML."""
    return page.frame(page.heading("Table", "", _shape(table)), _first_rows(table))


@page.one_line_if_it_fails("WindowResult")
def window_result(result: WindowResult) -> str:
    """The result of a query as HTML."""
    stats = result.stats
    late = ""
    if stats.late_rows:
        latest = "" if stats.max_lateness is None else f", the latest by {words.duration(stats.max_lateness)}"
        late = f"{words.plural(stats.late_rows, 'row')} late of {stats.rows:,}{latest}"
    heading = page.heading(
        "WindowResult",
        "",
        _shape(result),
        late,
        f"{words.plural(stats.partly_late_rows, 'row')} late for some windows" if stats.partly_late_rows else "",
        f"{words.plural(stats.malformed_records, 'record')} malformed" if stats.malformed_records else "",
        f"{words.plural(stats.null_time_rows, 'row')} without a time" if stats.null_time_rows else "",
        f"{words.plural(stats.open_windows, 'window')} still open" if stats.open_windows else "",
    )
    return page.frame(heading, _first_rows(result))


def _shape(table: Table) -> str:
    rows, columns = table.shape
    return f"{words.plural(rows, 'row')} \u00d7 {words.plural(columns, 'column')}"


def _first_rows(table: Table) -> page.Html:
    rows, _ = table.shape
    names = table.column_names
    if not names:
        return page.Html("")
    types = table.schema
    shown = names[:_COLUMNS_MAX]
    first = table.slice(0, _ROWS_MAX)
    length = _CELL_CHARACTERS if len(shown) <= _WIDE else _NARROW_CELL_CHARACTERS
    columns = [
        page.Column(
            words.cut(name, _NAME_CHARACTERS),
            under=words.cut(type_name(types[name]), _TYPE_CHARACTERS),
            is_number=_NUMBER.match(types[name]) is not None,
        )
        for name in shown
    ]
    cells = [_cells(first, name, types[name], length) for name in shown]
    rest = [
        f"{rows - _ROWS_MAX:,} more" if rows > _ROWS_MAX else "",
        f"{words.plural(len(names) - len(shown), 'column')} more: {words.cut(words.listed(names[len(shown) :]), 160)}"
        if len(shown) < len(names)
        else "",
    ]
    more = "; ".join(part for part in rest if part)
    return page.table(columns, list(zip(*cells, strict=True)), more=f"\u2026 {more}" if more else "")


def type_name(arrow: str) -> str:
    """An Arrow type as Python's libraries spell it.

    Examples:
        >>> type_name("Utf8View"), type_name('Timestamp(ms, "UTC")'), type_name("Int64")
        ('string', 'timestamp[ms, UTC]', 'int64')
        >>> type_name("List(Struct(...))"), type_name("Dictionary(Int32, Utf8)")
        ('list', 'string')
    """
    if (found := re.fullmatch(r'Timestamp\((\w+)(?:, "(.+)")?\)', arrow)) is not None:
        unit, zone = found.groups()
        return f"timestamp[{unit}, {zone}]" if zone else f"timestamp[{unit}]"
    if (found := re.fullmatch(r"Duration\((\w+)\)", arrow)) is not None:
        return f"duration[{found[1]}]"
    if (found := re.fullmatch(r"Dictionary\(\w+, (\w+)\)", arrow)) is not None:
        return type_name(found[1])
    return _TYPES.get(arrow.partition("(")[0], arrow.lower())


def _cells(table: Table, name: str, arrow: str, length: int) -> list[page.Html]:
    try:
        values = table.column(name)
    except Exception as error:  # noqa: BLE001 - the other columns are shown
        return [page.faint(type(error).__name__)] * len(table)
    # Values of other zones are shown in UTC, which the type does not say.
    suffix = "Z" if arrow.startswith("Timestamp") and '"' in arrow and '"UTC"' not in arrow else ""
    spec = _timespec([value for value in values if isinstance(value, datetime.datetime)])
    decimals = _decimals([value for value in values if isinstance(value, float)])
    return [_cell(value, length, spec=spec, suffix=suffix, decimals=decimals) for value in values]


def _cell(value: object, length: int, *, spec: str, suffix: str, decimals: int) -> page.Html:
    if value is None:
        return page.faint("null")
    if isinstance(value, datetime.datetime):
        return page.text(value.replace(tzinfo=None).isoformat(" ", spec) + suffix)
    if isinstance(value, float):
        return page.text(_float(value, decimals))
    if isinstance(value, bytes):
        return page.code(_data(value, length))
    said = _said(value)
    if said.isdecimal() and len(said) > _NUMBER_CHARACTERS:
        # Long numbers, as those of a sequence, differ at their end.
        said = f"{said[:6]}\u2026{said[7 - _NUMBER_CHARACTERS :]}"
    return page.text(words.cut(said, length))


def _said(value: object) -> str:
    """A value in words, those inside of it too."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_said(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_said, value))}]"
    if isinstance(value, datetime.timedelta):
        return words.duration(value)
    return "null" if value is None else str(value)


def _timespec(times: Sequence[datetime.datetime]) -> str:
    """The unit that the times of a column need."""
    if any(time.microsecond % 1_000 for time in times):
        return "microseconds"
    if any(time.microsecond for time in times):
        return "milliseconds"
    return "seconds" if any(time.second for time in times) else "minutes"


def _decimals(values: Sequence[float]) -> int:
    """How many decimals the floats of a column need for some six digits each, or fewer if that is all they have."""
    plain = [value for value in values if _is_plain(value)]
    if not plain:
        return 1
    most = max(_DIGITS - len(str(int(max(map(abs, plain))))), 2)
    return max(1, *(len(f"{value:.{most}f}".rstrip("0").partition(".")[2]) for value in plain))


def _is_plain(value: float) -> bool:
    """Whether a float is said without an exponent."""
    return value == 0 or _FRACTION_MIN <= abs(value) < _INTEGRAL_MAX


def _float(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if _is_plain(value) else f"{value:.{_DIGITS}g}"


@page.one_line_if_it_fails("Records")
def records(records: Records) -> str:
    """Records as HTML."""
    count = len(records)
    if not count:
        return page.frame(page.heading("Records", "", "none"))
    heading = page.heading(
        "Records",
        "",
        words.plural(count, "record"),
        f"arrived {words.span(records[0].arrival_time, records[count - 1].arrival_time)}",
        _shards(records),
    )
    first = [records[place] for place in range(min(count, _ROWS_MAX))]
    spec = _timespec([record.arrival_time for record in first])
    columns = [
        page.Column("partition_key"),
        page.Column("shard"),
        page.Column("arrival_time", under="UTC"),
        page.Column("data"),
        page.Column("bytes", is_number=True),
    ]
    more = f"\u2026 {count - len(first):,} more" if count > len(first) else ""
    return page.frame(heading, page.table(columns, [_record(record, spec) for record in first], more=more))


def _shards(records: Records) -> str:
    """The shards that records are of, and how many of each."""
    import numpy

    counted: Any = records[:_COUNTED_MAX]
    counts = numpy.bincount(counted.to_numpy("shard_index")).tolist()
    pairs = sorted(
        ((count, index) for index, count in enumerate(counts) if count), key=lambda pair: (-pair[0], pair[1])
    )
    told = words.listed([f"{index} ({count:,})" for count, index in pairs], _SHARDS_MAX)
    if len(records) > _COUNTED_MAX:
        return f"shards of the first {_COUNTED_MAX:,}: {told}"
    return f"of shard {pairs[0][1]}" if len(pairs) == 1 else f"of {words.plural(len(pairs), 'shard')}: {told}"


def _record(record: Record, spec: str) -> list[object]:
    try:
        data = record.data
    except Exception as error:  # noqa: BLE001 - the other cells are shown
        shown: list[object] = [page.faint(words.cut(f"{type(error).__name__}: {error}", _CELL_CHARACTERS)), ""]
    else:
        shown = [page.code(_data(data, _CELL_CHARACTERS)), f"{len(data):,}"]
    return [
        page.code(words.cut(record.partition_key, 40)),
        page.Html(f'<span title="{record.shard_id}">{short(record.shard_id)}</span>'),
        record.arrival_time.replace(tzinfo=None).isoformat(" ", spec),
        *shown,
    ]


def _data(data: bytes, length: int) -> str:
    """Bytes as text, where they are text, else as Python writes them."""
    # A character has four bytes at most; the last one may be cut in two.
    head = data[: 4 * (length + 1)]
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        is_cut = len(head) < len(data) and len(head) - error.start < 4  # noqa: PLR2004 - bytes of a character
        text = head[: error.start].decode() if is_cut else "\x00"
    is_text = all(each.isprintable() or each in "\t\n\r" for each in text)
    return words.cut(text if is_text else repr(head), length)
