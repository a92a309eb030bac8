//! Texts on their way into JSON: short ones are copied in pieces of a fixed length, which takes no call.

use arrow_array::GenericStringArray;
use arrow_array::OffsetSizeTrait;
use arrow_array::StringViewArray;
use arrow_data::ByteView;
use arrow_data::MAX_INLINE_VIEW_LEN;

use crate::record::json::column::write_scalar;

/// Bytes of a piece; what stands behind a text is copied with it and cut off again.
const PIECE: usize = 32;
/// Bytes of a word that is looked at as a whole.
const WORD: usize = 16;

/// Bytes that are copied often, with room for a piece behind them.
#[derive(Debug)]
pub(super) struct Pieces(Vec<u8>);

impl Pieces {
    pub(super) fn new(mut bytes: Vec<u8>) -> Self {
        bytes.resize(bytes.len() + PIECE, 0);
        Self(bytes)
    }

    /// Appends the bytes `start..end`.
    #[inline]
    pub(super) fn append(&self, start: usize, end: usize, out: &mut Vec<u8>) {
        let len = end - start;
        match self.0[start..].first_chunk::<PIECE>() {
            Some(piece) if len <= PIECE => append_start(piece, len, out),
            _ => out.extend_from_slice(&self.0[start..end]),
        }
    }
}

/// Appends the first `len` bytes of a piece.
#[inline]
pub(super) fn append_start<const N: usize>(piece: &[u8; N], len: usize, out: &mut Vec<u8>) {
    debug_assert!(len <= N, "a piece holds its text");
    let end = out.len() + len;
    out.extend_from_slice(piece);
    out.truncate(end);
}

/// Writes a text of a column with offsets.
#[inline]
pub(super) fn write<O: OffsetSizeTrait>(
    array: &GenericStringArray<O>,
    row: usize,
    out: &mut Vec<u8>,
) {
    let offsets = array.value_offsets();
    let (start, end) = (offsets[row].as_usize(), offsets[row + 1].as_usize());
    if !write_plain(&array.value_data()[start..], end - start, out) {
        write_scalar(array.value(row), out);
    }
}

/// Writes a text of a column of views.
#[inline]
pub(super) fn write_view(array: &StringViewArray, row: usize, out: &mut Vec<u8>) {
    let bits = array.views()[row];
    let view = ByteView::from(bits);
    let len = view.length as usize;
    let is_written = if view.length <= MAX_INLINE_VIEW_LEN {
        let text = bits >> 32;
        let is_plain = is_plain(text, len);
        if is_plain {
            append_quoted(&text.to_le_bytes(), len, out);
        }
        is_plain
    } else {
        let bytes = &array.data_buffers()[view.buffer_index as usize];
        write_plain(&bytes[view.offset as usize..], len, out)
    };
    if !is_written {
        write_scalar(array.value(row), out);
    }
}

/// Writes the text that `bytes` begin with, where it is short, needs no escape, and has a piece's bytes behind it;
/// tells whether it did.
#[inline]
fn write_plain(bytes: &[u8], len: usize, out: &mut Vec<u8>) -> bool {
    let Some(piece) = bytes.first_chunk::<PIECE>().filter(|_| len <= PIECE) else { return false };
    let (words, _) = piece.as_chunks::<WORD>();
    let rests = [len, len.saturating_sub(WORD)];
    let is_plain =
        words.iter().zip(rests).all(|(&word, rest)| is_plain(u128::from_le_bytes(word), rest));
    if is_plain {
        append_quoted(piece, len, out);
    }
    is_plain
}

#[inline]
fn append_quoted<const N: usize>(piece: &[u8; N], len: usize, out: &mut Vec<u8>) {
    out.push(b'"');
    append_start(piece, len, out);
    out.push(b'"');
}

/// Tells whether none of a word's first `len` bytes needs an escape; all of its bytes are looked at, in lanes.
#[inline]
fn is_plain(word: u128, len: usize) -> bool {
    let beyond = if len < WORD { u128::MAX << (8 * len) } else { 0 };
    let text = (word & !beyond) | (lanes(b' ') & beyond);
    // The highest bit of a lane is set when its byte was below what is taken from it; what is borrowed from lanes above
    // such a one changes nothing, for one is enough.
    let below = |text: u128, least| text.wrapping_sub(lanes(least)) & !text;
    let escapes = below(text, b' ') | below(text ^ lanes(b'"'), 1) | below(text ^ lanes(b'\\'), 1);
    escapes & lanes(0x80) == 0
}

/// The same byte in every lane of a word.
const fn lanes(byte: u8) -> u128 {
    u128::from_le_bytes([byte; WORD])
}

#[cfg(test)]
mod tests {
    use arrow_array::LargeStringArray;
    use arrow_array::StringArray;
    use proptest::prelude::*;

    use super::*;

    /// Writes the texts of a column, from row `from` on.
    fn written(from: usize, len: usize, write: impl Fn(usize, &mut Vec<u8>)) -> Vec<String> {
        let text = |row| {
            let mut out = b"before".to_vec();
            write(row, &mut out);
            String::from_utf8(out.split_off(6)).unwrap()
        };
        (0..len - from).map(text).collect()
    }

    fn assert_written(texts: &[String], from: usize) {
        let wanted = texts[from..].iter().map(|text| serde_json::to_string(text).unwrap());
        let wanted: Vec<String> = wanted.collect();
        let len = texts.len();
        let small = StringArray::from_iter_values(texts).slice(from, len - from);
        assert_eq!(written(from, len, |row, out| write(&small, row, out)), wanted);
        let large = LargeStringArray::from_iter_values(texts).slice(from, len - from);
        assert_eq!(written(from, len, |row, out| write(&large, row, out)), wanted);
        let views = StringViewArray::from_iter_values(texts).slice(from, len - from);
        assert_eq!(written(from, len, |row, out| write_view(&views, row, out)), wanted);
    }

    #[test]
    fn every_byte_of_ascii_at_every_place_of_a_short_text_is_escaped_where_json_asks() {
        for byte in 0..128_u8 {
            for len in 1..40 {
                for place in [0, len / 2, len - 1] {
                    let mut text = vec![b'x'; len];
                    text[place] = byte;
                    // What lies behind a text is not its own.
                    let texts = [text, b"\"\n \\".repeat(12)];
                    let texts = texts.map(|text| String::from_utf8(text).unwrap());
                    assert_written(&texts, 0);
                }
            }
        }
    }

    #[test]
    fn bytes_of_pieces_are_appended_whatever_their_length() {
        let bytes: Vec<u8> = (0..200).collect();
        let pieces = Pieces::new(bytes.clone());
        for start in [0, 1, 100, 199, 200] {
            for end in start..=200 {
                let mut out = vec![7];
                pieces.append(start, end, &mut out);
                assert_eq!((out[0], &out[1..]), (7, &bytes[start..end]));
            }
        }
    }

    proptest! {
        #[test]
        fn texts_are_written_as_another_encoder_writes_them(
            texts in proptest::collection::vec("[ -~\\n\u{e9}\u{1f600}]{0,40}|[a-z0-9-]{0,40}", 1..20),
            from in any::<proptest::sample::Index>(),
        ) {
            assert_written(&texts, from.index(texts.len()));
        }
    }
}
