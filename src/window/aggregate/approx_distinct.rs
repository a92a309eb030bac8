//! Estimates of distinct values in bounded memory: `HyperLogLog`, exact while the values are few.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "registers are bytes, and an estimate is a float rounded to a count"
)]

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use multiversion::multiversion;

use crate::window::WindowError;
use crate::window::aggregate::Rows;
use crate::window::aggregate::fold::Fold;
use crate::window::aggregate::key::fold_hashes;

/// The bits of a hash that choose its register: 2^14 registers, a standard error of 1.04 / 2^7 = 0.81 %.
const PRECISION: u32 = 14;

/// The registers of one sketch, a byte each.
const REGISTER_COUNT: usize = 1 << PRECISION;

/// The greatest rank that the remaining bits can have, zeros and a one.
const RANK_MAX: usize = (64 - PRECISION + 1) as usize;

/// The distinct values up to which a slot keeps every hash, so that its count is exact.
pub(super) const EXACT_COUNT_MAX: usize = 512;

/// Estimates the number of distinct values.
#[derive(Debug)]
pub(super) struct ApproxDistinct;

/// The hashes of a few values, or the registers of many; which depends on their number alone.
#[derive(Debug)]
pub(super) enum Sketch {
    /// Every hash.
    Few(HashTable<u64>),
    /// The greatest rank of each register.
    Many(Box<[u8]>),
}

impl Default for Sketch {
    fn default() -> Self {
        Self::Few(HashTable::new())
    }
}

impl Sketch {
    #[inline]
    fn add(&mut self, hash: u64) {
        match self {
            Self::Many(registers) => record(registers, hash),
            Self::Few(_) => self.add_to_few(hash),
        }
    }

    /// Apart from `add`, so that this is small where it counts.
    #[inline(never)]
    fn add_to_few(&mut self, hash: u64) {
        let Self::Few(hashes) = self else {
            return;
        };
        // A hash is spread already, so it finds its own place.
        if let Entry::Vacant(vacant) = hashes.entry(hash, |&held| held == hash, |&held| held) {
            vacant.insert(hash);
            if EXACT_COUNT_MAX < hashes.len() {
                self.densify();
            }
        }
    }

    fn merge(&mut self, from: &Self) {
        match from {
            Self::Few(hashes) => hashes.iter().for_each(|&hash| self.add(hash)),
            Self::Many(ranks) => {
                for (register, &rank) in self.densify().iter_mut().zip(ranks) {
                    *register = rank.max(*register);
                }
            }
        }
    }

    /// The registers, made of the hashes if need be.
    fn densify(&mut self) -> &mut [u8] {
        if let Self::Few(hashes) = self {
            let mut registers = vec![0; REGISTER_COUNT].into_boxed_slice();
            hashes.iter().for_each(|&hash| record(&mut registers, hash));
            *self = Self::Many(registers);
        }
        match self {
            Self::Many(registers) => registers,
            Self::Few(_) => unreachable!("few hashes were just made registers"),
        }
    }

    fn estimate(&self) -> i64 {
        match self {
            Self::Few(hashes) => i64::try_from(hashes.len()).unwrap_or(i64::MAX),
            Self::Many(registers) => estimate(registers).round() as i64,
        }
    }
}

/// Raises the register of a hash to the hash's rank.
#[inline]
fn record(registers: &mut [u8], hash: u64) {
    let register = &mut registers[(hash >> (64 - PRECISION)) as usize];
    // The marker bit bounds the rank when all the remaining bits are zero.
    let rest = (hash << PRECISION) | (1 << (PRECISION - 1));
    *register = (rest.leading_zeros() as u8 + 1).max(*register);
}

/// Ertl's improved estimator ("New cardinality estimation algorithms for `HyperLogLog` sketches", 2017,
/// algorithm 6): unbiased over the whole range without tables.
fn estimate(registers: &[u8]) -> f64 {
    let counts = rank_counts(registers);
    let size = REGISTER_COUNT as f64;
    let mut sum = size * tau(1.0 - f64::from(counts[RANK_MAX]) / size);
    for &count in counts[1..RANK_MAX].iter().rev() {
        sum = 0.5 * (sum + f64::from(count));
    }
    sum += size * sigma(f64::from(counts[0]) / size);
    size * size / (2.0 * std::f64::consts::LN_2 * sum)
}

/// How many registers have each rank: a pass for each of the few ranks there are, since passes are vectors' work.
fn rank_counts(registers: &[u8]) -> [u32; RANK_MAX + 1] {
    let mut counts = [0; RANK_MAX + 1];
    let mut left = registers.len() as u32;
    for (rank, count) in (0..).zip(&mut counts) {
        if left == 0 {
            break;
        }
        *count = registers_of(registers, rank);
        left -= *count;
    }
    counts
}

#[multiversion(targets(
    "x86_64+avx+avx2+bmi1+bmi2+fma+avx512f+avx512bw+avx512dq+avx512vl+avx512cd",
    "x86_64+avx+avx2+bmi1+bmi2+fma"
))]
fn registers_of(registers: &[u8], rank: u8) -> u32 {
    let mut total = 0;
    // Runs short enough for their counts to be bytes; loops, since closures would not have the wide instructions.
    for run in registers.chunks(128) {
        let mut count = 0;
        for &held in run {
            count += u8::from(held == rank);
        }
        total += u32::from(count);
    }
    total
}

/// The correction for registers that no hash reached.
fn sigma(mut share: f64) -> f64 {
    if 1.0 <= share {
        return f64::INFINITY;
    }
    let (mut weight, mut sum) = (1.0, share);
    loop {
        share *= share;
        let next = sum + share * weight;
        weight += weight;
        if next <= sum {
            return sum;
        }
        sum = next;
    }
}

/// The correction for registers at the greatest rank.
fn tau(mut share: f64) -> f64 {
    if share <= 0.0 || 1.0 <= share {
        return 0.0;
    }
    let (mut weight, mut sum) = (1.0, 1.0 - share);
    loop {
        share = share.sqrt();
        weight *= 0.5;
        let next = sum - (1.0 - share).powi(2) * weight;
        if sum <= next {
            return sum / 3.0;
        }
        sum = next;
    }
}

impl Fold for ApproxDistinct {
    type Slot = Sketch;

    fn update(&mut self, states: &mut [Sketch], rows: Rows<'_>, slots: &[u32]) {
        let Some(column) = rows.values else { return };
        fold_hashes(column, rows, slots, |slot, hash| states[slot].add(hash));
    }

    fn combine(&mut self, state: &mut Sketch, from: &Sketch) {
        state.merge(from);
    }

    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Sketch>,
    ) -> Result<ArrayRef, WindowError> {
        Ok(Arc::new(Int64Array::from_iter_values(states.map(Sketch::estimate))))
    }

    fn fresh(&self) -> Self {
        Self
    }

    fn slot_bytes(state: &Sketch) -> usize {
        match state {
            Sketch::Few(hashes) => hashes.allocation_size(),
            Sketch::Many(registers) => registers.len(),
        }
    }
}
