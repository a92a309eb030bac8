"""Engines: streams by name, arguments that are refused, the end of it all."""

import datetime

import pytest

import shardstream as ss
from shardstream import errors


def an_engine(**options):
    return ss.Engine(clock=ss.ManualClock("2026-01-01T00:00:00Z"), **options)


def test_engine_when_new_then_has_no_streams():
    assert an_engine().list_streams() == []


def test_list_streams_when_several_then_in_order_of_names():
    engine = an_engine()
    for name in ("b", "a", "C", "a.b", "a_b"):
        engine.create_stream(name)
    assert engine.list_streams() == sorted(["b", "a", "C", "a.b", "a_b"])


def test_create_stream_when_shards_not_given_then_has_four():
    assert len(an_engine().create_stream("clicks").shards()) == 4


def test_create_stream_when_options_given_then_stream_says_them():
    engine = an_engine(region="eu-west-1", account_id="123456789012")
    stream = engine.create_stream("clicks", retention="48h", mode="ON_DEMAND", tags={"team": "web", "b": ""})
    assert (stream.name, stream.mode, stream.tags) == ("clicks", "ON_DEMAND", {"team": "web", "b": ""})
    assert stream.retention == datetime.timedelta(days=2)
    assert stream.created == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert stream.arn == "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"


def test_stream_when_asked_by_name_then_is_the_same_stream():
    engine = an_engine()
    engine.create_stream("clicks").put(b"page", key="user-42")
    assert [record.data for record in engine.stream("clicks").read()] == [b"page"]


def test_create_stream_when_name_taken_then_refuses_and_keeps_the_first():
    engine = an_engine()
    engine.create_stream("clicks", shards=2).put(b"page", key="user-42")
    with pytest.raises(errors.ResourceInUseException, match=r"Stream clicks under account 0{12} already exists"):
        engine.create_stream("clicks", shards=8)
    assert len(engine.stream("clicks").shards()) == 2
    assert len(engine.stream("clicks")) == 1


@pytest.mark.parametrize("call", ["stream", "delete_stream"])
def test_unknown_stream_when_asked_for_then_error_names_those_there_are(call):
    engine = an_engine()
    engine.create_stream("clicks")
    with pytest.raises(errors.ResourceNotFoundException, match=r"Stream nowhere .* not found.* clicks"):
        getattr(engine, call)("nowhere")
    assert engine.list_streams() == ["clicks"]


@pytest.mark.parametrize("name", ["", "n" * 129, "a b", "caf\u00e9", "a/b", "a\0b"])
def test_create_stream_when_name_breaks_the_pattern_then_validation_error(name):
    engine = an_engine()
    with pytest.raises(errors.ValidationException, match="1 to 128 characters"):
        engine.create_stream(name)
    assert engine.list_streams() == []


@pytest.mark.parametrize("name", ["n", "n" * 128, "a-b_c.D9"])
def test_create_stream_when_name_at_the_edge_of_the_pattern_then_takes_it(name):
    engine = an_engine()
    engine.create_stream(name)
    assert engine.list_streams() == [name]


@pytest.mark.parametrize("name", [5, None, b"clicks", ["clicks"], "\ud800"])
def test_create_stream_when_name_is_no_text_then_serialization_error(name):
    engine = an_engine()
    with pytest.raises(errors.SerializationException, match=r"name( is|:) text"):
        engine.create_stream(name)
    assert engine.list_streams() == []


@pytest.mark.parametrize(
    ("shards", "error"),
    [
        (0, errors.ValidationException),
        (-1, errors.ValidationException),
        (-(2**80), errors.ValidationException),
        (10_001, errors.LimitExceededException),
        (2**80, errors.LimitExceededException),
        (True, errors.SerializationException),
        ("4", errors.SerializationException),
        (4.0, errors.SerializationException),
    ],
)
def test_create_stream_when_shards_out_of_range_then_refuses(shards, error):
    engine = an_engine()
    with pytest.raises(error, match="shards"):
        engine.create_stream("clicks", shards=shards)
    assert engine.list_streams() == []


def test_create_stream_when_10_000_shards_then_makes_them():
    assert len(an_engine().create_stream("clicks", shards=10_000).shards()) == 10_000


@pytest.mark.parametrize("retention", ["23h", "8761h", "24h30m", "-24h", "soon", datetime.timedelta.max, 24, None])
def test_create_stream_when_retention_out_of_range_then_refuses(retention):
    engine = an_engine()
    with pytest.raises(errors.ShardstreamError, match="retention"):
        engine.create_stream("clicks", retention=retention)
    assert engine.list_streams() == []


