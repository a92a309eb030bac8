"""The endpoint as it is on the wire: languages, refusals in order, signatures, bounds."""

import contextlib
import datetime
import http.client
import json
import socket
import ssl
import struct

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import shardstream as ss
from shardstream import errors

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
JSON = "application/x-amz-json-1.1"
CBOR = "application/x-amz-cbor-1.1"
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/kinesis/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=00"
)


@pytest.fixture
def engine():
    """An engine in Ireland."""
    with ss.Engine(region="eu-west-1", account_id="123456789012") as engine:
        yield engine


@pytest.fixture
def server(engine):
    """Its endpoint."""
    with engine.serve() as server:
        yield server


@pytest.fixture
def client():
    """Makes AWS's own clients, and closes them."""
    with contextlib.ExitStack() as opened:

        def client(server, *, region="eu-west-1", key="AKIDEXAMPLE", secret=SECRET):
            made = boto3.client(
                "kinesis",
                endpoint_url=server.url,
                region_name=region,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                config=Config(retries={"total_max_attempts": 1}),
            )
            return opened.enter_context(contextlib.closing(made))

        yield client


def ask(server, operation="ListStreams", body=b"{}", method="POST", path="/", **headers):
    sent = {
        "content-type": JSON,
        "x-amz-target": f"Kinesis_20131202.{operation}",
        "x-amz-date": "20260101T000000Z",
        "authorization": AUTHORIZATION,
    }
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, body, {name: value for name, value in sent.items() if value is not None})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def refusal(*arguments, **headers):
    status, sent, body = ask(*arguments, **headers)
    assert sent["x-amzn-RequestId"]
    return status, json.loads(body)


def test_answer_when_json_then_carries_what_the_service_sends(server):
    status, headers, body = ask(server)
    assert status == 200
    assert headers["content-type"] == JSON
    assert headers["x-amzn-RequestId"]
    assert headers["x-amz-id-2"]
    assert json.loads(body) == {"HasMoreStreams": False, "StreamNames": [], "StreamSummaries": []}


def test_answer_when_there_is_nothing_to_say_then_has_no_body(server):
    status, _, body = ask(server, "CreateStream", b'{"StreamName":"clicks","ShardCount":1}')
    assert (status, body) == (200, b"")


def test_request_when_cbor_then_answered_in_cbor(server):
    status, headers, body = ask(server, body=b"\xa0", content_type=CBOR)
    assert (status, headers["content-type"]) == (200, CBOR)
    assert body.startswith(b"\xa3\x6bStreamNames\x80")
    status, headers, body = ask(server, "DescribeStream", b"\xa1\x6aStreamName\x67nowhere", content_type=CBOR)
    assert (status, headers["content-type"]) == (400, CBOR)
    assert b"ResourceNotFoundException" in body


