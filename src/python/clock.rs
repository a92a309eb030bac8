//! Clocks that Python moves.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::clock::ManualClock;
use crate::clock::Millis;
use crate::python::error::raise;

/// A clock that stands still until it is moved; times are milliseconds since 1970.
#[pyclass(name = "ManualClock", module = "shardstream._core", frozen, subclass)]
#[derive(Debug)]
pub(super) struct PyManualClock {
    pub(super) clock: Arc<ManualClock>,
}

#[pymethods]
impl PyManualClock {
    #[new]
    fn new(start_ms: i64) -> Self {
        Self { clock: Arc::new(ManualClock::new(Millis(start_ms))) }
    }

    /// Moves on by `duration_ms` and returns the new time.
    fn advance_ms(&self, duration_ms: i64) -> PyResult<i64> {
        if duration_ms < 0 {
            return Err(raise(
                "InvalidArgumentException",
                format!("a clock does not go back: {duration_ms} ms"),
            ));
        }
        Ok(self.clock.advance(duration_ms).0)
    }

    /// Moves to `time_ms` and returns the new time.
    fn set_ms(&self, time_ms: i64) -> PyResult<i64> {
        let now = self.clock.now();
        if time_ms < now.0 {
            let message = format!(
                "a clock does not go back: it stands at {now}, and {} is before",
                Millis(time_ms)
            );
            return Err(raise("InvalidArgumentException", message));
        }
        Ok(self.clock.advance_to(Millis(time_ms)).0)
    }

    /// The time, in milliseconds since 1970.
    fn now_ms(&self) -> i64 {
        self.clock.now().0
    }
}
