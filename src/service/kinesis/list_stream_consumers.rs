//! `ListStreamConsumers`: the consumers of a stream, page by page.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::value::Members;
use crate::service::value::Value;

/// Consumers of a page, where nobody asks for fewer, and at most.
const PAGE: usize = 100;
/// The kind of its tokens.
const TOKEN: u8 = b'C';

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let (stream, account) = call.stream_and_account()?;
    call.check_created(&stream)?;
    let arn = Call::arn(&stream, &account);
    let after = match call.input.text("NextToken") {
        Some(token) => {
            let fields = views::open_token(call, TOKEN, token)?;
            match fields.as_slice() {
                [of, after] if *of == arn.to_string() => after.clone(),
                _ => return Err(views::invalid_token()),
            }
        }
        None => String::new(),
    };
    let limit = call.limit("MaxResults", PAGE).min(PAGE);
    let consumers = stream.consumers(call.now)?;
    let mut rest = consumers.iter().filter(|consumer| after < consumer.name);
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let token = page
        .last()
        .filter(|_| rest.next().is_some())
        .map(|last| call.sealer.seal(TOKEN, call.now, &[&arn.to_string(), &last.name]));
    let listed = page.into_iter().map(|consumer| {
        let arn = arn.clone().of_consumer(&consumer.name, consumer.created);
        Value::from(views::consumer(consumer, &arn))
    });
    Ok(Members::new()
        .with("Consumers", listed.collect::<Vec<Value>>())
        .with_some("NextToken", token))
}
