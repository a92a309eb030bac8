//! A place in one file of the journal, from which frames are read one by one.

use bytes::Bytes;

use super::file;
use crate::store::disk::Disk;
use crate::store::error::StoreError;
use crate::store::frame;
use crate::store::frame::Frame;
use crate::store::frame::FrameHeader;
use crate::store::frame::Lsn;

/// How much is read at once.
const STRETCH: usize = 1 << 20;

/// A place in a file.
#[derive(Debug)]
pub(super) struct Cursor<'d> {
    disk: &'d dyn Disk,
    path: String,
    start: Lsn,
    /// What is looked at, as an offset in the file.
    offset: u64,
    /// Where the file ends, or what is wanted of it.
    len: u64,
    /// What was read of the file, and from where on.
    stretch: Bytes,
    stretch_at: u64,
}

/// A frame, and up to where the journal was stable when it was taken in.
pub(super) type Found = (Frame, Lsn);

impl<'d> Cursor<'d> {
    /// Stands at `at` in the file that begins at `start`; nothing of `until` and behind is looked at.
    pub(super) fn new(
        disk: &'d dyn Disk,
        start: Lsn,
        at: Lsn,
        until: Option<Lsn>,
    ) -> Result<Self, StoreError> {
        let path = file::path(start);
        let len = disk.len(&path).map_err(|error| StoreError::io("cannot read", &path, error))?;
        let len = until.map_or(len, |until| len.min(file::offset(start, until)));
        let offset = file::offset(start, at);
        Ok(Self { disk, path, start, offset, len, stretch: Bytes::new(), stretch_at: 0 })
    }

    /// Where it stands in the file.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The file's path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Reads the frame that begins here and goes behind it; none, and the cursor stays, if there is no whole one.
    pub(super) fn next(&mut self) -> Result<Option<Found>, StoreError> {
        let at = self.start.plus(self.offset - file::HEADER_LEN);
        self.fetch(frame::HEADER_LEN)?;
        let Some(header) = FrameHeader::parse(&self.rest(), at) else { return Ok(None) };
        let left = self.len.saturating_sub(self.offset);
        let Some(len) = usize::try_from(header.frame_len()).ok().filter(|len| *len as u64 <= left)
        else {
            return Ok(None);
        };
        self.fetch(len)?;
        let bytes = self.rest();
        // The file may have become shorter since it was looked at.
        let frame = (len <= bytes.len()).then(|| header.frame(at, bytes.slice(..len))).flatten();
        if frame.is_some() {
            self.offset += len as u64;
        }
        Ok(frame.map(|frame| (frame, header.synced)))
    }

    /// Goes behind the first whole frame from here on; to the end of the file if there is none.
    pub(super) fn first(&mut self) -> Result<Option<Found>, StoreError> {
        match self.next()? {
            None => self.search(),
            found => Ok(found),
        }
    }

    fn search(&mut self) -> Result<Option<Found>, StoreError> {
        loop {
            self.offset = self.offset.saturating_add(1).min(self.len);
            if !self.go_to(|byte| byte == frame::MAGIC[0])? {
                return Ok(None);
            }
            if let Some(found) = self.next()? {
                return Ok(Some(found));
            }
        }
    }

    /// Goes to the next byte from here on that is no zero, and tells whether there is one.
    pub(super) fn skip_zeros(&mut self) -> Result<bool, StoreError> {
        self.go_to(|byte| byte != 0)
    }

    /// Goes to the next zero from here on, or to the end of the file, and returns where that is.
    pub(super) fn skip_others(&mut self) -> Result<u64, StoreError> {
        self.go_to(|byte| byte == 0)?;
        Ok(self.offset)
    }

    fn go_to(&mut self, wanted: impl Fn(u8) -> bool) -> Result<bool, StoreError> {
        while self.offset < self.len {
            self.fetch(1)?;
            let rest = self.rest();
            if rest.is_empty() {
                break;
            }
            if let Some(place) = rest.iter().position(|byte| wanted(*byte)) {
                self.offset += place as u64;
                return Ok(true);
            }
            self.offset += rest.len() as u64;
        }
        self.offset = self.len;
        Ok(false)
    }

    /// What was read from here on.
    fn rest(&self) -> Bytes {
        let skipped = usize::try_from(self.offset - self.stretch_at).unwrap_or(usize::MAX);
        self.stretch.slice(skipped.min(self.stretch.len())..)
    }

    /// Reads so many bytes from here on, and some ahead, unless they are there; fewer where the file ends.
    fn fetch(&mut self, wanted: usize) -> Result<(), StoreError> {
        let left = self.len.saturating_sub(self.offset);
        let is_there =
            self.stretch_at <= self.offset && (wanted as u64).min(left) <= self.rest().len() as u64;
        if is_there {
            return Ok(());
        }
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(wanted.max(STRETCH));
        let read = self.disk.read_at(&self.path, self.offset, len);
        let read = read.map_err(|error| StoreError::io("cannot read", &self.path, error))?;
        self.stretch = read.into();
        self.stretch_at = self.offset;
        Ok(())
    }
}
