"""Time under `mock_kinesis`: retries that do not sleep, and Python's time while freezegun or time-machine holds it."""

import datetime
import random
import re
import time
from unittest import mock

import boto3
import freezegun
import pytest
import time_machine
from botocore.config import Config

import shardstream as ss
from shardstream.errors import InvalidArgumentException
from shardstream.testing import mock_kinesis

NAME, SHARD = "clicks", "shardId-000000000000"
START = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
SECOND, MINUTE, HOUR = (datetime.timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours"))


@pytest.fixture(autouse=True)
def slept(monkeypatch):
    """The seconds that anybody slept, who does not really."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    yield slept
    assert set(slept) <= {0}


class Freezer:
    """freezegun's hand on time."""

    def __init__(self):
        self._freezer = freezegun.freeze_time(START)

    def __enter__(self):
        self._time = self._freezer.start()
        return self

    def __exit__(self, *_):
        self._freezer.stop()

    def shift(self, duration):
        self._time.tick(duration)

    def move_to(self, time):
        self._time.move_to(time)


class Traveller:
    """time-machine's hand on time."""

    def __init__(self):
        self._travel = time_machine.travel(START, tick=False)

    def __enter__(self):
        self._time = self._travel.start()
        return self

    def __exit__(self, *_):
        self._travel.stop()

    def shift(self, duration):
        self._time.shift(duration)

    def move_to(self, time):
        self._time.move_to(time)


@pytest.fixture(params=[Freezer, Traveller])
def hand(request):
    """Who holds Python's time, once entered."""
    return request.param()


def a_client(**retries):
    return boto3.session.Session().client(
        "kinesis",
        aws_access_key_id="AKID",
        aws_secret_access_key="secret",
        config=Config(retries=retries or {"total_max_attempts": 1}),
    )


def put(client):
    return client.put_record(StreamName=NAME, Data=b"page", PartitionKey="k")


def an_iterator(client):
    return client.get_shard_iterator(StreamName=NAME, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]


def attempts(answer):
    return answer["ResponseMetadata"]["RetryAttempts"]


def a_stream(engine, **options):
    return engine.create_stream(NAME, shards=1, **options)


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize("fault", ["throttle", "internal_failure", "drop_connection"])
def test_retries_when_a_put_fails_two_times_then_move_the_clock_and_do_not_sleep(mode, fault):
    random.seed(7)
    clock = ss.ManualClock()
    with mock_kinesis(clock=clock) as engine:
        a_stream(engine)
        start = clock.now()
        asked_for = getattr(engine.faults, fault)(op="PutRecord", times=2)
        assert attempts(put(a_client(mode=mode, total_max_attempts=4))) == 2
        assert asked_for.fired == 2
        # At most one second before the first retry, and two before the second.
        assert start < clock.now() < start + 3 * SECOND


def test_retries_when_the_clock_runs_then_move_it_as_far_as_others_would_sleep():
    random.seed(7)
    waits = random.Random(7)
    waited = datetime.timedelta(seconds=waits.random() + 2 * waits.random())
    with mock_kinesis() as engine:
        a_stream(engine)
        engine.faults.throttle(op="PutRecord", times=2)
        start = engine.clock.now()
        assert attempts(put(a_client(mode="legacy", total_max_attempts=5))) == 2
        assert engine.clock.now() - start >= waited - datetime.timedelta(milliseconds=2)
        assert not engine.clock.is_still


def test_retries_when_none_is_left_then_the_refusal_is_raised():
    with mock_kinesis(clock=ss.ManualClock()) as engine:
        a_stream(engine)
        fault = engine.faults.throttle(op="PutRecord", times=10)
        client = a_client(mode="standard", total_max_attempts=3)
        with pytest.raises(client.exceptions.ProvisionedThroughputExceededException, match="max retries: 2"):
            put(client)
        assert fault.fired == 3


def test_retries_when_a_shard_is_asked_too_much_then_its_second_passes():
    random.seed(7)
    with mock_kinesis(clock=ss.ManualClock(), limits="aws") as engine:
        stream = a_stream(engine)
        client = a_client(mode="standard", total_max_attempts=10)
        for _ in range(1001):
            answer = put(client)
        assert attempts(answer) > 0
        assert len(stream.read()) == 1001


def test_retries_when_time_is_held_then_neither_sleep_nor_move_it(hand):
    with hand, mock_kinesis() as engine:
        a_stream(engine)
        engine.faults.throttle(op="PutRecord", times=2)
        assert attempts(put(a_client(mode="standard", total_max_attempts=4))) == 2
        assert engine.clock.now() == START


def test_time_when_held_then_is_the_engines(hand):
    with hand, mock_kinesis() as engine:
        a_stream(engine)
        client = a_client()
        assert engine.clock.now() == START
        put(client)
        hand.shift(HOUR)
        put(client)
        hand.move_to(START + 2 * HOUR)
        put(client)
        records = client.get_records(ShardIterator=an_iterator(client))["Records"]
        arrivals = [record["ApproximateArrivalTimestamp"] for record in records]
        assert arrivals == [START, START + HOUR, START + 2 * HOUR]
        assert engine.clock.now() == datetime.datetime.now(datetime.UTC)


def test_time_when_held_after_the_mock_began_then_is_followed_as_long(hand):
    with mock_kinesis() as engine:
        a_stream(engine)
        before = engine.clock.now()
        with hand:
            assert engine.clock.now() == START
            assert engine.clock.is_held
        assert before <= engine.clock.now() < before + HOUR
        assert not engine.clock.is_held


def test_time_when_moved_back_then_records_arrive_no_earlier_than_those_before(hand):
    with hand, mock_kinesis() as engine:
        stream, client = a_stream(engine), a_client()
        put(client)
        hand.move_to(START - HOUR)
        put(client)
        hand.move_to(START + HOUR)
        put(client)
        assert [record.arrival_time for record in stream.read()] == [START, START, START + HOUR]


def test_iterator_when_held_time_moves_past_five_minutes_then_is_expired(hand):
    with hand, mock_kinesis() as engine:
        a_stream(engine)
        client = a_client()
        iterator = an_iterator(client)
        hand.shift(5 * MINUTE)
        client.get_records(ShardIterator=iterator)
        hand.shift(SECOND)
        with pytest.raises(client.exceptions.ExpiredIteratorException):
            client.get_records(ShardIterator=iterator)


def test_records_when_held_time_moves_past_retention_then_are_gone(hand):
    with hand, mock_kinesis() as engine:
        stream, client = a_stream(engine), a_client()
        put(client)
        hand.shift(23 * HOUR)
        put(client)
        assert len(stream.read()) == 2
        hand.shift(HOUR + SECOND)
        assert len(stream.read()) == 1
        assert len(client.get_records(ShardIterator=an_iterator(client))["Records"]) == 1


def test_state_of_a_stream_when_held_time_moves_then_changes(hand):
    with hand, mock_kinesis(create_stream_ms=60_000):
        client = a_client()
        client.create_stream(StreamName=NAME, ShardCount=1)
        summary = client.describe_stream_summary(StreamName=NAME)["StreamDescriptionSummary"]
        assert summary["StreamStatus"] == "CREATING"
        hand.shift(MINUTE)
        summary = client.describe_stream_summary(StreamName=NAME)["StreamDescriptionSummary"]
        assert summary["StreamStatus"] == "ACTIVE"
        assert summary["StreamCreationTimestamp"] == START


def test_subscription_when_held_time_moves_past_five_minutes_then_ends(hand):
    with hand, mock_kinesis() as engine:
        a_stream(engine)
        client = a_client()
        arn = client.describe_stream_summary(StreamName=NAME)["StreamDescriptionSummary"]["StreamARN"]
        consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="app")["Consumer"]["ConsumerARN"]
        start = {"Type": "TRIM_HORIZON"}
        events = client.subscribe_to_shard(ConsumerARN=consumer, ShardId=SHARD, StartingPosition=start)["EventStream"]
        found = []
        for event in events:
            found.append(len(event["SubscribeToShardEvent"]["Records"]))
            put(client)
            hand.shift(2 * MINUTE)
        assert found == [0, 1, 1]
        events.close()


