//! Values read where they stand: where each ends, and what a number amounts to, in one go over its bytes.

use sonic_rs::Read;
use sonic_rs::parser::Parser;

use crate::record::json::scan::Value;
use crate::record::json::scan::is_too_deep;
use crate::record::json::scan::read_value;

/// The integers that a float holds without loss, and so the most that one division rounds correctly.
const EXACT_MAX: u64 = 1 << 53;
/// The most digits of an integer that cannot overflow 64 bits.
const INTEGER_DIGITS_MAX: usize = 18;
/// Powers of ten that a float holds without loss.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The value of a field, as far as reading it has told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Token<'a> {
    /// A number.
    Number(Number<'a>),
    /// Anything else.
    Other(Value<'a>),
    /// The characters between the quotes of a string without escapes.
    Text(&'a str),
}

/// A JSON number: its text, and what its digits say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a> {
    pub(super) raw: &'a str,
    /// The digits as one integer, modulo 2^64.
    digits: u64,
    digit_count: usize,
    /// How many of the digits stand behind the point.
    fraction_count: usize,
    is_negative: bool,
    is_plain: bool,
}

impl<'a> Token<'a> {
    /// Reads a value that is known to be JSON.
    pub(super) fn of(value: Value<'a>) -> Self {
        if let Some(text) = value.plain_string() {
            return Self::Text(text);
        }
        match value.raw.as_bytes() {
            [b'-' | b'0'..=b'9', ..] => {
                number(value.raw, 0).map_or(Self::Other(value), |(number, _)| Self::Number(number))
            }
            _ => Self::Other(value),
        }
    }

    #[inline]
    pub(super) fn is_null(self) -> bool {
        matches!(self, Self::Other(value) if value.raw == "null")
    }
}

impl Number<'_> {
    /// The number as an integer, when it is written as one that fits.
    #[inline]
    pub(super) fn integer(self) -> Option<i64> {
        if self.is_plain && self.fraction_count == 0 && self.digit_count <= INTEGER_DIGITS_MAX {
            let magnitude = self.digits.cast_signed();
            return Some(if self.is_negative { -magnitude } else { magnitude });
        }
        self.raw.parse().ok()
    }

    /// The nearest float, when it is finite.
    #[inline]
    pub(super) fn float(self) -> Option<f64> {
        let is_exact = self.digits <= EXACT_MAX && self.digit_count <= INTEGER_DIGITS_MAX;
        if self.is_plain && is_exact {
            // Both are exact, so that the division rounds once, and correctly.
            #[expect(clippy::cast_precision_loss, reason = "at most 53 bits")]
            let magnitude = self.digits as f64 / POWERS_OF_TEN[self.fraction_count];
            return Some(if self.is_negative { -magnitude } else { magnitude });
        }
        self.raw.parse().ok().filter(|number: &f64| number.is_finite())
    }
}

/// Where the values of a record go.
pub(super) trait Sink<'a> {
    /// Takes the value of the field in `slot`; `false` when it has no place there.
    fn take(&mut self, slot: usize, token: Token<'a>) -> bool;
}

/// Hands the value that starts at byte `start` to the sink, when it has a slot, and says where it ends.
///
/// `None` when the value is not JSON, or is for the careful scanner to judge, or the sink refuses it. Each kind of value
/// is handed over where it is read, so that none goes through memory.
#[expect(clippy::inline_always, reason = "a token in registers costs half of one in memory")]
#[inline(always)]
pub(super) fn hand_over<'a>(
    text: &'a str,
    start: usize,
    slot: Option<usize>,
    sink: &mut impl Sink<'a>,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let (value, end) = match *bytes.get(start)? {
        b'"' => match plain_end(bytes, start + 1) {
            Some(end) => {
                if let Some(slot) = slot {
                    let text = text.get(start + 1..end)?;
                    return sink.take(slot, Token::Text(text)).then_some(end + 1);
                }
                return Some(end + 1);
            }
            None => other(text, start)?,
        },
        b'-' | b'0'..=b'9' => {
            let (number, end) = number(text, start)?;
            return match slot {
                Some(slot) => sink.take(slot, Token::Number(number)).then_some(end),
                None => Some(end),
            };
        }
        b'{' | b'[' => other(text, start)?,
        b't' => literal(text, start, "true")?,
        b'f' => literal(text, start, "false")?,
        b'n' => literal(text, start, "null")?,
        _ => return None,
    };
    match slot {
        Some(slot) => sink.take(slot, Token::Other(value)).then_some(end),
        None => Some(end),
    }
}

