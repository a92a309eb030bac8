//! Event streams: the events of a subscription, framed as they come.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::Header;
use aws_smithy_types::event_stream::HeaderValue;
use aws_smithy_types::event_stream::Message;
use bytes::Bytes;
use hyper::body::Body;
use hyper::body::Frame;
use tokio::sync::watch;
use tokio::time::Sleep;

use crate::clock::Clock;
use crate::server::protocol::Language;
use crate::service::Members;
use crate::service::ServiceError;
use crate::service::kinesis::subscribe_to_shard::Step;
use crate::service::kinesis::subscribe_to_shard::Subscription;

/// The body of an answer that goes on.
pub(super) struct Events {
    subscription: Subscription,
    language: Language,
    has_begun: bool,
    /// Wakes when there is something to say though nothing came.
    timer: Pin<Box<Sleep>>,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Events")
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

impl Events {
    pub(super) fn new(
        subscription: Subscription,
        language: Language,
        mut stopped: watch::Receiver<bool>,
    ) -> Self {
        let stopped = Box::pin(async move {
            let _ = stopped.wait_for(|&stopped| stopped).await;
        });
        let timer = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self { subscription, language, has_begun: false, timer, stopped }
    }

    fn event(&self, members: &Members) -> Bytes {
        let headers = [
            (":message-type", "event"),
            (":event-type", "SubscribeToShardEvent"),
            (":content-type", self.language.event_content_type()),
        ];
        framed(&headers, self.language.write(members).into())
    }

    fn error(&self, error: &ServiceError) -> Bytes {
        let headers = [
            (":message-type", "exception"),
            (":exception-type", error.code.name()),
            (":content-type", self.language.event_content_type()),
        ];
        framed(&headers, self.language.write_error(error).into())
    }

    fn beginning(&self) -> Bytes {
        let headers = [
            (":message-type", "event"),
            (":event-type", "initial-response"),
            (":content-type", self.language.content_type()),
        ];
        framed(&headers, self.language.write(&Members::new()).into())
    }
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

impl Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if this.stopped.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        if !this.has_begun {
            this.has_begun = true;
            return Poll::Ready(Some(Ok(Frame::data(this.beginning()))));
        }
        loop {
            // Bells are counted before anything is looked at, so that nothing is missed.
            let stream = std::sync::Arc::clone(this.subscription.stream());
            let (clock, seen) = (this.subscription.clock().clone(), stream.bell().rings());
            let moved = match &clock {
                Clock::Manual(clock) => clock.bell().rings(),
                Clock::System => 0,
            };
            let due = match this.subscription.step() {
                Step::End => return Poll::Ready(None),
                Step::Error(error) => {
                    return Poll::Ready(Some(Ok(Frame::data(this.error(&error)))));
                }
                Step::Event(members) => {
                    return Poll::Ready(Some(Ok(Frame::data(this.event(&members)))));
                }
                Step::Wait(due) => due,
            };
            let has_come = stream.bell().poll(seen, context).is_ready();
            let is_due = match &clock {
                // A clock that somebody moves says so itself.
                Clock::Manual(clock) => clock.bell().poll(moved, context).is_ready(),
                Clock::System => {
                    let ms = u64::try_from(due.since(clock.now())).unwrap_or(0);
                    let deadline = tokio::time::Instant::now() + Duration::from_millis(ms);
                    this.timer.as_mut().reset(deadline);
                    this.timer.as_mut().poll(context).is_ready()
                }
            };
            if !has_come && !is_due {
                return Poll::Pending;
            }
        }
    }
}
