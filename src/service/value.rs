//! What requests and answers hold, once their bytes are understood.

use bytes::Bytes;

use crate::clock::Millis;

/// A value of some shape; what was null is left out.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Bytes.
    Blob(Bytes),
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Values in order.
    List(Vec<Self>),
    /// Values by text, in the order given.
    Map(Vec<(String, String)>),
    /// Members by name.
    Structure(Members),
    /// Text.
    Text(String),
    /// An instant.
    Timestamp(Millis),
}

/// The members of a structure that are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members(Vec<(&'static str, Value)>);

impl Members {
    /// No members.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds a member that may not be there.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Sets a member; the last one given counts.
    pub fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    /// Finds a member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// The bytes of a member.
    pub fn blob(&self, name: &str) -> Option<&Bytes> {
        match self.get(name) {
            Some(Value::Blob(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Whether a member is there and true.
    pub fn is_set(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Boolean(true)))
    }

    /// The number of a member.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// The values of a member; none where it is not there.
    pub fn list(&self, name: &str) -> &[Value] {
        match self.get(name) {
            Some(Value::List(values)) => values,
            _ => &[],
        }
    }

    /// The pairs of a member; none where it is not there.
    pub fn map(&self, name: &str) -> &[(String, String)] {
        match self.get(name) {
            Some(Value::Map(pairs)) => pairs,
            _ => &[],
        }
    }

    /// The members of a member.
    pub fn structure(&self, name: &str) -> Option<&Self> {
        match self.get(name) {
            Some(Value::Structure(members)) => Some(members),
            _ => None,
        }
    }

    /// The text of a member.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The texts of a member that is a list of them; none where it is not there.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.list(name).iter().filter_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The instant of a member.
    pub fn timestamp(&self, name: &str) -> Option<Millis> {
        match self.get(name) {
            Some(Value::Timestamp(time)) => Some(*time),
            _ => None,
        }
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Self::Blob(bytes)
    }
}

impl From<bool> for Value {
    fn from(is_so: bool) -> Self {
        Self::Boolean(is_so)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<Vec<Self>> for Value {
    fn from(values: Vec<Self>) -> Self {
        Self::List(values)
    }
}

impl From<Vec<(String, String)>> for Value {
    fn from(pairs: Vec<(String, String)>) -> Self {
        Self::Map(pairs)
    }
}

impl From<Members> for Value {
    fn from(members: Members) -> Self {
        Self::Structure(members)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Millis> for Value {
    fn from(time: Millis) -> Self {
        Self::Timestamp(time)
    }
}
