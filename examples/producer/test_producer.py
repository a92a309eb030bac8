"""The producer where Kinesis refuses, fails, and does not answer."""

from datetime import timedelta

import pytest

from shardstream.testing import assert_balanced, assert_no_loss, assert_per_key_order, assert_records


def clicks(count):
    return [(f"page {n}".encode(), f"user-{n % 100}") for n in range(count)]


@pytest.fixture
def application(variant):
    return variant("producer")


@pytest.fixture
def make_producer(application, kinesis_client, kinesis_stream, kinesis_clock):
    """Makes producers for which time passes while they wait, and that wait as long as they ever do."""

    def make(stream_name=kinesis_stream.name, **options):
        def sleep(seconds):
            kinesis_clock.advance(timedelta(milliseconds=round(seconds * 1000)))

        return application.Producer(kinesis_client, stream_name, sleep=sleep, jitter=lambda: 1.0, **options)

    return make


def test_send_when_all_is_well_then_every_record_is_there_once_and_in_order(make_producer, kinesis_stream):
    sent = clicks(1_200)
    make_producer().send(sent)
    assert_records(kinesis_stream, sent)
    assert_per_key_order(kinesis_stream, sent)
    assert_balanced(kinesis_stream)


def test_send_when_one_record_is_refused_then_only_that_one_is_sent_again_which_reveals_the_bug(
    make_producer, kinesis_stream, kinesis_faults
):
    kinesis_faults.fail_records(indexes=[3], code="ProvisionedThroughputExceededException")
    sent = clicks(10)
    make_producer().send(sent)
    assert_no_loss(sent, kinesis_stream, allow_duplicates=False)


@pytest.mark.parametrize("fault", ["throttle", "internal_failure", "drop_connection"])
def test_send_when_a_batch_fails_twice_then_waits_longer_each_time_and_the_next_batch_comes_after_it(
    make_producer, kinesis_stream, kinesis_clock, kinesis_faults, fault
):
    getattr(kinesis_faults, fault)(op="PutRecords", times=2)
    before = kinesis_clock.now()
    make_producer().send(clicks(1_200))
    assert kinesis_clock.now() - before == timedelta(seconds=0.2 + 0.4)
    assert_records(kinesis_stream, clicks(1_200))
    assert_per_key_order(kinesis_stream, clicks(1_200))


@pytest.mark.kinesis(limits="aws", shards=1)
def test_send_when_a_shard_takes_1000_records_a_second_then_the_others_wait_for_their_turn(
    make_producer, kinesis_stream, kinesis_clock
):
    before = kinesis_clock.now()
    make_producer().send(clicks(1_500))
    assert kinesis_clock.now() - before >= timedelta(seconds=0.5)
    assert_no_loss(clicks(1_500), kinesis_stream)


def test_send_when_the_answer_is_lost_then_records_come_twice_but_none_is_lost(
    make_producer, kinesis_stream, kinesis_faults
):
    kinesis_faults.drop_connection(op="PutRecords", after_write=True)
    make_producer().send(clicks(10))
    assert len(kinesis_stream.read()) == 20
    assert_no_loss(clicks(10), kinesis_stream)


def test_send_when_it_gives_up_then_the_error_names_what_was_not_sent_and_nothing_else(
    application, make_producer, kinesis_stream, kinesis_faults
):
    kinesis_faults.throttle(op="PutRecords", at=[2, 3, 4])
    with pytest.raises(application.NotSentError, match="ProvisionedThroughputExceededException") as failure:
        make_producer(tries=3).send(clicks(1_200))
    assert failure.value.records == clicks(1_200)[500:]
    assert_records(kinesis_stream, clicks(500))


def test_send_when_there_is_no_such_stream_then_gives_up_at_once(application, make_producer, kinesis_clock):
    before = kinesis_clock.now()
    with pytest.raises(application.NotSentError, match="ResourceNotFoundException"):
        make_producer("nowhere").send(clicks(1))
    assert kinesis_clock.now() == before


def test_send_when_chaos_reigns_then_no_record_is_lost(make_producer, kinesis_stream, kinesis_faults):
    kinesis_faults.chaos(seed=7)
    make_producer().send(clicks(5_000))
    assert_no_loss(clicks(5_000), kinesis_stream)


def test_batches_when_records_are_many_or_large_then_none_is_more_than_kinesis_takes(application):
    assert [len(batch) for batch in application.batches(clicks(1_001))] == [500, 500, 1]
    large = [(bytes(1024 * 1024), "user-1")] * 10
    assert [len(batch) for batch in application.batches(large)] == [9, 1]
    assert list(application.batches([])) == []
