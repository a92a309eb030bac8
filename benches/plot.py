"""Draws rates over rows, shards and groups, ours beside the peers': `python benches/plot.py [--rows 50000000]`.

Measured on all cores unless `--threads` says otherwise; every answer's size is compared before it counts.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl
from compare.contest import OURS, PEERS, frame
from compare.events import Events, day_of_events, with_dictionaries
from compare.memory import environment
from compare.windows import Q1_SQL, q1_by_polars, q1_of
from compare.writes import route, writer
from matplotlib.figure import Figure

import shardstream as ss

PICTURE = Path(__file__).parents[1] / "docs" / "performance.png"
ROUNDS = 3
SHARES = (50, 20, 10, 5, 2, 1)
SHARDS = (1, 4, 16, 64, 256, 1024)
COLORS = {
    OURS: "#c1440e",
    "polars": "#8fa8c8",
    "polars-streaming": "#2f6fb0",
    "duckdb": "#b8a000",
    "datafusion": "#3f8f5f",
}
PANELS = {
    "rows": ("Q1: a minute by region, count sum mean min max", "rows"),
    "shards": ("write: a row to its shard by the MD5 of its key", "shards"),
    "groups": ("a day by key, count and sum", "groups"),
}

# A curve's name, and a point of it: how many of what is on the axis, and millions of rows a second.
Points = list[tuple[str, int, float]]


def main() -> None:
    """Measure, or take what was measured, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--points", type=Path, help="where what is measured is kept; measured anew if not there")
    parser.add_argument("--out", type=Path, default=PICTURE)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    points = options.points or Path("target/performance.json")
    if options.measure:
        points.write_text(json.dumps(measured(options.rows, options.threads)))
        return
    if options.points is None or not points.exists():
        command = [sys.executable, __file__, "--measure", "--rows", str(options.rows)]
        command += ["--threads", str(options.threads), "--points", str(points)]
        subprocess.run(command, env=environment(options.threads), check=True)
    draw(json.loads(points.read_text()), options.threads, options.out)


def measured(rows: int, threads: int) -> dict[str, Points]:
    """The points of all three panels."""
    fifth = max(rows // 5, 1)
    return {
        "rows": [point for share in SHARES for point in over_rows(rows // share, threads)],
        "shards": over_shards(day_of_events(max(rows // 10, 1)), threads),
        "groups": [point for groups in powers(fifth) for point in over_groups(fifth, groups, threads)],
    }


def powers(most: int) -> list[int]:
    """1, 10, 100 and so on."""
    return [10**power for power in range(len(str(most)))]


def over_rows(rows: int, threads: int) -> Points:
    """Q1 over as many rows."""
    events = Events(day_of_events(rows), threads)
    works = {OURS: q1_of(events.stream).collect, **events.lazily(q1_by_polars(events.lazy)), **events.sql(Q1_SQL)}
    return rated(works, rows, rows)


def over_shards(table: pl.DataFrame, threads: int) -> Points:
    """Writes into as many shards."""
    events, coded = Events(table, threads), with_dictionaries(table)
    points = []
    for shards in SHARDS:
        works = {
            OURS: writer(table, shards),
            f"{OURS}, dictionary keys": writer(coded.to_arrow(), shards),
            "duckdb": route(events, shards),
        }
        points += rated(works, shards, table.height, of_one_size=False)
    return points


def over_groups(rows: int, groups: int, threads: int) -> Points:
    """One window of as many groups."""
    random = np.random.default_rng(7)
    table = day_of_events(rows).select(
        "ts", "amount", ("key-" + pl.Series(random.integers(0, groups, rows)).cast(pl.String)).alias("user_id")
    )
    events = Events(table.rechunk(), threads)
    day = pl.col("ts").dt.truncate("1d").alias("window_start")
    query = events.stream.window(ss.tumble("1d"), time="ts").by("user_id").agg(n=ss.count(), total=ss.sum("amount"))
    by_polars = events.lazy.group_by(day, "user_id").agg(pl.len().alias("n"), pl.col("amount").sum().alias("total"))
    bucket = "{}(interval '1 day', ts) as window_start"
    sql = f"select {bucket}, user_id, count(*) as n, sum(amount) as total from t group by 1, 2"
    works = {
        OURS: query.collect,
        **events.lazily(by_polars),
        "duckdb": events.sql(sql.format("time_bucket"))["duckdb"],
        "datafusion": events.sql(sql.format("date_bin"))["datafusion"],
    }
    return rated(works, groups, rows)


def rated(works: dict[str, Callable[[], object]], at: int, rows: int, *, of_one_size: bool = True) -> Points:
    """Millions of rows a second of each, the best of some rounds taken in turn."""
    if of_one_size:
        sizes = {name: frame(work()).height for name, work in works.items()}
        assert len(set(sizes.values())) == 1, sizes
    best = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            began = perf_counter()
            work()
            best[name] = min(best[name], perf_counter() - began)
    points = [(name, at, rows / took / 1e6) for name, took in best.items()]
    print(f"{at:>12,}  " + "  ".join(f"{name} {rate:.1f}" for name, _, rate in points), flush=True)
    return points


def draw(panels: dict[str, Points], threads: int, out: Path) -> None:
    """Three panels side by side, rates from zero."""
    figure = Figure(figsize=(15, 4.8), layout="constrained")
    axes = figure.subplots(1, len(PANELS))
    for axis, (panel, (title, label)) in zip(axes, PANELS.items(), strict=True):
        curves: dict[str, list[tuple[int, float]]] = {}
        for name, at, rate in panels[panel]:
            curves.setdefault(name, []).append((at, rate))
        for name, points in curves.items():
            ours = name.startswith(OURS)
            axis.plot(
                *zip(*points, strict=True),
                color=COLORS[name.split(",")[0]],
                linestyle="--" if "," in name else "-",
                linewidth=2.6 if ours else 1.6,
                marker="o",
                markersize=4,
                label=name,
                zorder=3 if ours else 2,
            )
        axis.set(title=title, xlabel=label, xscale="log")
        axis.set_ylim(bottom=0)
        axis.set_xticks(sorted({at for _, at, _ in panels[panel]}))
        axis.xaxis.set_major_formatter(lambda value, _place: short(value))
        axis.minorticks_off()
        axis.grid(color="#e4e4e4")
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, fontsize=8.5)
    axes[0].set_ylabel("million rows a second")
    cores = "1 thread" if threads == 1 else f"{threads} threads"
    figure.suptitle(f"shardstream {ss.__version__} beside {', '.join(PEERS)}: {cores}, best of {ROUNDS}", fontsize=11)
    figure.savefig(out, dpi=110)


def short(value: float) -> str:
    """Thousands and millions as people say them, where they come out even."""
    for size, unit in ((1_000_000, " M"), (1_000, " k")):
        if size <= value and value * 10 % size == 0:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


if __name__ == "__main__":
    main()
