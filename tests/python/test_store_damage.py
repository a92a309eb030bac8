"""Damage: it is found, named by file and offset, and mended without losing the rest; and disks that are full."""

import re
import shutil
import subprocess
import sys

import pytest

import shardstream as ss
from shardstream import errors
from shardstream.cli import main

SHARDS = ["shardId-000000000000", "shardId-000000000001"]


def flip(path, offset, bit=0):
    content = bytearray(path.read_bytes())
    content[offset] ^= 1 << bit
    path.write_bytes(content)


def contents(folder):
    """All files of a folder but the lock, which whoever looks takes."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "@lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def data_of(records):
    return [record.data for record in records]


@pytest.fixture
def sealed(tmp_path):
    """A folder of a stream with two segments in each of two shards, closed; and the records."""
    folder = tmp_path / "events"
    with ss.Engine(folder) as engine:
        clicks = engine.create_stream("clicks", shards=2)
        for turn in range(2):
            clicks.put_many([(b"record %d.%d " % (turn, i) * 20, f"user-{i}") for i in range(100)])
            clicks.seal()
        records = [(record.shard_id, record.data) for record in clicks.read()]
    assert len(list(folder.glob("clicks/*/*.arrow"))) == 4
    return folder, records


@pytest.fixture
def unsealed(tmp_path):
    """A folder whose records are in the journal alone, left by a writer that never closed it; and the records."""
    with ss.Engine(tmp_path / "live") as engine:
        clicks = engine.create_stream("clicks", shards=2)
        records = [b"record %d " % i * 20 for i in range(100)]
        for i, data in enumerate(records):
            clicks.put(data, key=f"user-{i}")
        shutil.copytree(tmp_path / "live", tmp_path / "events")
    return tmp_path / "events", records


def segments(folder, shard):
    return sorted(folder.glob(f"clicks/{shard}/*.arrow"))


def journal(folder):
    (path,) = folder.glob("@journal/*.log")
    return path


def checked(folder, capsys):
    """What `repair --check` says; it changes nothing."""
    before = contents(folder)
    status = main(["repair", "--check", str(folder)])
    assert contents(folder) == before
    return status, capsys.readouterr().out.splitlines()


def repaired(folder, capsys):
    """What `repair` says; afterwards nothing is wrong any more."""
    status = main(["repair", str(folder)])
    said = capsys.readouterr().out.splitlines()
    assert checked(folder, capsys) == (0, [f"{folder}: nothing is wrong"])
    return status, said


def test_repair_when_nothing_is_wrong_then_says_so_and_changes_nothing(sealed, capsys):
    folder, _ = sealed
    before = contents(folder)
    for arguments in (["--check", str(folder)], [str(folder)]):
        assert main(["repair", *arguments]) == 0
        assert capsys.readouterr().out == f"{folder}: nothing is wrong\n"
        assert contents(folder) == before


def test_repair_when_the_folder_was_not_closed_then_nothing_is_wrong_and_nothing_is_lost(unsealed, capsys):
    folder, records = unsealed
    assert checked(folder, capsys)[0] == 0
    assert main(["repair", str(folder)]) == 0
    with ss.Engine(folder) as engine:
        assert data_of(engine.stream("clicks").read()) == records


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_segment_when_a_bit_is_flipped_then_reading_it_names_file_and_offset(place, sealed):
    folder, records = sealed
    path = segments(folder, SHARDS[1])[0]
    offset = int(path.stat().st_size * place)
    flip(path, offset)
    with ss.Engine(folder) as engine:
        clicks = engine.stream("clicks")
        with pytest.raises(errors.StoreDamagedError) as found:
            data_of(clicks.read())
        named = re.search(r"(clicks/\S+) is damaged at byte (\d+): .*`shardstream repair`", str(found.value))
        assert named[1] == str(path.relative_to(folder))
        assert 0 <= int(named[2]) <= offset
        # The other shard is read as if nothing were.
        read = clicks.read(shard_id=SHARDS[0])
        assert data_of(read) == [data for shard, data in records if shard == SHARDS[0]]
        clicks.put(b"goes on", key="user-1")


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_repair_when_a_segment_has_a_flipped_bit_then_keeps_all_other_segments(place, sealed, capsys):
    folder, records = sealed
    path = segments(folder, SHARDS[1])[0]
    flip(path, int(path.stat().st_size * place))
    status, said = checked(folder, capsys)
    assert status == 1
    assert said[0].startswith(f"{path.relative_to(folder)} at byte ")
    assert said[-1] == f"{folder}: damage in {places(said)} found"
    status, mended = repaired(folder, capsys)
    assert (status, mended[:-1]) == (1, said[:-1])
    assert mended[-1] == f"{folder}: damage in {places(said)} mended; what could not be read is dropped"
    with ss.Engine(folder) as engine:
        kept = [(record.shard_id, record.data) for record in engine.stream("clicks").read()]
        assert kept == [record for record in records if record in kept]
        whole = [record for record in records if record[0] == SHARDS[0] or record[1].startswith(b"record 1.")]
        assert set(whole) <= set(kept)
        engine.stream("clicks").put(b"goes on", key="user-1")


def places(said):
    count = len(said) - 1
    return "1 place" if count == 1 else f"{count} places"


def test_repair_when_a_batch_is_damaged_then_says_how_many_records_are_lost(sealed, capsys):
    folder, records = sealed
    path = segments(folder, SHARDS[1])[0]
    lost = [data for shard, data in records if shard == SHARDS[1] and data.startswith(b"record 0.")]
    content = path.read_bytes()
    flip(path, content.index(lost[3]))
    status, said = checked(folder, capsys)
    assert status == 1
    assert f"{len(lost)} records are lost" in said[0]
    repaired(folder, capsys)
    with ss.Engine(folder) as engine:
        assert data_of(engine.stream("clicks").read()) == [data for _, data in records if data not in lost]


@pytest.mark.parametrize("harm", ["missing", "truncated", "empty"])
def test_segment_when_it_is_not_whole_then_is_named_and_repair_keeps_the_rest(harm, sealed, capsys):
    folder, records = sealed
    path = segments(folder, SHARDS[1])[0]
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: 1_000 if harm == "truncated" else 0])
    name = str(path.relative_to(folder))
    with ss.Engine(folder) as engine, pytest.raises(errors.StoreError, match=re.escape(name)):
        data_of(engine.stream("clicks").read())
    status, said = checked(folder, capsys)
    assert (status, len(said)) == (1, 2)
    assert said[0].startswith(name)
    assert "records are lost" in said[0]
    assert repaired(folder, capsys)[0] == 1
    with ss.Engine(folder) as engine:
        kept = [data for shard, data in records if shard == SHARDS[0] or data.startswith(b"record 1.")]
        assert data_of(engine.stream("clicks").read()) == kept
        assert len(engine.stream("clicks")) == len(kept)


def test_journal_when_a_bit_is_flipped_then_opening_names_file_and_offset_and_repair_keeps_the_rest(unsealed, capsys):
    folder, records = unsealed
    path = journal(folder)
    offset = path.read_bytes().index(records[50])
    flip(path, offset)
    with pytest.raises(errors.StoreDamagedError) as found:
        ss.Engine(folder)
    named = re.search(r"(@journal/\S+) is damaged at byte (\d+): ", str(found.value))
    assert named[1] == str(path.relative_to(folder))
    assert offset - 200 < int(named[2]) <= offset
    status, said = checked(folder, capsys)
    assert (status, len(said)) == (1, 2)
    assert said[0].startswith(f"{named[1]} at byte {named[2]}: ")
    status, mended = repaired(folder, capsys)
    assert (status, mended[0]) == (1, said[0])
    with ss.Engine(folder) as engine:
        clicks = engine.stream("clicks")
        assert data_of(clicks.read()) == records[:50] + records[51:]
        last = clicks.read()[-1].sequence_number
        clicks.put(b"goes on", key="user-1")
        assert data_of(clicks.read(last)) == [records[-1], b"goes on"]


def test_repair_when_the_journal_lost_something_then_new_numbers_begin_behind_what_it_may_have_been(unsealed, capsys):
    folder, records = unsealed
    flip(journal(folder), journal(folder).read_bytes().index(records[50]))
    repaired(folder, capsys)
    numbers = []
    for engine in [ss.Engine(), ss.Engine(folder)]:
        with engine:
            stream = engine.create_stream("views", shards=1)
            stream.put(b"", key="user-1")
            numbers.append(stream.read().to_numpy("sequence_index")[0])
    assert numbers[1] == numbers[0] + 2**40


def test_journal_when_its_end_is_torn_then_opens_without_what_was_never_whole(unsealed):
    folder, records = unsealed
    path = journal(folder)
    content = path.read_bytes()
    torn = content.index(records[-1]) + 10
    path.write_bytes(content[:torn] + bytes(len(content) - torn))
    with ss.Engine(folder) as engine:
        assert data_of(engine.stream("clicks").read()) == records[:-1]


@pytest.mark.parametrize("harm", ["flipped", "truncated", "missing"])
def test_checkpoint_when_damaged_then_opening_names_it_and_repair_takes_its_copy(harm, sealed, capsys):
    folder, records = sealed
    path = folder / "@checkpoint"
    if harm == "flipped":
        flip(path, 300)
    elif harm == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    else:
        path.unlink()
    with pytest.raises(errors.StoreDamagedError, match="@checkpoint is damaged at byte"):
        ss.Engine(folder)
    status, said = checked(folder, capsys)
    assert (status, len(said)) == (1, 2)
    assert said[0].startswith("@checkpoint at byte 0: ")
    assert "nothing is lost" in said[0]
    assert repaired(folder, capsys)[0] == 1
    with ss.Engine(folder) as engine:
        assert [(record.shard_id, record.data) for record in engine.stream("clicks").read()] == records


def test_repair_when_both_checkpoints_are_damaged_then_refuses_by_name(sealed, capsys):
    folder, _ = sealed
    flip(folder / "@checkpoint", 300)
    flip(folder / "@checkpoint.copy", 300)
    assert main(["repair", str(folder)]) == 2
    assert "@checkpoint" in capsys.readouterr().err


def test_repair_when_the_folder_is_written_then_refuses(sealed, capsys):
    folder, _ = sealed
    with ss.Engine(folder):
        assert main(["repair", str(folder)]) == 2
        assert "is written by process" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--check"], []])
def test_repair_when_there_is_no_folder_then_says_so_and_makes_none(arguments, tmp_path, capsys):
    assert main(["repair", *arguments, str(tmp_path / "nowhere")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("shardstream: ")
    assert "nowhere" in said
    assert list(tmp_path.iterdir()) == []


def test_checkpoint_of_a_newer_format_when_opened_then_is_refused_by_name(sealed, capsys):
    folder, _ = sealed
    for name in ("@checkpoint", "@checkpoint.copy"):
        content = (folder / name).read_bytes()
        assert content.startswith(b"shardstream checkpoint 1 ")
        (folder / name).write_bytes(content.replace(b"checkpoint 1 ", b"checkpoint 2 ", 1))
    before = contents(folder)
    for options in ({}, {"read_only": True}):
        with pytest.raises(errors.StoreVersionError, match=r"@checkpoint has format version 2; .* up to version 1"):
            ss.Engine(folder, **options)
    for arguments in (["--check"], []):
        assert main(["repair", *arguments, str(folder)]) == 2
        assert "use a newer shardstream" in capsys.readouterr().err
    assert contents(folder) == before


def crc64_nvme(content):
    """The checksum of journals, bit by bit."""
    checksum = 2**64 - 1
    for byte in content:
        checksum ^= byte
        for _ in range(8):
            checksum = checksum >> 1 ^ (0x9A6C9329AC4BC9B5 if checksum & 1 else 0)
    return checksum ^ (2**64 - 1)


def test_journal_of_a_newer_format_when_opened_then_is_refused_by_name(unsealed, capsys):
    folder, _ = unsealed
    path = journal(folder)
    content = path.read_bytes()
    assert crc64_nvme(content[:36]) == int.from_bytes(content[36:44], "little")
    head = content[:8] + (2).to_bytes(4, "little") + content[12:36]
    path.write_bytes(head + crc64_nvme(head).to_bytes(8, "little") + content[44:])
    for options in ({}, {"read_only": True}):
        with pytest.raises(errors.StoreVersionError, match=rf"@journal/{path.name} has format version 2"):
            ss.Engine(folder, **options)
    assert main(["repair", str(folder)]) == 2
    assert "use a newer shardstream" in capsys.readouterr().err


def test_folder_when_other_files_are_in_it_then_they_stay(tmp_path):
    folder = tmp_path / "events"
    strangers = {"README.md": b"ours", "clicks/notes.txt": b"x", f"clicks/{SHARDS[0]}/other.arrow": b"y", "a/b/c": b"z"}
    for name, content in strangers.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    with ss.Engine(folder) as engine:
        clicks = engine.create_stream("clicks", shards=1)
        clicks.put(b"page", key="user-1")
        clicks.seal()
        shutil.copytree(folder, tmp_path / "copy")
        engine.delete_stream("clicks")
    with ss.Engine(tmp_path / "copy") as engine:
        assert data_of(engine.stream("clicks").read()) == [b"page"]
    for there in (folder, tmp_path / "copy"):
        assert strangers.items() <= contents(there).items()


FULL = """
import resource, signal, sys
import shardstream as ss
from shardstream import errors

