"""What objects look like in a notebook: plain HTML and inline SVG, without scripts and style sheets.

Each function here is what a `_repr_html_` method gives. What is drawn is bounded, however many shards, streams or
columns there are; whatever users named or stored is escaped; colours are readable on white and on near-black; and what
matters is text, for viewers that take pictures out. None of them raises: an object that cannot be read says so.
"""

from shardstream.display.engines import engine
from shardstream.display.reports import hot_report, replay_report
from shardstream.display.streams import stream
from shardstream.display.tables import records, table, window_result

__all__ = ["engine", "hot_report", "records", "replay_report", "stream", "table", "window_result"]
