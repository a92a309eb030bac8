"""How AWS's clients are run at an endpoint: as programs of their own, which tell what they found."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import shardstream as ss

HERE = Path(__file__).parent
PREFIX = Path(sys.executable).parents[1]


@pytest.fixture
def engine():
    """An engine in Ireland."""
    with ss.Engine(region="eu-west-1", account_id="123456789012") as engine:
        yield engine


@pytest.fixture
def endpoint(engine):
    """Its endpoint."""
    with engine.serve() as server:
        yield server.url


@pytest.fixture
def found(endpoint):
    """Runs a program at the endpoint and gives what it found."""

    def run(*command, timeout=100, **environment):
        ran = subprocess.run(
            command,
            cwd=HERE,
            env={**os.environ, "ENDPOINT": endpoint, "AWS_EC2_METADATA_DISABLED": "true", **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout.splitlines()[-1])

    return run


@pytest.fixture
def found_by_java(found):
    """Runs a program in Java, which is compiled where it stands."""
    jars = PREFIX / "java" / "amazon_kclpy" / "jars" / "*"

    def run(program, *options, timeout=100, **environment):
        logs = "-Dlogback.configurationFile=logback.xml"
        return found("java", logs, *options, "-cp", str(jars), program, timeout=timeout, **environment)

    return run
