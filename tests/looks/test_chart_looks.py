"""What `plot()` draws, by each library: as the picture that a notebook keeps, and as altair's in a page."""

import io

import gallery
import inspection
import matplotlib.figure
import pages
import pictures
import pytest
from subjects import CHARTS, START

import shardstream as ss


@pytest.fixture(params=CHARTS)
def name(request):
    """The name of a chart."""
    return request.param


@pytest.fixture
def chart(name):
    """Draws the chart by a library."""

    def draw(backend):
        subject, asked = CHARTS[name]
        with ss.Engine(clock=ss.ManualClock(START), seed=7) as engine:
            return subject(engine).plot(backend=backend, **asked)

    return draw


@pytest.mark.parametrize("backend", ["altair", "matplotlib"])
def test_chart_when_kept_as_picture_then_something_is_drawn_on_it(chart, name, backend):
    file, drawn = io.BytesIO(), chart(backend)
    if isinstance(drawn, matplotlib.figure.Figure):
        drawn.savefig(file, format="png")
    else:
        drawn.save(file, format="png")
    gallery.keep(file.getvalue(), f"chart_{name}_by_{backend}", 1000)
    assert pictures.faults(file.getvalue()) == []


def test_chart_when_altair_draws_it_in_a_page_then_all_is_seen_and_can_be_read(page, chart, name, theme):
    file = io.StringIO()
    chart("altair").save(file, format="svg")
    photo = gallery.photo(f"chart_{name}", 1000, theme)
    html = pages.bare(file.getvalue(), theme)
    found = inspection.look(page, html, theme=theme, width=1000, photo=photo)
    assert not found, "\n".join(found)
