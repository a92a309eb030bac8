//! Requests in CBOR: blobs are bytes, instants are milliseconds.

use bytes::Bytes;
use minicbor::Decoder;
use minicbor::data::Type;

use crate::service::decode;
use crate::service::decode::DEPTH_MAX;
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
/// The body is not CBOR, or not what the model says.
pub fn members(structure: &'static Structure, body: &[u8]) -> Result<Members, ServiceError> {
    let mut reader = Reader { decoder: Decoder::new(body), depth: 0, values: 0 };
    let members = reader.members(structure).map_err(|fault| decode::refusal(fault.0))?;
    if reader.decoder.position() < body.len() {
        return Err(decode::refusal(""));
    }
    Ok(members)
}

/// What is wrong, in the service's words where it has any.
struct Fault(String);

impl From<minicbor::decode::Error> for Fault {
    fn from(_: minicbor::decode::Error) -> Self {
        Self(String::new())
    }
}

impl From<String> for Fault {
    fn from(words: String) -> Self {
        Self(words)
    }
}

static ANY_TEXT: Shape = Shape::Text(Text::ANY);

struct Reader<'b> {
    decoder: Decoder<'b>,
    depth: usize,
    /// How many values of lists and maps were read.
    values: usize,
}

impl Reader<'_> {
    fn members(&mut self, structure: &'static Structure) -> Result<Members, Fault> {
        let count = self.decoder.map()?;
        let mut members = Members::new();
        self.each(count, |reader| {
            let name = reader.text()?;
            match structure.member(&name) {
                None => reader.pass()?,
                Some(member) => {
                    if let Some(value) = reader.value(member.shape)? {
                        members.set(member.name, value);
                    }
                }
            }
            Ok(())
        })?;
        Ok(members)
    }

    /// Does something for each item of a list or map, whose count may not be said.
    fn each(
        &mut self,
        count: Option<u64>,
        mut item: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.depth += 1;
        if DEPTH_MAX < self.depth {
            return Err(Fault(String::new()));
        }
        if let Some(count) = count {
            (0..count).try_for_each(|_| item(self))?;
        } else {
            while self.decoder.datatype()? != Type::Break {
                item(self)?;
            }
            self.decoder.skip()?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads a value of a shape; `None` for null.
    fn value(&mut self, shape: &'static Shape) -> Result<Option<Value>, Fault> {
        let value = match self.untagged()? {
            Type::Null | Type::Undefined => {
                self.decoder.skip()?;
                return Ok(None);
            }
            Type::Bool => decode::boolean(shape, self.decoder.bool()?)?,
            Type::F16 | Type::F32 | Type::F64 => decode::fraction(shape, self.decoder.f64()?, 1.0)?,
            Type::String | Type::StringIndef => decode::text(shape, &self.text()?)?,
            Type::Bytes | Type::BytesIndef => match shape {
                Shape::Blob(_) => Value::Blob(self.bytes()?),
                other => return Err(decode::mismatch(other, "java.nio.HeapByteBuffer").into()),
            },
            Type::Array | Type::ArrayIndef => self.list(shape)?,
            Type::Map | Type::MapIndef => self.map(shape)?,
            _ => decode::integer(shape, self.decoder.i64()?, 1)?,
        };
        Ok(Some(value))
    }

    /// What comes next, behind its tags: they say of an instant that it is one, which the model says, too.
    fn untagged(&mut self) -> Result<Type, Fault> {
        while self.decoder.datatype()? == Type::Tag {
            self.decoder.tag()?;
        }
        Ok(self.decoder.datatype()?)
    }

    fn list(&mut self, shape: &'static Shape) -> Result<Value, Fault> {
        let Shape::List(member, _) = shape else {
            return Err(decode::LIST_FOUND.to_owned().into());
        };
        let count = self.decoder.array()?;
        let mut values = Vec::new();
        self.each(count, |reader| {
            reader.count_value()?;
            values.extend(reader.value(member)?);
            Ok(())
        })?;
        Ok(Value::List(values))
    }

    fn map(&mut self, shape: &'static Shape) -> Result<Value, Fault> {
        match shape {
            Shape::Structure(structure) => self.members(structure).map(Value::Structure),
            Shape::Map(..) => {
                let count = self.decoder.map()?;
                let mut pairs = Vec::new();
                self.each(count, |reader| {
                    reader.count_value()?;
                    let key = reader.text()?;
                    if let Some(Value::Text(text)) = reader.value(&ANY_TEXT)? {
                        pairs.push((key, text));
                    }
                    Ok(())
                })?;
                Ok(Value::Map(pairs))
            }
            _ => Err(decode::MAP_FOUND.to_owned().into()),
        }
    }

    fn count_value(&mut self) -> Result<(), Fault> {
        self.values += 1;
        if VALUES_MAX < self.values { Err(Fault(String::new())) } else { Ok(()) }
    }

    /// Passes over a value that the model does not know, as deep as any other may be.
    fn pass(&mut self) -> Result<(), Fault> {
        match self.untagged()? {
            Type::Array | Type::ArrayIndef => {
                let count = self.decoder.array()?;
                self.each(count, Self::pass)
            }
            Type::Map | Type::MapIndef => {
                let count = self.decoder.map()?;
                self.each(count, |reader| {
                    reader.pass()?;
                    reader.pass()
                })
            }
            Type::Break => Err(Fault(String::new())),
            _ => Ok(self.decoder.skip()?),
        }
    }

    fn text(&mut self) -> Result<String, Fault> {
        let mut text = String::new();
        for part in self.decoder.str_iter()? {
            text.push_str(part?);
        }
        Ok(text)
    }

    fn bytes(&mut self) -> Result<Bytes, Fault> {
        let mut bytes = Vec::new();
        for part in self.decoder.bytes_iter()? {
            bytes.extend_from_slice(part?);
        }
        Ok(bytes.into())
    }
}
