//! From a request's bytes to its members, by the shapes of the model.

pub mod cbor;
pub mod json;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::clock::Millis;
use crate::service::error::ErrorCode;
use crate::service::error::ServiceError;
use crate::service::shape::Shape;
use crate::service::value::Value;

/// The deepest that a request may nest; the model's own shapes nest less.
const DEPTH_MAX: usize = 64;
/// The most values that the lists and maps of a request may hold together: some bytes of a body become many of memory,
/// and the model's own bounds allow some hundreds.
const VALUES_MAX: usize = 1 << 16;

/// A body that is not what the model says.
fn refusal(words: impl Into<String>) -> ServiceError {
    ServiceError::new(ErrorCode::Serialization, words)
}

/// A list where the model has none.
const LIST_FOUND: &str = "Start of list found where not expected";
/// A map where the model has none.
const MAP_FOUND: &str = "Start of structure or map found where not expected.";

/// The service's words where a scalar of some Java class stands for something else.
fn mismatch(shape: &Shape, class: &str) -> String {
    let wanted = match shape {
        Shape::Blob(_) => return format!("class {class} can not be converted to a Blob"),
        Shape::Boolean => "Boolean",
        Shape::Integer(_) => "Integer",
        Shape::List(..) => return "Expected list or null".to_owned(),
        Shape::Long(_) => "Long",
        Shape::Map(..) => return "Expected map or null".to_owned(),
        Shape::Structure(_) => return "Expected null".to_owned(),
        Shape::Text(_) => "String",
        Shape::Timestamp => "Date",
    };
    format!("class {class} can not be converted to an {wanted}")
}

fn boolean(shape: &Shape, is_so: bool) -> Result<Value, String> {
    match shape {
        Shape::Boolean => Ok(Value::Boolean(is_so)),
        _ => Err(mismatch(shape, "java.lang.Boolean")),
    }
}

/// A whole number; `timestamp_ms` is how many milliseconds one is where an instant is meant.
fn integer(shape: &Shape, number: i64, timestamp_ms: i64) -> Result<Value, String> {
    match shape {
        Shape::Integer(_) | Shape::Long(_) => Ok(Value::Integer(number)),
        Shape::Timestamp => Ok(Value::Timestamp(Millis(number.saturating_mul(timestamp_ms)))),
        _ => Err(mismatch(shape, "java.math.BigDecimal")),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "constraints bound numbers, and times have an end"
)]
fn fraction(shape: &Shape, number: f64, timestamp_ms: f64) -> Result<Value, String> {
    match shape {
        Shape::Integer(_) | Shape::Long(_) => Ok(Value::Integer(number.floor() as i64)),
        Shape::Timestamp => Ok(Value::Timestamp(Millis((number * timestamp_ms).round() as i64))),
        _ => Err(mismatch(shape, "java.math.BigDecimal")),
    }
}

fn text(shape: &Shape, text: &str) -> Result<Value, String> {
    match shape {
        Shape::Text(_) => Ok(Value::Text(text.to_owned())),
        Shape::Boolean => {
            let shown = text.to_uppercase();
            Err(format!("'{shown}' can not be converted to an Boolean"))
        }
        _ => Err(mismatch(shape, "java.lang.String")),
    }
}

/// Reads base64 as strictly as the service, in its words where it cannot.
fn blob(text: &str) -> Result<Value, String> {
    let refuse = |why: String| Err(format!("'{text}' can not be converted to a Blob: {why}"));
    if !text.len().is_multiple_of(4) {
        let len = text.len();
        return refuse(format!(
            "Base64 encoded length is expected a multiple of 4 bytes but found: {len}"
        ));
    }
    if let Ok(bytes) = STANDARD.decode(text) {
        return Ok(Value::Blob(Bytes::from(bytes)));
    }
    let is_digit = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    match text.trim_end_matches('=').chars().find(|&c| !is_digit(c)) {
        Some(other) => refuse(format!("Invalid Base64 character: '{other}'")),
        // The spelling is the service's.
        None => refuse("Invalid last non-pad Base64 character dectected".to_owned()),
    }
}

#[cfg(test)]
mod tests;
