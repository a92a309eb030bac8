//! Choices made by the bytes of a target; when they are used up, the first of each.

/// Bytes that are left to choose by.
#[derive(Clone, Copy, Debug)]
pub struct Given<'b>(pub &'b [u8]);

impl<'b> Given<'b> {
    /// Whether none are left.
    pub fn is_used_up(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// At most so many bytes.
    pub fn bytes(&mut self, most: usize) -> &'b [u8] {
        let count = usize::from(self.byte()).min(most).min(self.0.len());
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    /// One of some choices.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// A number, mostly a small one or one at an edge.
    pub fn number(&mut self) -> i64 {
        match self.byte() % 16 {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => -1,
            3 => i64::from(i32::MAX) + 1,
            4..8 => self.bytes(8).iter().fold(0, |number, &byte| number << 8 | i64::from(byte)),
            8..10 => i64::from(self.byte()) * 24,
            _ => i64::from(self.byte()),
        }
    }

    /// Text of at most so many bytes.
    pub fn text(&mut self, most: usize) -> String {
        String::from_utf8_lossy(self.bytes(most)).into_owned()
    }
}
