"""The pytest plugin: fixtures, a marker and options; nothing that is slow to import before a test asks for it."""

from __future__ import annotations

import hashlib
import re

import pytest

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Any

    from shardstream import Engine, ManualClock, Stream
    from shardstream.testing.chaos import Schedule
    from shardstream.testing.faults import Faults

_NAME_MAX = 128
_DIGEST = 8
# What a test may say of its engine, its streams and its clock: by the marker, the command line or the ini file.
_ENGINE = ("limits", "region", "account_id", "seed", "create_stream_ms", "update_stream_ms", "delete_stream_ms")
_STREAM = ("shards", "mode", "retention", "tags", "max_record_size")
_CLOCK = ("start",)

SCHEDULE: pytest.StashKey[Schedule] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the command line and of the ini file."""
    group = parser.getgroup("kinesis", "Kinesis in tests (shardstream)")
    group.addoption("--kinesis-seed", type=int, metavar="N", help="seed of sequence numbers, faults and chaos (0)")
    group.addoption("--kinesis-limits", choices=["aws", "off"], help="whether engines throttle as Amazon does (off)")
    group.addoption("--kinesis-shards", type=int, metavar="N", help="shards of the streams that fixtures make (4)")
    group.addoption("--kinesis-mode", choices=["PROVISIONED", "ON_DEMAND"], help="mode of these streams (PROVISIONED)")
    group.addoption(
        "--kinesis-shrink",
        type=int,
        metavar="N",
        default=100,
        help="runs at most to find the smallest schedule of chaos that still fails a test (100); 0 for none",
    )
    for name, what in [
        ("seed", "seed of sequence numbers, faults and chaos"),
        ("limits", '"aws" throttles as Amazon does'),
        ("shards", "shards of the streams that fixtures make"),
        ("mode", "PROVISIONED or ON_DEMAND"),
        ("region", "region of ARNs"),
        ("account_id", "account of ARNs: 12 digits"),
        ("start", "where the clock stands at first: an ISO time with an offset"),
    ]:
        parser.addini(f"kinesis_{name}", f"{what}, for the fixtures of shardstream")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    known = ", ".join((*_STREAM, *_ENGINE, *_CLOCK))
    config.addinivalue_line("markers", f"kinesis(...): how the fixtures make the engine and its streams: {known}")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which seed was asked for."""
    seed = config.getoption("--kinesis-seed")
    return None if seed is None else f"kinesis seed: {seed}"


def _told(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the marker says, else the command line, else the ini file; markers nearer to the test go first."""
    told: dict[str, Any] = {}
    for name in ("seed", "limits", "shards", "mode", "region", "account_id", "start"):
        value: Any = request.config.getoption(f"--kinesis-{name}", default=None)
        value = value if value is not None else request.config.getini(f"kinesis_{name}") or None
        if value is not None:
            told[name] = int(value) if name in ("seed", "shards") else value
    for mark in reversed(list(request.node.iter_markers("kinesis"))):
        known = (*_STREAM, *_ENGINE, *_CLOCK)
        unknown = [*map(repr, mark.args), *(name for name in mark.kwargs if name not in known)]
        if unknown:
            message = f"@pytest.mark.kinesis does not know {', '.join(unknown)}; it takes {', '.join(known)} by name"
            raise pytest.UsageError(message)
        told.update(mark.kwargs)
    if told.get("limits") == "off":
        told["limits"] = None
    return told


@pytest.fixture
def kinesis_clock(request: pytest.FixtureRequest) -> ManualClock:
    """The clock of the test's engine: it stands still at 2026-01-01T00:00:00Z until it is moved.

    While freezegun or time-machine holds Python's time it follows that.
    """
    from shardstream import ManualClock

    told = _told(request)
    return ManualClock(told["start"], follow=True) if "start" in told else ManualClock(follow=True)


@pytest.fixture
def kinesis(request: pytest.FixtureRequest, kinesis_clock: ManualClock) -> Iterator[Engine]:
    """A fresh engine on `kinesis_clock`, closed after the test."""
    from shardstream import Engine

    told = _told(request)
    with Engine(clock=kinesis_clock, **{name: told[name] for name in _ENGINE if name in told}) as engine:
        yield engine


@pytest.fixture
def make_kinesis_stream(request: pytest.FixtureRequest, kinesis: Engine) -> Callable[..., Stream]:
    """What makes streams, ACTIVE at once: `make_kinesis_stream("clicks", shards=2)`.

    What is not said is as the marker and the options say; names are unique unless given.
    """
    told = _told(request)
    base = _unique_name(request.node.nodeid)
    made = 0

    def make(name: str | None = None, **options: Any) -> Stream:  # noqa: ANN401 - as Engine.create_stream takes them
        nonlocal made
        made += 1
        if name is None:
            name = base if made == 1 else f"{base}-{made}"
        return kinesis.create_stream(name, **{**{key: told[key] for key in _STREAM if key in told}, **options})

    return make


@pytest.fixture
def kinesis_stream(make_kinesis_stream: Callable[..., Stream]) -> Stream:
    """A stream of its own, ACTIVE."""
    return make_kinesis_stream()


@pytest.fixture
def kinesis_client(kinesis: Engine) -> Iterator[Any]:
    """A client of the test's engine: boto3's where that is installed, else shardstream's own.

    It does not retry, so that the test sees each refusal: what retries is the program under test.
    """
    from shardstream.testing import client

    with client.of(kinesis) as made:
        yield made


@pytest.fixture
def kinesis_endpoint(kinesis: Engine) -> Iterator[str]:
    """The URL of the test's engine, for `endpoint_url` of any client in any process; a port of its own."""
    with kinesis.serve(port=0) as server:
        yield server.url


@pytest.fixture
def kinesis_faults(request: pytest.FixtureRequest, kinesis: Engine) -> Iterator[Faults]:
    """What goes wrong on purpose at clients and endpoint; at the end all that was asked for must have happened."""
    faults = kinesis.faults
    schedule = request.node.stash.get(SCHEDULE, None)
    if schedule is not None:
        schedule.begin(faults)
    yield faults
    if schedule is not None:
        schedule.end(faults)
    if not request.node.stash.get(_FAILED, False):
        faults.assert_fired()


def _unique_name(node: str) -> str:
    """A stream's name of what the service allows, that no other test has."""
    digest = hashlib.sha256(node.encode()).hexdigest()[:_DIGEST]
    plain = re.sub(r"[^a-zA-Z0-9_.-]+", "-", node.rsplit("::", 1)[-1]).strip("-")
    return f"{plain[: _NAME_MAX - 16]}-{digest}"


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep whether the test failed, for its fixtures."""
    report = yield
    if call.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test that uses faults; one that fails by chaos again and again, with less of it."""
    if "kinesis_faults" not in getattr(item, "fixturenames", ()) or not item.config.getoption("--kinesis-shrink"):
        return None
    from shardstream.testing.chaos import run

    run(item, nextitem)
    return True
