"""The state machine: it lets a right consumer pass, and finds what is wrong with others."""

import re
import subprocess
import sys

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

import shardstream as ss
from shardstream.testing.machine import ConsumerMachine

# The same lives each time, on each machine.
LIVES = settings(
    max_examples=200,
    stateful_step_count=25,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
)
END = "SHARD_END"
# After these the next round tries again.
PASSING = {
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "InternalFailure",
    "InternalFailureException",
}


class Consumer:
    """Reads shards once their parents are drained, and notes where it is after each record."""

    def __init__(self, client, stream_name, checkpoints):
        self.client = client
        self.stream_name = stream_name
        self.checkpoints = checkpoints
        self.iterators = {}

    def poll(self):
        try:
            for shard_id in self.ready():
                yield from self.read(shard_id)
        except self.client.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ExpiredIteratorException":
                self.expired()
            elif code not in PASSING:
                raise

    def ready(self):
        """The shards that are not drained, and whose parents are."""
        shards = {shard["ShardId"]: shard for shard in self.client.list_shards(StreamName=self.stream_name)["Shards"]}
        drained = {shard_id for shard_id in shards if self.checkpoints.get(shard_id) == END}
        for shard_id, shard in shards.items():
            parents = {shard.get("ParentShardId"), shard.get("AdjacentParentShardId")} & set(shards)
            if shard_id not in drained and parents <= drained:
                yield shard_id

    def read(self, shard_id):
        if shard_id not in self.iterators:
            self.iterators[shard_id] = self.iterator(shard_id)
        page = self.client.get_records(ShardIterator=self.iterators[shard_id], Limit=2)
        yield from self.process(shard_id, page["Records"])
        self.iterators[shard_id] = page.get("NextShardIterator")
        if self.is_end(page):
            self.checkpoints[shard_id] = END

    def process(self, shard_id, records):
        for record in records:
            yield record
            self.checkpoints[shard_id] = record["SequenceNumber"]

    def is_end(self, page):
        return page.get("NextShardIterator") is None

    def iterator(self, shard_id):
        where = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard_id in self.checkpoints:
            after = self.checkpoints[shard_id]
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
        answer = self.client.get_shard_iterator(StreamName=self.stream_name, ShardId=shard_id, **where)
        return answer["ShardIterator"]

    def expired(self):
        self.iterators.clear()


class StartsChildrenAtOnce(Consumer):
    def ready(self):
        for shard in self.client.list_shards(StreamName=self.stream_name)["Shards"]:
            if self.checkpoints.get(shard["ShardId"]) != END:
                yield shard["ShardId"]


class NotesItsPlaceFirst(Consumer):
    def process(self, shard_id, records):
        if records:
            self.checkpoints[shard_id] = records[-1]["SequenceNumber"]
        yield from records


class TakesAnEmptyPageForTheEnd(Consumer):
    def is_end(self, page):
        return not page["Records"] or super().is_end(page)


class GoesOnAtTheLatest(Consumer):
    lost_its_place = False

    def iterator(self, shard_id):
        if not self.lost_its_place:
            return super().iterator(shard_id)
        return self.client.get_shard_iterator(
            StreamName=self.stream_name, ShardId=shard_id, ShardIteratorType="LATEST"
        )["ShardIterator"]

    def expired(self):
        super().expired()
        self.lost_its_place = True


class EndsWithAnError(Consumer):
    """As it should be, but for errors of the service, which it does not expect."""

    def poll(self):
        for shard_id in self.ready():
            yield from self.read(shard_id)


class Faults:
    """What goes wrong with the calls of a client."""

    def __init__(self, client):
        self.client = client
        self.handed_out = set()
        self.happened = set()
        self.clear()

    def clear(self):
        self.failures, self.expired, self.empty, self.twice = [], set(), 0, False

    def throttle(self, *, op, times):
        self.failures += [(op, "ProvisionedThroughputExceededException")] * times

    def internal_failure(self, *, op, times):
        self.failures += [(op, "InternalFailureException")] * times

    def expire_iterators(self):
        self.expired |= self.handed_out

    def empty_pages(self, pages):
        self.empty += pages

    def duplicate_delivery(self, *, rate):
        self.twice = rate > 0

    @property
    def exceptions(self):
        return self.client.exceptions

    def list_shards(self, **parameters):
        self.may_fail("ListShards")
        return self.client.list_shards(**parameters)

    def get_shard_iterator(self, **parameters):
        self.may_fail("GetShardIterator")
        answer = self.client.get_shard_iterator(**parameters)
        self.handed_out.add(answer["ShardIterator"])
        return answer

    def get_records(self, **parameters):
        self.may_fail("GetRecords")
        iterator = parameters["ShardIterator"]
        if iterator in self.expired:
            self.refuse("GetRecords", "ExpiredIteratorException")
        if self.empty:
            self.empty -= 1
            self.happened.add("empty")
            return {"Records": [], "NextShardIterator": iterator}
        page = self.client.get_records(**parameters)
        self.handed_out.add(page.get("NextShardIterator"))
        if self.twice and page["Records"]:
            self.happened.add("twice")
            page["Records"] *= 2
        return page

    def may_fail(self, op):
        failure = next((each for each in self.failures if each[0] == op), None)
        if failure is not None:
            self.failures.remove(failure)
            self.refuse(*failure)

    def refuse(self, op, code):
        self.happened.add(code)
        raise self.exceptions.of((code, "on purpose", 400), op)


