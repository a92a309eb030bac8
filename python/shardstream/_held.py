"""Python's time while a test holds it: freezegun, time-machine, or whoever else patches `time.time`."""

from __future__ import annotations

import sys
import time
from types import BuiltinFunctionType

from shardstream._epoch import epoch_naive, span_of_micros


def held_millis() -> int | None:
    """Milliseconds since 1970 by Python's time where somebody holds it, else nothing."""
    # Asked by itself: its time.time() answers the real time to whoever runs in a thread.
    freezegun = sys.modules.get("freezegun.api")
    if freezegun is not None and (frozen := freezegun.freeze_factories):
        return int((frozen[-1]() - epoch_naive) // span_of_micros(1000))
    escape_hatch = getattr(sys.modules.get("time_machine"), "escape_hatch", None)
    if (escape_hatch is not None and escape_hatch.is_travelling()) or not isinstance(time.time, BuiltinFunctionType):
        return int(time.time() * 1000)
    return None
