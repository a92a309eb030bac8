"""Live views and replays in the background: they show what comes, end by themselves, and leave no thread."""

import gc
import html.parser
import os
import pickle
import pty
import subprocess
import sys
import textwrap
import threading

import nbclient
import nbformat
import polars as pl
import pytest

import shardstream as ss
from shardstream import errors, live_screen
from shardstream.live_picture import _KEPT, Picture

SOON = "10s"
SOON_S = 10


@pytest.fixture(autouse=True)
def threads():
    """Every test leaves the threads that it found."""
    before = set(threading.enumerate())
    yield
    gc.collect()
    for thread in set(threading.enumerate()) - before:
        thread.join(SOON_S)
    assert set(threading.enumerate()) <= before


class Screen:
    """A screen that keeps what it is shown, and lets a test wait for it."""

    def __init__(self):
        self.pictures = []
        self.is_closed = False
        self.news = threading.Condition()

    def is_at(self, other):
        return True

    def open(self, picture):
        self.draw(picture)

    def draw(self, picture):
        with self.news:
            self.pictures.append((picture.html(), picture.line(), picture.windows()))
            self.news.notify_all()

    def close(self, picture):
        self.is_closed = True
        self.draw(picture)

    def until(self, shows):
        with self.news:
            assert self.news.wait_for(lambda: any(map(shows, self.pictures)), SOON_S), self.pictures[-1]


@pytest.fixture
def screen(monkeypatch):
    shown = Screen()
    monkeypatch.setattr("shardstream.live.screen", lambda: shown)
    return shown


@pytest.fixture(params=["the machine's clock", "a clock that stands still"])
def stream(request):
    clock = ss.ManualClock() if request.param == "a clock that stands still" else None
    with ss.Engine(clock=clock) as engine:
        yield engine.create_stream("clicks", shards=2)


def counts(stream):
    return stream.window(ss.tumble("1m"), time="at").agg(n=ss.count())


def put(stream, *minutes, region="eu", amount=1):
    stream.put_many(
        [
            (f'{{"at": "2026-01-01T00:{minute:02}:00Z", "region": "{region}", "n": {amount}}}'.encode(), "user-1")
            for minute in minutes
        ]
    )


def shows(minute, count):
    """Whether a picture has a window of this many rows."""
    return lambda picture: any((row["window_start"].minute, row["n"]) == (minute, count) for row in picture[2])


def test_view_when_records_come_then_shows_their_windows(stream, screen):
    with stream.live(counts(stream), every="1ms") as view:
        assert view.is_live
        put(stream, 1, 1, 2)
        screen.until(shows(1, 2))
        put(stream, 2)
        screen.until(shows(2, 2))
    assert [(row["window_start"].minute, row["n"]) for row in view.windows] == [(2, 2), (1, 2)]
    assert view.stats["rows"] == 4
    assert not view.is_live
    assert screen.is_closed


def test_view_when_stopped_then_has_all_that_was_put_before(stream, screen):
    with counts(stream).live() as view:
        for _ in range(300):
            put(stream, *[3] * 1_000)
    assert view.windows[0]["n"] == 300_000
    assert shows(3, 300_000)(screen.pictures[-1])
    view.stop()


def test_view_when_it_starts_then_takes_what_comes_from_there_on(stream, screen):
    put(stream, 1)
    with stream.live(counts(stream)) as view:
        put(stream, 2)
    assert [row["window_start"].minute for row in view.windows] == [2]
    with stream.live(counts(stream), start="TRIM_HORIZON") as view:
        pass
    assert [row["window_start"].minute for row in view.windows] == [2, 1]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("delete", "stream deleted"),
        ("close", "engine closed"),
        ("timeout", "nothing came"),
        ("end", "at its end"),
        ("stop", "stopped"),
    ],
)
def test_view_when_there_is_no_more_then_ends_by_itself_and_says_why(how, said, stream, screen):
    options = {"timeout": {"timeout": "50ms"}, "end": {"start": "TRIM_HORIZON", "end": "LATEST"}}.get(how, {})
    put(stream, 1)
    view = stream.live(counts(stream), **options)
    if how == "delete":
        stream._engine.delete_stream("clicks")
    elif how == "close":
        stream._engine.close()
    elif how == "stop":
        view.stop()
    assert view.wait(SOON)
    assert not view.is_live
    assert said in screen.pictures[-1][1]
    assert said in repr(view)
    assert view.error is None


