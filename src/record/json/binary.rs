//! Binary values as base64 text, at any depth of a nested type.

use arrow_array::Array;
use arrow_array::BinaryArray;
use arrow_array::BinaryViewArray;
use arrow_array::FixedSizeBinaryArray;
use arrow_array::LargeBinaryArray;
use arrow_array::cast::AsArray;
use arrow_cast::base64::BASE64_STANDARD;
use arrow_cast::base64::Engine;
use arrow_json::Encoder;
use arrow_json::EncoderFactory;
use arrow_json::EncoderOptions;
use arrow_json::writer::NullableEncoder;
use arrow_schema::ArrowError;
use arrow_schema::DataType;
use arrow_schema::FieldRef;

/// Overrides Arrow's hexadecimal text: base64 is how the AWS APIs write bytes.
#[derive(Debug)]
pub(super) struct Base64Factory;

impl EncoderFactory for Base64Factory {
    fn make_default_encoder<'a>(
        &self,
        _field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let bytes = match array.data_type() {
            DataType::Binary => Bytes::Small(array.as_binary()),
            DataType::LargeBinary => Bytes::Large(array.as_binary()),
            DataType::BinaryView => Bytes::View(array.as_binary_view()),
            DataType::FixedSizeBinary(_) => Bytes::Fixed(array.as_fixed_size_binary()),
            _ => return Ok(None),
        };
        let encoder = Base64Encoder { bytes, text: String::new() };
        Ok(Some(NullableEncoder::new(Box::new(encoder), array.nulls().cloned())))
    }
}

enum Bytes<'a> {
    Fixed(&'a FixedSizeBinaryArray),
    Large(&'a LargeBinaryArray),
    Small(&'a BinaryArray),
    View(&'a BinaryViewArray),
}

struct Base64Encoder<'a> {
    bytes: Bytes<'a>,
    text: String,
}

impl Encoder for Base64Encoder<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let bytes = match self.bytes {
            Bytes::Fixed(array) => array.value(row),
            Bytes::Large(array) => array.value(row),
            Bytes::Small(array) => array.value(row),
            Bytes::View(array) => array.value(row),
        };
        self.text.clear();
        BASE64_STANDARD.encode_string(bytes, &mut self.text);
        out.push(b'"');
        out.extend_from_slice(self.text.as_bytes());
        out.push(b'"');
    }
}
