"""Pages to look at: a notebook as nbconvert renders it, and what one object shows, by itself."""

import re

from nbconvert import HTMLExporter

# Ink and paper of a bare page.
COLOURS = {"light": ("#1f2328", "#ffffff"), "dark": ("#d1d7e0", "#111111")}
_PAGE = """<!doctype html>
<html lang="en" style="color-scheme: {theme}"><meta charset="utf-8"><title>{title}</title>
<body style="margin: 16px; font: 13px/1.5 'DejaVu Sans', sans-serif; color: {ink}; background: {paper}">{html}</body>
</html>
"""
_TAKEN_OUT = re.compile(
    r"<(svg|script|style)\b.*?</\1\s*>|\s(?:style|class|id|on\w+)\s*=\s*(?:\"[^\"]*\"|'[^']*')",
    re.DOTALL | re.IGNORECASE,
)


def bare(html, theme="light", title="A page"):
    """Gives a page of this HTML alone, on the paper of a theme."""
    ink, paper = COLOURS[theme]
    return _PAGE.format(html=html, theme=theme, title=title, ink=ink, paper=paper)


def sanitized(html):
    """Gives what the strictest reader of notebooks leaves of HTML: no pictures inside it, no styles, no names."""
    return _TAKEN_OUT.sub("", html)


def of_notebook(notebook, theme):
    """Gives a notebook as a page of JupyterLab."""
    page, _ = HTMLExporter(template_name="lab", theme=theme).from_notebook_node(notebook)
    return page
