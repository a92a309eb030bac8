"""Each notebook as it is committed, rendered as JupyterLab shows it and looked at."""

import base64

import gallery
import inspection
import nbformat
import pages
import pictures
import pytest

NOTEBOOKS = sorted((gallery.FOLDER.parents[1] / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def path(request):
    """The path of a notebook."""
    return request.param


@pytest.mark.timeout(120)
def test_notebook_when_looked_at_then_all_is_seen_and_can_be_read(page, path, theme):
    html = pages.of_notebook(nbformat.read(path, as_version=4), theme)
    found = []
    for width in (1000, 700):
        photo = gallery.photo(path.stem, width, theme)
        faults = inspection.look(page, html, theme=theme, width=width, roots=inspection.OUTPUTS, photo=photo)
        found += [f"{width} px: {fault}" for fault in faults]
    assert not found, "\n".join([path.name, *found])


def test_notebook_when_it_has_pictures_then_something_is_drawn_on_each(path):
    found = [
        f"cell {number}: {fault}"
        for number, cell in enumerate(nbformat.read(path, as_version=4).cells, start=1)
        for output in cell.get("outputs", [])
        for png in [output.get("data", {}).get("image/png")]
        if png
        for fault in pictures.faults(base64.b64decode(png))
    ]
    assert not found, "\n".join([path.name, *found])
