"""Every Python block of README.md and docs/*.md runs, in order, sharing names within its file."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("README.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page):
    """The Python blocks of a page, each moved down to its own line so that errors point to it."""
    text = page.read_text()
    return ["\n" * text.count("\n", 0, found.start(1)) + found[1] for found in BLOCK.finditer(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_when_its_blocks_run_in_order_then_none_fails(page, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "notebooks" / "data", tmp_path / "notebooks" / "data")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for block in blocks(page):
        exec(compile(block, page.name, "exec"), names)


def test_blocks_when_a_page_has_two_then_both_are_found_on_their_lines(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A\n\n```python\nx = 1\n```\n\n```sh\nls\n```\n\n```python\ny = x\n```\n")
    assert [block.lstrip("\n") for block in blocks(page)] == ["x = 1\n", "y = x\n"]
    assert [len(block) - len(block.lstrip("\n")) for block in blocks(page)] == [3, 11]
