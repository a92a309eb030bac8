//! Why a store refuses: the facts in fields, the words in `Display`.

use std::io;
use std::sync::Arc;

/// Why a store refuses.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// What was read is not what was written.
    #[error(
        "{path} is damaged at byte {offset}: {fault}; `shardstream repair` keeps what can be read and says what it drops"
    )]
    Damaged {
        /// The file, within the store.
        path: String,
        /// Where the damage begins.
        offset: u64,
        /// What is wrong there.
        fault: String,
    },
    /// No room is left; nothing was stored, and what is stored stays.
    #[error(
        "the disk is full: {path} cannot grow by {bytes} bytes, and nothing of this call was stored; make room and try again"
    )]
    Full {
        /// The file that was to grow.
        path: String,
        /// By how much.
        bytes: u64,
    },
    /// The operating system refuses.
    #[error("{action} {path}: {error}")]
    Io {
        /// What was tried, as in `cannot read`.
        action: &'static str,
        /// The file or folder.
        path: String,
        /// What the operating system says.
        error: Arc<io::Error>,
    },
    /// The store was closed while this was on its way.
    #[error("the store was closed meanwhile; nothing of this call was stored")]
    Closed,
    /// Another process writes.
    #[error("{path} is written by {holder}: close it there, or open it with read_only=True")]
    Locked {
        /// The store.
        path: String,
        /// Who: its process, its machine, and since when.
        holder: String,
    },
    /// The store was opened by this process's parent.
    #[error(
        "this engine was opened by process {opener} and cannot be used after fork() in process {process}: open it again here, with read_only=True while {opener} writes"
    )]
    Forked {
        /// The process that opened it.
        opener: u32,
        /// This one.
        process: u32,
    },
    /// A write or sync failed before: what is on the disk is not known.
    #[error(
        "the store takes no writes since one failed ({cause}); reads go on: close it, mend the disk and open it again"
    )]
    Poisoned {
        /// What failed.
        cause: String,
    },
    /// The store was opened to be read.
    #[error("the store was opened with read_only=True: {action} is for its writer")]
    ReadOnly {
        /// What was asked.
        action: &'static str,
    },
    /// A newer program wrote the store.
    #[error(
        "{path} has format version {version}; this program reads up to version {known}: use a newer shardstream"
    )]
    TooNew {
        /// The file.
        path: String,
        /// Its version.
        version: u32,
        /// The newest that is known.
        known: u32,
    },
}

impl StoreError {
    /// Names what was tried on a file when the operating system refused.
    pub fn io(action: &'static str, path: &str, error: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), error: Arc::new(error) }
    }

    /// Whether a sync failed: what it was to make stable may be lost, though later ones succeed.
    pub fn is_of_sync(&self) -> bool {
        matches!(self, Self::Io { action: "cannot sync", .. })
    }

    /// Says why a file did not grow: no room is left, on the disk, for this user or in this file; or anything else.
    pub fn no_room(path: &str, bytes: u64, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::FileTooLarge
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::StorageFull => Self::Full { path: path.to_owned(), bytes },
            _ => Self::io("cannot write", path, error),
        }
    }

    /// Names damage and where it is.
    pub fn damaged(path: &str, offset: u64, fault: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), offset, fault: fault.into() }
    }
}

impl PartialEq for StoreError {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}