def test_view_when_the_clock_stands_still_then_lives_until_it_is_told(screen):
    clock = ss.ManualClock()
    stream = ss.Engine(clock=clock).create_stream("clicks", shards=1)
    view = stream.live(counts(stream), timeout="1h", every="1ms")
    put(stream, 1)
    screen.until(shows(1, 1))
    clock.advance("20h")
    assert view.wait("100ms") is False
    assert view.is_live
    put(stream, 1)
    screen.until(shows(1, 2))
    view.stop()


def test_view_when_nobody_holds_it_then_ends(stream, screen):
    view = stream.live(counts(stream))
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "shardstream-live"]
    del view
    gc.collect()
    thread.join(SOON_S)
    assert not thread.is_alive()
    assert screen.is_closed


def test_view_when_the_query_fails_then_shows_it_and_wait_raises_it(stream, screen):
    query = stream.window(ss.tumble("1m"), on_malformed="raise").agg(n=ss.sum("n"))
    view = stream.live(query)
    stream.put(b"not <json>", key="user-1")
    with pytest.raises(errors.RecordDecodeError):
        view.wait(SOON)
    assert isinstance(view.error, errors.RecordDecodeError)
    assert "failed: RecordDecodeError" in screen.pictures[-1][0]
    assert "<json>" not in screen.pictures[-1][0]
    view.stop()


def test_view_when_pictures_are_wanted_seldom_then_few_are_drawn_and_the_last_is_right(stream, screen):
    with stream.live(counts(stream), every="1h") as view:
        for _ in range(50):
            put(stream, 1)
    assert view.windows[0]["n"] == 50
    assert len(screen.pictures) == 2


def test_view_when_it_has_keys_and_late_rows_then_says_so(screen):
    stream = ss.Engine().create_stream("clicks", shards=1)
    query = stream.window(ss.tumble("1m"), time="at").by("region").agg(total=ss.sum("n"), top=ss.top_k("region"))
    with query.live() as view:
        for minute in range(5):
            put(stream, minute, region="eu", amount=minute)
            put(stream, minute, region="a & b", amount=2 * minute)
        put(stream, 0)
        stream.put(b"not json", key="user-1")
    page, line, windows = screen.pictures[-1]
    assert [row["region"] for row in windows[:2]] == ["a & b", "eu"]
    assert "1 late" in line
    assert "1 malformed" in line
    assert "watermark 2026-01-01 00:04" in line
    assert "a &amp; b" in page
    assert "a & b" not in page
    assert ">a &amp; b 1<" in page
    assert page.count("<polyline") == 2
    assert view.stats["late_rows"] == 1


