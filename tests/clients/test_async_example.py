"""The example on aiobotocore: its suite passes, and finds the bug of the second variant."""

import re
import sys
from pathlib import Path

AIOBOTOCORE = Path(sys.executable).parents[1] / "aiobotocore"
REVEALING = "test_run_when_the_records_of_one_shard_always_fail_then_the_other_is_read_which_reveals_the_bug"


def test_example_when_good_then_its_suite_passes(run_example):
    passed, failed, output = run_example("async_consumer", "good", AIOBOTOCORE)
    assert not failed, output
    assert REVEALING in passed
    assert any("chaos" in test for test in passed)


def test_example_when_buggy_then_one_test_fails_and_names_the_records(run_example):
    passed, failed, output = run_example("async_consumer", "buggy", AIOBOTOCORE)
    assert failed == [REVEALING], output
    assert len(passed) > 5
    record = r"key 'user-\d'  shard shardId-000000000001  sequence \d{56}  b'page \d+'"
    assert re.search(rf"8 of 8 records were lost:\nE +{record}", output), output
