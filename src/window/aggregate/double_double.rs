//! Sums of floats with twice the precision of a float, so that the order of the rows leaves no trace.

use std::ops::Sub;

/// The unevaluated sum of a float and of what rounding lost from it: about 106 bits.
///
/// A sum is exact, thus the same in every order, while the values' bits and the total span fewer than
/// about 100 binary places; a total that overflows on its way stays infinite.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DoubleDouble {
    high: f64,
    low: f64,
}

impl DoubleDouble {
    /// The exact square of a float whose square is finite.
    #[inline]
    pub(super) fn square_of(value: f64) -> Self {
        Self::product_of(value, value)
    }

    #[inline]
    pub(super) fn add_float(&mut self, value: f64) {
        let (sum, lost) = two_sum(self.high, value);
        self.high = sum;
        self.low += lost;
    }

    #[inline]
    pub(super) fn add(&mut self, other: Self) {
        self.add_float(other.high);
        self.low += other.low;
    }

    /// Adds while keeping the parts apart, for terms that have all 106 bits; slower than `add`.
    #[inline]
    pub(super) fn add_in_full(&mut self, other: Self) {
        self.add(other);
        let sum = self.high + self.low;
        self.low -= sum - self.high;
        self.high = sum;
    }

    /// The float nearest to the sum; what is lost from an infinite or undefined sum means nothing.
    #[inline]
    pub(super) fn value(self) -> f64 {
        match self.high {
            high if high.is_nan() => f64::NAN,
            high if high.is_infinite() => high,
            high => high + self.low,
        }
    }

    pub(super) fn multiply(self, other: Self) -> Self {
        let (left, right) = (self.normalized(), other.normalized());
        let mut product = Self::product_of(left.high, right.high);
        product.low += left.high * right.low + left.low * right.high;
        product.normalized()
    }

    pub(super) fn divide(self, divisor: f64) -> Self {
        let dividend = self.normalized();
        let quotient = dividend.high / divisor;
        let rest = (dividend - Self::product_of(quotient, divisor)).value();
        Self { high: quotient, low: rest / divisor }.normalized()
    }

    // Dekker's product rather than a fused multiply: baseline machines emulate the latter.
    #[inline]
    fn product_of(left: f64, right: f64) -> Self {
        let product = left * right;
        let (left_high, left_low) = split(left);
        let (right_high, right_low) = split(right);
        let cross = left_high * right_low + left_low * right_high;
        let lost = ((left_high * right_high - product) + cross) + left_low * right_low;
        Self { high: product, low: lost }
    }

    fn normalized(self) -> Self {
        let (high, low) = two_sum(self.high, self.low);
        Self { high, low }
    }
}

impl Sub for DoubleDouble {
    type Output = Self;

    fn sub(mut self, other: Self) -> Self {
        self.add(Self { high: -other.high, low: -other.low });
        self.normalized()
    }
}

/// A rounded sum, and exactly what rounding lost.
#[inline]
fn two_sum(left: f64, right: f64) -> (f64, f64) {
    let sum = left + right;
    let right_part = sum - left;
    let left_part = sum - right_part;
    (sum, (left - left_part) + (right - right_part))
}

/// The upper and the lower 26 bits of a float.
#[inline]
fn split(value: f64) -> (f64, f64) {
    const SPLITTER: f64 = 134_217_729.0; // 2^27 + 1
    let scaled = SPLITTER * value;
    let high = scaled - (scaled - value);
    (high, value - high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_bits_come_back() {
        let mut sum = DoubleDouble::default();
        for value in [1e16, 1.0, 1.0, -1e16] {
            sum.add_float(value);
        }
        assert_eq!(sum.value().to_bits(), 2.0_f64.to_bits());
    }

    #[test]
    fn squares_are_exact() {
        let value = f64::from(1 << 27) + 1.0;
        let square = DoubleDouble::square_of(value);
        let exact = (1_i128 << 54) + (1 << 28) + 1;
        #[expect(clippy::cast_possible_truncation, reason = "both halves are whole numbers")]
        let halves = square.high as i128 + square.low as i128;
        assert_eq!(halves, exact);
    }

    #[test]
    fn quotients_and_products_undo_each_other() {
        let third = DoubleDouble { high: 1.0, low: 0.0 }.divide(3.0);
        let one = third.multiply(DoubleDouble { high: 3.0, low: 0.0 });
        let error = (one - DoubleDouble { high: 1.0, low: 0.0 }).value().abs();
        assert!(error < 1e-31, "{error}");
    }

    #[test]
    fn infinities_and_nan_are_answered() {
        let mut sum = DoubleDouble::default();
        sum.add_float(f64::INFINITY);
        sum.add_float(1.0);
        assert_eq!(sum.value().to_bits(), f64::INFINITY.to_bits());
        sum.add_float(f64::NEG_INFINITY);
        assert!(sum.value().is_nan());
    }
}
