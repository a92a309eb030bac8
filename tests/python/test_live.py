"""Live queries: fed in bursts they answer what `collect(order="arrival")` does, each window once, and end."""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import given
from polars.testing import assert_frame_equal

import shardstream as ss

MINUTE = ss.tumble("1m")
WINDOWS = {
    "tumble": ss.tumble("10s"),
    "hop": ss.hop(size="10s", slide="4s"),
    "session": ss.session("4s"),
    "cumulate": ss.cumulate(size="20s", step="5s"),
    "rolling": ss.rolling("10s"),
}
BURSTS = st.lists(
    st.lists(st.tuples(st.integers(-30, 90), st.sampled_from(["a", "b", "c"])), min_size=1, max_size=12),
    min_size=1,
    max_size=6,
)
DELAYS = st.integers(0, 25)
PLACE = ["window_start", "window_end", "key"]


def new_engine() -> ss.Engine:
    return ss.Engine(clock=ss.ManualClock("2026-01-01T00:00:00Z"))


def record(second: int, key: str = "a", number: int = 0) -> tuple[bytes, str]:
    """A record of JSON with an event time, in seconds from the start of 1970."""
    at = datetime.fromtimestamp(second, UTC).isoformat()
    return json.dumps({"at": at, "key": key, "bit": float(1 << number)}).encode(), key


class Source:
    """Bursts of rows, each with a bit of its own, as JSON or as tables."""

    def __init__(self, bursts: list[list[tuple[int, str]]]) -> None:
        self.bursts = bursts

    def put(self, stream: ss.Stream, *, as_table: bool) -> Iterator[None]:
        """Put one burst at a time."""
        number = 0
        for burst in self.bursts:
            rows = [(second, key, number + place) for place, (second, key) in enumerate(burst)]
            number += len(burst)
            if as_table:
                frame = pl.DataFrame(rows, schema={"at": pl.Int64, "key": pl.String, "bit": pl.Int64}, orient="row")
                at = (pl.col("at") * 1_000_000).cast(pl.Datetime("us", "UTC"))
                stream.write(frame.with_columns(at, bit=2.0 ** pl.col("bit")), key="key")
            else:
                stream.put_many([record(*row) for row in rows])
            yield


def asked(stream: ss.Stream, kind: str, *, watermark: int = 0, lateness: int = 0) -> ss.WindowQuery:
    window = WINDOWS[kind]
    query = stream.window(window, time="at", watermark=f"{watermark}s", allowed_lateness=f"{lateness}s")
    return query.by("key").agg(n=ss.count(), bits=ss.sum("bit"))


def joined(tables: Iterable[object]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(table) for table in tables])


def ordered(windows: pl.DataFrame) -> pl.DataFrame:
    return windows.sort(*PLACE, "bits")


@pytest.mark.parametrize("as_table", [True, False], ids=["rows", "json"])
@pytest.mark.parametrize("kind", WINDOWS)
@given(bursts=BURSTS, watermark=DELAYS, lateness=DELAYS)
def test_follow_of_bursts_gives_each_window_of_collect_once(
    kind: str, bursts: list[list[tuple[int, str]]], watermark: int, lateness: int, *, as_table: bool
) -> None:
    engine = new_engine()
    stream = engine.create_stream("live", shards=3)
    query = asked(stream, kind, watermark=watermark, lateness=lateness)
    following = query.follow(timeout="1s")
    updates = []
    for _ in Source(bursts).put(stream, as_table=as_table):
        updates += list(following)
    wanted = query.collect(order="arrival")
    engine.delete_stream("live")
    updates += list(following)
    assert_frame_equal(ordered(joined(updates)), ordered(pl.DataFrame(wanted)), check_exact=True)
    assert_frame_equal(joined(update.late for update in updates), pl.DataFrame(wanted.late), check_exact=True)
    assert updates[-1].stats.as_dict() == wanted.stats.as_dict()


