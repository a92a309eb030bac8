//! A frame: what the journal takes in and gives back in one piece, known to be whole by its checksum.
//!
//! ```text
//! offset  bytes  what (numbers are little endian)
//!      0      4  f5 73 66 f6: no text in UTF-8 holds the first byte, so that a search for frames seldom stops in vain
//!      4      8  CRC-64/NVME of the frame's own place in the journal (8 bytes) and of everything below
//!     12      4  length of the body, at most 2^28
//!     16      1  kind, which the engine gives a meaning
//!     17      8  the place up to which the journal was on stable storage when the frame was taken in
//!     25         body
//! ```
//!
//! The place is part of the checksum and not of the frame: bytes of an older frame, or of a frame within a body, are
//! never taken for one that belongs where they lie.

use std::fmt;

use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use crc_fast::Digest;

/// Where a frame may begin.
pub const MAGIC: [u8; 4] = [0xf5, b's', b'f', 0xf6];
/// How long a frame is without its body.
pub const HEADER_LEN: usize = 25;
/// How long a body may be: a length beyond it is no frame's.
pub const BODY_MAX: usize = 1 << 28;

const CHECKED_FROM: usize = 12;

/// A place in the journal: how many bytes of frames lie before it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Lsn(pub u64);

impl Lsn {
    /// Returns the place so many bytes later.
    #[must_use]
    pub fn plus(self, bytes: u64) -> Self {
        Self(self.0.saturating_add(bytes))
    }

    /// Returns the bytes from `earlier` to here; none if it is the later one.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A frame that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frame {
    /// Where it begins.
    pub at: Lsn,
    /// Where the next one does.
    pub end: Lsn,
    /// What it is, to the engine.
    pub kind: u8,
    /// What is in it.
    pub body: Bytes,
}

/// What stands before a body.
#[derive(Clone, Copy, Debug)]
pub struct FrameHeader {
    checksum: u64,
    body_len: usize,
    kind: u8,
    /// Up to where the journal was stable when the frame was taken in.
    pub synced: Lsn,
}

impl FrameHeader {
    /// Reads the header of a frame at `at`; none if there can be no frame.
    pub fn parse(bytes: &[u8], at: Lsn) -> Option<Self> {
        let bytes: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        let [m0, m1, m2, m3, c0, c1, c2, c3, c4, c5, c6, c7, l0, l1, l2, l3, kind, synced @ ..] =
            *bytes;
        let header = Self {
            checksum: u64::from_le_bytes([c0, c1, c2, c3, c4, c5, c6, c7]),
            body_len: usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?,
            kind,
            synced: Lsn(u64::from_le_bytes(synced)),
        };
        let possible = [m0, m1, m2, m3] == MAGIC
            && header.body_len <= BODY_MAX
            && header.synced <= at
            && at.0.checked_add(header.frame_len()).is_some();
        possible.then_some(header)
    }

    /// How long the frame is, this header counted.
    pub fn frame_len(&self) -> u64 {
        (HEADER_LEN + self.body_len) as u64
    }

    /// Returns the frame, unless its bytes are not those that were written at `at`.
    pub fn frame(&self, at: Lsn, bytes: Bytes) -> Option<Frame> {
        let whole = bytes.len() as u64 == self.frame_len()
            && checksum(at, bytes.get(CHECKED_FROM..)?) == self.checksum;
        let end = at.plus(self.frame_len());
        whole.then(|| Frame { at, end, kind: self.kind, body: bytes.slice(HEADER_LEN..) })
    }
}

/// Puts a frame behind what is in `buffer`, and returns where it ends; none, and nothing is put, if its body is too long.
/// `body` writes behind what is there.
pub fn encode(
    buffer: &mut Vec<u8>,
    at: Lsn,
    kind: u8,
    synced: Lsn,
    body: impl FnOnce(&mut Vec<u8>),
) -> Option<Lsn> {
    let start = buffer.len();
    buffer.extend_from_slice(&MAGIC);
    buffer.extend_from_slice(&[0; CHECKED_FROM + 4 - MAGIC.len()]);
    buffer.push(kind);
    buffer.extend_from_slice(&synced.0.to_le_bytes());
    body(buffer);
    let frame = &mut buffer[start..];
    let body_len = frame.len() - HEADER_LEN;
    let written = u32::try_from(body_len).ok().filter(|_| body_len <= BODY_MAX);
    let Some(written) = written else {
        buffer.truncate(start);
        return None;
    };
    frame[CHECKED_FROM..CHECKED_FROM + 4].copy_from_slice(&written.to_le_bytes());
    let checksum = checksum(at, &frame[CHECKED_FROM..]);
    frame[MAGIC.len()..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
    Some(at.plus(frame.len() as u64))
}

fn checksum(at: Lsn, bytes: &[u8]) -> u64 {
    let mut digest = Digest::new(CrcAlgorithm::Crc64Nvme);
    digest.update(&at.0.to_le_bytes());
    digest.update(bytes);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(at: Lsn, body: &[u8]) -> Vec<u8> {
        let mut buffer = b"before".to_vec();
        let end = encode(&mut buffer, at, 7, Lsn(3), |out| out.extend_from_slice(body)).unwrap();
        assert_eq!(end.since(at), (buffer.len() - 6) as u64);
        buffer.split_off(6)
    }

    fn decoded(at: Lsn, bytes: &[u8]) -> Option<Frame> {
        FrameHeader::parse(bytes, at)?.frame(at, Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn frame_is_read_as_it_was_written() {
        let at = Lsn(40);
        let frame = decoded(at, &encoded(at, b"body")).unwrap();
        assert_eq!((frame.at, frame.end, frame.kind), (at, Lsn(40 + 29), 7));
        assert_eq!(frame.body.as_ref(), b"body");
    }

    #[test]
    fn bytes_of_a_frame_are_those_of_the_format() {
        let bytes = encoded(Lsn(40), b"body");
        assert_eq!(bytes[..4], [0xf5, 0x73, 0x66, 0xf6]);
        assert_eq!(bytes[12..], *b"\x04\0\0\0\x07\x03\0\0\0\0\0\0\0body");
        let checked = [&40_u64.to_le_bytes(), &bytes[12..]].concat();
        let checksum = crc_fast::checksum(CrcAlgorithm::Crc64Nvme, &checked);
        assert_eq!(bytes[4..12], checksum.to_le_bytes());
    }

    #[test]
    fn frame_elsewhere_or_with_a_flipped_bit_is_none() {
        let at = Lsn(40);
        let bytes = encoded(at, b"body");
        assert_eq!(decoded(Lsn(41), &bytes), None);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decoded(at, &flipped), None, "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert_eq!(decoded(at, &bytes[..len]), None, "{len} bytes");
        }
    }

    #[test]
    fn body_that_is_too_long_is_not_put() {
        let mut buffer = vec![1, 2];
        let end = encode(&mut buffer, Lsn(0), 1, Lsn(0), |out| out.resize(BODY_MAX + 64, 0));
        assert_eq!((end, buffer), (None, vec![1, 2]));
    }
}
