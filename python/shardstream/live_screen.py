"""Where a live view is seen: a notebook's cell, a widget, or a line of a terminal."""

from __future__ import annotations

import contextlib
import sys
import uuid

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from typing import Any, Protocol

    from shardstream.live_picture import Picture

    class Screen(Protocol):
        """Where a picture is shown and drawn again."""

        def is_at(self, other: Screen) -> bool:
            """Whether the other one is the same place."""

        def open(self, picture: Picture) -> None:
            """Show it first."""

        def draw(self, picture: Picture) -> None:
            """Show what has changed."""

        def close(self, picture: Picture) -> None:
            """Show it last; that stays."""


__all__ = ["screen"]

_WIDGET_TYPE = "application/vnd.jupyter.widget-view+json"
_WIDGET_CODE = """
function render({ model, el }) {
  const draw = () => { el.innerHTML = model.get("html"); };
  model.on("change:html", draw);
  draw();
}
export default { render };
"""


def screen() -> Screen | None:
    """Where the user looks now; nowhere, in a program whose errors go to a file."""
    shell = _shell()
    if shell is not None and hasattr(shell, "kernel"):
        widget = _widget()
        return Cell(shell.execution_count) if widget is None else WidgetCell(shell.execution_count, widget)
    if sys.stderr is not None and sys.stderr.isatty():
        return Terminal()
    return None


def _shell() -> Any:  # noqa: ANN401 - IPython is not a dependency
    """IPython's shell, where this is one."""
    # What is not imported does not run this.
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _widget() -> Any:  # noqa: ANN401 - anywidget is not a dependency
    """A widget that shows HTML, if anywidget is installed."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        return None

    class LiveWidget(anywidget.AnyWidget):
        _esm = _WIDGET_CODE
        html = traitlets.Unicode("").tag(sync=True)

    return LiveWidget()


class Cell:
    """The output of a notebook's cell, replaced in place."""

    def __init__(self, execution_count: int) -> None:
        """Take which cell it is: by how many ran before."""
        self.cell = execution_count
        self._id = uuid.uuid4().hex
        self._drawn = ""

    def is_at(self, other: Screen) -> bool:
        """Whether it is the same cell."""
        return isinstance(other, Cell) and self.cell == other.cell

    def open(self, picture: Picture) -> None:
        """Put out what is replaced later."""
        self._publish(picture, update=False)

    def draw(self, picture: Picture) -> None:
        """Replace it, if there is news."""
        self._publish(picture, update=True)

    def close(self, picture: Picture) -> None:
        """Replace it for the last time."""
        self._publish(picture, update=True)

    def _publish(self, picture: Picture, *, update: bool) -> None:
        import IPython.display

        publish: Any = IPython.display.publish_display_data
        drawn = picture.html()
        if drawn == self._drawn:
            return
        self._drawn = drawn
        bundle = {"text/html": drawn, "text/plain": picture.line()}
        # A kernel that ends while a thread still draws is no error of the thread's.
        with contextlib.suppress(Exception):
            publish({**bundle, **self._more()}, transient={"display_id": self._id}, update=update)

    def _more(self) -> dict[str, Any]:
        """What the bundle has besides."""
        return {}


class WidgetCell(Cell):
    """A widget in a cell: it is changed while it runs, and plain HTML takes its place at the end."""

    def __init__(self, execution_count: int, widget: Any) -> None:  # noqa: ANN401 - anywidget is not a dependency
        """Take the widget."""
        super().__init__(execution_count)
        self._widget = widget
        self._is_open = True

    def open(self, picture: Picture) -> None:
        """Put out the widget, with HTML for whoever shows none."""
        self._widget.html = picture.html()
        super().open(picture)

    def draw(self, picture: Picture) -> None:
        """Change the widget."""
        with contextlib.suppress(Exception):
            self._widget.html = picture.html()

    def close(self, picture: Picture) -> None:
        """Put plain HTML in its place, which a saved notebook keeps."""
        self.draw(picture)
        self._is_open = False
        self._drawn = ""
        super().close(picture)
        with contextlib.suppress(Exception):
            self._widget.close()

    def _more(self) -> dict[str, Any]:
        if not self._is_open:
            return {}
        return {_WIDGET_TYPE: {"version_major": 2, "version_minor": 0, "model_id": self._widget.model_id}}


class Terminal:
    """The last line of a terminal, written again and again."""

    def __init__(self) -> None:
        """Start where the cursor is."""
        self._drawn = ""

    def is_at(self, other: Screen) -> bool:
        """There is one terminal."""
        return isinstance(other, Terminal)

    def open(self, picture: Picture) -> None:
        """Write the line."""
        self.draw(picture)

    def draw(self, picture: Picture) -> None:
        """Write it again, if there is news."""
        import shutil

        line = picture.line()[: shutil.get_terminal_size().columns - 1]
        if line != self._drawn:
            self._write("\r" + line.ljust(len(self._drawn)))
            self._drawn = line

    def close(self, picture: Picture) -> None:
        """Write it for the last time, and leave it."""
        self.draw(picture)
        self._write("\n")

    def _write(self, text: str) -> None:
        # A terminal that is gone is no error of the thread's.
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()
