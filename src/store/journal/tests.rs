//! The journal on a disk that crashes, fills up and lies; each file of tests has one subject.

mod crash;
mod damage;
mod faults;
mod following;
mod memory;
mod writing;

use std::sync::Arc;

use self::memory::Memory;
use super::*;

const STORE: StoreId = *b"a store's own id";

/// What a frame was given: its kind and its body.
type Given = (u8, Vec<u8>);

fn options(durability: Durability, file_bytes: u64) -> JournalOptions {
    JournalOptions { durability, file_bytes }
}

fn created(disk: &Memory, options: impl Into<JournalOptions>) -> Journal {
    Journal::create(Arc::new(disk.clone()), STORE, options).unwrap()
}

fn opened(disk: &Memory, options: impl Into<JournalOptions>) -> Journal {
    let (_, end) = all(disk).unwrap();
    Journal::open(Arc::new(disk.clone()), STORE, end, options).unwrap()
}

fn put(journal: &Journal, kind: u8, body: &[u8]) -> Lsn {
    journal.append(kind, body.len(), |out| out.extend_from_slice(body)).unwrap()
}

fn put_and_wait(journal: &Journal, kind: u8, body: &[u8]) -> Lsn {
    let end = put(journal, kind, body);
    journal.wait(end).unwrap();
    end
}

/// A journal whose bytes stay as they are: nothing is written when it is let go of.
fn leave(journal: Journal) {
    journal.abandon();
}

fn frames(disk: &Memory, from: Lsn) -> (Vec<Frame>, Result<ReadEnd, StoreError>) {
    let mut frames = Vec::new();
    let end = read(disk, STORE, from, &mut |frame| {
        frames.push(frame);
        Ok(())
    });
    (frames, end)
}

fn all(disk: &Memory) -> Result<(Vec<Frame>, ReadEnd), StoreError> {
    let (frames, end) = frames(disk, Lsn(0));
    Ok((frames, end?))
}

fn given(frames: &[Frame]) -> Vec<Given> {
    frames.iter().map(|frame| (frame.kind, frame.body.to_vec())).collect()
}

/// What was put of a list of bodies, kinds counted from 0.
fn numbered(bodies: &[&[u8]]) -> Vec<Given> {
    (0..).zip(bodies).map(|(kind, body)| (kind, body.to_vec())).collect()
}
