//! Registered consumers, as calls name them.

use std::sync::Arc;

use crate::engine::Account;
use crate::engine::Stream;
use crate::engine::consumer::Consumer;
use crate::service::arn::Arn;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;

/// A consumer with what it belongs to.
#[derive(Debug)]
pub(super) struct Found {
    /// Its account.
    pub(super) account: Arc<Account>,
    /// Its stream.
    pub(super) stream: Arc<Stream>,
    /// What the stream says of it.
    pub(super) consumer: Consumer,
}

impl Found {
    /// Its ARN.
    pub(super) fn arn(&self) -> Arn {
        Call::arn(&self.stream, &self.account)
            .of_consumer(&self.consumer.name, self.consumer.created)
    }
}

/// The consumer that a call names: by its ARN, or by its name and its stream's ARN.
pub(super) fn named(call: &Call<'_>) -> Result<Found, ServiceError> {
    let input = call.input;
    let (text, name) = (input.text("ConsumerARN"), input.text("ConsumerName"));
    match (text, name, input.get("StreamARN")) {
        (Some(text), ..) => {
            let arn = Arn::parse(text).filter(|arn| arn.consumer.is_some());
            let arn = arn.ok_or_else(|| {
                ServiceError::invalid_argument(format!("ConsumerARN {text} is not a consumer's."))
            })?;
            let is_of_stream =
                |text: &str| Arn::parse(text).is_some_and(|stream| stream.names(&arn));
            if name.is_some_and(|name| arn.consumer.as_ref().is_none_or(|(its, _)| its != name))
                || input.text("StreamARN").is_some_and(|text| !is_of_stream(text))
            {
                let message =
                    format!("ConsumerName or StreamARN is not that of ConsumerARN {text}.");
                return Err(ServiceError::invalid_argument(message));
            }
            of_arn(call, &arn)
        }
        (None, Some(name), Some(_)) => {
            let (stream, account) = call.stream_and_account()?;
            let consumers = stream.consumers(call.now)?;
            match consumers.into_iter().find(|consumer| consumer.name == name) {
                Some(consumer) => Ok(Found { account, stream, consumer }),
                None => Err(ServiceError::not_found(format!(
                    "Consumer {name} of stream {} under account {} not found.",
                    stream.name(),
                    account.id()
                ))),
            }
        }
        _ => Err(ServiceError::invalid_argument(
            "Either ConsumerARN, or both StreamARN and ConsumerName must be provided.",
        )),
    }
}

/// The consumer of an ARN.
pub(super) fn of_arn(call: &Call<'_>, arn: &Arn) -> Result<Found, ServiceError> {
    let missing = || ServiceError::not_found(format!("Consumer {arn} not found."));
    let (stream, account) = call.stream_of(arn).map_err(|_| missing())?;
    let consumers = stream.consumers(call.now)?;
    let is_it = |consumer: &Consumer| {
        arn.consumer.as_ref().is_some_and(|(name, created)| {
            *name == consumer.name && *created == consumer.created.whole_seconds()
        })
    };
    let consumer = consumers.into_iter().find(is_it).ok_or_else(missing)?;
    Ok(Found { account, stream, consumer })
}
