"""`mock_kinesis`: clients of any age find Kinesis in an engine of this process, and other services are as ever."""

import asyncio
import contextlib
import http.server
import json
import os
import threading

import boto3
import botocore.exceptions
import moto
import pytest

import shardstream as ss
from shardstream.errors import EngineClosedError
from shardstream.testing import mock_kinesis
from shardstream.testing.client import of as client_of

NAME, SHARD = "clicks", "shardId-000000000000"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def real():
    """A server that is no engine: it tells by each answer that it was asked, and by which operation."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.asked.append(self.headers["X-Amz-Target"].split(".")[-1])
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(
                {"TableNames": ["real"], "DeliveryStreamNames": ["real"], "HasMoreDeliveryStreams": False}
            )
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield server
        server.shutdown()


def a_client(service="kinesis", *, signed=False, **options):
    """A client of a session of its own."""
    keys = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret"} if signed else {}
    return boto3.session.Session().client(service, **keys, **options)


def put(client, data=b"page"):
    return client.put_record(StreamName=NAME, Data=data, PartitionKey="k")["ShardId"]


def streams(client):
    return client.list_streams()["StreamNames"]


def test_clients_when_made_before_inside_and_used_after_then_are_answered_inside_alone(nowhere):
    before = a_client(endpoint_url=nowhere, signed=True)
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        streams(before)
    with mock_kinesis() as engine:
        engine.create_stream(NAME, shards=1)
        inside = a_client(endpoint_url=nowhere)
        assert [put(before, b"a"), put(inside, b"b")] == [SHARD, SHARD]
        assert [record.data for record in engine.stream(NAME).read()] == [b"a", b"b"]
    for client in (before, inside):
        with pytest.raises(botocore.exceptions.EndpointConnectionError, match=nowhere):
            streams(client)
    with mock_kinesis():
        assert streams(before) == streams(inside) == []


def test_client_when_made_before_without_credentials_then_is_answered():
    before = a_client()
    with mock_kinesis() as engine:
        engine.create_stream(NAME, shards=1)
        assert put(before) == SHARD
    with pytest.raises(botocore.exceptions.NoCredentialsError):
        streams(before)


def test_resource_of_boto3_when_its_default_session_is_old_then_is_answered(monkeypatch):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    boto3.setup_default_session()
    with mock_kinesis() as engine:
        engine.create_stream(NAME)
        assert streams(boto3.client("kinesis")) == [NAME]


def test_engine_when_the_with_statement_ends_then_is_closed_even_if_it_fails(nowhere):
    before = a_client(endpoint_url=nowhere, signed=True)
    message = "wrong"
    with pytest.raises(ValueError, match=message), mock_kinesis() as engine:
        raise ValueError(message)
    assert engine.closed
    with pytest.raises(EngineClosedError):
        engine.create_stream(NAME)
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        streams(before)


def test_mock_when_asynchronous_then_hands_out_the_engine():
    async def used():
        async with mock_kinesis(seed=3) as engine:
            engine.create_stream(NAME)
            return streams(a_client()), engine

    found, engine = asyncio.run(used())
    assert found == [NAME]
    assert engine.closed


def test_mocks_when_nested_then_the_innermost_answers():
    with mock_kinesis() as outer:
        outer.create_stream("outer")
        client = a_client()
        with mock_kinesis() as inner:
            inner.create_stream("inner")
            assert streams(client) == streams(a_client()) == ["inner"]
        assert streams(client) == ["outer"]
        assert inner.closed
        assert not outer.closed


def test_mock_when_entered_again_within_itself_then_has_another_engine():
    mock = mock_kinesis()
    with mock as outer:
        with mock as inner:
            assert inner is not outer
            inner.create_stream(NAME)
        assert streams(a_client()) == []
    with mock as again:
        assert again not in (outer, inner)


def test_mocks_when_they_end_in_another_order_then_who_is_left_answers(nowhere):
    first, second = mock_kinesis(), mock_kinesis()
    first.__enter__().create_stream("first")
    second.__enter__().create_stream("second")
    client = a_client(endpoint_url=nowhere)
    first.__exit__(None, None, None)
    assert streams(client) == ["second"]
    second.__exit__(None, None, None)
    with pytest.raises(botocore.exceptions.BotoCoreError):
        streams(client)


def test_clients_when_of_two_threads_then_both_are_answered(nowhere):
    shared = a_client(endpoint_url=nowhere, signed=True)
    with mock_kinesis() as engine:
        stream = engine.create_stream(NAME, shards=1)
        barrier = threading.Barrier(2)

        def work(name):
            barrier.wait()
            own = a_client(endpoint_url=nowhere)
            for n in range(20):
                put((own, shared)[n % 2], b"%s %d" % (name, n))

        threads = [threading.Thread(target=work, args=[name]) for name in (b"a", b"b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = [record.data for record in stream.read()]
    for name in (b"a", b"b"):
        assert [data for data in found if data.startswith(name)] == [b"%s %d" % (name, n) for n in range(20)]
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        streams(shared)


def test_client_of_an_engine_when_another_is_mocked_then_stays_with_its_own():
    with ss.Engine(region="eu-west-1") as own, mock_kinesis() as mocked, client_of(own) as client:
        own.create_stream(NAME)
        mocked.create_stream("views")
        assert streams(client) == [NAME]
        assert streams(a_client()) == ["views"]


def test_other_services_when_mocked_then_are_really_asked(real):
    tables = a_client("dynamodb", endpoint_url=real.url, signed=True)
    with mock_kinesis():
        deliveries = a_client("firehose", endpoint_url=real.url)
        assert tables.list_tables()["TableNames"] == ["real"]
        assert deliveries.list_delivery_streams()["DeliveryStreamNames"] == ["real"]
        assert streams(a_client(endpoint_url=real.url)) == []
    assert real.asked == ["ListTables", "ListDeliveryStreams"]


def test_handlers_when_registered_with_a_client_then_are_asked_before_the_call(nowhere):
    client, seen = a_client(endpoint_url=nowhere, signed=True), []
    client.meta.events.register("before-call.kinesis", lambda model, **_: seen.append(model.name))
    with mock_kinesis():
        streams(client)
    assert seen == ["ListStreams"]


def test_subscription_when_mocked_then_its_events_come_as_records_are_put():
    with mock_kinesis() as engine:
        engine.create_stream(NAME, shards=1)
        client = a_client()
        arn = client.describe_stream_summary(StreamName=NAME)["StreamDescriptionSummary"]["StreamARN"]
        consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="app")["Consumer"]["ConsumerARN"]
        start = {"Type": "TRIM_HORIZON"}
        events = client.subscribe_to_shard(ConsumerARN=consumer, ShardId=SHARD, StartingPosition=start)["EventStream"]
        found = []
        for event in events:
            found += [record["Data"] for record in event["SubscribeToShardEvent"]["Records"]]
            if len(found) == 3:
                break
            put(client, b"%d" % len(found))
        events.close()
    assert found == [b"0", b"1", b"2"]


def test_waiters_and_paginators_when_mocked_then_work():
    with mock_kinesis(clock=ss.ManualClock(), create_stream_ms=1000) as engine:
        client = a_client()
        for n in range(3):
            client.create_stream(StreamName=f"{NAME}-{n}", ShardCount=1)
        engine.clock.advance("1s")
        client.get_waiter("stream_exists").wait(StreamName=f"{NAME}-0")
        pages = client.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 2})
        assert [page["StreamNames"] for page in pages] == [[f"{NAME}-0", f"{NAME}-1"], [f"{NAME}-2"]]


@pytest.mark.parametrize("order", [(mock_kinesis, moto.mock_aws), (moto.mock_aws, mock_kinesis)])
def test_moto_when_used_together_then_has_all_but_kinesis(order):
    with contextlib.ExitStack() as mocks:
        clients = [(mocks.enter_context(mock()), a_client(signed=True)) for mock in order]
        [engine] = [entered for entered, _ in clients if isinstance(entered, ss.Engine)]
        bucket = a_client("s3", region_name="us-east-1")
        bucket.create_bucket(Bucket="pages")
        bucket.put_object(Bucket="pages", Key="first", Body=b"page")
        assert bucket.get_object(Bucket="pages", Key="first")["Body"].read() == b"page"
        stream = engine.create_stream(NAME, shards=1)
        assert [put(client) for _, client in clients] == [SHARD, SHARD]
        assert len(stream.read()) == 2
    assert not set(KEYS) & set(os.environ)
