"""What all tests share: the flights, and how hard hypothesis tries."""

import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, settings

FLIGHTS = Path(__file__).parents[2] / "notebooks" / "data" / "flights.parquet"

# Examples do not depend on the machine's load, nor one run on the one before.
_SLOW = [HealthCheck.too_slow]
settings.register_profile(
    "fast", max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=_SLOW
)
settings.register_profile("thorough", max_examples=500, deadline=None, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("SHARDSTREAM_HYPOTHESIS", "fast"))


@pytest.fixture(scope="session")
def flights_path() -> Path:
    """The file of flights that left New York in 2013."""
    return FLIGHTS


@pytest.fixture(scope="session")
def flights() -> pl.DataFrame:
    """All 336,776 flights, in the file's own order, which is not that of time."""
    return pl.read_parquet(FLIGHTS)
