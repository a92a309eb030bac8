"""Ctrl-C: every call that takes long lets go soon, and leaves the engine usable; so does a notebook's kernel."""

import queue
import signal
import subprocess
import sys
import time
from pathlib import Path

import jupyter_client
import pytest

PROGRAM = Path(__file__).with_name("interrupted.py")
# What native code hears within 50 ms has time to be scheduled on a machine that is at much else.
SOON_S = 1.5
# How long a call is under way before it is interrupted.
INTO_S = 0.1

WAIT = [
    "follow",
    "follow of windows",
    "follow of changes",
    "paced replay",
    "replay of pairs",
    "result of a replay",
    "wait of a view",
    "puts in a loop",
    "waiter",
    "subscription",
]
WORK = [
    "replay",
    "write",
    "read and walk",
    "to_numpy",
    "select",
    "column",
    "collect",
    "collect of a table",
    "put_many",
    "rows",
    "to_pylist",
    "bytes of a report",
]
# What is being written is written to its end: Ctrl-C comes after.
WRITE = ["snapshot", "seal", "close"]


def interrupted(name, folder, *, into=INTO_S):
    """What became of a call that was interrupted: how it ended, how soon, and what was said after."""
    command = [sys.executable, str(PROGRAM), name, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begins\n", process.stderr.read()
        # A call that lasts for ever has nothing to tell by which one could see that it is under way.
        time.sleep(into)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=50)
    assert process.returncode == 0, errors
    first, *others = said.splitlines()
    ended, let_go = first.split()
    return ended, float(let_go) - sent, others


@pytest.mark.parametrize("name", WAIT + WORK)
def test_ctrl_c_when_a_call_is_under_way_then_it_lets_go_soon_and_the_engine_stays_usable(name, tmp_path):
    # Once its rows are routed, a write is over in a moment, and not interrupted.
    into = 0.02 if name == "write" else INTO_S
    ended, seconds, others = interrupted(name, tmp_path / "events", into=into)
    assert ended == "interrupted"
    assert seconds < SOON_S
    assert others == ["usable"]


@pytest.mark.parametrize("name", WRITE)
def test_ctrl_c_when_a_folder_is_being_written_then_what_was_put_is_there_after(name, tmp_path):
    # What takes moments may be over before the signal is there, or not begun.
    into = INTO_S if name == "snapshot" else 0
    _, _, (records, usable) = interrupted(name, tmp_path / "events", into=into)
    assert records == {"snapshot": "records 4000000"}.get(name, "records 800000")
    assert usable == "usable"


CELL = """
import polars as pl, shardstream as ss
clicks = ss.Engine().create_stream("clicks", shards=1)
rows = pl.DataFrame({"key": ["a"] * 1_000, "at": pl.datetime_range(
    pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 1) + pl.duration(hours=999), "1h", eager=True)})
query = clicks.window(ss.tumble("1h"), time="at").agg(n=ss.count())
"""
BLOCKING = {
    "replay": 'ss.replay(rows, clicks, key="key", time="at", speed=1, progress=lambda rows: print("under way"))',
    "follow": 'clicks.put(b"x", key="a")\nfor record in clicks.follow("TRIM_HORIZON"): print("under way")',
    "live": "with clicks.live(query) as view:\n    print('under way', flush=True)\n    view.wait()",
}


@pytest.fixture(scope="module")
def kernel():
    """A client of a kernel, as a notebook has one, and its manager."""
    manager, client = jupyter_client.manager.start_new_kernel(startup_timeout=50)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def executed(client, code, *, on_output=lambda: None):
    """How a cell ended: "ok", or the error's name."""
    asked = client.execute(code)
    while True:
        try:
            message = client.get_iopub_msg(timeout=30)
        except queue.Empty:
            pytest.fail(f"the kernel says nothing after {code}")
        if message["parent_header"].get("msg_id") != asked:
            continue
        if message["msg_type"] == "stream" and "under way" in message["content"]["text"]:
            on_output()
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            break
    while (answer := client.get_shell_msg(timeout=30))["parent_header"].get("msg_id") != asked:
        pass
    return answer["content"].get("ename", answer["content"]["status"])


@pytest.mark.parametrize("name", BLOCKING)
@pytest.mark.filterwarnings("default")
def test_interrupt_when_a_cell_blocks_then_it_ends_and_the_next_one_works(name, kernel):
    manager, client = kernel
    assert executed(client, CELL) == "ok"
    assert executed(client, BLOCKING[name], on_output=manager.interrupt_kernel) == "KeyboardInterrupt"
    assert executed(client, 'assert clicks.put(b"after", key="user-1").shard_id') == "ok"
    assert (
        executed(client, "import threading\nassert not [t for t in threading.enumerate() if 'shard' in t.name]") == "ok"
    )
