//! How long the values of a column of text or bytes are, without a look at the values.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_buffer::ArrowNativeType;
use arrow_schema::DataType;
use multiversion::multiversion;

/// Values of a view at most this long lie in the view itself.
const INLINE_BYTES_MAX: usize = 12;

/// Returns the bytes of the shortest value and of the longest, nulls' included; `None` for columns of another kind, and
/// zeros for an empty one. For a dictionary, those of its values, in use or not.
pub fn extent(array: &dyn Array) -> Option<(usize, usize)> {
    if array.is_empty() {
        return bounded(array.data_type()).then_some((0, 0));
    }
    Some(match array.data_type() {
        DataType::Binary => wide(offsets_extent(array.as_binary::<i32>().value_offsets())),
        DataType::Utf8 => wide(offsets_extent(array.as_string::<i32>().value_offsets())),
        DataType::LargeBinary => wide(large_extent(array.as_binary::<i64>().value_offsets())),
        DataType::LargeUtf8 => wide(large_extent(array.as_string::<i64>().value_offsets())),
        DataType::BinaryView => wide(views_extent(array.as_binary_view().views())),
        DataType::Utf8View => wide(views_extent(array.as_string_view().views())),
        DataType::Dictionary(_, _) => return extent(array.as_any_dictionary().values()),
        _ => return None,
    })
}

/// Returns bytes that no value exceeds, at less cost where that is known without a look at each; `None` for columns of
/// another kind.
pub fn longest_bound(array: &dyn Array) -> Option<usize> {
    /// Buffers of views this short bound their values well enough.
    const SHORT_BUFFER: usize = 4_096;
    let buffers = match array.data_type() {
        DataType::BinaryView => array.as_binary_view().data_buffers(),
        DataType::Utf8View => array.as_string_view().data_buffers(),
        DataType::Dictionary(_, _) => return longest_bound(array.as_any_dictionary().values()),
        _ => return extent(array).map(|(_, longest)| longest),
    };
    let longest = buffers.iter().map(arrow_buffer::Buffer::len).max().unwrap_or(0);
    if longest <= SHORT_BUFFER {
        return Some(longest.max(INLINE_BYTES_MAX));
    }
    extent(array).map(|(_, longest)| longest)
}

fn bounded(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => bounded(values),
        _ => matches!(
            data_type,
            DataType::Binary
                | DataType::LargeBinary
                | DataType::BinaryView
                | DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
        ),
    }
}

fn wide<T: ArrowNativeType>((shortest, longest): (T, T)) -> (usize, usize) {
    (shortest.as_usize(), longest.as_usize())
}

#[multiversion(targets("x86_64+avx+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx+avx2"))]
fn offsets_extent(offsets: &[i32]) -> (i32, i32) {
    let (mut shortest, mut longest) = (i32::MAX, 0);
    for (start, end) in offsets.iter().zip(&offsets[1..]) {
        let len = end.wrapping_sub(*start);
        shortest = shortest.min(len);
        longest = longest.max(len);
    }
    (shortest, longest)
}

#[multiversion(targets("x86_64+avx+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx+avx2"))]
fn large_extent(offsets: &[i64]) -> (i64, i64) {
    let (mut shortest, mut longest) = (i64::MAX, 0);
    for (start, end) in offsets.iter().zip(&offsets[1..]) {
        let len = end.wrapping_sub(*start);
        shortest = shortest.min(len);
        longest = longest.max(len);
    }
    (shortest, longest)
}

#[multiversion(targets("x86_64+avx+avx2+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx+avx2"))]
fn views_extent(views: &[u128]) -> (u32, u32) {
    let (mut shortest, mut longest) = (u32::MAX, 0);
    for &view in views {
        #[expect(clippy::cast_possible_truncation, reason = "a view's low 32 bits are its length")]
        let len = view as u32;
        shortest = shortest.min(len);
        longest = longest.max(len);
    }
    (shortest, longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::ArrayRef;
    use arrow_array::Int64Array;
    use arrow_array::StringArray;
    use arrow_cast::cast;
    use proptest::prelude::*;
    use std::sync::Arc;

    proptest! {
        #[test]
        fn extent_is_that_of_the_values_in_every_encoding(
            values in prop::collection::vec("[a-z]{0,40}", 0..80), start in 0_usize..40,
        ) {
            let plain: ArrayRef = Arc::new(StringArray::from(values));
            let start = start.min(plain.len());
            let lens: Vec<usize> =
                plain.as_string::<i32>().iter().skip(start).map(|value| value.unwrap().len()).collect();
            let expected =
                (lens.iter().copied().min().unwrap_or(0), lens.iter().copied().max().unwrap_or(0));
            let dictionary = DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Utf8));
            for data_type in [
                DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, DataType::Binary,
                DataType::LargeBinary, DataType::BinaryView, dictionary,
            ] {
                let column = cast(&plain, &data_type).unwrap().slice(start, lens.len());
                let found = extent(&column).unwrap();
                // A dictionary answers for all of its values, sliced or not.
                if matches!(data_type, DataType::Dictionary(_, _)) {
                    prop_assert!(expected.1 <= found.1);
                } else {
                    prop_assert_eq!(found, expected, "{}", data_type);
                }
                prop_assert!(expected.1 <= longest_bound(&column).unwrap());
            }
        }
    }

    #[test]
    fn columns_without_text_or_bytes_have_none() {
        let numbers = Int64Array::from(vec![1, 2]);
        assert_eq!((extent(&numbers), longest_bound(&numbers)), (None, None));
    }
}
