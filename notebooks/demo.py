"""The main job on real data: a year of flights through four shards, and what a day of delays looks like.

Run by `make demo`. Prints the table, the shards and the rate, and saves `notebooks/flights.png`.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import matplotlib as mpl

import shardstream as ss

mpl.use("Agg")
import matplotlib.dates as mdates
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
FLIGHTS = HERE / "data" / "flights.parquet"
CHART = HERE / "flights.png"
COLOURS = {"EWR": "#d1495b", "JFK": "#00798c", "LGA": "#edae49"}
MONTH = 30


def main() -> int:
    """Replay, aggregate, print, draw."""
    with ss.Engine() as engine:
        stream = engine.create_stream("flights", shards=4)
        report = ss.replay(FLIGHTS, stream, key="tailnum", time="scheduled", null_key="unknown")

        began = perf_counter()
        query = (
            stream.window(ss.tumble("1d"), time="scheduled", watermark="1h")
            .by("origin")
            .agg(
                flights=ss.count(),
                mean_delay=ss.mean("dep_delay"),
                p95_delay=ss.quantile("dep_delay", 0.95),
            )
        )
        result = query.collect()
        seconds = perf_counter() - began
        late = query.collect(order="arrival").stats.late_rows

    print(f"Replayed {report.records:,} flights leaving New York in 2013, keyed by tail number.\n")
    print(f"Delays at departure in minutes, per day (UTC) and airport: {len(result):,} windows, the first of them\n")
    print(result.slice(0, 12).to_text())
    print("\nRecords per shard")
    most = max(report.per_shard.values())
    for shard_id, records in sorted(report.per_shard.items()):
        print(f"  {shard_id}  {records:>7,}  {'#' * round(40 * records / most)}")
    share = late / report.records
    print(
        f"\nThe file is ordered by month as text (1, 10, 11, 12, 2, ...): a live consumer with a watermark of one hour "
        f"\nwould have called {late:,} rows late ({share:.0%}). collect() counts every row, whatever their order."
    )
    print(f"\nReplay: {report.events_per_second:,.0f} events/s.  Query: {report.records / seconds:,.0f} events/s.")
    draw(result)
    print(f"Chart:  {CHART.relative_to(Path.cwd()) if CHART.is_relative_to(Path.cwd()) else CHART}")
    return 0


def draw(result: ss.WindowResult) -> None:
    """Draw delays over the year: a dot a day, a line for the trend, and what the worst twentieth waited."""
    rows = result.to_pylist()
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(11, 7), sharex=True, height_ratios=(3, 2))
    for origin, colour in COLOURS.items():
        days = [row["window_start"] for row in rows if row["origin"] == origin]
        mean = [row["mean_delay"] for row in rows if row["origin"] == origin]
        p95 = [row["p95_delay"] for row in rows if row["origin"] == origin]
        bottom.plot(days, rolling_median(p95), color=colour, linewidth=2)
        top.scatter(days, mean, s=7, color=colour, alpha=0.35, linewidths=0)
        top.plot(days, rolling_median(mean), color=colour, linewidth=2, label=origin)
    worst = max(rows, key=lambda row: row["mean_delay"] or 0.0)
    top.annotate(
        f"{worst['window_start']:%-d %B}, {worst['origin']}: {worst['mean_delay']:.0f} min on average",
        (worst["window_start"], worst["mean_delay"]),
        xytext=(12, -4),
        textcoords="offset points",
        fontsize=9,
        color="#444444",
    )
    top.axhline(0, color="#999999", linewidth=0.8)
    top.set_ylabel("mean delay (minutes)")
    top.set_title("Flights leaving New York in 2013: how late they left", loc="left", fontsize=14, pad=12)
    top.legend(frameon=False, ncols=3, loc="upper right", title=f"airport (line: median of {MONTH} days)")
    bottom.set_ylabel("95th percentile (minutes)")
    bottom.set_ylim(bottom=0)
    bottom.xaxis.set_major_locator(mdates.MonthLocator())
    bottom.xaxis.set_major_formatter(mdates.DateFormatter("%b"))
    bottom.set_xlim(datetime(2012, 12, 28, tzinfo=UTC), datetime(2014, 1, 5, tzinfo=UTC))
    for axes in (top, bottom):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e5e5e5", linewidth=0.8)
        axes.set_axisbelow(True)
    figure.text(
        0.995,
        0.005,
        "336,776 flights, per day (UTC) and airport; computed by shardstream",
        ha="right",
        fontsize=8,
        color="#777777",
    )
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figure.savefig(CHART, dpi=144)
    plt.close(figure)


def rolling_median(values: list[float | None]) -> list[float]:
    """The median of the days around each day, which one bad storm does not move."""
    half = MONTH // 2
    known = [0.0 if value is None else value for value in values]
    around = (sorted(known[max(0, day - half) : day + half + 1]) for day in range(len(known)))
    return [near[len(near) // 2] for near in around]


if __name__ == "__main__":
    sys.exit(main())
