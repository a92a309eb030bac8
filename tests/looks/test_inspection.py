"""The inspection itself: each kind of fault is planted, and found; and where none is, none is found."""

import re

import pytest

SQUARE = '<rect width="9" height="9" fill="#48c"/>'


def svg(*inside):
    """Gives a small picture."""
    return f'<svg width="90" height="40">{"".join(inside)}</svg>'


def text(words, x, y=20, fill="currentColor"):
    """Gives words inside a picture."""
    return f'<text x="{x}" y="{y}" fill="{fill}">{words}</text>'


PLANTED = {
    "a box wider than the page": (
        '<div style="width: 1400px; background: #48c">wide</div>',
        '<div> "wide" ends at 1416 px, in a window of 1000 px',
    ),
    "a page wider than the window": (
        '<div style="width: 1400px; background: #48c">wide</div>',
        "the page is 1416 px wide, in a window of 1000 px",
    ),
    "a box that is cut off": (
        '<div style="width: 900px; overflow: hidden"><p style="width: 1300px">long</p></div>',
        '<div> "long" is cut off, 400 px of it',
    ),
    "a table that scrolls sideways": (
        '<div style="overflow-x: auto"><table><tr><td style="min-width: 1500px">1</td></tr></table></div>',
        '<div> "1" scrolls sideways',
    ),
    "a terminal's line that is broken": (
        f'<div class="jp-RenderedText"><pre style="white-space: pre-wrap">one\n{"two " * 90}</pre></div>',
        "has 2 lines and takes 4: it is broken",
    ),
    "a broken image": ('<img src="data:image/png;base64,AAAA" alt="x">', '<img> "" is a broken image'),
    "an image that is elsewhere": ('<img src="https://example.com/x.png" alt="x">', '<img> "" is a broken image'),
    "grey on grey": ('<p style="color: #888; background: #999">17</p>', '"17" has a contrast of 1.2, less than 3'),
    "faded text": ('<div style="opacity: .4"><p style="opacity: .6">17</p></div>', '"17" has a contrast of 1.6'),
    "a fixed ink on the theme's paper": ('<p style="color: #fefefe">17</p>', '"17" has a contrast of 1.0'),
    "text over a gradient": (
        '<p style="color: #fff; background: linear-gradient(90deg, #05a, #fe8)">17</p>',
        '"17" has a contrast of 1.',
    ),
    "a picture without size": ('<svg width="0" height="20"><rect width="9" height="9"/></svg>', '<svg> "" has no size'),
    "a picture without marks": (svg(text("none", 5)), '<svg> "none" is empty: nothing is drawn'),
    "a picture whose marks are not painted": (
        svg('<rect width="0" height="9"/><path d="M0 0H9" fill="none"/><rect opacity="0" width="9" height="9"/>'),
        "is empty: nothing is drawn",
    ),
    "text outside its picture": (
        svg(SQUARE, text("shardId", 70)),
        '<text> "shardId" is cut off by the edge of its picture',
    ),
    "a mark outside its picture": (
        svg('<rect x="60" width="60" height="9" fill="#48c"/>'),
        '<rect> "" is cut off by the edge of its picture',
    ),
    "text over text": (svg(SQUARE, text("one", 9), text("two", 20, 22)), '<text> "one" lies over <text> "two"'),
    "turned text over text": (
        svg(SQUARE, text("one", 30), '<text transform="translate(35 5) rotate(60)" fill="currentColor">twenty</text>'),
        '<text> "one" lies over <text> "twenty"',
    ),
    "a number that is none": (svg(SQUARE, '<path d="M0 NaN"/>'), '<path> has d="M0 NaN"'),
    "text on a mark of its own colour": (
        svg('<rect width="90" height="40" fill="#48c"/>', text("one", 9, fill="#49d")),
        '"one" has a contrast of 1.',
    ),
    "a picture shrunk until its text is too small": (
        f'<svg width="90" height="40" viewBox="0 0 180 80">{SQUARE}{text("one", 20, 50)}</svg>',
        '"one" is 6.5 px small, less than 7',
    ),
    "nothing": ("<div></div>", '<body> "" shows nothing'),
    "a failing script": ("<p>x</p><script>missing()</script>", "the browser says: missing is not defined"),
}
GOOD = """
<p>A stream of <b style="color: #3a7bbf">2 shards</b></p>
<table><tr><th scope="col">shard</th><th>records</th></tr><tr><td>shardId-000000000000</td><td>1,234</td></tr></table>
<svg width="260" height="60" role="img"><title>records</title>
<rect x="0" y="20" width="80" height="30" fill="#3a7bbf"/><text x="10" y="15" fill="currentColor">hot</text>
<rect x="90" y="10" width="60" height="40" fill="#000"/><text x="95" y="30" fill="#fff">inside</text>
<g fill="currentColor"><text transform="translate(160 58) rotate(-40)">slanted</text><text x="100" y="20" opacity="0">
hidden</text><text transform="translate(182 58) rotate(-40)">beside</text></g>
<line x1="0" y1="50" x2="150" y2="50" stroke="currentColor"/></svg>
<img alt="dot" src="data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=">
<div style="width: 90px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap">shortened, with dots</div>
"""


@pytest.mark.parametrize(("html", "fault"), PLANTED.values(), ids=PLANTED)
def test_look_when_a_fault_is_planted_then_finds_it(look, html, fault):
    found = look(html)
    assert any(fault in sentence for sentence in found), found


def test_look_when_all_is_well_then_finds_nothing(look, theme):
    assert look(GOOD, theme=theme) == []


def test_look_when_readable_on_one_paper_alone_then_finds_it_on_the_other(look):
    html = '<p style="color: #222">17</p>'
    assert look(html, theme="light") == []
    (found,) = look(html, theme="dark")
    assert re.search(r'"17" has a contrast of 1\.\d', found)


def test_look_when_narrow_then_boxes_may_scroll_but_the_page_may_not(look):
    table = '<table><tr><td style="min-width: 800px">1</td></tr></table>'
    assert look(f'<div style="overflow-x: auto">{table}</div>', width=500) == []
    assert any("in a window of 500 px" in sentence for sentence in look(table, width=500))


def test_look_when_photographed_then_keeps_the_whole_page(look, tmp_path):
    photo = tmp_path / "kept" / "page.png"
    look('<p style="height: 3000px">high</p>', photo=photo)
    assert int.from_bytes(photo.read_bytes()[20:24]) > 3000
