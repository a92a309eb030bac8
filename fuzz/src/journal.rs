//! The journal: whatever became of its bytes, only frames are read that were written where they lie, and what was said to be
//! stable is not lost without a word.

use shardstream::store::Frame;
use shardstream::store::Lsn;
use shardstream::store::StoreError;
use shardstream::store::journal;

use super::folder::Folder;
use super::given::Given;

const STORE: [u8; 16] = [7; 16];
const HEADER_LEN: usize = 44;

/// What the target does with its bytes.
pub fn run(bytes: &[u8]) {
    read_raw(bytes.to_vec());
    read_raw([header(0), bytes.to_vec()].concat());
    let mut given = Given(bytes);
    let written = Written::new(&mut given);
    let mut folder = written.folder.clone();
    while !given.is_used_up() {
        change(&mut folder, &mut given);
    }
    written.check_read(&folder);
    written.check_salvage(&folder);
}

/// A frame that was written.
#[derive(Debug)]
struct Put {
    at: u64,
    kind: u8,
    body: Vec<u8>,
    synced: u64,
    path: String,
    offset: usize,
    len: usize,
}

impl Put {
    fn is(&self, frame: &Frame) -> bool {
        let end = self.at + self.len as u64;
        (frame.at, frame.end, frame.kind) == (Lsn(self.at), Lsn(end), self.kind)
            && frame.body == self.body
    }
}

/// A journal as the format says it.
#[derive(Debug, Default)]
struct Written {
    folder: Folder,
    puts: Vec<Put>,
}

impl Written {
    fn new(given: &mut Given<'_>) -> Self {
        let mut written = Self::default();
        let (mut at, mut synced) = (0, 0);
        let mut path = written.begin_file(0);
        for _ in 0..given.byte() % 12 {
            let (choice, kind) = (given.byte(), given.byte());
            let body = given.bytes(64).to_vec();
            if choice % 4 == 0 && at != 0 {
                path = written.begin_file(at);
            }
            // The files before are stable; so may be what is before it in its own.
            if choice % 4 < 2 {
                synced = at;
            }
            let bytes = encoded(at, kind, synced, &body);
            let file = written.folder.0.entry(path.clone()).or_default();
            let (offset, len) = (file.len(), bytes.len());
            file.extend(bytes);
            written.puts.push(Put { at, kind, body, synced, path: path.clone(), offset, len });
            at += len as u64;
        }
        let last = written.folder.0.entry(path).or_default();
        last.resize(last.len() + usize::from(given.byte()), 0);
        written
    }

    fn begin_file(&mut self, start: u64) -> String {
        let path = format!("@journal/{start:020}.log");
        self.folder.0.insert(path.clone(), header(start));
        path
    }

    /// Tells whether a frame is still there as it was written.
    fn is_whole(&self, put: &Put, folder: &Folder) -> bool {
        let range = put.offset..put.offset + put.len;
        let now = folder.0.get(&put.path).and_then(|file| file.get(range.clone()));
        now.is_some_and(|now| now == &self.folder.0[&put.path][range])
    }

    fn check_read(&self, folder: &Folder) {
        let mut frames = Vec::new();
        let end = journal::read(folder, STORE, Lsn(0), &mut |frame| {
            frames.push(frame);
            Ok(())
        });
        assert!(frames.len() <= self.puts.len(), "{frames:?}");
        assert!(self.puts.iter().zip(&frames).all(|(put, frame)| put.is(frame)), "{frames:?}");
        let lost = &self.puts[frames.len()..];
        match end {
            Ok(end) => {
                let behind = self.puts.last().map_or(0, |put| put.at + put.len as u64);
                assert_eq!(end.at, Lsn(lost.first().map_or(behind, |put| put.at)));
                // Who says of it that it was stable would be believed.
                let bad = lost.first().map_or(u64::MAX, |put| put.at);
                let witness = |put: &Put| bad < put.synced && self.is_whole(put, folder);
                assert!(!lost.iter().any(witness), "{lost:?}");
            }
            Err(StoreError::Damaged { .. }) => assert_ne!(folder.0, self.folder.0),
            Err(error) => panic!("{error}"),
        }
    }

