"""A program that writes to a folder and is killed at it, again and again.

`store_writer.py FOLDER` has a child for each line "ROUND SECONDS SINCE" that it reads: the child opens the folder,
which is at the hour of its round, and writes until it is killed so many seconds after it was started or has opened the
folder, as SINCE says. What it is about to send and what was acknowledged is told in a line of JSON each; "killed" ends
the round.
"""

import json
import os
import random
import signal
import sys
import threading
import time

import pyarrow as pa

import shardstream as ss
import shardstream.engine
from shardstream import errors

# So little that there are seals and checkpoints within every few records.
SEAL_BYTES = 2048
OPEN_SHARDS_MAX = 5
MINUTES = 50
LANES = 2


def tell(**line):
    # At once and in one piece: two threads tell, and nothing may be on its way when the process is killed.
    os.write(1, json.dumps(line).encode() + b"\n")


class Lane:
    """A thread that sends numbers that count up."""

    def __init__(self, stream, turn, lane):
        self.stream, self.turn, self.lane = stream, turn, lane
        self.random = random.Random(1_000 * turn + lane)
        self.sent = 0

    def rows(self, count):
        """The next rows, which are told before anybody else sees them."""
        numbers = range(self.sent, self.sent + count)
        self.sent += count
        tell(lane=self.lane, sent=self.sent)
        return [
            {
                "user": f"user-{self.random.randrange(20)}",
                "turn": self.turn,
                "lane": self.lane,
                "n": n,
                "pad": self.pad(),
            }
            for n in numbers
        ]

    def pad(self):
        return "x" * self.random.choice([0, 10, 100, 300])

    def acknowledged(self, numbers):
        tell(lane=self.lane, acknowledged=[self.sent, numbers])

    def put(self):
        (row,) = self.rows(1)
        self.acknowledged([self.stream.put(json.dumps(row).encode(), key=row["user"]).sequence_number])

    def put_many(self):
        rows = self.rows(self.random.randint(2, 12))
        results = self.stream.put_many([(json.dumps(row).encode(), row["user"]) for row in rows])
        self.acknowledged([result.sequence_number for result in results])

    def write(self):
        rows = self.rows(self.random.choice([1, 5, 60]))
        self.stream.write(pa.Table.from_pylist(rows), key="user")
        self.acknowledged(None)

    def run(self):
        while True:
            self.random.choices([self.put, self.put_many, self.write], [4, 2, 1])[0]()
            if self.random.random() < 0.05:
                self.stream.seal()
            if self.lane == 0 and self.random.random() < 0.1:
                reshard(self.stream, self.random)


def reshard(stream, chance):
    opened = sorted((shard.starting_hash_key, shard.shard_id) for shard in stream.shards() if shard.is_open)
    if len(opened) < OPEN_SHARDS_MAX:
        stream.split_shard(chance.choice(opened)[1])
    else:
        place = chance.randrange(len(opened) - 1)
        stream.merge_shards(opened[place][1], opened[place + 1][1])
    tell(shards=[shard.shard_id for shard in stream.shards() if shard.is_open])


def come_and_go(engine, chance):
    """Makes and deletes a stream."""
    while True:
        is_there = "extra" in engine.list_streams()
        tell(extra="changes")
        if is_there:
            engine.delete_stream("extra")
        else:
            engine.create_stream("extra", shards=1).put_many([(b"extra", "user-1")] * chance.randint(1, 50))
        tell(extra="gone" if is_there else "there")
        time.sleep(0.01)


def live(folder, turn, is_open):
    chance = random.Random(turn)
    shardstream.engine._SEAL_BYTES = SEAL_BYTES
    clock = ss.ManualClock()
    clock.advance(f"{MINUTES * turn}m")
    compression = chance.choice([None, "lz4", "zstd"])
    engine = ss.Engine(folder, clock=clock, compression=compression)
    try:
        stream = engine.stream("clicks")
    except errors.ResourceNotFoundException:
        stream = engine.create_stream("clicks", shards=2)
    tell(opened=True)
    os.close(is_open)
    threads = [threading.Thread(target=Lane(stream, turn, lane).run) for lane in range(LANES)]
    threads.append(threading.Thread(target=come_and_go, args=(engine, chance)))
    for thread in threads:
        thread.start()


def main(folder):
    for line in sys.stdin:
        turn, seconds, since = line.split()
        opened, is_open = os.pipe()
        pid = os.fork()
        if pid == 0:
            live(folder, int(turn), is_open)
            return
        os.close(is_open)
        if since == "opened":
            assert os.read(opened, 1) == b""
        os.close(opened)
        time.sleep(float(seconds))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        os.write(1, json.dumps({"killed": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None}).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
