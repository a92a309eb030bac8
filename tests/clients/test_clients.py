"""AWS's clients of other versions and languages at the endpoint, which `make clients` installs."""

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

import shardstream as ss

PREFIX = Path(sys.executable).parents[1]
RUST = Path(__file__).parents[2] / "target/clients/debug/kinesis-rust"
PAGES = ["page 1", "page 2", "page 3"]
CHILDREN = ["shardId-000000000001", "shardId-000000000002"]
MOCKED = {
    "stored": [0, 0],
    "read": ["before", "inside"],
    "retried": [2, True],
    "pushed": ["late 0", "late 1", "late 2"],
    "dropped": ["late 0", "broken off"],
    "afterwards": "EndpointConnectionError",
}


def beside(name):
    """A path of what is installed by itself, and of this package."""
    return os.pathsep.join([str(PREFIX / name), str(Path(ss.__file__).parents[1])])


@pytest.mark.timeout(120)
def test_boto3_when_of_early_2024_then_understands(found):
    answer = found(sys.executable, "kinesis_boto3.py", PYTHONPATH=str(PREFIX / "boto3-1.34"))
    assert answer.pop("version").startswith("1.34.")
    assert answer == {"failed": 0, "read": PAGES, "pushed": [*PAGES, "late"]}


@pytest.mark.timeout(120)
def test_aiobotocore_when_many_at_once_then_all_are_stored(found):
    answer = found(sys.executable, "kinesis_aiobotocore.py", PYTHONPATH=str(PREFIX / "aiobotocore"))
    assert answer == {"read": sorted(f"page {n}" for n in range(20)), "numbers": 20}


@pytest.mark.timeout(120)
def test_boto3_when_of_early_2024_and_mocked_then_is_answered_as_long_as_the_mock_lasts(found):
    answer = found(sys.executable, "kinesis_mocked_boto3.py", PYTHONPATH=beside("boto3-1.34"))
    assert answer.pop("version").startswith("1.34.")
    assert answer == MOCKED


@pytest.mark.timeout(120)
def test_aiobotocore_when_mocked_then_is_answered_as_long_as_the_mock_lasts(found):
    answer = found(sys.executable, "kinesis_mocked_aiobotocore.py", PYTHONPATH=beside("aiobotocore"))
    assert answer == MOCKED


@pytest.mark.timeout(120)
def test_async_kinesis_when_the_shard_is_split_then_reads_on_from_its_checkpoint(found):
    credentials = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
    path = str(PREFIX / "aiobotocore")
    answer = found(sys.executable, "kinesis_async_kinesis.py", PYTHONPATH=path, **credentials)
    assert answer == {"before": [f"page {n}" for n in range(20)], "after": [f"page {n}" for n in range(20, 40)]}


@pytest.mark.timeout(120)
def test_javascript_when_over_http_2_then_reads_and_is_pushed_to(found):
    answer = found("node", "kinesis.mjs")
    assert answer == {"failed": 0, "read": PAGES, "pushed": [*PAGES, "late"]}


@pytest.mark.timeout(120)
def test_java_when_one_after_the_other_then_reads_to_the_end_in_cbor(endpoint, found_by_java):
    answer = found_by_java("KinesisSync.java")
    client = boto3.client(
        "kinesis",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id="AKID",
        aws_secret_access_key="secret",
    )
    read = []
    for shard in client.list_shards(StreamName="clicks")["Shards"]:
        start = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = client.get_shard_iterator(StreamName="clicks", **start)["ShardIterator"]
        for record in client.get_records(ShardIterator=iterator)["Records"]:
            arrived = round(record["ApproximateArrivalTimestamp"].timestamp() * 1000)
            read.append([record["Data"].decode(), record["PartitionKey"], record["SequenceNumber"], arrived])
    assert len(read) == 20
    assert answer == {
        "failed": 0,
        "by name": read,
        "by ARN": read,
        "missing": "Stream nothing under account 123456789012 not found.",
        "languages": ["application/x-amz-cbor-1.1"],
    }


@pytest.mark.timeout(120)
def test_java_when_over_http_2_then_is_pushed_to_until_the_shard_ends(found_by_java):
    answer = found_by_java("KinesisAsync.java")
    assert answer == {"read": PAGES, "pushed": ["late"], "children": CHILDREN, "HTTP/2": True}


@pytest.mark.timeout(120)
def test_java_when_encrypted_then_is_pushed_to_over_http_2(engine, found_by_java, tmp_path):
    trust, password = tmp_path / "trust.p12", "changeit"
    with engine.serve(tls=True) as server:
        (tmp_path / "certificate.pem").write_text(server.certificate)
        keys = ["-keystore", trust, "-storepass", password, "-file", tmp_path / "certificate.pem"]
        subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "endpoint", *keys], check=True)
        stores = (f"-Djavax.net.ssl.trustStore={trust}", f"-Djavax.net.ssl.trustStorePassword={password}")
        answer = found_by_java("KinesisAsync.java", *stores, ENDPOINT=server.url)
    assert answer == {"read": PAGES, "pushed": ["late"], "children": CHILDREN, "HTTP/2": True}


@pytest.mark.timeout(300)
def test_go_when_the_shard_is_split_then_reads_and_is_pushed_to_its_end(found):
    # Debian's sources of AWS's client lie in a path of packages, outside of any module.
    path = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
    answer = found("go", "run", "kinesis.go", timeout=280, **path)
    assert answer == {
        "failed": 0,
        "read": [*PAGES, "late"],
        "pushed": [*PAGES, "late"],
        "children": CHILDREN,
        "missing": "Stream nothing under account 123456789012 not found.",
    }


@pytest.mark.timeout(120)
def test_rust_when_over_http_2_under_tls_then_reads_is_pushed_to_and_told_what_is_missing(engine, found, tmp_path):
    certificate = tmp_path / "certificate.pem"
    with engine.serve(tls=True) as server:
        certificate.write_text(server.certificate)
        answer = found(RUST, CERTIFICATE=str(certificate), ENDPOINT=server.url)
    assert answer == {
        "missing": "Stream nowhere under account 123456789012 not found.",
        "failed": 0,
        "shards": ["shardId-000000000000"],
        "read": PAGES,
        "pushed": [*PAGES, "late"],
    }
