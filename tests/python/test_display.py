"""What objects look like in a notebook: well-formed, bounded, escaped, readable in light and dark, and true."""

import contextlib
import datetime
import itertools
import re
import subprocess
import sys
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import shardstream as ss
from shardstream import display
from shardstream.display import family, page, ring, sparkline, streams, tables, words
from shardstream.display.shards import ShardFacts, generations
from shardstream.display.sparkline import BinCounts

BYTES_MAX = 60_000
NEW_YEAR = "2026-01-01T00:00:00Z"
NINE = datetime.datetime(2026, 1, 1, 9, tzinfo=datetime.UTC)
NASTY = "<script>alert('\"x\"')</script>&amp;\n$x$\x00\u202e"
COLOURS = {"blue": page.BLUE, "red": page.RED, "amber": page.AMBER, "green": page.GREEN}


def name_of(index: int) -> str:
    return f"shardId-{index:012d}"


def a_shard(index: int, first: int, last: int, parents: tuple[int, ...] = (), **facts: object) -> ShardFacts:
    return ShardFacts(name_of(index), first, last, tuple(map(name_of, parents)), **facts)


def even_shards(count: int, **facts: object) -> list[ShardFacts]:
    cuts = [ring.RING * place // count for place in range(count + 1)]
    return [a_shard(place, cuts[place], cuts[place + 1] - 1, **facts) for place in range(count)]


def split_shards(count: int, which: str) -> list[ShardFacts]:
    """So many shards made by splits: of the widest open shard each time, or of the newest."""
    shards = [a_shard(0, 0, ring.RING - 1)]
    opened = [0]
    while len(shards) < count:
        place = opened.pop(0 if which == "widest" else -1)
        split = shards[place]
        if split.last - split.first < 2:
            which = "widest"
            continue
        middle = (split.first + split.last + 1) // 2
        shards[place] = a_shard(place, split.first, split.last, parents_of(split), is_open=False, records=7)
        for first, last in ((split.first, middle - 1), (middle, split.last)):
            opened.append(len(shards))
            shards.append(a_shard(len(shards), first, last, (place,), records=len(shards) % 1_000, throttled=3))
    return shards


def parents_of(shard: ShardFacts) -> tuple[int, ...]:
    return tuple(int(parent.rpartition("-")[2]) for parent in shard.parents)


def merged_shards(count: int) -> list[ShardFacts]:
    """So many shards, all merged by pairs, and those again, until one is left."""
    shards = even_shards(count, records=5, is_open=False)
    level = list(shards)
    while len(level) > 1:
        pairs = list(zip(level[::2], level[1::2], strict=True))
        level = []
        for lower, upper in pairs:
            parents = (int(lower.shard_id[-12:]), int(upper.shard_id[-12:]))
            level.append(a_shard(len(shards), lower.first, upper.last, parents, is_open=len(pairs) == 1, records=9))
            shards.append(level[-1])
    return shards


def facts_of(shards: list[ShardFacts], **changes: object) -> streams.StreamFacts:
    """A stream of these shards, with arrivals in each bin of an hour."""
    records = sum(shard.records for shard in shards)
    own = {shard.shard_id: [BinCounts(shard.records // 60, 1, 2)] * 60 for shard in shards if shard.records}
    facts = {
        "name": "clicks",
        "mode": "PROVISIONED",
        "retention": datetime.timedelta(hours=24),
        "created": NINE,
        "now": NINE + datetime.timedelta(hours=3),
        "shards": shards,
        "records": records,
        "surveyed": records,
        "start": NINE if records else None,
        "bin": datetime.timedelta(minutes=1),
        "bins": [BinCounts(records // 60, 40, 70)] * 60 if records else [],
        "bins_of": own,
    }
    return streams.StreamFacts(**{**facts, **changes})


def text_of(drawn: str) -> str:
    """What is read where pictures and styles are taken out, as some viewers do."""
    spaced = re.sub(r"(</t[dh]>|</div>|<br/>)", r" \1", re.sub(r"<svg.*?</svg>", "", drawn))
    return " ".join("".join(ET.fromstring(spaced).itertext()).split())


def corners(path: str) -> list[tuple[float, float]]:
    """The points that a path of moves and straight lines goes through."""
    x = y = 0.0
    points = []
    for step, arguments in re.findall(r"([MHVhvz])([^MHVhvz]*)", path):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", arguments)]
        if step == "M":
            x, y = numbers
        elif step in "Hh":
            x = numbers[0] + (x if step == "h" else 0)
        elif step in "Vv":
            y = numbers[0] + (y if step == "v" else 0)
        points.append((x, y))
    return points


def points_of(svg: ET.Element) -> list[tuple[float, float]]:
    """All points that a picture draws, those of text aside from its length."""
    points = []
    for each in svg.iter():
        place = [float(each.get(name, 0)) for name in ("x", "y", "width", "height")]
        if each.tag == "rect":
            points += [(place[0], place[1]), (place[0] + place[2], place[1] + place[3])]
        elif each.tag == "text":
            points.append((place[0], place[1]))
        elif each.tag == "path":
            assert re.fullmatch(r"([MHVhvz](-?[\d.]+)?( -?[\d.]+)?)+", each.get("d"))
            points += corners(each.get("d"))
    return points


def assert_drawn(drawn: str, most: int = BYTES_MAX) -> None:
    """HTML of one element, well-formed, bounded, without scripts and style sheets, pictures within their frames."""
    assert len(drawn.encode()) < most
    root = ET.fromstring(drawn)
    assert {each.tag for each in root.iter()} <= {
        *("div", "b", "code", "span", "table", "thead", "tbody", "tr", "th", "td", "br"),
        *("svg", "title", "rect", "path", "text", "g"),
    }
    attributes = {name for each in root.iter() for name in each.attrib}
    assert not {name for name in attributes if name in {"class", "id"} or name.startswith("on")}
    assert all(each.get("scope") == "col" for each in root.iter("th"))
    for svg in root.iter("svg"):
        assert svg.get("role") == "img"
        assert svg.get("aria-label") or svg[0].tag == "title"
        assert svg.get("aria-label") or svg[0].text
        left, top, width, height = map(float, svg.get("viewBox").split())
        for x, y in points_of(svg):
            # A tenth of a pixel is what coordinates are rounded to.
            assert left - 0.1 <= x <= left + width + 0.1
            assert top - 0.1 <= y <= top + height + 0.1


# --- a stream -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shards",
    [
        pytest.param(even_shards(1), id="one"),
        pytest.param(even_shards(4, records=30_000), id="four"),
        pytest.param(even_shards(10_000, records=3, throttled=1, over_limit=1), id="10,000 open"),
        pytest.param(split_shards(9, "widest"), id="split"),
        pytest.param(split_shards(401, "newest"), id="split again and again"),
        pytest.param(split_shards(20_001, "widest"), id="10,000 splits"),
        pytest.param(split_shards(20_001, "newest"), id="10,000 splits, deep"),
        pytest.param(merged_shards(8), id="merged"),
        pytest.param(merged_shards(4_096), id="4,095 merges"),
    ],
)
def test_stream_when_drawn_then_is_well_formed_and_bounded(shards):
    assert_drawn(streams.draw(facts_of(shards)))


def test_stream_when_pictures_are_taken_out_then_its_facts_are_still_read():
    shards = [
        a_shard(0, 0, ring.RING - 1, is_open=False, records=100, bytes=1_000),
        a_shard(1, 0, ring.RING // 4 - 1, (0,), records=600, bytes=6_000, throttled=17),
        a_shard(2, ring.RING // 4, ring.RING - 1, (0,), records=300, bytes=3_000, over_limit=8),
    ]
    text = text_of(streams.draw(facts_of(shards)))
    for fact in (
        "Stream clicks",
        "2 shards open, 1 closed",
        "1,000 records, 9.8 KiB",
        "kept for 24 h",
        "Arrivals 2026-01-01 09:00 to 10:00 UTC",
        "1 split",
        "shard 1 holds 1.3x as much",
        "throttled (4,200)",
        "25.0 %",
        "60.0 %",
    ):
        assert fact in text, fact


def test_stream_when_it_has_more_shards_than_rows_then_says_what_is_left_out():
    shards = even_shards(9_990, records=1)
    shards[5] = a_shard(5, shards[5].first, shards[5].last, records=1_000)
    text = text_of(streams.draw(facts_of(shards)))
    assert name_of(5) in text
    assert "and 9,980 shards more with 9,980 records" in text


def test_stream_when_only_its_newest_records_were_surveyed_then_says_so():
    text = text_of(streams.draw(facts_of(even_shards(2, records=50), records=1_000_000)))
    assert "1,000,000 records" in text
    assert "the newest 100 records" in text


def test_stream_when_all_arrived_at_once_then_no_rate_is_said_and_nothing_drawn_over_time():
    facts = facts_of(even_shards(1, records=7), bins=[BinCounts(7)], bin=datetime.timedelta(milliseconds=1))
    drawn = streams.draw(facts)
    assert_drawn(drawn)
    assert "Arrivals 2026-01-01 09:00" in text_of(drawn)
    assert "a second" not in text_of(drawn)
    assert 'role="img" aria-label="Arrivals' not in drawn
    assert drawn.count("<svg") == 1


def test_stream_when_less_than_a_record_came_in_a_second_then_counts_them_in_a_bar():
    facts = facts_of(even_shards(2, records=600), bins=[BinCounts(9), BinCounts(3)], bin=datetime.timedelta(days=10))
    assert "up to 9 records in a bar of 10 d" in text_of(streams.draw(facts))


def test_stream_when_its_traffic_cannot_be_told_then_its_shards_are_drawn_all_the_same():
    facts = facts_of(even_shards(2), trouble="StoreDamagedError: the segment <1> is torn")
    drawn = streams.draw(facts)
    assert_drawn(drawn)
    assert "StoreDamagedError: the segment <1> is torn" in text_of(drawn)
    assert name_of(1) in text_of(drawn)


@pytest.mark.parametrize("name", [NASTY, "x" * 1_000])
def test_stream_when_what_is_told_of_it_is_nasty_then_is_escaped_and_bounded(name):
    assert_drawn(streams.draw(facts_of(even_shards(2), name=name, trouble=NASTY)))


# --- its parts ----------------------------------------------------------------------------------------------------


@given(st.integers(1, 2_000), st.integers(1, 300))
def test_segments_when_there_are_at_most_so_many_then_cover_the_ring_and_keep_all_records(count, most):
    shards = even_shards(count, records=3)
    segments = ring.segments(shards, max(most, 2))
    assert len(segments) <= max(most, 2)
    assert [segments[0].first, segments[-1].last] == [0, ring.RING - 1]
    assert all(after.first == before.last + 1 for before, after in itertools.pairwise(segments))
    assert sum(segment.count for segment in segments) == count
    assert sum(segment.records for segment in segments) == 3 * count


def test_skew_when_a_narrow_shard_holds_as_much_as_the_others_then_is_even():
    shards = [
        a_shard(0, 0, 9, records=50),
        a_shard(1, 10, ring.RING // 2 - 1, records=50),
        a_shard(2, ring.RING // 2, ring.RING - 1, records=50),
    ]
    even = ring.even_load(shards)
    assert [segment.skew(even) for segment in ring.segments(shards)] == [1.0, 1.0, 1.0]


def test_ring_when_one_shard_is_hot_then_it_alone_is_red():
    shards = [*even_shards(4, records=10)]
    shards[2] = a_shard(2, shards[2].first, shards[2].last, records=90)
    drawn = ET.fromstring(ring.draw(shards))
    (red,) = [path for path in drawn.iter("path") if path.get("fill") == page.RED]
    xs = {x for x, _ in corners(red.get("d"))}
    assert min(xs) == ring.WIDTH / 2
    assert max(xs) == pytest.approx(ring.WIDTH * 3 / 4, abs=1)


def test_generations_when_split_and_merged_then_are_one_above_the_oldest_parent():
    half, quarter = ring.RING // 2, ring.RING // 4
    shards = [
        a_shard(0, 0, half - 1, is_open=False),
        a_shard(1, half, ring.RING - 1, is_open=False),
        a_shard(2, 0, quarter - 1, (0,)),
        a_shard(3, quarter, half - 1, (0,), is_open=False),
        a_shard(4, quarter, ring.RING - 1, (3, 1)),
    ]
    assert list(generations(shards).values()) == [0, 0, 1, 1, 2]
    placed, is_shared = family.rows(shards)
    assert list(placed.values()) == [0, 0, 2, 1, 2]
    assert not is_shared
    assert family.changes(shards) == (1, 1)


def test_generations_when_parents_are_forgotten_then_begin_anew():
    assert generations([a_shard(7, 0, ring.RING - 1, (3, 4))]) == {name_of(7): 0}


def test_family_when_drawn_then_each_child_hangs_below_its_parent():
    drawn = ET.fromstring(family.draw(split_shards(3, "widest")))
    labels = [text.text for text in drawn.iter("text")]
    bars = dict(zip(labels, drawn.iter("rect"), strict=True))
    parent, *children = (bars[str(index)] for index in range(3))
    assert all(float(parent.get("y")) < float(child.get("y")) for child in children)
    assert parent.get("fill") == "none"
    assert {child.get("fill") for child in children} == {page.BLUE}
    (lines,) = drawn.iter("path")
    assert [x for x, _ in corners(lines.get("d"))[::2]] == [ring.WIDTH / 4, ring.WIDTH * 3 / 4]


def test_family_when_there_are_more_generations_than_rows_then_they_share_them():
    shards = split_shards(201, "newest")
    placed, is_shared = family.rows(shards)
    assert is_shared
    assert len(set(placed.values())) == 7
    assert all(placed[shard.shard_id] == 6 for shard in shards if shard.is_open)


def test_shards_drawn_alone_when_there_are_many_then_are_the_fullest_and_their_ancestors():
    shards = split_shards(4_097, "widest")
    fullest = max((shard for shard in shards if shard.is_open), key=lambda shard: shard.records)
    chosen = family.singled_out(shards, 20)
    assert len(chosen) == 20
    by_id = {shard.shard_id: shard for shard in shards}
    line = [fullest.shard_id]
    while line[-1] in by_id and by_id[line[-1]].parents:
        line.append(by_id[line[-1]].parents[0])
    assert set(line) <= chosen


@given(st.lists(st.integers(0, 1_000), max_size=300), st.integers(1, 60))
def test_bins_when_made_coarser_then_keep_their_sum(counts, most):
    made = sparkline.coarser([BinCounts(count, count // 2, 1) for count in counts], most)
    assert len(made) <= most
    assert sum(each.kept for each in made) == sum(counts)
    assert sum(each.refused for each in made) == len(counts)


def test_sparkline_when_records_were_refused_then_they_stand_on_those_kept():
    drawn = ET.fromstring(sparkline.sparkline([BinCounts(30, 10, 20)], width=100, height=50, title="Arrivals"))
    ranges = {
        path.get("fill"): (min(y for _, y in corners(path.get("d"))), max(y for _, y in corners(path.get("d"))))
        for path in drawn.iter("path")
    }
    assert ranges == {page.BLUE: (30, 50), page.AMBER: (20, 30), page.RED: (0, 20)}


# --- colours ------------------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """WCAG's relative luminance."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS)
def test_colour_when_on_white_or_near_black_then_is_seen(colour, ground):
    assert contrast(colour, ground) >= 3


def test_colours_when_a_stream_is_drawn_then_are_the_known_ones_and_white_on_them():
    drawn = streams.draw(facts_of(split_shards(9, "widest")))
    used = set(re.findall(r"#[0-9a-f]{6}\b", drawn))
    assert used <= {*COLOURS.values(), "#ffffff"}
    assert set(re.findall(r'fill="([^"]*)"', drawn)) <= {*used, "currentColor", "none"}


# --- real objects -------------------------------------------------------------------------------------------------


@pytest.fixture
def engine():
    with ss.Engine(clock=ss.ManualClock(NEW_YEAR), seed=7) as engine:
        yield engine


@pytest.fixture
def clicks(engine):
    stream = engine.create_stream("clicks", shards=2)
    stream.put_many([(f'{{"page": {place}}}'.encode(), f"user-{place}") for place in range(25)])
    return stream


@pytest.fixture
def orders(engine):
    stream = engine.create_stream("orders", shards=1)
    hours = [NINE + datetime.timedelta(minutes=20 * place) for place in range(40)]
    table = pl.DataFrame({"at": hours, "region": ["eu", "us"] * 20, "amount": [1.5 * place for place in range(40)]})
    stream.write(table, key="region", time="at")
    return stream


@pytest.fixture
def result(orders):
    query = orders.window(ss.tumble("1h"), time="at").by("region")
    return query.agg(n=ss.count(), total=ss.sum("amount"), most=ss.top_k("amount", 2)).collect()


def test_stream_when_resharded_then_shows_its_family(clicks):
    clicks.split_shard(name_of(0))
    clicks.merge_shards(name_of(3), name_of(1))
    drawn = clicks._repr_html_()
    assert_drawn(drawn)
    text = text_of(drawn)
    assert "2 shards open, 3 closed" in text
    assert "1 split, 1 merge" in text
    assert "25 records" in text
    assert all(name_of(index) in text for index in range(5))


def test_stream_when_records_came_above_its_limits_then_shows_which_shards_took_them(engine):
    stream = engine.create_stream("busy", shards=2)
    for _ in range(5):
        stream.put_many([(b"abc", "tenant-42")] * 1_200 + [(b"abc", f"user-{place}") for place in range(100)])
        engine.clock.advance("1s")
    held = {row["shard_id"]: row for row in stream.traffic().shards.to_pylist()}
    drawn = stream._repr_html_()
    assert_drawn(drawn)
    text = text_of(drawn)
    for shard_id, row in held.items():
        assert f"{shard_id} open 50.0 % {row['records']:,} {words.size(row['bytes'])}" in text
    over = sum(row["over_limit"] for row in held.values())
    for fact in (
        "6,500 records",
        "Arrivals 2026-01-01 00:00 to 00:00:04 UTC",
        "up to 1,300 records in a bar of 100 ms",
    ):
        assert fact in text, fact
    assert over >= 1_000
    assert f"kept above a shard's limits ({over:,})" in text


def test_stream_when_shards_refuse_records_then_says_how_many_were_throttled():
    with ss.Engine(clock=ss.ManualClock(NEW_YEAR), limits="aws") as engine:
        stream = engine.create_stream("busy", shards=1)
        refused = stream.put_many([(b"abc", "tenant-42")] * 1_500).failed_record_count
        assert refused >= 500
        assert f"throttled ({refused:,})" in text_of(stream._repr_html_())


def test_report_on_hot_shards_when_shown_then_agrees_with_it(engine):
    stream = engine.create_stream("busy", shards=2)
    stream.put_many([(b"abc", "tenant-42")] * 1_200 + [(b"abc", f"user-{place}") for place in range(100)])
    report = stream.explain_hot(top=3)
    drawn = report._repr_html_()
    assert_drawn(drawn)
    text = text_of(drawn)
    hot = report.shards[0]
    assert f"{report.throttled:,} records would have been throttled" in text
    assert f"{hot.shard_id} {hot.records:,} {words.share(hot.share, 1)} {hot.throttled:,}" in text
    assert " ".join(hot.explanation.split()) in text
    assert "tenant-42" in text


class Columns:
    """A table of given rows, as `Stream.traffic` gives them."""

    def __init__(self, names, rows):
        self.names = names
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def column(self, name):
        return [row[self.names.index(name)] for row in self.rows]

    def to_pylist(self):
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]


class Told:
    """A stream whose traffic is given."""

    def __init__(self, stream, traffic, asked):
        self.stream = stream
        self.told = traffic
        self.asked = asked

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def traffic(self, **options):
        self.asked.append(options)
        return self.told


def test_facts_when_a_stream_tells_its_traffic_then_bins_are_summed_and_shards_matched(clicks):
    later = NINE + datetime.timedelta(minutes=2)
    held = ["shard_id", "records", "bytes", "throttled", "over_limit", "first_arrival", "last_arrival"]
    binned = ["shard_id", "time", "records", "bytes", "throttled", "over_limit"]
    traffic = SimpleNamespace(
        records=60,
        surveyed=40,
        start=NINE,
        bin=datetime.timedelta(minutes=1),
        shards=Columns(held, [(name_of(1), 40, 400, 5, 4, NINE, later)]),
        history=Columns(
            binned,
            [
                (name_of(1), NINE, 10, 100, 0, 4),
                (name_of(1), later, 30, 300, 2, 0),
                (name_of(0), later, 0, 0, 3, 0),
            ],
        ),
    )
    facts = streams.facts_of(Told(clicks, traffic, []))
    assert [shard.records for shard in facts.shards] == [0, 40]
    assert [(each.kept, each.over, each.refused) for each in facts.bins] == [(10, 4, 0), (0, 0, 0), (30, 0, 5)]
    kept = {name: [each.kept for each in bins] for name, bins in facts.bins_of.items()}
    assert kept == {name_of(1): [10, 0, 30], name_of(0): [0, 0, 0]}
    drawn = streams.draw(facts)
    assert_drawn(drawn)
    assert "60 records" in text_of(drawn)
    assert "the newest 40 records" in text_of(drawn)
    assert "Arrivals 2026-01-01 09:00 to 09:02 UTC" in text_of(drawn)


def test_facts_when_there_are_many_shards_then_only_those_with_a_line_have_bins_of_their_own(engine):
    stream = engine.create_stream("many", shards=1_001)
    asked = []
    rows = [(name_of(index), NINE, index, 0, 0, 0) for index in range(1_001)]
    held = [(name_of(index), index, 0, 0, 0, NINE, NINE) for index in range(1_001)]
    traffic = SimpleNamespace(
        records=500_500,
        surveyed=500_500,
        start=NINE,
        bin=datetime.timedelta(minutes=1),
        shards=Columns(
            ["shard_id", "records", "bytes", "throttled", "over_limit", "first_arrival", "last_arrival"], held
        ),
        history=Columns(["shard_id", "time", "records", "bytes", "throttled", "over_limit"], rows),
    )
    told = Told(stream, traffic, asked)
    facts = streams.facts_of(told)
    assert set(facts.bins_of) == {name_of(index) for index in range(991, 1_001)}
    assert [each.kept for each in facts.bins] == [500_500]
    assert asked == [{"bins": 15, "newest": 1_000_000}]


def test_stream_when_it_is_deleted_then_says_so_in_a_line(engine, clicks):
    engine.delete_stream("clicks")
    drawn = clicks._repr_html_()
    assert_drawn(drawn, 1_000)
    assert "ResourceNotFoundException" in text_of(drawn)
    assert len(list(ET.fromstring(drawn))) == 1


def test_engine_when_it_is_closed_then_it_and_its_streams_say_so_in_a_line(engine, clicks):
    engine.close()
    assert text_of(engine._repr_html_()) == "Engine \u00b7 closed"
    assert "EngineClosedError" in text_of(clicks._repr_html_())


def test_engine_when_shown_then_names_its_streams(engine, clicks, orders):
    drawn = engine._repr_html_()
    assert_drawn(drawn)
    text = text_of(drawn)
    for fact in ("in memory", "2 streams", "no limits", "us-east-1", "clicks 2 25 24 h provisioned", "orders 1 40"):
        assert fact in text, fact


def test_engine_when_it_has_2000_streams_then_is_bounded_and_says_how_many_more():
    with ss.Engine(limits=None) as engine:
        for place in range(2_000):
            engine.create_stream(f"stream-{place:04d}", shards=1)
        drawn = engine._repr_html_()
    assert_drawn(drawn)
    assert "and 1,980 streams more" in text_of(drawn)


def test_records_when_shown_then_says_how_many_from_when_and_the_first_ones(engine, clicks):
    engine.clock.advance("90m")
    clicks.put(b"\xff\x00", key=NASTY.replace("\x00", ""))
    drawn = display.records(clicks.read())
    assert_drawn(drawn)
    text = text_of(drawn)
    for fact in ("26 records", "2026-01-01 00:00 to 01:30 UTC", "of 2 shards", "user-0", '{"page": 9}', "16 more"):
        assert fact in text, fact
    assert '{"page": 10}' not in text
    last = display.records(clicks.read()[25:])
    assert_drawn(last)
    assert "b'\\xff\\x00'" in text_of(last)
    assert "<script>alert(" in text_of(last)


def test_records_when_there_are_none_then_says_so(engine):
    assert text_of(display.records(engine.create_stream("empty").read())) == "Records \u00b7 none"


def test_records_when_data_is_long_then_is_cut_between_characters(clicks):
    clicks.put("\u00e9\u20ac\U0001f600".encode() * 100_000, key="long")
    drawn = display.records(clicks.read()[25:])
    assert_drawn(drawn, 3_000)
    assert "\u00e9\u20ac\U0001f600" * 19 in text_of(drawn)
    assert "900,000" in text_of(drawn)


def test_table_when_shown_then_types_stand_under_names_and_rows_left_out_are_counted(orders):
    drawn = display.table(orders.read().rows())
    assert_drawn(drawn)
    text = text_of(drawn)
    for fact in ("40 rows \u00d7 3 columns", "string", "float64", "2026-01-01 09:00", "1.5", "30 more"):
        assert fact in text, fact


def test_table_when_it_has_no_columns_then_says_so(engine):
    assert text_of(display.table(engine.create_stream("empty").read().rows())) == (
        "Table \u00b7 0 rows \u00d7 0 columns"
    )


def test_records_when_there_are_millions_then_shards_of_the_first_million_are_counted(engine):
    stream = engine.create_stream("many", shards=1)
    stream.write(pl.DataFrame({"key": ["a"]}).select(pl.col("key").repeat_by(1_000_001).explode()), key="key")
    text = text_of(display.records(stream.read()))
    assert "1,000,001 records" in text
    assert "shards of the first 1,000,000: 0 (1,000,000)" in text


def test_table_when_it_has_200_nasty_columns_then_is_bounded_and_escaped(engine):
    stream = engine.create_stream("wide", shards=1)
    names = [f"{NASTY[:-2].replace(chr(0), '')}{place}" for place in range(200)]
    stream.write(pl.DataFrame({"key": ["a"] * 30, **{name: ["&" * 500] * 30 for name in names}}), key="key")
    drawn = display.table(stream.read().rows())
    assert_drawn(drawn)
    assert "185 columns more" in text_of(drawn)


def test_table_when_a_time_lies_beyond_the_years_of_python_then_the_other_columns_are_shown():
    class Cells:
        def __init__(self):
            self.shape = (1, 2)
            self.column_names = ["at", "n"]
            self.schema = {"at": "Timestamp(s)", "n": "Int64"}

        def __len__(self):
            return 1

        def slice(self, _start, _count):
            return self

        def column(self, name):
            if name == "at":
                message = "a time lies beyond"
                raise ss.errors.ColumnTypeError(message)
            return [17]

    text = text_of(display.table(Cells()))
    assert "ColumnTypeError" in text
    assert "17" in text


def test_result_when_shown_then_has_its_shape_and_first_rows(result):
    drawn = result._repr_html_()
    assert_drawn(drawn)
    rows = len(result)
    text = text_of(drawn)
    for fact in (f"{rows} rows \u00d7 6 columns", "window_start", "timestamp[", "int64", "eu", f"{rows - 10} more"):
        assert fact in text, fact
    assert "late" not in text


def test_result_when_rows_came_late_or_malformed_then_counts_them(orders):
    orders.put(b"no json", key="bad")
    orders.put(b'{"at": "2026-01-01T09:10:00Z", "region": "eu", "amount": 1.0}', key="late")
    late = orders.window(ss.tumble("1h"), time="at").agg(n=ss.count()).collect(order="arrival")
    text = text_of(late._repr_html_())
    assert "1 row late of" in text
    assert "1 record malformed" in text


def test_replay_report_when_shown_then_says_how_much_went_where(engine):
    stream = engine.create_stream("pairs", shards=20)
    report = ss.replay([(f"user-{place}", b"abc") for place in range(1_000)], stream)
    drawn = report._repr_html_()
    assert_drawn(drawn)
    text = text_of(drawn)
    assert "1,000 records stored" in text
    shard_id, count = max(report.per_shard.items(), key=lambda pair: (pair[1], pair[0]))
    assert f"{shard_id} {count} {words.share(count, 1_000)}" in text
    assert "and 10 shards more" in text


def a_hot_shard(index: int, **facts: object) -> SimpleNamespace:
    known = {
        "shard_id": name_of(index),
        "records": 6_100,
        "bytes": 61_000,
        "share": 0.61,
        "throttled": 212,
        "refused": 3,
        "worst_second": NINE + datetime.timedelta(minutes=14, seconds=7),
        "worst_second_throttled": 90,
        "split": SimpleNamespace(at=2**127, throttled=212),
        "salted": {2: 100, 4: 0, 8: 0},
        "cause": "key",
        "explanation": f"Key `tenant-42` is 98% of {name_of(index)}. {NASTY}",
    }
    return SimpleNamespace(**{**known, **facts})


class Keys:
    """The table of keys of a report."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def slice(self, start, count):
        return Keys(self.rows[start : start + count])

    def to_pylist(self):
        return self.rows


def test_hot_report_when_nothing_was_over_the_limits_then_says_so_without_remedies():
    shard = a_hot_shard(0, throttled=0, split=None, salted={}, worst_second=None)
    report = SimpleNamespace(
        stream="clicks", records=10, throttled=0, splitting=0, salting={}, shards=[shard] * 2, keys=Keys([])
    )
    drawn = display.hot_report(report)
    assert_drawn(drawn)
    assert "nothing is over the limits \u00b7 6 records refused" in text_of(drawn)
    assert "Salted" not in text_of(drawn)


def test_hot_report_when_shown_then_says_what_helps():
    keys = [
        {"shard_id": name_of(3), "partition_key": NASTY, "records": 6_000, "bytes": 60_000, "share": 0.98}
        for _ in range(1_000)
    ]
    shards = [a_hot_shard(3), a_hot_shard(1, split=None, salted={}, worst_second=None, throttled=0, cause="none")] * 50
    report = SimpleNamespace(
        stream="clicks",
        records=10_000,
        throttled=212,
        splitting=211,
        salting={2: 101, 4: 7, 8: 0},
        shards=shards,
        keys=Keys(keys),
    )
    drawn = display.hot_report(report)
    assert_drawn(drawn)
    text = text_of(drawn)
    for fact in (
        "HotReport clicks \u00b7 10,000 records",
        "212 records would have been throttled",
        f"{name_of(3)} 6,100 61.0 % 212 212 100 0 0 90 at 09:14:07",
        "the stream 10,000 212 211 101 7 0",
        "and 90 shards more",
        "and 990 keys more",
        f"Key `tenant-42` is 98% of {name_of(3)}.",
    ):
        assert fact in text, fact
    assert "<b>100</b>" in drawn
    assert "<b>212</b>" not in drawn


# --- what cannot be shown -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", display.__all__)
def test_object_when_it_cannot_be_read_then_is_a_line_that_says_so(name):
    class Broken:
        def __getattr__(self, asked):
            message = f"<the disk> has no {asked}"
            raise OSError(message)

        def __len__(self):
            message = "<the disk> is gone"
            raise OSError(message)

    drawn = getattr(display, name)(Broken())
    assert_drawn(drawn, 1_500)
    assert "cannot be shown: OSError: <the disk>" in text_of(drawn)


def test_import_when_nothing_is_shown_then_does_not_load_what_shows_it():
    program = "import sys, shardstream; print([name for name in sys.modules if 'display' in name])"
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip() == "[]"


# --- values -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "True"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (-0.00001234, "-1.234e-05"),
        (1e300, "1e+300"),
        (b"\x00", "b'\\x00'"),
        (datetime.timedelta(seconds=90), "1 min 30 s"),
        ([{"value": "a", "count": None}], "[{value: a, count: null}]"),
        ("123456" + "7" * 80 + "890", "123456\u2026" + "7" * 10 + "890"),
        ("$a$", "$a$"),
    ],
    ids=str,
)
def test_value_when_in_a_cell_then_is_short_and_true(value, shown):
    cell = tables._cell(value, 60, spec="minutes", suffix="", decimals=2)
    assert "".join(ET.fromstring(f"<td>{cell}</td>").itertext()) == shown
    assert len(shown) <= 60


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1.0, 2.0], ["1.0", "2.0"]),
        ([0.1 + 0.2, 12.5], ["0.3", "12.5"]),
        ([1234567.891, 0.5], ["1234567.89", "0.50"]),
        ([16.52759, -1.14286], ["16.5276", "-1.1429"]),
        ([float("nan"), 1e-9, 3.25], ["nan", "1e-09", "3.25"]),
        ([], []),
    ],
    ids=str,
)
def test_floats_when_in_a_column_then_have_the_same_decimals(values, shown):
    decimals = tables._decimals(values)
    assert [tables._float(value, decimals) for value in values] == shown


def test_text_with_dollars_when_shown_then_lies_in_code_where_nothing_is_taken_for_tex():
    assert ET.fromstring(page.text("costs $5 or $6")).tag == "code"


@given(st.text(), st.integers(2, 100))
def test_text_when_cut_then_is_one_printable_line_of_that_length_and_well_formed(text, length):
    cut = words.cut(text, length)
    assert len(cut) <= length
    assert cut.isprintable()
    ET.fromstring(f"<td>{page.text(cut)}{page.code(cut)}</td>")


# --- reprs --------------------------------------------------------------------------------------------------------


def test_result_when_its_repr_is_taken_then_is_one_true_line_and_print_draws_it(result):
    rows = len(result)
    assert repr(result) == f"WindowResult({rows} rows x 6 columns)"
    drawn = str(result).splitlines()
    assert drawn[0] == repr(result)
    assert drawn[-1] == f"... {rows - 10} more"
    assert any("window_start" in line for line in drawn)


@contextlib.contextmanager
def everything():
    """An object of each public class, and of those that its methods give."""
    with ss.Engine(clock=ss.ManualClock(NEW_YEAR)) as engine, engine.serve() as server:
        stream = engine.create_stream("clicks", shards=2)
        client = engine.client("kinesis")
        stream.put(b'{"at": "2026-01-01T00:00:00Z", "n": 1}', key="user-42")
        query = stream.window(ss.tumble("1m"), time="at", null_times="skip").agg(n=ss.count())
        made = [
            engine,
            stream,
            client,
            server,
            query,
            engine.clock,
            ss.Engine().clock,
            engine.faults,
            client.get_waiter("stream_exists"),
            client.get_paginator("list_shards"),
            client.get_paginator("list_shards").paginate(StreamName="clicks"),
            stream.put(b"x", key="k"),
            stream.put_many([(b"x", "k")]),
            stream.write(pl.DataFrame({"key": ["a"]}), key="key"),
            stream.read(),
            stream.shards()[0],
            query.collect(),
            query.collect().stats,
            ss.replay([("a", b"b")], stream),
            ss.tumble("1m"),
            ss.quantile("n", 0.5),
            ss.testing.mock_kinesis(limits="aws"),
        ]
        yield made


def test_objects_when_their_reprs_are_taken_then_each_is_one_line_that_names_it():
    with everything() as made:
        for each in made:
            said = repr(each)
            assert "\n" not in said
            assert " object at 0x" not in said, said
            assert len(said) < 300


def test_query_over_many_files_when_its_repr_is_taken_then_names_the_first():
    query = ss.window([f"{hour}.parquet" for hour in range(500)], ss.tumble("1m"), time="at").agg(n=ss.count())
    assert repr(query).startswith("['0.parquet', '1.parquet', '2.parquet', ... 497 more].window(tumble(")


def test_engine_when_its_repr_is_taken_then_says_where_it_keeps_its_streams(tmp_path):
    with ss.Engine(tmp_path / "events", limits="aws") as engine:
        engine.create_stream("clicks")
        assert repr(engine) == f"Engine({str(tmp_path / 'events')!r}, 1 stream, limits='aws')"
        assert engine.limits == "aws"
        assert str(tmp_path / "events")[-40:] in text_of(engine._repr_html_())
