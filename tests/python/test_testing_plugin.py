"""The pytest plugin, tried by suites of its users."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

HEADER = "import pytest\nimport shardstream as ss\n"


@pytest.fixture
def suite(pytester, monkeypatch):
    """A suite of a user, run in a process of its own; returns the outcome."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)

    def run(body, *options, ini=""):
        pytester.makepyfile(test_app=HEADER + body)
        if ini:
            pytester.makeini(f"[pytest]\n{ini}")
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)

    return run


def test_fixtures_when_nothing_is_said_then_each_test_has_an_engine_of_its_own(suite):
    outcome = suite(
        """
        @pytest.mark.parametrize("turn", [1, 2])
        def test_it(turn, kinesis, kinesis_client, kinesis_clock, kinesis_stream, kinesis_faults):
            assert kinesis.list_streams() == [kinesis_stream.name]
            assert kinesis_clock is kinesis.clock and kinesis_faults is kinesis.faults
            assert kinesis_clock.now().isoformat() == "2026-01-01T00:00:00+00:00"
            assert len(kinesis_stream.shards()) == 4 and len(kinesis_stream) == 0
            put = kinesis_client.put_record(StreamName=kinesis_stream.name, Data=b"page", PartitionKey="user-1")
            assert put["SequenceNumber"] == kinesis_stream.read()[0].sequence_number
            kinesis_clock.advance("25h")
            assert len(kinesis_stream) == 0
    """.replace("\n        ", "\n")
    )
    outcome.assert_outcomes(passed=2)


def test_client_when_boto3_is_there_then_it_is_boto3s_without_retries(suite):
    outcome = suite("""
import botocore.client

def test_it(kinesis_client, kinesis_stream, kinesis_faults, kinesis_clock):
    assert isinstance(kinesis_client, botocore.client.BaseClient)
    kinesis_faults.throttle(op="PutRecord", times=1)
    before = kinesis_clock.now()
    with pytest.raises(kinesis_client.exceptions.ProvisionedThroughputExceededException):
        kinesis_client.put_record(StreamName=kinesis_stream.name, Data=b"page", PartitionKey="user-1")
    assert kinesis_clock.now() == before
""")
    outcome.assert_outcomes(passed=1)


def test_client_when_boto3_is_not_there_then_it_is_ours(suite):
    outcome = suite("""
import sys
from pathlib import Path
sys.modules["boto3"] = None

def test_it(kinesis_client, kinesis_stream):
    assert type(kinesis_client).__module__ == "shardstream.client"
    assert kinesis_client.list_streams()["StreamNames"] == [kinesis_stream.name]
""")
    outcome.assert_outcomes(passed=1)


def test_endpoint_when_asked_for_then_other_clients_find_the_engine_there(suite):
    outcome = suite("""
import boto3

def test_it(kinesis_endpoint, kinesis_stream):
    assert kinesis_endpoint.startswith("http://127.0.0.1:")
    client = boto3.client("kinesis", endpoint_url=kinesis_endpoint, region_name="us-east-1",
                          aws_access_key_id="a", aws_secret_access_key="b")
    client.put_record(StreamName=kinesis_stream.name, Data=b"page", PartitionKey="user-1")
    assert [record.data for record in kinesis_stream.read()] == [b"page"]
""")
    outcome.assert_outcomes(passed=1)


MARKED = """
pytestmark = pytest.mark.kinesis(shards=3)

@pytest.mark.kinesis(limits="aws", region="eu-west-1", account_id="123456789012", start="2026-05-01T00:00:00Z", seed=7)
def test_it(kinesis, kinesis_client, kinesis_stream, make_kinesis_stream):
    assert len(kinesis_stream.shards()) == 3
    assert len(make_kinesis_stream("two", shards=2).shards()) == 2
    assert make_kinesis_stream().name == f"{kinesis_stream.name}-3"
    assert kinesis.region == "eu-west-1" == kinesis_client.meta.region_name
    arn = kinesis_client.describe_stream_summary(StreamName="two")["StreamDescriptionSummary"]["StreamARN"]
    assert arn == "arn:aws:kinesis:eu-west-1:123456789012:stream/two"
    assert str(kinesis.clock.now()) == "2026-05-01 00:00:00+00:00"
    for _ in range(5):
        kinesis_stream.read(shard_id="shardId-000000000000")
    with pytest.raises(ss.errors.ProvisionedThroughputExceededException):
        kinesis_stream.read(shard_id="shardId-000000000000")

@pytest.mark.kinesis(mode="ON_DEMAND")
def test_mode(kinesis_client, kinesis_stream):
    answer = kinesis_client.describe_stream_summary(StreamName=kinesis_stream.name)
    assert answer["StreamDescriptionSummary"]["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
"""


def test_marker_when_it_says_how_then_engine_and_streams_are_so_and_nearer_ones_go_first(suite):
    suite(MARKED).assert_outcomes(passed=2)


def test_marker_when_it_says_something_unknown_then_error_names_it(suite):
    outcome = suite("@pytest.mark.kinesis(shard=3)\ndef test_it(kinesis): ...\n")
    outcome.assert_outcomes(errors=1)
    outcome.stdout.fnmatch_lines(["*@pytest.mark.kinesis does not know shard; it takes shards, mode, *"])


