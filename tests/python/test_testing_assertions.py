"""Assertions about records: what they take, what they find, and what they say."""

import base64
import subprocess
import sys
import traceback
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import shardstream as ss
from shardstream import errors
from shardstream.testing.assertions import assert_balanced, assert_no_loss, assert_per_key_order, assert_records
from shardstream.testing.items import read

SENT = [(b'{"n": 1}', "user-42"), (b'{"n": 2}', "user-43"), (b'{"n": 3}', "user-42")]
SHARD = "shardId-000000000000"


def an_engine(sent=SENT, *, shards=2, limits=None):
    """An engine with one stream, `clicks`, and what was sent in it."""
    engine = ss.Engine(clock=ss.ManualClock(), limits=limits)
    stream = engine.create_stream("clicks", shards=shards)
    engine.clock.advance("1m")
    stream.put_many(list(sent))
    return engine


def a_stream(sent=SENT, **options):
    return an_engine(sent, **options).stream("clicks")


def answers(engine):
    """The answers of GetRecords, one for each shard."""
    client = engine.client("kinesis")
    for shard in engine.stream("clicks").shards():
        iterator = client.get_shard_iterator(
            StreamName="clicks", ShardId=shard.shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        yield client.get_records(ShardIterator=iterator)


def lambda_event(engine):
    """What Lambda hands to a function for these records."""
    return {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": record.partition_key,
                    "sequenceNumber": record.sequence_number,
                    "data": base64.b64encode(record.data).decode(),
                },
                "eventSource": "aws:kinesis",
                "eventID": f"{record.shard_id}:{record.sequence_number}",
            }
            for record in engine.stream("clicks").read()
        ]
    }


def numbered(*records):
    """Records as boto3 has them, of `(number, key, data)` or `(number, key)`."""
    return [
        {"SequenceNumber": str(number), "PartitionKey": key, "Data": data[0] if data else b"page"}
        for number, key, *data in records
    ]


def in_shards(counts, keys_of=lambda shard, i: f"user-{shard}-{i}"):
    """So many records in each shard, each under a key of its own unless said otherwise."""
    return [
        {"ShardId": f"shardId-{shard:012}", "PartitionKey": keys_of(shard, i), "Data": b"page"}
        for shard, count in enumerate(counts)
        for i in range(count)
    ]


def failure(assertion, *arguments, **options):
    """What an assertion that fails says."""
    with pytest.raises(AssertionError) as raised:
        assertion(*arguments, **options)
    return str(raised.value)


# What is given


FORMS = {
    "stream": lambda engine: engine.stream("clicks"),
    "Records": lambda engine: engine.stream("clicks").read(),
    "slice of Records": lambda engine: engine.stream("clicks").read()[::-1],
    "list of Record": lambda engine: list(engine.stream("clicks").read()),
    "followed": lambda engine: engine.stream("clicks").follow("TRIM_HORIZON", timeout="0s"),
    "boto3's dictionaries": lambda engine: [record for answer in answers(engine) for record in answer["Records"]],
    "Lambda event": lambda_event,
    "Lambda records": lambda engine: lambda_event(engine)["Records"],
    "entries of PutRecords": lambda _: [{"Data": data, "PartitionKey": key} for data, key in SENT],
    "pairs": lambda _: SENT,
    "generator of pairs": lambda _: (each for each in SENT),
    "triples": lambda _: [(data, key, None) for data, key in SENT],
    "pairs with text": lambda _: [(data.decode(), key) for data, key in SENT],
    "bytes": lambda _: [data for data, _ in SENT],
    "bytearrays": lambda _: [bytearray(data) for data, _ in SENT],
    "views": lambda _: [memoryview(data) for data, _ in SENT],
    "text": lambda _: [data.decode() for data, _ in SENT],
}


@pytest.mark.parametrize("form", FORMS)
def test_read_when_given_any_form_then_says_the_same_data_and_keys(form):
    items = read(FORMS[form](an_engine()), "actual")
    assert Counter(item.data for item in items) == Counter(data for data, _ in SENT)
    keys = {(item.data, item.partition_key) for item in items}
    assert keys in (set(SENT), {(data, None) for data, _ in SENT})
    assert [item.index for item in items] == [0, 1, 2]


@pytest.mark.parametrize("form", ["stream", "Records", "list of Record", "Lambda event"])
def test_read_when_a_form_says_shards_and_numbers_then_has_them(form):
    engine = an_engine()
    expected = {(each.sequence_number, each.shard_id) for each in engine.stream("clicks").read()}
    items = read(FORMS[form](engine), "actual")
    assert {(item.sequence_number, item.shard_id) for item in items} == expected


