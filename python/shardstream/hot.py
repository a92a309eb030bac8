"""Hot shards: which keys load them, when they would have been throttled, and what would have helped."""

from __future__ import annotations

from shardstream import _core, text
from shardstream._epoch import from_millis
from shardstream.errors import InvalidArgumentException
from shardstream.traffic import checked_newest

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    import datetime
    from typing import Any, Literal

    from shardstream.stream import Stream

__all__ = ["HotReport", "HotShard", "Split", "explain"]

_TOP_MAX = 10_000
# A remedy helps that leaves at most half of what was refused.
_HELPS = 2


class Split:
    """What splitting a shard would have done.

    Attributes:
        at: The hash key to split at, where its load falls in two most evenly: `stream.split_shard(shard_id, at)`.
        throttled: Records that the two children together would still have refused.
    """

    __slots__ = ("at", "throttled")

    def __init__(self, at: int, throttled: int) -> None:
        """Take where and how many."""
        self.at = at
        self.throttled = throttled

    def __repr__(self) -> str:
        """Say where and how many."""
        return f"Split(at={self.at}, throttled={self.throttled:,})"


class HotShard:
    """A shard, what loads it, and what would have helped.

    Attributes:
        shard_id: The shard.
        is_open: Whether it takes records.
        records: Records it took.
        bytes: Their bytes, keys counted.
        share: Of the stream's records, between 0 and 1.
        keys: Its distinct partition keys.
        top_key: The key that took most of its capacity.
        top_share: The part of the shard's load that is this key's, between 0 and 1.
        limit: Which of its limits is nearer: "records" (1,000 a second) or "bytes" (1 MiB a second).
        throttled: Records that a shard of the service would have refused.
        refused: Records that it did refuse, with limits="aws", since the engine was opened.
        worst_second: The second in which most would have been refused; None where none would.
        worst_second_throttled: How many in that second.
        seconds_throttled: In how many seconds any would have been refused.
        split: What a split would have done; None where nothing was throttled, or one key is alone.
        salted_keys: The heavy keys: those of a fifth of the load or more, and the heaviest.
        salted: By number of sub-keys, how many of its records would still have been refused, had the heavy keys been
            salted: `key-0`, `key-1` and so on in turn, wherever those fall.
        cause: "none", where nothing would have been refused; "keys", where a split helps or there are many; "key",
            where one key or a few are the cause and no split helps.
        explanation: All of it in a few sentences.
    """

    __slots__ = (
        "bytes",
        "cause",
        "explanation",
        "explicit",
        "is_open",
        "keys",
        "limit",
        "records",
        "refused",
        "salted",
        "salted_keys",
        "seconds_throttled",
        "shard_id",
        "share",
        "split",
        "throttled",
        "top_key",
        "top_share",
        "uncounted",
        "worst_second",
        "worst_second_throttled",
    )

    shard_id: str
    is_open: bool
    records: int
    bytes: int
    share: float
    keys: int
    top_key: str
    top_share: float
    limit: Literal["records", "bytes"]
    throttled: int
    refused: int
    worst_second: datetime.datetime | None
    worst_second_throttled: int
    seconds_throttled: int
    split: Split | None
    salted_keys: list[str]
    salted: dict[int, int]
    explicit: int
    uncounted: int
    cause: Literal["none", "key", "keys"]
    explanation: str

    def __init__(self, facts: dict[str, Any], whole: int, top: tuple[str, float]) -> None:
        """Take the facts, how many records there are in all, and the heaviest key with its share."""
        self.shard_id = facts["shard_id"]
        self.is_open = facts["is_open"]
        self.records = facts["records"]
        self.bytes = facts["bytes"]
        self.share = self.records / whole
        self.keys = facts["keys"]
        self.limit = "records" if facts["is_by_records"] else "bytes"
        self.top_key, self.top_share = top
        self.throttled = facts["over_limit"]
        self.refused = facts["refused"]
        self.worst_second = from_millis(1000 * facts["worst_second"]) if self.throttled else None
        self.worst_second_throttled = facts["worst_second_over_limit"]
        self.seconds_throttled = facts["seconds_over_limit"]
        self.split = None if facts["split"] is None else Split(*facts["split"])
        self.salted_keys = facts["salted_keys"]
        self.salted = facts["salted"]
        self.explicit = facts["explicit"]
        self.uncounted = facts["uncounted"]
        self.cause = self._cause()
        self.explanation = " ".join(self._sentences())

    @property
    def split_helps(self) -> bool:
        """Whether a split would have spared at least half of the refusals."""
        return self.split is not None and self._helps(self.split.throttled)

    @property
    def sub_keys(self) -> int | None:
        """Into how many sub-keys to salt the heavy keys: the fewest that spare at least half; None where none do."""
        return next((count for count, left in self.salted.items() if self._helps(left)), None)

    def __repr__(self) -> str:
        """Say which shard, and how hot it was."""
        counts = f"share={self.share:.0%}, throttled={self.throttled:,}"
        return f"HotShard({self.shard_id!r}, {counts}, cause={self.cause!r})"

    def _helps(self, left: int) -> bool:
        return self.throttled > 0 and left * _HELPS <= self.throttled

    def _cause(self) -> Literal["none", "key", "keys"]:
        if not self.throttled:
            return "none"
        if self.split_helps:
            return "keys"
        return "key" if self.split is None or self.sub_keys is not None else "keys"

    def _sentences(self) -> list[str]:
        key = f"Key {_shown(self.top_key)} is {self.top_share:.0%} of {self.shard_id}"
        load = f"which took {self.share:.0%} of the records."
        if not self.throttled or self.worst_second is None:
            if self.refused:
                return [
                    f"{self.shard_id} did throttle {self.refused:,} records.",
                    f"Of what it took, {_lower(key)}, {load}",
                ]
            return [f"{key}, {load} Nothing that it took was over its limits."]
        times = "once" if self.throttled == 1 else f"{self.throttled:,} times"
        seconds = "1 second" if self.seconds_throttled == 1 else f"{self.seconds_throttled:,} seconds"
        worst = f"at worst {self.worst_second_throttled:,} at {self.worst_second:%Y-%m-%d %H:%M:%S} UTC"
        said = [
            f"{key}, {load}",
            f"You would have been throttled {times} in {seconds}, {worst}.",
        ]
        if self.split is None:
            said.append("A split cannot help: the shard has one key alone.")
        elif self.split_helps:
            said.append(f"Splitting at hash key {self.split.at:.3g} helps: {_left(self.split.throttled)}.")
        else:
            said.append(f"Splitting at hash key {self.split.at:.3g} does not help: {_left(self.split.throttled)}.")
        if self.explicit:
            said.append(f"{self.explicit:,} records came by an explicit hash key, and stay together in a split.")
        if self.salted:
            names = " and ".join(map(_shown, self.salted_keys[:2]))
            more = f" and {len(self.salted_keys) - 2} more keys" if len(self.salted_keys) > 2 else ""  # noqa: PLR2004
            count = self.sub_keys
            if count is None:
                count = max(self.salted)
                said.append(
                    f"Salting {names}{more} into {count} sub-keys does not help either: {_left(self.salted[count])}; "
                    "it takes more shards."
                    if not self.split_helps
                    else f"Salting {names}{more} into {count} sub-keys would not: {_left(self.salted[count])}."
                )
            else:
                said.append(f"Salting {names}{more} into {count} sub-keys helps: {_left(self.salted[count])}.")
        return said


