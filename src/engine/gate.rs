//! Whether an engine takes calls: it does until it is closed, and never in a process that was forked off.

use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering;

use crate::engine::error::EngineError;

const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const FORKED: u8 = 2;

/// What every call passes, before it waits for any lock.
#[derive(Debug, Default)]
pub(crate) struct Gate(AtomicU8);

impl Gate {
    /// Lets nobody pass any more.
    pub(crate) fn close(&self) {
        // It may be closed already, or forked off, which stays so.
        let _before = self.0.compare_exchange(OPEN, CLOSED, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Lets nobody pass in a process that was forked off: threads that are not here held locks that nobody lets go of.
    pub(crate) fn leave_behind(&self) {
        self.0.store(FORKED, Ordering::SeqCst);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.load(Ordering::SeqCst) != OPEN
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.0.load(Ordering::SeqCst) == FORKED
    }

    pub(crate) fn check(&self) -> Result<(), EngineError> {
        match self.0.load(Ordering::SeqCst) {
            OPEN => Ok(()),
            FORKED => Err(EngineError::EngineForked),
            _ => Err(EngineError::EngineClosed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gate_that_was_left_behind_stays_so() {
        let gate = Gate::default();
        assert!(gate.check().is_ok() && !gate.is_closed());
        gate.close();
        assert!(matches!(gate.check(), Err(EngineError::EngineClosed)));
        gate.leave_behind();
        gate.close();
        assert!(matches!(gate.check(), Err(EngineError::EngineForked)));
    }
}
