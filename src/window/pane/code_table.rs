//! From group code to slot, for one pane: a plain array while codes are few, then open addressing.

use crate::window::vacancy::VACANT;

/// The codes below this stand in the plain array.
const DENSE_CODES_MAX: usize = 256;

/// The slots of the groups of one pane; groups come, and go all at once.
#[derive(Debug, Default)]
pub(super) struct CodeTable {
    /// The slot of every small code.
    dense: Vec<u32>,
    /// Other codes with their slots, by hash; the length is zero or a power of two.
    sparse: Vec<(u32, u32)>,
    sparse_count: usize,
}

impl CodeTable {
    /// The place of a code's slot; `VACANT` is to be overwritten by the caller at once.
    #[inline]
    pub(super) fn place(&mut self, code: u32) -> &mut u32 {
        let index = code as usize;
        if index < DENSE_CODES_MAX {
            if self.dense.len() <= index {
                let room = (index + 1).next_power_of_two().max(4);
                self.dense.resize(room, VACANT);
            }
            return &mut self.dense[index];
        }
        self.sparse_place(code)
    }

    fn sparse_place(&mut self, code: u32) -> &mut u32 {
        if self.sparse.len() * 3 <= self.sparse_count * 4 {
            self.spread();
        }
        let index = seek(&self.sparse, code);
        let place = &mut self.sparse[index];
        if place.1 == VACANT {
            place.0 = code;
            self.sparse_count += 1;
        }
        &mut place.1
    }

    fn spread(&mut self) {
        let room = (self.sparse.len() * 2).max(16);
        let crowded = std::mem::replace(&mut self.sparse, vec![(0, VACANT); room]);
        for (code, slot) in crowded.into_iter().filter(|&(_, slot)| slot != VACANT) {
            let index = seek(&self.sparse, code);
            self.sparse[index] = (code, slot);
        }
    }
}

/// Where a code is, or the vacancy where it belongs.
#[inline]
fn seek(places: &[(u32, u32)], code: u32) -> usize {
    let mask = places.len() - 1;
    let shift = 32 - places.len().trailing_zeros();
    let mut index = (code.wrapping_mul(0x9E37_79B9) >> shift) as usize;
    while places[index].1 != VACANT && places[index].0 != code {
        index = (index + 1) & mask;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_keeps_its_slot() {
        let mut table = CodeTable::default();
        for code in (0..5_000).map(|code| code * 7) {
            let place = table.place(code);
            assert_eq!(*place, VACANT);
            *place = code + 1;
        }
        for code in (0..5_000).map(|code| code * 7) {
            assert_eq!(*table.place(code), code + 1);
        }
        assert_eq!(*table.place(3), VACANT);
    }
}
