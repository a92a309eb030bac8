//! A disk that is full refuses and nothing else; one that failed is not written to again.

use std::thread;

use super::*;

fn append(journal: &Journal, body: &[u8]) -> Result<Lsn, StoreError> {
    journal.append(0, body.len(), |out| out.extend_from_slice(body))
}

#[test]
fn full_disk_refuses_until_there_is_room() {
    for durability in [Durability::Commit, Durability::Interval, Durability::None] {
        let disk = Memory::default();
        let journal = created(&disk, durability);
        let first = put_and_wait(&journal, 0, b"zero");
        let room = disk.bytes(&file::path(Lsn(0))).len() as u64;
        disk.faults.room.store(room + 1_000, Ordering::SeqCst);
        let large = vec![7; 1 << 20];
        let refused = append(&journal, &large).unwrap_err();
        let StoreError::Full { path, bytes } = &refused else { panic!("{refused}") };
        let needed = file::HEADER_LEN + first.0 + (25 + large.len()) as u64;
        assert_eq!((path, *bytes), (&file::path(Lsn(0)), needed - room));
        assert_eq!((journal.end(), journal.poison()), (first, None));
        assert_eq!(disk.bytes(&file::path(Lsn(0))).len() as u64, room, "no room is kept");
        put_and_wait(&journal, 1, b"one");
        disk.faults.room.store(0, Ordering::SeqCst);
        put_and_wait(&journal, 2, &large);
        drop(journal);
        assert_eq!(given(&all(&disk.crashed()).unwrap().0), numbered(&[b"zero", b"one", &large]));
    }
}

#[test]
fn last_room_of_a_disk_is_used() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    let room = disk.bytes(&file::path(Lsn(0))).len();
    disk.faults.room.store(room as u64 + 100, Ordering::SeqCst);
    // Room ahead of it there is none.
    put_and_wait(&journal, 0, &vec![7; room]);
    drop(journal);
    assert_eq!(all(&disk).unwrap().0.len(), 1);
}

#[test]
fn full_disk_refuses_the_next_file_and_the_last_one_goes_on() {
    let disk = Memory::default();
    let journal = created(&disk, options(Durability::Commit, 100));
    put_and_wait(&journal, 0, &[0; 100]);
    disk.faults.room.store(20, Ordering::SeqCst);
    let refused = append(&journal, b"one").unwrap_err();
    assert!(matches!(refused, StoreError::Full { .. }), "{refused}");
    assert_eq!(file::list(&disk).unwrap(), [Lsn(0)], "its name is taken away");
    assert_eq!(journal.poison(), None);
    disk.faults.room.store(0, Ordering::SeqCst);
    put_and_wait(&journal, 1, b"one");
    leave(journal);
    assert_eq!(file::list(&disk).unwrap(), [Lsn(0), Lsn(125)]);
    assert_eq!(given(&all(&disk.crashed()).unwrap().0), numbered(&[&[0; 100], b"one"]));
}

#[test]
fn sync_that_failed_is_not_tried_again() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    let stable = put_and_wait(&journal, 0, b"zero");
    let end = put(&journal, 1, b"one");
    disk.faults.fail_sync.store(true, Ordering::SeqCst);
    let before = disk.faults.syncs();
    let poisoned = journal.wait(end).unwrap_err();
    let cause = "cannot sync @journal/00000000000000000000.log: broken".to_owned();
    assert_eq!(poisoned, StoreError::Poisoned { cause });
    disk.faults.fail_sync.store(false, Ordering::SeqCst);
    assert_eq!(append(&journal, b"two").unwrap_err(), poisoned);
    assert_eq!(journal.wait(end).unwrap_err(), poisoned);
    assert_eq!(journal.sync().unwrap_err(), poisoned);
    assert_eq!(journal.begin_file().unwrap_err(), poisoned);
    assert_eq!(journal.poison(), Some(poisoned));
    // What was stable before is.
    assert_eq!(journal.wait(stable), Ok(()));
    assert_eq!(journal.synced(), stable);
    drop(journal);
    assert_eq!(disk.faults.syncs(), before + 1);
}

#[test]
fn all_who_wait_are_told_that_a_sync_failed() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    let before = disk.faults.syncs();
    disk.faults.hold_syncs(true);
    disk.faults.fail_sync.store(true, Ordering::SeqCst);
    let end = (0..8).map(|kind| put(&journal, kind, b"one of many")).last().unwrap();
    thread::scope(|threads| {
        let waits: Vec<_> = (0..8).map(|_| threads.spawn(|| journal.wait(end))).collect();
        disk.faults.wait_for_syncs(before + 1);
        disk.faults.hold_syncs(false);
        for wait in waits {
            let error = wait.join().unwrap().unwrap_err();
            assert!(matches!(error, StoreError::Poisoned { .. }), "{error}");
        }
    });
    assert_eq!(disk.faults.syncs(), before + 1);
}

#[test]
fn write_that_failed_is_the_last_one() {
    for durability in [Durability::Interval, Durability::None] {
        let disk = Memory::default();
        let journal = created(&disk, durability);
        disk.faults.fail_write.store(true, Ordering::SeqCst);
        let poisoned = append(&journal, b"zero").unwrap_err();
        assert!(matches!(poisoned, StoreError::Poisoned { .. }), "{poisoned}");
        disk.faults.fail_write.store(false, Ordering::SeqCst);
        assert_eq!(append(&journal, b"one").unwrap_err(), poisoned);
        assert_eq!(journal.wait(Lsn(0)).unwrap_err(), poisoned);
        drop(journal);
        assert_eq!(all(&disk).unwrap().0, []);
    }
}

#[test]
fn frame_that_is_too_long_is_refused_and_the_journal_goes_on() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    let too_long = |out: &mut Vec<u8>| out.resize((256 << 20) + 64, 0);
    let refused = journal.append(0, 0, too_long).unwrap_err();
    assert!(refused.to_string().starts_with("cannot take a frame of more than 256 MiB into"));
    put_and_wait(&journal, 0, b"zero");
    assert_eq!(given(&all(&disk).unwrap().0), numbered(&[b"zero"]));
}
