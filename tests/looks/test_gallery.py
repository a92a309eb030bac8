"""The gallery of photos."""

import re

import gallery


def test_hang_when_photos_are_there_then_shows_light_beside_dark_and_wide_before_narrow(tmp_path):
    for width in (500, 1000):
        for theme in ("dark", "light"):
            gallery.photo("a-stream", width, theme, tmp_path).write_bytes(b"")
    (tmp_path / "of someone else.png").write_bytes(b"")
    shown = re.findall(r'img [^>]*src="([^"]*)"', gallery.hang(tmp_path).read_text())
    assert shown == [f"a-stream-{width}-{theme}.png" for width in (1000, 500) for theme in ("light", "dark")]


def test_hang_when_there_are_no_photos_then_writes_an_empty_page(tmp_path):
    page = gallery.hang(tmp_path / "new")
    assert page.exists()
    assert "<img" not in page.read_text()
