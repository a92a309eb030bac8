"""Executing and saving notebooks: where, with what, and what stays in the file."""

import pytest
import save
from execution import execute
from form import written
from nbclient.exceptions import CellExecutionError

SEEN = "import os, pathlib\nprint(pathlib.Path.cwd().name, os.environ['TZ'])\nhash('a')"


def test_execute_when_given_then_runs_beside_the_file_and_alike_each_time(notebook, saved, tmp_path):
    path = saved(notebook(source=SEEN))
    one, other = execute(path), execute(path)
    assert one.notebook.cells[1].outputs[0].text == f"{tmp_path.name} UTC\n"
    assert written(one.notebook) == written(other.notebook)


def test_execute_when_a_cell_fails_then_raises_its_error(notebook, saved):
    with pytest.raises(CellExecutionError, match="KeyError"):
        execute(saved(notebook(source="{}['x']")))


def test_save_when_outputs_are_stale_then_writes_those_of_the_code(notebook, saved, printed, read, capsys):
    path = saved(notebook(printed("stale"), source="print(6 * 7)"))
    assert save.main([str(path)]) == 0
    assert read(path).cells[1].outputs[0].text == "42\n"
    assert "changed" in capsys.readouterr().out
    assert save.main([str(path)]) == 0
    assert "as it was" in capsys.readouterr().out


def test_save_when_a_cell_fails_then_leaves_the_file_and_shows_the_cell(notebook, saved, printed, capsys):
    path = saved(notebook(printed("42\n"), source="{}['x']"))
    before = path.read_text()
    assert save.main([str(path)]) == 1
    assert path.read_text() == before
    assert "KeyError" in capsys.readouterr().out


def test_save_when_a_rule_is_broken_then_says_which_and_counts_it(notebook, saved, capsys):
    path = saved(notebook(source="print('/home/ana')"))
    assert save.main([str(path)]) == 1
    assert "a path of one machine: /home/ana" in capsys.readouterr().out