# What the operating system says of a file that may not grow; a full disk says it of all files.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
engine = ss.Engine(sys.argv[1])
clicks = engine.create_stream("clicks", shards=1)
stored = [clicks.put(b"before", key="user-1").sequence_number]
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
try:
    for i in range(100):
        stored.append(clicks.put(b"%d" % i * 5_000, key="user-1").sequence_number)
except errors.StoreError as error:
    print(type(error).__name__, error)
else:
    raise SystemExit("the disk was never full")
# Reads go on.
assert [record.sequence_number for record in clicks.read()] == stored
try:
    clicks.put(b"x" * 500_000, key="user-1")
except errors.StoreError as error:
    print(type(error).__name__, error)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
engine.close()
print(len(stored), stored[-1])
"""


def test_disk_when_a_file_cannot_grow_then_puts_are_refused_reads_go_on_and_nothing_stored_is_lost(tmp_path):
    folder = tmp_path / "events"
    command = [sys.executable, "-c", FULL, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, timeout=30)
    *refusals, last = done.stdout.splitlines()
    assert len(refusals) == 2
    assert all(refusal.split()[0] in ("StoreFullError", "StoreError", "StorePoisonedError") for refusal in refusals)
    with ss.Engine(folder) as engine:
        clicks = engine.stream("clicks")
        numbers = [record.sequence_number for record in clicks.read()]
        assert f"{len(numbers)} {numbers[-1]}" == last
        assert clicks.put(b"there is room again", key="user-1").sequence_number > numbers[-1]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((), {"durability": "interval"}, "are for a path"),
        ((), {"compression": "lz4"}, "are for a path"),
        ((), {"read_only": True}, "are for a path"),
        (("",), {}, "path: a folder like"),
        ((b"events",), {}, "path"),
        ((5,), {}, "path: a folder, not int 5"),
        ((["events"],), {}, "path: a folder, not list"),
        (("events",), {"durability": "always"}, 'durability: "commit", "interval" or "none", not'),
        (("events",), {"durability": None}, 'durability: "commit", "interval" or "none", not None'),
        (("events",), {"compression": "gzip"}, 'compression: "lz4", "zstd" or None, not'),
        (("events",), {"compression": True}, 'compression: "lz4", "zstd" or None, not True'),
        (("events",), {"compression": ["lz4"]}, "compression"),
        (("events",), {"read_only": "yes"}, "read_only: True or False, not 'yes'"),
        (("events",), {"read_only": 1}, "read_only: True or False, not 1"),
        (("events\0",), {}, "events"),
    ],
    ids=str,
)
def test_engine_when_an_option_of_a_folder_is_wrong_then_error_names_it_and_nothing_is_made(
    arguments, options, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.ShardstreamError) as refused:
        ss.Engine(*arguments, **options)
    assert message in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_engine_when_the_path_is_a_file_then_says_so(tmp_path):
    (tmp_path / "events").write_bytes(b"not a folder")
    for path in ("events", "events/within"):
        with pytest.raises(errors.StoreError, match="events"):
            ss.Engine(tmp_path / path)
    assert (tmp_path / "events").read_bytes() == b"not a folder"
