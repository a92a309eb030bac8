"""The public face: every name said once, documented, and of the signature that was promised."""

import inspect
import re
from pathlib import Path

import pytest

import shardstream as ss
from shardstream import _core, errors

ROOT = Path(__file__).parents[2]
PUBLIC = [name for name in ss.__all__ if not name.startswith("__")]
CLASSES = [getattr(errors, name) for name in errors.__all__]
# What the face of a native class is, where it is not the class itself.
FACES = {
    "Answer": "WindowResult",
    "Engine": "Engine",
    "Follow": "Stream",
    "Kinesis": "Engine",
    "ManualClock": "ManualClock",
    "Query": "WindowQuery",
    "QueryFollow": "WindowQuery",
    "RecordIterator": "Records",
    "Endpoint": "testing",
    "Faults": "testing",
    "Frames": "testing",
    "Replay": "replay",
    "Server": "Engine",
    "Stream": "Stream",
    "Subscription": "Engine",
}


def parameters(function):
    """The parameters of a function but `self`, as `name` or `name=default`."""
    return [
        each.name if each.default is each.empty else f"{each.name}={each.default!r}"
        for each in inspect.signature(function).parameters.values()
        if each.name != "self"
    ]


def members(thing):
    return [member for name, member in vars(thing).items() if not name.startswith("_")]


def test_names_when_exported_then_each_is_there_once_and_in_order():
    assert len(set(ss.__all__)) == len(ss.__all__)
    assert ss.__all__ == sorted(ss.__all__)
    assert all(hasattr(ss, name) for name in ss.__all__)


def test_names_when_not_exported_then_are_modules_only():
    unsaid = {name for name in vars(ss) if not name.startswith("_")} - set(ss.__all__)
    assert all(inspect.ismodule(getattr(ss, name)) for name in unsaid)


@pytest.mark.parametrize("name", PUBLIC)
def test_name_when_public_then_it_and_its_members_are_documented(name):
    thing = getattr(ss, name)
    assert inspect.getdoc(thing)
    if inspect.isclass(thing):
        undocumented = [member for member in members(thing) if callable(member) and not inspect.getdoc(member)]
        assert undocumented == []


def test_native_names_when_listed_then_each_has_a_face():
    native = {name for name, thing in vars(_core).items() if inspect.isclass(thing)}
    faceless = {name for name in native if FACES.get(name, name) not in ss.__all__}
    assert faceless == set()


@pytest.mark.parametrize(
    ("function", "promised"),
    [
        (
            ss.Engine,
            [
                "path=None",
                "durability='commit'",
                "compression=None",
                "read_only=False",
                "clock=None",
                "limits=None",
                "region=None",
                "account_id=None",
                "seed=0",
                "threads=None",
                "create_stream_ms=0",
                "update_stream_ms=0",
                "delete_stream_ms=0",
                "shard_limit=None",
            ],
        ),
        (ss.Engine.client, ["service_name='kinesis'"]),
        (ss.Engine.serve, ["host='127.0.0.1'", "port=0", "tls=False", "credentials=None", "insecure=False"]),
        (ss.Engine.snapshot, ["path", "compression=None"]),
        (ss.Engine.stream, ["name"]),
        (ss.Stream.fork, ["name"]),
        (ss.Stream.seal, []),
        (ss.Engine.list_streams, []),
        (ss.Engine.delete_stream, ["name"]),
        (ss.Engine.close, []),
        (ss.Stream.put, ["data", "key", "explicit_hash_key=None"]),
        (ss.Stream.put_many, ["records"]),
        (ss.Stream.write, ["table", "key", "time=None", "data=None", "null_key=None"]),
        (ss.Stream.read, ["start='TRIM_HORIZON'", "end=None", "shard_id=None", "limit=None"]),
        (ss.Stream.follow, ["start='LATEST'", "shard_id=None", "timeout=None"]),
        (ss.Stream.shards, []),
        (ss.Stream.split_shard, ["shard_id", "at=None"]),
        (ss.Stream.update_shard_count, ["target"]),
        (ss.Stream.plot, ["kind='throughput'", "time=None", "backend=None"]),
        (ss.WindowResult.plot, ["y=None", "by=None", "kind=None", "backend=None"]),
        (ss.ReplayReport.plot, ["backend=None"]),
        (ss.WindowQuery.agg, ["unnamed", "named"]),
        (ss.WindowQuery.by, ["columns"]),
        (ss.tumble, ["size", "offset='0s'"]),
        (ss.hop, ["size", "slide", "offset='0s'"]),
        (ss.session, ["gap"]),
        (ss.cumulate, ["size", "step", "offset='0s'"]),
        (ss.rolling, ["size"]),
        (ss.count, ["column=None"]),
        (ss.quantile, ["column", "q", "interpolation='linear'"]),
        (ss.top_k, ["column", "k=10"]),
        (ss.ManualClock.advance, ["duration"]),
    ],
    ids=lambda value: getattr(value, "__qualname__", None),
)
def test_function_when_called_as_promised_then_has_these_parameters(function, promised):
    assert parameters(function) == promised


@pytest.mark.parametrize(
    ("function", "first"),
    [
        (ss.Engine.create_stream, ["name", "shards=None", "retention='24h'", "mode='PROVISIONED'", "tags=None"]),
        (ss.replay, ["source", "stream", "key=None", "time=None", "speed='max'", "delay=None"]),
        (ss.Stream.window, ["window", "time='arrival_time'", "watermark='0s'", "allowed_lateness='0s'"]),
        (ss.window, ["table", "window", "time", "watermark='0s'", "allowed_lateness='0s'"]),
        (ss.WindowQuery.collect, ["order='event'", "start='TRIM_HORIZON'", "end=None"]),
        (ss.WindowQuery.follow, ["emit='final'", "start='LATEST'", "end=None"]),
    ],
    ids=lambda value: getattr(value, "__qualname__", None),
)
def test_function_when_it_has_many_options_then_begins_with_those_promised(function, first):
    assert parameters(function)[: len(first)] == first


def test_aggregates_when_promised_then_all_are_there():
    promised = "count sum mean min max first last var std count_distinct approx_count_distinct quantile median top_k"
    assert set(promised.split()) <= set(ss.__all__)


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_error_when_public_then_is_documented_under_one_base_and_says_its_code(error):
    assert issubclass(error, errors.ShardstreamError)
    assert inspect.getdoc(error)
    assert error("what").code == error.__name__


def test_errors_when_raised_by_the_native_module_then_all_exist():
    source = "".join(path.read_text() for path in (ROOT / "src" / "python").glob("*.rs"))
    named = set(re.findall(r'"(\w+(?:Exception|Error))"', source))
    assert named
    assert named - {"PutError"} <= set(errors.__all__)


def test_errors_when_defined_then_each_is_raised_somewhere():
    rust = [path.read_text() for path in (ROOT / "src" / "python").glob("*.rs")]
    python = [path.read_text() for path in (ROOT / "python" / "shardstream").glob("*.py") if path.name != "errors.py"]
    source = "".join(rust + python)
    unused = {name for name in errors.__all__ if not re.search(rf'"{name}"|raise {name}\b', source)}
    assert unused == set()


def test_names_of_errors_when_defined_then_all_are_exported():
    defined = {name for name, thing in vars(errors).items() if inspect.isclass(thing)}
    assert defined == set(errors.__all__)
