"""Which variant of an application its suite runs: the good one, or the one with a bug that a test reveals."""

import importlib

import pytest


def pytest_addoption(parser):
    parser.addoption("--variant", choices=["good", "buggy"], default="good", help="of the application (good)")


@pytest.fixture
def variant(request):
    """Imports an application, `variant("producer")`, or what stands beside it, `producer_buggy`."""
    suffix = {"good": "", "buggy": "_buggy"}[request.config.getoption("--variant")]
    return lambda name: importlib.import_module(name + suffix)
