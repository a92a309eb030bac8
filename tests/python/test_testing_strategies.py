"""The strategies: all that they make is taken by the engine, and the simplest example is the plainest."""

import statistics
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import shardstream as ss
from shardstream import errors
from shardstream.testing.shard_maps import RING, Merge, ShardMap, Split
from shardstream.testing.strategies import batches, partition_keys, records, shard_maps

MIB = 1024 * 1024
generated = settings(
    max_examples=30, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def a_client(shards=2):
    engine = ss.Engine(clock=ss.ManualClock())
    engine.create_stream("clicks", shards=shards)
    return engine.client("kinesis")


def median_shares(keys, names):
    """The share of each key among 200, in the middle of many drawings."""
    shares = []

    @generated
    @given(st.lists(keys, min_size=200, max_size=200))
    def draw(drawn):
        counts = Counter(drawn)
        # Hypothesis likes to try one value all over, too.
        if len(counts) > 1:
            shares.append([counts[name] / len(drawn) for name in names])

    draw()
    return [statistics.median(each) for each in zip(*shares, strict=True)]


@pytest.mark.parametrize("skew", ["uniform", "zipf", "hot"])
@pytest.mark.parametrize("count", [1, 2, 100, 10_000])
def test_keys_when_counted_then_no_others_come(skew, count):
    @given(partition_keys(skew, count))
    def every(key):
        assert 1 <= len(key) <= 256
        drawn.add(key)

    drawn = set()
    every()
    assert "a" in drawn
    assert len(drawn) <= count


def test_keys_when_uniform_then_every_one_of_them_is_there():
    keys = [find(partition_keys(count=30), lambda key, name=name: key == name) for name in ("a", "z", "aa", "ad")]
    assert keys == ["a", "z", "aa", "ad"]


@pytest.mark.parametrize(
    ("skew", "expected"),
    [
        ("uniform", [0.1, 0.1, 0.1]),
        ("zipf", [0.34, 0.17, 0.11]),  # 1 / (1 + 1/2 + ... + 1/10) is 0.34
        ("hot", [0.5, 0.06, 0.06]),
    ],
)
def test_keys_when_skewed_then_come_as_often_as_their_weight(skew, expected):
    assert median_shares(partition_keys(skew, count=10), "abc") == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("length", [1, 2, 256])
def test_keys_when_any_then_of_every_length(length):
    assert len(find(partition_keys(count=None), lambda key: len(key) == length)) == length


def test_keys_when_any_then_beyond_ascii_and_the_basic_plane():
    assert find(partition_keys(count=None), lambda key: max(key) > "\uffff") == "\U00010000"


@given(partition_keys(count=None))
def test_keys_when_any_then_taken_by_the_engine(key):
    client = a_client()
    stored = client.put_record(StreamName="clicks", Data=b"", PartitionKey=key)
    iterator = client.get_shard_iterator(
        StreamName="clicks", ShardId=stored["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert [each["PartitionKey"] for each in client.get_records(ShardIterator=iterator)["Records"]] == [key]


@given(batches(records(partition_keys(count=None) | partition_keys("zipf"))))
def test_batches_when_put_then_every_record_is_taken(batch):
    assert 1 <= len(batch) <= 500
    assert a_client().put_records(StreamName="clicks", Records=batch)["FailedRecordCount"] == 0


def sized(*sizes):
    return st.sampled_from(sizes).map(bytes)


@settings(max_examples=10)
@given(batches(records(data=sized(MIB - 1, MIB, MIB // 2))))
def test_batches_when_records_are_large_then_taken_all_the_same(batch):
    assert all(len(record["Data"]) + len(record["PartitionKey"]) <= MIB for record in batch)
    assert a_client().put_records(StreamName="clicks", Records=batch)["FailedRecordCount"] == 0


@settings(max_examples=2)
@given(batches(records(st.just("a"), sized(MIB - 1)), min_size=12, max_size=12))
def test_batches_when_more_than_fits_then_cut_at_ten_mebibytes(batch):
    assert len(batch) == 10


@pytest.mark.parametrize("size", [1, 500])
def test_batches_when_of_a_size_then_so_many_records(size):
    @settings(max_examples=2)
    @given(batches(min_size=size, max_size=size))
    def every(batch):
        assert len(batch) == size

    every()


def test_records_when_hash_keys_are_explicit_then_both_ends_of_the_ring_come():
    for end in (0, RING - 1):
        found = find(records(), lambda record, end=end: record.get("ExplicitHashKey") == str(end))
        assert found == {"Data": b"", "PartitionKey": "a", "ExplicitHashKey": str(end)}


@given(records(explicit_hash_keys=False))
def test_records_when_without_hash_keys_then_two_members(record):
    assert set(record) == {"Data", "PartitionKey"}


@pytest.mark.parametrize(
    ("strategy", "simplest"),
    [
        (partition_keys(), "a"),
        (partition_keys("zipf"), "a"),
        (partition_keys("hot"), "a"),
        (partition_keys(count=None), "0"),
        (records(), {"Data": b"", "PartitionKey": "a"}),
        (batches(), [{"Data": b"", "PartitionKey": "a"}]),
    ],
)
def test_strategies_when_anything_will_do_then_the_simplest_comes(strategy, simplest):
    assert find(strategy, lambda _: True) == simplest


def test_shard_maps_when_anything_will_do_then_one_shard_and_no_steps():
    found = find(shard_maps(), lambda _: True)
    assert (found.initial, found.steps, [(each.start, each.end) for each in found.ranges]) == (1, (), [(0, RING - 1)])


def test_shard_maps_when_a_split_is_sought_then_the_first_shard_is_halved():
    found = find(shard_maps(), lambda each: any(isinstance(step, Split) for step in each.steps))
    assert (found.initial, found.steps) == (1, (Split("shardId-000000000000", at=RING // 2),))


def test_shard_maps_when_a_merge_is_sought_then_the_first_two_become_one():
    found = find(shard_maps(), lambda each: any(isinstance(step, Merge) for step in each.steps))
    assert (found.initial, found.steps) == (2, (Merge("shardId-000000000000", "shardId-000000000001"),))


@settings(max_examples=200)
@given(shard_maps())
def test_shard_maps_when_applied_then_the_engine_has_these_shards_and_they_cover_the_ring(shard_map):
    stream = ss.Engine(clock=ss.ManualClock()).create_stream("clicks", shards=shard_map.initial)
    shard_map.apply(stream)
    opened = [(each.starting_hash_key, each.ending_hash_key, each.shard_id) for each in stream.shards() if each.is_open]
    assert sorted(opened) == [(each.start, each.end, each.shard_id) for each in shard_map.ranges]
    starts, ends = [each[0] for each in sorted(opened)], [each[1] + 1 for each in sorted(opened)]
    assert starts == [0, *ends[:-1]]
    assert ends[-1] == RING


@given(shard_maps(max_shards=3))
def test_shard_maps_when_bounded_then_never_more_shards_are_open(shard_map):
    stream = ss.Engine(clock=ss.ManualClock()).create_stream("clicks", shards=shard_map.initial)
    for step in shard_map.steps:
        step.apply(stream)
        assert sum(each.is_open for each in stream.shards()) <= 3


def test_shard_map_when_a_shard_is_too_narrow_then_is_not_split():
    # Two hash keys, which is what the lowest child is left with.
    narrow = ShardMap.grown(1, [(True, 0, 0), (True, 0, None)])
    assert narrow.steps == (Split("shardId-000000000000", at=2),)


def test_shard_map_when_the_stream_has_had_other_shards_then_refuses():
    stream = ss.Engine(clock=ss.ManualClock()).create_stream("clicks", shards=2)
    with pytest.raises(errors.InvalidArgumentException, match="just created with 1 shards, not one that has had 2"):
        ShardMap.grown(1, []).apply(stream)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: partition_keys("even"), "skew: one of 'uniform', 'zipf', 'hot', not 'even'"),
        (lambda: partition_keys("hot", count=None), "skew: 'hot' needs a count of keys"),
        (lambda: partition_keys(count=0), "count: 1 to 10,000 keys, or None, not 0"),
        (lambda: partition_keys(count=10_001), "count"),
        (lambda: batches(min_size=0), "min_size, max_size: 1 to 500 records, not 0 to 500"),
        (lambda: batches(max_size=501), "not 1 to 501"),
        (lambda: batches(min_size=3, max_size=2), "not 3 to 2"),
        (lambda: shard_maps(max_shards=0), "max_shards: 1 or more, not 0"),
    ],
)
def test_strategies_when_asked_for_what_is_not_there_then_refuse(make, message):
    with pytest.raises(errors.InvalidArgumentException, match=message):
        make()


def test_import_when_hypothesis_is_missing_then_says_what_to_install():
    program = "import sys; sys.modules['hypothesis'] = None; import shardstream.testing.strategies"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert said.stderr.splitlines()[-1] == (
        "ImportError: shardstream.testing.strategies needs hypothesis: pip install hypothesis"
    )
