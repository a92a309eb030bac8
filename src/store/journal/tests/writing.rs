//! What is taken in is read again, in order, from however many files, and shared syncs are few.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::thread;

use proptest::prelude::*;

use super::*;

fn durability() -> impl Strategy<Value = Durability> {
    prop_oneof![Just(Durability::Commit), Just(Durability::Interval), Just(Durability::None)]
}

/// A frame, and whether the journal is closed and opened again before it.
fn some_frames() -> impl Strategy<Value = Vec<(Given, bool)>> {
    let body = prop_oneof![
        9 => prop::collection::vec(any::<u8>(), 0..60),
        1 => prop::collection::vec(any::<u8>(), 900..1_100),
    ];
    prop::collection::vec(((any::<u8>(), body), prop::bool::weighted(0.1)), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn frames_are_read_as_they_were_taken_in(
        some in some_frames(),
        durability in durability(),
        file_bytes in 1_u64..2_000,
    ) {
        let disk = Memory::default();
        let options = options(durability, file_bytes);
        let mut journal = created(&disk, options);
        let mut ends = vec![Lsn(0)];
        for ((kind, body), is_reopened) in &some {
            if *is_reopened {
                drop(journal);
                journal = opened(&disk, options);
            }
            ends.push(put(&journal, *kind, body));
        }
        let end = journal.end();
        drop(journal);
        let expected: Vec<Given> = some.iter().map(|(given, _)| given.clone()).collect();
        for disk in [disk.crashed(), disk] {
            let (read, found) = all(&disk).unwrap();
            prop_assert_eq!(found.at, end);
            prop_assert_eq!(given(&read), expected.clone());
            let places: Vec<Lsn> = read.iter().map(|frame| frame.at).collect();
            prop_assert_eq!(&places[..], &ends[..ends.len() - 1]);
            for (place, from) in ends.iter().enumerate() {
                let (read, found) = frames(&disk, *from);
                prop_assert_eq!(found.unwrap().at, end);
                prop_assert_eq!(given(&read), expected[place..].to_vec());
            }
        }
    }
}

#[test]
fn file_that_is_long_is_followed_by_the_next() {
    let disk = Memory::default();
    let journal = created(&disk, options(Durability::Commit, 100));
    for kind in 0..6 {
        put_and_wait(&journal, kind, &[kind; 25]);
    }
    assert_eq!(file::list(&disk).unwrap(), [Lsn(0), Lsn(100), Lsn(200)]);
    let len = |start| disk.bytes(&file::path(Lsn(start))).len() as u64;
    assert_eq!(len(0), file::HEADER_LEN + 100, "room ahead is taken away from a file that ended");
    assert_eq!(journal.len(), len(0) + len(100) + len(200));
}

#[test]
fn new_file_begins_when_it_is_asked_for_unless_the_last_has_no_frames() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    assert_eq!(journal.begin_file().unwrap(), Lsn(0));
    put(&journal, 0, b"one");
    assert_eq!(journal.begin_file().unwrap(), Lsn(28));
    assert_eq!(journal.begin_file().unwrap(), Lsn(28));
    assert_eq!(journal.synced(), Lsn(28));
    for start in [Lsn(0), Lsn(28)] {
        let is_stable = file::has_header(&disk.crashed(), Some(STORE), start);
        assert_eq!(is_stable, Ok(true), "before its first frame");
    }
    put_and_wait(&journal, 1, b"two");
    leave(journal);
    assert_eq!(file::list(&disk).unwrap(), [Lsn(0), Lsn(28)]);
    assert_eq!(given(&all(&disk).unwrap().0), numbered(&[b"one", b"two"]));
}

#[test]
fn frames_wait_in_memory_until_somebody_waits_for_them() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    let end = put(&journal, 0, b"one");
    assert_eq!(all(&disk).unwrap().1.at, Lsn(0));
    journal.wait(end).unwrap();
    assert_eq!(all(&disk).unwrap().1.at, end);
    assert_eq!((journal.end(), journal.synced()), (end, end));
}

#[test]
fn much_that_nobody_waits_for_is_written() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    let syncs = disk.faults.syncs();
    let end = put(&journal, 0, &vec![1; 2 << 20]);
    assert_eq!(all(&disk).unwrap().1.at, end);
    assert_eq!((disk.faults.syncs(), journal.synced()), (syncs, Lsn(0)));
}

#[test]
fn frames_are_written_at_once_unless_they_are_committed() {
    for durability in [Durability::Interval, Durability::None] {
        let disk = Memory::default();
        let journal = created(&disk, durability);
        let end = put_and_wait(&journal, 0, b"one");
        assert_eq!(all(&disk.killed()).unwrap().1.at, end);
    }
}

#[test]
fn frames_become_stable_though_nobody_waits_for_them() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Interval);
    let syncs = disk.faults.syncs();
    for round in 1..=2 {
        put(&journal, 0, b"one");
        disk.faults.wait_for_syncs(syncs + round);
    }
    journal.sync().unwrap();
    assert_eq!(all(&disk.crashed()).unwrap().0.len(), 2);
}

