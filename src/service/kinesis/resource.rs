//! What an ARN stands for: a stream, or a consumer of one.

use std::sync::Arc;

use crate::engine::Account;
use crate::engine::Stream;
use crate::service::arn::Arn;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::consumers;
use crate::service::kinesis::consumers::Found;

/// Something with an ARN.
#[derive(Debug)]
pub(super) enum Resource {
    /// A consumer.
    Consumer(Found),
    /// A stream and its account.
    Stream(Arc<Stream>, Arc<Account>),
}

impl Resource {
    /// What a call's `ResourceARN` stands for.
    pub(super) fn named(call: &Call<'_>) -> Result<Self, ServiceError> {
        let text = call.input.text("ResourceARN").unwrap_or_default();
        let arn = Arn::parse(text).ok_or_else(|| {
            ServiceError::not_found(format!(
                "Resource {text} is neither a stream nor a consumer here."
            ))
        })?;
        if arn.consumer.is_some() {
            return consumers::of_arn(call, &arn).map(Self::Consumer);
        }
        let (stream, account) = call.stream_of(&arn)?;
        Ok(Self::Stream(stream, account))
    }

    /// The account that it belongs to.
    pub(super) fn account(&self) -> &Account {
        match self {
            Self::Consumer(found) => &found.account,
            Self::Stream(_, account) => account,
        }
    }

    /// Its ARN.
    pub(super) fn arn(&self) -> Arn {
        match self {
            Self::Consumer(found) => found.arn(),
            Self::Stream(stream, account) => Call::arn(stream, account),
        }
    }
}
