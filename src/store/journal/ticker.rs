//! The thread that makes a journal stable from time to time, while nobody waits for it.

use std::fmt;
use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use super::group::Group;
use crate::clock::Bell;

/// How long frames wait to be made stable: with a sync on either side, a tenth of a second at most on a disk that is well.
const LONGEST: Duration = Duration::from_millis(50);
/// How long the thread sleeps if nothing wakes it.
const LONG: Duration = Duration::from_secs(3600);

/// Makes a journal stable at most a tenth of a second after its first frame that is not.
pub(super) struct Ticker {
    wake: Arc<Wake>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Wake {
    bell: Bell,
    is_over: AtomicBool,
}

impl Ticker {
    /// Begins; the thread ends with the ticker.
    pub(super) fn begin(group: Arc<Group>) -> io::Result<Self> {
        let wake = Arc::new(Wake::default());
        let woken = Arc::clone(&wake);
        let thread = thread::Builder::new().name("shardstream-journal".to_owned());
        let thread = thread.spawn(move || tick(&group, &woken))?;
        Ok(Self { wake, thread: Some(thread) })
    }

    /// Tells that there is a frame that is not stable, and was none before.
    pub(super) fn wake(&self) {
        self.wake.bell.ring();
    }

    /// Leaves the thread alone: after a fork it is not in this process, and nothing of it may be touched.
    pub(super) fn forget(&mut self) {
        mem::forget(self.thread.take());
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.wake.is_over.store(true, Ordering::SeqCst);
        self.wake.bell.ring();
        // It fails only if the thread panicked, which has been said.
        drop(thread.join());
    }
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticker").finish_non_exhaustive()
    }
}

fn tick(group: &Group, wake: &Wake) {
    loop {
        let rings = wake.bell.rings();
        if wake.is_over.load(Ordering::SeqCst) {
            return;
        }
        let (end, synced) = group.look(|writer| (writer.end(), writer.synced()));
        if end == synced || group.check().is_err() {
            wake.bell.wait(rings, LONG);
            continue;
        }
        wake.bell.wait(rings, LONGEST);
        // Who writes next is told if it fails.
        drop(group.make_stable(end.max(synced)));
    }
}