def machine_of(consumer, **attributes):
    class Machine(ConsumerMachine):
        faults_allowed = False

        def start(self, client, stream_name):
            return consumer(client, stream_name, self.checkpoints)

        def poll(self, consumer):
            return consumer.poll()

    for name, value in attributes.items():
        setattr(Machine, name, value)
    return Machine


def machine_with_faults(consumer, happened):
    class Machine(machine_of(consumer)):
        def start(self, client, stream_name):
            if self.faults is None:
                self.faults = Faults(client)
            return super().start(self.faults, stream_name)

        def teardown(self):
            super().teardown()
            happened.update(self.faults.happened)

    return Machine


def test_machine_when_the_consumer_is_right_then_passes():
    run_state_machine_as_test(machine_of(Consumer), settings=LIVES)


@pytest.mark.parametrize(
    ("consumer", "message", "step"),
    [
        (StartsChildrenAtOnce, "out of order", r"state\.(split_shard|merge_shards)\("),
        (NotesItsPlaceFirst, "lost", r"state\.crash\(processed=0\)"),
        (TakesAnEmptyPageForTheEnd, "lost", r"state\.poll_once\(\)"),
        (GoesOnAtTheLatest, "lost", r"state\.wait\(seconds=301\)"),
    ],
)
def test_machine_when_the_consumer_is_wrong_then_finds_it_and_tells_key_shard_sequence_and_steps(
    consumer, message, step
):
    with pytest.raises(AssertionError, match=message) as failure:
        run_state_machine_as_test(machine_of(consumer), settings=LIVES)
    assert re.search(r"key '\w'  shard shardId-\d{12}  sequence 49\d{54}  b'\d'", str(failure.value))
    steps = "\n".join(failure.value.__notes__)
    assert re.search(step, steps)
    assert steps.count("state.") <= 12


def test_machine_when_there_are_faults_then_the_right_consumer_passes_and_each_of_them_happened():
    happened = set()
    run_state_machine_as_test(machine_with_faults(Consumer, happened), settings=LIVES)
    assert happened == {
        "ProvisionedThroughputExceededException",
        "InternalFailureException",
        "ExpiredIteratorException",
        "empty",
        "twice",
    }


def test_machine_when_the_consumer_expects_no_faults_then_its_own_error_comes_out():
    machine = machine_with_faults(EndsWithAnError, set())
    with pytest.raises(Exception, match="on purpose") as failure:
        run_state_machine_as_test(machine, settings=LIVES)
    assert failure.value.response["Error"]["Code"] in PASSING


def test_machine_when_disturbed_then_says_how():
    def loses_when_failed(self, consumer):
        self.checkpoints.update({shard.shard_id: END for shard in self.stream.shards() if self.faults.happened})
        return consumer.poll()

    machine = machine_with_faults(Consumer, set())
    machine.poll = loses_when_failed
    with pytest.raises(AssertionError, match="lost") as failure:
        run_state_machine_as_test(machine, settings=LIVES)
    assert re.search(r"state\.disturb\(by=\w+\(.*\)\)", "\n".join(failure.value.__notes__))


def test_machine_when_the_engine_has_faults_then_the_right_consumer_passes():
    run_state_machine_as_test(machine_of(Consumer, faults_allowed=True), settings=LIVES)


def test_machine_when_faults_are_not_allowed_then_there_are_none():
    assert machine_of(Consumer)().faults is None


class HandsOutLists(Consumer):
    def poll(self):
        return list(super().poll())


def test_machine_when_rounds_are_lists_then_passes_and_all_of_a_round_counts():
    machine = machine_of(HandsOutLists)()
    machine.put(["a", "a"])
    machine.crash(processed=1)
    assert [record["Data"] for record in machine.received] == [b"0", b"1"]
    run_state_machine_as_test(machine_of(HandsOutLists), settings=settings(LIVES, max_examples=30))


@pytest.mark.parametrize(
    ("consumer", "message"),
    [
        (StartsChildrenAtOnce, r"key '\w+'  shard shardId-\d{12}  sequence 49\d{54}  b'\d+'\n"),
        (NotesItsPlaceFirst, "lost"),
    ],
)
def test_machine_when_rounds_are_data_alone_then_finds_what_is_wrong_too(consumer, message):
    class HandsOutData(machine_of(consumer)):
        def poll(self, consumer):
            return (record["Data"] for record in consumer.poll())

    with pytest.raises(AssertionError, match=message):
        run_state_machine_as_test(HandsOutData, settings=LIVES)