SAYS = """
import json, os

def test_it(kinesis_stream, kinesis):
    facts = [len(kinesis_stream.shards()), repr(kinesis), kinesis_stream.put(b"", key="a").sequence_number]
    open("facts.json", "w").write(json.dumps(facts))
"""


def test_options_when_given_then_command_line_goes_before_ini_and_marker_before_both(suite, pytester):
    def facts():
        return json.loads((pytester.path / "facts.json").read_text())

    suite(SAYS).assert_outcomes(passed=1)
    plain = facts()
    ini = "kinesis_shards = 2\nkinesis_limits = aws\nkinesis_seed = 5"
    suite(SAYS, ini=ini).assert_outcomes(passed=1)
    assert facts()[:2] == [2, "Engine(in memory, 1 stream, limits='aws')"]
    assert facts()[2] != plain[2]
    suite(SAYS, "--kinesis-shards=6", "--kinesis-limits=off", "--kinesis-seed=0").assert_outcomes(passed=1)
    assert facts()[:2] == [6, "Engine(in memory, 1 stream)"]
    outcome = suite(SAYS.replace("def test_it", "@pytest.mark.kinesis(shards=1)\ndef test_it"), "--kinesis-seed=9")
    outcome.stdout.fnmatch_lines(["kinesis seed: 9"])
    assert facts()[0] == 1


def test_plugin_when_listed_then_fixtures_say_what_they_are(suite):
    outcome = suite("def test_it(): ...", "--fixtures")
    for name in ("kinesis", "kinesis_client", "kinesis_clock", "kinesis_endpoint", "kinesis_faults", "kinesis_stream"):
        outcome.stdout.re_match_lines([rf"{name} -- .*"])
    suite("def test_it(): ...", "--markers").stdout.fnmatch_lines(["@pytest.mark.kinesis(...)*"])


def test_faults_when_one_never_fired_then_the_test_has_an_error_that_names_it(suite):
    outcome = suite("""
def test_it(kinesis_faults, kinesis_client, kinesis_stream):
    kinesis_faults.throttle(op="PutRecord", times=2)
    kinesis_faults.empty_pages(3, required=False)
""")
    outcome.assert_outcomes(passed=1, errors=1)
    outcome.stdout.fnmatch_lines(
        [
            "*AssertionError: 1 of 2 faults never fired:",
            '*  kinesis_faults.throttle(op="PutRecord", times=2)',
        ]
    )


def test_faults_when_the_test_fails_by_itself_then_they_say_nothing(suite):
    outcome = suite("""
def test_it(kinesis_faults):
    kinesis_faults.throttle(op="PutRecord")
    assert 1 == 2
""")
    outcome.assert_outcomes(failed=1)
    assert "never fired" not in outcome.stdout.str()


# Tries again where the service fails, and so stores a record twice whose first answer was lost.
CHAOTIC = """
from botocore.exceptions import ClientError, ConnectionClosedError

def send(client, stream, number):
    for _ in range(10):
        try:
            client.put_record(StreamName=stream, Data=b"%d" % number, PartitionKey="user-1")
            return
        except (ClientError, ConnectionClosedError):
            continue

def test_it(kinesis_client, kinesis_stream, kinesis_faults):
    kinesis_faults.chaos(seed=7, rate=0.4)
    for number in range(40):
        send(kinesis_client, kinesis_stream.name, number)
    stored = [record.data for record in kinesis_stream.read()]
    assert len(stored) == 40
"""


def test_chaos_when_a_test_fails_then_the_smallest_schedule_is_printed_and_fails_it_too(suite):
    outcome = suite(CHAOTIC)
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(
        [
            "*kinesis chaos*",
            "the smallest schedule that still fails this test, 1 of * faults, found in * runs:",
            '    kinesis_faults.drop_connection(after_write=True, op="PutRecord", at=[[]*[]])',
            "put it in place of kinesis_faults.chaos(...) to keep it",
        ]
    )
    (line,) = [line.strip() for line in outcome.outlines if line.strip().startswith("kinesis_faults.drop")]
    kept = suite(CHAOTIC.replace("kinesis_faults.chaos(seed=7, rate=0.4)", line))
    kept.assert_outcomes(failed=1)
    assert "the smallest schedule" not in kept.stdout.str()


def test_chaos_when_shrinking_is_off_then_the_test_fails_once(suite):
    outcome = suite(CHAOTIC, "--kinesis-shrink=0")
    outcome.assert_outcomes(failed=1)
    assert "the smallest schedule" not in outcome.stdout.str()


def test_chaos_when_a_program_copes_then_the_test_passes_and_module_fixtures_are_made_once(suite):
    outcome = suite("""
made = []

@pytest.fixture(scope="module")
def module():
    made.append(1)

def test_it(module, kinesis_client, kinesis_stream, kinesis_faults):
    kinesis_faults.chaos(seed=3, rate=0.3)
    for number in range(30):
        for _ in range(10):
            try:
                kinesis_client.put_record(StreamName=kinesis_stream.name, Data=b"%d" % number, PartitionKey="a")
                break
            except Exception:
                continue
    assert kinesis_faults.fired
    ss.testing.assert_no_loss([b"%d" % number for number in range(30)], kinesis_stream)

def test_next(module):
    assert made == [1]
""")
    outcome.assert_outcomes(passed=2)