def test_read_when_given_an_answer_of_get_records_then_takes_its_records():
    (answer,) = answers(an_engine(shards=1))
    assert [(item.data, item.partition_key, item.shard_id) for item in read(answer, "actual")] == [
        (data, key, None) for data, key in SENT
    ]


@pytest.mark.parametrize("form", FORMS)
def test_assertions_when_given_any_form_of_the_same_records_then_pass(form):
    assert_records(FORMS[form](an_engine()), SENT)
    assert_records(SENT, FORMS[form](an_engine()))
    assert_no_loss(FORMS[form](an_engine()), a_stream(), allow_duplicates=False)


@pytest.mark.parametrize("form", FORMS)
def test_assertions_when_given_any_form_without_one_of_the_records_then_fail(form):
    more = [*SENT, (b"home", "user-44")]
    assert "b'home'" in failure(assert_records, FORMS[form](an_engine()), more)
    assert "b'home'" in failure(assert_no_loss, more, FORMS[form](an_engine()))


def test_assertions_when_given_a_stream_then_take_no_reads_from_its_consumers():
    stream = a_stream(limits="aws")
    for _ in range(6):
        assert_records(stream, SENT)
    for _ in range(5):
        assert len(stream.read()) == 3
    with pytest.raises(errors.ProvisionedThroughputExceededException):
        stream.read()
    assert_records(stream, SENT)


def test_assertions_when_a_stream_has_forgotten_records_then_see_those_it_keeps():
    engine = an_engine()
    engine.clock.advance("23h")
    engine.stream("clicks").put(b"home", key="user-44")
    engine.clock.advance("2h")
    assert_records(engine.stream("clicks"), ["home"])


KNOWN = (
    "a record is bytes or str, a (data, key) pair, a Record, or a dictionary as boto3 (Data, PartitionKey, "
    "SequenceNumber) or a Lambda event (kinesis) has it"
)


@pytest.mark.parametrize(
    ("unreadable", "said"),
    [
        (5, "actual: a stream or an iterable of records, not 5"),
        (None, "actual: a stream or an iterable of records, not None"),
        (b"page", "actual: a stream or an iterable of records, not b'page'"),
        ("page", "actual: a stream or an iterable of records, not 'page'"),
        ({"Data": b"x"}, "actual: a stream or an iterable of records, not {'Data': b'x'}"),
        ([b"page", 5], f"actual[1]: 5 is no record; {KNOWN}"),
        ([("page",)], f"actual[0]: ('page',) is no record; {KNOWN}"),
        ([{"PartitionKey": "a"}], f"actual[0]: {{'PartitionKey': 'a'}} is no record; {KNOWN}"),
        ([{"kinesis": 5}], f"actual[0]: {{'kinesis': 5}} is no record; {KNOWN}"),
        ([{"n": "x" * 99}], f"actual[0]: {{'n': '{'x' * 50}... is no record; {KNOWN}"),
        ({"Records": [5]}, f'actual["Records"][0]: 5 is no record; {KNOWN}'),
        ([(5, "a")], "actual[0][0]: data are bytes or str, not 5"),
        (["\ud800"], "actual[0]: data are bytes or str, not '\\ud800'"),
        ([(b"page", b"a")], "actual[0][1]: text, not b'a'"),
        ([(b"page", None)], "actual[0][1]: text, not None"),
        ([{"Data": None}], 'actual[0]["Data"]: data are bytes or str, not None'),
        ([{"Data": b"", "PartitionKey": 5}], 'actual[0]["PartitionKey"]: text, not 5'),
        ([{"Data": b"", "ShardId": 5}], 'actual[0]["ShardId"]: text, not 5'),
        (
            [{"Data": b"", "SequenceNumber": 5}],
            'actual[0]["SequenceNumber"]: a sequence number is text of digits, not 5',
        ),
        (
            [{"Data": b"", "SequenceNumber": "-1"}],
            "actual[0][\"SequenceNumber\"]: a sequence number is text of digits, not '-1'",
        ),
        (
            [{"kinesis": {"data": "no base64"}}],
            'actual[0]["kinesis"]["data"]: data of a Lambda event are base64 text, not \'no base64\'',
        ),
        ([{"kinesis": {"data": 5}}], 'actual[0]["kinesis"]["data"]: data of a Lambda event are base64 text, not 5'),
        ([{"kinesis": {"data": "", "partitionKey": 5}}], 'actual[0]["kinesis"]["partitionKey"]: text, not 5'),
    ],
)
def test_assert_records_when_something_is_no_record_then_type_error_names_its_place_and_value(unreadable, said):
    with pytest.raises(TypeError) as raised:
        assert_records(unreadable, [])
    assert str(raised.value) == said
    assert isinstance(raised.value, errors.ShardstreamError)


