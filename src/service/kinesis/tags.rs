//! Labels of streams and consumers.

use std::collections::BTreeMap;

use crate::engine::EngineError;
use crate::engine::Stream;
use crate::limits::TAGS_PER_STREAM_MAX;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;

/// Labels as a call gives them.
pub(super) fn checked(tags: &[(String, String)]) -> Result<BTreeMap<String, String>, ServiceError> {
    let mut checked = BTreeMap::new();
    join(&mut checked, tags)?;
    Ok(checked)
}

/// Adds labels to others, where there is room for them.
pub(super) fn join(
    tags: &mut BTreeMap<String, String>,
    added: &[(String, String)],
) -> Result<(), ServiceError> {
    for text in added.iter().flat_map(|(key, value)| [key, value]) {
        if let Some(other) = text.chars().find(|&c| !is_allowed(c)) {
            return Err(ServiceError::invalid_argument(format!(
                "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, \
                 _ . / = + - % @. `{other}` is none."
            )));
        }
    }
    let new = added.iter().filter(|(key, _)| !tags.contains_key(key)).count();
    if TAGS_PER_STREAM_MAX < tags.len() + new {
        return Err(ServiceError::invalid_argument(format!(
            "Failed to add tags to stream. A given stream may not have more than {TAGS_PER_STREAM_MAX} tags."
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
        refused = join(tags, added);
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
    stream.label(call.now, |tags| {
        keys.for_each(|key| drop(tags.remove(key)));
        Ok::<(), EngineError>(())
    })?;
    Ok(())
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || character.is_whitespace() || "_./=+-%@:".contains(character)
}
