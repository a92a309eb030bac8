//! The Kinesis API in this process: dictionaries in and out, as AWS's client for Python has them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyBool;
use pyo3::types::PyByteArray;
use pyo3::types::PyBytes;
use pyo3::types::PyDict;
use pyo3::types::PyFloat;
use pyo3::types::PyInt;
use pyo3::types::PyList;
use pyo3::types::PyString;
use pyo3::types::PyTuple;
use pyo3::types::PyType;

use crate::clock::Millis;
use crate::python::attentive::WAIT_SLICE;
use crate::python::engine::PyEngine;
use crate::python::gets;
use crate::python::puts;
use crate::python::puts::Given;
use crate::python::record::datetime;
use crate::service::Kinesis;
use crate::service::Members;
use crate::service::ServiceError;
use crate::service::Value;
use crate::service::kinesis::model;
use crate::service::kinesis::model::Operation;
use crate::service::kinesis::subscribe_to_shard::Step;
use crate::service::kinesis::subscribe_to_shard::Subscription;
use crate::service::shape::Length;
use crate::service::shape::Shape;
use crate::service::shape::Structure;
use crate::service::shape::Text;

/// The service; the package's client is its face.
#[pyclass(name = "Kinesis", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PyKinesis {
    pub(super) kinesis: Arc<Kinesis>,
}

/// What a call came to: its answer, or the code, the words and the status of a refusal.
type Outcome<T> = (Option<T>, Option<(&'static str, String, u16)>);

fn refused<T>(error: &ServiceError) -> Outcome<T> {
    (None, Some((error.code.name(), error.message.clone(), error.code.status())))
}

/// What parameters are refused with that are none of an operation's: a word of AWS's client, not of the service.
const INVALID_PARAMETERS: &str = "InvalidParameters";

/// Finds the operation of a call and reads its parameters, once; or the refusal that says line by line why they are none
/// of its.
fn read<T>(
    operation: &str,
    parameters: &Bound<'_, PyDict>,
) -> PyResult<Result<(&'static Operation, Members), Outcome<T>>> {
    let operation = match Kinesis::operation(operation) {
        Ok(operation) => operation,
        Err(error) => return Ok(Err(refused(&error))),
    };
    let mut reader = Reader::default();
    let input = reader.members(operation.input, parameters.as_any(), "")?;
    Ok(if reader.report.is_empty() {
        Ok((operation, input))
    } else {
        Err((None, Some((INVALID_PARAMETERS, reader.report.join("\n"), 0))))
    })
}

#[pymethods]
impl PyKinesis {
    #[new]
    fn new(engine: PyRef<'_, PyEngine>) -> Self {
        Self { kinesis: Arc::clone(&engine.kinesis) }
    }

    /// The names of the operations, in order.
    #[staticmethod]
    fn operations() -> Vec<&'static str> {
        model::OPERATIONS.iter().map(|operation| operation.name).collect()
    }

    /// The names of the operations that the service has and this one has not yet.
    #[staticmethod]
    fn operations_not_yet() -> Vec<&'static str> {
        model::NOT_YET.to_vec()
    }

    /// What the model says of an operation: its input, its output, its errors, and its events where it has some.
    #[staticmethod]
    fn model<'py>(py: Python<'py>, operation: &str) -> PyResult<Bound<'py, PyDict>> {
        let facts = PyDict::new(py);
        if let Ok(operation) = Kinesis::operation(operation) {
            let errors: Vec<&str> = operation.errors.iter().map(|code| code.name()).collect();
            facts.set_item("input", structure_facts(py, operation.input)?)?;
            facts.set_item("output", structure_facts(py, operation.output)?)?;
            facts.set_item("errors", errors)?;
            if operation.name == "SubscribeToShard" {
                let event = structure_facts(py, &model::SUBSCRIBE_TO_SHARD_EVENT)?;
                facts.set_item("event", event)?;
            }
        }
        Ok(facts)
    }

    /// The names of the members that an operation takes, those that must be there first.
    #[staticmethod]
    fn input_members(operation: &str) -> Vec<&'static str> {
        let known = Kinesis::operation(operation).map(|operation| operation.input.members);
        let members = known.unwrap_or_default();
        let (must, may): (Vec<_>, Vec<_>) = members.iter().partition(|member| member.required);
        must.into_iter().chain(may).map(|member| member.name).collect()
    }

    /// Answers a call; parameters that are none of the operation's are a refusal, too.
    fn call<'py>(
        &self,
        py: Python<'py>,
        operation: &str,
        parameters: &Bound<'py, PyDict>,
    ) -> PyResult<Outcome<Bound<'py, PyDict>>> {
        let (operation, input) = match read(operation, parameters)? {
            Ok(read) => read,
            Err(refusal) => return Ok(refusal),
        };
        let caller = self.kinesis.home();
        if operation.name == "GetRecords" {
            return match py.detach(|| self.kinesis.find_records(&caller, &input)) {
                Ok(found) => {
                    let answer = dictionary(py, &found.beside)?;
                    answer.set_item("Records", gets::records(py, &found)?)?;
                    Ok((Some(answer), None))
                }
                Err(error) => Ok(refused(&error)),
            };
        }
        match py.detach(|| self.kinesis.call(&caller, operation, &input)) {
            Ok(members) => Ok((Some(dictionary(py, &members)?), None)),
            Err(error) => Ok(refused(&error)),
        }
    }

    /// Puts records that are given as most callers give them; nothing, and nothing is put, where there is more to say.
    fn put_records<'py>(
        &self,
        py: Python<'py>,
        parameters: &Bound<'py, PyDict>,
    ) -> PyResult<Option<Outcome<Bound<'py, PyDict>>>> {
        let Some(given) = Given::read(parameters)? else { return Ok(None) };
        let (caller, entries) = (self.kinesis.home(), given.entries()?);
        let (stream, count) = (&given.stream, entries.len());
        let put =
            py.detach(|| self.kinesis.put_in_order(&caller, stream, count, |place| entries[place]));
        match put {
            None => Ok(None),
            Some(Ok(put)) => Ok(Some((Some(puts::answer(py, &put)?), None))),
            Some(Err(error)) => Ok(Some(refused(&error))),
        }
    }

    /// Waits so many seconds, and tells whether time passed by waiting: a clock that only its user moves does not wait.
    fn wait(&self, py: Python<'_>, seconds: f64) -> PyResult<bool> {
        let clock = &self.kinesis.engine().options().clock;
        let mut left = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
        while !left.is_zero() {
            let slice = left.min(WAIT_SLICE);
            if !py.detach(|| clock.wait(slice)) {
                return Ok(false);
            }
            py.check_signals()?;
            left -= slice;
        }
        Ok(true)
    }

    /// Subscribes a consumer to a shard.
    fn subscribe<'py>(
        &self,
        py: Python<'py>,
        parameters: &Bound<'py, PyDict>,
    ) -> PyResult<Outcome<PySubscription>> {
        let (operation, input) = match read("SubscribeToShard", parameters)? {
            Ok(read) => read,
            Err(refusal) => return Ok(refusal),
        };
        let caller = self.kinesis.home();
        match py.detach(|| self.kinesis.subscribe(&caller, operation, &input)) {
            Ok(subscription) => {
                let subscription = Mutex::new(Some(subscription));
                let closed = AtomicBool::new(false);
                Ok((Some(PySubscription { subscription, closed }), None))
            }
            Err(error) => Ok(refused(&error)),
        }
    }
}

