//! Chance that a seed decides, the same on every machine.

use crate::hash_key::HashKey;

/// Draws a number below `bound`, which is not 0, for what these words name.
pub(super) fn below(bound: u64, seed: u64, words: std::fmt::Arguments<'_>) -> u64 {
    let hashed = HashKey::of(&format!("{seed}/{words}"));
    u64::try_from(hashed.0 % u128::from(bound)).expect("it is below 64 bits")
}

/// Draws whether something happens that happens at this rate, from 0 to 1.
pub(super) fn happens(rate: f64, seed: u64, words: std::fmt::Arguments<'_>) -> bool {
    const PARTS: u32 = 1 << 30;
    f64::from(u32::try_from(below(PARTS.into(), seed, words)).expect("30 bits"))
        < rate * f64::from(PARTS)
}
