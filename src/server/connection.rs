//! Connections: requests come in, within bounds of time and memory, and answers go out.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use bytes::Bytes;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http_body_util::BodyExt;
use http_body_util::Either;
use http_body_util::Full;
use http_body_util::LengthLimitError;
use http_body_util::Limited;
use hyper::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::server::graceful::Watcher;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::SemaphorePermit;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::server::answer;
use crate::server::answer::Broken;
use crate::server::answer::Responded;
use crate::server::answer::finished;
use crate::server::credentials::Credentials;
use crate::server::events::Events;
use crate::server::linger::Linger;
use crate::server::linger::Turns;
use crate::server::protocol::Answer;
use crate::server::protocol::Head;
use crate::server::protocol::Language;
use crate::service::ErrorCode;
use crate::service::Kinesis;
use crate::service::ServiceError;

/// Bytes of a request's body, at most: ten mebibytes of records in base64, and some.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of bodies that all requests together hold, at most: more are refused, so that senders fill no memory.
const BODIES_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Bytes of a request's head, at most.
const HEAD_BYTES_MAX: u32 = 256 * 1024;
/// How long a head, a body or a handshake may take to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long nothing is accepted after the system could not.
const BREATH: Duration = Duration::from_millis(5);
/// Connections at once, at most; more wait to be accepted.
const CONNECTIONS_MAX: usize = 4_096;
/// Requests at once on one connection of HTTP/2.
const STREAMS_MAX: u32 = 256;

/// What all connections share.
pub(super) struct Endpoint {
    kinesis: Arc<Kinesis>,
    credentials: Option<Credentials>,
    /// What takes encrypted connections, where they are.
    acceptor: Option<TlsAcceptor>,
    /// Whether the server is to stop.
    stopped: watch::Receiver<bool>,
    /// Room for bodies, byte by byte.
    room: Semaphore,
}

/// Why a body was not taken.
#[derive(Debug, Eq, PartialEq)]
enum NotTaken {
    /// It broke off.
    Broken,
    /// All that are under way together are as large as they may be.
    Full,
    /// It is larger than any may be.
    TooLarge,
}

type Answered = Response<Either<Full<Bytes>, Events>>;

/// A connection, and its place among those that there may be at once.
pub(super) type Taken = (std::net::TcpStream, OwnedSemaphorePermit);

/// Takes connections until the server is to stop, and hands them to the threads in turn.
pub(super) async fn accept(
    listener: std::net::TcpListener,
    workers: Vec<mpsc::UnboundedSender<Taken>>,
    mut stopped: watch::Receiver<bool>,
) {
    // Where the system gives no events for it, whoever waits for answers sees the connection refused.
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    for worker in workers.iter().cycle() {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|&stopped| stopped) => break,
        };
        // A connection that is gone before it is taken, or a process out of files: others go on.
        match accepted.and_then(|(socket, _)| socket.into_std()) {
            Ok(socket) => drop(worker.send((socket, place))),
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

/// Serves the connections that are handed over until the server is to stop, then lets answers under way end.
pub(super) async fn work(
    mut sockets: mpsc::UnboundedReceiver<Taken>,
    endpoint: &Arc<Endpoint>,
    longest: Duration,
) {
    let graceful = GracefulShutdown::new();
    let mut stopped = endpoint.stopped.clone();
    let linger = Linger::default();
    tokio::spawn(linger.clone().run());
    loop {
        let taken = tokio::select! {
            taken = sockets.recv() => taken,
            _ = stopped.wait_for(|&stopped| stopped) => break,
        };
        let Some((socket, place)) = taken else { break };
        let Ok(socket) = TcpStream::from_std(socket) else { continue };
        let _ = socket.set_nodelay(true);
        let (endpoint, watcher) = (Arc::clone(endpoint), graceful.watcher());
        let turns = linger.begin();
        tokio::spawn(async move {
            let _place = place;
            match endpoint.acceptor.clone() {
                None => serve(socket, endpoint, watcher, turns).await,
                Some(acceptor) => {
                    if let Ok(Ok(socket)) =
                        tokio::time::timeout(PATIENCE, acceptor.accept(socket)).await
                    {
                        serve(socket, endpoint, watcher, turns).await;
                    }
                }
            }
        });
    }
    let _ = tokio::time::timeout(longest, graceful.shutdown()).await;
}

/// Serves one connection to its end.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    socket: S,
    endpoint: Arc<Endpoint>,
    watcher: Watcher,
    turns: Turns,
) {
    let turns = Arc::new(turns);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD_BYTES_MAX as usize)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES_MAX)
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(Some(PATIENCE));
    let service = service_fn(move |request| {
        let (endpoint, turns) = (Arc::clone(&endpoint), Arc::clone(&turns));
        async move {
            turns.asked();
            let answer = endpoint.answer(request).await;
            turns.answered();
            answer
        }
    });
    let connection = builder.serve_connection(TokioIo::new(socket), service);
    // Whatever a connection dies of, the client sees, and others do not.
    let _ = watcher.watch(connection.into_owned()).await;
}

impl Endpoint {
    pub(super) fn new(
        kinesis: Arc<Kinesis>,
        credentials: Option<Credentials>,
        acceptor: Option<TlsAcceptor>,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        let room = Semaphore::new(BODIES_BYTES_MAX);
        Self { kinesis, credentials, acceptor, stopped, room }
    }