@pytest.mark.parametrize(
    ("changed", "status", "body"),
    [
        ({"body": b"{"}, 400, {"__type": "SerializationException"}),
        ({"body": b""}, 400, {"__type": "SerializationException"}),
        ({"operation": "Nothing"}, 400, {"__type": "UnknownOperationException"}),
        ({"operation": "CreateQueue"}, 400, {"__type": "UnknownOperationException"}),
        (
            {"authorization": None},
            400,
            {"__type": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"},
        ),
        (
            {"authorization": "AWS4-HMAC-SHA256 Signature=b", "x_amz_date": None},
            400,
            {
                "__type": "IncompleteSignatureException",
                "message": "Authorization header requires 'Credential' parameter. Authorization header requires "
                "'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a "
                "'Date' header. Authorization=AWS4-HMAC-SHA256 Signature=b",
            },
        ),
        (
            {"path": "/?X-Amz-Algorithm=x"},
            400,
            {
                "__type": "InvalidSignatureException",
                "message": "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
            },
        ),
        (
            {"operation": "DescribeStream", "body": b'{"StreamName":7}'},
            400,
            {
                "__type": "SerializationException",
                "Message": "class java.math.BigDecimal can not be converted to an String",
            },
        ),
        (
            {"operation": "DescribeStream"},
            400,
            {
                "__type": "ValidationException",
                "message": "1 validation error detected: Value null at 'streamName' failed to satisfy constraint: "
                "Member must not be null",
            },
        ),
    ],
)
def test_request_when_wrong_then_refused_in_the_services_order_and_words(server, changed, status, body):
    assert refusal(server, **changed) == (status, body)


def test_request_when_it_names_no_operation_then_forbidden(server):
    status, _, body = ask(server, method="GET")
    assert status == 403
    assert b"Unable to determine service/operation name to be authorized" in body
    status, _, body = ask(server, content_type="text/plain")
    assert (status, body) == (404, b"<UnknownOperationException/>\n")


def test_browser_when_it_asks_first_then_may(server):
    status, headers, _ = ask(
        server, method="OPTIONS", origin="http://localhost", access_control_request_headers="x-amz-target"
    )
    assert status == 200
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-allow-headers"] == "x-amz-target"


def test_body_when_above_sixteen_mebibytes_then_refused_and_others_go_on(server):
    status, _, body = ask(server, "PutRecord", b"x" * (16 * 2**20 + 1))
    assert status == 413
    assert b"RequestEntityTooLargeException" in body
    assert ask(server)[0] == 200


def test_health_when_asked_then_ok_without_a_signature(server):
    status, _, body = ask(server, method="GET", path="/health", authorization=None)
    assert (status, json.loads(body)["status"]) == (200, "ok")


def test_server_when_stopped_then_refuses_connections(engine):
    server = engine.serve()
    server.stop()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


def test_port_when_taken_then_says_so(engine, server):
    with pytest.raises(errors.ServerError, match=f"cannot listen on 127.0.0.1:{server.port}"):
        engine.serve(port=server.port)


def test_address_when_others_reach_it_then_needs_credentials(engine):
    with pytest.raises(errors.InvalidArgumentException, match=r"0\.0\.0\.0 is reached from other machines"):
        engine.serve("0.0.0.0")


def test_accounts_and_regions_when_the_signature_names_them_then_are_apart(server, client):
    home = client(server, region="eu-west-1", key="AKID")
    far = client(server, region="us-east-1", key="AKID")
    other = client(server, region="eu-west-1", key="111122223333")
    home.create_stream(StreamName="home", ShardCount=1)
    far.create_stream(StreamName="far", ShardCount=1)
    other.create_stream(StreamName="other", ShardCount=1)
    assert home.list_streams()["StreamNames"] == ["home"]
    [summary] = other.list_streams()["StreamSummaries"]
    assert summary["StreamARN"] == "arn:aws:kinesis:eu-west-1:111122223333:stream/other"
    [summary] = far.list_streams()["StreamSummaries"]
    assert summary["StreamARN"] == "arn:aws:kinesis:us-east-1:123456789012:stream/far"


class TestSignatures:
    """Requests where credentials are known."""

    @pytest.fixture
    def signed(self, engine):
        """An endpoint that one key may call."""
        with engine.serve(credentials={"AKIDEXAMPLE": SECRET}) as server:
            yield server

    def test_request_when_signed_then_answered(self, signed, client):
        kinesis = client(signed)
        kinesis.create_stream(StreamName="clicks", ShardCount=1)
        kinesis.put_record(StreamName="clicks", Data=b"\x00\xff", PartitionKey="k")

    @pytest.mark.parametrize(
        ("key", "secret", "code"),
        [
            ("AKIDEXAMPLE", "wrong", "InvalidSignatureException"),
            ("AKIDOTHER", SECRET, "UnrecognizedClientException"),
        ],
    )
    def test_request_when_signed_by_another_then_refused(self, signed, client, key, secret, code):
        with pytest.raises(ClientError) as caught:
            client(signed, key=key, secret=secret).list_streams()
        assert caught.value.response["Error"]["Code"] == code

    def test_request_when_changed_on_its_way_then_refused(self, signed):
        request = botocore.awsrequest.AWSRequest(
            "POST",
            signed.url + "/",
            {"content-type": JSON, "x-amz-target": "Kinesis_20131202.ListStreams"},
            b"{}",
        )
        credentials = botocore.credentials.Credentials("AKIDEXAMPLE", SECRET)
        botocore.auth.SigV4Auth(credentials, "kinesis", "eu-west-1").add_auth(request)
        headers = {name.lower().replace("-", "_"): value for name, value in request.headers.items()}
        assert ask(signed, **headers)[0] == 200
        status, body = refusal(signed, body=b'{"Limit":1}', **headers)
        assert (status, body["__type"]) == (400, "InvalidSignatureException")

    @pytest.mark.parametrize(
        ("minutes", "words"),
        [
            (-6, r"Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)"),
            (
                6,
                r"Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 5 min\.\)",
            ),
        ],
    )
    def test_request_when_old_then_refused(self, signed, client, monkeypatch, minutes, words):
        then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: then)
        with pytest.raises(ClientError, match=words):
            client(signed).list_streams()

    def test_request_when_the_engine_lives_in_another_time_then_signed_by_the_machines(self, client):
        with (
            ss.Engine(clock=ss.ManualClock("2001-01-01T00:00:00Z")) as old,
            old.serve(credentials={"AKID": "s"}) as server,
        ):
            assert client(server, key="AKID", secret="s").list_streams()["StreamNames"] == []


def test_connection_when_encrypted_then_speaks_both_versions(engine):
    with engine.serve(tls=True) as server:
        assert server.url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cadata=server.certificate)
        for protocol in ("h2", "http/1.1"):
            context.set_alpn_protocols([protocol])
            with (
                socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as encrypted,
            ):
                assert encrypted.selected_alpn_protocol() == protocol


def test_client_when_it_speaks_http_2_at_once_then_is_answered(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">I", 0)[1:] + b"\x04\x00" + bytes(4))
        length, kind = struct.unpack(">I", b"\x00" + connection.recv(3, socket.MSG_WAITALL))[0], connection.recv(1)
    assert kind == b"\x04", "the first frame of the server is its settings"
    assert length % 6 == 0


def test_sender_when_slow_then_others_are_answered(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf")
        assert ask(server)[0] == 200


def test_head_when_flooded_then_refused_and_others_go_on(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as flood:
        flood.sendall(b"POST / HTTP/1.1\r\nhost: x\r\n")
        try:
            for n in range(4_000):
                flood.sendall(b"x-%d: " % n + b"y" * 1_000 + b"\r\n")
            flood.sendall(b"\r\n")
            answer = flood.recv(64)
        except (BrokenPipeError, ConnectionResetError):
            answer = b""
    assert answer == b"" or b" 431 " in answer or b" 400 " in answer
    assert ask(server)[0] == 200
