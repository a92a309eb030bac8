"""Comparing a run with what is committed: what a reader would see differ, and nothing else."""

import base64

import pytest
from difference import alike, differences, unnamed
from nbformat.v4 import new_output


def encoded(png):
    return base64.b64encode(png).decode()


def test_differences_when_alike_then_none(notebook, printed, shown, png):
    outputs = [printed("a\n"), shown(text__plain="1", text__html="<b>1</b>"), shown(image__png=encoded(png()))]
    assert differences(notebook(*outputs), notebook(*outputs)) == []


def test_differences_when_a_number_is_another_then_names_cell_kind_and_lines(notebook, printed):
    (found,) = differences(notebook(printed("rows\n17\n")), notebook(printed("rows\n18\n")))
    assert found.startswith("cell 2: stdout differs")
    assert "-17" in found
    assert "+18" in found


def test_differences_when_html_is_one_long_line_then_shows_what_is_another_in_it(notebook, shown):
    one, other = (shown(text__html=f"<i>{'x' * 300}</i><b>{number}</b><i>y</i>") for number in (17, 18))
    (found,) = differences(notebook(one), notebook(other))
    assert found.splitlines()[-3:] == ["-<b>17</b>", "+<b>18</b>", " <i>y</i>"]


@pytest.mark.parametrize("kind", ["text__plain", "text__html", "image__svg+xml"])
def test_differences_when_text_of_a_kind_is_another_then_found(notebook, shown, kind):
    (found,) = differences(notebook(shown(**{kind: "<i>1</i>"})), notebook(shown(**{kind: "<i>2</i>"})))
    assert kind.replace("__", "/") in found


def test_differences_when_data_of_a_kind_is_another_then_found(notebook, shown):
    one, other = ({"application__json": {"a": number}} for number in (1, 2))
    assert differences(notebook(shown(**one)), notebook(shown(**other))) == ["cell 2: application/json is another"]


def test_differences_when_an_output_is_missing_then_says_what_is_and_what_came(notebook, printed, shown):
    (found,) = differences(notebook(printed("a"), shown(text__plain="1")), notebook(printed("a")))
    assert found == "cell 2: stdout, text/plain is committed, stdout came"
    assert differences(notebook(), notebook(printed("a"))) == ["cell 2: nothing is committed, stdout came"]


def test_differences_when_a_cell_failed_then_found(notebook, printed):
    failed = new_output("error", ename="KeyError", evalue="x", traceback=[])
    (found,) = differences(notebook(printed("a")), notebook(printed("a"), failed))
    assert found == "cell 2: stdout is committed, stdout, error came"


def test_differences_when_a_picture_shows_other_data_then_found(notebook, shown, png):
    old, new = notebook(shown(image__png=encoded(png(0.2, 0.8)))), notebook(shown(image__png=encoded(png(0.8, 0.2))))
    assert differences(old, new) == ["cell 2: image/png: the picture is another"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {"size": (322, 201)}, True),
        ({}, {"left": 0.205}, True),
        ({}, {"left": 0.3}, False),
        ({}, {"noise": 7}, False),
    ],
    ids=["a pixel larger", "half a pixel up", "another value", "another picture"],
)
def test_alike_when_moved_little_then_yes_and_else_no(png, one, other, same):
    assert alike(png(**one), png(**other)) == same


def test_unnamed_when_ids_are_drawn_anew_then_texts_are_equal():
    drawn = '<div id="altair-viz-{0}"></div><a href="#altair-viz-{0}">chart</a><b id="title">'
    one, other = (unnamed(drawn.format(name)) for name in ("4f0c9d1e", "77abc0011"))
    assert one == other
    assert 'id="title"' in one


def test_unnamed_when_ids_are_used_elsewise_then_texts_differ():
    pair = '<i id="n-4f0c9d1e"/><i id="n-77abc001"/><use href="#n-{}"/>'
    assert unnamed(pair.format("4f0c9d1e")) != unnamed(pair.format("77abc001"))
