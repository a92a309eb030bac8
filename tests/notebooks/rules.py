"""What a notebook of ours keeps as a file: GitHub shows it, a diff of it can be read, and it tells one story."""

import ast
import re

import nbformat
from form import PNG, canonical, picture, written

CELLS = 18
PICTURE_BYTES = 150_000
FILE_BYTES = 600_000
COLUMNS = 110

_NAME = re.compile(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*\.ipynb")
# Absolute paths, of this system and of others.
_PATH = re.compile(
    r"(?<![\w.~:/\\-])(?:/(?:builds?|home|opt|private|root|tmp|Users|usr|var|work|workspace)/[\w.-]+"
    r"|[A-Z]:\\\\?\w+)|site-packages|ipykernel_\d"
)
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}")
_TRACEBACK = "Traceback (most recent call last)"
# GitHub takes out what runs, nbviewer and most readers of mail, too.
_RUNS = re.compile(r"<\s*(script|iframe|object|embed)\b|\bon(click|error|load|mouse\w+)\s*=|javascript:", re.IGNORECASE)
_STATIC = {PNG, "image/jpeg", "image/svg+xml", "text/html"}
_DYNAMIC = re.compile(r"application/(?!json\b|geo\+json\b|pdf\b)")


def broken(path):
    """Says which rules the notebook breaks, a sentence each; nothing where it breaks none."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [
        *_of_file(path, text, notebook),
        *_of_story(notebook.cells, code),
        *(
            f"cell {number}: {sentence}"
            for number, cell in enumerate(notebook.cells, start=1)
            if cell.cell_type == "code"
            for output in cell.outputs
            for sentence in _of_output(output)
        ),
    ]


def _of_file(path, text, notebook):
    if not _NAME.fullmatch(path.name):
        yield f"its name is `{path.name}`: two digits and words, as in 02_sensors.ipynb"
    if text != written(canonical(notebook)):
        yield "it is not in canonical form: run `make notebooks-save`"
    if len(text.encode()) > FILE_BYTES:
        yield f"the file has {len(text.encode()):,} bytes, more than {FILE_BYTES:,}"


def _of_story(cells, code):
    if len(cells) > CELLS:
        yield f"it has {len(cells)} cells, more than {CELLS}: one idea each"
    if not cells or cells[0].cell_type != "markdown" or not cells[0].source.startswith("# "):
        yield "it does not open with a title, `# ...`"
    if not any(cell.outputs for cell in code):
        yield "it has no outputs: run `make notebooks-save`"
    elif [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        yield "its cells were not all executed in order: run `make notebooks-save`"
    if not code or not _asserts(code[-1].source):
        yield "its last code cell asserts nothing"


def _asserts(source):
    return any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source)))


def _of_output(output):
    if output.output_type == "error":
        yield f"it failed with {output.ename}"
    if output.get("name") == "stderr":
        yield f"it wrote to stderr: {output.text.strip().splitlines()[0]}"
    data = output.get("data", {"text/plain": output.get("text", "")})
    for kind, shown in data.items():
        if kind == PNG:
            size = len(picture(shown))
            if size > PICTURE_BYTES:
                yield f"its picture has {size:,} bytes, more than {PICTURE_BYTES:,}"
        elif _DYNAMIC.match(kind) and not _STATIC & set(data):
            yield f'{kind} is drawn by a script, and GitHub runs none: alt.renderers.enable("png"), or a display handle'
        elif isinstance(shown, str):
            yield from _of_text(kind, shown, hidden=kind == "text/plain" and len(data) > 1)


def _of_text(kind, text, *, hidden):
    for what, pattern in (("a path of one machine", _PATH), ("an address in memory", _ADDRESS)):
        if found := pattern.search(text):
            yield f"{kind} shows {what}: {found.group()}"
    if _TRACEBACK in text:
        yield f"{kind} shows a traceback"
    if kind in {"text/html", "image/svg+xml"} and (found := _RUNS.search(text)):
        yield f"{kind} has what runs, which GitHub takes out: {found.group()}"
    longest = max(map(len, text.splitlines()), default=0)
    if kind == "text/plain" and not hidden and longest > COLUMNS:
        yield f"a line of its text has {longest} characters, more than {COLUMNS}: it would be broken on a page"
