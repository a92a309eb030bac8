"""Clocks and durations: time that is moved, and what is no time."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shardstream as ss
from shardstream import errors
from shardstream.duration import nanoseconds, unix_millis

NEW_YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def test_manual_clock_when_new_then_stands_at_its_start():
    assert ss.ManualClock("2026-01-01T01:00:00+01:00").now() == NEW_YEAR


def test_manual_clock_when_advanced_then_moves_by_as_much():
    clock = ss.ManualClock(NEW_YEAR)
    assert clock.advance("1h30m") == NEW_YEAR + datetime.timedelta(minutes=90)
    assert clock.advance(datetime.timedelta(milliseconds=1)) == clock.now()


def test_manual_clock_when_set_then_stands_there():
    clock = ss.ManualClock(NEW_YEAR)
    assert clock.set("2026-02-01T00:00:00Z") == datetime.datetime(2026, 2, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    "move",
    [
        lambda clock: clock.set("2025-12-31T23:59:59Z"),
        lambda clock: clock.advance(datetime.timedelta(seconds=-1)),
        lambda clock: clock.advance("1us"),
        lambda clock: clock.advance("200000d"),
        lambda clock: clock.set("2400-01-01T00:00:00Z"),
        lambda clock: clock.set("2026-02-01T00:00:00"),
        lambda clock: clock.set(5),
        lambda clock: clock.advance(5),
    ],
)
def test_manual_clock_when_moved_where_no_clock_goes_then_stays(move):
    clock = ss.ManualClock(NEW_YEAR)
    with pytest.raises(errors.ShardstreamError):
        move(clock)
    assert clock.now() == NEW_YEAR


@pytest.mark.parametrize("start", ["soon", "2026-01-01", datetime.datetime(2026, 1, 1), 0, None])  # noqa: DTZ001
def test_manual_clock_when_start_is_no_aware_time_then_refuses(start):
    with pytest.raises(errors.ShardstreamError, match="start"):
        ss.ManualClock(start)


def test_manual_clock_when_two_engines_share_it_then_both_see_it_move():
    clock = ss.ManualClock(NEW_YEAR)
    streams = [ss.Engine(clock=clock).create_stream("clicks") for _ in range(2)]
    clock.advance("5m")
    for stream in streams:
        stream.put(b"page", key="user-42")
    assert [stream.read()[0].arrival_time for stream in streams] == [clock.now()] * 2


def test_system_clock_when_asked_then_is_the_machines():
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(milliseconds=1)
    now = ss.Engine().clock.now()
    assert before <= now <= datetime.datetime.now(datetime.UTC)


@given(st.timedeltas(min_value=datetime.timedelta(0), max_value=datetime.timedelta(days=100_000)))
def test_duration_when_a_timedelta_then_counts_its_microseconds(span):
    assert nanoseconds(span, "span") == span // datetime.timedelta(microseconds=1) * 1_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1.5h", 5_400), ("1d", 86_400), ("2w", 1_209_600), ("1h30m", 5_400), ("90s", 90), ("1m0.5s", 60.5), ("0s", 0)],
)
def test_duration_when_text_then_counts_its_parts(text, seconds):
    assert nanoseconds(text, "span") == seconds * 1_000_000_000


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5M", "1h-", "1e3s", ".5s", "5y", "999999999999d"])
def test_duration_when_text_is_none_then_error_names_it(text):
    with pytest.raises(errors.InvalidArgumentException, match="span"):
        nanoseconds(text, "span")


@given(
    st.datetimes(
        min_value=datetime.datetime(1, 1, 3),  # noqa: DTZ001 - hypothesis adds the timezone
        max_value=datetime.datetime(9999, 12, 29),  # noqa: DTZ001
        timezones=st.timezones(),
    )
)
def test_time_when_aware_then_counts_milliseconds_like_its_iso_text(time):
    millis = unix_millis(time, "time")
    assert unix_millis(time.astimezone(datetime.UTC).isoformat(), "time") == millis
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert (
        datetime.timedelta(0)
        <= time - (epoch + datetime.timedelta(milliseconds=millis))
        < datetime.timedelta(milliseconds=1)
    )