@pytest.mark.parametrize(
    "option",
    [
        {"mode": "SERVERLESS"},
        {"tags": {"a": 1}},
        {"tags": {1: "a"}},
        {"tags": "ab"},
        {"tags": {"\ud800": "a"}},
        {"tags": {"k" * 129: "v"}},
        {"tags": {str(i): "v" for i in range(51)}},
        {"max_record_size": 2**20 - 1},
        {"max_record_size": 10 * 2**20 + 1},
        {"max_record_size": "1MiB"},
    ],
    ids=str,
)
def test_create_stream_when_an_option_is_wrong_then_error_names_it(option):
    engine = an_engine()
    with pytest.raises(errors.ShardstreamError, match=next(iter(option))):
        engine.create_stream("clicks", **option)
    assert engine.list_streams() == []


@pytest.mark.parametrize(
    "option",
    [
        {"clock": 5},
        {"limits": "gcp"},
        {"region": ""},
        {"region": 5},
        {"region": "\ud800"},
        {"account_id": "12345678901"},
        {"account_id": "\u00b2" * 12},
        {"account_id": 123456789012},
        {"seed": -1},
        {"seed": 2**64},
        {"seed": True},
        {"seed": "7"},
        {"threads": 0},
        {"threads": -1},
        {"threads": 1_025},
        {"threads": True},
        {"threads": 2.0},
        {"threads": "2"},
    ],
    ids=ascii,
)
def test_engine_when_an_option_is_wrong_then_error_names_it(option):
    with pytest.raises(errors.ShardstreamError, match=next(iter(option))):
        ss.Engine(**option)


def test_engine_when_threads_is_wrong_then_error_says_what_to_give():
    for wrong in (0, -1, 1_025, "two", 1.5):
        with pytest.raises(
            errors.InvalidArgumentException, match=f"threads is `{wrong}`; give a number of threads from 1 to 1024"
        ):
            ss.Engine(threads=wrong)


def test_engine_when_environment_bounds_threads_then_it_holds_unless_threads_is_given(monkeypatch):
    monkeypatch.setenv("SHARDSTREAM_THREADS", "3")
    assert ss.Engine()._core.threads == 3
    assert ss.Engine(threads=2)._core.threads == 2
    monkeypatch.setenv("SHARDSTREAM_THREADS", "many")
    with pytest.raises(errors.InvalidArgumentException, match="SHARDSTREAM_THREADS is `many`"):
        ss.Engine()
    assert ss.Engine(threads=1)._core.threads == 1


def test_delete_stream_when_done_then_old_handle_says_not_found():
    engine = an_engine()
    stream = engine.create_stream("clicks")
    stream.put(b"page", key="user-42")
    engine.delete_stream("clicks")
    assert engine.list_streams() == []
    for call in (lambda: stream.put(b"page", key="user-42"), stream.read, stream.shards, lambda: len(stream)):
        with pytest.raises(errors.ResourceNotFoundException, match="clicks"):
            call()


def test_delete_stream_when_read_before_then_records_stay_readable():
    engine = an_engine()
    stream = engine.create_stream("clicks")
    stream.put(b"page", key="user-42")
    records = stream.read()
    engine.delete_stream("clicks")
    assert records[0].data == b"page"


def test_delete_stream_when_created_again_then_is_empty_and_old_handle_stays_dead():
    engine = an_engine()
    old = engine.create_stream("clicks")
    old.put(b"page", key="user-42")
    engine.delete_stream("clicks")
    new = engine.create_stream("clicks")
    assert len(new) == 0
    with pytest.raises(errors.ResourceNotFoundException):
        old.put(b"page", key="user-42")


def test_close_when_done_then_every_call_says_so():
    engine = an_engine()
    stream = engine.create_stream("clicks")
    engine.close()
    calls = [
        lambda: engine.create_stream("more"),
        lambda: engine.stream("clicks"),
        engine.list_streams,
        lambda: engine.delete_stream("clicks"),
        engine.tick,
        lambda: stream.put(b"page", key="user-42"),
        lambda: stream.put_many([(b"page", "user-42")]),
        stream.read,
        lambda: list(stream.follow(timeout="1s")),
        stream.shards,
        lambda: stream.update_shard_count(2),
        lambda: stream.increase_retention("48h"),
        lambda: stream.window(ss.tumble("1m")).agg(n=ss.count()).collect(),
        lambda: ss.replay([("user-42", b"page")], stream),
    ]
    assert engine.closed
    for call in calls:
        with pytest.raises(errors.EngineClosedError, match="closed"):
            call()


def test_close_when_called_twice_then_does_nothing():
    engine = an_engine()
    engine.close()
    engine.close()
    assert repr(engine) == "Engine(closed)"


def test_engine_when_used_in_with_then_is_closed_after_it():
    with an_engine() as engine:
        engine.create_stream("clicks")
        assert not engine.closed
    assert engine.closed


def test_engine_when_shown_then_says_how_many_streams():
    engine = an_engine(limits="aws")
    engine.create_stream("clicks")
    assert repr(engine) == "Engine(in memory, 1 stream, limits='aws')"