# assert_records


def test_assert_records_when_expected_in_another_order_then_passes_unless_ordered():
    assert_records(SENT[::-1], SENT)
    assert_records(SENT, SENT, ordered=True)
    assert failure(assert_records, SENT[::-1], SENT, ordered=True) == (
        "all 3 records came, but in another order from index 0 on:\n"
        "  expected  key 'user-42'  b'{\"n\": 1}', which came at index 2\n"
        "  came      key 'user-42'  b'{\"n\": 3}'"
    )


def test_assert_records_when_others_came_then_says_which_are_missing_and_which_were_not_expected():
    stream = a_stream()
    second = stream.read()[1]
    assert failure(assert_records, stream, [SENT[0], (b'{"n": 2}', "user-99"), SENT[2], "home"]) == (
        "2 of 4 expected records did not come:\n"
        "  key 'user-99'  b'{\"n\": 2}'\n"
        "  b'home'\n"
        "1 record came that was not expected:\n"
        f"  key 'user-43'  shard {second.shard_id}  sequence {second.sequence_number}  b'{{\"n\": 2}}'"
    )


def test_assert_records_when_a_record_came_twice_then_says_so_once():
    assert failure(assert_records, [*SENT, SENT[0]], SENT) == (
        "1 record came that was not expected:\n  key 'user-42'  b'{\"n\": 1}'"
    )
    assert failure(assert_records, SENT, [*SENT, SENT[0]]) == (
        "1 of 4 expected records did not come:\n  key 'user-42'  b'{\"n\": 1}'"
    )


def test_assert_records_when_an_expected_item_says_no_key_then_takes_what_those_with_keys_leave():
    came = [(b"page", "user-42"), (b"page", "user-43")]
    assert_records(came, [b"page", (b"page", "user-42")])
    assert_records(came, [{"Data": b"page"}, (b"page", "user-43")])
    assert "key 'user-44'" in failure(assert_records, came, [b"page", (b"page", "user-44")])


def test_assert_records_when_what_came_says_no_keys_then_compares_data_alone():
    assert_records([b"cart", b"page"], [(b"page", "user-42"), (b"cart", "user-43")])
    assert_records([b"page", b"cart"], [(b"page", "user-42"), (b"cart", "user-43")], ordered=True)


def test_assert_records_when_ordered_and_keys_differ_then_compares_them_where_expected():
    came = [(b"page", "user-42"), (b"page", "user-43")]
    assert_records(came, [b"page", (b"page", "user-43")], ordered=True)
    said = failure(assert_records, came, [b"page", (b"page", "user-42")], ordered=True)
    assert said.startswith("all 2 records came, but in another order from index 1 on:\n")


def test_assert_records_when_a_stream_is_copied_then_its_new_numbers_do_not_matter():
    stream = a_stream(shards=1)
    assert_records(a_stream(shards=4), stream, ordered=True)
    assert_records([], ss.Engine().create_stream("clicks"))


def test_assert_records_when_items_with_and_without_keys_are_missing_then_shows_them_in_their_order():
    said = failure(assert_records, [(b"page", "user-42")], ["a", (b"b", "user-42"), "page", "c", (b"b", "user-42")])
    assert said.splitlines()[1:5] == ["  b'a'", "  key 'user-42'  b'b'", "  b'c'", "  key 'user-42'  b'b'"]


def test_assert_records_when_an_equal_record_came_in_its_place_then_points_to_the_one_that_came_late():
    said = failure(assert_records, ["a", "b", "c", "a"], ["a", "b", "a", "c"], ordered=True)
    assert said.splitlines()[1:] == ["  expected  b'a', which came at index 3", "  came      b'c'"]


def test_assert_records_when_eleven_are_missing_then_says_that_there_is_one_more():
    said = failure(assert_records, [], ["page"] * 11)
    assert said.splitlines()[1:] == ["  b'page'"] * 10 + ["  ... and 1 more"]