PARALLEL = """
import boto3

@pytest.mark.parametrize("turn", range(20))
def test_it(turn, kinesis, kinesis_endpoint, kinesis_stream, kinesis_faults):
    client = boto3.client("kinesis", endpoint_url=kinesis_endpoint, region_name="us-east-1",
                          aws_access_key_id="a", aws_secret_access_key="b")
    assert client.list_streams()["StreamNames"] == [kinesis_stream.name]
"""


def test_plugin_when_run_by_xdist_then_tests_share_nothing(suite):
    suite(PARALLEL, "-n", "2").assert_outcomes(passed=20)


def test_chaos_when_run_by_xdist_then_the_schedule_is_printed(suite):
    outcome = suite(CHAOTIC, "-n", "2")
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["the smallest schedule that still fails this test, 1 of * faults*"])


def test_mock_when_given_the_engine_of_the_fixtures_then_its_clock_faults_and_chaos_are_the_tests(suite):
    outcome = suite("""
import boto3

def test_it(kinesis, kinesis_stream, kinesis_clock, kinesis_faults):
    kinesis_faults.throttle(op="PutRecord", times=1)
    with ss.testing.mock_kinesis(engine=kinesis) as engine:
        assert engine is kinesis
        client = boto3.client("kinesis", region_name="us-east-1")
        before = kinesis_clock.now()
        client.put_record(StreamName=kinesis_stream.name, Data=b"page", PartitionKey="user-1")
        assert kinesis_clock.now() > before  # boto3 waited before it tried again
    assert not kinesis.closed
    ss.testing.assert_records(kinesis_stream, [b"page"])

def test_options(kinesis):
    with pytest.raises(ss.errors.InvalidArgumentException, match="no other options beside it"):
        ss.testing.mock_kinesis(engine=kinesis, seed=7)
""")
    outcome.assert_outcomes(passed=2)


FROZEN = """
import datetime

@pytest.fixture
def frozen():
    {enter}

def test_it(kinesis, kinesis_client, kinesis_stream, kinesis_clock):
    {enter}
        assert str(kinesis_clock.now()) == "2026-03-01 00:00:00+00:00"
        kinesis_stream.put(b"page", key="user-1")
        iterator = kinesis_client.get_shard_iterator(
            StreamName=kinesis_stream.name, ShardId=kinesis_stream.read()[0].shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        (record,) = kinesis_client.get_records(ShardIterator=iterator)["Records"]
        assert record["ApproximateArrivalTimestamp"].timestamp() == 1772323200
        {move}(datetime.timedelta(seconds=301))
        with pytest.raises(kinesis_client.exceptions.ExpiredIteratorException):
            kinesis_client.get_records(ShardIterator=iterator)
        {move}(datetime.timedelta(hours=24))
        assert len(kinesis_stream) == 0
        with pytest.raises(ss.errors.InvalidArgumentException, match="freezer.tick"):
            kinesis_clock.advance("1s")
    assert str(kinesis_clock.now()) == "2026-01-01 00:00:00+00:00"
"""
FREEZERS = {
    "freezegun": ("from freezegun import freeze_time\n", 'with freeze_time("2026-03-01") as held:', "held.tick"),
    "time-machine": (
        "import time_machine\n",
        'with time_machine.travel("2026-03-01T00:00:00Z", tick=False) as held:',
        "held.shift",
    ),
}


@pytest.mark.parametrize("freezer", FREEZERS)
def test_clock_when_pythons_time_is_held_then_the_engine_follows_it(freezer, suite):
    imports, enter, move = FREEZERS[freezer]
    body = FROZEN.replace("@pytest.fixture\ndef frozen():\n    {enter}\n\n", "")
    suite(imports + body.format(enter=enter, move=move)).assert_outcomes(passed=1)


def test_plugin_when_loaded_then_nothing_heavy_is_imported():
    program = (
        "import sys; before = set(sys.modules); import pytest; import shardstream.testing.plugin; "
        "heavy = {'numpy', 'boto3', 'botocore', 'hypothesis', 'asyncio', 'typing_extensions', 'unittest'}; "
        "import json; print(json.dumps(sorted(heavy & set(sys.modules))))"
    )
    bare = "import sys, json, pytest; print(json.dumps(sorted(sys.modules)))"

    def printed(code):
        return json.loads(
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        )

    assert set(printed(program)) <= set(printed(bare))


def test_page_when_its_suite_is_run_then_it_passes(suite):
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    consumer, tests, mocks, machine = [
        next(block for block in blocks if word in block)
        for word in ("# consumer.py", "# test_consumer.py", "mock_kinesis()", "ConsumerMachine")
    ]
    outcome = suite(consumer + tests + mocks + machine)
    outcome.assert_outcomes(passed=5)
