//! `Server`: the endpoint, started and stopped.

use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::python::engine::PyEngine;
use crate::python::error::raise;
use crate::server::Certificate;
use crate::server::Credentials;
use crate::server::Server;
use crate::server::ServerError;
use crate::server::ServerOptions;

/// A server; the package's `Server` is its face.
#[pyclass(name = "Server", module = "shardstream._core", frozen, subclass)]
#[derive(Debug)]
pub(super) struct PyServer {
    url: String,
    port: u16,
    certificate: Option<String>,
    server: Mutex<Option<Server>>,
}

#[pymethods]
impl PyServer {
    #[new]
    #[pyo3(signature = (engine, *, host, port, tls, files, credentials, insecure))]
    #[expect(clippy::too_many_arguments, reason = "each is named at the one call there is")]
    fn new(
        py: Python<'_>,
        engine: PyRef<'_, PyEngine>,
        host: &str,
        port: u16,
        tls: bool,
        files: Option<(String, String)>,
        credentials: Option<Vec<(String, String)>>,
        insecure: bool,
    ) -> PyResult<Self> {
        let host = match host {
            "localhost" => IpAddr::from([127, 0, 0, 1]),
            text => text.parse().map_err(|_| {
                let message =
                    format!("host: an address such as 127.0.0.1, or localhost, not {text:?}");
                raise("InvalidArgumentException", message)
            })?,
        };
        let tls = match files {
            Some((chain, key)) => Some(Certificate::Files { chain: chain.into(), key: key.into() }),
            None => tls.then_some(Certificate::SelfMade),
        };
        let credentials = credentials.map(Credentials::new);
        let kinesis = Arc::clone(&engine.kinesis);
        let options = ServerOptions { host, port, tls, credentials, insecure };
        let server =
            py.detach(|| Server::start(kinesis, options)).map_err(|error| server_error(&error))?;
        Ok(Self {
            url: server.url(),
            port: server.address().port(),
            certificate: server.certificate().map(str::to_owned),
            server: Mutex::new(Some(server)),
        })
    }

    /// Where it answers.
    #[getter]
    fn url(&self) -> &str {
        &self.url
    }

    /// The port it listens on.
    #[getter]
    fn port(&self) -> u16 {
        self.port
    }

    /// Its certificate in PEM, where connections are encrypted.
    #[getter]
    fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// Stops it, and waits until all its threads have ended; stopping again does nothing.
    fn stop(&self, py: Python<'_>) {
        let server = self.server.lock().take();
        py.detach(|| drop(server));
    }
}

fn server_error(error: &ServerError) -> PyErr {
    let class = match error {
        ServerError::Open { .. } | ServerError::NoCredentials => "InvalidArgumentException",
        ServerError::Listen { .. } | ServerError::Threads(_) | ServerError::Tls(_) => "ServerError",
    };
    raise(class, error)
}
