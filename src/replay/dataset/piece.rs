//! What a dataset is read as: files, and runs of their row groups for those who read side by side.

use std::path::PathBuf;

use crate::replay::dataset::Format;
use crate::threads::Threads;

/// A file, or some of its row groups.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) file: PathBuf,
    pub(super) format: Format,
    /// What to read of a file that says how many rows it has.
    pub(super) row_groups: Option<Vec<RowGroup>>,
}

/// Rows that lie together in a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct RowGroup {
    pub(super) index: usize,
    pub(super) rows: u64,
}

/// How many rows pieces have, where each says so.
pub(super) fn rows_of(pieces: &[Piece]) -> Option<u64> {
    let rows = |piece: &Piece| {
        Some(piece.row_groups.as_ref()?.iter().map(|group| group.rows).sum::<u64>())
    };
    pieces.iter().map(rows).sum()
}

/// Cuts pieces into runs of about as many rows each, one a thread at most; answers the number of each run's first row too.
/// Pieces that do not say their rows stay one run.
pub(super) fn in_runs(pieces: Vec<Piece>, threads: Threads) -> Vec<(u64, Vec<Piece>)> {
    let Some(rows) = rows_of(&pieces).filter(|&rows| 0 < rows) else {
        return vec![(0, pieces)];
    };
    let most = threads.count() as u128;
    let mut runs: Vec<(u64, Vec<Piece>)> = Vec::new();
    let (mut before, mut last) = (0, None);
    for piece in pieces {
        for group in piece.row_groups.iter().flatten() {
            // A row group belongs where its middle lies.
            let middle = 2 * u128::from(before) + u128::from(group.rows);
            let run = (middle * most / (2 * u128::from(rows))).min(most - 1);
            if last != Some(run) {
                runs.push((before, Vec::new()));
                last = Some(run);
            }
            if let Some((_, pieces)) = runs.last_mut() {
                add(pieces, &piece, *group);
            }
            before += group.rows;
        }
    }
    runs
}

/// Adds a row group to those of its file that the pieces have already.
fn add(pieces: &mut Vec<Piece>, piece: &Piece, group: RowGroup) {
    match pieces.last_mut() {
        Some(Piece { file, row_groups: Some(groups), .. }) if *file == piece.file => {
            groups.push(group);
        }
        _ => pieces.push(Piece { row_groups: Some(vec![group]), ..piece.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn piece(file: usize, rows: Option<&Vec<u64>>) -> Piece {
        let groups = |rows: &Vec<u64>| {
            rows.iter().enumerate().map(|(index, &rows)| RowGroup { index, rows }).collect()
        };
        Piece {
            file: PathBuf::from(format!("{file}.parquet")),
            format: Format::Parquet,
            row_groups: rows.map(groups),
        }
    }

    fn groups(pieces: &[Piece]) -> Vec<(PathBuf, RowGroup)> {
        let of = |piece: &Piece| {
            let file = piece.file.clone();
            let groups = piece.row_groups.clone().into_iter().flatten();
            groups.map(move |group| (file.clone(), group)).collect::<Vec<_>>()
        };
        pieces.iter().flat_map(of).collect()
    }

    proptest! {
        #[test]
        fn runs_are_the_row_groups_once_and_in_order_and_none_is_much_longer_than_its_share(
            files in proptest::collection::vec(proptest::collection::vec(0..1_000_u64, 0..6), 0..6),
            most in 1..5_usize,
        ) {
            let pieces: Vec<Piece> =
                files.iter().enumerate().map(|(file, rows)| piece(file, Some(rows))).collect();
            let (wanted, rows) = (groups(&pieces), rows_of(&pieces).unwrap());
            let runs = in_runs(pieces, Threads::new(Some(most)).unwrap());
            let found: Vec<_> = runs.iter().flat_map(|(_, pieces)| groups(pieces)).collect();
            prop_assert_eq!(&found, &wanted);
            prop_assert!(runs.len() <= most || rows == 0);
            let longest = wanted.iter().map(|(_, group)| group.rows).max().unwrap_or(0);
            let mut before = 0;
            for (first, pieces) in &runs {
                prop_assert_eq!(*first, before);
                let rows_here = rows_of(pieces).unwrap();
                prop_assert!(rows_here <= rows / most as u64 + longest + 1);
                before += rows_here;
            }
        }
    }

    #[test]
    fn files_that_do_not_say_their_rows_are_one_run() {
        let pieces = vec![piece(0, Some(&vec![5, 5])), piece(1, None)];
        assert_eq!(rows_of(&pieces), None);
        let runs = in_runs(pieces, Threads::new(Some(2)).unwrap());
        assert_eq!((runs.len(), runs[0].0, runs[0].1.len()), (1, 0, 2));
    }
}