    fn check_salvage(&self, folder: &Folder) {
        let mut frames = Vec::new();
        let damages = journal::salvage(folder, Some(STORE), &mut |frame| {
            frames.push(frame);
            Ok(())
        });
        let whole: Vec<&Put> = self.puts.iter().filter(|put| self.is_whole(put, folder)).collect();
        assert_eq!(frames.len(), whole.len(), "{frames:?} {whole:?}");
        assert!(whole.iter().zip(&frames).all(|(put, frame)| put.is(frame)), "{frames:?}");
        let (damages, _) = damages.expect("a folder can be read");
        assert!(!damages.is_empty() || whole.len() == self.puts.len() || self.is_cut(folder));
    }

    /// Tells whether what is lost left no trace: the journal begins behind it, as if it were forgotten, or ends before it.
    fn is_cut(&self, folder: &Folder) -> bool {
        let oldest = folder.0.keys().next();
        let kept =
            self.puts.iter().skip_while(|put| oldest.is_none_or(|oldest| put.path < *oldest));
        let mut lost = kept.skip_while(|put| self.is_whole(put, folder));
        let gone = |put: &Put| {
            let file = folder.0.get(&put.path).and_then(|file| file.get(put.offset..));
            file.is_none_or(|rest| rest.iter().all(|byte| *byte == 0))
        };
        lost.all(gone)
    }
}

/// Something that may become of a journal.
fn change(folder: &mut Folder, given: &mut Given<'_>) {
    let (choice, file) = (given.byte(), usize::from(given.byte()));
    let place = usize::from(given.byte()) * 4 + usize::from(given.byte() % 4);
    let Some(path) = folder.0.keys().nth(file % folder.0.len().max(1)).cloned() else { return };
    let bytes = folder.0.entry(path.clone()).or_default();
    match choice % 8 {
        0 => drop(folder.0.remove(&path)),
        1 => bytes.truncate(place),
        2 => {
            let end = bytes.len().min(place + 16);
            bytes[place.min(end)..end].fill(0);
        }
        3 => bytes.extend_from_slice(given.bytes(64)),
        _ => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte = given.byte();
            }
        }
    }
}

/// Reads any bytes as a file: what is read has the checksum that it must have.
fn read_raw(file: Vec<u8>) {
    let path = "@journal/00000000000000000000.log".to_owned();
    let folder = Folder([(path, file.clone())].into());
    let mut check = |frame: Frame| {
        let offset = |lsn: Lsn| HEADER_LEN + usize::try_from(lsn.0).expect("within the file");
        let bytes = &file[offset(frame.at)..offset(frame.end)];
        let checked = [&frame.at.0.to_le_bytes(), &bytes[12..]].concat();
        assert_eq!(bytes[4..12], crc64(&checked).to_le_bytes());
        assert_eq!(frame.body, bytes[25..]);
        Ok(())
    };
    for read in [
        journal::read(&folder, STORE, Lsn(0), &mut check).map(drop),
        journal::salvage(&folder, None, &mut check).map(drop),
    ] {
        let expected = |error: &StoreError| {
            matches!(error, StoreError::Damaged { .. } | StoreError::TooNew { .. })
        };
        assert!(read.as_ref().err().is_none_or(expected), "{read:?}");
    }
}

fn header(start: u64) -> Vec<u8> {
    let mut header = b"\xf5ssjrnl\n\x01\0\0\0".to_vec();
    header.extend(STORE);
    header.extend(start.to_le_bytes());
    header.extend(crc64(&header).to_le_bytes());
    header
}

fn encoded(at: u64, kind: u8, synced: u64, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).expect("bodies are short");
    let mut checked = [&len.to_le_bytes()[..], &[kind], &synced.to_le_bytes(), body].concat();
    let checksum = crc64(&[&at.to_le_bytes(), &checked[..]].concat());
    let mut frame = b"\xf5sf\xf6".to_vec();
    frame.extend(checksum.to_le_bytes());
    frame.append(&mut checked);
    frame
}

/// CRC-64/NVME, bit by bit.
fn crc64(bytes: &[u8]) -> u64 {
    let shift = |crc: u64| (crc >> 1) ^ (0x9a6c_9329_ac4b_c9b5 & (crc & 1).wrapping_neg());
    !bytes
        .iter()
        .fold(u64::MAX, |crc, byte| (0..8).fold(crc ^ u64::from(*byte), |crc, _| shift(crc)))
}
