//! What a crash leaves: every whole frame that was acknowledged, and nothing that comes back later.

use super::*;

/// A journal of three frames, two of them acknowledged together and one alone.
fn three() -> Memory {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    put(&journal, 0, b"zero");
    put_and_wait(&journal, 1, b"one");
    put_and_wait(&journal, 2, b"two");
    leave(journal);
    disk
}

#[test]
fn end_that_is_cut_anywhere_is_torn_and_no_error() {
    let disk = three();
    let path = file::path(Lsn(0));
    let bytes = disk.bytes(&path);
    let (frames, end) = all(&disk).unwrap();
    let header = file::HEADER_LEN;
    for len in header..=header + end.at.0 {
        for zeros in [0, 100] {
            let mut cut = bytes[..usize::try_from(len).unwrap()].to_vec();
            cut.resize(cut.len() + zeros, 0);
            let disk = Memory::default();
            disk.put(&path, cut);
            let (left, found) = all(&disk).unwrap();
            let whole = frames.iter().filter(|frame| header + frame.end.0 <= len).count();
            assert_eq!(left, frames[..whole]);
            let journal = opened(&disk, Durability::Commit);
            assert_eq!(journal.end(), found.at);
            put_and_wait(&journal, 9, b"again");
            leave(journal);
            let (left, _) = all(&disk.crashed()).unwrap();
            assert_eq!(given(&left[..whole]), given(&frames[..whole]));
            assert_eq!(given(&left[whole..]), [(9, b"again".to_vec())]);
        }
    }
}

#[test]
fn frame_behind_a_torn_end_never_comes_back() {
    // Longer than the room ahead, which zeros are written over.
    let long = vec![7; 1 << 20];
    let disk = Memory::default();
    let journal = created(&disk, Durability::None);
    let first = put(&journal, 0, b"zero");
    put(&journal, 1, &long);
    put(&journal, 2, b"it outlived a lost one");
    leave(journal);
    // Of three frames that nobody made stable, a crash took the second.
    let path = file::path(Lsn(0));
    let mut bytes = disk.bytes(&path);
    bytes[usize::try_from(file::HEADER_LEN + first.0).unwrap() + 20] ^= 1;
    disk.put(&path, bytes);
    let (left, end) = all(&disk).unwrap();
    assert_eq!((left.len(), end.at), (1, first));
    let journal = opened(&disk, Durability::None);
    put(&journal, 3, &long);
    leave(journal);
    for disk in [disk.crashed(), disk.clone()] {
        assert!(all(&disk).unwrap().0.iter().all(|frame| frame.kind != 2));
    }
    assert_eq!(all(&disk).unwrap().0.len(), 2);
}

#[test]
fn acknowledged_frames_outlive_a_crash() {
    let disk = Memory::default();
    let journal = created(&disk, options(Durability::Commit, 300));
    for kind in 0..50 {
        let end = put_and_wait(&journal, kind, &[kind; 30]);
        put(&journal, kind, b"nobody waits for this");
        let (left, found) = all(&disk.crashed()).unwrap();
        assert!(end <= found.at);
        assert_eq!(left.last().unwrap().kind, kind);
    }
}

#[test]
fn frames_that_were_found_are_stable_before_others_follow() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::None);
    let end = put(&journal, 0, b"written, not synced");
    leave(journal);
    assert_eq!(all(&disk.crashed()).unwrap().1.at, Lsn(0));
    let journal = opened(&disk, Durability::Commit);
    assert_eq!(journal.synced(), end);
    assert_eq!(all(&disk.crashed()).unwrap().1.at, end);
}

#[test]
fn frames_that_a_failed_sync_lost_are_written_again_by_the_next_process() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    put_and_wait(&journal, 0, b"stable");
    let end = put(&journal, 1, b"lost");
    disk.faults.fail_sync.store(true, Ordering::SeqCst);
    journal.wait(end).unwrap_err();
    drop(journal);
    disk.faults.fail_sync.store(false, Ordering::SeqCst);
    // The operating system still shows the frame, and holds it for written.
    assert_eq!(all(&disk).unwrap().1.at, end);
    let journal = opened(&disk, Durability::Commit);
    assert_eq!(journal.synced(), end);
    assert_eq!(given(&all(&disk.crashed()).unwrap().0), numbered(&[b"stable", b"lost"]));
}

#[test]
fn store_that_crashed_before_its_first_frame_begins_anew() {
    let (_, end) = all(&Memory::default()).unwrap();
    assert_eq!((end.at, end.file), (Lsn(0), None));
    let whole = Memory::default();
    leave(created(&whole, Durability::Commit));
    let header = whole.bytes(&file::path(Lsn(0)));
    for len in 0..header.len().min(60) {
        let disk = Memory::default();
        disk.put(&file::path(Lsn(0)), header[..len].to_vec());
        let journal = opened(&disk, Durability::Commit);
        put_and_wait(&journal, 0, b"zero");
        leave(journal);
        assert_eq!(given(&all(&disk.crashed()).unwrap().0), numbered(&[b"zero"]));
    }
}

#[test]
fn next_file_without_a_whole_header_is_made_again() {
    for len in [0, 1, 43] {
        let disk = three();
        let (_, end) = all(&disk).unwrap();
        disk.put(&file::path(end.at), vec![0xf5; len]);
        for from in [Lsn(0), end.at] {
            let (_, found) = frames(&disk, from);
            assert_eq!(found.unwrap().file, Some(Lsn(0)));
        }
        let journal = opened(&disk, Durability::Commit);
        assert_eq!(file::list(&disk).unwrap(), [Lsn(0)]);
        put_and_wait(&journal, 3, b"three");
        journal.begin_file().unwrap();
        put_and_wait(&journal, 4, b"four");
        leave(journal);
        let bodies: [&[u8]; 5] = [b"zero", b"one", b"two", b"three", b"four"];
        assert_eq!(given(&all(&disk.crashed()).unwrap().0), numbered(&bodies));
    }
}

#[test]
fn journal_that_lies_before_the_place_to_read_from_is_written_on_there() {
    let disk = three();
    let path = file::path(Lsn(0));
    let bytes = disk.bytes(&path);
    // What is before the place was sealed elsewhere: a crash may have taken it from the journal.
    disk.put(&path, bytes[..50].to_vec());
    let (read, end) = frames(&disk, Lsn(500));
    assert_eq!((read.len(), end.clone().unwrap().at), (0, Lsn(500)));
    let disk_of = Arc::new(disk.clone());
    let journal = Journal::open(disk_of, STORE, end.unwrap(), Durability::Commit).unwrap();
    put_and_wait(&journal, 0, b"zero");
    leave(journal);
    assert_eq!(given(&frames(&disk.crashed(), Lsn(500)).0), numbered(&[b"zero"]));
}
