//! Damage is named where it is, told from a torn end, and read around.

use super::*;

const HEADER: u64 = file::HEADER_LEN;

/// Three files of two frames of 50 bytes, each acknowledged alone, the last file with zeros behind them.
fn six() -> Memory {
    let disk = Memory::default();
    let journal = created(&disk, options(Durability::Commit, 100));
    for kind in 0..6 {
        put_and_wait(&journal, kind, &[kind; 25]);
    }
    leave(journal);
    disk
}

fn flipped(disk: &Memory, start: Lsn, byte: usize, bit: usize) -> Memory {
    let disk = disk.killed();
    let path = file::path(start);
    let mut bytes = disk.bytes(&path);
    bytes[byte] ^= 1 << bit;
    disk.put(&path, bytes);
    disk
}

fn salvaged(disk: &Memory, id: Option<StoreId>) -> (Vec<Frame>, Vec<Damage>) {
    let mut frames = Vec::new();
    let damages = salvage(disk, id, &mut |frame| {
        frames.push(frame);
        Ok(())
    });
    (frames, damages.unwrap().0)
}

fn damage(start: u64, offset: u64, bytes: u64) -> Damage {
    Damage { path: file::path(Lsn(start)), offset, bytes }
}

#[test]
fn bit_that_flips_anywhere_is_named_unless_it_is_in_the_last_frame() {
    let disk = six();
    let (whole, _) = all(&disk).unwrap();
    for start in [Lsn(0), Lsn(100), Lsn(200)] {
        for byte in 0..200_usize {
            if disk.bytes(&file::path(start)).len() <= byte {
                continue;
            }
            let disk = flipped(&disk, start, byte, byte % 8);
            let place = (byte as u64).checked_sub(HEADER);
            let hit = place.map(|place| usize::try_from((start.0 + place) / 50).unwrap());
            let (read, end) = frames(&disk, Lsn(0));
            let (kept, damages) = salvaged(&disk, Some(STORE));
            let Some(hit) = hit else {
                let before = usize::try_from(start.0 / 50).unwrap();
                assert_eq!(read, whole[..before], "{start} {byte}");
                let error = end.unwrap_err();
                let StoreError::Damaged { path, offset, .. } = &error else { panic!("{error}") };
                assert_eq!((path, *offset), (&file::path(start), 0));
                assert_eq!((kept, damages), (whole.clone(), vec![damage(start.0, 0, HEADER)]));
                continue;
            };
            let mut left = whole.clone();
            if hit < left.len() {
                left.remove(hit);
            }
            let offset = HEADER + (hit as u64 * 50).saturating_sub(start.0);
            assert_eq!(kept, left);
            assert_eq!(read, whole[..hit.min(whole.len())]);
            match hit {
                // All behind it say that it was stable.
                0..5 => {
                    let error = end.unwrap_err();
                    let StoreError::Damaged { path, offset: at, .. } = &error else {
                        panic!("{error}")
                    };
                    assert_eq!((path, *at), (&file::path(start), offset));
                    assert_eq!(damages, [damage(start.0, offset, 50)]);
                }
                // Nothing is behind it: it cannot be told from one that was torn.
                5 => {
                    assert_eq!(end.unwrap().at, Lsn(250));
                    assert_eq!(damages, [damage(200, HEADER + 50, 50)]);
                }
                _ => {
                    assert_eq!(end.unwrap().at, Lsn(300));
                    assert_eq!(
                        damages,
                        [damage(200, HEADER + 100, byte as u64 + 1 - HEADER - 100)]
                    );
                }
            }
        }
    }
}

#[test]
fn frame_is_damaged_though_the_one_behind_it_does_not_know_that_it_was_stable() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    put(&journal, 0, b"zero");
    put_and_wait(&journal, 1, b"one");
    put_and_wait(&journal, 2, b"two");
    leave(journal);
    let (read, end) = frames(&flipped(&disk, Lsn(0), 50, 0), Lsn(0));
    assert_eq!(read, []);
    assert!(matches!(end, Err(StoreError::Damaged { offset: HEADER, .. })), "{end:?}");
}

#[test]
fn frame_that_was_never_stable_is_torn_though_others_are_behind_it() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::None);
    for kind in 0..4 {
        put(&journal, kind, &[kind; 25]);
    }
    leave(journal);
    let (whole, _) = all(&disk).unwrap();
    for byte in 44 + 50..44 + 100 {
        let disk = flipped(&disk, Lsn(0), byte, 3);
        let (read, end) = all(&disk).unwrap();
        assert_eq!((&read[..], end.at), (&whole[..1], Lsn(50)));
    }
}

