//! Sums over time in bins that widen as they spread: bounded, however long the time.

use std::collections::VecDeque;
use std::ops::AddAssign;

use crate::clock::Millis;

/// How many bins of one width make one of the next: 1 ms, 2, 10, 20, 100 and so on by seconds, minutes, hours and days.
const FACTORS: [i64; 20] = [2, 5, 2, 5, 2, 5, 2, 5, 2, 3, 2, 5, 2, 3, 2, 3, 2, 2, 2, 5];

/// Sums over time, in bins of equal width that begin at multiples of it.
#[derive(Clone, Debug)]
pub struct Timeline<T> {
    bins_max: usize,
    /// How often bins were widened.
    rung: usize,
    width_ms: i64,
    /// The first bin's start, in widths.
    first: i64,
    bins: VecDeque<T>,
}

impl<T: AddAssign + Copy + Default> Timeline<T> {
    /// Makes one without anything in it, of at most so many bins.
    pub fn new(bins_max: usize) -> Self {
        assert!(8 <= bins_max, "the longest time of all fits a few bins");
        Self { bins_max, rung: 0, width_ms: 1, first: 0, bins: VecDeque::new() }
    }

    /// Adds to the bin of a time.
    pub fn add(&mut self, time: Millis, amount: T) {
        let place = self.reach(time, time);
        self.bins[place] += amount;
    }

    /// Returns how wide a bin is, in milliseconds.
    pub fn width_ms(&self) -> i64 {
        self.width_ms
    }

    /// Returns the start of the first bin, and of the first after the last; nothing where nothing was added.
    pub fn span(&self) -> Option<(Millis, Millis)> {
        let start = |bin: i64| Millis(bin.saturating_mul(self.width_ms));
        (!self.bins.is_empty()).then(|| (start(self.first), start(self.first + self.len())))
    }

    /// Makes room for a span together with what is there.
    pub fn cover(&mut self, (from, until): (Millis, Millis)) {
        self.reach(from, Millis(until.0.saturating_sub(1).max(from.0)));
    }

    /// Widens bins until they are as wide as another line's.
    pub fn widen_to(&mut self, width_ms: i64) {
        while self.width_ms < width_ms {
            self.widen();
        }
    }

    /// Sums all bins up.
    pub fn total(&self) -> T {
        let mut total = T::default();
        for &sum in &self.bins {
            total += sum;
        }
        total
    }

    /// Lists the bins with their starts.
    pub fn iter(&self) -> impl Iterator<Item = (Millis, T)> {
        let bins = (self.first..).zip(&self.bins);
        bins.map(|(bin, &sum)| (Millis(bin.saturating_mul(self.width_ms)), sum))
    }

    fn len(&self) -> i64 {
        i64::try_from(self.bins.len()).expect("a bounded number of bins")
    }

    /// Makes room from one time to another, and returns the place of the first.
    fn reach(&mut self, from: Millis, until: Millis) -> usize {
        // The very last time has none after it.
        let bin = |time: Millis, width_ms| time.0.min(i64::MAX - 1).div_euclid(width_ms);
        loop {
            let (from, until) = (bin(from, self.width_ms), bin(until, self.width_ms));
            if self.bins.is_empty() {
                self.first = from;
            }
            let first = self.first.min(from);
            let end = (self.first + self.len()).max(until + 1);
            if end.abs_diff(first) <= self.bins_max as u64 {
                while first < self.first {
                    self.bins.push_front(T::default());
                    self.first -= 1;
                }
                while self.first + self.len() < end {
                    self.bins.push_back(T::default());
                }
                return usize::try_from(from - self.first).expect("a place among the bins");
            }
            self.widen();
        }
    }

    fn widen(&mut self) {
        let factor = FACTORS.get(self.rung).copied().unwrap_or(if self.rung.is_multiple_of(2) {
            2
        } else {
            5
        });
        let first = self.first.div_euclid(factor);
        let mut bins = VecDeque::new();
        for (place, &sum) in (self.first..).zip(&self.bins) {
            let into = usize::try_from(place.div_euclid(factor) - first).expect("ascending");
            bins.resize_with(bins.len().max(into + 1), T::default);
            bins[into] += sum;
        }
        (self.first, self.bins) = (first, bins);
        self.width_ms =
            self.width_ms.checked_mul(factor).expect("few bins hold all times there are");
        self.rung += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sums(line: &Timeline<u64>) -> Vec<(i64, u64)> {
        line.iter().map(|(start, sum)| (start.0, sum)).collect()
    }

    #[test]
    fn bins_widen_to_widths_that_people_use() {
        let mut line = Timeline::<u64>::new(8);
        let mut widths = || {
            let width_ms = line.width_ms();
            line.widen();
            width_ms
        };
        let (second, minute, hour, day) = (1_000, 60_000, 3_600_000, 86_400_000);
        assert_eq!([(); 6].map(|()| widths()), [1, 2, 10, 20, 100, 200]);
        assert_eq!([(); 4].map(|()| widths() / second), [1, 2, 10, 20]);
        assert_eq!([(); 4].map(|()| widths() / minute), [1, 2, 10, 20]);
        assert_eq!([(); 4].map(|()| widths() / hour), [1, 2, 6, 12]);
        assert_eq!([(); 6].map(|()| widths() / day), [1, 2, 10, 20, 100, 200]);
    }

    #[test]
    fn lines_that_cover_one_span_can_be_laid_upon_each_other() {
        let (mut one, mut other) = (Timeline::<u64>::new(10), Timeline::<u64>::new(40));
        one.add(Millis(0), 1);
        other.add(Millis(5_999), 2);
        for line in [&mut one, &mut other] {
            line.cover((Millis(0), Millis(6_000)));
        }
        other.widen_to(one.width_ms());
        assert_eq!(
            sums(&one),
            [(0, 1), (1_000, 0), (2_000, 0), (3_000, 0), (4_000, 0), (5_000, 0)]
        );
        assert_eq!(sums(&other)[5], (5_000, 2));
        assert_eq!(one.span(), other.span());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_all_lies_in_its_bin(
            times in prop::collection::vec(prop_oneof![any::<i64>(), -50..50_i64, 1_700_000_000_000..1_800_000_000_000_i64], 1..60),
            bins in 8_usize..100,
        ) {
            let mut line = Timeline::<u64>::new(bins);
            for &time in &times {
                line.add(Millis(time), 1);
            }
            let found = sums(&line);
            prop_assert!(found.len() <= bins);
            prop_assert_eq!(found.iter().map(|&(_, sum)| sum).sum::<u64>(), times.len() as u64);
            for (start, sum) in found {
                let end = start.saturating_add(line.width_ms());
                // The last bin of all times has no end that a number holds.
                let inside = |&&time: &&i64| start <= time && (time < end || end == i64::MAX);
                let low = start == i64::MIN;
                if !low {
                    prop_assert_eq!(times.iter().filter(inside).count() as u64, sum);
                }
            }
        }
    }
}