/// The events of a subscription; none is waited for on a clock that only its user moves.
#[pyclass(name = "Subscription", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PySubscription {
    /// Taken by whoever waits for the next event, so that nothing is locked meanwhile.
    subscription: Mutex<Option<Subscription>>,
    closed: AtomicBool,
}

#[pymethods]
impl PySubscription {
    /// The next event, or the code, the words and the status of the refusal that ends it; nothing at its end, and on a
    /// clock that only its user moves nothing either where none is there yet.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Outcome<Bound<'py, PyDict>>> {
        let Some(mut subscription) = self.subscription.lock().take() else {
            return Ok((None, None));
        };
        while !self.closed.load(Ordering::SeqCst) {
            let seen = subscription.stream().bell().rings();
            match py.detach(|| subscription.step()) {
                Step::End => break,
                Step::Error(error) => return Ok(refused(&error)),
                Step::Event(members) => {
                    *self.subscription.lock() = Some(subscription);
                    return Ok((Some(dictionary(py, &members)?), None));
                }
                Step::Wait(_) if subscription.clock().is_still() => {
                    *self.subscription.lock() = Some(subscription);
                    return Ok((None, None));
                }
                Step::Wait(_) => {
                    let stream = subscription.stream();
                    py.detach(|| stream.bell().wait(seen, WAIT_SLICE));
                    py.check_signals()?;
                }
            }
        }
        Ok((None, None))
    }

    /// Ends the subscription.
    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        drop(self.subscription.lock().take());
    }
}

/// Reads parameters by the shapes of the model, and reports what is wrong in the words of AWS's client.
#[derive(Default)]
struct Reader {
    report: Vec<String>,
}