@pytest.mark.parametrize("kind", ["tumble", "hop", "cumulate", "rolling"])
@given(bursts=BURSTS, watermark=DELAYS)
def test_last_change_of_each_window_is_its_final_answer(
    kind: str, bursts: list[list[tuple[int, str]]], watermark: int
) -> None:
    engine = new_engine()
    stream = engine.create_stream("live", shards=3)
    query = asked(stream, kind, watermark=watermark)
    following = query.follow(emit="changes", timeout="1s")
    updates = []
    for _ in Source(bursts).put(stream, as_table=False):
        updates += list(following)
    wanted = pl.DataFrame(query.collect(order="arrival"))
    engine.delete_stream("live")
    updates += list(following)
    changes = joined(updates)
    if kind != "rolling":
        changes = changes.group_by(PLACE, maintain_order=True).last()
    assert_frame_equal(ordered(changes), ordered(wanted), check_exact=True)


@given(bursts=BURSTS, watermark=DELAYS)
def test_changes_of_sessions_end_with_every_final_session(bursts: list[list[tuple[int, str]]], watermark: int) -> None:
    engine = new_engine()
    stream = engine.create_stream("live", shards=3)
    query = asked(stream, "session", watermark=watermark)
    following = query.follow(emit="changes", timeout="1s")
    updates = []
    for _ in Source(bursts).put(stream, as_table=False):
        updates += list(following)
    wanted = pl.DataFrame(query.collect(order="arrival"))
    engine.delete_stream("live")
    updates += list(following)
    last = joined(updates).unique(PLACE, keep="last")
    assert_frame_equal(ordered(wanted.join(last, on=wanted.columns)), ordered(wanted), check_exact=True)


def test_changes_give_a_window_while_it_is_open() -> None:
    stream = new_engine().create_stream("live", shards=1)
    following = stream.window(MINUTE, time="at").agg(n=ss.count()).follow(emit="changes", timeout="1s")
    counts = []
    for second in (1, 2, 3):
        stream.put(*record(second))
        counts += [update.column("n") for update in following]
    assert counts == [[1], [2], [3]]


def test_changes_give_nothing_where_nothing_changed() -> None:
    stream = new_engine().create_stream("live", shards=1)
    following = stream.window(MINUTE, time="at").agg(n=ss.count()).follow(emit="changes", timeout="1s")
    stream.put(*record(1))
    assert len(list(following)) == 1
    assert list(following) == []


def test_window_stays_open_until_the_watermark_and_allowed_lateness_have_passed() -> None:
    stream = new_engine().create_stream("live", shards=1)
    query = stream.window(MINUTE, time="at", watermark="10s", allowed_lateness="5s").agg(n=ss.count())
    following = query.follow(timeout="1s")
    stream.put_many([record(0), record(74)])
    assert list(following) == []
    stream.put(*record(75))
    [update] = list(following)
    assert (update.column("n"), update.column("window_end")) == ([1], [datetime.fromtimestamp(60, UTC)])


def test_follow_starts_at_latest_as_of_the_call() -> None:
    stream = new_engine().create_stream("live", shards=2)
    stream.put(*record(1))
    following = stream.window(MINUTE, time="at").agg(n=ss.count()).follow(timeout="1s")
    stream.put_many([record(2), record(3), record(60)])
    assert [update.column("n") for update in following] == [[2]]


def test_follow_to_latest_closes_all_windows_and_ends() -> None:
    stream = new_engine().create_stream("live", shards=2)
    stream.put_many([record(1), record(2), record(61)])
    following = stream.window(MINUTE, time="at").agg(n=ss.count()).follow(start="TRIM_HORIZON", end="LATEST")
    stream.put(*record(3))
    assert joined(following)["n"].to_list() == [2, 1]


def test_deleted_stream_closes_all_windows_and_ends() -> None:
    engine = new_engine()
    stream = engine.create_stream("live", shards=2)
    following = stream.window(MINUTE, time="at").agg(n=ss.count()).follow()
    stream.put_many([record(1), record(61)])
    assert next(following).column("n") == [1]
    engine.delete_stream("live")
    [update] = list(following)
    assert (update.column("n"), update.stats.open_windows, update.stats.windows) == ([1], 0, 2)


def test_deleted_stream_without_a_record_ends_without_windows() -> None:
    engine = new_engine()
    stream = engine.create_stream("live", shards=2)
    following = stream.window(MINUTE, time="at").agg(n=ss.count()).follow()
    engine.delete_stream("live")
    assert list(following) == []


