//! Arguments as Python gives them: bytes, keys, hash keys and positions.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBool;
use pyo3::types::PyByteArray;
use pyo3::types::PyBytes;
use pyo3::types::PyInt;
use pyo3::types::PyIterator;
use pyo3::types::PyString;

use crate::clock::Millis;
use crate::engine::position::Position;
use crate::hash_key::HashKey;
use crate::python::error::raise;
use crate::record::sequence::SequenceNumber;
use crate::threads::Threads;
use crate::threads::ThreadsError;

/// A record's data: `bytes` are borrowed, other buffers copied.
pub(super) enum Data<'a> {
    Borrowed(&'a [u8]),
    Copied(Vec<u8>),
}

impl<'a> Data<'a> {
    pub(super) fn extract(object: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::Borrowed(bytes.as_bytes()));
        }
        if let Ok(bytes) = object.cast::<PyByteArray>() {
            return Ok(Self::Copied(bytes.to_vec()));
        }
        if let Ok(buffer) = PyBuffer::<u8>::get(object) {
            return Ok(Self::Copied(buffer.to_vec(object.py())?));
        }
        let hint = if object.is_instance_of::<PyString>() {
            ": text.encode() makes bytes of it"
        } else {
            ": json.dumps(value).encode() makes bytes of a value"
        };
        let given = object.get_type().name()?;
        Err(raise("SerializationException", format!("data is bytes, not {given}{hint}")))
    }

    pub(super) fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Borrowed(bytes) => bytes.to_vec(),
            Self::Copied(bytes) => bytes,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Copied(bytes) => bytes,
        }
    }
}

/// A partition key: text.
pub(super) fn key<'a>(object: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    if let Ok(text) = object.cast::<PyString>() {
        return text.to_str().map_err(|error| {
            raise(
                "SerializationException",
                format!("a partition key is text that UTF-8 can carry: {error}"),
            )
        });
    }
    let given = object.get_type().name()?;
    Err(raise(
        "SerializationException",
        format!("a partition key is text, not {given}: pass key=str(...)"),
    ))
}

/// An iterator over records.
pub(super) fn iterator<'py>(records: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
    if let Ok(iterator) = records.try_iter() {
        return Ok(iterator);
    }
    let given = records.get_type().name()?;
    Err(raise(
        "SerializationException",
        format!("records are an iterable of tuples (data, key), not {given}"),
    ))
}

/// Text that is no name of this house's: a column's, say.
pub(super) fn text<'a>(object: &'a Bound<'_, PyAny>, what: &str) -> PyResult<&'a str> {
    if let Ok(text) = object.cast::<PyString>()
        && let Ok(text) = text.to_str()
    {
        return Ok(text);
    }
    let message = format!("{what} is text, not {}", object.repr()?);
    Err(raise("SerializationException", message))
}

/// An explicit hash key: an integer, or its decimal digits.
pub(super) fn hash_key(object: &Bound<'_, PyAny>) -> PyResult<HashKey> {
    let parsed = if object.is_instance_of::<PyInt>() && !object.is_instance_of::<PyBool>() {
        object.extract::<u128>().ok().map(HashKey)
    } else if let Ok(digits) = object.cast::<PyString>() {
        digits.to_str().ok().and_then(HashKey::parse)
    } else {
        let given = object.get_type().name()?;
        let message = format!("an explicit hash key is an int or its digits, not {given}");
        return Err(raise("SerializationException", message));
    };
    parsed.ok_or_else(|| {
        let message = format!(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {}",
            object.repr().map_or_else(|_| String::new(), |given| given.to_string())
        );
        raise("InvalidArgumentException", message)
    })
}

/// A number of threads; without one, what the environment says, else the cores.
pub(super) fn threads(count: Option<&Bound<'_, PyAny>>) -> PyResult<Threads> {
    let asked = count.map(|count| {
        let whole = count.is_instance_of::<PyInt>() && !count.is_instance_of::<PyBool>();
        let number = whole.then(|| count.extract::<usize>().ok()).flatten();
        number.ok_or_else(|| ThreadsError { source_name: "threads", value: count.to_string() })
    });
    let threads = asked.transpose().and_then(Threads::new);
    threads.map_err(|error| raise("InvalidArgumentException", error))
}

/// A position, as the package hands it over: a kind, and for some a sequence number or milliseconds.
#[derive(FromPyObject)]
pub(super) enum PyPosition {
    #[pyo3(transparent)]
    Timed((String, i64)),
    #[pyo3(transparent)]
    Numbered((String, String)),
    #[pyo3(transparent)]
    Plain(String),
}

impl PyPosition {
    pub(super) fn position(self) -> PyResult<Position> {
        match self {
            Self::Timed((kind, ms)) if kind == "AT_TIMESTAMP" => {
                Ok(Position::AtTimestamp(Millis(ms)))
            }
            Self::Numbered((kind, digits)) => {
                let number = sequence_number(&digits)?;
                match kind.as_str() {
                    "AFTER_SEQUENCE_NUMBER" => Ok(Position::AfterSequenceNumber(number)),
                    "AT_SEQUENCE_NUMBER" => Ok(Position::AtSequenceNumber(number)),
                    _ => Err(unknown(&kind)),
                }
            }
            Self::Plain(kind) if kind == "LATEST" => Ok(Position::Latest),
            Self::Plain(kind) if kind == "TRIM_HORIZON" => Ok(Position::TrimHorizon),
            Self::Plain(kind) | Self::Timed((kind, _)) => Err(unknown(&kind)),
        }
    }
}

/// A sequence number by its digits.
pub(super) fn sequence_number(digits: &str) -> PyResult<SequenceNumber> {
    SequenceNumber::parse(digits).map_err(|error| raise("InvalidArgumentException", error))
}

fn unknown(kind: &str) -> PyErr {
    raise("InvalidArgumentException", format!("`{kind}` is no position"))
}
