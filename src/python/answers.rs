//! The endpoint without its sockets: requests of AWS's clients, answered in this process.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::Uri;
use parking_lot::Mutex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::python::attentive::WAIT_SLICE;
use crate::python::engine::PyEngine;
use crate::server::answer;
use crate::server::answer::Responded;
use crate::server::frames;
use crate::server::protocol::Head;
use crate::server::protocol::Language;
use crate::service::Kinesis;
use crate::service::kinesis::subscribe_to_shard::Step;
use crate::service::kinesis::subscribe_to_shard::Subscription;

/// A status, headers, and a body: bytes, or frames as they come.
type Response<'py> = (u16, Vec<(String, String)>, Bound<'py, PyAny>);

/// The endpoint of an engine, without its sockets.
#[pyclass(name = "Endpoint", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PyEndpoint {
    kinesis: Arc<Kinesis>,
}

#[pymethods]
impl PyEndpoint {
    #[new]
    fn new(engine: PyRef<'_, PyEngine>) -> Self {
        Self { kinesis: Arc::clone(&engine.kinesis) }
    }

    /// Answers a request as the endpoint would; nothing, where the connection is to break.
    fn respond<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        uri: &str,
        headers: Vec<(String, Vec<u8>)>,
        body: Vec<u8>,
    ) -> PyResult<Option<Response<'py>>> {
        let head = head(method, uri, headers)?;
        let body = Bytes::from(body);
        let responded = py.detach(|| answer::respond(&self.kinesis, None, &head, &body));
        let (answer, frames) = match responded {
            Responded::Nothing => return Ok(None),
            Responded::Whole(answer) => (answer, None),
            Responded::Events(answer, subscription, language) => {
                let state = Mutex::new(State::Begins(subscription));
                (answer, Some(PyFrames { state, language }))
            }
        };
        let response = answer::finished(answer, &head);
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), text(value))).collect();
        let status = response.status().as_u16();
        let body = match frames {
            Some(frames) => Bound::new(py, frames)?.into_any(),
            None => PyBytes::new(py, response.body()).into_any(),
        };
        Ok(Some((status, headers, body)))
    }
}

fn head(method: &str, uri: &str, headers: Vec<(String, Vec<u8>)>) -> PyResult<Head> {
    let refused = |error: String| PyValueError::new_err(format!("not a request: {error}"));
    let method: Method = method.parse().map_err(|_| refused(method.to_owned()))?;
    let uri: Uri = uri.parse().map_err(|error| refused(format!("{uri}: {error}")))?;
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let name = name.map_err(|error| refused(error.to_string()))?;
        let value = HeaderValue::from_bytes(&value);
        map.append(name, value.map_err(|error| refused(error.to_string()))?);
    }
    Ok(Head { method, uri, headers: map })
}

/// The frames of a subscription; none is waited for on a clock that stands still.
#[pyclass(name = "Frames", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PyFrames {
    /// Taken by whoever waits for the next frame, so that nothing is locked meanwhile.
    state: Mutex<State>,
    language: Language,
}

#[derive(Debug)]
enum State {
    Begins(Subscription),
    GoesOn(Subscription),
    Ended,
}

#[pymethods]
impl PyFrames {
    /// The next frame; nothing at the end, or where time stands still before there is one. `False` where the connection is
    /// to break, and `True` where none is there yet and the caller does not wait.
    fn next<'py>(&self, py: Python<'py>, wait: bool) -> PyResult<Option<Bound<'py, PyAny>>> {
        let bytes = |bytes: &Bytes| Ok(Some(PyBytes::new(py, bytes).into_any()));
        let word = |word: bool| Ok(Some(word.into_pyobject(py)?.to_owned().into_any()));
        // Let go of before it is looked at: whoever takes the state puts it back.
        let state = std::mem::replace(&mut *self.state.lock(), State::Ended);
        let mut subscription = match state {
            State::Ended => return Ok(None),
            State::Begins(subscription) => {
                *self.state.lock() = State::GoesOn(subscription);
                return bytes(&frames::beginning(self.language));
            }
            State::GoesOn(subscription) => subscription,
        };
        loop {
            let seen = subscription.stream().bell().rings();
            match py.detach(|| subscription.step()) {
                Step::End => return Ok(None),
                Step::Error(error) => {
                    return match frames::error(self.language, &error) {
                        Ok(frame) => bytes(&frame),
                        Err(_) => word(false),
                    };
                }
                Step::Event(members) => {
                    *self.state.lock() = State::GoesOn(subscription);
                    return bytes(&frames::event(self.language, &members));
                }
                Step::Wait(_) if subscription.clock().is_still() => {
                    *self.state.lock() = State::GoesOn(subscription);
                    return Ok(None);
                }
                Step::Wait(_) if !wait => {
                    *self.state.lock() = State::GoesOn(subscription);
                    return word(true);
                }
                Step::Wait(_) => {
                    let stream = subscription.stream();
                    py.detach(|| stream.bell().wait(seen, WAIT_SLICE));
                    py.check_signals()?;
                }
            }
        }
    }

    /// Ends the subscription.
    fn close(&self) {
        *self.state.lock() = State::Ended;
    }
}