def test_closed_shard_followed_alone_closes_its_windows_and_ends() -> None:
    stream = new_engine().create_stream("live", shards=1)
    following = stream.window(MINUTE, time="at").agg(n=ss.count()).follow(shard_id=stream.shards()[0])
    stream.put_many([record(1), record(2)])
    stream.split_shard("shardId-000000000000")
    stream.put(*record(3))
    assert [update.column("n") for update in following] == [[2]]


def test_follow_goes_on_across_a_reshard() -> None:
    engine = new_engine()
    stream = engine.create_stream("live", shards=2)
    query = asked(stream, "tumble", watermark=5)
    following = query.follow(timeout="1s")
    updates = []
    for step, _ in enumerate(
        Source([[(5 * second, "abc"[second % 3])] for second in range(12)]).put(stream, as_table=False)
    ):
        updates += list(following)
        stream.update_shard_count((3, 2, 4, 8, 4)[step % 5])
    wanted = query.collect(order="arrival")
    engine.delete_stream("live")
    updates += list(following)
    assert_frame_equal(ordered(joined(updates)), ordered(pl.DataFrame(wanted)), check_exact=True)


def test_idle_timeout_moves_the_watermark_with_the_clock() -> None:
    engine = new_engine()
    stream = engine.create_stream("live", shards=1)
    query = stream.window(MINUTE, time="at", idle_timeout="10s").agg(n=ss.count())
    following = query.follow(timeout="1s")
    stream.put(*record(45))
    assert list(following) == []
    engine.clock.advance("9999ms")
    assert list(following) == []
    engine.clock.advance("5001ms")
    [update] = list(following)
    assert (update.column("n"), update.stats.watermark) == ([1], datetime.fromtimestamp(60, UTC))


def test_without_idle_timeout_windows_stay_open_however_long() -> None:
    engine = new_engine()
    stream = engine.create_stream("live", shards=1)
    following = stream.window(MINUTE, time="at").agg(n=ss.count()).follow(timeout="1s")
    stream.put(*record(45))
    engine.clock.advance("23h")
    assert list(following) == []


def test_collect_by_arrival_sees_the_silence_that_a_live_query_did() -> None:
    engine = new_engine()
    stream = engine.create_stream("live", shards=1)
    query = stream.window(MINUTE, time="at", idle_timeout="10s").agg(n=ss.count())
    following = query.follow(timeout="1s")
    updates = []
    for second, pause in ((45, "20s"), (50, "1s"), (61, "1m"), (59, "0s"), (130, "0s")):
        stream.put(*record(second))
        updates += list(following)
        engine.clock.advance(pause)
        updates += list(following)
    wanted = query.collect(order="arrival")
    engine.delete_stream("live")
    updates += list(following)
    assert_frame_equal(joined(updates), pl.DataFrame(wanted))
    assert updates[-1].stats.late_rows == wanted.stats.late_rows == 2


def test_late_rows_come_with_the_update_after_them_and_only_once() -> None:
    stream = new_engine().create_stream("live", shards=1)
    following = stream.window(MINUTE, time="at").agg(n=ss.count()).follow(timeout="1s")
    stream.put_many([record(1), record(90)])
    assert [len(update.late) for update in following] == [0]
    stream.put(*record(2))
    [update] = list(following)
    assert (len(update), update.late.column("lateness")) == (0, [timedelta(seconds=88)])
    stream.put(*record(200))
    assert [len(update.late) for update in following] == [0]


@pytest.mark.parametrize("broken", [b"hello", b'{"at": "tomorrow"}', b'{"at": 5}'])
def test_malformed_record_does_not_stop_a_live_query(broken: bytes) -> None:
    stream = new_engine().create_stream("live", shards=1)
    following = stream.window(MINUTE, time="at").agg(n=ss.count()).follow(timeout="1s")
    stream.put_many([record(1), (broken, "a")])
    [update] = list(following)
    assert (update.malformed.column("data"), update.stats.malformed_records) == ([broken], 1)
    stream.put_many([record(2), record(60)])
    [update] = list(following)
    assert (update.column("n"), len(update.malformed), update.stats.malformed_records) == ([2], 0, 1)


@pytest.mark.parametrize("broken", [b"hello", b'{"at": "tomorrow"}'])
def test_malformed_record_before_all_others_does_not_stop_a_live_query(broken: bytes) -> None:
    stream = new_engine().create_stream("live", shards=1)
    following = stream.window(MINUTE, time="at").agg(n=ss.count()).follow(timeout="1s")
    stream.put(broken, key="a")
    assert [update.malformed.column("data") for update in following] == [[broken]]
    stream.put_many([record(2), record(60)])
    assert [update.column("n") for update in following] == [[1]]


