//! The frames of an event stream.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::Header;
use aws_smithy_types::event_stream::HeaderValue;
use aws_smithy_types::event_stream::Message;
use bytes::Bytes;

use crate::server::answer::Broken;
use crate::server::protocol::Language;
use crate::service::ErrorCode;
use crate::service::Members;
use crate::service::ServiceError;

/// What comes before the first event.
pub(crate) fn beginning(language: Language) -> Bytes {
    let headers = [
        (":message-type", "event"),
        (":event-type", "initial-response"),
        (":content-type", language.content_type()),
    ];
    framed(&headers, language.write(&Members::new()).into())
}

/// An event of a subscription.
pub(crate) fn event(language: Language, members: &Members) -> Bytes {
    let headers = [
        (":message-type", "event"),
        (":event-type", "SubscribeToShardEvent"),
        (":content-type", language.event_content_type()),
    ];
    framed(&headers, language.write(members).into())
}

/// What ends a subscription, or that its connection breaks.
pub(crate) fn error(language: Language, error: &ServiceError) -> Result<Bytes, Broken> {
    if error.code == ErrorCode::ConnectionClosed {
        return Err(Broken);
    }
    let headers = [
        (":message-type", "exception"),
        (":exception-type", error.code.name()),
        (":content-type", language.event_content_type()),
    ];
    Ok(framed(&headers, language.write_error(error).into()))
}

fn framed(headers: &[(&'static str, &'static str)], payload: Bytes) -> Bytes {
    let mut message = Message::new(payload);
    for (name, value) in headers {
        message = message.add_header(Header::new(*name, HeaderValue::String((*value).into())));
    }
    let mut frame = Vec::new();
    write_message_to(&message, &mut frame).expect("a frame of an event fits its bounds");
    frame.into()
}
