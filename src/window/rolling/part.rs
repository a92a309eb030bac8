//! The rows of a slice as their batches have them, so that each aggregate folds them in one go.

use crate::window::rolling::block::Block;
use crate::window::rolling::gather::Stretch;
use crate::window::rolling::gather::Waiting;
use crate::window::slot::Feed;

/// Rows of one batch as a feed, or the picked ones of it.
type Part<'a> = (Feed<'a>, Option<Vec<u32>>);

/// The rows as their batches have them, and at which place among those each row is.
pub(super) fn parts<'a>(
    blocks: &'a [Block],
    rows: &[Waiting],
    stretches: &[Stretch],
) -> (Vec<Part<'a>>, Vec<u32>) {
    let lengths = stretches.iter().map(|stretch| (stretch.high - stretch.low) as usize + 1);
    // Rows that come nearly in order are almost all there is between the first and the last of them.
    if lengths.sum::<usize>() <= 2 * rows.len() + 64 {
        whole_parts(blocks, rows, stretches)
    } else {
        picked_parts(blocks, rows)
    }
}

/// The parts of stretches that are taken as they are, rows of other slices among them.
fn whole_parts<'a>(
    blocks: &'a [Block],
    rows: &[Waiting],
    stretches: &[Stretch],
) -> (Vec<Part<'a>>, Vec<u32>) {
    let (mut parts, mut starts) = (Vec::new(), Vec::new());
    let mut start = 0;
    for stretch in stretches {
        let length = stretch.high - stretch.low + 1;
        let feed =
            feed(&blocks[stretch.block as usize]).slice(stretch.low as usize, length as usize);
        starts.push((stretch.block, feed.first_ordinal, start));
        parts.push((feed, None));
        start += length;
    }
    let mut at = 0;
    let place = |row: &Waiting| {
        if starts[at].0 != row.block {
            at = starts.iter().position(|start| start.0 == row.block).unwrap_or(at);
        }
        let (_, first, start) = starts[at];
        start + offset(row.ordinal, first)
    };
    let places = rows.iter().map(place).collect();
    (parts, places)
}

/// The parts of rows that lie apart.
fn picked_parts<'a>(blocks: &'a [Block], rows: &[Waiting]) -> (Vec<Part<'a>>, Vec<u32>) {
    let mut order: Vec<u32> = (0..).take(rows.len()).collect();
    let at = |index: u32| &rows[index as usize];
    order.sort_unstable_by_key(|&index| (at(index).block, at(index).ordinal));
    let (mut parts, mut places) = (Vec::new(), vec![0; rows.len()]);
    for (place, &index) in (0..).zip(&order) {
        places[index as usize] = place;
    }
    for of_block in order.chunk_by(|&a, &b| at(a).block == at(b).block) {
        let feed = feed(&blocks[at(of_block[0]).block as usize]);
        let first = feed.first_ordinal;
        let picked = of_block.iter().map(|&index| offset(at(index).ordinal, first)).collect();
        parts.push((feed, Some(picked)));
    }
    (parts, places)
}

fn feed(block: &Block) -> Feed<'_> {
    Feed {
        columns: block.columns.clone(),
        times: &block.times,
        ticks: &block.times,
        codes: &block.codes,
        present: None,
        first_ordinal: block.first_ordinal,
    }
}

/// How far a row is behind another of its batch.
#[inline]
fn offset(ordinal: u64, first: u64) -> u32 {
    u32::try_from(ordinal - first).expect("rows of a batch are numbered in 32 bits")
}
