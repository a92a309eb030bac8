//! Threads that linger: after an answer to its only client, if that asks at once again, a thread looks for the next
//! request for a moment before it sleeps.
//!
//! Waking a core that sleeps takes longer than a small request does. A client that takes its time is never lingered for,
//! and whoever else has work to do on the core goes first.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How soon after an answer the next request comes from a client that is worth lingering for.
const BRISK: Duration = Duration::from_micros(120);
/// How long a thread lingers.
const MOMENT: Duration = Duration::from_micros(60);

/// What the connections of a thread share.
#[derive(Clone, Debug, Default)]
pub(super) struct Linger(Arc<State>);

#[derive(Debug, Default)]
struct State {
    connections: AtomicUsize,
    pace: Mutex<Pace>,
    begins: Notify,
}

/// One connection of a thread.
#[derive(Debug)]
pub(super) struct Turns(Arc<State>);

/// How clients take turns with the thread.
#[derive(Debug, Default)]
struct Pace {
    answered: Option<Instant>,
    is_brisk: bool,
}

impl Pace {
    fn asked(&mut self, now: Instant) {
        self.is_brisk = self.answered.take().is_some_and(|answered| now - answered < BRISK);
    }

    /// Tells whether the next request is worth lingering for.
    fn answered(&mut self, now: Instant) -> bool {
        self.answered = Some(now);
        self.is_brisk
    }
}

impl Turns {
    /// A request came.
    pub(super) fn asked(&self) {
        self.0.pace.lock().asked(Instant::now());
    }

    /// A request was answered.
    pub(super) fn answered(&self) {
        let is_brisk = self.0.pace.lock().answered(Instant::now());
        // Where there are several, one of them has something to say, or needs the core to say it.
        if is_brisk && self.0.connections.load(Ordering::Relaxed) == 1 {
            self.0.begins.notify_one();
        }
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Linger {
    /// A connection begins.
    pub(super) fn begin(&self) -> Turns {
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        Turns(Arc::clone(&self.0))
    }

    /// Lingers whenever it is worth it, for ever.
    pub(super) async fn run(self) {
        loop {
            self.0.begins.notified().await;
            let until = Instant::now() + MOMENT;
            // Each turn looks at the sockets once.
            while Instant::now() < until {
                std::thread::yield_now();
                tokio::task::yield_now().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn one_connection_is_lingered_for_and_of_several_none() {
        let linger = Linger::default();
        let begins = || tokio::time::timeout(Duration::ZERO, linger.0.begins.notified());
        linger.0.pace.lock().is_brisk = true;
        let first = linger.begin();
        first.answered();
        assert!(begins().await.is_ok());
        let second = linger.begin();
        first.answered();
        assert!(begins().await.is_err());
        drop(second);
        first.answered();
        assert!(begins().await.is_ok());
    }

    #[test]
    fn a_client_is_lingered_for_that_asked_at_once_after_its_last_answer() {
        let start = Instant::now();
        let at = |us| start + Duration::from_micros(us);
        let mut pace = Pace::default();
        pace.asked(at(0));
        assert!(!pace.answered(at(10)), "nothing is known of it");
        pace.asked(at(100));
        assert!(pace.answered(at(110)));
        pace.asked(at(1_110));
        assert!(!pace.answered(at(1_120)), "it took its time");
    }
}
