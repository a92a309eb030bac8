//! The shapes of a service's model: what requests and answers hold, and the constraints on it, as data.

use std::sync::LazyLock;

use regex::Regex;

/// A type of the model with its constraints.
#[derive(Debug)]
pub enum Shape {
    /// Bytes.
    Blob(Length),
    /// True or false.
    Boolean,
    /// A whole number of 32 bits.
    Integer(Range),
    /// Values of one shape in order.
    List(&'static Self, Length),
    /// A whole number of 64 bits.
    Long(Range),
    /// Values by text.
    Map(&'static Text, &'static Text, Length),
    /// Members by name.
    Structure(&'static Structure),
    /// Text.
    Text(Text),
    /// An instant.
    Timestamp,
}

/// Bounds of a length, both allowed.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// The least; none where zero.
    pub min: usize,
    /// The greatest.
    pub max: Option<usize>,
}

/// Bounds of a number, both allowed.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The least.
    pub min: Option<i64>,
    /// The greatest.
    pub max: Option<i64>,
}

/// Constraints on text.
#[derive(Debug)]
pub struct Text {
    /// How many characters.
    pub length: Length,
    /// What the whole of it matches.
    pub pattern: Option<&'static Pattern>,
    /// What it is one of; anything where there are none.
    pub values: &'static [&'static str],
}

/// A regular expression that the whole of a text matches.
#[derive(Debug)]
pub struct Pattern {
    /// As the service says it.
    pub source: &'static str,
    /// Anchored.
    pub regex: LazyLock<Regex>,
}

/// A structure: its members in the order in which the service checks them.
#[derive(Debug)]
pub struct Structure {
    /// What the service calls it.
    pub name: &'static str,
    /// What it holds.
    pub members: &'static [Member],
}

/// One member of a structure.
#[derive(Debug)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub shape: &'static Shape,
    /// Whether it must be there.
    pub required: bool,
}

impl Length {
    /// Any length.
    pub const ANY: Self = Self { min: 0, max: None };

    /// Lengths within bounds.
    pub const fn of(min: usize, max: usize) -> Self {
        Self { min, max: Some(max) }
    }
}

impl Range {
    /// Any number.
    pub const ANY: Self = Self { min: None, max: None };

    /// Numbers within bounds.
    pub const fn of(min: i64, max: i64) -> Self {
        Self { min: Some(min), max: Some(max) }
    }

    /// Numbers from one on.
    pub const fn from(min: i64) -> Self {
        Self { min: Some(min), max: None }
    }
}

impl Text {
    /// Any text.
    pub const ANY: Self = Self { length: Length::ANY, pattern: None, values: &[] };

    /// One of some values.
    pub const fn one_of(values: &'static [&'static str]) -> Self {
        Self { length: Length::ANY, pattern: None, values }
    }

    /// Text of a length.
    pub const fn long(min: usize, max: usize) -> Self {
        Self { length: Length::of(min, max), pattern: None, values: &[] }
    }

    /// The same, where the whole of it matches a pattern.
    #[must_use]
    pub const fn like(self, pattern: &'static Pattern) -> Self {
        Self { pattern: Some(pattern), ..self }
    }
}

impl Pattern {
    /// Tells whether the whole of a text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Declares a pattern of the model.
macro_rules! pattern {
    ($name:ident, $source:literal) => {
        static $name: Pattern = Pattern {
            source: $source,
            regex: LazyLock::new(|| {
                // The service's digits are those of ASCII.
                let source = concat!("^(?:", $source, ")$").replace(r"\d", "[0-9]");
                Regex::new(&source).expect("patterns of the model are regular")
            }),
        };
    };
}
pub(super) use pattern;

impl Structure {
    /// Finds a member by name.
    pub fn member(&self, name: &str) -> Option<&'static Member> {
        self.members.iter().find(|member| member.name == name)
    }
}
