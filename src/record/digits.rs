//! Numbers as decimal digits, eight at a time.

/// Prints a number below 10^8: halves, pairs and digits are cut in lanes of one word.
#[inline]
pub(crate) fn eight_digits(number: u64) -> [u8; 8] {
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    // x * 10,486 >> 20 is x / 100 below 10,000, and x * 103 >> 10 is x / 10 below 100.
    let hundreds = ((halves * 10_486) >> 20) & 0x7f_0000_007f;
    let pairs = hundreds | ((halves - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    let digits = tens | ((pairs - tens * 10) << 8);
    (digits | 0x3030_3030_3030_3030).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn eight_digits_are_those_of_the_number(number in 0..100_000_000_u64) {
            prop_assert_eq!(eight_digits(number).to_vec(), format!("{number:08}").into_bytes());
        }
    }
}
