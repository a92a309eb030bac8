"""A browser for all tests, the looks that they take, and the gallery of photos that a run leaves."""

import gallery
import inspection
import pages
import pytest

THEMES = ("light", "dark")


@pytest.fixture(scope="session")
def page():
    """A page of a headless browser."""
    with inspection.opened() as page:
        yield page


@pytest.fixture
def look(page):
    """Looks at HTML on a bare page: the faults."""

    def look(html, *, theme="light", width=1000, photo=None):
        return inspection.look(page, pages.bare(html, theme), theme=theme, width=width, photo=photo)

    return look


@pytest.fixture(params=THEMES)
def theme(request):
    """Light, and dark."""
    return request.param


def pytest_sessionstart(session):
    """Takes down the photos of the run before."""
    if not hasattr(session.config, "workerinput"):
        for path in gallery.FOLDER.glob("*.png"):
            path.unlink()


def pytest_terminal_summary(terminalreporter):
    """Hangs the photos, and says where."""
    terminalreporter.write_line(f"photos: {gallery.hang()}")
