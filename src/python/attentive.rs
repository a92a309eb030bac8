//! Work on a thread of its own, while the caller's listens for signals.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use parking_lot::Mutex;
use pyo3::prelude::*;

/// How long native code waits between two looks at signals.
pub(super) const WAIT_SLICE: Duration = Duration::from_millis(20);

/// Runs work on a thread of its own and waits for it, so that Ctrl-C is heard at once whatever the work is at.
///
/// Work that is given up is told so when it asks whether to go on; until then it goes on, and its thread ends with it.
pub(super) fn attentive<T, E>(
    py: Python<'_>,
    run: impl FnOnce(&(dyn Fn() -> bool + Sync)) -> Result<T, E> + Send + 'static,
) -> PyResult<T>
where
    T: Send + 'static,
    E: Into<PyErr> + Send + 'static,
{
    let given_up = Arc::new(AtomicBool::new(false));
    let (tell, told) = mpsc::sync_channel(1);
    let told = Mutex::new(told);
    let heard = Arc::clone(&given_up);
    let work = move || {
        let answer = run(&|| !heard.load(Ordering::Relaxed));
        // Nobody listens any more to work that was given up.
        let _ = tell.send(answer);
    };
    let worker = std::thread::Builder::new().name("shardstream-work".to_owned()).spawn(work)?;
    loop {
        match py.detach(|| told.lock().recv_timeout(WAIT_SLICE)) {
            Ok(answer) => return answer.map_err(E::into),
            Err(RecvTimeoutError::Timeout) => {
                py.check_signals().inspect_err(|_| given_up.store(true, Ordering::Relaxed))?;
            }
            // The thread is gone without an answer: its panic goes on here, as it would have without a thread.
            Err(RecvTimeoutError::Disconnected) => match worker.join() {
                Ok(()) => unreachable!("work that ends has answered"),
                Err(panic) => std::panic::resume_unwind(panic),
            },
        }
    }
}
