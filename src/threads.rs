//! How many threads bulk work may use, and work cut into parts for them.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

/// The environment variable that bounds threads, for users and for those who measure.
const VARIABLE: &str = "SHARDSTREAM_THREADS";

/// More threads than any machine that this runs on has cores.
const THREADS_MAX: usize = 1_024;

/// A bound on the threads that one piece of work uses at once, the caller's own among them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Threads(NonZeroUsize);

/// Why a number of threads is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{source_name} is `{value}`; give a number of threads from 1 to {THREADS_MAX}, or leave it out for one a core"
)]
pub struct ThreadsError {
    /// Where the number stood.
    pub source_name: &'static str,
    /// What stood there.
    pub value: String,
}

impl Threads {
    /// The caller's thread alone.
    pub const ONE: Self = Self(NonZeroUsize::MIN);

    /// Takes a number of threads; without one, `SHARDSTREAM_THREADS`, else a thread a core.
    ///
    /// # Errors
    ///
    /// Zero, more than any machine has, or a variable that is no number.
    pub fn new(asked: Option<usize>) -> Result<Self, ThreadsError> {
        if let Some(count) = asked {
            let refused = ThreadsError { source_name: "threads", value: count.to_string() };
            return Self::checked(count).ok_or(refused);
        }
        match std::env::var_os(VARIABLE) {
            None => Ok(Self::cores()),
            Some(text) if text.is_empty() => Ok(Self::cores()),
            Some(text) => {
                let value = text.to_string_lossy().into_owned();
                let count = value.trim().parse().ok().and_then(Self::checked);
                count.ok_or(ThreadsError { source_name: VARIABLE, value })
            }
        }
    }

    /// How many.
    pub fn count(self) -> usize {
        self.0.get()
    }

    /// Cuts `len` items into runs of at least `least` items, one a thread at most, and has `work` done on all of them at
    /// once; answers what it answered, in order of the runs.
    ///
    /// # Panics
    ///
    /// When `work` does.
    pub fn in_parts<T: Send>(
        self,
        len: usize,
        least: usize,
        work: impl Fn(Range<usize>) -> T + Sync,
    ) -> Vec<T> {
        Self::on_all(self.parts(len, least), work)
    }

    /// Cuts `len` items into runs of at least `least` items, one a thread at most; there is always one.
    pub fn parts(self, len: usize, least: usize) -> Vec<Range<usize>> {
        let count = self.count().min(len / least.max(1)).max(1);
        let bound = |part: usize| len / count * part + (len % count).min(part);
        (0..count).map(|part| bound(part)..bound(part + 1)).collect()
    }

    /// Has `work` done on all items at once, each by a thread of its own; answers what it answered, in their order.
    ///
    /// # Panics
    ///
    /// When `work` does.
    pub fn on_all<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        let work = &work;
        std::thread::scope(|scope| {
            let mut items = items.into_iter();
            let first = items.next();
            let others: Vec<_> = items.map(|item| scope.spawn(move || work(item))).collect();
            let mut answers: Vec<R> = first.map(work).into_iter().collect();
            for other in others {
                answers.push(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            answers
        })
    }

    /// Has `work` done on every item, in order, each by the thread that is free next. The caller's own thread asks `go_on`
    /// before each item it takes, and no thread takes another one after a no; tells whether all were done.
    ///
    /// # Panics
    ///
    /// When `work` does.
    pub fn on_each<T: Send>(
        self,
        items: impl ExactSizeIterator<Item = T> + Send,
        mut go_on: impl FnMut() -> bool,
        work: impl Fn(T) + Sync,
    ) -> bool {
        let others = self.count().min(items.len()).saturating_sub(1);
        let (items, stopped) = (Mutex::new(items), AtomicBool::new(false));
        let next = || items.lock().next();
        let help = || {
            while !stopped.load(Ordering::Relaxed)
                && let Some(item) = next()
            {
                work(item);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..others {
                scope.spawn(help);
            }
            loop {
                if !go_on() {
                    stopped.store(true, Ordering::Relaxed);
                    return false;
                }
                let Some(item) = next() else { return true };
                work(item);
            }
        })
    }

    fn cores() -> Self {
        Self(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }

    fn checked(count: usize) -> Option<Self> {
        NonZeroUsize::new(count).filter(|count| count.get() <= THREADS_MAX).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_all_items_once_and_in_order() {
        for threads in 1..6 {
            for len in 0..40 {
                let threads = Threads::new(Some(threads)).unwrap();
                let parts = threads.in_parts(len, 4, |part| part);
                assert!(parts.len() <= threads.count());
                assert!(parts.len() == 1 || parts.iter().all(|part| 4 <= part.len()), "{parts:?}");
                assert!(parts.into_iter().flatten().eq(0..len));
            }
        }
    }

    #[test]
    fn each_item_is_worked_on_once() {
        for threads in 1..6 {
            let threads = Threads::new(Some(threads)).unwrap();
            for len in 0..40 {
                let mut done = vec![0; len];
                assert!(threads.on_each(done.iter_mut(), || true, |done| *done += 1));
                assert_eq!(done, vec![1; len]);
            }
        }
    }

    #[test]
    fn no_item_is_begun_after_a_no() {
        for threads in 1..4 {
            let threads = Threads::new(Some(threads)).unwrap();
            let (mut looks, done) = (0, Mutex::new(0));
            let look = || {
                looks += 1;
                looks < 3
            };
            assert!(!threads.on_each(0..u32::MAX, look, |_| *done.lock() += 1));
            assert_eq!(looks, 3);
            let done = *done.lock();
            assert!(2 <= done && (threads == Threads::ONE) <= (done == 2), "{done}");
        }
    }

    #[test]
    fn no_threads_and_absurdly_many_are_refused() {
        for count in [0, THREADS_MAX + 1] {
            let error = Threads::new(Some(count)).unwrap_err();
            assert_eq!((error.source_name, error.value), ("threads", count.to_string()));
        }
    }
}
