"""Executes notebooks, writes what they showed into their files in canonical form, and says which rules they break.

Usage: python tests/notebooks/save.py [notebooks/02_sensors.ipynb ...]
"""

import sys
from pathlib import Path

from execution import execute
from form import written
from nbclient.exceptions import CellExecutionError
from rules import broken

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def main(paths):
    """Saves the notebooks, all unless some are named, and gives how many fail or break a rule."""
    wrong = 0
    for path in map(Path, paths or sorted(NOTEBOOKS.glob("*.ipynb"))):
        try:
            saved = execute(path)
        except CellExecutionError as error:
            sys.stdout.write(f"{path.name}: left as it was, for a cell failed\n{error}\n")
            wrong += 1
            continue
        changed = path.read_text(encoding="utf-8") != (text := written(saved.notebook))
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.name}: {saved.seconds:.1f} s, {'changed' if changed else 'as it was'}\n")
        rules = broken(path)
        sys.stdout.writelines(f"  {sentence}\n" for sentence in rules)
        wrong += bool(rules)
    return wrong


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
