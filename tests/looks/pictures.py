"""Pictures, as dots: whether anything is drawn on them, and whether it can be read in the dark."""

import io

import numpy as np
from PIL import Image

# Shares of a picture. Axes with a title, marks of scale and nothing else have no colour, and 1 to 4 % of ink.
_COLOURED, _INK, _BLANK = 0.0005, 0.1, 0.995
_GREY = 40
_NOTICED, _MOST = 60, 0.5


def faults(png):
    """Says what is wrong with a picture, a sentence each; nothing where all is well."""
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))
    dots = picture.reshape(-1, 4)
    # A dot as one number, which is sorted faster than four.
    colours, counts = np.unique(dots.view(np.uint32), return_counts=True)
    paper, blank = colours[counts.argmax() :][:1].view(np.uint8), counts.max() / len(dots)
    inks = dots[:, :3].astype(np.int16)
    coloured = float((inks.max(axis=1) - inks.min(axis=1) > _GREY).mean())
    found = []
    if paper[3] < 255:
        found.append("it has no background, and is not seen on a dark page: give it facecolor white")
    if blank > _BLANK:
        found.append(f"{blank:.1%} of it are of one colour: it is empty")
    elif coloured < _COLOURED and 1 - blank < _INK:
        found.append("no mark on it has a colour: its axes are empty")
    sides = {"left": picture[:, 0], "right": picture[:, -1], "top": picture[0], "bottom": picture[-1]}
    return found + [f"something is cut off at its {name}" for name, side in sides.items() if _is_cut(side, paper)]


def _is_cut(side, paper):
    """Whether some of the dots along a side are ink; with most of them, it is a picture without a margin."""
    ink = (np.abs(side.astype(int) - paper).max(axis=1) > _NOTICED).mean()
    return 0 < ink < _MOST
