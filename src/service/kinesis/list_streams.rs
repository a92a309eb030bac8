//! `ListStreams`: the names of streams, page by page.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::value::Members;
use crate::service::value::Value;

/// Streams of a page, where nobody asks for fewer, and at most.
const PAGE: usize = 100;
/// The kind of its tokens.
const TOKEN: u8 = b'L';

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let input = call.input;
    let after = match input.text("NextToken") {
        Some(token) => views::open_token(call, TOKEN, token)?.swap_remove(0),
        None => input.text("ExclusiveStartStreamName").unwrap_or_default().to_owned(),
    };
    let limit = call.limit("Limit", PAGE).min(PAGE);
    let names = call.account.stream_names(call.now);
    let mut rest = names.iter().filter(|name| after < **name);
    let page: Vec<&String> = rest.by_ref().take(limit).collect();
    let has_more = rest.next().is_some();
    let mut summaries = Vec::new();
    for name in &page {
        // A stream that went meanwhile is no more listed.
        if let Ok(stream) = call.account.stream(call.now, name) {
            summaries.push(Value::from(views::stream_summary(call, &stream)?));
        }
    }
    let token = page
        .last()
        .filter(|_| has_more)
        .map(|last| call.sealer.seal(TOKEN, call.now, &[last.as_str()]));
    Ok(Members::new()
        .with(
            "StreamNames",
            page.iter().map(|name| Value::from(name.as_str())).collect::<Vec<Value>>(),
        )
        .with("HasMoreStreams", has_more)
        .with_some("NextToken", token)
        .with("StreamSummaries", summaries))
}