@pytest.mark.parametrize("move", [lambda clock: clock.advance("1h"), lambda clock: clock.set(START + HOUR)])
def test_clock_when_time_is_held_then_says_where_to_move_it(hand, move):
    message = (
        "this clock follows Python's time, which freezegun or time-machine holds now: "
        "move it there, as with freezer.tick(...), freezer.move_to(...) or traveller.shift(...)"
    )
    with mock_kinesis() as engine:
        with hand, pytest.raises(InvalidArgumentException, match=f"^{re.escape(message)}$"):
            move(engine.clock)
        before = engine.clock.now()
        assert engine.clock.advance("1h") >= before + HOUR


def test_clock_when_made_to_follow_then_needs_no_mock(hand):
    clock = ss.ManualClock(follow=True)
    with ss.Engine(clock=clock) as engine:
        stream = a_stream(engine)
        with hand:
            stream.put(b"page", key="k")
        assert stream.read()[0].arrival_time == START


def test_clock_when_not_made_to_follow_then_does_not(hand):
    clock = ss.ManualClock("2025-01-01T00:00:00Z")
    with hand, mock_kinesis(clock=clock) as engine:
        assert engine.clock.now() == datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
        assert clock.advance("1h") == datetime.datetime(2025, 1, 1, 1, tzinfo=datetime.UTC)


def test_time_when_time_machine_lets_it_run_then_runs_from_there():
    with time_machine.travel(START), mock_kinesis() as engine:
        assert START <= engine.clock.now() < START + MINUTE


def test_time_when_frozen_in_frozen_then_is_the_inner_one():
    with freezegun.freeze_time(START), mock_kinesis() as engine:
        with freezegun.freeze_time(START + HOUR):
            assert engine.clock.now() == START + HOUR
        assert engine.clock.now() == START


def test_time_when_frozen_in_another_zone_then_is_the_same_instant():
    zone = datetime.timezone(5 * HOUR)
    with freezegun.freeze_time(START.astimezone(zone), tz_offset=-4), mock_kinesis() as engine:
        assert engine.clock.now() == START


def test_time_when_patched_by_hand_then_is_followed():
    with mock.patch("time.time", return_value=START.timestamp()), mock_kinesis() as engine:
        assert engine.clock.now() == START