def test_assert_records_when_many_are_missing_then_shows_ten_and_counts_the_rest():
    said = failure(assert_records, [], [f"page {i}" for i in range(1_042)])
    assert said.splitlines()[0] == "1,042 of 1,042 expected records did not come:"
    assert said.splitlines()[1:11] == [f"  b'page {i}'" for i in range(10)]
    assert said.splitlines()[11:] == ["  ... and 1,032 more"]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"x" * 57, f"b'{'x' * 57}'"),
        (b"x" * 58, f"b'{'x' * 55}... (58 bytes)"),
        (b"x" * 2_000, f"b'{'x' * 55}... (2,000 bytes)"),
        (b"\0" * 20, "b'" + "\\x00" * 13 + "\\x0... (20 bytes)"),
    ],
)
def test_assert_records_when_data_are_long_then_shows_their_beginning_and_length(data, shown):
    assert failure(assert_records, [], [data]) == f"1 of 1 expected record did not come:\n  {shown}"


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b""]), st.sampled_from("kl"))), st.randoms())
def test_assert_records_when_permuted_then_passes_and_when_ordered_only_in_the_same_order(sent, random):
    came = random.sample(sent, len(sent))
    assert_records(came, sent)
    if came == sent:
        assert_records(came, sent, ordered=True)
    else:
        failure(assert_records, came, sent, ordered=True)


# assert_per_key_order


def test_assert_per_key_order_when_read_from_a_stream_that_was_split_then_passes():
    sent = [(f"{i}".encode(), f"user-{i % 7}") for i in range(100)]
    engine = an_engine(sent[:50])
    stream = engine.stream("clicks")
    stream.split_shard(SHARD)
    stream.put_many(sent[50:])
    assert_per_key_order(stream, sent)
    assert_per_key_order(record for answer in answers(engine) for record in answer["Records"])


def test_assert_per_key_order_when_a_child_is_read_before_its_parent_then_fails():
    stream = a_stream(SENT, shards=1)
    stream.update_shard_count(2)
    stream.put_many(SENT)
    later, earlier = stream.read(stream.read()[3]), stream.read()[:3]
    assert failure(assert_per_key_order, [*later, *earlier]).startswith("2 of 2 keys came out of order;")


def test_assert_per_key_order_when_two_records_of_a_key_are_turned_then_shows_them_and_their_places():
    came = numbered((1, "user-43"), (19, "user-42", b"two"), (2, "user-43"), (18, "user-42", b"one"), (20, "user-42"))
    assert failure(assert_per_key_order, came) == (
        "1 of 2 keys came out of order; two of its records that stand the wrong way round:\n"
        "  index 1  key 'user-42'  sequence 19  b'two'\n"
        "  index 3  key 'user-42'  sequence 18  b'one'"
    )


def test_assert_per_key_order_when_a_key_is_turned_twice_then_shows_the_first_time():
    said = failure(assert_per_key_order, numbered((2, "user-42"), (1, "user-42"), (4, "user-42"), (3, "user-42")))
    assert said.splitlines()[1:] == [
        "  index 0  key 'user-42'  sequence 2  b'page'",
        "  index 1  key 'user-42'  sequence 1  b'page'",
    ]


def test_assert_per_key_order_when_equal_records_are_sent_then_their_first_counts():
    sent = [(b"in", "user-42"), (b"out", "user-42"), (b"in", "user-42")]
    assert_per_key_order(sent, sent)
    assert "b'out'" in failure(assert_per_key_order, [sent[1], sent[0], sent[2]], sent)


def test_assert_per_key_order_when_equal_records_are_sent_then_their_numbers_still_have_to_be_in_order():
    sent = [(b"page", "user-42"), (b"page", "user-42")]
    assert_per_key_order(numbered((1, "user-42"), (2, "user-42")), sent)
    assert "sequence 2" in failure(assert_per_key_order, numbered((2, "user-42"), (1, "user-42")), sent)


def test_assert_per_key_order_when_many_keys_are_out_of_order_then_shows_five_and_counts_the_rest():
    keys = [f"user-{i}" for i in range(12)]
    said = failure(assert_per_key_order, numbered(*((2, key) for key in keys), *((1, key) for key in keys)))
    assert said.startswith("12 of 12 keys came out of order; two records of each that stand the wrong way round:\n")
    assert said.splitlines()[9:] == [
        "  index 4  key 'user-4'  sequence 2  b'page'",
        "  index 16  key 'user-4'  sequence 1  b'page'",
        "  ... and 7 more",
    ]


def test_assert_per_key_order_when_numbers_have_more_digits_then_compares_them_as_numbers():
    assert_per_key_order(numbered((9, "user-42"), (10, "user-42")))
    failure(assert_per_key_order, numbered((10, "user-42"), (9, "user-42")))


