"""The command line: `shardstream replay FILE` sends a dataset through shards and windows; `serve` and `repair`."""

from __future__ import annotations

import argparse
import os
import re
import sys

import shardstream as ss
from shardstream import _core
from shardstream.errors import DatasetError, InvalidArgumentException, ShardstreamError

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from shardstream.windows import Aggregate, Window

__all__ = ["main"]

_AGGREGATE = re.compile(r"(?:(?P<name>[^=\s]+)\s*=\s*)?(?P<function>[a-z_]+)\s*\((?P<arguments>.*)\)\s*")
_AGGREGATES = (
    "count",
    "sum",
    "mean",
    "min",
    "max",
    "first",
    "last",
    "var",
    "std",
    "count_distinct",
    "approx_count_distinct",
    "quantile",
    "median",
    "top_k",
)
_WINDOW = re.compile(r"(?P<kind>[a-z]+)\((?P<arguments>.*)\)")
_WINDOWS = {
    "tumble": ("size",),
    "hop": ("size", "slide"),
    "session": ("gap",),
    "cumulate": ("size", "step"),
    "rolling": ("size",),
}
_INTERRUPTED = 130
# Between two looks at what time has made due.
_LISTEN_S = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status = options.run(options)
    except ShardstreamError as error:
        print(f"shardstream: {error}", file=sys.stderr)  # noqa: T201 - a command line talks
        return 2
    except KeyboardInterrupt:
        print("shardstream: interrupted", file=sys.stderr)  # noqa: T201
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has had enough, as `head` does; what is left to flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return int(status or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="shardstream", description="Amazon Kinesis, embedded. Not affiliated with Amazon."
    )
    parser.add_argument("--version", action="version", version=f"shardstream {ss.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    replay = commands.add_parser(
        "replay",
        help="send a dataset through a stream and compute windows",
        description="Send a dataset through a stream of shards; with --window and --agg, compute aggregates.",
        epilog="example: shardstream replay flights.parquet --key carrier --time scheduled --shards 4 "
        "--window 1d --by origin --agg 'n=count()' --agg 'late=mean(dep_delay)'",
    )
    replay.add_argument("file", nargs="+", help="Parquet, CSV, newline-delimited JSON or Arrow files, or globs")
    replay.add_argument("--key", required=True, metavar="COLUMN", help="the column of partition keys")
    replay.add_argument("--time", metavar="COLUMN", help="the column of event times")
    replay.add_argument("--shards", type=int, default=4, metavar="N", help="shards of the stream (default: 4)")
    replay.add_argument("--null-key", metavar="KEY", help="what stands in for null keys")
    replay.add_argument("--speed", default="max", help='"max", or a factor of real time (default: max)')
    replay.add_argument("--delay", help="makes rows arrive late: a duration, or a column")
    replay.add_argument("--limits", choices=["aws"], help="throttle shards as Amazon does")
    replay.add_argument(
        "--window",
        metavar="WINDOW",
        help='a size like "1d" (tumbling), or "hop(5m, 1m)", "session(30m)", "rolling(10m)"',
    )
    replay.add_argument("--by", action="append", default=[], metavar="COLUMN", help="a key; may be given again")
    replay.add_argument(
        "--agg", action="append", default=[], metavar="NAME=FUNCTION(COLUMN)", help="an aggregate; may be given again"
    )
    replay.add_argument("--watermark", default="0s", metavar="DURATION", help="how far out of order rows may be")
    replay.add_argument("--order", choices=["event", "arrival"], default="event", help="as collect(order=...)")
    replay.add_argument("--format", choices=["table", "csv", "json", "arrow"], default="table", help="of the output")
    replay.add_argument("--out", metavar="FILE", help="where to write the result (default: the terminal)")
    replay.add_argument("--progress", action="store_true", help="draw a bar (needs tqdm)")
    replay.set_defaults(run=_replay)
    _add_serve(commands)
    _add_repair(commands)
    return parser


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser(
        "serve",
        help="answer AWS's clients as Kinesis does",
        description="Answer AWS's clients on this machine as Kinesis does, until interrupted.",
        epilog="example: shardstream serve --port 4567 --data events/ --initialize-streams clicks:4,orders:2",
    )
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, default=4567, help="the port; any that is free if 0 (default: 4567)")
    serve.add_argument("--data", metavar="DIR", help="keep everything in this folder (default: in memory)")
    serve.add_argument(
        "--durability",
        choices=["commit", "interval", "none"],
        default="commit",
        help="when what is put is on the disk: before it is answered, 100 ms later, or when the system decides "
        "(default: commit)",
    )
    serve.add_argument("--compression", choices=["lz4", "zstd"], help="of sealed records in --data")
    serve.add_argument("--tls", action="store_true", help="encrypt, with a certificate made on the spot")
    serve.add_argument("--certificate", metavar="FILE", help="a certificate chain in PEM, for --tls")
    serve.add_argument("--certificate-key", metavar="FILE", help="its key in PEM")
    serve.add_argument("--limits", choices=["aws"], help="throttle shards as Amazon does")
    serve.add_argument(
        "--account-id", metavar="DIGITS", help="the account (default: zeros, or what --data was made with)"
    )
    serve.add_argument("--region", help="the region (default: us-east-1, or what --data was made with)")
    serve.add_argument(
        "--initialize-streams",
        default="",
        metavar="NAME:SHARDS,...",
        help="streams that are there from the start; those that --data has already stay as they are",
    )
    serve.add_argument("--shard-limit", type=int, metavar="N", help="open shards of an account, at most")
    for what in ("create", "update", "delete"):
        serve.add_argument(
            f"--{what}-stream-ms", type=int, default=0, metavar="MS", help=f"how long it takes to {what} a stream"
        )
    serve.add_argument(
        "--credentials",
        metavar="FILE",
        help="check signatures with the keys of this file, written as ~/.aws/credentials",
    )
    serve.add_argument("--insecure", action="store_true", help="answer anybody on an address that others reach")
    serve.set_defaults(run=_serve)