#[test]
fn file_that_is_missing_is_damage_before_and_behind_others() {
    let disk = six();
    disk.remove(&file::path(Lsn(100))).unwrap();
    let (read, end) = frames(&disk, Lsn(0));
    let error = end.unwrap_err().to_string();
    assert_eq!(read.len(), 2);
    assert!(error.contains("00000000000000000000.log is damaged at byte 144"), "{error}");
    assert!(error.contains("the next file begins at 200"), "{error}");
    let (kept, damages) = salvaged(&disk, None);
    assert_eq!((kept.len(), damages), (4, vec![damage(0, 144, 100)]));
    disk.remove(&file::path(Lsn(0))).unwrap();
    let (_, end) = frames(&disk, Lsn(0));
    assert!(matches!(end, Err(StoreError::Damaged { .. })), "{end:?}");
}

#[test]
fn file_without_a_header_is_damage_if_it_is_not_the_newest_or_has_frames() {
    let disk = six();
    let path = file::path(Lsn(200));
    let bytes = disk.bytes(&path);
    disk.put(&path, [vec![0; 44], bytes[44..].to_vec()].concat());
    let (_, end) = frames(&disk, Lsn(0));
    assert!(matches!(end, Err(StoreError::Damaged { offset: 0, .. })), "{end:?}");
    disk.put(&path, bytes);
    disk.put(&file::path(Lsn(100)), vec![0; 44]);
    let (_, end) = frames(&disk, Lsn(0));
    assert!(matches!(end, Err(StoreError::Damaged { offset: 0, .. })), "{end:?}");
}

#[test]
fn file_of_another_store_or_another_place_is_damage() {
    let disk = six();
    let other = read(&disk, [0; 16], Lsn(0), &mut |_| Ok(())).unwrap_err().to_string();
    assert!(other.contains("damaged at byte 12: the file is another store's"), "{other}");
    let len = disk.bytes(&file::path(Lsn(0))).len() as u64;
    let (kept, damages) = salvaged(&disk, None);
    assert_eq!((kept.len(), damages), (6, Vec::new()));
    disk.put(&file::path(Lsn(100)), disk.bytes(&file::path(Lsn(0))));
    let (_, end) = frames(&disk, Lsn(0));
    let moved = end.unwrap_err().to_string();
    assert!(moved.contains("damaged at byte 28: the file begins at 0"), "{moved}");
    let (kept, damages) = salvaged(&disk, Some(STORE));
    assert_eq!((kept.len(), damages), (4, vec![damage(100, 0, len)]));
}

#[test]
fn file_of_a_newer_version_is_refused_by_name() {
    let disk = six();
    let path = file::path(Lsn(0));
    let mut bytes = disk.bytes(&path);
    bytes[8] = 2;
    let checksum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &bytes[..36]);
    bytes[36..44].copy_from_slice(&checksum.to_le_bytes());
    disk.put(&path, bytes);
    let expected = StoreError::TooNew { path, version: 2, known: 1 };
    assert_eq!(frames(&disk, Lsn(0)).1, Err(expected.clone()));
    assert_eq!(salvage(&disk, None, &mut |_| Ok(())), Err(expected));
}

#[test]
fn header_of_a_file_is_that_of_the_format() {
    let disk = six();
    let bytes = disk.bytes(&file::path(Lsn(100)));
    assert_eq!(bytes[..12], *b"\xf5ssjrnl\n\x01\0\0\0");
    assert_eq!(bytes[12..28], STORE);
    assert_eq!(bytes[28..36], 100_u64.to_le_bytes());
}

#[test]
fn frame_within_a_body_is_not_taken_for_one() {
    let disk = Memory::default();
    let journal = created(&disk, Durability::Commit);
    let mut inner = Vec::new();
    crate::store::frame::encode(&mut inner, Lsn(0), 9, Lsn(0), |out| out.push(1)).unwrap();
    put_and_wait(&journal, 0, &inner.repeat(3));
    put_and_wait(&journal, 1, b"one");
    leave(journal);
    let disk = flipped(&disk, Lsn(0), 44 + 4, 0);
    let (kept, damages) = salvaged(&disk, None);
    assert_eq!(given(&kept), [(1, b"one".to_vec())]);
    assert_eq!(damages.len(), 1);
}

#[test]
fn names_that_are_no_file_of_frames_are_passed_over() {
    let disk = six();
    for name in ["1.log", "0000000000000000000x.log", "99999999999999999999.log", "notes"] {
        disk.put(&format!("@journal/{name}"), b"?".to_vec());
    }
    assert_eq!(all(&disk).unwrap().0.len(), 6);
}
