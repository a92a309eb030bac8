//! The endpoint: sockets, languages, signatures and event streams around the service; nothing clever.

pub(crate) mod answer;
mod connection;
mod credentials;
mod events;
pub(crate) mod frames;
mod linger;
#[cfg(any(test, fuzzing))]
pub mod memory;
pub(crate) mod protocol;
mod signature;
mod tls;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::sync::watch;

pub use credentials::Credentials;
pub use tls::TlsError;

use crate::server::connection::Endpoint;
use crate::service::Kinesis;

/// How long answers that are under way may take when the server stops.
const STOP_MS: u64 = 2_000;
/// Threads that answer, at most. A connection is one thread's for life: nothing is handed from one to another.
const THREADS_MAX: usize = 8;

/// How a server listens.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address.
    pub host: IpAddr,
    /// The port; any that is free where zero.
    pub port: u16,
    /// Whether connections are encrypted.
    pub tls: Option<Certificate>,
    /// Who may sign requests; anybody where not given.
    pub credentials: Option<Credentials>,
    /// Whether anybody may call from other machines.
    pub insecure: bool,
}

/// What a server proves itself with.
#[derive(Clone, Debug)]
pub enum Certificate {
    /// Files of its certificate chain and its key, in PEM.
    Files {
        /// The chain.
        chain: std::path::PathBuf,
        /// The key.
        key: std::path::PathBuf,
    },
    /// One made on the spot.
    SelfMade,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An address that other machines reach, where nobody was told apart.
    #[error(
        "{host} is reached from other machines: give credentials={{access_key: secret}} that requests must be signed with, \
         or insecure=True to answer anybody; 127.0.0.1 is reached from this machine alone"
    )]
    Open {
        /// The address.
        host: IpAddr,
    },
    /// Nobody may sign.
    #[error("credentials name no access key: give at least one, or none at all")]
    NoCredentials,
    /// The system refuses.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The system's words.
        error: io::Error,
    },
    /// No threads are to be had.
    #[error("cannot start the server's threads: {0}")]
    Threads(io::Error),
    /// A certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A server that runs until it is stopped or dropped.
pub struct Server {
    address: SocketAddr,
    is_tls: bool,
    certificate: Option<String>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Server {
    /// Begins to listen; requests are answered as soon as this returns.
    pub fn start(kinesis: Arc<Kinesis>, options: ServerOptions) -> Result<Self, ServerError> {
        let ServerOptions { host, port, tls, credentials, insecure } = options;
        if credentials.as_ref().is_some_and(Credentials::is_empty) {
            return Err(ServerError::NoCredentials);
        }
        if !host.is_loopback() && credentials.is_none() && !insecure {
            return Err(ServerError::Open { host });
        }
        let acceptor = tls.map(|certificate| tls::acceptor(&certificate, host)).transpose()?;
        let certificate = acceptor.as_ref().map(|acceptor| acceptor.certificate.clone());
        let address = SocketAddr::new(host, port);
        let listen = |error| ServerError::Listen { address, error };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let count = kinesis.engine().options().threads.count().min(THREADS_MAX);
        let (stop, stopped) = watch::channel(false);
        let is_tls = acceptor.is_some();
        let acceptor = acceptor.map(|acceptor| acceptor.acceptor);
        let endpoint = Arc::new(Endpoint::new(kinesis, credentials, acceptor, stopped));
        let (workers, sockets): (Vec<_>, Vec<_>) =
            (0..count).map(|_| mpsc::unbounded_channel()).unzip();
        let mut server = Self { address, is_tls, certificate, stop, threads: Vec::new() };
        let mut accepting = Some((listener, workers));
        for sockets in sockets {
            let (endpoint, accepting) = (Arc::clone(&endpoint), accepting.take());
            let runtime = Builder::new_current_thread().enable_io().enable_time().build();
            let runtime = runtime.map_err(ServerError::Threads)?;
            let work = move || {
                runtime.block_on(async {
                    // The first of the threads takes connections for all of them.
                    if let Some((listener, workers)) = accepting {
                        tokio::spawn(connection::accept(listener, workers, endpoint.stopped()));
                    }
                    connection::work(sockets, &endpoint, Duration::from_millis(STOP_MS)).await;
                });
            };
            let thread =
                std::thread::Builder::new().name("shardstream-server".to_owned()).spawn(work);
            server.threads.push(thread.map_err(ServerError::Threads)?);
        }
        Ok(server)
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its URL.
    pub fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Returns its certificate in PEM, for clients to trust, where connections are encrypted.
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// Stops to listen, lets answers under way end, and returns when all threads have ended.
    pub fn stop(&mut self) {
        // Nobody is told where all have ended by themselves.
        let _ = self.stop.send(true);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
