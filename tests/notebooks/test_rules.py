"""The rules of notebooks, each broken by a planted notebook."""

import base64

import pytest
from nbformat.v4 import new_output
from rules import CELLS, COLUMNS, PICTURE_BYTES, broken


def test_broken_when_good_then_says_nothing(notebook, saved, printed, shown, png):
    outputs = [
        printed("wide enough\n"),
        shown(image__png=base64.b64encode(png()).decode()),
        shown(text__html="<b>1</b>"),
    ]
    assert broken(saved(notebook(*outputs))) == []


@pytest.mark.parametrize("name", ["2_sensors.ipynb", "02-sensors.ipynb", "02_Sensors.ipynb", "Untitled.ipynb"])
def test_broken_when_named_otherwise_then_says_so(notebook, saved, printed, name):
    (found,) = broken(saved(notebook(printed("1")), name))
    assert name in found


def test_broken_when_not_in_canonical_form_then_says_how_to_mend_it(notebook, saved, printed):
    made = notebook(printed("1"))
    made.cells[0].id = "0c7f2a"
    assert broken(saved(made)) == ["it is not in canonical form: run `make notebooks-save`"]


def test_broken_when_without_outputs_then_says_so(notebook, saved):
    assert broken(saved(notebook())) == ["it has no outputs: run `make notebooks-save`"]


def test_broken_when_without_title_or_claim_then_says_so(notebook, saved, printed):
    found = broken(saved(notebook(printed("1"), title="Some text", claim="# assert True\nprint('assert True')")))
    assert found == ["it does not open with a title, `# ...`", "its last code cell asserts nothing"]


def test_broken_when_one_cell_more_than_allowed_then_says_so(notebook, saved, printed):
    assert broken(saved(notebook(printed("1"), cells=CELLS))) == []
    found = broken(saved(notebook(printed("1"), cells=CELLS + 1)))
    assert found == [f"it has {CELLS + 1} cells, more than {CELLS}: one idea each"]


def test_broken_when_failed_or_warned_then_says_how(notebook, saved, printed):
    failed = new_output("error", ename="KeyError", evalue="'x'", traceback=["KeyError: 'x'"])
    found = broken(saved(notebook(printed("deprecated: use y\n  at all\n", "stderr"), failed)))
    assert found == ["cell 2: it wrote to stderr: deprecated: use y", "cell 2: it failed with KeyError"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("reading /home/ana/flights.csv", "/home/ana"),
        ("/work/data: 3 files", "/work/data"),
        ('{"path": "/tmp/x1"}', "/tmp/x1"),
        (r"C:\Users\Ana", r"C:\Users"),
        ("lib/python3.11/site-packages/polars/frame.py", "site-packages"),
        ("<ipython-input> ipykernel_1234", "ipykernel_1"),
        ("<Chart object at 0x7f3e2c0d>", "at 0x7f3e2c0d"),
        ("Traceback (most recent call last):", "traceback"),
        ("x" * (COLUMNS + 1), f"{COLUMNS + 1} characters"),
    ],
)
def test_broken_when_text_is_of_one_machine_or_too_wide_then_names_it(notebook, saved, printed, text, what):
    (found,) = broken(saved(notebook(printed(text + "\n"))))
    assert found.startswith("cell 2: ")
    assert what in found


@pytest.mark.parametrize(
    "text", ["x" * COLUMNS, "records/s and/or tmp/files", "https://example.com/home/ana", "</usr><b/opt>", "1/usr/bin"]
)
def test_broken_when_text_only_resembles_a_path_then_says_nothing(notebook, saved, printed, text):
    assert broken(saved(notebook(printed(text)))) == []


def test_broken_when_wide_text_is_behind_a_picture_then_says_nothing(notebook, saved, shown, png):
    wide = shown(image__png=base64.b64encode(png()).decode(), text__plain="x" * 500)
    assert broken(saved(notebook(wide))) == []


def test_broken_when_a_picture_or_the_file_is_too_large_then_says_how_large(notebook, saved, shown, png):
    large = png(noise=1, size=(300, 300))
    assert len(large) > PICTURE_BYTES
    outputs = [shown(image__png=base64.b64encode(large).decode())] * 2
    found = broken(saved(notebook(*outputs)))
    assert [f"{len(large):,} bytes" in sentence for sentence in found] == [False, True, True]
    assert found[0].startswith("the file has 7")


@pytest.mark.parametrize(
    "html",
    ["<SCRIPT src='x.js'>", "< iframe>", "<a onclick='go()'>", "<img onerror = x>", "<a href='javascript:go()'>"],
)
def test_broken_when_html_runs_something_then_says_that_github_takes_it_out(notebook, saved, shown, html):
    (found,) = broken(saved(notebook(shown(text__html=html))))
    assert found.startswith("cell 2: text/html has what runs")


@pytest.mark.parametrize("kind", ["application__vnd.vegalite.v6+json", "application__vnd.jupyter.widget-view+json"])
def test_broken_when_a_script_draws_and_nothing_else_then_says_so(notebook, saved, shown, png, kind):
    (found,) = broken(saved(notebook(shown(**{kind: {"mark": "bar"}, "text__plain": "Chart"}))))
    assert "is drawn by a script" in found
    static = shown(**{kind: {"mark": "bar"}, "image__png": base64.b64encode(png()).decode()})
    assert broken(saved(notebook(static))) == []
