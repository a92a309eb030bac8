"""How the outputs of a run differ from those that are committed: text to the letter, pictures as one sees them."""

import difflib
import io
import re
from itertools import zip_longest

import numpy as np
from form import PNG, picture
from PIL import Image

# Names that are new in each run, as `id="altair-viz-4f0c..."`, and where they are used.
_NAMED = re.compile(r"""\bid\s*=\s*["']([^"']+)["']""")
_DRAWN = re.compile(r"[0-9a-f]{6,}")
# Pictures are compared as if seen from afar, in squares of so many dots: fonts and lines move a little from one version
# of a library to the next. A tenth of the way from black to white is noticed, in any square.
_SQUARE = 20
_NOTICED = 0.1
# What is told of a difference. HTML has lines where tags meet.
_LINE_END = re.compile(r"\n|(?<=>)(?=<)")
_LINES, _COLUMNS = 12, 160


def differences(committed, executed):
    """Says in which cells two notebooks show different things, a sentence each; nothing where they are alike."""
    found = []
    pairs = zip_longest(committed.cells, executed.cells)
    for number, (old, new) in enumerate(pairs, start=1):
        if old is None or new is None:
            found.append(f"cell {number}: there is no such cell in one of them")
        elif old.cell_type == "code":
            found += [f"cell {number}: {sentence}" for sentence in _of_cells(old.outputs, new.get("outputs", []))]
    return found


def unnamed(html):
    """Gives HTML or SVG with the names that are drawn anew in each run replaced by numbers."""
    names = [name for name in dict.fromkeys(_NAMED.findall(html)) if _DRAWN.search(name)]
    for number, name in enumerate(names, start=1):
        html = html.replace(name, f"id-{number}")
    return html


def alike(one, other):
    """Whether two pictures look the same from afar."""
    one, other = (_on_white(png) for png in (one, other))
    squares = [-(-length // _SQUARE) for length in one.size]
    one, other = (np.asarray(image.resize(squares, Image.Resampling.BOX), dtype=float) / 255 for image in (one, other))
    return np.abs(one - other).max() < _NOTICED


def _of_cells(old, new):
    if [_kind(output) for output in old] != [_kind(output) for output in new]:
        shown, came = (", ".join(map(_kind, outputs)) or "nothing" for outputs in (old, new))
        return [f"{shown} is committed, {came} came"]
    return [sentence for pair in zip(old, new, strict=True) for sentence in _of_outputs(*pair)]


def _kind(output):
    data = output.get("data")
    return output.get("name") or ("+".join(sorted(data)) if data is not None else output.output_type)


def _of_outputs(old, new):
    if "text" in old:
        return _of_texts(old.name, old.text, new.text)
    found = []
    for kind, shown in old.get("data", {}).items():
        came = new.data[kind]
        if kind == PNG:
            if shown != came and not alike(picture(shown), picture(came)):
                found.append(f"{PNG}: the picture is another")
        elif isinstance(shown, str):
            found += _of_texts(kind, unnamed(shown), unnamed(came))
        elif shown != came:
            found.append(f"{kind} is another")
    return found


def _of_texts(kind, old, new):
    if old == new:
        return []
    old, new = (_LINE_END.split(text) for text in (old, new))
    lines = list(difflib.unified_diff(old, new, "committed", "executed", lineterm="", n=1))
    return ["\n".join([f"{kind} differs", *(line[:_COLUMNS] for line in lines[: 2 + _LINES])])]


def _on_white(png):
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
