//! A file that is written from front to back, and knows of each Arrow message where it lies and its checksum.

use std::io;
use std::io::Write;
use std::mem;

use arrow_ipc::MessageHeader;
use arrow_ipc::root_as_message;
use crc_fast::Digest;

use crate::store::DiskFile;
use crate::store::segment::footer::HEAD;
use crate::store::segment::footer::Message;
use crate::store::segment::footer::checksum;

/// What is written at once: enough that the disk is asked seldom.
const PIECE_BYTES: usize = 1 << 20;

/// A prefix: four bytes of ones, and the length of the header.
const PREFIX_BYTES: usize = 8;

/// What is being written.
#[derive(Debug)]
enum Part {
    /// The magic and its padding, of which so many bytes are to come.
    Head(usize),
    /// A message's prefix and header, as far as they came.
    Header(Vec<u8>),
    /// The body of a message of this kind, of which so many bytes are to come.
    Body(MessageHeader, usize),
    /// What follows the messages.
    Tail,
}

/// A file that is written from front to back.
#[derive(Debug)]
pub(super) struct Messages {
    file: Box<dyn DiskFile>,
    /// What waits to be written, and where to.
    waiting: Vec<u8>,
    offset: u64,
    /// How many bytes were last given to the disk.
    attempted: u64,
    part: Part,
    /// Where the message at hand begins, how long it is so far, and its checksum so far; at the end those of the tail.
    start: u64,
    len: u64,
    digest: Digest,
    /// The messages so far.
    written: Vec<(MessageHeader, Message)>,
}

impl Messages {
    /// Begins with an empty file.
    pub(super) fn new(file: Box<dyn DiskFile>) -> Self {
        Self {
            file,
            waiting: Vec::with_capacity(PIECE_BYTES),
            offset: 0,
            attempted: 0,
            part: Part::Head(HEAD.len()),
            start: HEAD.len() as u64,
            len: 0,
            digest: checksum(),
            written: Vec::new(),
        }
    }

    /// Returns the messages of a kind, in order.
    pub(super) fn of_kind(&self, kind: MessageHeader) -> impl Iterator<Item = Message> {
        self.written.iter().filter(move |(each, _)| *each == kind).map(|(_, message)| *message)
    }

    /// Returns how many bytes were last given to the disk, which may have refused them.
    pub(super) fn attempted(&self) -> u64 {
        self.attempted
    }

    /// Writes what waits and makes all stable; returns how long the file is, and the checksum of its tail.
    pub(super) fn finish(mut self) -> io::Result<(u64, u64)> {
        self.flush()?;
        // The name is given next: what it names has to be whole before.
        self.file.sync()?;
        Ok((self.offset, self.digest.finalize()))
    }

    /// Follows the messages for as many of the bytes as are of one part; returns how many.
    fn follow(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let wanted = match &self.part {
            Part::Head(wanted) | Part::Body(_, wanted) => *wanted,
            Part::Header(begun) => header_end(begun) - begun.len(),
            Part::Tail => bytes.len(),
        };
        let (now, _) = bytes.split_at(wanted.min(bytes.len()));
        if !matches!(self.part, Part::Head(_)) {
            self.digest.update(now);
            self.len += now.len() as u64;
        }
        match &mut self.part {
            Part::Head(wanted) | Part::Body(_, wanted) => *wanted -= now.len(),
            Part::Header(begun) => begun.extend_from_slice(now),
            Part::Tail => {}
        }
        self.step()?;
        Ok(now.len())
    }

    /// Goes on to the next part where one is whole.
    fn step(&mut self) -> io::Result<()> {
        match &self.part {
            Part::Head(0) => self.part = Part::Header(Vec::new()),
            Part::Header(header) if header.len() == header_end(header) => {
                self.part = match header.get(PREFIX_BYTES..) {
                    // A prefix that announces no header ends the messages.
                    None | Some([]) => Part::Tail,
                    Some(header) => {
                        let message = root_as_message(header);
                        let message =
                            message.map_err(|fault| io::Error::other(fault.to_string()))?;
                        let body = usize::try_from(message.bodyLength());
                        Part::Body(message.header_type(), body.map_err(io::Error::other)?)
                    }
                };
            }
            _ => {}
        }
        if let Part::Body(kind, 0) = self.part {
            let crc = mem::replace(&mut self.digest, checksum()).finalize();
            self.written.push((kind, Message { offset: self.start, bytes: self.len, crc }));
            self.start += mem::take(&mut self.len);
            self.part = Part::Header(Vec::new());
        }
        Ok(())
    }

    fn give(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.attempted = bytes.len() as u64;
        self.file.write_at(self.offset, bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

/// How long a prefix and header are, as far as what came of them tells.
fn header_end(begun: &[u8]) -> usize {
    let Some((prefix, _)) = begun.split_first_chunk::<PREFIX_BYTES>() else { return PREFIX_BYTES };
    let [_, _, _, _, len @ ..] = *prefix;
    PREFIX_BYTES + u32::from_le_bytes(len) as usize
}

impl Write for Messages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let followed = self.follow(rest)?;
            rest = &rest[followed..];
        }
        if PIECE_BYTES <= self.waiting.len() + bytes.len() {
            self.flush()?;
        }
        if PIECE_BYTES <= bytes.len() {
            self.give(bytes)?;
        } else {
            self.waiting.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut waiting = mem::take(&mut self.waiting);
        self.give(&waiting)?;
        waiting.clear();
        self.waiting = waiting;
        Ok(())
    }
}
