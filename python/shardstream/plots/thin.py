"""Fewer points than there are, so that none which could be seen is lost."""

from __future__ import annotations

import numpy as np

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shardstream.plots.picture import Floats, Integers

__all__ = ["extremes"]


def extremes(times: Integers, values: Floats, columns: int) -> NDArray[np.intp]:
    """Places of the lowest and the highest value in each of `columns` steps of time, and of the first and last point.

    A line drawn through them covers the same pixels as one drawn through all points, where a step is a pixel wide.

    Args:
        times: When, in order.
        values: What; no NaN.
        columns: How many steps.

    Returns:
        NDArray: At most two places a step and two more, in order.
    """
    span = max(int(times[-1] - times[0]), 1)
    steps = np.minimum((times - times[0]) / span * columns, columns - 1).astype(np.intp)
    order = np.lexsort((values, steps))
    ordered = steps[order]
    is_lowest = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    is_highest = np.concatenate((ordered[1:] != ordered[:-1], [True]))
    ends = np.array([0, len(times) - 1], dtype=np.intp)
    return np.unique(np.concatenate((order[is_lowest], order[is_highest], ends)))
