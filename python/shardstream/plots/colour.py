"""Colours: told apart by most eyes, readable on white and on black, and the same for a shard in every chart.

Okabe and Ito's set without its black and yellow, which vanish on one of the two; then five of Paul Tol's.
"""

from __future__ import annotations

__all__ = ["ALARM", "PALETTE", "QUIET", "of_shard"]

PALETTE = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#8C6BB1",
    "#999933",
    "#882255",
    "#44AA99",
    "#AA7744",
    "#8C8C8C",
)
ALARM = "#E0312F"
# Words and rules that stand back, on white and on black.
QUIET = "#7A7A7A"


def of_shard(shard_id: str) -> str:
    """The colour of a shard, by its number.

    Examples:
        >>> of_shard("shardId-000000000001")
        '#E69F00'
    """
    digits = shard_id.rpartition("-")[2]
    return PALETTE[int(digits) % len(PALETTE)] if digits.isdecimal() else QUIET
