//! What a request comes to, without sockets.

use bytes::Bytes;
use http::HeaderName;
use http::Response;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::header::ORIGIN;

use crate::server::credentials::Credentials;
use crate::server::protocol;
use crate::server::protocol::Answer;
use crate::server::protocol::Head;
use crate::server::protocol::Input;
use crate::server::protocol::Language;
use crate::server::protocol::Understood;
use crate::service::ErrorCode;
use crate::service::Kinesis;
use crate::service::ServiceError;
use crate::service::kinesis::subscribe_to_shard::Subscription;

/// That a connection breaks, on purpose.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection is closed on purpose")]
pub(crate) struct Broken;

/// What a request comes to.
#[derive(Debug)]
pub(crate) enum Responded {
    /// Events, after this head.
    Events(Answer, Subscription, Language),
    /// No answer: the connection breaks.
    Nothing,
    /// An answer that is whole.
    Whole(Answer),
}

/// Does what a whole request asks for.
pub(crate) fn respond(
    kinesis: &Kinesis,
    credentials: Option<&Credentials>,
    head: &Head,
    body: &Bytes,
) -> Responded {
    let understood = match protocol::understand(kinesis, credentials, head, body) {
        Ok(understood) => understood,
        Err(answer) => return Responded::Whole(*answer),
    };
    let Understood { caller, operation, language, input } = understood;
    let input = match input {
        Input::Members(members) => members,
        Input::PutRecords(put) => match kinesis.put_records(&caller, &put) {
            Some(answered) => return told(language, answered),
            // Its stream asks for more than was looked at.
            None => match language.read(operation, body) {
                Ok(members) => members,
                Err(error) => return told(language, Err(error)),
            },
        },
    };
    match (operation.name, language) {
        ("SubscribeToShard", _) => match kinesis.subscribe(&caller, operation, &input) {
            Ok(subscription) => {
                let mut answer = Answer::empty(StatusCode::OK);
                answer.set(CONTENT_TYPE, "application/vnd.amazon.eventstream");
                Responded::Events(answer, subscription, language)
            }
            Err(error) => told(language, Err(error)),
        },
        ("GetRecords", Language::Json) => told(language, kinesis.get_records_json(&caller, &input)),
        _ => {
            let answered = kinesis.call(&caller, operation, &input);
            // Operations that answer nothing have no body at all.
            let written = answered.map(|members| match operation.output.members {
                [] => Vec::new(),
                _ => language.write(&members),
            });
            told(language, written)
        }
    }
}

/// What was answered, or refused.
fn told(language: Language, answered: Result<Vec<u8>, ServiceError>) -> Responded {
    match answered {
        Ok(body) => Responded::Whole(Answer::of(language, body)),
        Err(error) if error.code == ErrorCode::ConnectionClosed => Responded::Nothing,
        Err(error) => Responded::Whole(Answer::refusal(language, &error)),
    }
}

/// Adds what every answer carries.
pub(crate) fn finished(mut answer: Answer, head: &Head) -> Response<Bytes> {
    let id = uuid::Uuid::new_v4().to_string();
    answer.set(HeaderName::from_static("x-amzn-requestid"), &id);
    answer.set(HeaderName::from_static("x-amz-id-2"), &id);
    if head.headers.contains_key(ORIGIN) {
        answer.set(HeaderName::from_static("access-control-allow-origin"), "*");
        answer.set(
            HeaderName::from_static("access-control-expose-headers"),
            "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date",
        );
    }
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}