impl Reader {
    fn members(
        &mut self,
        structure: &'static Structure,
        given: &Bound<'_, PyAny>,
        path: &str,
    ) -> PyResult<Members> {
        let mut members = Members::new();
        let shown = if path.is_empty() { "input" } else { path };
        let Ok(given) = given.cast::<PyDict>() else {
            self.mismatch(given, path, "<class 'dict'>")?;
            return Ok(members);
        };
        for member in structure.members.iter().filter(|member| member.required) {
            if !given.contains(member.name)? {
                self.report
                    .push(format!("Missing required parameter in {shown}: \"{}\"", member.name));
            }
        }
        for (name, value) in given.iter() {
            let name = name.str()?;
            let name = name.to_str()?;
            let Some(member) = structure.member(name) else {
                let known: Vec<&str> = structure.members.iter().map(|member| member.name).collect();
                let known = known.join(", ");
                self.report.push(format!(
                    "Unknown parameter in {shown}: \"{name}\", must be one of: {known}"
                ));
                continue;
            };
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            if let Some(value) = self.value(member.shape, &value, &path)? {
                members.set(member.name, value);
            }
        }
        Ok(members)
    }

    fn value(
        &mut self,
        shape: &'static Shape,
        given: &Bound<'_, PyAny>,
        path: &str,
    ) -> PyResult<Option<Value>> {
        Ok(match shape {
            Shape::Blob(_) => self.blob(given, path)?,
            Shape::Boolean => match given.cast::<PyBool>() {
                Ok(is_so) => Some(Value::Boolean(is_so.is_true())),
                Err(_) => self.mismatch(given, path, "<class 'bool'>")?,
            },
            Shape::Integer(range) | Shape::Long(range) => {
                if !given.is_instance_of::<PyInt>() || given.is_instance_of::<PyBool>() {
                    return self.mismatch(given, path, "<class 'int'>");
                }
                let number: i64 = given.extract().unwrap_or(i64::MAX);
                if let Some(min) = range.min.filter(|&min| number < min) {
                    self.report.push(format!(
                        "Invalid range for parameter {path}, value: {number}, valid min value: {min}"
                    ));
                }
                Some(Value::Integer(number))
            }
            Shape::List(member, length) => {
                let Some(items) = sequence(given) else {
                    return self.mismatch(given, path, "<class 'list'>, <class 'tuple'>");
                };
                self.check_length(items.len(), length.min, path);
                let mut values = Vec::with_capacity(items.len());
                for (place, item) in items.iter().enumerate() {
                    values.extend(self.value(member, item, &format!("{path}[{place}]"))?);
                }
                Some(Value::List(values))
            }
            Shape::Map(_, _, length) => {
                let Ok(given) = given.cast::<PyDict>() else {
                    return self.mismatch(given, path, "<class 'dict'>");
                };
                self.check_length(given.len(), length.min, path);
                let mut pairs = Vec::with_capacity(given.len());
                for (key, value) in given.iter() {
                    let (Ok(key), Ok(text)) = (key.extract::<String>(), value.extract::<String>())
                    else {
                        let shown = format!("{path}.{}", key.str()?);
                        self.mismatch(&value, &shown, "<class 'str'>")?;
                        continue;
                    };
                    pairs.push((key, text));
                }
                Some(Value::Map(pairs))
            }
            Shape::Structure(structure) => {
                Some(Value::Structure(self.members(structure, given, path)?))
            }
            Shape::Text(text) => match given.cast::<PyString>() {
                Ok(found) => {
                    let found = found.to_str()?;
                    self.check_length(found.chars().count(), text.length.min, path);
                    Some(Value::Text(found.to_owned()))
                }
                Err(_) => self.mismatch(given, path, "<class 'str'>")?,
            },
            Shape::Timestamp => match timestamp(given)? {
                Some(time) => Some(Value::Timestamp(time)),
                None => {
                    self.mismatch(given, path, "<class 'datetime.datetime'>, timestamp-string")?
                }
            },
        })
    }

    fn blob(&mut self, given: &Bound<'_, PyAny>, path: &str) -> PyResult<Option<Value>> {
        let bytes = if let Ok(bytes) = given.cast::<PyBytes>() {
            Bytes::copy_from_slice(bytes.as_bytes())
        } else if let Ok(bytes) = given.cast::<PyByteArray>() {
            Bytes::from(bytes.to_vec())
        } else if let Ok(text) = given.cast::<PyString>() {
            Bytes::copy_from_slice(text.to_str()?.as_bytes())
        } else if given.hasattr("read")? {
            Bytes::from(given.call_method0("read")?.extract::<Vec<u8>>()?)
        } else {
            let valid = "<class 'bytes'>, <class 'bytearray'>, file-like object";
            return self.mismatch(given, path, valid);
        };
        Ok(Some(Value::Blob(bytes)))
    }

    fn check_length(&mut self, len: usize, min: usize, path: &str) {
        if len < min {
            self.report.push(format!(
                "Invalid length for parameter {path}, value: {len}, valid min length: {min}"
            ));
        }
    }

