"""The smallest schedule of chaos that still fails a test: it is run again with fewer and fewer of the faults it met."""

from __future__ import annotations

import time

from _pytest.runner import runtestprotocol

from shardstream.testing.plugin import SCHEDULE

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import pytest

    from shardstream.testing.faults import Faults, Fired

__all__ = ["Schedule", "run", "smallest"]

# How long a test is run again at most: less than a suite's own limits for a test, which go on meanwhile.
_SECONDS = 20


class Schedule:
    """What goes wrong in a run of a test: by chance at first, then what is asked for.

    Attributes:
        wanted: What is to happen where the test unleashes chaos; chance decides where there is none.
        happened: What happened.
        is_chaotic: Whether the test unleashed chaos.
    """

    def __init__(self, wanted: list[Fired] | None = None) -> None:
        """Begin a run."""
        self.wanted = wanted
        self.happened: list[Fired] = []
        self.is_chaotic = False

    def begin(self, faults: Faults) -> None:
        """Say what happens instead of chance, before the test begins."""
        faults.replay(self.wanted)

    def end(self, faults: Faults) -> None:
        """Look at what happened, after the test."""
        self.is_chaotic = faults.is_chaotic
        asked_for = {fault.place for fault in faults.asked_for}
        self.happened = [fired for fired in faults.fired if fired.place not in asked_for]


def run(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Run a test, and report it once, with the smallest schedule that still fails it where it fails by chaos."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    schedule, reports = _once(item, nextitem, None)
    failed = next((report for report in reports if report.when == "call" and report.failed), None)
    if failed is not None and schedule.is_chaotic and schedule.happened:
        failed.sections.append(("kinesis chaos", _told(item, nextitem, schedule.happened, failed)))
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def _once(
    item: Any,  # noqa: ANN401 - a function's item, which can begin anew
    nextitem: pytest.Item | None,
    wanted: list[Fired] | None,
) -> tuple[Schedule, list[pytest.TestReport]]:
    schedule = item.stash[SCHEDULE] = Schedule(wanted)
    if wanted is not None:
        item._initrequest()  # noqa: SLF001 - fixtures are made anew, as plugins that run tests again do it
    return schedule, runtestprotocol(item, nextitem=nextitem, log=False)


def _told(item: pytest.Item, nextitem: pytest.Item | None, happened: list[Fired], failed: pytest.TestReport) -> str:
    runs, began = 0, time.monotonic()
    most: int = item.config.getoption("--kinesis-shrink")

    def is_over() -> bool:
        return runs == most or time.monotonic() - began > _SECONDS

    def fails(wanted: list[Fired]) -> bool:
        nonlocal runs
        if is_over():
            return False
        runs += 1
        _, reports = _once(item, nextitem, wanted)
        return any(report.when == "call" and _kind(report) == _kind(failed) for report in reports)

    fewest = smallest(happened, fails)
    if len(fewest) == len(happened) and not is_over() and not fails(fewest):
        return "the same faults do not fail this test again: what it does depends on more than its seed"
    smaller = "the smallest schedule found in time" if is_over() else "the smallest schedule"
    lines = "\n".join(f"    kinesis_faults.{fired.line}" for fired in fewest) or "    (no fault at all)"
    return (
        f"{smaller} that still fails this test, {len(fewest)} of {len(happened)} faults, "
        f"found in {runs} runs:\n{lines}\n"
        "put it in place of kinesis_faults.chaos(...) to keep it"
    )


def _kind(report: pytest.TestReport) -> object:
    """What tells failures apart: the kind of the exception."""
    if not report.failed:
        return None
    crash = getattr(report.longrepr, "reprcrash", None)
    return True if crash is None else crash.message.split(":", 1)[0].split("\n", 1)[0]


def smallest(items: list[Any], fails: Callable[[list[Any]], bool]) -> list[Any]:
    """The fewest of these that still fail, so that without any one of them it would not: Zeller's ddmin.

    Examples:
        >>> smallest([1, 2, 3, 4, 5, 6, 7, 8], lambda items: 3 in items and 6 in items)
        [3, 6]
    """
    parts = 2
    while items:
        size = -(-len(items) // parts)
        for start in range(0, len(items), size):
            rest = items[:start] + items[start + size :]
            if fails(rest):
                items, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(items))
    return items
