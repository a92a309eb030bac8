//! From members to the bytes of an answer: JSON or CBOR, whichever the client speaks.

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use minicbor::Encoder;
use serde::ser::Serialize;
use serde::ser::SerializeMap;
use serde::ser::Serializer;

use crate::service::value::Members;
use crate::service::value::Value;

/// Writes members as JSON: blobs are base64, instants are seconds.
pub fn json(members: &Members) -> Vec<u8> {
    serde_json::to_vec(members).expect("members are JSON, and memory takes any length")
}

/// Writes members as CBOR: blobs are bytes, instants are milliseconds.
pub fn cbor(members: &Members) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write_members(members, &mut encoder).expect("memory takes any length");
    encoder.into_writer()
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write_members(members: &Members, encoder: &mut Encoder<Vec<u8>>) -> Written {
    encoder.map(members.iter().len() as u64)?;
    for (name, value) in members.iter() {
        encoder.str(name)?;
        write_value(value, encoder)?;
    }
    Ok(())
}

fn write_value(value: &Value, encoder: &mut Encoder<Vec<u8>>) -> Written {
    match value {
        Value::Blob(bytes) => drop(encoder.bytes(bytes)?),
        Value::Boolean(is_so) => drop(encoder.bool(*is_so)?),
        Value::Integer(number) => drop(encoder.i64(*number)?),
        Value::List(values) => {
            encoder.array(values.len() as u64)?;
            values.iter().try_for_each(|value| write_value(value, encoder))?;
        }
        Value::Map(pairs) => {
            encoder.map(pairs.len() as u64)?;
            for (key, text) in pairs {
                encoder.str(key)?.str(text)?;
            }
        }
        Value::Structure(members) => write_members(members, encoder)?,
        Value::Text(text) => drop(encoder.str(text)?),
        Value::Timestamp(time) => drop(encoder.i64(time.0)?),
    }
    Ok(())
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.iter().len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Blob(bytes) => serializer.collect_str(&Base64Display::new(bytes, &STANDARD)),
            Self::Boolean(is_so) => serializer.serialize_bool(*is_so),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::List(values) => serializer.collect_seq(values),
            Self::Map(pairs) => serializer.collect_map(pairs.iter().map(|(key, text)| (key, text))),
            Self::Structure(members) => members.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            #[expect(
                clippy::cast_precision_loss,
                reason = "milliseconds of this millennium fit a float"
            )]
            Self::Timestamp(time) => serializer.serialize_f64(time.0 as f64 / 1e3),
        }
    }
}
