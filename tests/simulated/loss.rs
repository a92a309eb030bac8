//! What a loss of power takes: chance, and how hard it hits.

/// What becomes of a change that was not synced.
pub(crate) enum Fate {
    Whole,
    Gone,
    /// Some of its bytes are there.
    Torn,
}

/// One loss of power.
pub(crate) struct Loss<'a> {
    rng: &'a mut dyn FnMut() -> u64,
    /// Of four changes, how many do not survive whole, on average.
    harm: usize,
}

impl<'a> Loss<'a> {
    pub(crate) fn new(rng: &'a mut dyn FnMut() -> u64) -> Self {
        let mut loss = Self { rng, harm: 0 };
        loss.harm = loss.below(5);
        loss
    }

    /// Draws a number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from((self.rng)() % bound as u64).expect("it is below a usize")
    }

    /// Draws what becomes of bytes.
    pub(crate) fn fate(&mut self) -> Fate {
        if self.spares() {
            return Fate::Whole;
        }
        if self.below(2) == 0 { Fate::Gone } else { Fate::Torn }
    }

    /// Draws whether a change survives that is there or not, but never in part.
    pub(crate) fn spares(&mut self) -> bool {
        self.harm <= self.below(4)
    }
}
