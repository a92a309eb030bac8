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
    /// A clock that its user moves.
    Manual(Arc<ManualClock>),
    /// The machine's clock.
    System,
}

/// How long nothing is looked at where somebody may move time without a word.
const HELD_LOOK: Duration = Duration::from_millis(20);

impl Clock {
    /// Returns the time.
    pub fn now(&self) -> Millis {
        match self {
            Self::Manual(clock) => clock.now(),
            Self::System => system_now(),
        }
    }

    /// Tells whether time stands still until somebody moves it.
    pub fn is_still(&self) -> bool {
        match self {
            Self::Manual(clock) => clock.is_still(),
            Self::System => false,
        }
    }

    /// Returns how long to wait for a time at most before looking again; not at all where whoever moves it rings a bell.
    pub fn pause(&self, until: Millis) -> Option<Duration> {
        if let Self::Manual(clock) = self {
            if clock.held().is_some() {
                return Some(HELD_LOOK);
            }
            if clock.is_still() {
                return None;
            }
        }
        Some(Duration::from_millis(u64::try_from(until.since(self.now())).unwrap_or(0)))
    }

    /// Waits `duration`, and tells whether time passed by waiting: a clock that stands still does not wait.
    pub fn wait(&self, duration: Duration) -> bool {
        if self.is_still() {
            return false;
        }
        #[expect(clippy::disallowed_methods, reason = "the one place that waits")]
        std::thread::sleep(duration);
        true
    }

