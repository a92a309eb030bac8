"""The command line, as a person types it."""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import boto3
import polars as pl
import pytest
from botocore.exceptions import ClientError

from shardstream.cli import main

QUERY = ["--key", "carrier", "--time", "scheduled", "--window", "30d", "--by", "origin", "--agg", "n=count()"]
QUERY += ["--agg", "late=mean(dep_delay)"]


@pytest.fixture(scope="module")
def flights_file(tmp_path_factory):
    from pathlib import Path

    source = Path(__file__).parents[2] / "notebooks" / "data" / "flights.parquet"
    path = tmp_path_factory.mktemp("cli") / "flights.parquet"
    pl.read_parquet(source).head(20_000).write_parquet(path)
    return path


def shardstream(*arguments):
    command = [sys.executable, "-m", "shardstream", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def expected(path):
    grouped = pl.read_parquet(path).group_by("origin").agg(n=pl.len(), late=pl.col("dep_delay").mean())
    return {row["origin"]: (row["n"], row["late"]) for row in grouped.to_dicts()}


def found(frame):
    totals = {}
    for row in frame.to_dicts():
        count, total = totals.get(row["origin"], (0, 0.0))
        totals[row["origin"]] = (count + row["n"], total)
    return {origin: count for origin, (count, _) in totals.items()}


READERS = {"csv": pl.read_csv, "json": pl.read_ndjson, "arrow": pl.read_ipc}


@pytest.mark.parametrize("form", READERS)
def test_replay_when_out_given_then_file_holds_the_windows(form, flights_file, tmp_path):
    out = tmp_path / "out"
    assert main(["replay", str(flights_file), *QUERY, "--format", form, "--out", str(out)]) == 0
    frame = READERS[form](out.read_bytes())
    assert frame.columns == ["window_start", "window_end", "origin", "n", "late"]
    assert found(frame) == {origin: count for origin, (count, _) in expected(flights_file).items()}


@pytest.mark.parametrize("form", ["csv", "json"])
def test_replay_when_no_out_then_prints_the_windows_and_nothing_else(form, flights_file):
    run = shardstream("replay", flights_file, *QUERY, "--format", form)
    assert run.returncode == 0
    frame = READERS[form](run.stdout.encode())
    assert found(frame) == {origin: count for origin, (count, _) in expected(flights_file).items()}
    assert "20,000" in run.stderr


def test_replay_when_table_format_then_draws_one(flights_file):
    run = shardstream("replay", flights_file, *QUERY)
    assert run.stdout.startswith("+--")
    assert "| window_start" in run.stdout


def test_replay_when_no_window_then_says_records_of_each_shard(flights_file, capsys):
    assert main(["replay", str(flights_file), "--key", "carrier", "--shards", "3"]) == 0
    said = capsys.readouterr().err
    assert said.count("shardId-") == 3
    assert "records=20,000" in said


@pytest.mark.parametrize(
    "window", ["hop(60d, 30d)", "session(30m)", "cumulate(60d, 30d)", "tumble(30d)", "hop(size=60d, slide=30d)"]
)
def test_replay_when_window_is_a_call_then_computes_it(window, flights_file, tmp_path):
    out = tmp_path / "out.json"
    arguments = ["--key", "carrier", "--time", "scheduled", "--window", window, "--format", "json", "--out", str(out)]
    assert main(["replay", str(flights_file), *arguments]) == 0
    assert all(json.loads(line)["count"] for line in out.read_text().splitlines())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--key", "nope"],
        ["--key", "carrier", "--by", "origin"],
        ["--key", "carrier", "--window", "1d"],
        ["--key", "carrier", "--shards", "0"],
        ["--key", "carrier", "--time", "scheduled", "--window", "1x"],
        ["--key", "carrier", "--time", "scheduled", "--window", "hop(1m)"],
        ["--key", "carrier", "--time", "scheduled", "--window", "hop(1m, 2m)"],
        ["--key", "carrier", "--time", "scheduled", "--window", "1d", "--agg", "nope(x)"],
        ["--key", "carrier", "--time", "scheduled", "--window", "1d", "--agg", "sum()"],
        ["--key", "carrier", "--time", "scheduled", "--window", "1d", "--agg", "sum(nope)"],
        ["--key", "carrier", "--time", "scheduled", "--window", "1d", "--agg", "count(5)"],
        ["--key", "carrier", "--time", "scheduled", "--window", "1d", "--agg", "n=count()", "--agg", "n=count()"],
        ["--key", "carrier", "--time", "scheduled", "--window", "1d", "--by", "nope"],
        ["--key", "carrier", "--time", "scheduled", "--window", "1d", "--watermark", "soon"],
        ["--key", "carrier", "--time", "scheduled", "--window", "1d", "--out", "/nowhere/at/all"],
        ["--key", "carrier", "--time", "scheduled", "--window", "1d", "--out", "/nowhere/at/all", "--format", "csv"],
        ["--key", "carrier", "--time", "scheduled", "--speed", "fast"],
        ["--key", "carrier", "--delay", "5s"],
    ],
    ids=" ".join,
)
def test_replay_when_something_is_wrong_then_says_it_in_one_line_and_exits_2(arguments, flights_file, capsys):
    assert main(["replay", str(flights_file), *arguments]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if line.startswith("shardstream: ")] == said[-1:]