class Tags(html.parser.HTMLParser):
    """The tags and attributes of a page, which must close what it opens."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.opened = set(), set(), []
        self.feed(page)
        self.close()
        assert self.opened == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        self.opened.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_endtag(self, tag):
        assert self.opened.pop() == tag


def test_page_when_drawn_then_is_plain_html_of_bounded_size(screen):
    stream = ss.Engine().create_stream("clicks", shards=1)
    rows = pl.DataFrame({"key": [f"<b>key {i}</b>" for i in range(20_000)]}).with_columns(
        at=pl.datetime(2026, 1, 1) + pl.duration(seconds=pl.int_range(pl.len()))
    )
    query = stream.window(ss.tumble("1s"), time="at").by("key").agg(n=ss.count())
    with query.live(rows=100):
        stream.write(rows, key="key")
    page = screen.pictures[-1][0]
    found = Tags(page)
    assert not found.tags & {"script", "style", "link", "b b"}
    assert not {name for name in found.attributes if name.startswith("on")}
    assert page.count("<tr>") == 102
    assert len(page) < 60_000


def test_picture_when_more_windows_come_than_are_kept_then_keeps_the_newest():
    stream = ss.Engine().create_stream("clicks", shards=1)
    query = stream.window(ss.tumble("1s"), time="at").agg(n=ss.count())
    picture = Picture("clicks", keys=[], aggregates=["n"], are_sessions=False, rows=5)
    rows = pl.DataFrame({"key": ["a"] * 5_000}).with_columns(
        at=pl.datetime(2026, 1, 1, time_zone="UTC") + pl.duration(seconds=pl.int_range(pl.len()))
    )
    answers = query._follow("changes", "LATEST", None, None, None)
    for part in rows.iter_slices(250):
        stream.write(part, key="key")
        picture.take(answers.poll(1_000), 0.0)
    assert [row["window_start"] for row in picture.windows()] == rows["at"].tail(5).to_list()[::-1]
    assert picture._count == sum(map(len, picture._kept.values())) <= 2 * _KEPT


@pytest.mark.parametrize(
    "window", [ss.hop(size="2m", slide="1m"), ss.session("90s"), ss.cumulate(size="4m", step="2m")], ids=repr
)
def test_view_when_windows_are_of_another_kind_then_shows_what_collect_answers(window, screen):
    stream = ss.Engine().create_stream("clicks", shards=1)
    query = stream.window(window, time="at", watermark="1d").by("region").agg(n=ss.count())
    with query.live(rows=100, every="1ms") as view:
        for minute in (1, 3, 2, 7, 9, 8, 20):
            put(stream, minute)
            put(stream, minute + 1, region="us")
    expected = query.collect(start="TRIM_HORIZON").to_pylist()
    place = lambda row: (row["window_start"], row["window_end"], row["region"])  # noqa: E731
    assert sorted(view.windows, key=place) == sorted(expected, key=place)


def test_view_when_windows_are_rolling_then_shows_rows_that_the_watermark_has_passed(screen):
    stream = ss.Engine().create_stream("clicks", shards=1)
    query = stream.window(ss.rolling("5m"), time="at").agg(n=ss.count())
    with query.live() as view:
        put(stream, 1, 2, 3, 30)
    assert [(row["window_end"].minute, row["n"]) for row in view.windows][-3:] == [(3, 3), (2, 2), (1, 1)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"every": "0s"}, "every"),
        ({"timeout": "-1s"}, "timeout"),
        ({"rows": 0}, "rows"),
        ({"rows": 101}, "rows"),
        ({"rows": True}, "rows"),
        ({"start": "no such time"}, "start"),
    ],
)
def test_view_when_an_option_is_wrong_then_says_so_and_starts_nothing(options, said, stream, screen):
    with pytest.raises(errors.InvalidArgumentException, match=said):
        stream.live(counts(stream), **options)
    assert screen.pictures == []


def test_view_when_the_query_is_not_of_this_stream_then_says_so(stream, screen):
    other = stream._engine.create_stream("orders")
    table = ss.window(pl.DataFrame({"at": []}), ss.tumble("1m"), time="at").agg(n=ss.count())
    for query in (counts(other), table):
        with pytest.raises(errors.InvalidArgumentException, match="one of this stream, 'clicks'"):
            stream.live(query)
    with pytest.raises(errors.InvalidArgumentException, match=r"live\(\) is for streams"):
        table.live()
    with pytest.raises(errors.InvalidArgumentException, match="computes nothing"):
        stream.live(stream.window(ss.tumble("1m")))
    with pytest.raises(errors.SerializationException, match="agg"):
        stream.live("n")


def test_view_when_pickled_then_says_why_not(stream, screen):
    with stream.live(counts(stream)) as view, pytest.raises(errors.SerializationException, match="pickle its windows"):
        pickle.dumps(view)


def test_view_when_errors_go_to_a_file_then_shows_nothing_and_works():
    assert live_screen.screen() is None
    stream = ss.Engine().create_stream("clicks", shards=1)
    with stream.live(counts(stream)) as view:
        put(stream, 1)
    assert view.windows[0]["n"] == 1
    Tags(view._repr_html_())


PROGRAM = """
import sys, shardstream as ss
clicks = ss.Engine().create_stream("clicks", shards=1)
view = clicks.live(clicks.window(ss.tumble("1d"), time="at").agg(n=ss.count()), every="1ms")
clicks.put(b'{"at": "2026-01-01T09:00:00Z"}', key="user-1")
%s
"""


def run(program, **options):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM) % program], check=True, timeout=30, text=True, **options
    )


def test_view_when_the_process_ends_then_does_not_keep_it():
    done = run("print('the end')", capture_output=True)
    assert (done.stdout, done.stderr) == ("the end\n", "")


def test_view_when_the_process_fails_then_does_not_keep_it():
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run("raise SystemExit(3)", capture_output=True)
    assert failed.value.returncode == 3


def test_view_when_in_a_terminal_then_is_a_line_that_is_written_again():
    ours, theirs = pty.openpty()
    try:
        run("view.stop()", stderr=theirs)
        os.set_blocking(ours, False)
        written = os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    lines = written.split("\r")
    assert lines[1].startswith("clicks | live | 0 rows")
    assert any("clicks | stopped | 1 row | watermark 2026-01-01 09:00" in line for line in lines)
    assert written.endswith("\r\n")
    assert written.count("\n") == 1


def executed(*cells, **options):
    """A notebook, run in a kernel of its own."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(textwrap.dedent(cell)) for cell in cells])
    # What a test asks of the package is in the package's environment, not in a kernel's that is installed elsewhere.
    client = nbclient.NotebookClient(notebook, timeout=50, kernel_name="python3", **options)
    client.execute()
    return client.nb