class HotReport:
    """Which shards of a stream were hot, and why; `Stream.explain_hot` makes it.

    Attributes:
        stream: The stream's name.
        records: Records looked at.
        bytes: Their bytes, keys counted.
        throttled: Records that the shards of the service would have refused.
        refused: Records that the stream did refuse, with limits="aws", since the engine was opened: they are not kept,
            so nobody can tell of which keys they were. A replay into a stream without limits can.
        shards: A `HotShard` for each of the hottest, the hottest first.
        keys: A table of their heaviest keys: `shard_id`, `partition_key`, `records`, `bytes`, and `share`, the part of
            the shard's load.
        splitting: Records that would still have been refused, in the whole stream, had all hot shards been split.
        salting: By number of sub-keys, the same, had the heavy keys of all hot shards been salted; empty where nothing
            was throttled.
    """

    __slots__ = ("bytes", "keys", "records", "refused", "salting", "shards", "splitting", "stream", "throttled")

    stream: str
    records: int
    bytes: int
    throttled: int
    refused: int
    shards: list[HotShard]
    keys: _core.Table
    splitting: int
    salting: dict[int, int]

    def __init__(self, stream: str, facts: dict[str, Any]) -> None:
        """Take the facts."""
        self.stream = stream
        self.records = facts["records"]
        self.bytes = facts["bytes"]
        self.throttled = facts["over_limit"]
        self.refused = facts["refused"]
        self.splitting = facts["splitting"]
        self.salting = facts["salting"]
        self.keys = facts["keys"]
        heaviest: dict[str, tuple[str, float]] = {}
        columns = [self.keys.column(name) for name in ("shard_id", "partition_key", "share")]
        for shard_id, key, share in zip(*columns, strict=True):
            heaviest.setdefault(shard_id, (key, share))
        self.shards = [
            HotShard(each, max(self.records, 1), heaviest.get(each["shard_id"], ("", 0.0))) for each in facts["shards"]
        ]

    def __repr__(self) -> str:
        """Say how many shards were hot."""
        hot = sum(shard.throttled > 0 or shard.refused > 0 for shard in self.shards)
        refused = f", refused={self.refused:,}" if self.refused else ""
        return (
            f"HotReport({self.stream!r}, {self.records:,} records, {hot} hot shard{'' if hot == 1 else 's'}, "
            f"throttled={self.throttled:,}{refused})"
        )

    def plot(self, *, backend: Literal["altair", "matplotlib"] | None = None) -> Any:  # noqa: ANN401 - of a library
        """Draw the heaviest keys, and what part of which shard they are; see `Stream.plot`."""
        from shardstream import plots

        return plots.hot_report(self, backend=backend)

    def _repr_html_(self) -> str:
        from shardstream import display

        return display.hot_report(self)

    def __str__(self) -> str:
        """Explain the hot shards in sentences, or say that there are none."""
        if not self.records:
            return f"{self.stream}: there are no records."
        hot = [shard.explanation for shard in self.shards if shard.throttled or shard.refused]
        if self.refused:
            hot.append(
                f"What {self.stream} refused it does not keep: replay the same records into a stream without limits, "
                "and explain that one, to see of which keys they were and what would help."
            )
        if hot:
            return "\n\n".join(hot)
        return f"No shard of {self.stream} was over its limits. {self.shards[0].explanation}"


def explain(stream: Stream, *, top: int, newest: int | None, time: str | None) -> HotReport:
    """Explain hot shards: `Stream.explain_hot`."""
    if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= _TOP_MAX:
        message = f"top: an int from 1 to {_TOP_MAX:,}, not {top!r}"
        raise InvalidArgumentException(message)
    if time is not None:
        text.checked(time, "time")
    facts = _core.explain_hot(stream, top=top, newest=checked_newest(newest), time=time)
    return HotReport(stream.name, facts)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _shown(key: str) -> str:
    most = 40
    return f"`{key}`" if len(key) <= most else f"`{key[:most]}...`"


def _left(count: int) -> str:
    if count == 0:
        return "nothing would have been throttled"
    return f"{count:,} would still have been throttled"
