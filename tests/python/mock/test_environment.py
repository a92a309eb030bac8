"""What `mock_kinesis` changes and takes of the environment: credentials, the region, and nothing where it fails."""

import os
import re
import sys

import boto3
import botocore.exceptions
import pytest

import shardstream as ss
from shardstream.testing import mock_kinesis

NAME = "clicks"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def made_here():
    """Makes a stream by a client that is made here, and tells which streams there are."""
    client = boto3.session.Session().client("kinesis")
    client.create_stream(StreamName=NAME, ShardCount=1)
    return client.list_streams()["StreamNames"]


def test_credentials_when_there_are_none_then_are_there_inside_alone():
    with mock_kinesis():
        assert [os.environ[name] for name in KEYS] == ["testing", "testing"]
        with mock_kinesis():
            pass
        assert [os.environ[name] for name in KEYS] == ["testing", "testing"]
    assert not set(KEYS) & set(os.environ)


def test_credentials_when_there_are_some_then_are_kept(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with mock_kinesis():
        assert [os.environ[name] for name in KEYS] == ["AKID", "secret"]
    assert [os.environ[name] for name in KEYS] == ["AKID", "secret"]


def test_credentials_when_there_is_half_of_them_then_it_is_back_afterwards(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with mock_kinesis():
        assert made_here() == [NAME]
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "secret"
    assert "AWS_ACCESS_KEY_ID" not in os.environ


def test_credentials_when_a_profile_is_chosen_then_are_left_to_it(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "work")
    with mock_kinesis():
        assert not set(KEYS) & set(os.environ)


def test_region_when_the_environment_says_one_then_the_engine_is_there(monkeypatch):
    with mock_kinesis() as engine:
        assert engine.region == "eu-west-1"
    with mock_kinesis(region="us-west-2") as engine:
        assert engine.region == "us-west-2"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    with mock_kinesis() as engine:
        assert engine.region == "ap-south-1"


def test_options_when_wrong_then_nothing_is_mocked(nowhere):
    keys = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret"}
    client = boto3.session.Session().client("kinesis", endpoint_url=nowhere, **keys)
    with pytest.raises(ss.errors.InvalidArgumentException, match=r"^limits: \"aws\" or None, not 'gcp'$"):
        mock_kinesis(limits="gcp").__enter__()
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        client.list_streams()
    assert not set(KEYS) & set(os.environ)


def test_mock_when_there_is_no_botocore_then_says_what_to_install_and_changes_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "botocore.endpoint", None)
    mock = mock_kinesis()
    message = "mock_kinesis needs boto3 or aiobotocore: pip install boto3, or use engine.client('kinesis')"
    with pytest.raises(ImportError, match=f"^{re.escape(message)}$"):
        mock.__enter__()
    assert not set(KEYS) & set(os.environ)
