"""Notebooks made by tests, of cells and outputs; and the seconds that those of the house took."""

import io

import nbformat
import numpy as np
import pytest
from form import canonical, written
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

TITLE = "# A title"
CLAIM = "assert 1 + 1 == 2"


@pytest.fixture
def shown():
    """Makes an output of data."""

    def make(**data):
        return new_output("display_data", data={kind.replace("__", "/"): value for kind, value in data.items()})

    return make


@pytest.fixture
def printed():
    """Makes an output of a stream."""

    def make(text, name="stdout"):
        return new_output("stream", name=name, text=text)

    return make


@pytest.fixture
def notebook():
    """Makes a good notebook whose first code cell shows these outputs."""

    def make(*outputs, source="1 + 1", title=TITLE, claim=CLAIM, cells=3):
        words = [new_markdown_cell("Words.") for _ in range(cells - 3)]
        code = [new_code_cell(source, outputs=list(outputs)), new_code_cell(claim)]
        return canonical(new_notebook(cells=[new_markdown_cell(title), *words, *code]))

    return make


@pytest.fixture
def saved(tmp_path):
    """Writes a notebook as a file."""

    def save(notebook, name="02_made_by_a_test.ipynb"):
        path = tmp_path / name
        path.write_text(written(notebook), encoding="utf-8")
        return path

    return save


@pytest.fixture
def png():
    """Draws a picture: a line between two heights of the left and of the right edge, on white."""

    def draw(left=0.2, right=0.8, *, size=(320, 200), noise=0):
        width, height = size
        dots = np.full((height, width, 3), 255, dtype=np.uint8)
        for x in range(width):
            y = int((left + (right - left) * x / width) * (height - 4))
            dots[y : y + 3, x] = (30, 110, 180)
        if noise:
            dots = np.random.default_rng(noise).integers(0, 256, dots.shape, dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(dots).save(file, "PNG")
        return file.getvalue()

    return draw


@pytest.fixture
def read():
    """Reads a notebook's file."""
    return lambda path: nbformat.read(path, as_version=4)


def pytest_terminal_summary(terminalreporter):
    """Prints how long each notebook took: told, and not judged."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "seconds" and report.when == "call":
                terminalreporter.write_line(f"{value:6.1f} s  {report.nodeid.rpartition('[')[-1].rstrip(']')}")
