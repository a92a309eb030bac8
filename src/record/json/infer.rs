//! Which columns the records have and which type holds all of a field's values, whatever order they come in.

use arrow_schema::DataType;
use foldhash::HashMap;
use foldhash::HashMapExt;

use crate::record::json::JsonError;
use crate::record::json::scan::Value;

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
    pub(super) fn of(value: Value<'_>) -> Self {
        match value.raw.as_bytes().first() {
            Some(b'n') => Self::NOTHING,
            Some(b't' | b'f') => Self::BOOLEAN,
            Some(b'-' | b'0'..=b'9') if value.raw.parse::<i64>().is_ok() => Self::INTEGER,
            Some(b'-' | b'0'..=b'9') => Self::FLOAT,
            _ => Self::TEXT,
        }
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

    pub(super) fn widen_slot(&mut self, slot: usize, seen: Seen) {
        self.all[slot].seen.add(seen);
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