    /// What says whether the server is to stop.
    pub(super) fn stopped(&self) -> watch::Receiver<bool> {
        self.stopped.clone()
    }

    async fn answer<B>(self: &Arc<Self>, request: Request<B>) -> Result<Answered, Broken>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let head = Head { method: parts.method, uri: parts.uri, headers: parts.headers };
        if head.method == Method::GET
            && matches!(head.uri.path(), "/health" | "/_shardstream/health")
        {
            return Ok(whole(healthy(), &head));
        }
        let taken = tokio::time::timeout(PATIENCE, taken(&self.room, body)).await;
        let (body, _room) = match taken {
            Ok(Ok(taken)) => taken,
            Ok(Err(NotTaken::TooLarge)) => {
                let words = format!("A request has at most {BODY_BYTES_MAX} bytes.");
                let error = ServiceError::new(ErrorCode::RequestEntityTooLarge, words);
                return Ok(whole(Answer::refusal(Language::Json, &error), &head));
            }
            Ok(Err(NotTaken::Broken)) => {
                return Ok(whole(Answer::empty(StatusCode::BAD_REQUEST), &head));
            }
            Ok(Err(NotTaken::Full)) => {
                return Ok(whole(Answer::empty(StatusCode::SERVICE_UNAVAILABLE), &head));
            }
            Err(_) => return Ok(whole(Answer::empty(StatusCode::REQUEST_TIMEOUT), &head)),
        };
        let may_wait = self.kinesis.waits_for_disk() && !head.is_question();
        if !may_wait && !self.kinesis.faults().is_on() {
            return self.respond(&head, &body);
        }
        // Whoever waits for a disk leaves the thread to others: so many requests share a sync. So does an answer that takes
        // its time on purpose.
        let endpoint = Arc::clone(self);
        let work = move || endpoint.respond(&head, &body);
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|_died| {
            let answer = Response::builder().status(StatusCode::INTERNAL_SERVER_ERROR);
            Ok(answer.body(Either::Left(Full::default())).expect("a status is all there is to it"))
        })
    }

    /// Does what a whole request asks for.
    fn respond(&self, head: &Head, body: &Bytes) -> Result<Answered, Broken> {
        match answer::respond(&self.kinesis, self.credentials.as_ref(), head, body) {
            Responded::Whole(answer) => Ok(whole(answer, head)),
            Responded::Events(answer, subscription, language) => {
                let events = Events::new(subscription, language, self.stopped.clone());
                Ok(finished(answer, head).map(|_| Either::Right(events)))
            }
            Responded::Nothing => Err(Broken),
        }
    }
}

/// Takes a body as it comes, where there is room for it; its room is given back with the permit.
async fn taken<B>(room: &Semaphore, body: B) -> Result<(Bytes, SemaphorePermit<'_>), NotTaken>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut body = pin!(Limited::new(body, BODY_BYTES_MAX));
    let mut permit = room.try_acquire_many(0).map_err(|_| NotTaken::Full)?;
    let mut parts = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            if error.is::<LengthLimitError>() { NotTaken::TooLarge } else { NotTaken::Broken }
        })?;
        // What follows a body is none of it.
        let Ok(mut data) = frame.into_data() else { continue };
        let bytes = u32::try_from(data.remaining()).map_err(|_| NotTaken::TooLarge)?;
        permit.merge(room.try_acquire_many(bytes).map_err(|_| NotTaken::Full)?);
        parts.push(data.copy_to_bytes(data.remaining()));
    }
    let whole = if parts.len() == 1 { parts.swap_remove(0) } else { parts.concat().into() };
    Ok((whole, permit))
}

fn whole(answer: Answer, head: &Head) -> Answered {
    finished(answer, head).map(|body| Either::Left(Full::new(body)))
}

fn healthy() -> Answer {
    let mut answer = Answer::empty(StatusCode::OK);
    answer.body =
        Bytes::from_static(b"{\"status\":\"ok\",\"services\":{\"kinesis\":\"available\"}}");
    answer.set(http::header::CONTENT_TYPE, "application/json");
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: usize) -> Full<Bytes> {
        Full::new(Bytes::from(vec![b'x'; bytes]))
    }

    #[tokio::test(flavor = "current_thread")]
    async fn bodies_share_one_room_and_give_it_back() {
        let room = Semaphore::new(100);
        let (first, held) = taken(&room, body(60)).await.unwrap();
        assert_eq!(first.len(), 60);
        assert_eq!(taken(&room, body(41)).await.unwrap_err(), NotTaken::Full);
        assert_eq!(taken(&room, body(40)).await.unwrap().0.len(), 40);
        drop(held);
        assert_eq!(taken(&room, body(100)).await.unwrap().0.len(), 100);
        assert_eq!(room.available_permits(), 100);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn body_is_as_large_as_any_may_be_and_no_larger() {
        let room = Semaphore::new(BODIES_BYTES_MAX);
        assert_eq!(taken(&room, body(0)).await.unwrap().0.len(), 0);
        assert_eq!(taken(&room, body(BODY_BYTES_MAX)).await.unwrap().0.len(), BODY_BYTES_MAX);
        let refused = taken(&room, body(BODY_BYTES_MAX + 1)).await.unwrap_err();
        assert_eq!(refused, NotTaken::TooLarge);
        assert_eq!(room.available_permits(), BODIES_BYTES_MAX);
    }
}
