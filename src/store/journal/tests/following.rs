//! Readers that follow a journal while it is written.

use super::*;

/// Reads on from `from` to what is published.
fn follow_on(disk: &Memory, from: Lsn) -> (Vec<Frame>, Followed) {
    let mut frames = Vec::new();
    let until = published(disk).unwrap();
    let followed = follow(disk, STORE, from, until, &mut |frame| {
        frames.push(frame);
        Ok(())
    });
    (frames, followed.unwrap())
}

#[test]
fn reader_sees_each_frame_when_it_is_published() {
    for durability in [Durability::Commit, Durability::Interval, Durability::None] {
        let disk = Memory::default();
        let journal = created(&disk, options(durability, 300));
        let mut at = Lsn(0);
        assert_eq!(follow_on(&disk, at), (Vec::new(), Followed::UpTo(at)));
        for kind in 0..60 {
            let end = put(&journal, kind, &[kind; 20]);
            if durability == Durability::Commit {
                assert_eq!(follow_on(&disk, at), (Vec::new(), Followed::UpTo(at)));
            }
            journal.wait(end).unwrap();
            let (frames, followed) = follow_on(&disk, at);
            assert_eq!(given(&frames), [(kind, vec![kind; 20])]);
            assert_eq!(followed, Followed::UpTo(end));
            at = end;
        }
        let (frames, _) = follow_on(&disk, Lsn(0));
        assert_eq!(frames.len(), 60);
    }
}

#[test]
fn reader_is_told_that_what_it_was_at_is_forgotten() {
    let disk = Memory::default();
    let journal = created(&disk, options(Durability::Commit, 100));
    for kind in 0..6 {
        put_and_wait(&journal, kind, &[kind; 25]);
    }
    journal.forget(Lsn(200)).unwrap();
    let (frames, followed) = follow_on(&disk, Lsn(50));
    assert_eq!((frames, followed), (Vec::new(), Followed::Forgotten { oldest: Lsn(200) }));
    assert_eq!(follow_on(&disk, Lsn(200)).0.len(), 2);
}

#[test]
fn reader_stops_before_what_is_not_published() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::None);
    let first = put(&journal, 0, b"zero");
    put(&journal, 1, b"one");
    let mut count = 0;
    let mut told = |_| {
        count += 1;
        Ok(())
    };
    let followed = follow(&disk, STORE, Lsn(0), first, &mut told).unwrap();
    assert_eq!((followed, count), (Followed::UpTo(first), 1));
}

#[test]
fn hint_beyond_the_end_is_no_damage() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::None);
    let end = put(&journal, 0, b"zero");
    let followed = follow(&disk, STORE, Lsn(0), Lsn(5_000), &mut |_| Ok(())).unwrap();
    assert_eq!(followed, Followed::UpTo(end));
}

#[test]
fn reader_is_told_of_damage() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    for kind in 0..3 {
        put_and_wait(&journal, kind, b"body");
    }
    let path = file::path(Lsn(0));
    let mut bytes = disk.bytes(&path);
    bytes[44 + 29 + 3] ^= 1;
    disk.put(&path, bytes);
    let error = follow(&disk, STORE, Lsn(0), journal.end(), &mut |_| Ok(())).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { offset: 73, .. }), "{error}");
}

#[test]
fn reading_ends_with_the_error_of_who_is_told() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::None);
    put(&journal, 0, b"zero");
    let stop = StoreError::ReadOnly { action: "this" };
    let read = read(&disk, STORE, Lsn(0), &mut |_| Err(stop.clone()));
    assert_eq!(read, Err(stop));
}

#[test]
fn hint_that_is_half_written_or_missing_is_none() {
    let disk = Memory::default();
    assert_eq!(published(&disk), None);
    let journal = created(&disk, Durability::None);
    let end = put(&journal, 0, b"zero");
    assert_eq!(published(&disk), Some(end));
    let whole = disk.bytes("@journal/seen");
    for byte in 0..whole.len() {
        let mut torn = whole.clone();
        torn[byte] ^= 1;
        disk.put("@journal/seen", torn);
        assert_eq!(published(&disk), None);
        disk.put("@journal/seen", whole[..byte].to_vec());
        assert_eq!(published(&disk), None);
    }
}
