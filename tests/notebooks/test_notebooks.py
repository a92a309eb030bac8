"""Each notebook: its form and its rules, and that a run of its code shows what is committed."""

from collections import Counter

import nbformat
import pytest
from difference import differences
from execution import WHOLE, execute
from rules import broken
from save import NOTEBOOKS

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


@pytest.fixture(params=PATHS, ids=[path.stem for path in PATHS])
def path(request):
    """The path of a notebook."""
    return request.param


def test_notebook_when_committed_then_breaks_no_rule(path):
    found = broken(path)
    assert not found, "\n".join([path.name, *found])


@pytest.mark.timeout(300)
def test_notebook_when_executed_then_shows_what_is_committed(path, record_property):
    ran = execute(path)
    record_property("seconds", round(ran.seconds, 1))
    found = differences(nbformat.read(path, as_version=4), ran.notebook)
    assert not found, "\n".join([f"{path.name} (to take these: make notebooks-save)", *found])
    assert ran.seconds < WHOLE, f"{path.name} took {ran.seconds:.0f} s, on a machine however busy"


def test_notebooks_when_numbered_then_each_number_is_given_once():
    numbers = Counter(path.name[:2] for path in PATHS)
    assert numbers
    assert [number for number, count in numbers.items() if count > 1] == []