def test_malformed_record_stops_a_live_query_when_told_to() -> None:
    stream = new_engine().create_stream("live", shards=1)
    following = stream.window(MINUTE, time="at", on_malformed="raise").agg(n=ss.count()).follow(timeout="1s")
    broken = stream.put(b"hello", key="a")
    with pytest.raises(ss.errors.RecordDecodeError, match=broken.sequence_number):
        list(following)


def test_missing_column_of_rows_is_an_error_once_rows_come() -> None:
    stream = new_engine().create_stream("live", shards=1)
    following = stream.window(MINUTE, time="ts").agg(n=ss.count()).follow(timeout="1s")
    stream.write(pl.DataFrame({"key": ["a"]}), key="key")
    with pytest.raises(ss.errors.ColumnNotFoundError, match=r"`ts`.*`key`"):
        list(following)


def test_json_field_that_comes_later_is_null_before() -> None:
    stream = new_engine().create_stream("live", shards=1)
    following = stream.window(MINUTE, time="at").agg(n=ss.count(), total=ss.sum("amount")).follow(timeout="1s")
    stream.put(*record(1))
    assert list(following) == []
    stream.put_many([(b'{"at": "1970-01-01T00:00:02Z", "amount": 2.5}', "a"), record(60)])
    assert [(update.column("n"), update.column("total")) for update in following] == [([2], [2.5])]


def test_json_fraction_that_follows_whole_numbers_is_no_misfit() -> None:
    stream = new_engine().create_stream("live", shards=1)
    following = stream.window(MINUTE, time="at").agg(total=ss.sum("amount")).follow(timeout="1s")
    for amount in (b"1", b"0.5"):
        stream.put(b'{"at": "1970-01-01T00:00:02Z", "amount": ' + amount + b"}", key="a")
        assert list(following) == []
    stream.put(*record(60))
    assert [update.column("total") for update in following] == [[1.5]]


@pytest.mark.parametrize("writers", [1, 2])
def test_threads_that_write_and_follow_count_every_row_once(writers: int) -> None:
    stream = ss.Engine().create_stream("live", shards=4)
    following = stream.window(ss.tumble("10s"), time="at").by("key").agg(n=ss.count()).follow()
    rows = 500

    def write(writer: int) -> None:
        for second in range(rows):
            stream.put(*record(second, key=f"user-{writer}"))

    def count() -> tuple[int, pl.DataFrame]:
        updates = []
        for update in following:
            updates.append(update)
            windows = joined(updates)
            if windows["n"].sum() + update.stats.late_rows == writers * rows:
                break
        return update.stats.rows, windows

    with ThreadPoolExecutor(writers + 1) as pool:
        counting = pool.submit(count)
        for writer in [pool.submit(write, writer) for writer in range(writers)]:
            writer.result(timeout=30)
        stream.put(*record(10 * rows))
        seen, windows = counting.result(timeout=30)
    assert seen == writers * rows + 1
    assert windows.unique(PLACE).height == windows.height


def test_follower_that_waits_in_a_thread_ends_when_the_stream_is_deleted() -> None:
    engine = ss.Engine()
    following = engine.create_stream("live", shards=2).window(MINUTE, time="at").agg(n=ss.count()).follow()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(list, following)
        engine.delete_stream("live")
        assert answer.result(timeout=30) == []


def test_two_followers_of_one_stream_see_the_same_windows() -> None:
    stream = new_engine().create_stream("live", shards=2)
    query = asked(stream, "tumble")
    one, other = query.follow(timeout="1s"), query.follow(timeout="1s")
    stream.put_many([record(second, key="ab"[second % 2], number=second) for second in range(30)])
    assert_frame_equal(joined(one), joined(other))


def test_follow_checks_its_words_at_once() -> None:
    query = new_engine().create_stream("live", shards=1).window(MINUTE).agg(n=ss.count())
    with pytest.raises(ss.errors.InvalidArgumentException, match="emit: one of 'final', 'changes', not 'all'"):
        query.follow(emit="all")
