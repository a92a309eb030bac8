"""Faults by clients of all kinds: how they are told, counted, ended and forgotten."""

import datetime

import pytest

import shardstream as ss

NAME, SHARD = "clicks", "shardId-000000000000"
# What a seed of 7 chooses first.
CHAOS = [
    'kinesis_faults.reshard(op="PutRecord", at=[2])',
    'kinesis_faults.reshard(op="PutRecord", at=[4])',
    'kinesis_faults.throttle(op="PutRecord", at=[8])',
]


def failing(kinesis, calls):
    """What became of so many puts: the codes of refusals."""
    codes = []
    for _ in range(calls):
        try:
            kinesis.put()
            codes.append(None)
        except kinesis.client.exceptions.ClientError as error:
            codes.append(error.response["Error"]["Code"])
    return codes


def test_faults_when_there_are_none_then_nothing_is_told(engine, faults):
    assert engine.faults is faults
    assert (faults.fired, faults.unfired, faults.script(), faults.is_chaotic) == ([], [], "", False)
    faults.assert_fired()
    assert repr(faults) == "Faults([])"


def test_fault_when_it_happened_then_is_told_where(kinesis, faults):
    kinesis.put()
    faults.throttle(op="PutRecord", at=[2])
    faults.fail_records([0, 2], code="InternalFailure")
    kinesis.put()
    kinesis.code(kinesis.put)
    kinesis.put_all(b"a")
    throttle, failure = faults.fired
    assert (throttle.op, throttle.call, throttle.stream, throttle.shard_id) == ("PutRecord", 2, NAME, SHARD)
    assert (failure.op, failure.call, failure.stream, failure.shard_id) == ("PutRecords", 1, NAME, SHARD)
    assert repr(throttle) == f"<throttle at call 2 of PutRecord, {NAME} {SHARD}>"
    assert repr(failure) == f"<fail_records at call 1 of PutRecords, {NAME} {SHARD}>"
    assert faults.script().splitlines() == [
        'kinesis_faults.throttle(op="PutRecord", at=[2])',
        'kinesis_faults.fail_records(indexes=[0, 2], code="InternalFailure", op="PutRecords", at=[1])',
    ]


def test_fault_when_shown_then_is_the_line_of_a_script_and_its_count(kinesis, faults):
    fault = faults.throttle("PutRecord", times=2, stream=NAME)
    kinesis.code(kinesis.put)
    assert repr(fault) == f'<throttle(op="PutRecord", stream="{NAME}", times=2): fired 1>'
    assert repr(faults) == f"Faults([{fault!r}])"


def test_faults_when_some_never_happened_then_the_failure_names_them(kinesis, faults):
    faults.throttle("PutRecord")
    latency = faults.latency(datetime.timedelta(seconds=1.5), op="GetRecords")
    dropped = faults.drop_connection("PutRecords", times=3, after_write=True)
    kinesis.code(kinesis.put)
    assert faults.unfired == [latency, dropped]
    with pytest.raises(AssertionError) as caught:
        faults.assert_fired()
    assert str(caught.value) == (
        "2 of 3 faults never fired:\n"
        '  kinesis_faults.latency("1500ms", op="GetRecords")\n'
        '  kinesis_faults.drop_connection(after_write=True, op="PutRecords", times=3)'
    )


def test_faults_when_not_required_then_need_not_happen(faults):
    fault = faults.throttle(required=False)
    assert not fault.required
    assert faults.unfired == []
    faults.assert_fired()


def test_faults_when_all_happened_then_nothing_is_wrong(kinesis, faults):
    faults.throttle(times=3)
    kinesis.code(kinesis.put)
    faults.assert_fired()


def test_fault_when_ended_then_happens_no_more_and_stays_counted(kinesis, faults):
    fault = faults.internal_failure(rate=1)
    kinesis.code(kinesis.put)
    fault.end()
    kinesis.put()
    assert fault.fired == 1
    assert faults.unfired == []


def test_fault_when_in_a_with_statement_then_lasts_as_long(kinesis, faults):
    with faults.internal_failure(rate=1) as fault:
        assert failing(kinesis, 2) == ["InternalFailureException"] * 2
    assert failing(kinesis, 2) == [None, None]
    assert fault.fired == 2


def test_fault_when_the_with_statement_fails_then_is_ended_too(kinesis, faults):
    with pytest.raises(kinesis.client.exceptions.ClientError), faults.throttle(rate=1):
        kinesis.put()
    kinesis.put()


def test_faults_when_cleared_then_are_forgotten(kinesis, faults):
    faults.throttle(times=3)
    faults.chaos(1, rate=1)
    kinesis.code(kinesis.put)
    faults.clear()
    assert (faults.fired, faults.asked_for, faults.unfired, faults.is_chaotic) == ([], [], [], False)
    assert failing(kinesis, 20) == [None] * 20
    fault = faults.throttle()
    kinesis.code(kinesis.put)
    assert fault.fired == 1


def test_faults_when_two_strike_one_call_then_the_first_that_was_asked_for_does(kinesis, faults):
    failure, throttle = faults.internal_failure(), faults.throttle()
    assert failing(kinesis, 3) == ["InternalFailureException", "ProvisionedThroughputExceededException", None]
    assert (failure.fired, throttle.fired) == (1, 1)


def test_fault_when_of_another_engine_then_this_one_is_sound(kinesis, clock):
    with ss.Engine(clock=clock) as other:
        other.faults.throttle(rate=1)
        kinesis.put()


def test_chaos_when_of_one_seed_then_is_the_same_by_all_clients(kinesis, faults):
    faults.chaos(7, rate=0.5)
    assert faults.is_chaotic
    failures = 0
    for _ in range(40):
        try:
            kinesis.put()
        except Exception:  # noqa: BLE001 - refused, or broken off
            failures += 1
    assert faults.script().splitlines()[:3] == CHAOS
    # Reshards do not fail the call.
    assert 5 < failures < len(faults.fired) < 35
    assert faults.asked_for == []


def test_fault_when_at_one_call_then_a_number_alone_will_do(kinesis, faults):
    faults.internal_failure("PutRecord", at=2)
    faults.fail_records(1)
    assert failing(kinesis, 3) == [None, "InternalFailureException", None]
    assert ["ErrorCode" in record for record in kinesis.put_all(b"a", b"b")["Records"]] == [False, True]
