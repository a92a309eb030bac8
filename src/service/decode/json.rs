//! Requests in JSON: blobs are base64, instants are seconds.

use std::cell::Cell;
use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::Error;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;

use crate::service::decode;
use crate::service::decode::VALUES_MAX;
use crate::service::error::ServiceError;
use crate::service::shape::Shape;
use crate::service::shape::Structure;
use crate::service::shape::Text;
use crate::service::value::Members;
use crate::service::value::Value;

/// Reads the members of a request; unknown ones are skipped, and null ones are as if they were not there.
///
/// # Errors
///
/// The body is not JSON, or not what the model says.
pub fn members(structure: &'static Structure, body: &[u8]) -> Result<Members, ServiceError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let values = Cell::new(0);
    let read = deserializer.deserialize_map(MembersVisitor { structure, values: &values });
    let members = read.map_err(|error| match error.classify() {
        serde_json::error::Category::Data => decode::refusal(without_place(&error)),
        _ => decode::refusal(""),
    })?;
    deserializer.end().map_err(|_| decode::refusal(""))?;
    Ok(members)
}

/// The words of an error of ours, without the place that the parser adds.
fn without_place(error: &serde_json::Error) -> String {
    let words = error.to_string();
    // Of a body that is no structure at all, the service says nothing.
    if words.starts_with("invalid type") {
        return String::new();
    }
    match words.rfind(" at line ") {
        Some(end) => words[..end].to_owned(),
        None => words,
    }
}

struct MembersVisitor<'c> {
    structure: &'static Structure,
    /// How many values of lists and maps were read.
    values: &'c Cell<usize>,
}

impl<'de> Visitor<'de> for MembersVisitor<'_> {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a structure")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Members, A::Error> {
        let mut members = Members::new();
        while let Some(name) = pairs.next_key::<std::borrow::Cow<'de, str>>()? {
            let Some(member) = self.structure.member(&name) else {
                pairs.next_value::<IgnoredAny>()?;
                continue;
            };
            let seed = ShapeSeed { shape: member.shape, values: self.values };
            if let Some(value) = pairs.next_value_seed(seed)? {
                members.set(member.name, value);
            }
        }
        Ok(members)
    }
}

/// Reads a value of a shape; `None` for null.
#[derive(Clone, Copy)]
struct ShapeSeed<'c> {
    shape: &'static Shape,
    values: &'c Cell<usize>,
}

impl ShapeSeed<'_> {
    /// Counts a value of a list or map; `E` has no words where there are too many.
    fn count_value<E: Error>(&self) -> Result<(), E> {
        self.values.set(self.values.get() + 1);
        if VALUES_MAX < self.values.get() { Err(E::custom("")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for ShapeSeed<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

static ANY_TEXT: Shape = Shape::Text(Text::ANY);

fn told<E: Error>(read: Result<Value, String>) -> Result<Option<Value>, E> {
    read.map(Some).map_err(E::custom)
}

impl<'de> Visitor<'de> for ShapeSeed<'_> {
    type Value = Option<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("what the model says")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, is_so: bool) -> Result<Self::Value, E> {
        told(decode::boolean(self.shape, is_so))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        told(decode::integer(self.shape, number, 1_000))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        told(decode::fraction(self.shape, number, 1e3))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match self.shape {
            Shape::Blob(_) => told(decode::blob(text)),
            other => told(decode::text(other, text)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let Shape::List(shape, _) = self.shape else {
            return Err(A::Error::custom(decode::LIST_FOUND));
        };
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(Self { shape, ..self })? {
            self.count_value()?;
            values.extend(value);
        }
        Ok(Some(Value::List(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Self::Value, A::Error> {
        match self.shape {
            Shape::Structure(structure) => {
                let visitor = MembersVisitor { structure, values: self.values };
                visitor.visit_map(pairs).map(|members| Some(members.into()))
            }
            Shape::Map(..) => {
                let mut map = Vec::new();
                while let Some(key) = pairs.next_key::<String>()? {
                    self.count_value()?;
                    let seed = Self { shape: &ANY_TEXT, ..self };
                    if let Some(Value::Text(text)) = pairs.next_value_seed(seed)? {
                        map.push((key, text));
                    }
                }
                Ok(Some(Value::Map(map)))
            }
            _ => Err(A::Error::custom(decode::MAP_FOUND)),
        }
    }
}
