//! Records laid out like those before them: each key is compared with the one foreseen, not parsed.
//!
//! What is foreseen are bytes that stood in front of a value of a good record, key, colon and space included. Where the
//! same bytes stand again they mean the same again; where they do not, the record is left to the careful scanner.

use crate::record::json::infer::Columns;
use crate::record::json::token::Sink;
use crate::record::json::token::hand_over;

/// The most fields that are foreseen, and the most bytes in front of a value.
const FIELDS_MAX: usize = 128;
const LEAD_BYTES_MAX: usize = 256;
/// The bytes of a lead that are compared at once.
const HEAD_BYTES: usize = size_of::<u128>();
/// How many fields may be missing before the one that is there is not looked for any more.
const MISSING_MAX: usize = 16;
/// The most records that are not even tried, after so many whose fields came in no order that could be foreseen.
const PAUSE_MAX: u32 = 256;

/// The fields of records in the order in which they tend to come.
#[derive(Debug, Default)]
pub(super) struct Layout {
    fields: Vec<Foreseen>,
    /// Whether a field without a column is something that somebody wants to know.
    is_open: bool,
    /// How many records to leave alone, and how many that was the last time.
    pause: u32,
    last_pause: u32,
}

#[derive(Debug)]
struct Foreseen {
    /// The bytes between the brace or comma and the value: `"name":`.
    lead: Vec<u8>,
    /// The first of them, as one number, and the bits of it that count.
    head: u128,
    mask: u128,
    slot: Option<usize>,
}

impl Foreseen {
    fn new(lead: &[u8], slot: Option<usize>) -> Self {
        let (mut head, mut mask) = ([0; HEAD_BYTES], [0; HEAD_BYTES]);
        for ((byte, head), mask) in lead.iter().zip(&mut head).zip(&mut mask) {
            (*head, *mask) = (*byte, u8::MAX);
        }
        let (head, mask) = (u128::from_le_bytes(head), u128::from_le_bytes(mask));
        Self { lead: lead.to_vec(), head, mask, slot }
    }

    /// Whether the lead stands at the beginning of `rest`.
    #[inline]
    fn leads(&self, rest: &[u8]) -> bool {
        let Some(head) = rest.first_chunk::<HEAD_BYTES>() else {
            return rest.starts_with(&self.lead);
        };
        u128::from_le_bytes(*head) & self.mask == self.head
            && (self.lead.len() <= HEAD_BYTES || rest.starts_with(&self.lead))
    }
}

impl Layout {
    pub(super) fn new(columns: &Columns) -> Self {
        Self { is_open: columns.is_open(), ..Self::default() }
    }

    /// Hands the values that have a slot to the sink, in order; `false` when the record has to be scanned carefully.
    ///
    /// Values may have been handed over by then, and the sink may have refused one: the caller takes them back.
    #[expect(clippy::inline_always, reason = "a token in registers costs half of one in memory")]
    #[inline(always)]
    pub(super) fn read<'a>(&mut self, text: &'a str, sink: &mut impl Sink<'a>) -> bool {
        if 0 < self.pause {
            self.pause -= 1;
            return false;
        }
        let bytes = text.as_bytes();
        if bytes.first() != Some(&b'{') {
            return false;
        }
        let (mut start, mut next) = (1, 0);
        loop {
            let Some(rest) = bytes.get(start..) else {
                return false;
            };
            let Some(place) = self.place(next, rest) else {
                return false;
            };
            let field = &self.fields[place];
            let Some(end) = hand_over(text, start + field.lead.len(), field.slot, sink) else {
                return false;
            };
            match bytes.get(end) {
                Some(b',') => (start, next) = (end + 1, place + 1),
                Some(b'}') => {
                    self.last_pause = 0;
                    return is_blank(&bytes[end + 1..]);
                }
                _ => return false,
            }
        }
    }

    /// Which field comes next, when it is the one foreseen or one of those after it.
    #[inline]
    fn place(&self, next: usize, rest: &[u8]) -> Option<usize> {
        match self.fields.get(next) {
            Some(field) if field.leads(rest) => Some(next),
            _ => self.place_after(next, rest),
        }
    }

    fn place_after(&self, next: usize, rest: &[u8]) -> Option<usize> {
        let after = self.fields.get(next..)?.iter().take(MISSING_MAX).skip(1);
        Some(next + 1 + after.into_iter().position(|field| field.leads(rest))?)
    }

    /// Whether the next careful record is worth learning from.
    pub(super) fn is_learning(&self) -> bool {
        self.pause == 0
    }

    /// Learns from the fields of a good record that was scanned carefully: what stands in front of each value, and its
    /// slot.
    pub(super) fn learn<'a>(&mut self, fields: impl Iterator<Item = (&'a str, Option<usize>)>) {
        let before = self.fields.len();
        let mut next = 0;
        for (lead, slot) in fields {
            if LEAD_BYTES_MAX < lead.len() || (self.is_open && slot.is_none()) {
                break;
            }
            let lead = lead.as_bytes();
            if let Some(place) = self.fields.iter().position(|field| field.lead == lead) {
                next = place + 1;
            } else if self.fields.len() < FIELDS_MAX {
                self.fields.insert(next, Foreseen::new(lead, slot));
                next += 1;
            }
        }
        if before < self.fields.len() {
            self.last_pause = 0;
        } else {
            // Nothing was new and yet it was not foreseen: the fields come in another order each time.
            self.last_pause = (self.last_pause * 2 + 1).min(PAUSE_MAX);
            self.pause = self.last_pause;
        }
    }
}

#[inline]
fn is_blank(rest: &[u8]) -> bool {
    rest.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}
