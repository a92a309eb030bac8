//! Labels of streams and consumers.

use std::collections::BTreeMap;

use crate::engine::EngineError;
use crate::engine::Stream;
use crate::limits::TAGS_PER_STREAM_MAX;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;

/// Labels as a call gives them for something.
pub(super) fn checked(
    tags: &[(String, String)],
    of: &str,
) -> Result<BTreeMap<String, String>, ServiceError> {
    let mut checked = BTreeMap::new();
    join(&mut checked, tags, of)?;
    Ok(checked)
}

/// Adds labels to others of something, where there is room for them.
pub(super) fn join(
    tags: &mut BTreeMap<String, String>,
    added: &[(String, String)],
    of: &str,
) -> Result<(), ServiceError> {
    let texts = added.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
    check_characters(texts, &format!("add tags to {of}"))?;
    let new = added.iter().filter(|(key, _)| !tags.contains_key(key)).count();
    if TAGS_PER_STREAM_MAX < tags.len() + new {
        return Err(ServiceError::invalid_argument(format!(
            "Failed to add tags to {of} because a given stream cannot have more than {TAGS_PER_STREAM_MAX} tags \
             associated with it."
        )));
    }
    tags.extend(added.iter().cloned());
    Ok(())
}

/// Labels a stream.
pub(super) fn add(
    call: &Call<'_>,
    stream: &Stream,
    added: &[(String, String)],
) -> Result<(), ServiceError> {
    let mut refused = Ok(());
    stream.label(call.now, |tags| {
        refused = join(tags, added, &of_stream(stream));
        Ok::<(), EngineError>(())
    })?;
    refused
}

/// Takes labels off a stream.
pub(super) fn remove<'k>(
    call: &Call<'_>,
    stream: &Stream,
    keys: impl Iterator<Item = &'k str>,
) -> Result<(), ServiceError> {
    let keys: Vec<&str> = keys.collect();
    check_characters(keys.iter().copied(), &format!("remove tags from {}", of_stream(stream)))?;
    stream.label(call.now, |tags| {
        tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok::<(), EngineError>(())
    })?;
    Ok(())
}

/// How a consumer is told of.
pub(super) fn of_consumer(name: &str, stream: &Stream) -> String {
    format!("consumer {name} of {}", of_stream(stream))
}

/// How a stream is told of.
fn of_stream(stream: &Stream) -> String {
    format!("stream {} under account {}", stream.name(), stream.account())
}

/// Checks the characters of labels; the service lists `%` among those it takes, and refuses it.
fn check_characters<'t>(
    texts: impl Iterator<Item = &'t str>,
    attempt: &str,
) -> Result<(), ServiceError> {
    let mut has_percent = false;
    for text in texts {
        if !text.chars().all(is_allowed) {
            return Err(ServiceError::invalid_argument(
                "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, \
                 _ . / = + - % @ :.",
            ));
        }
        has_percent |= text.contains('%');
    }
    if has_percent {
        return Err(ServiceError::invalid_argument(format!(
            "Failed to {attempt} because some tags contained illegal characters. The allowed characters are Unicode \
             letters, white-spaces, '_',',','/','=','+','-','@',':'."
        )));
    }
    Ok(())
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || character.is_whitespace() || "_./=+-%@:".contains(character)
}