def test_assert_per_key_order_when_put_in_another_order_than_sent_then_says_where_each_was():
    stream = a_stream([SENT[2], SENT[0], SENT[1]], shards=1)
    assert_per_key_order(stream)
    third, first = stream.read()[:2]
    assert failure(assert_per_key_order, stream, SENT) == (
        "1 of 2 keys came in another order than sent; two of its records that stand the wrong way round:\n"
        f"  index 0, sent at 2  key 'user-42'  shard {SHARD}  sequence {third.sequence_number}  b'{{\"n\": 3}}'\n"
        f"  index 1, sent at 0  key 'user-42'  shard {SHARD}  sequence {first.sequence_number}  b'{{\"n\": 1}}'"
    )


def test_assert_per_key_order_when_records_were_not_sent_then_passes_over_them_unless_none_was():
    assert_per_key_order([(b"ping", "user-42"), *SENT], SENT)
    assert_per_key_order([], SENT)
    assert failure(assert_per_key_order, [(b"ping", "user-42"), (b"pong", "user-42")], SENT) == (
        "no record that came is among those sent, so nothing is known of their order; the first:\n"
        "  came  key 'user-42'  b'ping'\n"
        "  sent  key 'user-42'  b'{\"n\": 1}'"
    )


def test_assert_per_key_order_when_both_sides_say_numbers_then_equal_records_are_told_apart():
    sent = numbered((1, "user-42"), (2, "user-42"), (3, "user-42"))
    assert_per_key_order(sent, sent)
    assert "sequence 3" in failure(assert_per_key_order, [sent[0], sent[2], sent[1]], sent)


@pytest.mark.parametrize(
    ("came", "sent", "said"),
    [
        ([b"page"], None, "actual[0]: order is by key, and b'page' says no partition_key"),
        ([b"page"], SENT, "actual[0]: order is by key, and b'page' says no partition_key"),
        (SENT, [SENT[0], b"page"], "sent[1]: order is by key, and b'page' says no partition_key"),
        (
            [(b"page", "user-42")],
            None,
            "actual[0]: without `sent` the order is that of sequence numbers, and b'page' says no sequence_number",
        ),
    ],
)
def test_assert_per_key_order_when_a_record_does_not_say_what_is_needed_then_type_error_names_it(came, sent, said):
    with pytest.raises(TypeError) as raised:
        assert_per_key_order(came, sent)
    assert str(raised.value) == said


KEYS = st.lists(st.sampled_from(["user-42", "user-43", "user-44"]), min_size=1, max_size=20)


def interleaved(keys):
    """Records of these keys, in two forms: numbered within each key, and as pairs."""
    place = Counter()
    came = []
    for key in keys:
        place[key] += 1
        came.append((place[key], key, f"{place[key]}".encode()))
    return numbered(*came), [(data, key) for _, key, data in came]


@given(KEYS, st.randoms())
def test_assert_per_key_order_when_keys_are_permuted_among_each_other_then_passes(keys, random):
    with_numbers, pairs = interleaved(random.sample(keys, len(keys)))
    _, sent = interleaved(keys)
    assert_per_key_order(with_numbers)
    assert_per_key_order(with_numbers, sent)
    assert_per_key_order(pairs, sent)


@given(KEYS, st.data())
def test_assert_per_key_order_when_two_records_of_one_key_are_swapped_then_fails(keys, data):
    with_numbers, pairs = interleaved(keys)
    _, sent = interleaved(keys)
    places = [(i, j) for j in range(len(keys)) for i in range(j) if keys[i] == keys[j]]
    assume(places)
    i, j = data.draw(st.sampled_from(places))
    for came in (with_numbers, pairs):
        came[i], came[j] = came[j], came[i]
    assert f"key {keys[i]!r}" in failure(assert_per_key_order, with_numbers)
    assert f"key {keys[i]!r}" in failure(assert_per_key_order, with_numbers, sent)
    assert f"key {keys[i]!r}" in failure(assert_per_key_order, pairs, sent)


@given(KEYS, st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=3))
def test_assert_per_key_order_when_a_consumer_goes_back_then_passes(keys, steps):
    with_numbers, pairs = interleaved(keys)
    for whole in (with_numbers, pairs):
        came, reached = [], 0
        for until, back in [*steps, (len(whole), 0)]:
            came += whole[reached:until]
            reached = max(0, max(reached, until) - back)
        assert_per_key_order(came, pairs)
        if whole is with_numbers:
            assert_per_key_order(came)


