//! Rows taken in by several threads: each takes a run of them through a pass of its own.

use std::ops::Range;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use crate::query::QueryError;
use crate::threads::Threads;

/// Asks whether to go on, from any thread.
pub type GoOn<'a> = &'a (dyn Fn() -> bool + Sync);

/// Rows that go through a query between two looks for Ctrl-C; few enough that what is made of them stays in the cache.
pub(super) const CHUNK_ROWS: usize = 16_384;

/// Rows below which another thread costs more than it does; tests divide less.
const PART_ROWS_MIN: usize = if cfg!(test) { 8 } else { 65_536 };

/// Makes a pass of each part of the rows; answers them in order, or the first error of the rows' own order.
pub(super) fn in_parts<P: Send>(
    rows: usize,
    threads: Threads,
    go_on: GoOn<'_>,
    pass: impl Fn(Range<usize>, GoOn<'_>) -> Result<P, QueryError> + Sync,
) -> Result<Vec<P>, QueryError> {
    on_all(threads.parts(rows, PART_ROWS_MIN), go_on, pass)
}

/// Makes a pass of each of some parts, which are in the rows' own order, by a thread each; answers them in order, or the
/// first error of the rows' own order.
pub(super) fn on_all<T: Send, P: Send, E: Send>(
    parts: Vec<T>,
    go_on: GoOn<'_>,
    pass: impl Fn(T, GoOn<'_>) -> Result<P, E> + Sync,
) -> Result<Vec<P>, E> {
    // What comes after rows that failed is not asked for; what comes before may fail yet.
    let failed = AtomicUsize::new(usize::MAX);
    let passes = Threads::on_all(parts.into_iter().enumerate().collect(), |(place, part)| {
        let goes_on = || place <= failed.load(Ordering::Relaxed) && go_on();
        pass(part, &goes_on).inspect_err(|_| {
            failed.fetch_min(place, Ordering::Relaxed);
        })
    });
    passes.into_iter().collect()
}

/// Cuts a part of the rows of some pieces, which have these lengths, into chunks: the piece of each, its first row, its length.
pub(super) fn chunks(
    lengths: impl Iterator<Item = usize>,
    part: Range<usize>,
) -> Vec<(usize, usize, usize)> {
    let mut chunks = Vec::new();
    let mut before = 0;
    for (piece, length) in lengths.enumerate() {
        let end = part.end.clamp(before, before + length) - before;
        let mut start = part.start.clamp(before, before + length) - before;
        while start < end {
            let count = CHUNK_ROWS.min(end - start);
            chunks.push((piece, start, count));
            start += count;
        }
        before += length;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chunks_cover_a_part_once_and_in_order(
            lengths in proptest::collection::vec(prop_oneof![0..5_usize, Just(CHUNK_ROWS + 1)], 0..6),
            from: usize,
            to: usize,
        ) {
            let rows: Vec<(usize, usize)> =
                (0..).zip(&lengths).flat_map(|(piece, &length)| (0..length).map(move |row| (piece, row))).collect();
            let (from, to) = (from % (rows.len() + 1), to % (rows.len() + 1));
            let part = from.min(to)..from.max(to);
            let found: Vec<(usize, usize)> = chunks(lengths.iter().copied(), part.clone())
                .into_iter()
                .flat_map(|(piece, start, count)| {
                    assert!(0 < count && count <= CHUNK_ROWS);
                    (start..start + count).map(move |row| (piece, row))
                })
                .collect();
            prop_assert_eq!(&found[..], &rows[part]);
        }
    }

    #[test]
    fn first_error_of_the_rows_is_the_one_that_is_told() {
        let threads = Threads::new(Some(4)).unwrap();
        let pass = |part: Range<usize>, _: GoOn<'_>| -> Result<(), QueryError> {
            match part.start {
                0 => Ok(()),
                start => Err(QueryError::Malformed {
                    sequence_number: start.to_string(),
                    shard: String::new(),
                    reason: String::new(),
                }),
            }
        };
        let error = in_parts(400, threads, &|| true, pass).unwrap_err();
        assert!(
            matches!(error, QueryError::Malformed { sequence_number, .. } if sequence_number == "100")
        );
        let stopped = in_parts(400, threads, &|| false, |_, go_on| {
            if go_on() { Ok(()) } else { Err(QueryError::Stopped) }
        });
        assert!(matches!(stopped, Err(QueryError::Stopped)));
    }
}