def pages(cell):
    return [output["data"]["text/html"] for output in cell.outputs if "text/html" in output.get("data", {})]


START = """
import sys
import shardstream as ss
%s
clicks = ss.Engine().create_stream("clicks", shards=1)
query = clicks.window(ss.tumble("1d"), time="at").agg(n=ss.count())
def put(count):
    clicks.put_many([(b'{"at": "2026-01-01T09:00:00Z"}', "user-1")] * count)
"""
WITHOUT_WIDGETS = START % "sys.modules['anywidget'] = None"


@pytest.mark.parametrize("start", [WITHOUT_WIDGETS, START % ""], ids=["without anywidget", "with anywidget"])
@pytest.mark.filterwarnings("default")
def test_view_when_in_a_notebook_then_its_cell_has_the_last_picture(start):
    notebook = executed(
        start,
        "view = clicks.live(query, every='1ms')\nput(5)",
        "put(7)\nimport time",
        "view.stop()\nassert view.windows[0]['n'] == 12, view",
        "view",
    )
    first, again = notebook.cells[1], notebook.cells[4]
    for cell in (first, again):
        (page,) = pages(cell)
        assert "stopped" in page
        assert ">12<" in page
        (output,) = cell.outputs
        assert set(output["data"]) == {"text/html", "text/plain"}
        assert "clicks | stopped | 12 rows" in output["data"]["text/plain"]
    assert pages(notebook.cells[2]) == pages(notebook.cells[3]) == []


def test_view_when_it_is_a_cells_last_word_then_is_shown_there_once():
    notebook = executed(WITHOUT_WIDGETS, "view = clicks.live(query)\nview", "clicks.live(query)", "put(1)\nview.stop()")
    assert len(pages(notebook.cells[1])) == 1
    assert len(pages(notebook.cells[2])) == 1