# assert_no_loss


def test_assert_no_loss_when_records_were_lost_then_says_key_shard_and_sequence():
    stream = a_stream()
    first, second, third = stream.read()
    assert failure(assert_no_loss, stream, [second]) == (
        "2 of 3 records were lost:\n"
        f"  key 'user-42'  shard {first.shard_id}  sequence {first.sequence_number}  b'{{\"n\": 1}}'\n"
        f"  key 'user-42'  shard {third.shard_id}  sequence {third.sequence_number}  b'{{\"n\": 3}}'"
    )


def test_assert_no_loss_when_a_record_was_never_sent_then_says_so():
    assert failure(assert_no_loss, SENT, [*SENT, ("ping", "user-42")]) == (
        "1 record came that was never sent:\n  key 'user-42'  b'ping'"
    )
    assert failure(assert_no_loss, [], ["ping", "pong"]) == (
        "2 records came that were never sent:\n  b'ping'\n  b'pong'"
    )


def test_assert_no_loss_when_records_came_twice_then_fails_only_if_duplicates_are_not_allowed():
    came = [*SENT, SENT[0], SENT[0], SENT[1]]
    assert_no_loss(SENT, came)
    assert failure(assert_no_loss, SENT, came, allow_duplicates=False) == (
        "2 records came more often than they were sent:\n"
        "  key 'user-42'  b'{\"n\": 1}'  sent 1, came 3\n"
        "  key 'user-43'  b'{\"n\": 2}'  sent 1, came 2"
    )


def test_assert_no_loss_when_all_goes_wrong_then_tells_each():
    assert failure(assert_no_loss, SENT, [SENT[0], SENT[0], SENT[1], b"ping"], allow_duplicates=False) == (
        "1 of 3 records was lost:\n"
        "  key 'user-42'  b'{\"n\": 3}'\n"
        "1 record came that was never sent:\n"
        "  b'ping'\n"
        "1 record came more often than it was sent:\n"
        "  key 'user-42'  b'{\"n\": 1}'  sent 1, came 2"
    )


def test_assert_no_loss_when_equal_records_are_sent_then_as_many_have_to_come():
    twice = [SENT[0], SENT[0]]
    assert_no_loss(twice, twice, allow_duplicates=False)
    assert failure(assert_no_loss, twice, SENT[:1]).startswith("1 of 2 records was lost:")


def test_assert_no_loss_when_one_of_two_equal_records_comes_twice_then_the_other_is_lost():
    one, other = numbered((1, "user-42"), (2, "user-42"))
    pair = (b"page", "user-42")
    assert_no_loss([pair, pair], [one, other, one])
    assert failure(assert_no_loss, [pair, pair], [one, one]).startswith("1 of 2 records was lost:")
    assert "sequence 2" in failure(assert_no_loss, [one, other], [one, one])


def test_assert_no_loss_when_one_of_equal_records_is_lost_then_shows_the_last_and_all_in_the_order_of_sending():
    sent = numbered((1, "user-42"), (2, "user-42", b"cart"), (3, "user-42"), (4, "user-42"))
    assert failure(assert_no_loss, sent, [(b"page", "user-42")]) == (
        "3 of 4 records were lost:\n"
        "  key 'user-42'  sequence 2  b'cart'\n"
        "  key 'user-42'  sequence 3  b'page'\n"
        "  key 'user-42'  sequence 4  b'page'"
    )
    said = failure(assert_no_loss, [("a", "user-42"), ("b", "user-42"), ("a", "user-42")], [])
    assert said.splitlines()[1:] == [f"  key 'user-42'  b'{data}'" for data in "aba"]


def test_assert_no_loss_when_equal_data_come_under_another_number_then_that_is_another_record():
    assert failure(assert_no_loss, numbered((1, "user-42")), numbered((2, "user-42"), (2, "user-42"))) == (
        "1 of 1 record was lost:\n"
        "  key 'user-42'  sequence 1  b'page'\n"
        "1 record came that was never sent:\n"
        "  key 'user-42'  sequence 2  b'page'"
    )


def test_assert_no_loss_when_a_producer_sent_again_then_shows_the_first_that_came():
    came = numbered((1, "user-42"), (2, "user-42"))
    assert_no_loss([(b"page", "user-42")], came)
    assert failure(assert_no_loss, [(b"page", "user-42")], came, allow_duplicates=False) == (
        "1 record came more often than it was sent:\n  key 'user-42'  sequence 1  b'page'  sent 1, came 2"
    )


