//! Short keys in text columns, packed as the interner packs them, straight from where they lie.

#![expect(clippy::cast_possible_truncation, reason = "a view's length is its lowest 32 bits")]

use crate::window::group::interner::PACKED_BYTES_MAX;
use crate::window::group::interner::pack;

/// The longest string that a view holds in itself.
const INLINE_BYTES_MAX: usize = 12;

/// By length, the bits of so many bytes.
const MASKS: [u128; PACKED_BYTES_MAX + 1] = {
    let mut masks = [0; PACKED_BYTES_MAX + 1];
    let mut len = 1;
    while len <= PACKED_BYTES_MAX {
        masks[len] = u128::MAX >> (128 - 8 * len);
        len += 1;
    }
    masks
};

/// Packs a string that its view holds itself.
#[inline]
pub(super) fn of_view(view: u128) -> Option<u128> {
    let len = view as u32 as usize;
    // What follows the string in a view ought to be zeros, but columns come from everywhere.
    (len <= INLINE_BYTES_MAX)
        .then(|| view >> 32 & MASKS[len] | (len as u128) << (8 * PACKED_BYTES_MAX))
}

/// Packs `values[start..end]` where it is short.
#[inline]
pub(super) fn of_bytes(values: &[u8], start: usize, end: usize) -> Option<u128> {
    let len = end - start;
    if PACKED_BYTES_MAX < len {
        return None;
    }
    // One wide load serves every length; only the last strings of a buffer have no room behind them for it.
    match values.get(start..start + 16).and_then(|wide| <[u8; 16]>::try_from(wide).ok()) {
        Some(wide) => {
            Some(u128::from_le_bytes(wide) & MASKS[len] | (len as u128) << (8 * PACKED_BYTES_MAX))
        }
        None => pack(&values[start..end]),
    }
}

/// The view of a packed string; its bytes are put behind others where a view cannot hold them.
#[inline]
pub(super) fn to_view(packed: u128, others: &mut Vec<u8>) -> u128 {
    let len = (packed >> (8 * PACKED_BYTES_MAX)) as usize;
    let text = packed & MASKS[PACKED_BYTES_MAX];
    if len <= INLINE_BYTES_MAX {
        return text << 32 | len as u128;
    }
    let offset = others.len() as u128;
    others.extend_from_slice(&text.to_le_bytes()[..len]);
    offset << 96 | (text & MASKS[4]) << 32 | len as u128
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Array;
    use arrow_array::StringViewArray;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_are_packed_alike_wherever_they_lie(texts in proptest::collection::vec(".{0,20}", 1..20)) {
            let whole = texts.concat();
            let views = StringViewArray::from_iter_values(&texts);
            let mut start = 0;
            for (row, text) in texts.iter().enumerate() {
                let end = start + text.len();
                prop_assert_eq!(of_bytes(whole.as_bytes(), start, end), pack(text.as_bytes()));
                if text.len() <= INLINE_BYTES_MAX {
                    prop_assert_eq!(of_view(views.views()[row]), pack(text.as_bytes()));
                } else {
                    prop_assert_eq!(of_view(views.views()[row]), None);
                }
                start = end;
            }
        }
    }

    proptest! {
        #[test]
        fn packed_strings_become_views_again(texts in proptest::collection::vec("[a-z\u{0}]{0,15}", 0..20)) {
            let mut others = Vec::new();
            let views: Vec<u128> = texts
                .iter()
                .filter_map(|text| pack(text.as_bytes()))
                .map(|packed| to_view(packed, &mut others))
                .collect();
            let views = StringViewArray::try_new(views.into(), vec![others.into()], None).unwrap();
            prop_assert_eq!(views.len(), texts.len());
            prop_assert!(views.iter().flatten().eq(texts.iter().map(String::as_str)));
        }
    }

    #[test]
    fn what_follows_a_string_in_its_view_is_left_out() {
        let views = StringViewArray::from_iter_values(["ab"]);
        let littered = views.views()[0] | u128::MAX << 48;
        assert_eq!(of_view(littered), pack(b"ab"));
    }
}
