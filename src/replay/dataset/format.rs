//! What a file holds: its name proposes, its first bytes decide.

use std::fs::File;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::path::Path;

use crate::replay::dataset::error::DatasetError;

/// How many bytes are looked at to tell text from other things.
const PREFIX_BYTES: u64 = 8 * 1024;

/// The format of a dataset's file.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Format {
    /// The Arrow IPC file format (Feather 2) or stream format; the content says which.
    ArrowIpc,
    /// Comma-separated values with a header; `.tsv` files are separated by tabs.
    Csv,
    /// One JSON object per line.
    NdJson,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// The format that a file name's extension stands for.
    pub fn from_extension(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "arrow" | "arrows" | "feather" | "ipc" => Some(Self::ArrowIpc),
            "csv" | "tsv" => Some(Self::Csv),
            "json" | "jsonl" | "ndjson" => Some(Self::NdJson),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// The format that an argument names, such as `parquet`.
    pub fn from_keyword(keyword: &str) -> Option<Self> {
        match keyword {
            "arrow" => Some(Self::ArrowIpc),
            "csv" => Some(Self::Csv),
            "ndjson" => Some(Self::NdJson),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// The word that names the format in an argument.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::ArrowIpc => "arrow",
            Self::Csv => "csv",
            Self::NdJson => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// The name that people know the format by.
    pub fn name(self) -> &'static str {
        match self {
            Self::ArrowIpc => "Arrow IPC",
            Self::Csv => "CSV",
            Self::NdJson => "NDJSON",
            Self::Parquet => "Parquet",
        }
    }

    fn is_text(self) -> bool {
        match self {
            Self::Csv | Self::NdJson => true,
            Self::ArrowIpc | Self::Parquet => false,
        }
    }
}

/// Settles the format of a file: `chosen` by the caller or said by the extension, and confirmed by the content.
pub(super) fn settle(path: &Path, chosen: Option<Format>) -> Result<Format, DatasetError> {
    let prefix = Prefix::read(path)?;
    let found = prefix.binary_format(path)?;
    let Some(expected) = chosen.or_else(|| Format::from_extension(path)).or(found) else {
        let extension = path.extension().map(|name| name.to_string_lossy().into_owned());
        return Err(DatasetError::UnknownExtension { file: path.to_owned(), extension });
    };
    match found {
        Some(found) if found == expected => Ok(expected),
        Some(found) => Err(DatasetError::WrongFormat { file: path.to_owned(), found, expected }),
        None => prefix.check_text(path, expected).map(|()| expected),
    }
}

/// The beginning and end of a file.
struct Prefix {
    head: Vec<u8>,
    tail: [u8; 8],
    is_whole: bool,
}

impl Prefix {
    fn read(path: &Path) -> Result<Self, DatasetError> {
        let failed = |error| system(path, &error);
        let mut file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        if bytes == 0 {
            return Err(DatasetError::Empty { file: path.to_owned() });
        }
        let mut head = Vec::new();
        file.by_ref().take(PREFIX_BYTES).read_to_end(&mut head).map_err(failed)?;
        let mut tail = [0; 8];
        if 8 <= bytes {
            file.seek(SeekFrom::End(-8)).map_err(failed)?;
            file.read_exact(&mut tail).map_err(failed)?;
        }
        Ok(Self { is_whole: bytes <= PREFIX_BYTES, head, tail })
    }

    /// The format whose mark the file carries, when it is one of the binary ones.
    fn binary_format(&self, path: &Path) -> Result<Option<Format>, DatasetError> {
        let truncated = |format| DatasetError::Truncated { file: path.to_owned(), format };
        if self.head.starts_with(b"PAR1") {
            let is_whole = self.tail.ends_with(b"PAR1") || self.tail.ends_with(b"PARE");
            return if is_whole {
                Ok(Some(Format::Parquet))
            } else {
                Err(truncated(Format::Parquet))
            };
        }
        if self.head.starts_with(b"ARROW1") {
            let is_whole = self.tail.ends_with(b"ARROW1");
            return if is_whole {
                Ok(Some(Format::ArrowIpc))
            } else {
                Err(truncated(Format::ArrowIpc))
            };
        }
        if self.head.starts_with(&[0xff; 4]) {
            return Ok(Some(Format::ArrowIpc));
        }
        match compression(&self.head) {
            Some(compression) => {
                Err(DatasetError::Compressed { file: path.to_owned(), compression })
            }
            None => Ok(None),
        }
    }

    /// Checks that content without a mark may be what is expected.
    fn check_text(&self, path: &Path, expected: Format) -> Result<(), DatasetError> {
        let binary = |found: &str| {
            let (file, found) = (path.to_owned(), found.to_owned());
            Err(DatasetError::Binary { file, found, expected })
        };
        let text = self.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.head);
        match self.nature() {
            Nature::Binary(found) => return binary(found),
            Nature::Text if !expected.is_text() => return binary("text"),
            Nature::Text => {}
        }
        if expected == Format::NdJson && text.trim_ascii_start().starts_with(b"[") {
            return Err(DatasetError::JsonArray { file: path.to_owned() });
        }
        Ok(())
    }

    fn nature(&self) -> Nature {
        if self.head.starts_with(b"\xff\xfe") || self.head.starts_with(b"\xfe\xff") {
            return Nature::Binary("UTF-16 text (save it as UTF-8)");
        }
        if self.head.contains(&0) {
            return Nature::Binary("binary data");
        }
        match std::str::from_utf8(&self.head) {
            Ok(_) => Nature::Text,
            // The prefix may end inside of a character; only the last three bytes can belong to one.
            Err(error) if error.error_len().is_none() && !self.is_whole => Nature::Text,
            Err(_) => Nature::Binary("bytes that are not UTF-8 text"),
        }
    }
}

enum Nature {
    Binary(&'static str),
    Text,
}

fn compression(head: &[u8]) -> Option<&'static str> {
    const MARKS: [(&[u8], &str); 6] = [
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"PK\x03\x04", "zip"),
        (b"\x04\x22\x4d\x18", "lz4"),
    ];
    MARKS.iter().find(|(mark, _)| head.starts_with(mark)).map(|(_, name)| *name)
}

/// An error of the system, with the file that it is about.
pub(super) fn system(path: &Path, error: &std::io::Error) -> DatasetError {
    DatasetError::System { file: path.to_owned(), kind: error.kind(), reason: error.to_string() }
}