def test_assert_no_loss_when_a_number_comes_with_other_data_too_then_only_that_is_strange():
    sent, other = numbered((1, "user-42", b"page"), (1, "user-42", b"cart"))
    assert failure(assert_no_loss, [sent], [other, sent]) == (
        "1 record came that was never sent:\n  key 'user-42'  sequence 1  b'cart'"
    )


def test_assert_no_loss_when_a_number_comes_with_other_data_then_that_is_another_record():
    assert failure(assert_no_loss, numbered((1, "user-42", b"page")), numbered((1, "user-42", b"cart"))) == (
        "1 of 1 record was lost:\n"
        "  key 'user-42'  sequence 1  b'page'\n"
        "1 record came that was never sent:\n"
        "  key 'user-42'  sequence 1  b'cart'"
    )


def test_assert_no_loss_when_a_sent_record_is_named_twice_then_it_is_one():
    stream = a_stream()
    assert_no_loss([*stream.read(), *stream.read()], stream, allow_duplicates=False)


@given(KEYS, st.data())
def test_assert_no_loss_when_any_record_is_dropped_then_finds_it(keys, data):
    with_numbers, pairs = interleaved(keys)
    equal = [(b"page", key) for key in keys]
    dropped = data.draw(st.sampled_from(range(len(keys))))
    again = data.draw(st.lists(st.sampled_from(range(len(keys)))))
    for sent in (with_numbers, pairs, equal):
        left = sent[:dropped] + sent[dropped + 1 :]
        said = failure(assert_no_loss, sent, left)
        assert said.startswith(f"1 of {len(keys)} record")
        assert f"key {keys[dropped]!r}" in said
    for sent in (with_numbers, pairs):
        left = sent[:dropped] + sent[dropped + 1 :] + [sent[i] for i in again if i != dropped]
        assert f"key {keys[dropped]!r}" in failure(assert_no_loss, sent, left)


@given(KEYS, st.randoms())
def test_assert_no_loss_when_all_come_in_any_order_and_some_again_then_passes(keys, random):
    for sent in interleaved(keys):
        assert_no_loss(sent, random.sample(sent, len(sent)), allow_duplicates=False)
        assert_no_loss(sent, random.sample(sent, len(sent)) + random.choices(sent, k=3))
        failure(assert_no_loss, sent, [*sent, random.choice(sent)], allow_duplicates=False)


# assert_balanced


def test_assert_balanced_when_one_key_is_the_cause_then_shows_it_and_that_a_split_does_not_help():
    records = in_shards([10, 14, 7, 9], lambda shard, i: "user-42" if (shard, i % 7 > 0) == (1, True) else f"user-{i}")
    assert failure(assert_balanced, records) == (
        "2 of 4 shards are out of balance (even is 10 records each, give or take 25%):\n"
        "  shardId-000000000001  ####################  14   35.0%  too many\n"
        "  shardId-000000000002  ##########             7   17.5%  too few\n"
        "  shardId-000000000003  #############          9   22.5%\n"
        "  shardId-000000000000  ##############        10   25.0%\n"
        "keys that weigh most in shardId-000000000001:\n"
        "  key 'user-42'  12 records, 85.7% of the shard\n"
        "  key 'user-0'  1 record, 7.1% of the shard\n"
        "  key 'user-7'  1 record, 7.1% of the shard\n"
        "One key is the cause: 'user-42' alone is more than a shard may hold after a split (10).\n"
        "A split does not help; spread its records over several keys."
    )


def test_assert_balanced_when_many_keys_are_the_cause_then_says_that_a_split_spreads_them():
    said = failure(assert_balanced, in_shards([10, 30]))
    assert said.splitlines()[0] == "2 of 2 shards are out of balance (even is 20 records each, give or take 25%):"
    assert said.splitlines()[3:] == [
        "keys that weigh most in shardId-000000000001:",
        *(f"  key 'user-1-{i}'  1 record, 3.3% of the shard" for i in range(5)),
        "  ... and 25 more",
        "No key alone is the cause: a split of shardId-000000000001 spreads its keys.",
    ]


def test_assert_balanced_when_shards_hold_too_few_and_none_too_many_then_says_so():
    said = failure(assert_balanced, in_shards([10, 10, 10, 10, 5]))
    assert said.startswith("1 of 5 shards is out of balance (even is 9 records each, give or take 25%):\n")
    assert said.endswith("No key is the cause: no shard holds too many records, but some hold too few.")


