//! Event streams: the events of a subscription, as they come.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Body;
use hyper::body::Frame;
use tokio::sync::watch;
use tokio::time::Sleep;

use crate::clock::Clock;
use crate::server::answer::Broken;
use crate::server::frames;
use crate::server::protocol::Language;
use crate::service::kinesis::subscribe_to_shard::Step;
use crate::service::kinesis::subscribe_to_shard::Subscription;

/// How long after the last frame a connection breaks on purpose: clients let go of what they have not read by then.
const LINGER: Duration = Duration::from_millis(50);

/// The body of an answer that goes on.
pub(super) struct Events {
    subscription: Subscription,
    language: Language,
    has_begun: bool,
    /// Whether the connection is to break, once what was said is on its way.
    breaks: bool,
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
        Self { subscription, language, has_begun: false, breaks: false, timer, stopped }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Broken;

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
            return Poll::Ready(Some(Ok(Frame::data(frames::beginning(this.language)))));
        }
        while !this.breaks {
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
                    if let Ok(frame) = frames::error(this.language, &error) {
                        return Poll::Ready(Some(Ok(Frame::data(frame))));
                    }
                    this.breaks = true;
                    this.timer.as_mut().reset(tokio::time::Instant::now() + LINGER);
                    break;
                }
                Step::Event(members) => {
                    let event = frames::event(this.language, &members);
                    return Poll::Ready(Some(Ok(Frame::data(event))));
                }
                Step::Wait(due) => due,
            };
            let has_come = stream.bell().poll(seen, context).is_ready();
            // A clock that somebody moves says so itself.
            let has_moved = match &clock {
                Clock::Manual(clock) => clock.bell().poll(moved, context).is_ready(),
                Clock::System => false,
            };
            let is_due = clock.pause(due).is_some_and(|pause| {
                this.timer.as_mut().reset(tokio::time::Instant::now() + pause);
                this.timer.as_mut().poll(context).is_ready()
            });
            if !has_come && !has_moved && !is_due {
                return Poll::Pending;
            }
        }
        this.timer.as_mut().poll(context).map(|()| Some(Err(Broken)))
    }
}
