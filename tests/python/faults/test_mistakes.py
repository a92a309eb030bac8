"""What is said where a fault that was asked for cannot be."""

import re

import pytest

from shardstream.errors import InvalidArgumentException, SerializationException

WORDS = "times, rate, at, stream, shard_id, required"

MISTAKES = {
    "unknown operation": (
        lambda faults: faults.throttle(op="PutRecrd"),
        InvalidArgumentException,
        "op: 'PutRecrd' is not an operation of Kinesis; did you mean 'PutRecord' or 'PutRecords' or 'GetRecords'?",
    ),
    "boto3's name of an operation": (
        lambda faults: faults.internal_failure("put_record"),
        InvalidArgumentException,
        "op: 'put_record' is not an operation of Kinesis; did you mean 'PutRecord' or 'PutRecords' or 'GetRecords'?",
    ),
    "nothing like an operation": (
        lambda faults: faults.latency("1s", op="Zzz"),
        InvalidArgumentException,
        "op: 'Zzz' is not an operation of Kinesis, as in \"PutRecords\"",
    ),
    "an operation that refuses whole": (
        lambda faults: faults.fail_records(op="PutRecord"),
        InvalidArgumentException,
        "op: only \"PutRecords\" refuses records one by one, not 'PutRecord': throttle() or internal_failure()",
    ),
    "an operation that reads nothing": (
        lambda faults: faults.empty_pages(op="PutRecord"),
        InvalidArgumentException,
        "op: empty_pages() happens at 'GetRecords', not at 'PutRecord'",
    ),
    "an operation that hands in no iterator": (
        lambda faults: faults.expire_iterators(op="GetShardIterator"),
        InvalidArgumentException,
        "op: expire_iterators() happens at 'GetRecords', not at 'GetShardIterator'",
    ),
    "an operation that delivers nothing": (
        lambda faults: faults.duplicate_delivery(op="PutRecords"),
        InvalidArgumentException,
        "op: duplicate_delivery() happens at 'GetRecords' or 'SubscribeToShard', not at 'PutRecords'",
    ),
    "an operation that stores nothing": (
        lambda faults: faults.reshard(op="GetRecords"),
        InvalidArgumentException,
        "op: reshard() happens at 'PutRecord' or 'PutRecords', not at 'GetRecords'",
    ),
    "an operation that subscribes to nothing": (
        lambda faults: faults.drop_subscription(op="GetRecords"),
        InvalidArgumentException,
        "op: drop_subscription() happens at 'SubscribeToShard', not at 'GetRecords'",
    ),
    "a code that no record is refused with": (
        lambda faults: faults.fail_records(code="Throttled"),
        InvalidArgumentException,
        "code: 'InternalFailure' or 'ProvisionedThroughputExceededException', not 'Throttled'",
    ),
    "rate above 1": (
        lambda faults: faults.throttle(rate=1.5),
        InvalidArgumentException,
        "rate: a number from 0 to 1, not 1.5",
    ),
    "negative rate": (
        lambda faults: faults.duplicate_delivery(-0.1),
        InvalidArgumentException,
        "rate: a number from 0 to 1, not -0.1",
    ),
    "rate that is no number": (
        lambda faults: faults.empty_pages(rate="often"),
        InvalidArgumentException,
        "rate: a number from 0 to 1, not 'often'",
    ),
    "rate of chaos": (
        lambda faults: faults.chaos(rate=20),
        InvalidArgumentException,
        "rate: a number from 0 to 1, not 20",
    ),
    "negative seed": (lambda faults: faults.chaos(-1), InvalidArgumentException, "seed: an int of 0 or more, not -1"),
    "unknown word": (
        lambda faults: faults.throttle("PutRecord", shard="shardId-000000000000", when=1),
        SerializationException,
        f"throttle() does not know shard, when; besides its own it takes {WORDS}",
    ),
    "shard that is none": (
        lambda faults: faults.throttle(shard_id="first"),
        InvalidArgumentException,
        "shard_id: an id like \"shardId-000000000000\", not 'first'",
    ),
    "shard that is no text": (
        lambda faults: faults.throttle(shard_id=0),
        SerializationException,
        "shard_id is text, not int 0",
    ),
    "stream that is no text": (
        lambda faults: faults.throttle(stream=b"clicks"),
        SerializationException,
        "stream is text, not bytes b'clicks'",
    ),
    "negative times": (
        lambda faults: faults.throttle(times=-1),
        InvalidArgumentException,
        "times: an int of 1 or more, not -1",
    ),
    "too many times": (
        lambda faults: faults.throttle(times=2**31),
        InvalidArgumentException,
        "times: an int of 2147483647 at most, not 2147483648",
    ),
    "no times": (lambda faults: faults.empty_pages(0), InvalidArgumentException, "times: an int of 1 or more, not 0"),
    "call before the first": (
        lambda faults: faults.throttle(at=[1, 0]),
        InvalidArgumentException,
        "at: an int of 1 or more, not 0",
    ),
    "calls as text": (
        lambda faults: faults.throttle(at="12"),
        SerializationException,
        "at: a list of numbers, not str '12'",
    ),
    "negative place": (
        lambda faults: faults.fail_records([0, -1]),
        InvalidArgumentException,
        "indexes: an int of 0 or more, not -1",
    ),
    "records before a reshard": (
        lambda faults: faults.reshard(after_records=0),
        InvalidArgumentException,
        "after_records: an int of 1 or more, not 0",
    ),
    "shards after a reshard": (
        lambda faults: faults.reshard(shards=0),
        InvalidArgumentException,
        "shards: an int of 1 or more, not 0",
    ),
    "events of a subscription": (
        lambda faults: faults.drop_subscription(after_events=-1),
        InvalidArgumentException,
        "after_events: an int of 0 or more, not -1",
    ),
    "duration without a unit": (
        lambda faults: faults.latency("250"),
        InvalidArgumentException,
        (
            'duration: "250" is not a duration; '
            'write a number and a unit (ns, us, ms, s, m, h, d, w), like "5m" or "1h30m"'
        ),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_fault_when_asked_for_by_mistake_then_says_which_and_none_is_added(faults, name):
    ask, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        ask(faults)
    assert faults.asked_for == []
