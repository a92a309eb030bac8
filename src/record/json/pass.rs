//! One pass over records that are to become rows: each is read whole, and its row is taken back when it does not fit.

use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_array::RecordBatchOptions;
use arrow_schema::SchemaRef;

use crate::record::json::JsonError;
use crate::record::json::builder::Builder;
use crate::record::json::builder::is_read_directly;
use crate::record::json::decode::Decoded;
use crate::record::json::decode::Malformed;
use crate::record::json::infer::Column;
use crate::record::json::infer::Columns;
use crate::record::json::infer::Seen;
use crate::record::json::layout::Layout;
use crate::record::json::payload::Payloads;
use crate::record::json::scan::Field;
use crate::record::json::scan::Value;
use crate::record::json::scan::scan;
use crate::record::json::settled::Settled;
use crate::record::json::token::Sink;
use crate::record::json::token::Token;

/// The columns under construction and the fields of the record at hand.
pub(super) struct Pass<'a> {
    columns: &'a Columns,
    builders: Vec<Builder>,
    layout: Layout,
    /// What the careful scanner found, by slot.
    values: Vec<Option<Value<'a>>>,
    leads: Vec<(&'a str, Option<usize>)>,
    buffer: Vec<u8>,
    rows: Vec<u32>,
    malformed: Vec<Malformed>,
    unknown: Option<(u32, String)>,
    is_too_narrow: bool,
}

/// A row on its way into the columns.
struct Row<'b> {
    builders: &'b mut [Builder],
    /// The rows before it.
    done: usize,
    taken: usize,
}

impl<'a> Sink<'a> for Row<'_> {
    #[expect(clippy::inline_always, reason = "a token in registers costs half of one in memory")]
    #[inline(always)]
    fn take(&mut self, slot: usize, token: Token<'a>) -> bool {
        let builder = &mut self.builders[slot];
        self.taken += 1;
        // Of a field that comes twice the last one counts: not here.
        builder.len() == self.done && builder.take(token)
    }
}

impl<'a> Pass<'a> {
    pub(super) fn new(columns: &'a Columns, capacity: usize) -> Result<Self, JsonError> {
        // Casts tell which values they refuse after the pass, so that either no text waits for one or all times do too:
        // of two misfits in a record, the reason given is that of the first column.
        let reads_times =
            columns.as_slice().iter().all(|column| is_read_directly(&column.data_type()));
        let builder = |column: &Column| {
            Builder::new(&column.name, &column.data_type(), capacity, reads_times)
        };
        let builders = columns.as_slice().iter().map(builder).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            columns,
            values: vec![None; builders.len()],
            builders,
            layout: Layout::new(columns),
            leads: Vec::new(),
            buffer: Vec::new(),
            rows: Vec::with_capacity(capacity),
            malformed: Vec::new(),
            unknown: None,
            is_too_narrow: false,
        })
    }

    #[inline]
    pub(super) fn read(&mut self, payloads: Payloads<'a>, row: u32) {
        match payloads.text(row as usize) {
            Ok(text) => {
                if self.read_foreseen(text) {
                    self.rows.push(row);
                } else {
                    self.read_carefully(text, row);
                }
            }
            Err(reason) => self.refuse(row, reason),
        }
    }

    /// Appends a row of a record that is laid out as foreseen; `false`, and no row, when it is not.
    #[inline]
    fn read_foreseen(&mut self, text: &'a str) -> bool {
        let Self { layout, builders, rows, .. } = self;
        let done = rows.len();
        let mut row = Row { builders, done, taken: 0 };
        let is_read = layout.read(text, &mut row);
        let taken = row.taken;
        if !is_read {
            for builder in builders {
                builder.truncate(done);
            }
            return false;
        }
        if taken < builders.len() {
            let absent = builders.iter_mut().filter(|builder| builder.len() == done);
            absent.for_each(Builder::append_null);
        }
        true
    }

    fn read_carefully(&mut self, text: &'a str, row: u32) {
        match self.scan(text, row).and_then(|()| self.append()) {
            Ok(()) => {
                self.rows.push(row);
                if self.layout.is_learning() {
                    self.layout.learn(self.leads.iter().copied());
                }
            }
            Err(reason) => self.refuse(row, reason),
        }
    }

    /// Keeps a record aside; its fields are nobody's.
    #[cold]
    fn refuse(&mut self, row: u32, reason: String) {
        self.unknown.take_if(|(first, _)| *first == row);
        self.malformed.push(Malformed { row, reason });
    }

    fn scan(&mut self, text: &'a str, row: u32) -> Result<(), String> {
        let Self { columns, values, leads, buffer, unknown, .. } = self;
        values.fill(None);
        leads.clear();
        // Of a field that comes twice the last value counts, but the type is that of all.
        let mut is_widened = false;
        let scanned = scan(text, buffer, |Field { key, lead, value }| {
            let slot = columns.slot(key);
            match slot {
                Some(slot) => {
                    if let Some(earlier) = values[slot].replace(value) {
                        let seen = Seen::of(Token::of(earlier));
                        is_widened |= columns.as_slice()[slot].is_widened_by(seen);
                    }
                }
                None if columns.is_open() && unknown.is_none() => {
                    *unknown = Some((row, key.to_owned()));
                }
                None => {}
            }
            leads.push((lead, slot));
        });
        self.is_too_narrow |= is_widened && scanned.is_ok();
        scanned
    }

    fn append(&mut self) -> Result<(), String> {
        let done = self.rows.len();
        for (builder, value) in self.builders.iter_mut().zip(&self.values) {
            let fits = if let Some(value) = value {
                builder.take(Token::of(*value))
            } else {
                builder.append_null();
                true
            };
            if !fits {
                return Err(self.misfit(done));
            }
        }
        Ok(())
    }

    /// Takes the row back and says why it cannot be one.
    #[cold]
    fn misfit(&mut self, done: usize) -> String {
        self.builders.iter_mut().for_each(|builder| builder.truncate(done));
        let columns = self.columns.as_slice().iter();
        let values = columns.zip(&mut self.builders).zip(&self.values);
        let mut reasons = Vec::new();
        for ((column, builder), value) in values {
            let Some(value) = *value else {
                continue;
            };
            self.is_too_narrow |= column.is_widened_by(Seen::of(Token::of(value)));
            if let Some(misfit) = builder.misfit(value) {
                reasons.push((misfit.is_late, format!("`{}`: {}", column.name, misfit.reason)));
            }
        }
        // The sort is stable: of equals, the reason of the first column is given.
        reasons.sort_by_key(|&(is_late, _)| is_late);
        reasons.into_iter().next().map(|(_, reason)| reason).unwrap_or_default()
    }

    pub(super) fn finish(self, schema: SchemaRef) -> Result<Decoded, JsonError> {
        let Self { builders, rows, malformed, unknown, is_too_narrow, .. } = self;
        let bases: Vec<ArrayRef> = builders.into_iter().map(Builder::finish).collect();
        let mut settled = Settled { rows, malformed, misfits: None };
        let arrays = bases
            .iter()
            .zip(schema.fields())
            .map(|(base, field)| settled.cast(base, field))
            .collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(settled.rows.len()));
        let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
        let (batch, rows, malformed) = settled.without_misfits(batch)?;
        Ok(Decoded { batch, rows, malformed, unknown, is_too_narrow })
    }
}
