"""Pages in headless Chromium: opened, looked at and photographed."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

SCRIPT = (Path(__file__).parent / "inspect.js").read_text(encoding="utf-8")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# From this width on, nothing need scroll sideways.
WIDE = 900
# What is ours in a page that notebooks are rendered to.
OUTPUTS = ".jp-RenderedHTML, .jp-RenderedSVG"
# Rendered notebooks ask for scripts of others, which are not there, and need not be.
_ELSEWHERE = "net::ERR_"


@contextmanager
def opened():
    """Starts the browser with one page, which has no network, and ends it.

    Raises:
        FileNotFoundError: There is none.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise FileNotFoundError("Chromium is not installed: apt-get install chromium")
    # Its sandbox is not for root, who runs containers.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*arguments, "--font-render-hinting=none"])
        yield browser.new_page(offline=True)
        browser.close()


def look(page, html, *, theme, width, roots="body", may_scroll=False, photo=None):
    """Shows HTML and says what is wrong with it; a photo of all of it goes to the path.

    What is ours is all that the selector `roots` finds. Boxes in it `may_scroll` sideways, as on a narrow page.
    """
    said = []
    page.goto("about:blank")
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 240})
    page.on("console", listen := lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", hear := lambda error: said.append(str(error)))
    try:
        page.set_content(html, wait_until="load")
        faults = page.evaluate(SCRIPT, {"roots": roots, "narrow": may_scroll or width < WIDE})
        if photo:
            photo.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=photo, full_page=True, animations="disabled")
    finally:
        page.remove_listener("console", listen)
        page.remove_listener("pageerror", hear)
    return faults + [f"the browser says: {text}" for text in said if _ELSEWHERE not in text]
