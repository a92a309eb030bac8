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
    /// Stands at `start_ms`; where `holder` is given, what it returns goes before, unless that is nothing.
    #[new]
    #[pyo3(signature = (start_ms, holder=None))]
    fn new(start_ms: i64, holder: Option<Py<PyAny>>) -> PyResult<Self> {
        let clock = ManualClock::new(within(start_ms)?);
        let clock = match holder {
            Some(holder) => clock.held_by(Box::new(move || held(&holder))),
            None => clock,
        };
        Ok(Self { clock: Arc::new(clock) })
    }

    /// Lets it run from where it stands.
    fn run(&self, py: Python<'_>) {
        py.detach(|| self.clock.run());
    }

    /// Stops it where it stands.
    fn freeze(&self, py: Python<'_>) {
        py.detach(|| self.clock.freeze());
    }

    /// Whether it stands still until somebody moves it.
    #[getter]
    fn is_still(&self) -> bool {
        self.clock.is_still()
    }

    /// Whether somebody else's time goes before its own now.
    #[getter]
    fn is_held(&self) -> bool {
        self.clock.held().is_some()
    }

    /// Moves on by `duration_ms` and returns the new time.
    fn advance_ms(&self, duration_ms: i64) -> PyResult<i64> {
        if duration_ms < 0 {
            return Err(raise(
                "InvalidArgumentException",
                format!("a clock does not go back: {duration_ms} ms"),
            ));
        }
        within(self.clock.now().0.saturating_add(duration_ms))?;
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
        Ok(self.clock.advance_to(within(time_ms)?).0)
    }

    /// The time, in milliseconds since 1970.
    fn now_ms(&self) -> i64 {
        self.clock.now().0
    }
}

/// What a holder says; nothing, where it fails.
fn held(holder: &Py<PyAny>) -> Option<Millis> {
    Python::attach(|py| holder.call0(py).and_then(|ms| ms.extract::<Option<i64>>(py)))
        .unwrap_or_default()
        .map(Millis)
}

/// A time that a clock can stand at.
fn within(time_ms: i64) -> PyResult<Millis> {
    let time = Millis(time_ms);
    if time < ManualClock::END {
        return Ok(time);
    }
    let message = format!("a clock stands before the year 2400, not at {time_ms} ms since 1970");
    Err(raise("InvalidArgumentException", message))
}
