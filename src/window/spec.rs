//! What a query asks for: the window, its durations, the columns and the rules for time.

use crate::window::WindowError;
use crate::window::aggregate::Aggregate;

/// A duration in nanoseconds; negative ones are good for offsets only.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Makes a span of so many nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Makes a span of so many milliseconds.
    ///
    /// # Errors
    ///
    /// The span is longer than 292 years.
    pub fn from_millis(millis: i64) -> Result<Self, WindowError> {
        let nanos = millis.checked_mul(1_000_000);
        nanos.map(Self).ok_or(WindowError::SpanTooLong { part: "a duration" })
    }

    /// Answers the nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }
}

/// How rows are gathered in time: half-open windows `[start, end)`, aligned to 1970-01-01T00:00:00Z plus `offset`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Window {
    /// Windows that grow by `step` until they have `size`, then start anew.
    Cumulate {
        /// The longest window.
        size: Span,
        /// By how much each window is longer than the one before; `size` is a multiple of it.
        step: Span,
        /// By how much the alignment is shifted.
        offset: Span,
    },
    /// Windows of `size`, one starting every `slide`.
    Hop {
        /// The length of a window.
        size: Span,
        /// From one start to the next; at most `size`.
        slide: Span,
        /// By how much the alignment is shifted.
        offset: Span,
    },
    /// One window `(time - size, time]` for every row, of its key's rows.
    Rolling {
        /// The length of a window.
        size: Span,
    },
    /// Windows of activity per key: they end where no row comes for `gap`.
    ///
    /// Two rows are of one session when they are less than `gap` apart: exactly `gap` apart makes two.
    /// A session runs from its first row to its last row plus `gap`.
    Session {
        /// The silence that ends a session.
        gap: Span,
    },
    /// Windows of `size`, one after the other.
    Tumble {
        /// The length of a window.
        size: Span,
        /// By how much the alignment is shifted.
        offset: Span,
    },
}

impl Window {
    /// Makes windows that grow by `step` until they have `size`.
    pub fn cumulate(size: Span, step: Span, offset: Span) -> Result<Self, WindowError> {
        Self::Cumulate { size, step, offset }.validated()
    }

    /// Makes windows of `size`, one starting every `slide`.
    pub fn hop(size: Span, slide: Span, offset: Span) -> Result<Self, WindowError> {
        Self::Hop { size, slide, offset }.validated()
    }

    /// Makes one window of `size` behind every row.
    pub fn rolling(size: Span) -> Result<Self, WindowError> {
        Self::Rolling { size }.validated()
    }

    /// Makes windows of activity, ended by a silence of `gap`.
    pub fn session(gap: Span) -> Result<Self, WindowError> {
        Self::Session { gap }.validated()
    }

    /// Makes windows of `size`, one after the other.
    pub fn tumble(size: Span, offset: Span) -> Result<Self, WindowError> {
        Self::Tumble { size, offset }.validated()
    }

    /// Checks the durations; the variants can be made without the constructors.
    pub(crate) fn validated(self) -> Result<Self, WindowError> {
        match self {
            Self::Cumulate { size, step, .. } => {
                positive("size", size)?;
                positive("step", step)?;
                if size.0 % step.0 != 0 {
                    return Err(WindowError::StepUneven { size: size.0, step: step.0 });
                }
            }
            Self::Hop { size, slide, .. } => {
                positive("size", size)?;
                positive("slide", slide)?;
                if slide > size {
                    return Err(WindowError::SlideTooLong { size: size.0, slide: slide.0 });
                }
            }
            Self::Rolling { size } | Self::Tumble { size, .. } => positive("size", size)?,
            Self::Session { gap } => positive("gap", gap)?,
        }
        Ok(self)
    }

    /// Every duration, for the choice of the tick.
    pub(crate) fn spans(&self) -> Vec<Span> {
        match *self {
            Self::Cumulate { size, step: slide, offset } | Self::Hop { size, slide, offset } => {
                vec![size, slide, offset]
            }
            Self::Rolling { size: length } | Self::Session { gap: length } => vec![length],
            Self::Tumble { size, offset } => vec![size, offset],
        }
    }
}

pub(crate) fn positive(part: &'static str, span: Span) -> Result<(), WindowError> {
    match span.0 {
        1.. => Ok(()),
        nanos => Err(WindowError::SpanNotPositive { part, nanos }),
    }
}

/// What becomes of rows whose time is null.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum NullTimes {
    /// They are an error.
    #[default]
    Raise,
    /// They are left out, and counted.
    Skip,
}

/// Whether the order of arrival matters.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Order {
    /// Rows are judged against the watermark in the order in which they arrive; windows close as it passes.
    Arrival,
    /// Every row counts, and all windows close at the end: the order of arrival changes nothing.
    #[default]
    Event,
}

/// When the rows of a batch arrived, in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub enum Arrivals<'a> {
    /// All at once.
    At(i64),
    /// Each row at its own time.
    Each(&'a [i64]),
}

/// A windowed aggregation, before it meets the columns.
#[derive(Clone, Debug, PartialEq)]
pub struct QuerySpec {
    /// How rows are gathered in time.
    pub window: Window,
    /// The column of event time.
    pub time: String,
    /// The columns to group by; none for one group.
    pub keys: Vec<String>,
    /// What is computed, at least one.
    pub aggregates: Vec<Aggregate>,
    /// How far the watermark stays behind the latest event time.
    pub watermark: Span,
    /// How long a window stays open after the watermark passed its end.
    pub allowed_lateness: Span,
    /// After so long without arrivals the watermark goes on with the clock.
    pub idle_timeout: Option<Span>,
    /// What becomes of rows whose time is null.
    pub null_times: NullTimes,
}

impl QuerySpec {
    pub(crate) fn validate(&self) -> Result<(), WindowError> {
        self.window.validated()?;
        for (part, span) in
            [("watermark", self.watermark), ("allowed_lateness", self.allowed_lateness)]
        {
            if span < Span::ZERO {
                return Err(WindowError::SpanNegative { part, nanos: span.0 });
            }
        }
        self.idle_timeout.map_or(Ok(()), |idle| positive("idle_timeout", idle))
    }
}
