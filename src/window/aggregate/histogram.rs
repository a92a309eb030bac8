//! A histogram of floats with buckets of equal relative width, the same whatever the order of the values.

use crate::window::aggregate::storage::Number;

/// The bits of a word below its bucket: sign, exponent and 7 bits of the mantissa stay.
const DROPPED_BITS: u32 = 64 - 19;

/// The buckets of one octave: a power of two up to the next.
///
/// A bucket answers its middle, so an answer is off by at most 1/256 (0.39 %) of the value itself.
const OCTAVE_BUCKETS: usize = 128;

/// The place of a page that is not there: octaves are 2^12, so that no page has it.
const NO_PAGE: u16 = u16::MAX;

/// Counts floats per bucket, a page of buckets an octave; NaN is counted apart, as the greatest value.
#[derive(Debug)]
pub(super) struct Histogram {
    /// The octave of the first place in `pages`.
    first_octave: usize,
    /// Where in `counts` the page of each octave is; `NO_PAGE` before its first value.
    pages: Vec<u16>,
    counts: Vec<[u64; OCTAVE_BUCKETS]>,
    nan_count: u64,
    count: u64,
    least: f64,
    greatest: f64,
}

impl Histogram {
    pub(super) fn of(values: &[f64]) -> Self {
        let mut histogram = Self {
            first_octave: 0,
            pages: Vec::new(),
            counts: Vec::new(),
            nan_count: 0,
            count: 0,
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
        };
        for &value in values {
            histogram.add(value);
        }
        histogram
    }

    #[inline]
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1;
        if value.is_nan() {
            self.nan_count += 1;
            return;
        }
        let value = value + 0.0; // -0.0 is 0.0
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
        let bucket = (value.word() >> DROPPED_BITS) as usize;
        self.page(bucket / OCTAVE_BUCKETS)[bucket % OCTAVE_BUCKETS] += 1;
    }

    pub(super) fn merge(&mut self, from: &Self) {
        self.count += from.count;
        self.nan_count += from.nan_count;
        self.least = self.least.min(from.least);
        self.greatest = self.greatest.max(from.greatest);
        for (octave, counts) in from.octaves() {
            let page = self.page(octave);
            page.iter_mut().zip(counts).for_each(|(held, count)| *held += count);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The values at two ranks of the ascending order, `low <= high < count`; both ends are exact.
    pub(super) fn values_at(&self, low: u64, high: u64) -> (f64, f64) {
        let number_count = self.count - self.nan_count;
        let mut passed = 0;
        let mut low_value = None;
        for (bucket, count) in self.buckets() {
            passed += count;
            if low_value.is_none() && low < passed {
                low_value = Some(self.answer(bucket, low, number_count));
            }
            if high < passed {
                let high_value = self.answer(bucket, high, number_count);
                return (low_value.unwrap_or(high_value), high_value);
            }
        }
        (low_value.unwrap_or(f64::NAN), f64::NAN)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.pages.capacity() * size_of::<u16>()
            + self.counts.capacity() * size_of::<[u64; OCTAVE_BUCKETS]>()
    }

    /// The value that a bucket answers for a rank.
    fn answer(&self, bucket: usize, rank: u64, number_count: u64) -> f64 {
        if rank == 0 {
            return self.least;
        }
        if rank + 1 == number_count {
            return self.greatest;
        }
        middle(bucket).clamp(self.least, self.greatest)
    }

    /// The octaves that have a page, ascending.
    fn octaves(&self) -> impl Iterator<Item = (usize, &[u64; OCTAVE_BUCKETS])> {
        let octaves = (self.first_octave..).zip(&self.pages);
        octaves.filter_map(|(octave, &page)| Some((octave, self.counts.get(page as usize)?)))
    }

    fn buckets(&self) -> impl Iterator<Item = (usize, u64)> {
        self.octaves().flat_map(|(octave, counts)| {
            let counts = counts.iter().copied().enumerate().filter(|&(_, count)| 0 < count);
            counts.map(move |(index, count)| (octave * OCTAVE_BUCKETS + index, count))
        })
    }

    /// The page of an octave, made on first use.
    #[inline]
    fn page(&mut self, octave: usize) -> &mut [u64; OCTAVE_BUCKETS] {
        let place = octave.wrapping_sub(self.first_octave);
        let mut page = self.pages.get(place).map_or(NO_PAGE, |&page| page) as usize;
        if self.counts.len() <= page {
            page = self.add_page(octave);
        }
        &mut self.counts[page]
    }

    /// Gives an octave a page, and answers where it is.
    #[cold]
    fn add_page(&mut self, octave: usize) -> usize {
        if self.pages.is_empty() {
            self.first_octave = octave;
        }
        if octave < self.first_octave {
            let missing = self.first_octave - octave;
            self.pages.splice(0..0, std::iter::repeat_n(NO_PAGE, missing));
            self.first_octave = octave;
        }
        let place = octave - self.first_octave;
        if self.pages.len() <= place {
            self.pages.resize(place + 1, NO_PAGE);
        }
        let page = self.counts.len();
        self.pages[place] = u16::try_from(page).expect("octaves are numbered in 12 bits");
        self.counts.push([0; OCTAVE_BUCKETS]);
        page
    }
}

/// The middle of a bucket; infinities are themselves, and what lies under the least normal float is zero.
fn middle(bucket: usize) -> f64 {
    let low_word = (bucket as u64) << DROPPED_BITS;
    let low = f64::from_word(low_word);
    let high = f64::from_word(low_word | ((1 << DROPPED_BITS) - 1));
    // In negative buckets the words' order puts the end farther from zero first.
    let (near, far) = if low.is_sign_negative() { (high, low) } else { (low, high) };
    if near.is_infinite() {
        return near;
    }
    if !near.is_normal() {
        return 0.0;
    }
    near + (far - near) / 2.0
}