def test_replay_when_file_is_not_there_then_exits_2_with_one_line():
    run = shardstream("replay", "nope.parquet", "--key", "k")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("shardstream: ")
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["nope"], ["replay"], ["replay", "f", "--key", "k", "--format", "xml"]], ids=str
)
def test_command_when_typed_wrong_then_exits_2_with_usage(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: shardstream" in capsys.readouterr().err


def test_help_when_asked_then_shows_an_example(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["replay", "--help"])
    assert ended.value.code == 0
    assert "example: shardstream replay flights.parquet" in capsys.readouterr().out


def test_version_when_asked_then_says_it():
    import shardstream as ss

    assert shardstream("--version").stdout == f"shardstream {ss.__version__}\n"


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_replay_when_its_reader_goes_away_then_ends_quietly(form, flights_file):
    arguments = ["--key", "carrier", "--time", "scheduled", "--window", "1h", "--by", "carrier", "--format", form]
    command = [sys.executable, "-m", "shardstream", "replay", str(flights_file), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read().decode()
        assert process.wait(30) == 0
    assert "Traceback" not in said
    assert "Error" not in said


@contextlib.contextmanager
def serving(*arguments):
    """A server of its own process that has said it is ready, and where."""
    command = [sys.executable, "-m", "shardstream", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            yield process, urlsplit(line.split()[-1])
        finally:
            process.kill()


def health(url):
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/health")
        return json.load(connection.getresponse())


def test_serve_when_ready_then_says_where_in_one_line_and_answers():
    with serving() as (process, url):
        assert (url.scheme, url.hostname) == ("http", "127.0.0.1")
        assert health(url)["status"] == "ok"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == ""
        assert process.wait(timeout=10) == 0


def test_serve_when_terminated_then_ends_well_though_a_client_stays_connected():
    with serving() as (process, url), socket.create_connection((url.hostname, url.port), timeout=10) as idle:
        idle.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 200"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_serve_when_interrupted_then_says_so():
    with serving() as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130


def client_of(url, key, secret):
    return boto3.client(
        "kinesis",
        endpoint_url=url.geturl(),
        region_name="eu-west-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )


CREDENTIALS = """
[default]
aws_access_key_id = AKIDEXAMPLE
aws_secret_access_key = wJalr%XUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY

[another]
aws_access_key_id=AKIDOTHER
aws_secret_access_key=its own
"""


def test_serve_when_given_credentials_then_answers_whoever_signs_with_them(tmp_path):
    file = tmp_path / "credentials"
    file.write_text(CREDENTIALS)
    with serving("--credentials", str(file)) as (_, url):
        for key, secret in [("AKIDEXAMPLE", "wJalr%XUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), ("AKIDOTHER", "its own")]:
            with contextlib.closing(client_of(url, key, secret)) as client:
                assert client.list_streams()["StreamNames"] == []
        client = client_of(url, "AKIDOTHER", "not its own")
        with contextlib.closing(client), pytest.raises(ClientError) as refused:
            client.list_streams()
        assert refused.value.response["Error"]["Code"] == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no profile"),
        ("[default]\naws_access_key_id = AKIDEXAMPLE\n", "[default] of"),
        ("wJalrXUtnFEMI", "is not written as ~/.aws/credentials is"),
        ("[default]\nwJalrXUtnFEMI", "is not written as ~/.aws/credentials is"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_serve_when_its_credentials_are_none_then_says_so_and_shows_no_secret(content, message, tmp_path, capsys):
    file = tmp_path / "credentials"
    if content is not None:
        file.write_text(content)
    assert main(["serve", "--credentials", str(file)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("shardstream: --credentials: ")
    assert message in said
    assert "wJalr" not in said


def test_serve_when_streams_are_named_then_they_are_there():
    arguments = ["--initialize-streams", "clicks:2, views:1", "--region", "eu-west-1", "--account-id", "123456789012"]
    with serving(*arguments) as (_, url), contextlib.closing(client_of(url, "any", "any")) as client:
        assert client.list_streams()["StreamNames"] == ["clicks", "views"]
        summary = client.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 2
    assert summary["StreamARN"] == "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"


def iterator_of(client, stream):
    shard = client.list_shards(StreamName=stream)["Shards"][0]["ShardId"]
    answer = client.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return answer["ShardIterator"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("durability", ["commit", "interval", "none"])
def test_serve_when_given_a_folder_then_keeps_streams_over_a_restart(durability, how, tmp_path):
    arguments = ["--data", str(tmp_path / "events"), "--durability", durability]
    arguments += ["--region", "eu-west-1", "--initialize-streams", "clicks:1"]
    with serving(*arguments) as (process, url), contextlib.closing(client_of(url, "any", "any")) as client:
        client.put_record(StreamName="clicks", Data=b"page", PartitionKey="user-1")
        client.create_stream(StreamName="views", ShardCount=3)
        client.split_shard(StreamName="clicks", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
        iterator = iterator_of(client, "clicks")
        process.send_signal(how)
        process.wait(timeout=10)
    # Those named at the start are there already, and stay as they are.
    with serving(*arguments) as (_, url), contextlib.closing(client_of(url, "any", "any")) as client:
        assert client.list_streams()["StreamNames"] == ["clicks", "views"]
        assert len(client.list_shards(StreamName="clicks")["Shards"]) == 3
        # Iterators of before the restart go on.
        for each in (iterator, iterator_of(client, "clicks")):
            assert [record["Data"] for record in client.get_records(ShardIterator=each)["Records"]] == [b"page"]


def test_serve_when_given_a_compression_then_segments_have_it(tmp_path):
    sizes = {}
    for compression in ("none", "lz4", "zstd"):
        folder = tmp_path / compression
        arguments = ["--data", str(folder), "--region", "eu-west-1", "--initialize-streams", "clicks:1"]
        arguments += [] if compression == "none" else ["--compression", compression]
        with serving(*arguments) as (process, url), contextlib.closing(client_of(url, "any", "any")) as client:
            entries = [{"Data": b"the same thing again" * 9, "PartitionKey": "user-1"}] * 500
            assert client.put_records(StreamName="clicks", Records=entries)["FailedRecordCount"] == 0
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
        (segment,) = folder.glob("clicks/*/*.arrow")
        assert len(pl.read_ipc(segment)) == 500
        sizes[compression] = segment.stat().st_size
    assert 2 * max(sizes["lz4"], sizes["zstd"]) < sizes["none"]


def test_serve_when_another_one_has_the_folder_then_says_who_and_exits_2(tmp_path):
    folder = tmp_path / "events"
    with serving("--data", str(folder)) as (process, _):
        refused = shardstream("serve", "--port", "0", "--data", folder)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith(f"shardstream: {folder} is written by process {process.pid} on ")


def test_serve_when_python_reads_its_folder_then_sees_what_clients_put(tmp_path):
    import shardstream as ss

    folder = tmp_path / "events"
    with (
        serving("--data", str(folder), "--region", "eu-west-1", "--initialize-streams", "clicks:1") as (_, url),
        contextlib.closing(client_of(url, "any", "any")) as client,
        ss.Engine(folder, read_only=True) as reader,
    ):
        for i in range(3):
            client.put_record(StreamName="clicks", Data=b"%d" % i, PartitionKey="user-1")
            assert [record.data for record in reader.stream("clicks").read()] == [b"%d" % each for each in range(i + 1)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--durability", "none"], "shardstream: --durability and --compression are for --data"),
        (["--compression", "lz4"], "shardstream: --durability and --compression are for --data"),
        (["--data", ""], "shardstream: path: a folder like"),
        (["--data", "/dev/null"], "shardstream: "),
        (["--initialize-streams", "clicks"], 'shardstream: --initialize-streams: "clicks" is not NAME:SHARDS'),
        (["--host", "0.0.0.0"], "shardstream: 0.0.0.0 is reached from other machines"),
        (["--certificate", "chain.pem"], "shardstream: --certificate and --certificate-key go together"),
        (["--port", "65536"], "shardstream: port: 0 to 65535"),
        (["--account-id", "1"], "shardstream: account_id: 12 digits"),
    ],
)
def test_serve_when_something_is_wrong_then_says_it_in_one_line_and_exits_2(arguments, message, capsys):
    assert main(["serve", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(message)
    assert said.err.count("\n") == 1
