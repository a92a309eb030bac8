//! One batch on its way past the watermark, row by row.

use crate::window::late::LateRows;
use crate::window::slot::ResultRow;
use crate::window::watermark::Watermark;

/// What judging the rows of a batch reads and writes.
#[derive(Debug)]
pub(crate) struct Passage<'a> {
    pub(crate) watermark: &'a mut Watermark,
    pub(crate) late: &'a mut LateRows,
    /// The rows of windows that closed.
    pub(crate) closed: &'a mut Vec<ResultRow>,
    /// When each row arrived, where that matters.
    pub(crate) each_ms: Option<&'a [i64]>,
    /// The rows before this one have arrived.
    pub(crate) arrived: usize,
}

impl Passage<'_> {
    /// Lets rows arrive up to this one, those without a time on the way included.
    #[inline]
    pub(crate) fn arrive(&mut self, row: u32) {
        if let Some(each_ms) = self.each_ms {
            let next = row as usize + 1;
            for &now_ms in &each_ms[self.arrived..next] {
                self.watermark.arrive(now_ms);
            }
            self.arrived = next;
        }
    }

    /// Lets the rest of the batch arrive.
    pub(crate) fn arrive_rest(&mut self) {
        if let Some(each_ms) = self.each_ms {
            for &now_ms in &each_ms[self.arrived..] {
                self.watermark.arrive(now_ms);
            }
            self.arrived = each_ms.len();
        }
    }
}
