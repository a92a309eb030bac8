"""botocore's model of the service, walked: what it has, we know, or list as not yet."""

import re

import botocore.session
import pytest

from shardstream import _core

MODEL = botocore.session.get_session().get_service_model("kinesis")
# Channels and queues, seventeen operations of the summer and autumn of 2026, are not here yet.
NOT_YET = sorted(name for name in MODEL.operation_names if "Channel" in name or "Queue" in name)
KNOWN = sorted(set(MODEL.operation_names) - set(NOT_YET))


def facts(shape, depth=0):
    """A shape of botocore's as ours are shown: its type, its constraints, and what it holds.

    The order of members is not compared: ours is the one in which the service tells faults, which no model says.
    """
    kind, metadata = shape.type_name, shape.metadata
    if kind == "structure":
        if depth > 6:
            return kind
        members = {}
        for name, member in shape.members.items():
            if (
                member.metadata.get("exception")
                or getattr(member, "eventstream", False)
                or member.metadata.get("eventstream")
            ):
                continue
            members[name] = (name in shape.required_members, facts(member, depth + 1))
        return (kind, members)
    bounds = (metadata.get("min"), metadata.get("max"))
    if kind == "list":
        return (kind, bounds, facts(shape.member, depth + 1))
    if kind == "map":
        return (kind, bounds, facts(shape.key, depth + 1), facts(shape.value, depth + 1))
    if kind == "string":
        return (kind, bounds, plain(metadata.get("pattern")), sorted(shape.enum))
    return (kind, bounds) if kind in {"integer", "long", "blob"} else (kind,)


def plain(pattern):
    """A pattern without the anchors that the model's newer form adds."""
    if pattern is None:
        return None
    pattern = pattern.replace("\\/", "/")
    alternatives = re.fullmatch(r"\^\((0\|.*)\)\$", pattern)
    return alternatives[1] if alternatives else pattern.removeprefix("^")


def test_operations_when_of_the_model_then_known_or_not_yet():
    assert sorted(_core.Kinesis.operations()) == KNOWN
    assert sorted(_core.Kinesis.operations_not_yet()) == NOT_YET
    assert (len(KNOWN), len(NOT_YET)) == (40, 17)


@pytest.mark.parametrize("name", KNOWN)
def test_operation_when_walked_then_has_every_member_constraint_and_error(name):
    operation = MODEL.operation_model(name)
    ours = _core.Kinesis.model(name)
    for side, shape in (("input", operation.input_shape), ("output", operation.output_shape)):
        is_stream = side == "output" and operation.has_event_stream_output
        wanted = ("structure", {}) if shape is None or is_stream else facts(shape)
        assert ours[side] == wanted, side
    if operation.has_event_stream_output:
        events = operation.get_event_stream_output().members
        assert ours["event"] == facts(events["SubscribeToShardEvent"])
    assert sorted(ours["errors"]) == sorted(error.name for error in operation.error_shapes)
