//! Chance, from a seed.

use crate::simulated::splitmix64;

/// Random numbers that a seed gives.
pub(crate) struct Dice {
    next: Box<dyn FnMut() -> u64 + Send>,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { next: Box::new(splitmix64(seed)) }
    }

    pub(crate) fn roll(&mut self) -> u64 {
        (self.next)()
    }

    /// Draws a number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % bound as u64).expect("it is below a usize")
    }

    /// Draws one of a few.
    pub(crate) fn one_of<T: Copy>(&mut self, each: &[T]) -> T {
        each[self.below(each.len())]
    }

    /// Draws whether something happens that happens once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Chance of its own, which goes on alike whatever becomes of this one.
    pub(crate) fn fork(&mut self) -> Self {
        Self::new(self.roll())
    }
}

impl std::fmt::Debug for Dice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dice").finish_non_exhaustive()
    }
}
