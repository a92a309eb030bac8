//! A connection without a socket: all that a client sends, and all that it is answered.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use bytes::Buf;
use bytes::Bytes;
use hyper_util::server::graceful::GracefulShutdown;
use parking_lot::Mutex;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::server::connection;
use crate::server::connection::Endpoint;
use crate::server::credentials::Credentials;
use crate::server::linger::Linger;
use crate::service::Kinesis;

/// How often the server may look for more before the client takes it that nothing else is said.
const LOOKS: usize = 32;

/// Answers a client that sends these bytes, so many at a time, hears all that is answered, and closes the connection.
pub fn converse(
    kinesis: Arc<Kinesis>,
    credentials: Option<Credentials>,
    sent: Bytes,
    at_a_time: usize,
) -> Vec<u8> {
    assert!(0 < at_a_time, "a client that sends nothing is waited for");
    let runtime = Builder::new_current_thread().enable_time().build().expect("memory for timers");
    let answered = Arc::default();
    let wire = Wire { sent, at_a_time, answered: Arc::clone(&answered), looks: 0 };
    runtime.block_on(async {
        let (_stop, stopped) = watch::channel(false);
        let endpoint = Arc::new(Endpoint::new(kinesis, credentials, None, stopped));
        // Let go of, it would end the connection.
        let graceful = GracefulShutdown::new();
        connection::serve(wire, endpoint, graceful.watcher(), Linger::default().begin()).await;
    });
    std::mem::take(&mut *answered.lock())
}

/// What stands for the socket.
struct Wire {
    sent: Bytes,
    at_a_time: usize,
    answered: Arc<Mutex<Vec<u8>>>,
    /// How often the server looked for more since it last said something.
    looks: usize,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // The end comes after the answers: to whoever closes its side before, the server says nothing.
        if self.sent.is_empty() && self.looks < LOOKS {
            self.looks += 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let count = self.sent.len().min(self.at_a_time).min(buffer.remaining());
        buffer.put_slice(&self.sent[..count]);
        self.sent.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.looks = 0;
        self.answered.lock().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::clock::ManualClock;
    use crate::clock::Millis;
    use crate::engine::Durations;
    use crate::engine::Engine;
    use crate::engine::EngineOptions;
    use crate::engine::Limits;
    use crate::threads::Threads;

    #[test]
    fn client_is_answered_however_its_bytes_come() {
        let engine = Engine::new(EngineOptions {
            clock: Clock::Manual(Arc::new(ManualClock::new(Millis(1_767_225_600_000)))),
            limits: Limits::Off,
            region: "eu-west-1".to_owned(),
            account_id: "123456789012".to_owned(),
            seed: 7,
            threads: Threads::ONE,
            durations: Durations::default(),
            shard_limit: None,
        });
        let kinesis = Arc::new(Kinesis::new(Arc::new(engine)));
        let sent = Bytes::from_static(
            b"GET /health HTTP/1.1\r\nhost: h\r\n\r\nPOST / HTTP/1.1\r\nhost: h\r\n\
              content-type: application/x-amz-json-1.1\r\nx-amz-target: Kinesis_20131202.ListStreams\r\n\
              content-length: 2\r\n\r\n{}",
        );
        for at_a_time in [1, 7, sent.len()] {
            let answered = converse(Arc::clone(&kinesis), None, sent.clone(), at_a_time);
            let answered = String::from_utf8(answered).unwrap();
            let statuses: Vec<&str> = answered.matches("HTTP/1.1 200 OK").collect();
            assert_eq!(statuses.len(), 1, "{answered}");
            assert!(answered.contains("MissingAuthenticationToken"), "{answered}");
        }
    }
}
