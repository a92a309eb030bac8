"""Which library draws: the one asked for, else altair if it is installed, else matplotlib."""

from __future__ import annotations

from shardstream.errors import InvalidArgumentException

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from typing import Any

    from shardstream.plots.picture import Picture

__all__ = ["draw"]

_KNOWN = ("altair", "matplotlib")


def draw(picture: Picture, backend: str | None) -> Any:  # noqa: ANN401 - the library's own kind of chart
    """Draw a picture.

    Returns:
        An `altair.Chart`, or one of its layered kin, or a `matplotlib.figure.Figure`.

    Raises:
        InvalidArgumentException: There is no such backend, or it is not installed.
    """
    if backend is not None and backend not in _KNOWN:
        message = f"backend: one of {', '.join(map(repr, _KNOWN))}, or None for what is installed, not {backend!r}"
        raise InvalidArgumentException(message)
    for name in _KNOWN if backend is None else (backend,):
        if _is_there(name):
            return _draw_with(name, picture)
    if backend is None:
        message = "charts are drawn by altair or matplotlib, and neither is installed: pip install altair"
    else:
        message = f"backend={backend!r} is not installed: pip install {backend}, or leave backend out"
    raise InvalidArgumentException(message)


def _is_there(name: str) -> bool:
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def _draw_with(name: str, picture: Picture) -> Any:  # noqa: ANN401
    if name == "altair":
        from shardstream.plots import altair_charts

        return altair_charts.draw(picture)
    from shardstream.plots import matplotlib_charts

    return matplotlib_charts.draw(picture)
