"""`mock_kinesis` as a decorator: of functions, coroutines, and classes of tests."""

import asyncio
import inspect
import unittest

import boto3
import botocore.exceptions
import pytest

from shardstream.testing import mock_kinesis

NAME, SHARD = "clicks", "shardId-000000000000"


def a_client(**options):
    keys = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret"}
    return boto3.session.Session().client("kinesis", **keys, **options)


def put(client, data=b"page"):
    return client.put_record(StreamName=NAME, Data=data, PartitionKey="k")["ShardId"]


def streams(client):
    return client.list_streams()["StreamNames"]


def made_here():
    """Makes a stream by a client that is made here, and tells which streams there are."""
    client = boto3.session.Session().client("kinesis")
    client.create_stream(StreamName=NAME, ShardCount=1)
    return client.list_streams()["StreamNames"]


@mock_kinesis
def by_name():
    return made_here()


@mock_kinesis()
def by_call():
    return made_here()


@mock_kinesis(region="us-west-2", account_id="210987654321")
def with_options():
    client = a_client(region_name="us-west-2")
    client.create_stream(StreamName=NAME, ShardCount=1)
    return client.describe_stream_summary(StreamName=NAME)["StreamDescriptionSummary"]["StreamARN"]


@mock_kinesis
async def coroutine(first, *, second):
    """A coroutine."""
    await asyncio.sleep(0)
    return first, second, made_here()


@pytest.fixture
@mock_kinesis
def lent():
    """A client, lent to a test while the mock lasts."""
    client = a_client()
    client.create_stream(StreamName=NAME, ShardCount=1)
    yield client
    assert put(client) == SHARD


@mock_kinesis
class TestClassThatIsDecorated:
    """Tests of a class: each has an engine of its own, and fixtures as ever."""

    @pytest.fixture(params=["a", "b"])
    def letter(self, request):
        return request.param

    def test_method_when_decorated_then_has_an_engine(self, letter, tmp_path):
        assert letter in "ab"
        assert tmp_path.is_dir()
        assert made_here() == [NAME]

    @staticmethod
    def test_static_method_when_decorated_then_has_an_engine():
        assert made_here() == [NAME]

    @classmethod
    def test_class_method_when_decorated_then_has_an_engine(cls):
        assert cls is TestClassThatIsDecorated
        assert made_here() == [NAME]

    @pytest.mark.parametrize("data", [b"a", b"b"])
    def test_method_when_it_has_parameters_then_each_has_an_engine(self, data):
        client = a_client()
        client.create_stream(StreamName=NAME, ShardCount=1)
        assert put(client, data) == SHARD

    def helper(self):
        """Not a test."""
        return a_client(endpoint_url="http://127.0.0.1:9")

    def test_method_when_it_calls_another_then_they_share_the_engine(self):
        made_here()
        assert streams(self.helper()) == [NAME]


@mock_kinesis
class CaseThatIsDecorated(unittest.TestCase):
    """A test, and what stands around it."""

    def setUp(self):
        made_here()

    def tearDown(self):
        assert put(a_client()) == SHARD

    def test_stream_of_set_up(self):
        assert streams(a_client()) == [NAME]

    def test_another(self):
        self.test_stream_of_set_up()


@mock_kinesis
@pytest.mark.parametrize("shards", [1, 3])
def test_function_when_decorated_then_fixtures_and_parameters_come_as_ever(shards, nowhere, request):
    client = a_client(endpoint_url=nowhere)
    client.create_stream(StreamName=NAME, ShardCount=shards)
    assert len(client.list_shards(StreamName=NAME)["Shards"]) == shards
    assert request.function.__name__ == "test_function_when_decorated_then_fixtures_and_parameters_come_as_ever"


@pytest.mark.parametrize("decorated", [by_name, by_call])
def test_function_when_called_twice_then_has_an_engine_each_time(decorated):
    assert decorated() == [NAME]
    assert decorated() == [NAME]


def test_function_when_decorated_with_options_then_its_engine_has_them():
    assert with_options() == f"arn:aws:kinesis:us-west-2:210987654321:stream/{NAME}"


def test_coroutine_when_decorated_then_is_one_still():
    assert inspect.iscoroutinefunction(coroutine)
    assert (coroutine.__name__, coroutine.__doc__) == ("coroutine", "A coroutine.")
    assert asyncio.run(coroutine(1, second=2)) == (1, 2, [NAME])


def test_case_when_decorated_then_shares_an_engine_with_its_set_up():
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(CaseThatIsDecorated).run(result)
    assert result.testsRun == 2
    assert result.wasSuccessful(), result.errors + result.failures


def test_fixture_when_decorated_then_lasts_as_long_as_its_test(lent):
    assert streams(lent) == [NAME]


def test_generator_when_decorated_then_the_mock_ends_with_it(nowhere):
    client = a_client(endpoint_url=nowhere)

    @mock_kinesis
    def generator():
        yield streams(client)

    for found in generator():
        assert found == streams(client) == []
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        streams(client)


def test_function_when_it_fails_then_the_mock_ends(nowhere):
    before = a_client(endpoint_url=nowhere)

    @mock_kinesis
    def failing():
        before.list_streams()
        message = "wrong"
        raise ValueError(message)

    with pytest.raises(ValueError, match=r"^wrong$"):
        failing()
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        before.list_streams()
