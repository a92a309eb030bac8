"""Clients of an engine for tests: boto3's, without a socket and without retries, or shardstream's own."""

from __future__ import annotations

import contextlib
import functools

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from shardstream.engine import Engine

__all__ = ["of"]


@contextlib.contextmanager
def of(engine: Engine) -> Iterator[Any]:
    """A client of an engine, as long as the with statement lasts."""
    try:
        import boto3
    except ImportError:
        yield engine.client("kinesis")
        return
    from shardstream.testing.botocore import reroute

    client = _session(boto3).client(
        "kinesis",
        region_name=engine.region,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - nobody looks at it
        config=_config(),
    )
    undo = reroute(client._endpoint, lambda: engine)  # noqa: SLF001 - where botocore lets requests be answered
    try:
        yield client
    finally:
        undo()
        client.close()


@functools.cache
def _session(boto3: Any) -> Any:  # noqa: ANN401 - boto3's
    # It keeps the service's model, which takes longer to read than all else that a client does.
    return boto3.session.Session()


def _config() -> Any:  # noqa: ANN401 - botocore's
    from botocore.config import Config

    # One try: the program under test retries, or is seen not to.
    return Config(retries={"total_max_attempts": 1, "mode": "standard"}, parameter_validation=True)
