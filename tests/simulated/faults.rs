//! The faults that a test plans.

use std::io;

/// What goes wrong, and when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// Steps tried so far.
    pub(crate) steps: u64,
    pub(crate) crash_at: Option<u64>,
    pub(crate) fail_sync_at: Option<u64>,
    pub(crate) room_bytes: Option<u64>,
}

impl Faults {
    /// Counts a step, or refuses it.
    pub(crate) fn step(&mut self) -> io::Result<()> {
        let step = self.steps;
        self.steps += 1;
        match self.crash_at {
            Some(crash) if crash <= step => Err(io::Error::other("crashed")),
            _ => Ok(()),
        }
    }

    /// Tells whether the step that was counted last, a sync, is the one to fail.
    pub(crate) fn fails_sync(&mut self) -> bool {
        self.fail_sync_at.take_if(|planned| *planned < self.steps).is_some()
    }
}

/// What Linux answers when a sync fails: EIO.
pub(crate) fn sync_failure() -> io::Error {
    io::Error::from_raw_os_error(5)
}
