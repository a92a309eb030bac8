//! Lanes: for the panes that rows fall into now, the slot of every group by its code, without hashing.

use crate::window::vacancy::VACANT;

/// How many panes have a lane at once; neighbours never share one.
pub(super) const LANE_COUNT: usize = 8;

/// The codes from here on have no place in lanes, so that lanes stay small however many groups there are.
const CODES_MAX: usize = 1 << 20;

/// Whether a code can have a place in lanes.
#[inline]
pub(super) fn has_place(code: u32) -> bool {
    (code as usize) < CODES_MAX
}

/// Where no pane starts: times stay clear of the ends of 64 bits.
const NOWHERE: i64 = i64::MIN;

/// The slot of a group in the pane that had the lane at a time.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    epoch: u32,
    slot: u32,
}

/// A place for each code, of one pane at a time.
#[derive(Debug)]
pub(super) struct Lane {
    /// Where the pane starts that has the lane.
    start: i64,
    /// Counts the panes that had it: places of another epoch are vacant.
    epoch: u32,
    places: Vec<Place>,
}

impl Default for Lane {
    fn default() -> Self {
        Self { start: NOWHERE, epoch: 0, places: Vec::new() }
    }
}

impl Lane {
    /// Whether the pane that starts there has the lane.
    #[inline]
    pub(super) fn is_of(&self, start: i64) -> bool {
        self.start == start
    }

    /// Gives the lane to a pane that has no slots yet.
    pub(super) fn give(&mut self, start: i64) {
        self.start = start;
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            // Places of all epochs there ever were would come back to life.
            self.places.clear();
            self.epoch = 1;
        }
    }

    /// Takes the lane from a pane, if it has it.
    pub(super) fn take_from(&mut self, start: i64) {
        if self.start == start {
            self.start = NOWHERE;
        }
    }

    /// The slot of a code; `VACANT` where it has none, or none here.
    ///
    /// Whether a group is new in its pane is what no processor foretells: it is computed, not branched on.
    #[inline]
    pub(super) fn slot(&self, code: u32) -> u32 {
        self.places.get(code as usize).map_or(VACANT, |place| {
            place.slot | u32::from(place.epoch == self.epoch).wrapping_sub(1)
        })
    }

    /// The slot of a code that can have a place; made where it has none.
    #[inline]
    pub(super) fn slot_or(&mut self, code: u32, make: impl FnOnce() -> u32) -> u32 {
        let known = self.slot(code);
        if known != VACANT {
            return known;
        }
        let slot = make();
        self.put(code, slot);
        slot
    }

    /// Finds the slots of rows whose group has none in the lane yet, or not long; `make` makes those of so many groups, in
    /// the order in which they are first met.
    pub(super) fn slots_or<'a>(
        &mut self,
        rows: &[u16],
        codes: &[u32],
        slots: &mut [u32],
        make: impl FnOnce(&[u32]) -> &'a [u32],
    ) {
        let Some(greatest) = rows.iter().map(|&row| codes[usize::from(row)]).max() else { return };
        self.make_room(greatest);
        // New groups are listed first: their slots are made all at once.
        let mut new_codes = Vec::with_capacity(rows.len());
        for &row in rows {
            let code = codes[usize::from(row)];
            let place = &mut self.places[code as usize];
            if place.epoch != self.epoch {
                *place = Place { epoch: self.epoch, slot: VACANT };
                new_codes.push(code);
            }
        }
        for (&code, &slot) in new_codes.iter().zip(make(&new_codes)) {
            self.places[code as usize].slot = slot;
        }
        for &row in rows {
            slots[usize::from(row)] = self.places[codes[usize::from(row)] as usize].slot;
        }
    }

    fn make_room(&mut self, code: u32) {
        let index = code as usize;
        if self.places.len() <= index {
            self.places.resize((index + 1).next_power_of_two().max(16), Place::default());
        }
    }

    /// Puts the slot of a code that can have a place.
    pub(super) fn put(&mut self, code: u32, slot: u32) {
        self.make_room(code);
        self.places[code as usize] = Place { epoch: self.epoch, slot };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lane_forgets_the_slots_of_the_pane_before() {
        let mut lane = Lane::default();
        lane.give(60);
        assert_eq!(lane.slot(3), VACANT);
        lane.put(3, 7);
        assert_eq!((lane.slot(3), lane.slot(2), lane.slot(1_000)), (7, VACANT, VACANT));
        lane.give(120);
        assert!(lane.is_of(120) && !lane.is_of(60));
        assert_eq!(lane.slot(3), VACANT);
        lane.take_from(60);
        assert!(lane.is_of(120));
        lane.take_from(120);
        assert!(!lane.is_of(120));
    }

    #[test]
    fn epochs_that_come_round_find_nothing_of_their_like() {
        let mut lane = Lane { epoch: u32::MAX - 1, ..Lane::default() };
        lane.give(0);
        lane.put(5, 1);
        lane.give(60);
        assert_eq!(lane.slot(5), VACANT);
    }

    #[test]
    fn far_codes_have_no_place() {
        assert!(!has_place(u32::try_from(CODES_MAX).unwrap()));
        assert!(has_place(u32::try_from(CODES_MAX).unwrap() - 1));
    }
}
