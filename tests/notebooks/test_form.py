"""The canonical form: runs of one notebook give one file, whoever ran it and wherever."""

import base64
import io

import nbformat
import pytest
from form import METADATA, PNG, canonical, picture, written
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from PIL.PngImagePlugin import PngInfo


@pytest.fixture
def drawn():
    """Draws one red dot and has a program sign it."""

    def draw(program):
        remarks = PngInfo()
        remarks.add_text("Software", program)
        file = io.BytesIO()
        Image.new("RGB", (1, 1), "red").save(file, "PNG", pnginfo=remarks)
        return file.getvalue()

    return draw


def run_by(editor, pieces, count, signed):
    """Gives a notebook as an editor leaves it, with traces of the run."""
    outputs = [new_output("stream", name="stdout", text=piece) for piece in pieces]
    data = {PNG: base64.encodebytes(signed).decode(), "text/plain": "<Figure>"}
    outputs.append(new_output("execute_result", data=data, execution_count=count))
    outputs[-1].metadata = {"needs_background": "light", PNG: {"width": 400}}
    code = new_code_cell("shown\n", outputs=outputs, execution_count=count)
    code.metadata = {"execution": {"iopub.status.busy": editor}, "collapsed": False}
    metadata = {
        "kernelspec": {"display_name": editor, "name": editor},
        "language_info": {"name": "python", "version": "3.11.2"},
    }
    return new_notebook(cells=[new_markdown_cell("# Title"), code], metadata=metadata)


def test_canonical_when_runs_differ_in_traces_alone_then_files_are_equal(drawn):
    one = run_by("lab", ["a\nb", "\nc\n"], 7, drawn("matplotlib 3.10"))
    other = run_by("code", ["a\n", "b\n", "c\n"], 12, drawn("matplotlib 3.11"))
    assert written(one) != written(other)
    assert written(canonical(one)) == written(canonical(other))


def test_canonical_when_shown_again_then_nothing_changes(drawn):
    once = canonical(run_by("lab", ["a"], 7, drawn("one")))
    assert written(canonical(nbformat.reads(written(once), as_version=4))) == written(once)


def test_canonical_when_streams_take_turns_then_their_order_is_kept():
    outputs = [new_output("stream", name=name, text=name) for name in ("stdout", "stderr", "stdout")]
    kept = canonical(new_notebook(cells=[new_code_cell("x", outputs=outputs)])).cells[0].outputs
    assert [output.name for output in kept] == ["stdout", "stderr", "stdout"]


def test_canonical_when_given_then_keeps_what_is_seen_and_numbers_the_rest(drawn):
    notebook = canonical(run_by("lab", ["a\n"], 7, drawn("one")))
    title, code = notebook.cells
    result = code.outputs[-1]
    assert (title.id, code.id) == ("cell-01", "cell-02")
    assert (code.execution_count, result.execution_count) == (1, 1)
    assert (code.source, code.metadata, notebook.metadata) == ("shown", {}, METADATA)
    assert result.metadata == {PNG: {"width": 400}}
    assert Image.open(io.BytesIO(picture(result.data[PNG]))).getpixel((0, 0)) == (255, 0, 0)


def test_canonical_when_given_then_leaves_the_notebook_alone(drawn):
    notebook = run_by("lab", ["a\n"], 7, drawn("one"))
    before = written(notebook)
    canonical(notebook)
    assert written(notebook) == before