    /// Lets time pass: a clock that stands still is moved on, and any other is waited for.
    pub fn pass(&self, duration: Duration) {
        match self {
            // Whoever holds time moves it.
            Self::Manual(clock) if clock.held().is_some() => {}
            Self::Manual(clock) if clock.is_still() => {
                clock.advance(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
            }
            _ => drop(self.wait(duration)),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's time")]
fn system_now() -> Millis {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // A machine set before 1970 reads as 1970: no stream lived then.
    Millis(since_epoch.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
}

/// What holds time somewhere else, for as long as it does.
pub type Holder = dyn Fn() -> Option<Millis> + Send + Sync;

/// A clock in its user's hand: it stands still until it is moved, or runs until it is frozen, and never goes back.
pub struct ManualClock {
    /// Its hand, packed, so that nobody reads half of a change.
    hand: AtomicI64,
    /// Somebody else's time, which goes before its own.
    holder: Option<Box<Holder>>,
    bell: Bell,
}

/// How a clock tells its time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Hand {
    /// It stands at a time.
    Still(i64),
    /// It is so far ahead of the machine's clock.
    Ahead(i64),
}

impl Hand {
    fn packed(self) -> i64 {
        match self {
            Self::Still(ms) => ms.clamp(i64::MIN >> 1, i64::MAX >> 1) << 1,
            Self::Ahead(ms) => ms.clamp(i64::MIN >> 1, i64::MAX >> 1) << 1 | 1,
        }
    }

    fn unpacked(packed: i64) -> Self {
        if packed & 1 == 0 { Self::Still(packed >> 1) } else { Self::Ahead(packed >> 1) }
    }

    fn now(self) -> i64 {
        match self {
            Self::Still(ms) => ms,
            Self::Ahead(ms) => system_now().0.saturating_add(ms),
        }
    }

    fn moved(self, duration_ms: i64) -> Self {
        match self {
            Self::Still(ms) => Self::Still(ms.saturating_add(duration_ms)),
            Self::Ahead(ms) => Self::Ahead(ms.saturating_add(duration_ms)),
        }
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ManualClock").field("hand", &self.hand()).finish_non_exhaustive()
    }
}

impl ManualClock {
    /// It stands before the year 2400: sequence numbers, which count seconds, end in 2477.
    pub const END: Millis = Millis(13_569_465_600_000);

    /// Makes a clock that stands at `start`.
    pub fn new(start: Millis) -> Self {
        let hand = AtomicI64::new(Hand::Still(start.0).packed());
        Self { hand, holder: None, bell: Bell::default() }
    }

    /// Goes by somebody else's time whenever there is one.
    #[must_use]
    pub fn held_by(self, holder: Box<Holder>) -> Self {
        Self { holder: Some(holder), ..self }
    }

    fn hand(&self) -> Hand {
        Hand::unpacked(self.hand.load(Ordering::SeqCst))
    }

    /// Moves the hand, rings, and returns the time.
    fn turn(&self, turned: impl Fn(Hand) -> Hand) -> Millis {
        let turn = |packed| Some(turned(Hand::unpacked(packed)).packed());
        let before = self.hand.fetch_update(Ordering::SeqCst, Ordering::SeqCst, turn);
        let before = before.expect("the update always gives a value");
        self.bell.ring();
        Millis(turned(Hand::unpacked(before)).now())
    }

    /// Returns the time.
    pub fn now(&self) -> Millis {
        self.held().unwrap_or_else(|| Millis(self.hand().now()))
    }

    /// Returns somebody else's time, if that holds now.
    pub fn held(&self) -> Option<Millis> {
        self.holder.as_ref().and_then(|holder| holder())
    }

    /// Tells whether it stands still until somebody moves it.
    pub fn is_still(&self) -> bool {
        matches!(self.hand(), Hand::Still(_)) || self.held().is_some()
    }

    /// Moves on by `duration_ms`, which is not negative, and returns the new time.
    pub fn advance(&self, duration_ms: i64) -> Millis {
        assert!(0 <= duration_ms, "a clock does not go back");
        self.turn(|hand| hand.moved(duration_ms))
    }

    /// Moves to `time` unless the clock is already past it, and returns where it stands.
    pub fn advance_to(&self, time: Millis) -> Millis {
        self.turn(|hand| match hand {
            Hand::Still(ms) => Hand::Still(ms.max(time.0)),
            Hand::Ahead(_) => hand.moved(time.0.saturating_sub(hand.now()).max(0)),
        })
    }

    /// Lets it run from where it stands, as fast as the machine's clock does.
    pub fn run(&self) -> Millis {
        self.turn(|hand| match hand {
            Hand::Still(ms) => Hand::Ahead(ms.saturating_sub(system_now().0)),
            Hand::Ahead(_) => hand,
        })
    }

    /// Stops it where it stands.
    pub fn freeze(&self) -> Millis {
        self.turn(|hand| Hand::Still(hand.now()))
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
    fn clock_that_runs_goes_on_from_where_it_stood_and_stops_where_it_is() {
        let clock = ManualClock::new(Millis(1_000));
        let before = system_now();
        clock.run();
        let (first, second) = (clock.now(), clock.advance(5_000));
        assert!(Millis(1_000) <= first && first.plus(5_000) <= second);
        assert!(second.since(Millis(1_000)) <= 5_000 + system_now().since(before));
        assert!(!Clock::Manual(Arc::new(clock)).is_still());
        let clock = ManualClock::new(Millis(7_000));
        clock.run();
        let stopped = clock.freeze();
        assert_eq!((clock.now(), clock.is_still()), (stopped, true));
        assert!(Millis(7_000) <= stopped);
    }

    #[test]
    fn clock_goes_by_the_time_of_whoever_holds_it() {
        let held = Arc::new(AtomicI64::new(-1));
        let told = Arc::clone(&held);
        let holder = move || Some(told.load(Ordering::SeqCst)).filter(|ms| 0 <= *ms).map(Millis);
        let clock = Arc::new(ManualClock::new(Millis(9_000)).held_by(Box::new(holder)));
        clock.run();
        held.store(5, Ordering::SeqCst);
        assert_eq!((clock.now(), clock.is_still()), (Millis(5), true));
        assert_eq!(Clock::Manual(Arc::clone(&clock)).pause(Millis(9)), Some(HELD_LOOK));
        Clock::Manual(Arc::clone(&clock)).pass(Duration::from_secs(3_600));
        held.store(-1, Ordering::SeqCst);
        assert!(
            Millis(9_000) <= clock.now() && clock.now() < Millis(3_600_000) && !clock.is_still()
        );
    }

    #[test]
    fn time_that_stands_still_is_passed_by_moving_it() {
        let clock = Arc::new(ManualClock::new(Millis(1_000)));
        Clock::Manual(Arc::clone(&clock)).pass(Duration::from_millis(250));
        assert_eq!(clock.now(), Millis(1_250));
        assert_eq!(Clock::Manual(clock).pause(Millis(9_999)), None);
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