def test_view_when_a_replay_runs_in_the_background_then_is_shown_meanwhile():
    notebook = executed(
        WITHOUT_WIDGETS,
        """
        import polars as pl
        rows = pl.DataFrame({"key": ["a"] * 100_000}).with_columns(at=pl.datetime(2026, 1, 1))
        with clicks.live(query) as view:
            report = ss.replay(rows, clicks, key="key", time="at", background=True).result()
        """,
        "import threading\nprint([t.name for t in threading.enumerate() if t.name.startswith('shardstream')])",
    )
    (page,) = pages(notebook.cells[1])
    assert ">100,000<" in page
    assert notebook.cells[2].outputs[0]["text"] == "[]\n"


# Replays in the background.


def some_rows(count=1_000):
    return pl.DataFrame({"key": ["a"] * count, "n": range(count)}).with_columns(
        at=pl.datetime(2026, 1, 1, time_zone="UTC") + pl.duration(hours=pl.int_range(pl.len()))
    )


@pytest.fixture
def clicks():
    with ss.Engine() as engine:
        yield engine.create_stream("clicks", shards=1)


def test_replay_when_in_the_background_then_gives_the_same_report(clicks):
    replay = ss.replay(some_rows(), clicks, key="key", time="at", background=True)
    report = replay.result(SOON)
    assert (report.records, report.rows, len(clicks)) == (1_000, 1_000, 1_000)
    assert replay.done
    assert replay.rows == 1_000
    assert replay.result() is replay.stop() is report
    assert repr(replay) == "BackgroundReplay('clicks', done, 1,000 rows)"


def test_replay_when_paced_and_stopped_then_keeps_what_was_sent(clicks):
    replay = ss.replay(some_rows(), clicks, key="key", time="at", speed=1, background=True)
    (record,) = [record for _, record in zip(range(1), clicks.follow("TRIM_HORIZON"), strict=False)]
    assert not replay.done
    with pytest.raises(TimeoutError, match=r"goes on after 1ms.*stop\(\)"):
        replay.result("1ms")
    report = replay.stop()
    assert report.records == len(clicks) == replay.rows
    assert report.records < 1_000
    assert record.data.startswith(b"{")


def test_replay_when_left_by_a_with_statement_then_is_stopped(clicks):
    with ss.replay(((f"key-{i}", b"x") for i in iter(int, 1)), clicks, background=True) as replay:
        next(clicks.follow("TRIM_HORIZON"))
        assert not replay.done
    assert replay.done
    assert replay.result().records == len(clicks)


def test_replay_when_it_fails_in_the_background_then_result_raises_it(clicks):
    replay = ss.replay([("user-1", b"x")] * 700 + [5], clicks, background=True)
    with pytest.raises(errors.SerializationException, match=r"pair 700 .*500 records were stored before"):
        replay.result(SOON)
    assert len(clicks) == 500


def test_replay_when_its_arguments_are_wrong_then_the_call_raises(clicks):
    with pytest.raises(errors.ColumnNotFoundError):
        ss.replay(some_rows(), clicks, key="nobody", background=True)
    with pytest.raises(errors.DatasetNotFoundError):
        ss.replay("no/such/file.parquet", clicks, key="key", background=True)


def test_replay_when_progress_is_told_in_the_background_then_hears_all_rows(clicks):
    heard = []
    ss.replay(some_rows(), clicks, key="key", progress=heard.append, background=True).result(SOON)
    assert sum(heard) == 1_000
    assert 0 not in heard


def test_replay_when_the_process_ends_then_does_not_keep_it():
    done = run("ss.replay(((str(i), b'x') for i in iter(int, 1)), clicks, background=True)", capture_output=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_replay_when_the_engine_is_closed_then_result_says_so(clicks):
    replay = ss.replay((("k", b"x") for _ in iter(int, 1)), clicks, background=True)
    next(clicks.follow("TRIM_HORIZON"))
    clicks._engine.close()
    with pytest.raises(errors.EngineClosedError):
        replay.result(SOON)


def test_replay_when_pickled_on_its_way_then_says_why_not(clicks):
    with pytest.raises(errors.SerializationException, match=r"pickle its result\(\)"):
        pickle.dumps(ss.replay([("user-1", b"x")], clicks, background=True))
