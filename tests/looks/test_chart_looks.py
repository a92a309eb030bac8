"""What `plot()` draws, by each library: as the picture that a notebook keeps, and as altair's in a page."""

import functools
import io

import gallery
import inspection
import pages
import pictures
import pytest
from subjects import CHARTS, engine


@pytest.fixture(params=CHARTS)
def name(request):
    """The name of a chart."""
    return request.param


@functools.cache
def drawn(name, backend, kind):
    """Draws a chart by a library, as a file of a kind."""
    subject, asked = CHARTS[name]
    with engine() as made:
        chart = subject(made).plot(backend=backend, **asked)
    file = io.StringIO() if kind == "svg" else io.BytesIO()
    save = chart.savefig if backend == "matplotlib" else chart.save
    save(file, format=kind)
    return file.getvalue()


@pytest.mark.parametrize("backend", ["altair", "matplotlib"])
def test_chart_when_kept_as_picture_then_something_is_drawn_on_it(name, backend):
    png = drawn(name, backend, "png")
    gallery.keep(png, f"chart_{name}_by_{backend}", 1000)
    assert pictures.faults(png) == []


def test_chart_when_altair_draws_it_in_a_page_then_all_is_seen_and_can_be_read(page, name, theme):
    photo = gallery.photo(f"chart_{name}", 1000, theme)
    html = pages.bare(drawn(name, "altair", "svg"), theme)
    found = inspection.look(page, html, theme=theme, width=1000, photo=photo)
    assert not found, "\n".join(found)
