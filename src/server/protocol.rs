//! One request and its answer, without sockets: which operation it is, in which language, from whom.

use bytes::Bytes;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::Uri;
use http::header::CONTENT_TYPE;
use http::header::ORIGIN;

use crate::clock::Clock;
use crate::server::credentials::Credentials;
use crate::server::signature;
use crate::service::Caller;
use crate::service::ErrorCode;
use crate::service::Kinesis;
use crate::service::Members;
use crate::service::ServiceError;
use crate::service::decode;
use crate::service::encode;
use crate::service::kinesis::direct::PutRecords;
use crate::service::kinesis::model::Operation;

/// The prefix of every target.
const TARGET_PREFIX: &str = "Kinesis_20131202.";

/// What a body is written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Language {
    /// CBOR 1.1, as Java's clients choose.
    Cbor,
    /// JSON 1.1, as all others choose.
    Json,
}

impl Language {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        match kind.split(';').next()?.trim() {
            "application/x-amz-cbor-1.1" | "application/cbor" => Some(Self::Cbor),
            "application/x-amz-json-1.1" | "application/json" => Some(Self::Json),
            _ => None,
        }
    }

    /// What it is called in headers.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Cbor => "application/x-amz-cbor-1.1",
            Self::Json => "application/x-amz-json-1.1",
        }
    }

    /// What it is called in the headers of events.
    pub(crate) fn event_content_type(self) -> &'static str {
        match self {
            Self::Cbor => "application/x-amz-cbor-1.1",
            Self::Json => "application/json",
        }
    }

    /// Writes members.
    pub(crate) fn write(self, members: &Members) -> Vec<u8> {
        match self {
            Self::Cbor => encode::cbor(members),
            Self::Json => encode::json(members),
        }
    }

    fn input<'b>(self, operation: &Operation, body: &'b [u8]) -> Result<Input<'b>, ServiceError> {
        if self == Self::Json
            && operation.name == "PutRecords"
            && let Some(put) = PutRecords::read(body)
        {
            return Ok(Input::PutRecords(put));
        }
        self.read(operation, body).map(Input::Members)
    }

    /// Reads the members of any operation.
    pub(crate) fn read(self, operation: &Operation, body: &[u8]) -> Result<Members, ServiceError> {
        match self {
            Self::Cbor => decode::cbor::members(operation.input, body),
            Self::Json => decode::json::members(operation.input, body),
        }
    }

    /// Writes a refusal; serialization errors spell their message with a capital.
    pub(crate) fn write_error(self, error: &ServiceError) -> Vec<u8> {
        let told = Members::new().with("__type", error.code.name());
        self.write(&match (error.code, error.message.as_str()) {
            (_, "") => told,
            (ErrorCode::Serialization, words) => told.with("Message", words),
            (_, words) => told.with("message", words),
        })
    }
}

/// A request whose head was read.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
}

impl Head {
    /// Tells whether the request asks for something and changes nothing.
    pub(crate) fn is_question(&self) -> bool {
        let target = self.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let name = target.and_then(|target| target.strip_prefix(TARGET_PREFIX)).unwrap_or_default();
        ["Get", "List", "Describe", "Subscribe"].iter().any(|verb| name.starts_with(verb))
    }
}

/// A request that is understood.
#[derive(Debug)]
pub(crate) struct Understood<'b> {
    pub(crate) caller: Caller,
    pub(crate) operation: &'static Operation,
    pub(crate) language: Language,
    pub(crate) input: Input<'b>,
}

/// What a request says.
#[derive(Debug)]
pub(crate) enum Input<'b> {
    /// Members of any operation.
    Members(Members),
    /// Records to be put, as most clients write them.
    PutRecords(PutRecords<'b>),
}

/// An answer that is whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// An answer without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// Members in a language.
    pub(crate) fn of(language: Language, body: Vec<u8>) -> Self {
        let mut answer = Self::empty(StatusCode::OK);
        answer.body = body.into();
        answer.set(CONTENT_TYPE, language.content_type());
        answer
    }

    /// A refusal in a language.
    pub(crate) fn refusal(language: Language, error: &ServiceError) -> Self {
        let mut answer = Self::of(language, language.write_error(error));
        answer.status =
            StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        answer.set(HeaderName::from_static("x-amzn-errortype"), error.code.name());
        answer
    }

    /// A refusal of something that speaks no language of ours.
    fn markup(status: StatusCode, code: &str, words: &str) -> Self {
        let mut answer = Self::empty(status);
        answer.body = if words.is_empty() {
            format!("<{code}/>\n").into()
        } else {
            format!("<{code}>\n  <Message>{words}</Message>\n</{code}>\n").into()
        };
        answer
    }

    /// Sets a header.
    pub(crate) fn set(&mut self, name: impl http::header::IntoHeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }
}

/// Understands a request, or answers why it cannot be.
pub(crate) fn understand<'b>(
    kinesis: &Kinesis,
    credentials: Option<&Credentials>,
    head: &Head,
    body: &'b Bytes,
) -> Result<Understood<'b>, Box<Answer>> {
    if head.method == Method::OPTIONS && head.headers.contains_key(ORIGIN) {
        return Err(Box::new(preflight(&head.headers)));
    }
    if head.method != Method::POST {
        return Err(unnamed());
    }
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let Some(language) = Language::of(&head.headers) else {
        return Err(match target {
            Some(target) if target.contains('.') => {
                Box::new(Answer::markup(StatusCode::NOT_FOUND, "UnknownOperationException", ""))
            }
            _ => unnamed(),
        });
    };
    let refuse = |error: &ServiceError| Box::new(Answer::refusal(language, error));
    let name = target.and_then(|target| target.strip_prefix(TARGET_PREFIX)).unwrap_or_default();
    let operation = Kinesis::operation(name).map_err(|error| refuse(&error))?;
    // The body's language is judged before who sent it, as the service does.
    let input = language.input(operation, body);
    if let Err(error) = &input
        && error.message.is_empty()
    {
        return Err(refuse(error));
    }
    let home = kinesis.home();
    // Clients sign by the machine's clock, whatever the engine lives by.
    let now = Clock::System.now();
    let caller =
        signature::caller(credentials, head, body, &home, now).map_err(|error| refuse(&error))?;
    let input = input.map_err(|error| refuse(&error))?;
    Ok(Understood { caller, operation, language, input })
}

/// What the service says to whoever names no operation.
fn unnamed() -> Box<Answer> {
    let words = "Unable to determine service/operation name to be authorized";
    Box::new(Answer::markup(StatusCode::FORBIDDEN, "AccessDeniedException", words))
}

/// What a browser asks first.
fn preflight(asked: &HeaderMap) -> Answer {
    let mut answer = Answer::empty(StatusCode::OK);
    for (name, from) in [
        ("access-control-allow-headers", "access-control-request-headers"),
        ("access-control-allow-methods", "access-control-request-method"),
    ] {
        if let Some(value) = asked.get(from).and_then(|value| value.to_str().ok()) {
            answer.set(HeaderName::from_static(name), value);
        }
    }
    answer.set(HeaderName::from_static("access-control-max-age"), "172800");
    answer
}
