//! How a service refuses: a vocabulary of codes, each with what a client may conclude from it.

use std::fmt;

/// The code of a refusal, as clients see it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorCode {
    /// Whoever asks may not.
    AccessDenied,
    /// No answer at all, on purpose: the connection is closed. A word of AWS's clients, not of the service.
    ConnectionClosed,
    /// A dry run that would have gone well.
    DryRunOperation,
    /// A shard iterator of more than five minutes.
    ExpiredIterator,
    /// A token of a listing that went stale.
    ExpiredNextToken,
    /// A request without all parts of a signature.
    IncompleteSignature,
    /// The service failed.
    InternalFailure,
    /// An argument that means nothing here.
    InvalidArgument,
    /// A signature that does not fit the request.
    InvalidSignature,
    /// A key that may not be used.
    KmsAccessDenied,
    /// A key that is disabled.
    KmsDisabled,
    /// A key in a state that forbids its use.
    KmsInvalidState,
    /// A key that is not there.
    KmsNotFound,
    /// An account without the key service.
    KmsOptInRequired,
    /// Too many requests of keys.
    KmsThrottling,
    /// More than the account or the operation allows.
    LimitExceeded,
    /// A request without a signature.
    MissingAuthenticationToken,
    /// A shard whose capacity is used up.
    ProvisionedThroughputExceeded,
    /// A body longer than any request may be.
    RequestEntityTooLarge,
    /// Something that is there already, or busy.
    ResourceInUse,
    /// Something that is not there.
    ResourceNotFound,
    /// A body that is not what the model says.
    Serialization,
    /// An operation that the service has not.
    UnknownOperation,
    /// Credentials that nobody knows.
    UnrecognizedClient,
    /// Members that break the model's constraints.
    Validation,
}

impl ErrorCode {
    /// Every code there is.
    pub const ALL: [Self; 25] = [
        Self::AccessDenied,
        Self::ConnectionClosed,
        Self::DryRunOperation,
        Self::ExpiredIterator,
        Self::ExpiredNextToken,
        Self::IncompleteSignature,
        Self::InternalFailure,
        Self::InvalidArgument,
        Self::InvalidSignature,
        Self::KmsAccessDenied,
        Self::KmsDisabled,
        Self::KmsInvalidState,
        Self::KmsNotFound,
        Self::KmsOptInRequired,
        Self::KmsThrottling,
        Self::LimitExceeded,
        Self::MissingAuthenticationToken,
        Self::ProvisionedThroughputExceeded,
        Self::RequestEntityTooLarge,
        Self::ResourceInUse,
        Self::ResourceNotFound,
        Self::Serialization,
        Self::UnknownOperation,
        Self::UnrecognizedClient,
        Self::Validation,
    ];

    /// Returns the code in the service's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::ConnectionClosed => "ConnectionClosedError",
            Self::DryRunOperation => "DryRunOperationException",
            Self::ExpiredIterator => "ExpiredIteratorException",
            Self::ExpiredNextToken => "ExpiredNextTokenException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::InternalFailure => "InternalFailureException",
            Self::InvalidArgument => "InvalidArgumentException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::KmsAccessDenied => "KMSAccessDeniedException",
            Self::KmsDisabled => "KMSDisabledException",
            Self::KmsInvalidState => "KMSInvalidStateException",
            Self::KmsNotFound => "KMSNotFoundException",
            Self::KmsOptInRequired => "KMSOptInRequired",
            Self::KmsThrottling => "KMSThrottlingException",
            Self::LimitExceeded => "LimitExceededException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::ProvisionedThroughputExceeded => "ProvisionedThroughputExceededException",
            Self::RequestEntityTooLarge => "RequestEntityTooLargeException",
            Self::ResourceInUse => "ResourceInUseException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::Serialization => "SerializationException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::Validation => "ValidationException",
        }
    }

    /// Returns the HTTP status that it comes with.
    pub fn status(self) -> u16 {
        match self {
            Self::ConnectionClosed | Self::InternalFailure => 500,
            Self::RequestEntityTooLarge => 413,
            Self::AccessDenied
            | Self::DryRunOperation
            | Self::ExpiredIterator
            | Self::ExpiredNextToken
            | Self::IncompleteSignature
            | Self::InvalidArgument
            | Self::InvalidSignature
            | Self::KmsAccessDenied
            | Self::KmsDisabled
            | Self::KmsInvalidState
            | Self::KmsNotFound
            | Self::KmsOptInRequired
            | Self::KmsThrottling
            | Self::LimitExceeded
            | Self::MissingAuthenticationToken
            | Self::ProvisionedThroughputExceeded
            | Self::ResourceInUse
            | Self::ResourceNotFound
            | Self::Serialization
            | Self::UnknownOperation
            | Self::UnrecognizedClient
            | Self::Validation => 400,
        }
    }

    /// Tells whether the same request may go well a while later.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::ConnectionClosed
            | Self::InternalFailure
            | Self::KmsThrottling
            | Self::LimitExceeded
            | Self::ProvisionedThroughputExceeded => true,
            Self::AccessDenied
            | Self::DryRunOperation
            | Self::ExpiredIterator
            | Self::ExpiredNextToken
            | Self::IncompleteSignature
            | Self::InvalidArgument
            | Self::InvalidSignature
            | Self::KmsAccessDenied
            | Self::KmsDisabled
            | Self::KmsInvalidState
            | Self::KmsNotFound
            | Self::KmsOptInRequired
            | Self::MissingAuthenticationToken
            | Self::RequestEntityTooLarge
            | Self::ResourceInUse
            | Self::ResourceNotFound
            | Self::Serialization
            | Self::UnknownOperation
            | Self::UnrecognizedClient
            | Self::Validation => false,
        }
    }

    /// Tells whether it is certain that nothing was changed.
    pub fn has_no_side_effects(self) -> bool {
        match self {
            // A failure may come after the deed.
            Self::ConnectionClosed | Self::InternalFailure => false,
            Self::AccessDenied
            | Self::DryRunOperation
            | Self::ExpiredIterator
            | Self::ExpiredNextToken
            | Self::IncompleteSignature
            | Self::InvalidArgument
            | Self::InvalidSignature
            | Self::KmsAccessDenied
            | Self::KmsDisabled
            | Self::KmsInvalidState
            | Self::KmsNotFound
            | Self::KmsOptInRequired
            | Self::KmsThrottling
            | Self::LimitExceeded
            | Self::MissingAuthenticationToken
            | Self::ProvisionedThroughputExceeded
            | Self::RequestEntityTooLarge
            | Self::ResourceInUse
            | Self::ResourceNotFound
            | Self::Serialization
            | Self::UnknownOperation
            | Self::UnrecognizedClient
            | Self::Validation => true,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A refusal: its code and the service's words.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServiceError {
    /// The code.
    pub code: ErrorCode,
    /// The words; some refusals have none.
    pub message: String,
}

impl ServiceError {
    /// Makes a refusal.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// An argument that means nothing here.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message)
    }

    /// Something that is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ResourceNotFound, message)
    }

    /// Something that is there already, or busy.
    pub fn in_use(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ResourceInUse, message)
    }

    /// More than is allowed.
    pub fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::LimitExceeded, message)
    }

    /// Members that break constraints.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Validation, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_only_failures_may_have_done_something() {
        let mut names: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert_eq!(code.has_no_side_effects(), code.status() < 500, "{code}");
        }
    }
}
