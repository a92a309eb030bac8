"""What both libraries share: whether axes begin at zero, which points no line reaches, how values are written."""

from __future__ import annotations

import math

import numpy as np

from shardstream.plots.picture import Series

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["alone", "figures", "starts_at_zero", "words"]

# Values that vary by less than this share of themselves would lie flat under the top of an axis from zero.
_FLAT = 0.25
_THOUSAND, _MILLION = 1e3, 1e6
# Longer figures than this are counted, not read.
_LONG = 1e12


def starts_at_zero(series: Sequence[Series]) -> bool:
    """Whether an axis should show zero: not where the values lie close together and far from it."""
    values = np.concatenate([each.values[np.isfinite(each.values)] for each in series])
    if not len(values):
        return True
    least, most = float(values.min()), float(values.max())
    farthest = max(abs(least), abs(most))
    return least <= 0 <= most or most == least or _FLAT * farthest <= most - least


def alone(series: Series) -> Series:
    """The points with a gap on either side, which a line would not show."""
    is_there = np.concatenate(([False], np.isfinite(series.values), [False]))
    kept = is_there[1:-1] & ~is_there[:-2] & ~is_there[2:]
    ends = None if series.ends is None else series.ends[kept]
    return Series(series.label, series.colour, series.times[kept], series.values[kept], ends)


def words(values: Sequence[float]) -> list[str]:
    """Values as they are written beside bars: whole where all are, else as finely as one would read them.

    Examples:
        >>> words([58_665.0, 32.0]), words([2.5671, 1_200.25])
        (['58,665', '32'], ['2.567', '1,200.2'])
    """
    there = [value for value in values if math.isfinite(value)]
    written = figures if all(value.is_integer() for value in there) else _fine
    return [written(value) if math.isfinite(value) else "" for value in values]


def figures(value: float) -> str:
    """A value as it is written on an axis.

    Examples:
        >>> figures(58_665.0), figures(0.25), figures(2e18)
        ('58,665', '0.25', '2e+18')
    """
    size = abs(value)
    return f"{value:,.6g}" if size < _MILLION else f"{value:,.0f}" if size < _LONG else f"{value:.4g}"


def _fine(value: float) -> str:
    return f"{value:,.1f}" if _THOUSAND <= abs(value) < _LONG else f"{value:.4g}"
