"""Splits and merges: lineage, the ring, and the order of each key over them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shardstream as ss
from shardstream import errors

RING = 2**128


def shard(index):
    return f"shardId-{index:012}"


def a_stream(shards, **options):
    return ss.Engine(clock=ss.ManualClock()).create_stream("clicks", shards=shards, **options)


def of(stream, index):
    return stream.shards()[index]


def open_ranges(stream):
    return sorted((each.starting_hash_key, each.ending_hash_key) for each in stream.shards() if each.is_open)


def covers_the_ring(ranges):
    starts, ends = [first for first, _ in ranges], [last + 1 for _, last in ranges]
    return starts == [0, *ends[:-1]] and ends[-1] == RING


def test_split_when_no_place_given_then_halves_the_shard():
    stream = a_stream(1)
    stream.split_shard(shard(0))
    assert open_ranges(stream) == [(0, RING // 2 - 1), (RING // 2, RING - 1)]


@pytest.mark.parametrize("at", [2, RING // 3, RING - 2])
def test_split_when_place_given_then_second_child_starts_there(at):
    stream = a_stream(1)
    stream.split_shard(shard(0), at=at)
    assert open_ranges(stream) == [(0, at - 1), (at, RING - 1)]


@pytest.mark.parametrize("at", [0, 1, RING - 1, -1, RING, "x", 1.5])
def test_split_when_place_is_outside_then_refuses_and_shard_stays_open(at):
    stream = a_stream(1)
    with pytest.raises(errors.ShardstreamError):
        stream.split_shard(shard(0), at=at)
    assert [each.is_open for each in stream.shards()] == [True]


def test_split_when_done_then_children_name_their_parent():
    stream = a_stream(2)
    stream.split_shard(shard(1))
    assert [(of(stream, i).parent_shard_id, of(stream, i).adjacent_parent_shard_id) for i in (2, 3)] == [
        (shard(1), None),
        (shard(1), None),
    ]


def test_merge_when_done_then_child_names_both_parents_and_owns_both_ranges():
    stream = a_stream(3)
    stream.merge_shards(shard(0), shard(1))
    child = of(stream, 3)
    assert (child.parent_shard_id, child.adjacent_parent_shard_id) == (shard(0), shard(1))
    assert (child.starting_hash_key, child.ending_hash_key) == (0, of(stream, 1).ending_hash_key)


def test_reshard_when_done_then_childrens_numbers_are_above_their_parents_last():
    stream = a_stream(2)
    before = stream.put(b"", key="user-42", explicit_hash_key=0)
    stream.split_shard(shard(0))
    after = stream.put(b"", key="user-42", explicit_hash_key=0)
    parent, child = of(stream, 0), of(stream, 2)
    assert before.sequence_number < parent.ending_sequence_number < child.starting_sequence_number
    assert child.starting_sequence_number < after.sequence_number


def test_reshard_when_done_then_parents_are_closed_and_stay_readable():
    stream = a_stream(1)
    stream.put(b"before", key="user-42")
    stream.split_shard(shard(0))
    stream.put(b"after", key="user-42")
    assert [each.is_open for each in stream.shards()] == [False, True, True]
    assert [record.data for record in stream.read(shard_id=shard(0))] == [b"before"]


@pytest.mark.parametrize(
    ("reshard", "message"),
    [
        (lambda stream: stream.split_shard(shard(0)), "closed"),
        (lambda stream: stream.merge_shards(shard(0), shard(1)), "closed"),
        (lambda stream: stream.merge_shards(shard(1), shard(3)), "adjacent"),
        (lambda stream: stream.merge_shards(shard(2), shard(1)), "adjacent"),
        (lambda stream: stream.merge_shards(shard(1), shard(1)), "adjacent"),
    ],
)
def test_reshard_when_shards_are_closed_or_apart_then_refuses_and_changes_nothing(reshard, message):
    stream = a_stream(4)
    stream.split_shard(shard(0))
    before = repr(stream.shards())
    with pytest.raises(errors.InvalidArgumentException, match=message):
        reshard(stream)
    assert repr(stream.shards()) == before


@pytest.mark.parametrize("name", ["shardId-000000000009", "", "nope", "shardId-" + "9" * 30])
def test_reshard_when_shard_is_unknown_then_not_found(name):
    stream = a_stream(2)
    with pytest.raises(errors.ResourceNotFoundException, match="does not exist"):
        stream.split_shard(name)
    with pytest.raises(errors.ResourceNotFoundException, match="does not exist"):
        stream.merge_shards(shard(0), name)


@pytest.mark.parametrize("name", [0, None, b"shardId-000000000000", "\ud800"])
def test_reshard_when_shard_is_no_text_then_serialization_error(name):
    with pytest.raises(errors.SerializationException, match="shard_id"):
        a_stream(2).split_shard(name)


@pytest.mark.parametrize("target", [1, 2, 3, 5, 8, 100])
def test_update_shard_count_when_done_then_open_shards_are_as_of_a_new_stream(target):
    stream = a_stream(3)
    stream.update_shard_count(target)
    assert open_ranges(stream) == open_ranges(a_stream(target))


@pytest.mark.parametrize("target", [0, -1, 10_001, 2**80, True, "4", 4.0, None])
def test_update_shard_count_when_target_is_out_of_range_then_refuses(target):
    stream = a_stream(2)
    with pytest.raises(errors.ShardstreamError, match=r"shards|target"):
        stream.update_shard_count(target)
    assert len(stream.shards()) == 2


def test_reshard_when_stream_is_on_demand_then_refuses():
    stream = a_stream(2, mode="ON_DEMAND")
    for reshard in (
        lambda: stream.split_shard(shard(0)),
        lambda: stream.merge_shards(shard(0), shard(1)),
        lambda: stream.update_shard_count(4),
    ):
        with pytest.raises(errors.ValidationException, match="on demand"):
            reshard()


def test_closed_shard_when_retention_has_passed_then_is_not_listed():
    clock = ss.ManualClock()
    stream = ss.Engine(clock=clock).create_stream("clicks", shards=1)
    stream.put(b"before", key="user-42")
    stream.split_shard(shard(0))
    clock.advance("25h")
    assert [each.shard_id for each in stream.shards()] == [shard(1), shard(2)]


@given(st.lists(st.tuples(st.sampled_from(["split", "merge", "scale"]), st.integers(0, 30)), max_size=6))
def test_keys_when_stream_is_resharded_at_random_then_keep_their_order_and_the_ring_is_whole(steps):
    stream = a_stream(2)
    put = 0
    for kind, number in [*steps, ("scale", 2)]:
        for i in range(30):
            stream.put(b"%d" % (put + i), key=f"user-{i % 7}")
        put += 30
        opened = sorted((s for s in stream.shards() if s.is_open), key=lambda s: s.starting_hash_key)
        chosen = number % len(opened)
        if kind == "split":
            stream.split_shard(opened[chosen].shard_id)
        elif kind == "scale":
            stream.update_shard_count(1 + number)
        elif chosen + 1 < len(opened):
            stream.merge_shards(opened[chosen].shard_id, opened[chosen + 1].shard_id)
        assert covers_the_ring(open_ranges(stream))
    by_key = {}
    for record in stream.read():
        by_key.setdefault(record.partition_key, []).append(int(record.data))
    assert sum(map(len, by_key.values())) == put
    assert all(numbers == sorted(numbers) for numbers in by_key.values())


def test_shard_when_given_for_its_id_then_is_taken(kinesis):
    stream = kinesis.create_stream("clicks", shards=2)
    stream.put(b"page", key="user-42")
    first, _ = stream.shards()
    assert [record.data for record in stream.read(shard_id=first)] == [b"page"]
    assert [record.data for record in stream.follow("TRIM_HORIZON", shard_id=first, timeout="0s")] == [b"page"]
    stream.split_shard(first)
    stream.merge_shards(*stream.shards()[2:4])
    assert [shard.is_open for shard in stream.shards()] == [False, True, False, False, True]
