"""Measures boto3 at our endpoint beside boto3 at a server that answers constants, which is as fast as boto3 can be.

`python benches/boto3_http.py [--rounds 7]`: 500 records of 100 bytes a call, put and got; both servers have a
process of their own, and take turns. The other server replays what ours answered once, and does nothing else.
"""

import argparse
import contextlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3

RECORDS = 500
CALLS = 60
LENGTH = re.compile(rb"(?i)content-length: (\d+)")


def main() -> None:
    """Measure both servers by turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--answer", metavar="FILE", help="be the other server, with this answer")
    options = parser.parse_args()
    if options.answer:
        answer_constants(Path(options.answer).read_bytes())
        return
    for name, call in (("put_records", put), ("get_records", get)):
        with contextlib.ExitStack() as stack:
            compare(stack, name, call, options.rounds)


def compare(stack: contextlib.ExitStack, name, call, rounds: int) -> None:
    """Print the rates of one kind of call at both servers."""
    ours = started(stack, "-m", "shardstream", "serve", "--port", "0", "--initialize-streams", "bench:1")
    client = client_of(ours)
    client.put_records(StreamName="bench", Records=records())
    asked = call(client)
    file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "answer"
    file.write_bytes(recorded(ours, client, asked))
    constant = client_of(started(stack, __file__, "--answer", str(file)))
    rates = {"ours": [], "constants": []}
    for _ in range(rounds):
        rates["constants"].append(rate(constant, asked))
        rates["ours"].append(rate(client, asked))
    ours, constants = (statistics.median(rates[server]) for server in ("ours", "constants"))
    print(f"boto3 {name}: {ours:,.0f} records/s, at constants {constants:,.0f}: {ours / constants:.2f} x")


def put(_client):
    """Return the operation and parameters of a put."""
    return "put_records", {"StreamName": "bench", "Records": records()}


def get(client):
    """Return the operation and parameters of a read of all that was put."""
    start = {"ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterator = client.get_shard_iterator(StreamName="bench", **start)["ShardIterator"]
    return "get_records", {"ShardIterator": iterator, "Limit": RECORDS}


def records():
    """Return what a call puts."""
    return [{"Data": b"x" * 100, "PartitionKey": f"user-{number}"} for number in range(RECORDS)]


def rate(client, asked) -> float:
    """Return records a second."""
    operation, parameters = asked
    call = getattr(client, operation)
    began = time.perf_counter()
    for _ in range(CALLS):
        assert len(call(**parameters)["Records"]) == RECORDS
    return CALLS * RECORDS / (time.perf_counter() - began)


def started(stack: contextlib.ExitStack, *arguments: str) -> str:
    """Start a server that says where it is at the end of its first line."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process.stdout.readline().split()[-1]


def client_of(url: str):
    """Return boto3's client at a server."""
    return boto3.client(
        "kinesis",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )


def recorded(url: str, client, asked) -> bytes:
    """Return the bytes that our server answers a call with."""
    operation, parameters = asked
    sent = []

    def keep(request, **_):
        sent.append(request)

    client.meta.events.register("before-send.kinesis", keep)
    getattr(client, operation)(**parameters)
    client.meta.events.unregister("before-send.kinesis", keep)
    request = sent[0]
    host = url.removeprefix("http://")
    lines = [f"{request.method} / HTTP/1.1", f"host: {host}"]
    for name, value in request.headers.items():
        lines.append(f"{name}: {value.decode() if isinstance(value, bytes) else value}")
    name, port = host.split(":")
    with socket.create_connection((name, int(port))) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + request.body)
        return message(connection, b"")[0]


def message(connection: socket.socket, before: bytes) -> tuple[bytes, bytes]:
    """Read one message by its length; return it and what came after it."""
    buffer = bytearray(before)
    while True:
        head = buffer.find(b"\r\n\r\n")
        length = LENGTH.search(buffer, 0, head) if head >= 0 else None
        if length and len(buffer) >= (end := head + 4 + int(length[1])):
            return bytes(buffer[:end]), bytes(buffer[end:])
        got = connection.recv(1 << 20)
        if not got:
            return b"", b""
        buffer += got


def answer_constants(answer: bytes) -> None:
    """Answer every request alike, one connection after another."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(f"constants on http://127.0.0.1:{server.getsockname()[1]}", flush=True)
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                rest = b""
                while True:
                    request, rest = message(connection, rest)
                    if not request:
                        break
                    connection.sendall(answer)


if __name__ == "__main__":
    main()
