//! A file of the journal: its name, its header, and the room ahead of its frames.
//!
//! ```text
//! offset  bytes  what (numbers are little endian)
//!      0      8  f5 "ssjrnl" 0a
//!      8      4  format version, 1
//!     12     16  the store's id
//!     28      8  the place of the file's first frame, as in its name
//!     36      8  CRC-64/NVME of the bytes before it
//!     44         frames, one behind the other, then zeros
//! ```
//!
//! These 44 bytes are laid out so in every version: a header that is whole and says another one is from a newer program.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use crc_fast::CrcAlgorithm;
use parking_lot::Mutex;

use crate::store::disk::Disk;
use crate::store::disk::DiskFile;
use crate::store::error::StoreError;
use crate::store::frame::Lsn;

/// The folder of the journal's files.
pub(super) const FOLDER: &str = "@journal";
/// How long a file's header is.
pub(super) const HEADER_LEN: u64 = 44;

const MAGIC: [u8; 8] = *b"\xf5ssjrnl\n";
const VERSION: u32 = 1;
const STORE_AT: u64 = 12;
const START_AT: u64 = 28;
const CHECKED: usize = 36;

/// How much room a file begins with.
const ROOM_FIRST: u64 = 256 << 10;
/// How much it grows by at most.
const ROOM_MOST: u64 = 8 << 20;

static ZEROS: [u8; 1 << 20] = [0; 1 << 20];

/// What tells a store from others.
pub type StoreId = [u8; 16];

/// Returns the path of the file whose first frame is at `start`.
pub(super) fn path(start: Lsn) -> String {
    format!("{FOLDER}/{start:020}.log", start = start.0)
}

/// Returns where a place lies in the file that begins at `start`.
pub(super) fn offset(start: Lsn, at: Lsn) -> u64 {
    HEADER_LEN.saturating_add(at.since(start))
}

/// Lists where the journal's files begin, in order; none if there is no journal.
pub(super) fn list(disk: &dyn Disk) -> Result<Vec<Lsn>, StoreError> {
    let names = match disk.list(FOLDER) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("cannot list", FOLDER, error)),
    };
    let start = |name: &str| {
        let digits = name.strip_suffix(".log").filter(|digits| digits.len() == 20)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok().map(Lsn))?
    };
    let mut starts: Vec<Lsn> = names.iter().filter_map(|name| start(&name.name)).collect();
    starts.sort_unstable();
    Ok(starts)
}

/// Tells whether a file's header is whole; it may not be, where a crash came before the file's first frame.
///
/// # Errors
///
/// A header that is whole and another store's, another file's, or another version's.
pub(super) fn has_header(
    disk: &dyn Disk,
    store_id: Option<StoreId>,
    start: Lsn,
) -> Result<bool, StoreError> {
    let path = path(start);
    let bytes = disk
        .read_at(&path, 0, CHECKED + 8)
        .map_err(|error| StoreError::io("cannot read", &path, error))?;
    let Some((checked, checksum)) = bytes.split_at_checked(CHECKED) else { return Ok(false) };
    let whole = checksum == crc(checked).to_le_bytes() && checked.starts_with(&MAGIC);
    if !whole {
        return Ok(false);
    }
    let version = u32::from_le_bytes(array(checked, MAGIC.len()));
    if version != VERSION {
        return Err(StoreError::TooNew { path, version, known: VERSION });
    }
    if store_id.is_some_and(|id| id != array(checked, 12)) {
        return Err(StoreError::damaged(&path, STORE_AT, "the file is another store's"));
    }
    let said = Lsn(u64::from_le_bytes(array(checked, 28)));
    if said != start {
        let fault = format!("the file begins at {said}, which is not its name");
        return Err(StoreError::damaged(&path, START_AT, fault));
    }
    Ok(true)
}

fn header(store_id: StoreId, start: Lsn) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&store_id);
    header.extend_from_slice(&start.0.to_le_bytes());
    header.extend_from_slice(&crc(&header).to_le_bytes());
    header
}

fn crc(bytes: &[u8]) -> u64 {
    crc_fast::checksum(CrcAlgorithm::Crc64Nvme, bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|place| bytes.get(at + place).copied().unwrap_or(0))
}

/// A file that fails for ever once it has failed: whoever comes next must not find that all is well, before whoever saw the
/// failure could say so.
#[derive(Debug)]
pub(super) struct Failing {
    file: Box<dyn DiskFile>,
    failed: Option<io::ErrorKind>,
}

impl Failing {
    fn try_to(&mut self, work: impl FnOnce(&mut dyn DiskFile) -> io::Result<()>) -> io::Result<()> {
        if let Some(kind) = self.failed {
            return Err(kind.into());
        }
        let done = work(&mut *self.file);
        self.failed = done.as_ref().err().map(io::Error::kind);
        done
    }
}