def _add_repair(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    repair = commands.add_parser(
        "repair",
        help="keep what can be read of a damaged folder",
        description="Look at every byte of a folder of streams, keep what can be read, and say what is dropped.",
        epilog="exit status: 0 if nothing was wrong, 1 if something was",
    )
    repair.add_argument("folder", help="the folder, which no process writes")
    repair.add_argument(
        "--check", action="store_true", help="change nothing: say what is wrong, and what would be lost"
    )
    repair.set_defaults(run=_repair)


def _repair(options: argparse.Namespace) -> int:
    findings = _core.repair(options.folder, mends=not options.check)
    for finding in findings:
        print(finding)  # noqa: T201 - a command line talks
    if not findings:
        print(f"{options.folder}: nothing is wrong")  # noqa: T201
        return 0
    done = "found" if options.check else "mended; what could not be read is dropped"
    places = "1 place" if len(findings) == 1 else f"{len(findings)} places"
    print(f"{options.folder}: damage in {places} {done}")  # noqa: T201
    return 1


def _serve(options: argparse.Namespace) -> None:
    import signal
    import threading

    if (options.certificate is None) != (options.certificate_key is None):
        message = "--certificate and --certificate-key go together"
        raise InvalidArgumentException(message)
    files = None if options.certificate is None else (options.certificate, options.certificate_key)
    stopped = threading.Event()
    if options.data is None and (options.durability != "commit" or options.compression is not None):
        message = "--durability and --compression are for --data"
        raise InvalidArgumentException(message)
    engine = ss.Engine(
        options.data,
        durability=options.durability,
        compression=options.compression,
        limits=options.limits,
        region=options.region,
        account_id=options.account_id,
        shard_limit=options.shard_limit,
        create_stream_ms=options.create_stream_ms,
        update_stream_ms=options.update_stream_ms,
        delete_stream_ms=options.delete_stream_ms,
    )
    credentials = None if options.credentials is None else _credentials(options.credentials)
    with engine:
        kept = engine.list_streams()
        for name, shards in _streams(options.initialize_streams):
            if name not in kept:
                engine.create_stream(name, shards)
        tls = files if files is not None else options.tls
        insecure = options.insecure
        with engine.serve(options.host, options.port, tls=tls, credentials=credentials, insecure=insecure) as server:
            # Whoever stops services sends this; Ctrl-C comes as KeyboardInterrupt.
            signal.signal(signal.SIGTERM, lambda *_: stopped.set())
            print(f"shardstream answers as Kinesis on {server.url}", flush=True)  # noqa: T201 - one line when ready
            while not stopped.wait(_LISTEN_S):
                engine.tick()


def _credentials(path: str) -> dict[str, str]:
    import configparser
    from pathlib import Path

    # No value is another one's template: a secret may hold a percent sign.
    profiles = configparser.ConfigParser(interpolation=None)
    try:
        with Path(path).open(encoding="utf-8") as file:
            profiles.read_file(file)
    except OSError as error:
        message = f"--credentials: {path} cannot be read: {error.strerror}"
        raise InvalidArgumentException(message) from None
    except (configparser.Error, UnicodeDecodeError):
        # What the parser says quotes the line, which may be a secret.
        message = f"--credentials: {path} is not written as ~/.aws/credentials is: [profile], then name = value"
        raise InvalidArgumentException(message) from None
    keys = {}
    for profile in profiles.sections():
        key, secret = (profiles[profile].get(f"aws_{name}", "") for name in ("access_key_id", "secret_access_key"))
        if not key or not secret:
            message = f"--credentials: [{profile}] of {path} needs aws_access_key_id and aws_secret_access_key"
            raise InvalidArgumentException(message)
        keys[key] = secret
    if not keys:
        message = f"--credentials: {path} has no profile"
        raise InvalidArgumentException(message)
    return keys


def _streams(text: str) -> list[tuple[str, int]]:
    streams = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, shards = part.partition(":")
        if not (shards.isascii() and shards.isdigit()):
            message = f'--initialize-streams: "{part}" is not NAME:SHARDS, as in clicks:4'
            raise InvalidArgumentException(message)
        streams.append((name, int(shards)))
    return streams


def _replay(options: argparse.Namespace) -> None:
    if options.window is None and (options.agg or options.by):
        message = "--by and --agg need --window: as in --window 1d"
        raise InvalidArgumentException(message)
    if options.window is not None and options.time is None:
        message = "--window needs --time, the column of event times"
        raise InvalidArgumentException(message)
    window = None if options.window is None else _window(options.window)
    aggregates = [_aggregate(text) for text in options.agg] or [("count", ss.count())]
    names = [name for name, _ in aggregates]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        message = f"--agg: {', '.join(sorted(twice))} is computed twice: give each its own name, as in n=count()"
        raise InvalidArgumentException(message)
    with ss.Engine(limits=options.limits) as engine:
        stream = engine.create_stream("replay", shards=options.shards)
        report = ss.replay(
            options.file,
            stream,
            key=options.key,
            time=options.time,
            speed=_speed(options.speed),
            delay=options.delay,
            null_key=options.null_key,
            progress=options.progress,
        )
        _say(f"{report!r}")
        if window is None:
            for shard_id, records in sorted(report.per_shard.items()):
                _say(f"{shard_id}  {records:,} records")
            return
        query = stream.window(window, time=options.time, watermark=options.watermark)
        result = query.by(*options.by).agg(**dict(aggregates)).collect(order=options.order)
        if result.stats.late_rows:
            _say(f"{result.stats.late_rows:,} rows came too late for their windows")
        _write(result, options.format, options.out)


def _window(text: str) -> Window:
    call = _WINDOW.fullmatch(text.strip())
    if call is None:
        return ss.tumble(text)
    kind, arguments = call["kind"], _split(call["arguments"])
    names = _WINDOWS.get(kind)
    if names is None or len(names) != len(arguments):
        known = ", ".join(f"{kind}({', '.join(names)})" for kind, names in _WINDOWS.items())
        message = f'--window: "{text}" is none of {known}, nor a size like "1d"'
        raise InvalidArgumentException(message)
    values = [argument.partition("=")[2] or argument for argument in arguments]
    window: Window = getattr(ss, kind)(**{name: value.strip("\"' ") for name, value in zip(names, values, strict=True)})
    return window


def _aggregate(text: str) -> tuple[str, Aggregate]:
    call = _AGGREGATE.fullmatch(text.strip())
    if call is None or call["function"] not in _AGGREGATES:
        message = f'--agg: "{text}" is not NAME=FUNCTION(COLUMN), with one of {", ".join(_AGGREGATES)}'
        raise InvalidArgumentException(message)
    values = [_value(argument) for argument in _split(call["arguments"])]
    try:
        aggregate: Aggregate = getattr(ss, call["function"])(*values)
    except TypeError as error:
        message = f'--agg: "{text}": {error}'
        raise InvalidArgumentException(message) from error
    return call["name"] or aggregate.name, aggregate


def _split(arguments: str) -> list[str]:
    return [argument.strip() for argument in arguments.split(",") if argument.strip()]


def _value(text: str) -> Any:  # noqa: ANN401 - a column's name, or a number
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text.strip("\"'")


def _speed(text: str) -> Any:  # noqa: ANN401 - replay() checks it
    try:
        return float(text)
    except ValueError:
        return text


def _write(result: ss.WindowResult, form: str, out: str | None) -> None:
    if form == "table":
        _write_bytes((result.to_text() + "\n").encode(), out)
    elif out is not None:
        result.save(out, form)
    else:
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            saved = Path(folder) / "result"
            result.save(str(saved), form)
            _write_bytes(saved.read_bytes(), None)


def _write_bytes(content: bytes, out: str | None) -> None:
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        with open(out, "wb") as file:  # noqa: PTH123 - pathlib would cost an import for one line
            file.write(content)
    except OSError as error:
        message = f"cannot write `{out}`: {error.strerror}"
        raise DatasetError(message) from error


def _say(text: str) -> None:
    """Say something about the run, apart from its result."""
    print(text, file=sys.stderr)  # noqa: T201
