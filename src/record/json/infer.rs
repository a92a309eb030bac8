//! Which columns the records have and which type holds all of a field's values, whatever order they come in.

use arrow_schema::DataType;
use foldhash::HashMap;
use foldhash::HashMapExt;

use crate::record::json::JsonError;
use crate::record::json::layout::Layout;
use crate::record::json::scan::Field;
use crate::record::json::scan::scan;
use crate::record::json::token::Sink;
use crate::record::json::token::Token;

/// The most columns that are inferred from fields nobody named.
pub const FIELD_COUNT_MAX: usize = 10_000;

/// Which fields become columns.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// Every field, in the order in which they were first seen.
    All,
    /// These fields, in this order.
    Columns(Vec<String>),
}

/// What has been seen of a field, as a set: widening is the union, so it has no order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Seen(u8);

impl Seen {
    const BOOLEAN: Self = Self(1);
    const INTEGER: Self = Self(2);
    const FLOAT: Self = Self(4);
    const TEXT: Self = Self(8);
    const NOTHING: Self = Self(0);

    /// What one value is.
    #[inline]
    pub(super) fn of(token: Token<'_>) -> Self {
        match token {
            Token::Number(number) if number.integer().is_some() => Self::INTEGER,
            Token::Number(_) => Self::FLOAT,
            Token::Text(_) => Self::TEXT,
            Token::Other(value) => match value.raw.as_bytes().first() {
                Some(b'n') => Self::NOTHING,
                Some(b't' | b'f') => Self::BOOLEAN,
                _ => Self::TEXT,
            },
        }
    }

    /// Whether `other` is no news.
    #[inline]
    pub(super) fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// The narrowest type that holds everything seen.
    pub(super) fn data_type(self) -> DataType {
        let numbers = Self::INTEGER.0 | Self::FLOAT.0;
        match self {
            Self::NOTHING => DataType::Null,
            Self::BOOLEAN => DataType::Boolean,
            Self::INTEGER => DataType::Int64,
            Self(bits) if bits & !numbers == 0 => DataType::Float64,
            _ => DataType::Utf8,
        }
    }
}

/// One column: its name and type.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) declared: Option<DataType>,
    pub(super) seen: Seen,
}

impl Column {
    pub(super) fn data_type(&self) -> DataType {
        self.declared.clone().unwrap_or_else(|| self.seen.data_type())
    }

    /// Whether the column would be of another type had this been seen too.
    pub(super) fn is_widened_by(&self, seen: Seen) -> bool {
        let mut wider = self.seen;
        wider.add(seen);
        self.declared.is_none() && wider.data_type() != self.seen.data_type()
    }
}

/// The columns by position and by name.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    all: Vec<Column>,
    index: HashMap<String, usize>,
    is_open: bool,
}

impl Columns {
    pub(super) fn new(wanted: Wanted, declared: &[(String, DataType)]) -> Self {
        let mut columns =
            Self { all: Vec::new(), index: HashMap::new(), is_open: wanted == Wanted::All };
        if let Wanted::Columns(names) = wanted {
            for name in names {
                columns.insert(name, None);
            }
        }
        for (name, data_type) in declared {
            match columns.index.get(name) {
                Some(&slot) => columns.all[slot].declared = Some(data_type.clone()),
                None if columns.is_open => columns.insert(name.clone(), Some(data_type.clone())),
                None => {}
            }
        }
        columns
    }

    /// Declares the type of a column there is.
    pub(super) fn declare(&mut self, name: &str, data_type: &DataType) {
        if let Some(&slot) = self.index.get(name) {
            self.all[slot].declared = Some(data_type.clone());
        }
    }

    /// Widens by the fields of one good record.
    pub(super) fn widen(&mut self, fields: &[(String, Seen)]) -> Result<(), JsonError> {
        for (name, seen) in fields {
            if !self.index.contains_key(name) {
                if FIELD_COUNT_MAX <= self.all.len() {
                    return Err(JsonError::FieldLimit { limit: FIELD_COUNT_MAX });
                }
                self.insert(name.clone(), None);
            }
            self.all[self.index[name]].seen.add(*seen);
        }
        Ok(())
    }

    pub(super) fn slot(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Whether fields that nobody named become columns.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(super) fn as_slice(&self) -> &[Column] {
        &self.all
    }

    fn insert(&mut self, name: String, declared: Option<DataType>) {
        if !self.index.contains_key(&name) {
            self.index.insert(name.clone(), self.all.len());
            self.all.push(Column { name, declared, seen: Seen::default() });
        }
    }
}

/// A pass over records that widens columns by what the good ones hold.
pub(super) struct Survey<'c> {
    columns: &'c mut Columns,
    layout: Layout,
    buffer: Vec<u8>,
    /// What the record at hand adds to columns, and the fields that are no columns yet.
    news: Vec<(usize, Seen)>,
    fresh: Vec<(String, Seen)>,
}

impl<'c> Survey<'c> {
    pub(super) fn new(columns: &'c mut Columns) -> Self {
        let layout = Layout::new(columns);
        Self { columns, layout, buffer: Vec::new(), news: Vec::new(), fresh: Vec::new() }
    }

    /// Reads one record; one that is not JSON says nothing.
    #[inline]
    pub(super) fn read(&mut self, text: &str) -> Result<(), JsonError> {
        let Self { columns, layout, news, .. } = self;
        news.clear();
        let is_read = layout.read(text, &mut Sights { columns: &columns.all, news });
        if !is_read {
            return self.read_carefully(text);
        }
        for &(slot, seen) in &self.news {
            self.columns.all[slot].seen.add(seen);
        }
        Ok(())
    }

    fn read_carefully(&mut self, text: &str) -> Result<(), JsonError> {
        let Self { columns, layout, buffer, news, fresh } = self;
        news.clear();
        fresh.clear();
        let mut leads = Vec::new();
        let is_learning = layout.is_learning();
        let scanned = scan(text, buffer, |Field { key, lead, value }| {
            let seen = Seen::of(Token::of(value));
            let slot = columns.slot(key);
            match slot {
                Some(slot) => news.push((slot, seen)),
                None if columns.is_open() => fresh.push((key.to_owned(), seen)),
                None => {}
            }
            if is_learning {
                leads.push((lead, slot));
            }
        });
        if scanned.is_err() {
            return Ok(());
        }
        for &(slot, seen) in news.iter() {
            columns.all[slot].seen.add(seen);
        }
        columns.widen(fresh)?;
        if is_learning && fresh.is_empty() {
            layout.learn(leads.into_iter());
        }
        Ok(())
    }
}

/// What a record shows of columns that they have not been seen to hold.
struct Sights<'s> {
    columns: &'s [Column],
    news: &'s mut Vec<(usize, Seen)>,
}

impl<'a> Sink<'a> for Sights<'_> {
    #[expect(clippy::inline_always, reason = "a token in registers costs half of one in memory")]
    #[inline(always)]
    fn take(&mut self, slot: usize, token: Token<'a>) -> bool {
        let seen = Seen::of(token);
        if !self.columns[slot].seen.includes(seen) {
            self.news.push((slot, seen));
        }
        true
    }
}
