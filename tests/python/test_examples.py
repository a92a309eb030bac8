"""The examples: their suites pass, and find the bug of the second variant, by the one test that says so."""

import re

import pytest

RECORD = r"key 'user-\d'  shard shardId-\d{12}  sequence \d{56}  b'page \d+'"
REVEALING = {
    "producer": "test_send_when_one_record_is_refused_then_only_that_one_is_sent_again_which_reveals_the_bug",
    "consumer": "test_restart_when_processing_failed_then_no_record_is_lost_which_reveals_the_bug",
}
FOUND = {
    "producer": rf"9 records came more often than they were sent:\nE +{RECORD}  sent 1, came 2",
    "consumer": rf"1 of 10 records was lost:\nE +{RECORD}",
}


@pytest.mark.parametrize("example", REVEALING)
def test_example_when_good_then_its_suite_passes(run_example, example):
    passed, failed, output = run_example(example, "good")
    assert not failed, output
    assert REVEALING[example] in passed
    assert any("chaos" in test for test in passed)


@pytest.mark.parametrize("example", REVEALING)
def test_example_when_buggy_then_one_test_fails_and_names_the_records(run_example, example):
    passed, failed, output = run_example(example, "buggy")
    assert failed == [REVEALING[example]], output
    assert len(passed) > 5
    assert re.search(FOUND[example], output), output
