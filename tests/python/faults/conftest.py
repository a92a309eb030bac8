"""An engine's clients of all kinds: in this process, boto3's without a socket, and boto3's at the endpoint."""

import contextlib

import boto3
import pytest
from botocore.config import Config

import shardstream as ss
from shardstream.testing import client as testing_client

NAME, SHARD = "clicks", "shardId-000000000000"
ACCOUNT = "123456789012"
ARN = f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/{NAME}"
CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=20)
TRANSPORTS = ["in process", "boto3 without a socket", "boto3 at the endpoint"]


@contextlib.contextmanager
def _connected(engine, transport):
    """A client of an engine, which does not retry."""
    if transport == "in process":
        yield engine.client("kinesis")
    elif transport == "boto3 without a socket":
        with testing_client.of(engine) as client:
            yield client
    else:
        credentials = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret"}
        with engine.serve(port=0) as server:
            client = boto3.client(
                "kinesis", endpoint_url=server.url, region_name=engine.region, config=CONFIG, **credentials
            )
            with contextlib.closing(client):
                yield client


class Kinesis:
    """The calls that tests make, by whichever client."""

    def __init__(self, engine, client):
        self.engine = engine
        self.client = client

    def put(self, data=b"page", key="k", stream=NAME):
        """Puts a record, and gives its shard."""
        return self.client.put_record(StreamName=stream, Data=data, PartitionKey=key)["ShardId"]

    def put_all(self, *entries, stream=NAME):
        """Puts records together: data, or data and a key."""
        pairs = [entry if isinstance(entry, tuple) else (entry, "k") for entry in entries]
        records = [{"Data": data, "PartitionKey": key} for data, key in pairs]
        return self.client.put_records(StreamName=stream, Records=records)

    def iterator(self, shard=SHARD, stream=NAME, kind="TRIM_HORIZON"):
        """Where a read of a shard begins."""
        where = {"StreamName": stream, "ShardId": shard, "ShardIteratorType": kind}
        return self.client.get_shard_iterator(**where)["ShardIterator"]

    def page(self, iterator, **options):
        """One answer of GetRecords."""
        return self.client.get_records(ShardIterator=iterator, **options)

    def pages(self, count, shard=SHARD, **options):
        """What the first so many pages of a shard hold."""
        found, iterator = [], self.iterator(shard)
        for _ in range(count):
            answer = self.page(iterator, **options)
            found.append(self.held(answer))
            iterator = answer["NextShardIterator"]
        return found

    def stored(self, stream=NAME):
        """What the stream holds, by the engine itself, where nothing fails."""
        return [record.data for record in self.engine.stream(stream).read()]

    def refusal(self, call, *arguments, **options):
        """Code, message and status of the refusal of a call."""
        with pytest.raises(self.client.exceptions.ClientError) as caught:
            call(*arguments, **options)
        response = caught.value.response
        assert isinstance(caught.value, getattr(self.client.exceptions, response["Error"]["Code"], Exception))
        error = response["Error"]
        return error["Code"], error["Message"], response["ResponseMetadata"]["HTTPStatusCode"]

    def code(self, call, *arguments, **options):
        """The code of the refusal of a call."""
        return self.refusal(call, *arguments, **options)[0]

    @staticmethod
    def held(answer):
        """What the records of an answer or of an event carry."""
        return [record["Data"] for record in answer["Records"]]


@pytest.fixture(params=TRANSPORTS)
def transport(request):
    """How the client of a test is connected."""
    return request.param


@pytest.fixture
def clock():
    """A clock that tests move."""
    return ss.ManualClock("2026-01-01T00:00:00Z")


@pytest.fixture
def engine(clock):
    """An engine in Ireland."""
    with ss.Engine(clock=clock, region="eu-west-1", account_id=ACCOUNT) as engine:
        yield engine


@pytest.fixture
def faults(engine):
    """What goes wrong on purpose."""
    return engine.faults


@pytest.fixture
def stream(engine):
    """A stream of one shard."""
    return engine.create_stream(NAME, shards=1)


@pytest.fixture
def connect(transport):
    """Connects to an engine, by each kind of client."""
    with contextlib.ExitStack() as connections:
        yield lambda engine: Kinesis(engine, connections.enter_context(_connected(engine, transport)))


@pytest.fixture
def kinesis(engine, stream, connect):
    """Calls to a stream of one shard, by each kind of client."""
    return connect(engine)
