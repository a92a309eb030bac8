//! `ListTagsForStream`: the labels of a stream, page by page.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::value::Members;
use crate::service::value::Value;

/// Labels of a page, where nobody asks for fewer.
const PAGE: usize = 50;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let tags = call.stream()?.settings(call.now)?.tags;
    let after = call.input.text("ExclusiveStartTagKey").unwrap_or_default();
    let limit = call.limit("Limit", PAGE);
    let mut rest = tags.iter().filter(|(key, _)| after < key.as_str());
    let page: Vec<Value> = rest
        .by_ref()
        .take(limit)
        .map(|(key, value)| {
            Members::new().with("Key", key.as_str()).with("Value", value.as_str()).into()
        })
        .collect();
    Ok(Members::new().with("Tags", page).with("HasMoreTags", rest.next().is_some()))
}