#[test]
fn sync_makes_everything_stable_whatever_was_promised() {
    for durability in [Durability::Commit, Durability::Interval, Durability::None] {
        let disk = Memory::default();
        let journal = created(&disk, durability);
        let end = put(&journal, 0, b"one");
        assert_eq!(journal.sync().unwrap(), end);
        assert_eq!(all(&disk.crashed()).unwrap().1.at, end);
    }
}

#[test]
fn end_of_a_journal_loses_nothing_unless_it_is_abandoned() {
    for durability in [Durability::Commit, Durability::Interval, Durability::None] {
        let disk = Memory::default();
        let journal = created(&disk, durability);
        let end = put(&journal, 0, b"one");
        drop(journal);
        assert_eq!(all(&disk.crashed()).unwrap().1.at, end);
    }
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    put(&journal, 0, b"one");
    journal.abandon();
    drop(journal);
    assert_eq!(all(&disk.killed()).unwrap().1.at, Lsn(0));
}

#[test]
fn those_who_wait_share_a_sync() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    let before = disk.faults.syncs();
    disk.faults.hold_syncs(true);
    let first = put(&journal, 0, b"one of many");
    thread::scope(|threads| {
        let wait = |end| {
            threads.spawn({
                let journal = &journal;
                move || journal.wait(end)
            })
        };
        let first = wait(first);
        disk.faults.wait_for_syncs(before + 1);
        // They come while the first is made stable.
        let others: Vec<_> = (1..9).map(|kind| wait(put(&journal, kind, b"one of many"))).collect();
        disk.faults.hold_syncs(false);
        for waited in others.into_iter().chain([first]) {
            waited.join().unwrap().unwrap();
        }
    });
    assert_eq!(disk.faults.syncs(), before + 2);
    assert_eq!(all(&disk.crashed()).unwrap().0.len(), 9);
}

#[test]
fn threads_put_frames_in_one_order() {
    let disk = Memory::default();
    let journal = created(&disk, options(Durability::Commit, 2_000));
    thread::scope(|threads| {
        for kind in 0..8_u8 {
            let journal = &journal;
            threads.spawn(move || {
                for number in 0..100_u8 {
                    put_and_wait(journal, kind, &[number]);
                }
            });
        }
    });
    let (frames, _) = all(&disk.crashed()).unwrap();
    for kind in 0..8 {
        let of_kind = frames.iter().filter(|frame| frame.kind == kind);
        let numbers: Vec<u8> = of_kind.map(|frame| frame.body[0]).collect();
        assert_eq!(numbers, (0..100).collect::<Vec<u8>>());
    }
}

#[test]
fn body_that_panics_leaves_nothing() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    put(&journal, 0, b"one");
    let panics = |out: &mut Vec<u8>| {
        out.extend_from_slice(b"half");
        std::panic::resume_unwind(Box::new("no more"));
    };
    assert!(catch_unwind(AssertUnwindSafe(|| journal.append(1, 4, panics))).is_err());
    put_and_wait(&journal, 1, b"two");
    assert_eq!(given(&all(&disk).unwrap().0), numbered(&[b"one", b"two"]));
}

#[test]
fn files_before_a_place_are_forgotten_and_the_last_never() {
    let disk = Memory::default();
    let journal = created(&disk, options(Durability::Commit, 100));
    for kind in 0..6 {
        put_and_wait(&journal, kind, &[kind; 25]);
    }
    journal.forget(Lsn(199)).unwrap();
    assert_eq!(file::list(&disk).unwrap(), [Lsn(100), Lsn(200)]);
    journal.forget(Lsn(10_000)).unwrap();
    assert_eq!(file::list(&disk).unwrap(), [Lsn(200)]);
    assert_eq!(journal.len(), disk.bytes(&file::path(Lsn(200))).len() as u64);
    put_and_wait(&journal, 6, b"");
    leave(journal);
    let (read, end) = frames(&disk, Lsn(200));
    assert_eq!((read.len(), end.unwrap().at), (3, Lsn(325)));
    let (_, end) = frames(&disk, Lsn(100));
    assert!(end.unwrap_err().to_string().contains("no file holds what begins at 100"));
}

#[test]
fn files_that_were_there_before_are_forgotten_too() {
    let disk = Memory::default();
    let journal = created(&disk, options(Durability::Commit, 100));
    for kind in 0..6 {
        put_and_wait(&journal, kind, &[kind; 25]);
    }
    drop(journal);
    let journal = opened(&disk, options(Durability::Commit, 100));
    let bytes = |start| disk.bytes(&file::path(Lsn(start))).len() as u64;
    assert_eq!(journal.len(), bytes(0) + bytes(100) + bytes(200));
    journal.forget(Lsn(100)).unwrap();
    assert_eq!(file::list(&disk).unwrap(), [Lsn(100), Lsn(200)]);
}
