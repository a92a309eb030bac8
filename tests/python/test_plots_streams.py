"""Charts of streams and reports: rates, refusals, families and rings, from facts made by hand and from streams."""

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import vl_convert
from matplotlib.figure import Figure
from PIL import Image

import shardstream as ss
from shardstream import errors
from shardstream.plots import STREAM_KINDS, backend, family, ring, skew, traffic
from shardstream.plots.colour import ALARM, of_shard
from shardstream.plots.picture import Axis, Blank, Groups, Histogram, Lines, Series

NINE = datetime(2026, 1, 1, 9, tzinfo=UTC)
RING = 2**128


def name(number):
    return f"shardId-{number:012d}"


class Facts:
    """A table made by hand, as far as charts need one."""

    def __init__(self, rows, *columns):
        self._frame = pl.DataFrame(rows, schema=list(columns), orient="row")
        kinds = {pl.Int64: "Int64", pl.Float64: "Float64", pl.String: "Utf8"}
        self.schema = {each: kinds.get(kind, 'Timestamp(us, "UTC")') for each, kind in self._frame.schema.items()}

    def column(self, name):
        return self._frame[name].to_list()

    def __len__(self):
        return len(self._frame)


@dataclass
class Traffic:
    """What came to a stream, made by hand: rows of (shard, minute, records, throttled, over the limit)."""

    rows: list
    surveyed: int | None = None
    bin: timedelta = timedelta(minutes=1)
    start: datetime = NINE
    shards: object = None
    records: int = field(init=False)

    def __post_init__(self):
        self.records = sum(records for _, _, records, *_ in self.rows)
        self.surveyed = self.records if self.surveyed is None else self.surveyed

    @property
    def history(self):
        rows = [(name(shard), NINE + minute * self.bin, *counts) for shard, minute, *counts in self.rows]
        columns = ("shard_id", ("time", pl.Datetime("us", "UTC")), "records", "throttled", "over_limit")
        return Facts(rows, *columns)


@dataclass
class HotShard:
    shard_id: str
    share: float


@dataclass
class Hot:
    keys: Facts
    shards: list
    stream: str = "clicks"


@dataclass
class Shard:
    """A shard, made by hand."""

    shard_id: str
    starting_hash_key: int
    ending_hash_key: int
    created: int = 0
    closed: int | None = None
    parent_shard_id: str | None = None
    adjacent_parent_shard_id: str | None = None

    @property
    def is_open(self):
        return self.closed is None

    def created_ms(self):
        return self.created * 1_000

    def closed_ms(self):
        return None if self.closed is None else self.closed * 1_000


def halves(count):
    """A family in which the newest shard is split again and again, a minute after the split before."""
    shards = [Shard(name(0), 0, RING - 1)]
    while len(shards) < count:
        last = shards[-1]
        last.closed = 60 * len(shards)
        middle = (last.starting_hash_key + last.ending_hash_key) // 2
        for first, end in ((last.starting_hash_key, middle), (middle + 1, last.ending_hash_key)):
            shards.append(Shard(name(len(shards)), first, end, created=last.closed, parent_shard_id=last.shard_id))
    return shards


