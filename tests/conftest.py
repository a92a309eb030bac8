"""What tests of Python and of clients share: the suites of the examples, run as their readers run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run_example():
    """Runs the suite of an example: the names of tests that passed and of those that failed, and what it printed."""

    def run(name, variant, *paths):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-vv", f"examples/{name}"]
        path = os.pathsep.join(filter(None, [*map(str, paths), os.environ.get("PYTHONPATH")]))
        ran = subprocess.run(
            [*command, f"--variant={variant}"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert ran.returncode in (0, 1), ran.stdout + ran.stderr
        found = re.findall(r"^\S+::(\w+)\S* (PASSED|FAILED|ERROR|SKIPPED)", ran.stdout, re.MULTILINE)
        passed = [test for test, outcome in found if outcome == "PASSED"]
        return passed, [test for test, outcome in found if outcome != "PASSED"], ran.stdout

    return run
