"""Notebooks, executed as they are committed: from the top, in a new kernel, beside their data."""

import os
import time
from dataclasses import dataclass
from tempfile import TemporaryDirectory

import nbformat
from form import canonical
from nbclient import NotebookClient

# Seconds for one cell, and for a whole notebook, on the busiest machine. On a quiet one a notebook takes 20 at most.
CELL, WHOLE = 60, 60
# What outputs would depend on.
ENVIRONMENT = {"PYTHONHASHSEED": "0", "TZ": "UTC", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


@dataclass
class Execution:
    """What a notebook showed, in canonical form, and the seconds that it took."""

    notebook: nbformat.NotebookNode
    seconds: float


def execute(path):
    """Executes the notebook in a kernel of its own.

    Raises:
        CellExecutionError: A cell failed.
        CellTimeoutError: A cell did not end.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    with TemporaryDirectory() as folder:
        # Not by ports, which others on the machine may listen to.
        manager = client.create_kernel_manager()
        manager.transport, manager.ip = "ipc", f"{folder}/kernel"
        began = time.perf_counter()
        client.execute(env={**os.environ, **ENVIRONMENT})
        return Execution(canonical(notebook), time.perf_counter() - began)
