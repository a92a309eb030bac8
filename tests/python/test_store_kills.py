"""A writer killed at any instant: what it acknowledged is there, in order, once, and nothing else."""

import json
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import shardstream as ss

ROUNDS = 220
PROGRAM = Path(__file__).with_name("store_writer.py")
MINUTES = 50
LANES = 2
# Records are kept for a day: those of so many rounds.
KEPT = 24 * 60 // MINUTES
RING = 2**128


class Killed:
    """A writer that is started and killed, and all that it told."""

    def __init__(self, folder):
        command = [sys.executable, str(PROGRAM), str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.opened = 0
        self.sent, self.acknowledged, self.numbers = {}, {}, {}
        self.shards = {}
        self.extra = {False}

    def round(self, turn, seconds, look):
        """One life of the writer; what `look` does, it does all the time."""
        # Every other life is long enough to open the folder, however slow the machine.
        since = ["start", "opened"][turn % 2]
        self.process.stdin.write(f"{turn} {seconds} {since}\n")
        self.process.stdin.flush()
        listener = threading.Thread(target=self.listen, args=(turn,))
        listener.start()
        while listener.is_alive():
            look()
        listener.join()

    def listen(self, turn):
        for line in self.process.stdout:
            told = json.loads(line)
            if "killed" in told:
                assert told["killed"] == 9
                return
            self.take(turn, told)

    def take(self, turn, told):
        lane = turn, told.get("lane")
        if "sent" in told:
            self.sent[lane] = told["sent"]
        elif "acknowledged" in told:
            count, numbers = told["acknowledged"]
            if numbers is not None:
                first = count - len(numbers)
                self.numbers.update({(*lane, first + place): number for place, number in enumerate(numbers)})
            self.acknowledged[lane] = count
        elif "shards" in told:
            self.shards[turn] = told["shards"]
        elif "extra" in told:
            self.extra = {False, True} if told["extra"] == "changes" else {told["extra"] == "there"}
        else:
            self.opened += 1

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=30) == 0
        self.process.stdout.close()


def read(stream, position):
    """What each record says it is, and its sequence number."""
    found = []
    for record in stream.read(position):
        row = json.loads(record.data)
        assert set(row["pad"]) <= {"x"}
        assert record.partition_key == row["user"]
        found.append(((row["turn"], row["lane"], row["n"]), record.sequence_number))
    return found


class Reader:
    """A reader that follows all the time."""

    def __init__(self, folder, clock):
        self.engine = ss.Engine(folder, clock=clock, read_only=True)
        self.seen = []

    def look(self):
        if "clicks" in self.engine.list_streams():
            position = ("AFTER_SEQUENCE_NUMBER", self.seen[-1][1]) if self.seen else "TRIM_HORIZON"
            self.seen += read(self.engine.stream("clicks"), position)


def check_whole(killed, known, turn):
    """Every record of a round that was acknowledged is known, in order, once, and none that was not sent."""
    for lane in range(LANES):
        numbers = [name[2] for name, _ in known if name[:2] == (turn, lane)]
        assert numbers == list(range(len(numbers)))
        assert killed.acknowledged.get((turn, lane), 0) <= len(numbers) <= killed.sent.get((turn, lane), 0)
    for name, number in known:
        if name[0] == turn and name in killed.numbers:
            assert killed.numbers[name] == number


def check_shards(killed, stream, turn):
    shards = stream.shards()
    assert set(killed.shards.get(turn, [])) <= {shard.shard_id for shard in shards}
    opened = sorted((shard.starting_hash_key, shard.ending_hash_key) for shard in shards if shard.is_open)
    assert opened[0][0] == 0
    assert [start - 1 for start, _ in opened[1:]] + [RING - 1] == [end for _, end in opened]


def check_folder(folder, clock, killed, known, turn):
    """Opened to be written, the folder holds what is known and perhaps what was sent last; answers all of it."""
    with ss.Engine(folder, clock=clock) as engine:
        stream = engine.stream("clicks")
        kept = read(stream, "TRIM_HORIZON")
        assert len(stream) == len(kept)
        assert ("extra" in engine.list_streams()) in killed.extra
        check_shards(killed, stream, turn)
    oldest = next((place for place, (name, _) in enumerate(known) if turn - KEPT <= name[0]), len(known))
    assert kept[: len(known) - oldest] == known[oldest:]
    return known[:oldest] + kept


@pytest.mark.timeout(120)
def test_writer_when_killed_hundreds_of_times_then_all_it_acknowledged_is_there_in_order_once(tmp_path):
    folder, clock, chance = tmp_path / "events", ss.ManualClock(), random.Random(7)
    with ss.Engine(folder, clock=clock) as engine:
        engine.create_stream("clicks", shards=2)
    killed, reader, known = Killed(folder), Reader(folder, clock), []
    for turn in range(ROUNDS):
        killed.round(turn, chance.uniform(0, 0.1), reader.look)
        reader.look()
        check_whole(killed, reader.seen, turn)
        if turn % 4 == 3:
            known = check_folder(folder, clock, killed, reader.seen, turn)
            for each in range(turn - 3, turn + 1):
                check_whole(killed, known, each)
            reader.look()
            assert reader.seen == known
        clock.advance(f"{MINUTES}m")
    killed.close()
    reader.engine.close()
    assert killed.opened >= ROUNDS // 2
    assert sum(killed.acknowledged.values()) > ROUNDS
