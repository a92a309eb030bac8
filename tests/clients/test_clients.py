"""AWS's clients of other versions and languages at the endpoint, which `make clients` installs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import shardstream as ss

HERE = Path(__file__).parent
PREFIX = Path(sys.executable).parents[1]
RUST = HERE.parents[1] / "target/clients/debug/kinesis-rust"
PAGES = ["page 1", "page 2", "page 3"]


@pytest.fixture
def endpoint():
    """An endpoint in Ireland."""
    with ss.Engine(region="eu-west-1", account_id="123456789012") as engine, engine.serve() as server:
        yield server.url


def found(endpoint, *command, **environment):
    ran = subprocess.run(
        command,
        cwd=HERE,
        env={**os.environ, "ENDPOINT": endpoint, "AWS_EC2_METADATA_DISABLED": "true", **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.timeout(120)
def test_boto3_when_of_early_2024_then_understands(endpoint):
    answer = found(endpoint, sys.executable, "kinesis_boto3.py", PYTHONPATH=str(PREFIX / "boto3-1.34"))
    assert answer.pop("version").startswith("1.34.")
    assert answer == {"failed": 0, "read": PAGES, "pushed": [*PAGES, "late"]}


@pytest.mark.timeout(120)
def test_aiobotocore_when_many_at_once_then_all_are_stored(endpoint):
    answer = found(endpoint, sys.executable, "kinesis_aiobotocore.py", PYTHONPATH=str(PREFIX / "aiobotocore"))
    assert answer == {"read": sorted(f"page {n}" for n in range(20)), "numbers": 20}


@pytest.mark.timeout(120)
def test_javascript_when_over_http_2_then_reads_and_is_pushed_to(endpoint):
    answer = found(endpoint, "node", "kinesis.mjs")
    assert answer == {"failed": 0, "read": PAGES, "pushed": [*PAGES, "late"]}


@pytest.mark.timeout(120)
def test_rust_when_over_http_2_under_tls_then_reads_is_pushed_to_and_told_what_is_missing(tmp_path):
    with ss.Engine(region="eu-west-1", account_id="123456789012") as engine, engine.serve(tls=True) as server:
        certificate = tmp_path / "certificate.pem"
        certificate.write_text(server.certificate)
        answer = found(server.url, RUST, CERTIFICATE=str(certificate))
    assert answer == {
        "missing": "Stream nowhere under account 123456789012 not found.",
        "failed": 0,
        "shards": ["shardId-000000000000"],
        "read": PAGES,
        "pushed": [*PAGES, "late"],
    }
