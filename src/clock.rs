//! Time: milliseconds since 1970, the machine's clock, and a clock that only the user moves.
//!
//! The only module that reads the machine's time, and the only one that waits.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;
use std::time::SystemTime;

use parking_lot::Condvar;
use parking_lot::Mutex;
use serde::Deserialize;
use serde::Serialize;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// Returns the whole seconds since 1970, as sequence numbers carry them; 0 before 1970.
    pub fn whole_seconds(self) -> u64 {
        u64::try_from(self.0.div_euclid(1000)).unwrap_or(0)
    }

    /// Returns this time `duration_ms` later, at the end of time where it would pass it.
    #[must_use]
    pub fn plus(self, duration_ms: i64) -> Self {
        Self(self.0.saturating_add(duration_ms))
    }

    /// Returns the milliseconds from `earlier` to this time; negative if this one is the earlier.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_) => write!(f, "{} ms since 1970", self.0),
        }
    }
}

/// Where an engine takes its time from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// A clock that moves only when told.
    Manual(Arc<ManualClock>),
    /// The machine's clock.
    System,
}

impl Clock {
    /// Returns the time.
    pub fn now(&self) -> Millis {
        match self {
            Self::Manual(clock) => clock.now(),
            Self::System => system_now(),
        }
    }

    /// Waits `duration`, and tells whether time passed by waiting: a manual clock never waits.
    pub fn wait(&self, duration: Duration) -> bool {
        match self {
            Self::Manual(_) => false,
            #[expect(clippy::disallowed_methods, reason = "the one place that waits")]
            Self::System => {
                std::thread::sleep(duration);
                true
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's time")]
fn system_now() -> Millis {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // A machine set before 1970 reads as 1970: no stream lived then.
    Millis(since_epoch.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
}

/// A clock that stands still until it is moved, and never goes back.
#[derive(Debug)]
pub struct ManualClock {
    now_ms: AtomicI64,
    bell: Bell,
}

impl ManualClock {
    /// It stands before the year 2400: sequence numbers, which count seconds, end in 2477.
    pub const END: Millis = Millis(13_569_465_600_000);

    /// Makes a clock that stands at `start`.
    pub fn new(start: Millis) -> Self {
        Self { now_ms: AtomicI64::new(start.0), bell: Bell::default() }
    }

    /// Returns the time it stands at.
    pub fn now(&self) -> Millis {
        Millis(self.now_ms.load(Ordering::SeqCst))
    }

    /// Moves on by `duration_ms`, which is not negative, and returns the new time.
    pub fn advance(&self, duration_ms: i64) -> Millis {
        assert!(0 <= duration_ms, "a clock does not go back");
        let moved = |now: i64| Some(now.saturating_add(duration_ms));
        let before = self
            .now_ms
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved)
            .expect("the update always gives a value");
        self.bell.ring();
        Millis(before.saturating_add(duration_ms))
    }

    /// Moves to `time` unless the clock is already past it, and returns where it stands.
    pub fn advance_to(&self, time: Millis) -> Millis {
        let moved = Millis(self.now_ms.fetch_max(time.0, Ordering::SeqCst).max(time.0));
        self.bell.ring();
        moved
    }

    /// Returns what rings when the clock moves.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }
}

/// Wakes those who wait for something to change: threads, and tasks of whatever runs them.
#[derive(Debug, Default)]
pub struct Bell {
    rings: Mutex<Rings>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct Rings {
    count: u64,
    /// Tasks that wait for the next one.
    tasks: Vec<Waker>,
}

impl Bell {
    /// Wakes everybody who waits.
    pub fn ring(&self) {
        let mut rings = self.rings.lock();
        rings.count += 1;
        let tasks = mem::take(&mut rings.tasks);
        drop(rings);
        self.rung.notify_all();
        tasks.into_iter().for_each(Waker::wake);
    }

    /// Returns how often the bell has rung; taken before looking, it makes `wait` and `poll` miss nothing.
    pub fn rings(&self) -> u64 {
        self.rings.lock().count
    }

    /// Tells a task whether the bell has rung more often than `seen`, and wakes it when it does.
    pub fn poll(&self, seen: u64, context: &Context<'_>) -> Poll<()> {
        let mut rings = self.rings.lock();
        if rings.count != seen {
            return Poll::Ready(());
        }
        if !rings.tasks.iter().any(|task| task.will_wake(context.waker())) {
            rings.tasks.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Waits until the bell has rung more often than `seen`, `longest` at most.
    pub fn wait(&self, seen: u64, longest: Duration) {
        let mut rings = self.rings.lock();
        if rings.count == seen {
            self.rung.wait_for(&mut rings, longest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manual_clock_moves_only_when_told() {
        let clock = ManualClock::new(Millis(1_000));
        assert_eq!(clock.now(), Millis(1_000));
        assert_eq!(clock.advance(500), Millis(1_500));
        assert_eq!(clock.now(), Millis(1_500));
    }

    #[test]
    fn manual_clock_never_goes_back() {
        let clock = ManualClock::new(Millis(1_000));
        assert_eq!(clock.advance_to(Millis(900)), Millis(1_000));
        assert_eq!(clock.advance_to(Millis(1_100)), Millis(1_100));
        assert_eq!(clock.now(), Millis(1_100));
    }

    #[test]
    fn manual_clock_does_not_wait() {
        let clock = Clock::Manual(Arc::new(ManualClock::new(Millis(0))));
        assert!(!clock.wait(Duration::from_secs(3600)));
        assert_eq!(clock.now(), Millis(0));
    }

    #[test]
    fn bell_that_rang_before_the_wait_is_not_missed() {
        let bell = Bell::default();
        let seen = bell.rings();
        bell.ring();
        bell.wait(seen, Duration::from_secs(3600));
        assert_eq!(bell.rings(), seen + 1);
    }

    #[test]
    fn time_prints_as_iso_8601() {
        assert_eq!(Millis(1_767_225_600_000).to_string(), "2026-01-01T00:00:00Z");
    }
}