/// Where the quote stands that ends a string without escapes.
#[inline]
fn plain_end(bytes: &[u8], start: usize) -> Option<usize> {
    const WORD: usize = size_of::<u64>();
    let mut at = start;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<WORD>) {
        let found = special_bytes(u64::from_le_bytes(*word));
        if found != 0 {
            at += found.trailing_zeros() as usize / 8;
            return (bytes[at] == b'"').then_some(at);
        }
        at += WORD;
    }
    let is_special = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < b' ';
    let end = at + bytes.get(at..)?.iter().position(is_special)?;
    (bytes[end] == b'"').then_some(end)
}

/// Marks in their high bits the bytes that are a quote, a backslash or a control character.
///
/// Bytes above the first one marked may be marked in error, by a borrow: only the first counts.
#[inline]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = ONES << 7;
    let all = |byte: u8| ONES * u64::from(byte);
    let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = zero_bytes(word ^ all(b'"'));
    let backslashes = zero_bytes(word ^ all(b'\\'));
    let controls = word.wrapping_sub(all(b' ')) & !word;
    (quotes | backslashes | controls) & HIGH_BITS
}

#[expect(clippy::inline_always, reason = "a token in registers costs half of one in memory")]
#[inline(always)]
fn number(text: &str, start: usize) -> Option<(Number<'_>, usize)> {
    let bytes = text.as_bytes();
    let is_negative = bytes[start] == b'-';
    let first = start + usize::from(is_negative);
    let (whole, point) = digits(bytes, first, 0);
    let whole_count = point - first;
    if whole_count == 0 || (1 < whole_count && bytes[first] == b'0') {
        return None;
    }
    let (all, mut end) = match bytes.get(point) {
        Some(b'.') => digits(bytes, point + 1, whole),
        _ => (whole, point),
    };
    // A point takes a digit behind it at least.
    let fraction_count = match end - point {
        0 => 0,
        1 => return None,
        bytes => bytes - 1,
    };
    let is_plain = !matches!(bytes.get(end), Some(b'e' | b'E'));
    if !is_plain {
        end = exponent_end(bytes, end + 1)?;
    }
    let raw = text.get(start..end)?;
    let digit_count = whole_count + fraction_count;
    let number = Number { raw, digits: all, digit_count, fraction_count, is_negative, is_plain };
    Some((number, end))
}

/// Appends the digits from byte `start` on to `value`, and says where they end.
#[expect(clippy::inline_always, reason = "a token in registers costs half of one in memory")]
#[inline(always)]
fn digits(bytes: &[u8], start: usize, mut value: u64) -> (u64, usize) {
    let mut end = start;
    while let Some(digit) =
        bytes.get(end).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9)
    {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        end += 1;
    }
    (value, end)
}

fn exponent_end(bytes: &[u8], start: usize) -> Option<usize> {
    let first = start + usize::from(matches!(bytes.get(start), Some(b'+' | b'-')));
    let (_, end) = digits(bytes, first, 0);
    (first < end).then_some(end)
}

#[inline]
fn literal<'a>(text: &'a str, start: usize, word: &str) -> Option<(Value<'a>, usize)> {
    let end = start + word.len();
    let raw = text.get(start..end).filter(|raw| *raw == word)?;
    Some((Value { raw, has_escapes: false }, end))
}

/// Reads a string with escapes, an array or an object the careful way.
#[inline(never)]
fn other(text: &str, start: usize) -> Option<(Value<'_>, usize)> {
    if is_too_deep(text.as_bytes()) {
        return None;
    }
    let rest = text.get(start..)?;
    let value = read_value(rest, &mut Parser::new(Read::from(rest))).ok()?;
    Some((value, start + value.raw.len()))
}
