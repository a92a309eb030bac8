//! How far event time has come: the watermark, row by row, and what it closes.

/// The watermark of one operator, in ticks.
///
/// Invariant: it never goes back, and depends on rows and arrivals alone, never on batches or polls.
#[derive(Debug)]
pub(crate) struct Watermark {
    delay: i64,
    lateness: i64,
    idle_ms: Option<i64>,
    ticks_per_ms: i64,
    /// The latest event time; `i64::MIN` before the first row.
    latest: i64,
    /// The watermark; `i64::MIN` before the first row.
    value: i64,
    /// Windows that end at or before this are closed.
    closing: i64,
    arrival_ms: Option<i64>,
}

impl Watermark {
    pub(crate) fn new(delay: i64, lateness: i64, idle_ms: Option<i64>, ticks_per_ms: i64) -> Self {
        Self {
            delay,
            lateness,
            idle_ms,
            ticks_per_ms,
            latest: i64::MIN,
            value: i64::MIN,
            closing: i64::MIN,
            arrival_ms: None,
        }
    }

    /// Takes in that a row arrived, before the row is judged.
    #[inline]
    pub(crate) fn arrive(&mut self, now_ms: i64) {
        self.tick(now_ms);
        self.arrival_ms = Some(self.arrival_ms.map_or(now_ms, |last| last.max(now_ms)));
    }

    /// Goes on with the clock when nothing has arrived for long.
    #[inline]
    pub(crate) fn tick(&mut self, now_ms: i64) {
        let (Some(idle_ms), Some(last_ms)) = (self.idle_ms, self.arrival_ms) else {
            return;
        };
        let silence_ms = now_ms.saturating_sub(last_ms);
        if silence_ms >= idle_ms && self.latest != i64::MIN {
            let passed = silence_ms.saturating_mul(self.ticks_per_ms);
            self.advance((self.latest - self.delay).saturating_add(passed));
        }
    }

    /// Takes in the event time of a row, after the row was judged.
    #[inline]
    pub(crate) fn observe(&mut self, time: i64) {
        if self.latest < time {
            self.latest = time;
            self.advance(time - self.delay);
        }
    }

    /// The least event time that closes what `next_end` answers for what is closed now; the least of all before the first.
    pub(crate) fn mover(&self, next_end: impl FnOnce(i64) -> i64) -> i64 {
        if self.closing == i64::MIN {
            return i64::MIN;
        }
        next_end(self.closing).saturating_add(self.lateness).saturating_add(self.delay)
    }

    /// Ends the input: every window closes.
    pub(crate) fn finish(&mut self) {
        self.closing = i64::MAX;
    }

    #[inline]
    fn advance(&mut self, value: i64) {
        if self.value < value {
            self.value = value;
            self.closing = self.closing.max(value.saturating_sub(self.lateness));
        }
    }

    #[inline]
    pub(crate) fn closing(&self) -> i64 {
        self.closing
    }

    /// The watermark; `i64::MIN` before the first row.
    #[inline]
    pub(crate) fn value(&self) -> i64 {
        self.value
    }

    pub(crate) fn has_idle_timeout(&self) -> bool {
        self.idle_ms.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watermark_stays_behind_the_latest_time_and_never_goes_back() {
        let mut watermark = Watermark::new(5, 2, None, 1);
        watermark.observe(100);
        watermark.observe(50);
        assert_eq!((watermark.value(), watermark.closing()), (95, 93));
    }

    #[test]
    fn silence_moves_the_watermark_whatever_the_polls() {
        let mut polled = Watermark::new(5, 0, Some(10), 1);
        let mut quiet = Watermark::new(5, 0, Some(10), 1);
        for watermark in [&mut polled, &mut quiet] {
            watermark.arrive(1_000);
            watermark.observe(100);
        }
        polled.tick(1_009);
        assert_eq!(polled.value(), 95);
        polled.tick(1_010);
        assert_eq!(polled.value(), 105);
        polled.arrive(1_020);
        quiet.arrive(1_020);
        assert_eq!((polled.value(), quiet.value()), (115, 115));
    }
}
