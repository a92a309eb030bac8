"""The same client in this process and over HTTP: every test here runs with both."""

import contextlib

import boto3
import pytest
from botocore.config import Config

import shardstream as ss

ACCOUNT = "123456789012"
CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=20)


def boto3_client(url: str, config: Config = CONFIG, region: str = "eu-west-1"):
    """AWS's own client at an endpoint."""
    return boto3.client(
        "kinesis",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=config,
    )


@pytest.fixture
def clock():
    """A clock that tests move."""
    return ss.ManualClock("2026-01-01T00:00:00Z")


@pytest.fixture
def make_client(request):
    """Makes a client of a new engine: of both kinds, one after the other."""
    opened = []

    def make(kind, **options):
        engine = ss.Engine(region="eu-west-1", account_id=ACCOUNT, **options)
        opened.append(engine)
        if kind == "in process":
            return engine, engine.client("kinesis")
        server = engine.serve()
        client = boto3_client(server.url)
        opened.extend([server, contextlib.closing(client)])
        return engine, client

    yield make
    for each in reversed(opened):
        each.__exit__(None, None, None)


@pytest.fixture(params=["in process", "boto3"])
def kinesis(request, make_client, clock):
    """A client on a clock that tests move."""
    return make_client(request.param, clock=clock)[1]


@pytest.fixture(params=["in process", "boto3"])
def kind(request):
    """Which kind of client."""
    return request.param
