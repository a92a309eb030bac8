"""The photos of a run, side by side on one page, so that a person looks through all of them in a minute."""

import html
import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "target" / "looks"
_NAME = re.compile(r"(?P<subject>.+)-(?P<width>\d+)-(?P<theme>\w+)\.png")
_THEMES = ["light", "dark", "plain"]
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>What is shown</title>
<style>
  body {{ margin: 0 16px 16px; font: 14px/1.4 sans-serif; background: #888 }}
  h2 {{ position: sticky; top: 0; margin: 0; padding: 8px 0; background: #888 }}
  div {{ display: flex; gap: 8px; align-items: start; overflow-x: auto; margin-bottom: 8px }}
  img {{ max-width: 49%; box-shadow: 0 0 4px #0008 }}
</style>
<p>{summary}</p>
{rows}
</html>
"""
_ROW = "<div>{}</div>"
_PHOTO = '<a href="{0}"><img loading="lazy" src="{0}" alt="{0}" title="{0}"></a>'


def photo(subject, width, theme, folder=FOLDER):
    """Gives the path for a photo of a subject."""
    return folder / f"{subject}-{width}-{theme}.png"


def keep(png, subject, width):
    """Keeps a picture that is a PNG already, as a photo of a bright day."""
    path = photo(subject, width, "light")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png)


def hang(folder=FOLDER):
    """Writes the page of all photos that are in the folder, and gives its path."""
    subjects = {}
    for path in sorted(folder.glob("*.png")):
        if named := _NAME.fullmatch(path.name):
            subjects.setdefault(named["subject"], {}).setdefault(int(named["width"]), {})[named["theme"]] = path.name
    rows = []
    for subject, widths in subjects.items():
        rows.append(f"<h2>{html.escape(subject)}</h2>")
        for width in sorted(widths, reverse=True):
            themes = sorted(widths[width], key=_THEMES.index)
            rows.append(_ROW.format("".join(_PHOTO.format(widths[width][theme]) for theme in themes)))
    page = folder / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_PAGE.format(summary=f"{len(subjects)} subjects", rows="\n".join(rows)), encoding="utf-8")
    return page