impl DiskFile for Failing {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.try_to(|file| file.write_at(offset, bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.try_to(|file| file.sync())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.try_to(|file| file.set_len(len))
    }
}

/// Whoever holds it makes the file stable. A handle of its own: a sync keeps nobody from writing to the file.
pub(super) type Syncer = Arc<Mutex<Failing>>;

/// A file that frames are written to.
#[derive(Debug)]
pub(super) struct LogFile {
    file: Box<dyn DiskFile>,
    /// Makes it stable.
    pub(super) syncer: Syncer,
    /// Where its first frame is.
    pub(super) start: Lsn,
    /// Its path.
    pub(super) path: String,
    /// How long it is, the zeros counted.
    pub(super) room: u64,
    file_bytes: u64,
}

impl LogFile {
    /// Makes the file that begins at `start`; when it returns, file and name are stable. What fails leaves no name.
    pub(super) fn create(
        disk: &dyn Disk,
        store_id: StoreId,
        start: Lsn,
        file_bytes: u64,
    ) -> Result<Self, StoreError> {
        let path = path(start);
        let failed = match Self::make(disk, store_id, start, file_bytes) {
            Ok(made) => return Ok(made),
            Err(failed) => failed,
        };
        match disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io("cannot remove", &path, error));
            }
            _ => {}
        }
        // The file before may go on: after a crash this name would say that it ended here.
        disk.sync_folder(FOLDER).map_err(|error| StoreError::io("cannot sync", FOLDER, error))?;
        Err(failed)
    }

    fn make(
        disk: &dyn Disk,
        store_id: StoreId,
        start: Lsn,
        file_bytes: u64,
    ) -> Result<Self, StoreError> {
        let path = path(start);
        let file =
            disk.create(&path).map_err(|error| StoreError::no_room(&path, HEADER_LEN, error))?;
        let mut made = Self::opened(disk, file, start, file_bytes)?;
        let header = header(store_id, start);
        let written = made.file.write_at(0, &header);
        written.map_err(|error| StoreError::no_room(&path, HEADER_LEN, error))?;
        made.room = HEADER_LEN;
        made.make_room(start.plus(1))?;
        // Before any frame: whoever finds frames may take it that the header was whole.
        made.sync()?;
        // The name, too: frames that were synced are lost with it.
        disk.sync_folder(FOLDER).map_err(|error| StoreError::io("cannot sync", FOLDER, error))?;
        Ok(made)
    }

    /// Goes on in the file that begins at `start`, behind `range`: what may be there without being stable. When it returns,
    /// that is stable, and nothing is behind it.
    pub(super) fn open(
        disk: &dyn Disk,
        store_id: StoreId,
        start: Lsn,
        range: Range<Lsn>,
        file_bytes: u64,
    ) -> Result<Self, StoreError> {
        let path = path(start);
        let file = disk.open(&path).map_err(|error| StoreError::io("cannot open", &path, error))?;
        let mut opened = Self::opened(disk, file, start, file_bytes)?;
        opened.write(0, &header(store_id, start))?;
        opened.write_again(disk, offset(start, range.start), offset(start, range.end))?;
        opened.cut(range.end)?;
        // Before the next frame: frames that were read may never have been synced, and what was behind them must not come
        // back behind what will be written.
        opened.sync()?;
        Ok(opened)
    }

    fn opened(
        disk: &dyn Disk,
        file: Box<dyn DiskFile>,
        start: Lsn,
        file_bytes: u64,
    ) -> Result<Self, StoreError> {
        let path = path(start);
        let syncer =
            disk.open(&path).map_err(|error| StoreError::io("cannot open", &path, error))?;
        let syncer = Arc::new(Mutex::new(Failing { file: syncer, failed: None }));
        Ok(Self { file, syncer, start, path, room: 0, file_bytes })
    }

    /// Writes what is there once more: after a sync that failed, the operating system may hold for written what it only
    /// remembers, and the next sync would leave it out.
    fn write_again(&mut self, disk: &dyn Disk, from: u64, until: u64) -> Result<(), StoreError> {
        let mut at = from;
        while at < until {
            let len = usize::try_from(until - at).map_or(ZEROS.len(), |len| len.min(ZEROS.len()));
            let bytes = disk
                .read_at(&self.path, at, len)
                .map_err(|error| StoreError::io("cannot read", &self.path, error))?;
            if bytes.is_empty() {
                return Err(StoreError::damaged(&self.path, at, "the file became shorter"));
            }
            self.write(at, &bytes)?;
            at += bytes.len() as u64;
        }
        Ok(())
    }

    /// Makes sure that there is room up to `end`; the only thing that meets a full disk.
    pub(super) fn make_room(&mut self, end: Lsn) -> Result<(), StoreError> {
        let needed = offset(self.start, end);
        if needed <= self.room {
            return Ok(());
        }
        let most = self.file_bytes.min(ROOM_MOST);
        let ahead = self.room + (self.room / 4).clamp(ROOM_FIRST.min(most), most);
        match self.fill(needed.max(ahead)) {
            // Where there is no room ahead, there may be enough for this frame.
            Err(StoreError::Full { .. }) if needed < ahead => self.fill(needed),
            filled => filled,
        }
    }

    /// Writes zeros: to make bytes stable that are there takes half the time of making a longer file stable.
    fn fill(&mut self, until: u64) -> Result<(), StoreError> {
        let mut at = self.room;
        while at < until {
            let len = usize::try_from(until - at).map_or(ZEROS.len(), |len| len.min(ZEROS.len()));
            if let Err(error) = self.file.write_at(at, &ZEROS[..len]) {
                // Without it, the zeros that found room keep it; nothing else is wrong with them.
                drop(self.file.set_len(self.room));
                return Err(StoreError::no_room(&self.path, until - self.room, error));
            }
            at += len as u64;
        }
        self.room = until;
        Ok(())
    }

    /// Writes frames at their place, for which there is room.
    pub(super) fn write_frames(&mut self, at: Lsn, frames: &[u8]) -> Result<(), StoreError> {
        self.write(offset(self.start, at), frames)
    }

    /// Takes the room behind `end` away.
    pub(super) fn cut(&mut self, end: Lsn) -> Result<(), StoreError> {
        self.room = offset(self.start, end);
        let cut = self.file.set_len(self.room);
        cut.map_err(|error| StoreError::io("cannot cut", &self.path, error))
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let written = self.file.write_at(at, bytes);
        written.map_err(|error| StoreError::io("cannot write", &self.path, error))
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        let synced = self.file.sync();
        synced.map_err(|error| StoreError::io("cannot sync", &self.path, error))
    }
}