def test_assert_balanced_when_there_are_many_shards_then_shows_the_ten_worst():
    said = failure(assert_balanced, in_shards([*[100] * 12, 1_000]))
    assert said.splitlines()[1] == "  shardId-000000000012  ####################  1,000   45.5%  too many"
    assert said.splitlines()[10] == "  shardId-000000000008  ##                      100    4.5%  too few"
    assert said.splitlines()[11] == "  ... and 3 more"


@pytest.mark.parametrize(
    ("counts", "tolerance"), [([75, 125], 0.25), ([10, 10], 0), ([71, 129], 0.29), ([0, 2], 1), ([], 0.25), ([0, 0], 0)]
)
def test_assert_balanced_when_at_the_edge_of_the_tolerance_then_passes(counts, tolerance):
    assert_balanced(in_shards(counts), tolerance=tolerance)


@pytest.mark.parametrize(("counts", "tolerance"), [([74, 126], 0.25), ([10, 11], 0), ([70, 130], 0.29)])
def test_assert_balanced_when_past_the_edge_of_the_tolerance_then_fails(counts, tolerance):
    assert failure(assert_balanced, in_shards(counts), tolerance=tolerance).startswith("2 of 2 shards are")


def test_assert_balanced_when_a_streams_keys_are_many_then_passes():
    stream = a_stream([(b"page", f"user-{i}") for i in range(2_000)], shards=4)
    assert_balanced(stream)
    assert_balanced(stream.read())


def test_assert_balanced_when_a_shard_of_a_stream_is_empty_then_it_counts():
    stream = a_stream([(b"page", "user-42")] * 3)
    assert_balanced(stream.read())
    assert "0    0.0%  too few" in failure(assert_balanced, stream)


def test_assert_balanced_when_a_streams_shard_is_closed_then_it_does_not_count():
    stream = a_stream([(b"page", f"user-{i}") for i in range(1_000)], shards=1)
    stream.update_shard_count(2)
    assert_balanced(stream)
    stream.put(b"page", key="user-42")
    assert failure(assert_balanced, stream).startswith("2 of 2 shards are out of balance (even is 0.5 records each")


def test_assert_balanced_when_a_record_does_not_say_its_shard_then_type_error_names_it():
    with pytest.raises(TypeError) as raised:
        assert_balanced(SENT)
    assert str(raised.value) == "records[0]: balance is among shards, and b'{\"n\": 1}' says no shard_id"


@pytest.mark.parametrize("tolerance", [-0.1, "0.25", None, True, float("nan"), float("inf")])
def test_assert_balanced_when_tolerance_is_no_share_then_refuses(tolerance):
    with pytest.raises(errors.InvalidArgumentException, match=r"tolerance: a share of the mean, like 0\.25"):
        assert_balanced([], tolerance=tolerance)


# How pytest shows it


@pytest.mark.parametrize(
    "fails",
    [
        lambda: assert_records([], SENT),
        lambda: assert_per_key_order(numbered((2, "user-42"), (1, "user-42"))),
        lambda: assert_no_loss(SENT, []),
        lambda: assert_balanced(in_shards([1, 9])),
    ],
)
def test_assertion_when_it_fails_then_every_frame_below_the_callers_is_hidden(fails):
    with pytest.raises(AssertionError) as raised:
        fails()
    frames = [frame for frame, _ in traceback.walk_tb(raised.value.__traceback__)]
    below = [frame for frame in frames if frame.f_code.co_filename != __file__]
    assert below
    assert all(frame.f_locals["__tracebackhide__"] for frame in below)


def test_assertion_when_it_fails_under_pytest_then_shows_the_callers_line_and_the_message_alone(tmp_path):
    (tmp_path / "test_consumer.py").write_text(
        "from shardstream.testing.assertions import assert_no_loss\n\n"
        "def test_consumer():\n"
        "    assert_no_loss([(b'page', 'user-42')], [])\n"
    )
    options = ["--color=no", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "test_consumer.py"]
    command = [sys.executable, "-m", "pytest", *options]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    shown = run.stdout[run.stdout.index("def test_consumer") : run.stdout.index("short test summary")]
    assert shown.rstrip("= ").rstrip() == (
        "def test_consumer():\n"
        ">       assert_no_loss([(b'page', 'user-42')], [])\n"
        "E       AssertionError: 1 of 1 record was lost:\n"
        "E         key 'user-42'  b'page'\n\n"
        "test_consumer.py:4: AssertionError"
    )
