"""The HTML that all are made of: escaped text, facts in a line, tables, colours, and a frame that never raises."""

from __future__ import annotations

import functools
import html

from shardstream.display import words

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "AMBER",
    "BLUE",
    "CELL_WIDTH",
    "GREEN",
    "RED",
    "Column",
    "Html",
    "bold",
    "code",
    "facts",
    "faint",
    "frame",
    "heading",
    "key",
    "number",
    "one_line_if_it_fails",
    "paragraph",
    "share",
    "small_svg",
    "svg",
    "table",
    "text",
    "whole",
]

# Okabe and Ito's hues, moved until each has a contrast of 3:1 and more on white and on #111111.
BLUE = "#2b7bba"
RED = "#d9541e"
AMBER = "#b07d00"
GREEN = "#0f9670"

# Pictures in cells of tables are this wide.
CELL_WIDTH = 60

_LINE = "1px solid rgba(127,127,127,0.5)"
_ERROR_CHARACTERS, _NAME_CHARACTERS = 240, 128
_BAR_HEIGHT = 9


class Html(str):
    """Text that is HTML already; all other text is escaped where it is put in."""

    __slots__ = ()


class Column:
    """A column of a table: its head, what stands under the head, and whether it holds numbers."""

    __slots__ = ("head", "is_number", "under")

    def __init__(self, head: str, *, under: str = "", is_number: bool = False) -> None:
        """Take what the head says."""
        self.head = head
        self.under = under
        self.is_number = is_number


def text(content: object) -> Html:
    """Content as HTML: escaped, unless it is HTML already.

    Examples:
        >>> text("<b>")
        '&lt;b&gt;'
    """
    if isinstance(content, Html):
        return content
    escaped = html.escape(words.plain(str(content)), quote=True)
    # What notebooks would take for TeX is not looked at inside of code.
    if "$" in escaped or "\\" in escaped:
        return Html(f'<code style="font:inherit;color:inherit;background:none;padding:0">{escaped}</code>')
    return Html(escaped)


def bold(content: object) -> Html:
    """Content in bold."""
    return Html(f"<b>{text(content)}</b>")


def code(content: object) -> Html:
    """A name, key or data as the machine has it."""
    escaped = html.escape(words.plain(str(content)), quote=True)
    return Html(f'<code style="color:inherit;background:none;padding:0;white-space:pre">{escaped}</code>')


def faint(content: object) -> Html:
    """Content that is read second."""
    return Html(f'<span style="opacity:0.7">{text(content)}</span>')


def whole(content: object) -> Html:
    """Content that is not broken into lines."""
    return Html(f'<span style="white-space:nowrap">{text(content)}</span>')


def key(colour: str, content: object) -> Html:
    """What a colour stands for, beside a square of it."""
    return whole(Html(f'<span style="color:{colour}">&#9632;</span> {text(content)}'))


def facts(*parts: object) -> Html:
    """Short facts in a line, those that are there."""
    return Html(" &#183; ".join(text(part) for part in parts if part))


def heading(kind: str, name: object = "", *parts: object) -> Html:
    """The first line: what it is, its name, and its facts."""
    title = bold(f"{kind} {name}") if name else bold(kind)
    return Html(f"<div>{facts(title, *parts)}</div>")


def paragraph(*contents: object) -> Html:
    """A line of its own."""
    return Html(f'<div style="margin:2px 0">{"".join(map(text, contents))}</div>')


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]], *, more: str = "") -> Html:
    """A table with a head for each column, and a last line that says how many rows there are more."""
    heads = "".join(_head(column) for column in columns)
    lines = [
        "<tr>" + "".join(_cell(column, content) for column, content in zip(columns, row, strict=True)) + "</tr>"
        for row in rows
    ]
    if more:
        style = "text-align:left;padding:1px 6px;white-space:normal"
        lines.append(f'<tr><td colspan="{len(columns)}" style="{style}">{faint(more)}</td></tr>')
    return Html(
        '<table style="border-collapse:collapse;margin:4px 0;font-variant-numeric:tabular-nums">'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def _head(column: Column) -> str:
    under = ""
    if column.under:
        under = f'<br/><span style="opacity:0.7;font-weight:normal">{text(column.under)}</span>'
    style = f"{_style(column)};vertical-align:bottom;border-bottom:{_LINE}"
    return f'<th scope="col"{_align(column)} style="{style}">{text(column.head)}{under}</th>'


def _cell(column: Column, content: object) -> str:
    return f'<td{_align(column)} style="{_style(column)}">{text(content)}</td>'


def _align(column: Column) -> str:
    # For viewers that take styles away.
    return ' align="right"' if column.is_number else ' align="left"'


def _style(column: Column) -> str:
    # For notebooks, whose style sheets align all cells to the right, and break their lines.
    return f"text-align:{'right' if column.is_number else 'left'};padding:1px 6px;white-space:nowrap"


def share(part: float, whole: float, colour: str = BLUE) -> Html:
    """A part in percent, and as a small bar."""
    width = CELL_WIDTH * min(max(part / whole, 0.0), 1.0) if whole else 0.0
    body = (
        f'<rect width="{CELL_WIDTH}" height="{_BAR_HEIGHT}" fill="currentColor" opacity="0.12"/>'
        f'<rect width="{number(width)}" height="{_BAR_HEIGHT}" fill="{colour}"/>'
    )
    said = words.share(part, whole)
    return Html(f"{text(said)} {small_svg(_BAR_HEIGHT, said, body)}")


def svg(width: int, height: int, title: str, body: str) -> Html:
    """A picture as wide as the page at most, with the sentence that stands for it where it is not seen."""
    said = html.escape(words.plain(title))
    return _svg(width, height, "max-width:100%", ' role="img"', f"<title>{said}</title>{body}")


def small_svg(height: int, title: str, body: str) -> Html:
    """A picture in a cell of a table, which keeps its size.

    Viewers that take pictures out may leave what is written in them; this one has nothing written in it.
    """
    label = f' role="img" aria-label="{html.escape(words.plain(title))}"'
    return _svg(CELL_WIDTH, height, f"min-width:{CELL_WIDTH}px", label, body)


def _svg(width: int, height: int, bound: str, label: str, body: str) -> Html:
    return Html(
        f'<svg{label} width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'style="{bound};vertical-align:middle" font-family="sans-serif" font-size="10">{body}</svg>'
    )


def number(coordinate: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{coordinate:.1f}".removesuffix(".0")


def frame(*contents: Html) -> str:
    """All of it: what is wider than the page can be scrolled."""
    return f'<div style="line-height:1.45;font-size:13px;overflow-x:auto">{"".join(contents)}</div>'


def one_line_if_it_fails(kind: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Let a function say in one line what kept it from drawing: a repr that raises breaks the cell."""

    def wrapped(draw: Callable[..., str]) -> Callable[..., str]:
        @functools.wraps(draw)
        def drawn(shown: object) -> str:
            try:
                return draw(shown)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is said
                said = words.cut(f"{type(error).__name__}: {error}", _ERROR_CHARACTERS)
                return frame(heading(kind, _name_of(shown), f"cannot be shown: {said}"))

        return drawn

    return wrapped


def _name_of(shown: object) -> str:
    try:
        name = getattr(shown, "name", "")
    except Exception:  # noqa: BLE001 - what it is called matters less than what is wrong
        return ""
    return words.cut(name, _NAME_CHARACTERS) if isinstance(name, str) else ""
