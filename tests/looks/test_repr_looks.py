"""What objects show in a notebook: each by itself, and all in a page of JupyterLab."""

import functools

import gallery
import inspection
import pages
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from subjects import SUBJECTS, WIDE, engine, stream_that_is_deleted

BYTES_MAX = 64_000


@functools.cache
def shown(subject):
    """Gives the HTML that a notebook shows of a subject."""
    with engine() as made:
        return subject(made)._repr_html_()


@pytest.fixture(params=SUBJECTS, ids=[subject.__name__ for subject in SUBJECTS])
def subject(request):
    """One of the subjects."""
    return request.param


def test_subject_when_it_is_there_then_nothing_keeps_it_from_being_shown(subject):
    # What fails inside says so in a line, which looks well.
    excused = "cannot be shown" in shown(subject) or "cannot be told" in shown(subject)
    assert excused == (subject is stream_that_is_deleted)


@pytest.mark.parametrize("width", [1000, 500])
def test_subject_when_looked_at_then_all_is_seen_and_can_be_read(page, subject, theme, width):
    html = shown(subject)
    photo = gallery.photo(subject.__name__, width, theme)
    may_scroll = subject in WIDE
    page_of_it = pages.bare(html, theme)
    found = inspection.look(page, page_of_it, theme=theme, width=width, may_scroll=may_scroll, photo=photo)
    assert not found, "\n".join(found)


def test_subject_when_pictures_and_styles_are_taken_out_then_the_rest_can_be_read(page, subject):
    html = pages.sanitized(shown(subject))
    # Viewers have tables scroll by themselves.
    html = f'<div style="overflow-x: auto">{html}</div>' if subject in WIDE else html
    photo = gallery.photo(subject.__name__, 1000, "plain")
    may_scroll = subject in WIDE
    found = inspection.look(page, pages.bare(html), theme="light", width=1000, may_scroll=may_scroll, photo=photo)
    assert not found, "\n".join(found)


def test_subject_when_shown_then_is_small_and_shows_the_same_again(subject):
    with engine() as made:
        thing = subject(made)
        html = thing._repr_html_()
        assert len(html.encode()) < BYTES_MAX
        assert thing._repr_html_() == html


def test_subjects_when_shown_by_jupyterlab_then_its_styles_hide_nothing(page, theme):
    cells = []
    for subject in SUBJECTS:
        output = new_output("display_data", data={"text/html": shown(subject)})
        cells.append(new_code_cell(f"# {subject.__doc__}", outputs=[output]))
    html = pages.of_notebook(new_notebook(cells=cells), theme)
    photo = gallery.photo("all_in_jupyterlab", 1000, theme)
    roots = inspection.OUTPUTS
    found = inspection.look(page, html, theme=theme, width=1000, roots=roots, may_scroll=True, photo=photo)
    assert not found, "\n".join(found)
