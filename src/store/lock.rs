//! One writer: a lock that names who holds it, ends with its process, and does not follow it through `fork`.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io;
use std::io::Read;
use std::io::Seek;
use std::io::Write;
use std::path::Path;
use std::process;

use serde::Deserialize;
use serde::Serialize;

use crate::clock::Millis;
use crate::store::StoreError;

/// The file that is locked, within the store.
const NAME: &str = "@lock";
/// What is read of it at most: it is written by us, but anything may stand there.
const LINE_BYTES_MAX: u64 = 4096;

/// The right to write a store, for as long as it is there.
///
/// The operating system keeps the lock with the open file, not with its name: it ends with the last process that has the
/// file open, however that process ends, so a crash leaves nothing to clean up. A child made by `fork` has the file open,
/// too.
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// The process that took it, which is the only one that may write.
    opener: u32,
}

impl Lock {
    /// Takes the lock of the store in a folder, or says who has it.
    pub fn take(root: &Path, now: Millis) -> Result<Self, StoreError> {
        let path = root.join(NAME);
        let failed = |action| {
            let path = path.display().to_string();
            move |error| StoreError::io(action, &path, error)
        };
        let mut options = OpenOptions::new();
        // Not emptied: what stands there says who has it.
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(failed("cannot open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(root, &file)),
            Err(TryLockError::Error(error)) => return Err(failed("cannot lock")(error)),
        }
        // Not synced: the line speaks of a process that would not survive the crash either. On a full disk it may not be
        // written, and others are told less: that keeps nobody from opening the store and making room.
        let _ = Holder::this(now).write(&mut file);
        Ok(Self { file, opener: process::id() })
    }

    /// Refuses a child of the process that took the lock: both would write, and each would believe to be alone.
    pub fn check_process(&self) -> Result<(), StoreError> {
        let process = process::id();
        if process == self.opener {
            return Ok(());
        }
        Err(StoreError::Forked { opener: self.opener, process })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Given back here, not by closing alone: children that have the file open, too, would keep it for as long as they
        // live. For the same reason a child gives back nothing: it would take the lock from its parent.
        if process::id() == self.opener {
            // What cannot be given back ends with the process.
            let _ = self.file.unlock();
        }
    }
}

/// Who holds a lock, as one line of its file.
#[derive(Debug, Deserialize, Serialize)]
struct Holder {
    pid: u32,
    host: String,
    since: String,
}

impl Holder {
    fn this(now: Millis) -> Self {
        Self { pid: process::id(), host: host(), since: now.to_string() }
    }

    fn write(&self, file: &mut File) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        // Emptied first: who looks in between finds nobody, not who held it before.
        file.set_len(0)?;
        file.write_all(&line)
    }

    /// Reads who holds it; none where its file does not say, as when it was taken just now.
    fn read(mut file: &File) -> Option<Self> {
        let mut line = Vec::new();
        file.rewind().ok()?;
        file.take(LINE_BYTES_MAX).read_to_end(&mut line).ok()?;
        serde_json::from_slice(&line).ok()
    }

    /// Whether the process is known to have ended: only one of this machine, and where the system lists them.
    fn has_ended(&self) -> bool {
        let listed = Path::new("/proc/self").exists();
        listed && self.host == host() && !Path::new(&format!("/proc/{}", self.pid)).exists()
    }
}

fn locked(root: &Path, file: &File) -> StoreError {
    let holder = match Holder::read(file) {
        None => "another process".to_owned(),
        Some(holder) => {
            let ended = holder.has_ended();
            let Holder { pid, host, since } = holder;
            let process = format!("process {pid} on {host} since {since}");
            if ended { format!("a child of {process}, which has ended") } else { process }
        }
    };
    StoreError::Locked { path: root.display().to_string(), holder }
}

/// Returns the machine's name.
fn host() -> String {
    let told = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let told = told.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    told.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests;
