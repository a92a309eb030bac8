//! One record's text taken apart into its fields, checked to be one JSON object and nothing else.

use sonic_rs::Read;
use sonic_rs::parser::ParseStatus;
use sonic_rs::parser::Parser;
use sonic_rs::parser::Reference;

/// The deepest nesting that is followed; the parser recurses, so there must be an end.
const DEPTH_MAX: usize = 128;

/// The value of a field, as its JSON text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    /// The text, quotes and brackets included.
    pub(super) raw: &'a str,
    /// Whether a string holds escapes.
    pub(super) has_escapes: bool,
}

/// A field of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a, 'k> {
    pub(super) key: &'k str,
    /// The bytes between the brace or comma and the value: the key as it is written, and the colon.
    pub(super) lead: &'a str,
    pub(super) value: Value<'a>,
}

impl<'a> Value<'a> {
    /// The characters between the quotes of a string without escapes.
    #[inline]
    pub(super) fn plain_string(self) -> Option<&'a str> {
        if self.has_escapes {
            return None;
        }
        self.raw.strip_prefix('"')?.strip_suffix('"')
    }

    /// What a string with escapes says, written to `buffer`.
    pub(super) fn unescape<'t>(self, buffer: &'t mut Vec<u8>) -> Result<&'t str, String>
    where
        'a: 't,
    {
        let broken = || format!("{} has a broken escape", clipped(self.raw));
        let mut parser = Parser::new(Read::from(self.raw));
        parser.skip_space();
        match parser.parse_str(buffer) {
            Ok(Reference::Borrowed(text) | Reference::Copied(text)) => Ok(text),
            Err(_) => Err(broken()),
        }
    }
}

/// Hands every field of the object in `text` to `on_field`, in order; `Err` says what is wrong and where.
///
/// Fields seen before a fault was found have been handed over: the caller drops them.
pub(super) fn scan<'a>(
    text: &'a str,
    buffer: &mut Vec<u8>,
    mut on_field: impl FnMut(Field<'a, '_>),
) -> Result<(), String> {
    if is_too_deep(text.as_bytes()) {
        return Err(format!("nested deeper than {DEPTH_MAX} levels"));
    }
    let mut parser = Parser::new(Read::from(text));
    if parser.skip_space() != Some(b'{') {
        return Err(not_an_object(text));
    }
    let mut start = parser.offset();
    let mut next = parser.skip_space();
    if next == Some(b'}') {
        return check_end(&mut parser);
    }
    loop {
        if next != Some(b'"') {
            return Err(broken_here(text, &parser, next));
        }
        let key = parser.parse_str(buffer).map_err(|error| refused(text, &error))?;
        let colon = parser.skip_space();
        if colon != Some(b':') {
            return Err(broken_here(text, &parser, colon));
        }
        let value = read_value(text, &mut parser)?;
        let lead = &text[start..parser.offset() - value.raw.len()];
        on_field(Field { key: &key, lead, value });
        match parser.skip_space() {
            Some(b',') => {
                start = parser.offset();
                next = parser.skip_space();
            }
            Some(b'}') => return check_end(&mut parser),
            other => return Err(broken_here(text, &parser, other)),
        }
    }
}

/// The first characters of a value, for a message.
pub(super) fn clipped(raw: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    match raw.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", &raw[..end]),
        None => raw.to_owned(),
    }
}

#[inline]
pub(super) fn read_value<'a>(
    text: &'a str,
    parser: &mut Parser<Read<'a>>,
) -> Result<Value<'a>, String> {
    let (bytes, status) = parser.skip_one(true).map_err(|error| refused(text, &error))?;
    let end = parser.offset();
    let start = end - bytes.len();
    let raw = &text[start..end];
    let has_escapes = status == ParseStatus::HasEscaped;
    // The parser steps over escapes that it is not asked to decode.
    let may_escape = has_escapes || matches!(bytes[0], b'{' | b'[');
    if let Some(offset) = may_escape.then(|| broken_escape(bytes)).flatten() {
        return Err(broken(text, start + offset));
    }
    Ok(Value { raw, has_escapes })
}

/// Where a `\u` is not followed by four hexadecimal digits.
fn broken_escape(bytes: &[u8]) -> Option<usize> {
    let mut index = 0;
    while let Some(found) = bytes[index..].iter().position(|&byte| byte == b'\\') {
        let escape = index + found;
        if bytes.get(escape + 1) == Some(&b'u') {
            let digits = bytes.get(escape + 2..escape + 6);
            if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                return Some(escape);
            }
        }
        // A backslash stands in a string only, and always with the character it escapes.
        index = (escape + 2).min(bytes.len());
    }
    None
}

#[inline]
fn check_end(parser: &mut Parser<Read<'_>>) -> Result<(), String> {
    match parser.skip_space() {
        None => Ok(()),
        Some(_) => Err(format!("more after the JSON object, at byte {}", parser.offset() - 1)),
    }
}

#[cold]
fn broken_here(text: &str, parser: &Parser<Read<'_>>, found: Option<u8>) -> String {
    match found {
        Some(_) => broken(text, parser.offset() - 1),
        None => broken(text, text.len()),
    }
}

#[cold]
fn refused(text: &str, error: &sonic_rs::Error) -> String {
    broken(text, if error.is_eof() { text.len() } else { error.offset() })
}

#[cold]
fn broken(text: &str, offset: usize) -> String {
    if offset < text.len() {
        format!("not JSON at byte {offset}")
    } else {
        format!("JSON that ends early, at byte {}", text.len())
    }
}

#[cold]
fn not_an_object(text: &str) -> String {
    if text.trim_ascii().is_empty() {
        return "empty, not a JSON object".to_owned();
    }
    let mut parser = Parser::new(Read::from(text));
    match read_value(text, &mut parser) {
        Err(reason) => reason,
        Ok(value) => match parser.skip_space() {
            Some(_) => broken(text, parser.offset() - 1),
            None => format!("{}, not an object", noun(value.raw)),
        },
    }
}

fn noun(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'[') => "a JSON array",
        Some(b'"') => "a JSON string",
        Some(b't' | b'f') => "a JSON boolean",
        Some(b'n') => "a JSON null",
        _ => "a JSON number",
    }
}

/// Whether brackets are nested deeper than the parser may follow.
pub(super) fn is_too_deep(bytes: &[u8]) -> bool {
    if bytes.len() <= DEPTH_MAX {
        return false;
    }
    let openers = bytes.iter().filter(|&&byte| matches!(byte, b'{' | b'[')).count();
    DEPTH_MAX < openers && DEPTH_MAX < depth(bytes)
}

/// The deepest nesting of brackets outside of strings.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