    fn mismatch(
        &mut self,
        given: &Bound<'_, PyAny>,
        path: &str,
        valid: &str,
    ) -> PyResult<Option<Value>> {
        let (value, class) = (given.str()?, given.get_type().str()?);
        self.report.push(format!(
            "Invalid type for parameter {path}, value: {value}, type: {class}, valid types: {valid}"
        ));
        Ok(None)
    }
}

fn sequence<'py>(given: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyAny>>> {
    if let Ok(list) = given.cast::<PyList>() {
        return Some(list.iter().collect());
    }
    given.cast::<PyTuple>().ok().map(|tuple| tuple.iter().collect())
}

/// A time as AWS's client takes one: a datetime, text, or seconds since 1970.
fn timestamp(given: &Bound<'_, PyAny>) -> PyResult<Option<Millis>> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "times beyond 64 bits are as good as the last"
    )]
    let of_seconds = |seconds: f64| Millis((seconds * 1e3).round() as i64);
    if given.is_instance_of::<PyBool>() {
        return Ok(None);
    }
    if given.is_instance_of::<PyInt>() || given.is_instance_of::<PyFloat>() {
        return Ok(Some(of_seconds(given.extract()?)));
    }
    let datetime = given.py().import("datetime")?.getattr("datetime")?.cast_into::<PyType>()?;
    if given.is_instance(&datetime)? {
        return Ok(Some(of_seconds(given.call_method0("timestamp")?.extract()?)));
    }
    let Ok(text) = given.cast::<PyString>() else { return Ok(None) };
    match datetime.call_method1("fromisoformat", (text,)) {
        Ok(time) => Ok(Some(of_seconds(time.call_method0("timestamp")?.extract()?))),
        Err(_) => Ok(text.to_str()?.parse().ok().map(of_seconds)),
    }
}

/// Members as a dictionary.
fn dictionary<'py>(py: Python<'py>, members: &Members) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = PyDict::new(py);
    for (name, value) in members.iter() {
        dictionary.set_item(name, object(py, value)?)?;
    }
    Ok(dictionary)
}

fn object<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Blob(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::Boolean(is_so) => PyBool::new(py, *is_so).to_owned().into_any(),
        Value::Integer(number) => number.into_pyobject(py)?.into_any(),
        Value::List(values) => {
            let values: PyResult<Vec<_>> = values.iter().map(|value| object(py, value)).collect();
            PyList::new(py, values?)?.into_any()
        }
        Value::Map(pairs) => {
            let dictionary = PyDict::new(py);
            pairs.iter().try_for_each(|(key, text)| dictionary.set_item(key, text))?;
            dictionary.into_any()
        }
        Value::Structure(members) => dictionary(py, members)?.into_any(),
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::Timestamp(time) => datetime(py, *time)?,
    })
}

/// A structure of the model: its kind, and by name of each member whether it must be there and what it is.
fn structure_facts<'py>(
    py: Python<'py>,
    structure: &'static Structure,
) -> PyResult<Bound<'py, PyTuple>> {
    let members = PyDict::new(py);
    for member in structure.members {
        members.set_item(member.name, (member.required, shape_facts(py, member.shape)?))?;
    }
    ("structure", members).into_pyobject(py)
}

/// A shape of the model: its kind, its bounds, and what it holds.
fn shape_facts<'py>(py: Python<'py>, shape: &'static Shape) -> PyResult<Bound<'py, PyTuple>> {
    let length = |length: Length| {
        (length.max.map(|_| length.min).or((0 < length.min).then_some(length.min)), length.max)
    };
    match shape {
        Shape::Blob(bounds) => ("blob", length(*bounds)).into_pyobject(py),
        Shape::Boolean => ("boolean",).into_pyobject(py),
        Shape::Integer(range) => ("integer", (range.min, range.max)).into_pyobject(py),
        Shape::List(member, bounds) => {
            ("list", length(*bounds), shape_facts(py, member)?).into_pyobject(py)
        }
        Shape::Long(range) => ("long", (range.min, range.max)).into_pyobject(py),
        Shape::Map(key, value, bounds) => {
            ("map", length(*bounds), text_facts(py, key)?, text_facts(py, value)?).into_pyobject(py)
        }
        Shape::Structure(structure) => structure_facts(py, structure),
        Shape::Text(text) => text_facts(py, text),
        Shape::Timestamp => ("timestamp",).into_pyobject(py),
    }
}

fn text_facts<'py>(py: Python<'py>, text: &'static Text) -> PyResult<Bound<'py, PyTuple>> {
    let bounds = (text.length.max.map(|_| text.length.min), text.length.max);
    let pattern = text.pattern.map(|pattern| pattern.source);
    let mut values = text.values.to_vec();
    values.sort_unstable();
    ("string", bounds, pattern, values).into_pyobject(py)
}