def even(count):
    """So many open shards of the same size."""
    edges = [place * RING // count for place in range(count + 1)]
    return [Shard(name(place), edges[place], edges[place + 1] - 1) for place in range(count)]


def by_label(lines):
    return {series.label: series.values.tolist() for series in lines.series}


def test_throughput_when_steps_are_empty_then_rates_are_zero_there_and_the_last_step_has_its_width():
    drawn = traffic.throughput(Traffic([(0, 0, 600, 0, 0), (0, 3, 1_200, 0, 0), (1, 1, 60, 0, 0)]), "clicks")
    assert by_label(drawn) == {"shard 0": [10, 0, 0, 20, 20], "shard 1": [1, 1]}
    (first, _) = drawn.series
    assert (first.times[-1] - first.times[0]) / 60e6 == 4


@pytest.mark.parametrize(("records", "is_drawn"), [(200 * 60, False), (600 * 60, True), (2_000 * 60, True)])
def test_limit_when_in_reach_then_is_drawn(records, is_drawn):
    drawn = traffic.throughput(Traffic([(0, 0, records, 0, 0)]), "clicks")
    assert (drawn.limit is not None) == is_drawn
    assert drawn.limit is None or drawn.limit[0] == 1_000


def test_alarms_when_a_step_was_too_much_then_stand_on_the_line_and_say_how_many():
    rows = [(0, 0, 60, 0, 0), (0, 1, 60_000, 212, 0), (1, 2, 120, 0, 7), (1, 3, 60, 0, 0)]
    drawn = traffic.throughput(Traffic(rows), "clicks")
    assert [(alarm.label, alarm.value, alarm.text) for alarm in drawn.alarms] == [
        ("shard 0", 1_000, "212 throttled"),
        ("shard 1", 2, "7 kept here that a real shard would have refused"),
    ]
    minutes = [(alarm.time / 1e6 - NINE.timestamp()) / 60 for alarm in drawn.alarms]
    assert [int(minute) for minute in minutes] == [1, 2]
    assert "212 throttled; 7 kept here" in drawn.subtitle[-1]


def test_throughput_when_of_many_shards_then_the_busiest_are_drawn_by_number():
    drawn = traffic.throughput(Traffic([(shard, 0, 60 * (shard + 1), 0, 0) for shard in range(30)]), "clicks")
    assert [series.label for series in drawn.series] == [f"shard {shard}" for shard in range(18, 30)]
    assert "12 of 30 shards" in "".join(drawn.subtitle)


def test_throughput_when_not_all_records_were_looked_at_then_says_so():
    drawn = traffic.throughput(Traffic([(0, 0, 5_000, 0, 0)], surveyed=1_000), "clicks")
    assert "the newest 1,000 of 5,000 records" in drawn.subtitle[0]


def test_throttles_when_of_several_shards_then_stand_on_one_another_in_the_whole_time():
    rows = [(0, 0, 60, 0, 0), (0, 2, 60, 5, 1), (1, 2, 60, 0, 4), (1, 9, 60, 0, 0)]
    drawn = traffic.throttles(Traffic(rows), "clicks")
    assert by_label(drawn) == {"shard 0": [6], "shard 1": [4]}
    assert (drawn.span[1] - drawn.span[0]) / 60e6 == 10
    chart = backend.draw(drawn, "altair").to_dict(validate=True)
    (rows,) = chart["datasets"].values()
    assert [(row["records"], row["below"], row["above"]) for row in rows] == [(6, 0, 6), (4, 6, 10)]


def test_stream_when_nothing_came_or_nothing_was_refused_then_charts_say_so():
    assert isinstance(traffic.throughput(Traffic([]), "clicks"), Blank)
    assert isinstance(traffic.throttles(Traffic([]), "clicks"), Blank)
    assert isinstance(traffic.throttles(Traffic([(0, 0, 60, 0, 0)]), "clicks"), Blank)


def test_lineage_when_shards_were_split_and_merged_then_lives_and_links_are_those_of_the_clock():
    engine = ss.Engine(clock=ss.ManualClock(NINE))
    stream = engine.create_stream("clicks", shards=2)
    engine.clock.advance("1h")
    stream.split_shard(name(0))
    engine.clock.advance("30m")
    stream.merge_shards(name(3), name(1))
    engine.clock.advance("2h")
    drawn = family.picture(stream.shards(), {}, now=stream.now_ms() * 1_000, name="clicks")
    hours = {
        life.shard_id: tuple((edge / 1e6 - NINE.timestamp()) / 3600 for edge in (life.start, life.end))
        for life in drawn.lives
    }
    assert hours == {name(0): (0, 1), name(1): (0, 1.5), name(2): (1, 3.5), name(3): (1, 1.5), name(4): (1.5, 3.5)}
    assert {life.shard_id for life in drawn.lives if life.is_open} == {name(2), name(4)}
    assert {(link.parent_shard_id, link.shard_id, link.kind) for link in drawn.links} == {
        (name(0), name(2), "split"),
        (name(0), name(3), "split"),
        (name(3), name(4), "merge"),
        (name(1), name(4), "merge"),
    }
    assert drawn.subtitle == ["2 open and 3 closed; 1 split, 1 merge"]


def test_lineage_when_all_happened_at_once_then_is_drawn_step_by_step_and_says_so():
    engine = ss.Engine(clock=ss.ManualClock(NINE))
    stream = engine.create_stream("clicks", shards=1)
    stream.split_shard(name(0))
    stream.split_shard(name(2))
    drawn = family.picture(stream.shards(), {}, now=stream.now_ms() * 1_000, name="clicks")
    assert drawn.x.kind == "number"
    assert {life.shard_id: (life.start, life.end) for life in drawn.lives} == {
        name(0): (0, 1),
        name(1): (1, 3),
        name(2): (1, 2),
        name(3): (2, 3),
        name(4): (2, 3),
    }
    assert "not to scale" in drawn.subtitle[-1]


def test_lineage_when_of_ten_thousand_shards_then_the_fullest_and_their_ancestors_are_drawn():
    shards = even(10_000)
    drawn = family.picture(shards, {name(77): 9, name(5_000): 8}, now=10**12, name="clicks")
    assert len(drawn.lives) == family.SHARDS_MAX
    assert {name(77), name(5_000)} <= {life.shard_id for life in drawn.lives}
    assert "40 of 10,000 shards" in "".join(drawn.subtitle)


def test_lineage_when_a_line_of_ancestors_is_long_then_is_cut_where_it_is_oldest():
    drawn = family.picture(halves(201), {name(200): 9}, now=10**12, name="clicks")
    numbers = {int(life.shard_id[-12:]) for life in drawn.lives}
    assert len(numbers) <= family.SHARDS_MAX
    assert {200, 198, 196} <= numbers
    assert all(link.parent_shard_id in {life.shard_id for life in drawn.lives} for link in drawn.links)


def test_ring_when_split_then_widths_are_what_shards_own_and_heights_how_loaded_they_are():
    stream = ss.Engine().create_stream("clicks", shards=2)
    stream.split_shard(name(0))
    drawn = ring.picture(stream.shards(), {name(1): 60, name(2): 30, name(3): 10}, name="clicks")
    assert [(part.label, part.start, part.end) for part in drawn.segments] == [
        ("shard 2", 0, 25),
        ("shard 3", 25, 50),
        ("shard 1", 50, 100),
    ]
    assert [part.load for part in drawn.segments] == pytest.approx([0.3 / 0.25, 0.1 / 0.25, 0.6 / 0.5])


def test_ring_when_of_ten_thousand_shards_then_neighbours_are_drawn_together_and_keep_their_load():
    records = {name(place): place for place in range(10_000)}
    drawn = ring.picture(even(10_000), records, name="clicks")
    assert len(drawn.segments) == ring.SEGMENTS_MAX
    assert (drawn.segments[0].start, drawn.segments[-1].end) == (0, 100)
    area = sum(part.load * (part.end - part.start) for part in drawn.segments)
    assert area == pytest.approx(100)
    assert "50 at a time" in drawn.subtitle[-1]


def test_ring_when_there_are_no_records_then_says_so():
    assert "no records" in ring.picture(even(3), {}, name="clicks").subtitle[0]


def hot():
    rows = [(name(1), "tenant-42", 610, 0.61), (name(1), "tenant-7", 100, 0.1), (name(0), "user-1", 80, 0.2)]
    keys = Facts(rows, "shard_id", "partition_key", "records", "share")
    return Hot(keys, [HotShard(name(1), 0.7), HotShard(name(0), 0.3)])


def test_skew_when_drawn_then_bars_are_shares_of_the_keys_shards_heaviest_first():
    drawn = skew.heaviest_keys(hot())
    assert [(bar.label, bar.value, bar.group) for bar in drawn.bars] == [
        ("tenant-42", 61, "shard 1"),
        ("tenant-7", 10, "shard 1"),
        ("user-1", 20, "shard 0"),
    ]
    assert drawn.subtitle == ["of the stream's records shard 1 has 70%, shard 0 has 30%"]


def test_skew_when_a_key_is_on_two_shards_then_each_is_named():
    rows = [(name(0), "user-1", 5, 0.5), (name(2), "user-1", 3, 0.3)]
    keys = Facts(rows, "shard_id", "partition_key", "records", "share")
    drawn = skew.heaviest_keys(Hot(keys, [HotShard(name(0), 0.5), HotShard(name(2), 0.5)]))
    assert [bar.label for bar in drawn.bars] == ["user-1 (shard 0)", "user-1 (shard 2)"]


def test_report_when_drawn_then_bars_are_the_records_of_each_shard():
    stream = ss.Engine().create_stream("clicks", shards=4)
    report = ss.replay([(f"user-{n}", b"page") for n in range(100)], stream)
    chart = report.plot(backend="altair").to_dict(validate=True)
    rows = chart["datasets"][chart["layer"][0]["data"]["name"]]
    assert {row["shard"]: row["records"] for row in rows} == {
        traffic.short(shard_id): records for shard_id, records in report.per_shard.items()
    }
    assert "100 records into 4 shards" in chart["title"]["subtitle"][0]


def test_report_when_of_many_shards_then_the_fullest_are_drawn():
    drawn = skew.per_shard({name(place): place for place in range(500)}, throttled=3)
    assert len(drawn.bars) == skew.BARS_MAX
    assert drawn.bars[-1].value == 499
    assert "the 40 fullest of 500 shards" in drawn.subtitle[1]
    assert "3 more throttled" in drawn.subtitle[0]


def test_colours_when_shards_are_drawn_then_each_has_its_own_in_every_chart():
    records = {name(place): 5 for place in range(4)}
    lines = traffic.throughput(Traffic([(place, 0, 60, 0, 0) for place in range(4)]), "clicks")
    parts = ring.picture(even(4), records, name="clicks").segments
    lives = family.picture(even(4), records, now=10**12, name="clicks").lives
    bars = skew.per_shard(records, throttled=0).bars
    expected = [(f"shard {place}", of_shard(name(place))) for place in range(4)]
    for drawn in (lines.series, parts, lives, bars):
        assert [(each.label, each.colour) for each in drawn] == expected
    assert len({colour for _, colour in expected}) == 4


def test_stream_when_asked_for_an_unknown_kind_then_the_error_names_those_there_are():
    stream = ss.Engine().create_stream("clicks")
    with pytest.raises(errors.InvalidArgumentException, match="'throughput', 'throttles', 'skew', 'lineage', 'ring'"):
        stream.plot("pie")


def pictures():
    """One of every kind of picture."""
    rows = [(0, 0, 60_000, 9, 0), (0, 1, 60_000, 0, 3), (1, 1, 600, 0, 0)]
    number, key = Axis("n", "n"), Axis("key", "key")
    start = int(NINE.timestamp()) * 1_000_000
    times = pl.Series([start, start + 60_000_000]).to_numpy()
    values = pl.Series([1.0, 2.0]).to_numpy()
    series = [
        Series("a", "#0072B2", times, values, times + 30_000_000),
        Series("b", "#E69F00", times, values + 1, times),
    ]
    when = Axis("window_start", "window start (UTC)", "time")
    found = {kind: Lines("lines", ["two"], when, number, key, series, kind) for kind in ("line", "step", "point")}
    found["span"] = Lines("spans", ["one"], when, number, None, series[:1], "span")
    found["groups"] = Groups("groups", ["two"], when, number, key, dict(zip(times.tolist(), "xy", strict=True)), series)
    ticks = {1.0: "1 s", 10.0: "10 s"}
    found["histogram"] = Histogram(
        "late", [], Axis("late", "by"), Axis("rows", "rows"), [1, 3, 10], [2, 4], True, ticks
    )
    found["throughput"] = traffic.throughput(Traffic(rows), "clicks")
    found["throttles"] = traffic.throttles(Traffic(rows), "clicks")
    found["lineage"] = family.picture(halves(9), {}, now=600_000_000, name="clicks")
    found["steps"] = family.picture(halves(9), {}, now=10**12, name="clicks")
    found["ring"] = ring.picture(even(5), {name(2): 9, name(3): 1}, name="clicks")
    found["skew"] = skew.heaviest_keys(hot())
    found["report"] = skew.per_shard({name(0): 5, name(1): 9}, throttled=0)
    return found


def colours_of(png):
    """How many pixels of an image have each colour."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    return {f"#{red:02X}{green:02X}{blue:02X}": count for count, (red, green, blue) in image.getcolors(1 << 24)}


def png_of(chart):
    if isinstance(chart, Figure):
        return chart._repr_png_()
    return vl_convert.vegalite_to_png(chart.to_json())


@pytest.mark.parametrize("drawn_by", ["altair", "matplotlib"])
@pytest.mark.parametrize("kind", [*pictures()])
def test_picture_when_drawn_then_its_colours_are_seen_on_white(kind, drawn_by):
    picture = pictures()[kind]
    seen = colours_of(png_of(backend.draw(picture, drawn_by)))
    assert seen["#FFFFFF"] > 10_000
    if isinstance(picture, Lines | Groups):
        colours = {series.colour for series in picture.series}
    elif kind in ("lineage", "steps"):
        colours = {life.colour for life in picture.lives if life.is_open}
    elif kind == "ring":
        colours = {segment.colour for segment in picture.segments if segment.load}
    elif kind in ("skew", "report"):
        colours = {bar.colour for bar in picture.bars}
    else:
        colours = {"#0072B2"}
    assert all(seen.get(colour, 0) > 8 for colour in colours), seen


@pytest.mark.parametrize("drawn_by", ["altair", "matplotlib"])
def test_alarms_when_drawn_then_are_seen(drawn_by):
    seen = colours_of(png_of(backend.draw(pictures()["throughput"], drawn_by)))
    assert seen[ALARM] > 50


@pytest.fixture(scope="module")
def busy():
    """A stream with a hot key, throttled, split and merged, over two hours."""
    engine = ss.Engine(clock=ss.ManualClock(NINE), limits="aws")
    stream = engine.create_stream("clicks", shards=2)
    for minute in range(120):
        count = 1_200 if 40 <= minute < 60 else 100
        rows = [f'{{"ts": "2025-01-01T{n % 24:02}:00:00Z"}}'.encode() for n in range(count)]
        stream.put_many([(row, "tenant-42" if n % 3 else f"user-{n}") for n, row in enumerate(rows)][:500])
        stream.put_many([(row, "tenant-42") for row in rows][500:1_000])
        stream.put_many([(row, "tenant-42") for row in rows][1_000:])
        engine.clock.advance("1m")
        if minute == 60:
            stream.split_shard(name(1))
    stream.merge_shards(name(2), name(3))
    engine.clock.advance("30m")
    return stream


@pytest.mark.parametrize("kind", STREAM_KINDS)
@pytest.mark.parametrize("drawn_by", ["altair", "matplotlib"])
def test_stream_when_drawn_then_every_kind_is_a_chart(busy, kind, drawn_by):
    seen = colours_of(png_of(busy.plot(kind, backend=drawn_by)))
    # Shard 1 took most and was split; shard 4 came of a merge and is open.
    assert seen[of_shard(name(4 if kind in ("lineage", "ring") else 1))] > 50


def test_throughput_when_of_a_stream_then_adds_up_to_its_records(busy):
    measured = busy.traffic()
    drawn = traffic.throughput(measured, "clicks")
    seconds = measured.bin.total_seconds()
    assert sum(sum(values[:-1]) * seconds for values in by_label(drawn).values()) == pytest.approx(len(busy))
    assert drawn.alarms


def test_throughput_when_by_a_column_then_its_axis_says_so_and_goes_by_it(busy):
    chart = busy.plot(time="ts", backend="altair").to_dict(validate=True)
    layer = chart["layer"][0]
    assert layer["encoding"]["x"]["title"] == "ts (UTC), 2025-01-01"
    assert chart["datasets"][layer["data"]["name"]][0]["time"] == "2025-01-01T00:00:00Z"


@pytest.mark.parametrize("kind", ["lineage", "ring"])
def test_shards_when_drawn_by_a_column_of_times_then_are_refused(busy, kind):
    with pytest.raises(errors.InvalidArgumentException, match="leave time out"):
        busy.plot(kind, time="ts")


def test_throughput_when_in_steps_of_less_than_a_second_then_counts_records_and_draws_no_limit():
    drawn = traffic.throughput(Traffic([(0, 0, 5_000, 0, 4_000)], bin=timedelta(milliseconds=1)), "clicks")
    assert (drawn.limit, by_label(drawn)) == (None, {"shard 0": [5_000, 5_000]})
    assert (drawn.title, drawn.y.title) == ("clicks: records per shard", "records in 1 ms")
