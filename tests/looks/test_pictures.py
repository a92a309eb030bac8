"""Looking at the dots of pictures: empty ones are found, whoever drew them."""

import io

import altair as alt
import matplotlib.figure
import numpy as np
import pictures
import pytest
from PIL import Image


def by_matplotlib(*draw, transparent=False):
    """Draws axes with a title, and on them what is asked for."""
    figure = matplotlib.figure.Figure(figsize=(9, 4), dpi=90)
    axes = figure.subplots()
    axes.set(title="Delays per day and airport", xlabel="day", ylabel="minutes")
    axes.grid(visible=True)
    for mark in draw:
        mark(axes)
    file = io.BytesIO()
    figure.savefig(file, bbox_inches="tight", transparent=transparent)
    return file.getvalue()


def by_altair(*values):
    """Draws a line through values."""
    data = [{"x": x, "y": y} for x, y in enumerate(values)]
    file = io.BytesIO()
    alt.Chart(alt.Data(values=data)).mark_line().encode(x="x:Q", y="y:Q").save(file, format="png")
    return file.getvalue()


def line(axes):
    axes.plot([0, 1, 2], [3, 1, 2], linewidth=1)


def bars(axes):
    axes.bar([0, 1, 2], [3, 1, 2], color="grey")


@pytest.mark.parametrize("mark", [line, bars])
def test_faults_when_matplotlib_drew_a_mark_then_none(mark):
    assert pictures.faults(by_matplotlib(mark)) == []


def test_faults_when_altair_drew_a_line_then_none():
    assert pictures.faults(by_altair(3, 1, 2)) == []


@pytest.mark.parametrize("draw", [by_matplotlib, by_altair])
def test_faults_when_only_axes_are_drawn_then_finds_that_they_are_empty(draw):
    assert pictures.faults(draw()) == ["no mark on it has a colour: its axes are empty"]


def test_faults_when_nothing_is_drawn_then_finds_that_it_is_empty():
    file = io.BytesIO()
    matplotlib.figure.Figure(figsize=(4, 3)).savefig(file)
    assert pictures.faults(file.getvalue()) == ["100.0% of it are of one colour: it is empty"]


@pytest.mark.parametrize(("name", "place"), [("left", (-0.2, 0.5)), ("right", (0.95, 0.5)), ("top", (0.5, 0.99))])
def test_faults_when_a_label_is_cut_off_then_finds_where(name, place):
    figure = matplotlib.figure.Figure(figsize=(6, 3))
    line(figure.subplots())
    figure.text(*place, "a label that is long enough to be cut off, wherever it is on its picture", fontsize=14)
    file = io.BytesIO()
    figure.savefig(file)
    assert f"something is cut off at its {name}" in pictures.faults(file.getvalue())


def test_faults_when_a_picture_has_no_margin_then_none():
    dots = np.random.default_rng(1).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(dots).save(file, "PNG")
    assert pictures.faults(file.getvalue()) == []


def test_faults_when_transparent_then_finds_that_the_dark_hides_it():
    (fault,) = pictures.faults(by_matplotlib(line, transparent=True))
    assert "not seen on a dark page" in fault