def test_crash_when_in_a_round_then_what_was_being_processed_comes_again():
    machine = machine_of(Consumer)()
    machine.put(["a", "a"])
    machine.crash(processed=1)
    assert [record["Data"] for record in machine.received] == [b"0"]
    machine.poll_once()
    assert [record["Data"] for record in machine.received] == [b"0", b"1"]
    machine.teardown()


def test_crash_when_in_a_round_then_the_consumer_cannot_tidy_up():
    class TidiesUp(Consumer):
        def poll(self):
            try:
                yield from super().poll()
            finally:
                self.checkpoints["tidied"] = True

    machine = machine_of(TidiesUp)()
    machine.put(["a"])
    machine.crash(processed=0)
    assert "tidied" not in machine.checkpoints
    machine.poll_once()
    assert "tidied" in machine.checkpoints


def test_crash_when_between_rounds_then_another_consumer_has_the_checkpoints():
    machine = machine_of(Consumer)()
    machine.put(["a"])
    machine.poll_once()
    before = machine.consumer
    machine.crash(processed=None)
    assert machine.consumer is not before
    assert list(before.iterators)
    assert machine.consumer.iterators == {}
    assert list(machine.checkpoints) == [machine.sent[0]["ShardId"]]


def test_teardown_when_many_shards_closed_without_records_then_the_last_of_them_is_read():
    machine = machine_of(Consumer, shards=1)()
    for _ in range(40):
        machine.split_shard(0)
        machine.merge_shards(0)
    machine.put(["a"])
    machine.teardown()
    assert [record["Data"] for record in machine.received] == [b"0"]


def test_teardown_when_the_consumer_hands_out_what_was_not_put_then_says_so():
    class MakesUp(Consumer):
        def poll(self):
            yield {"Data": b"made up", "PartitionKey": "a", "SequenceNumber": "7"}

    with pytest.raises(AssertionError, match="sequence 7  b'made up'"):
        machine_of(MakesUp)().teardown()


def test_machine_when_poll_fails_then_the_error_is_not_hidden_by_what_was_lost():
    class Fails(Consumer):
        def poll(self):
            message = "no poll"
            raise RuntimeError(message)

    machine = machine_of(Fails)()
    machine.put(["a"])
    with pytest.raises(RuntimeError, match="no poll"):
        machine.poll_once()
    machine.teardown()
    assert machine.engine.closed


def test_machine_when_poll_returns_nothing_then_says_what_it_should():
    machine = machine_of(Consumer, poll=lambda self, consumer: None)()
    with pytest.raises(TypeError, match=r"Machine\.poll: returns the records that were processed, not None"):
        machine.poll_once()


def test_machine_when_start_or_poll_is_missing_then_says_which():
    with pytest.raises(NotImplementedError, match=r"ConsumerMachine\.start"):
        ConsumerMachine()
    machine = type("Half", (ConsumerMachine,), {"start": lambda self, client, stream_name: None})()
    with pytest.raises(NotImplementedError, match=r"Half\.poll\(consumer\)"):
        machine.poll_once()


def test_machine_when_subclassed_then_its_settings_hold():
    machine = machine_of(Consumer, shards=3, keys=st.just("only"))
    with pytest.raises(AssertionError, match="key 'only'"):
        run_state_machine_as_test(machine_of(NotesItsPlaceFirst, keys=st.just("only")), settings=LIVES)
    assert len(machine().stream.shards()) == 3


def test_machine_when_shards_are_bounded_then_no_more_are_open():
    most = []

    class Watched(machine_of(Consumer, shards=2, max_shards=3)):
        def poll(self, consumer):
            most.append(sum(shard.is_open for shard in self.stream.shards()))
            return super().poll(consumer)

    run_state_machine_as_test(Watched, settings=settings(LIVES, max_examples=30))
    assert max(most) == 3


def test_exceptions_when_of_clients_of_two_engines_then_are_the_same_classes():
    # Hypothesis tells failures apart by their classes; each life has an engine of its own.
    client, another = (ss.Engine(clock=ss.ManualClock()).client("kinesis") for _ in range(2))
    with pytest.raises(another.exceptions.ResourceNotFoundException):
        client.describe_stream(StreamName="views")


def test_import_when_hypothesis_is_missing_then_says_what_to_install():
    program = "import sys; sys.modules['hypothesis'] = None; import shardstream.testing.machine"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert said.stderr.splitlines()[-1] == (
        "ImportError: shardstream.testing.machine needs hypothesis: pip install hypothesis"
    )
