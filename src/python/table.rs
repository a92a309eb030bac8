//! Tables across the seam: any object that speaks Arrow on the way in, our `Table` on the way out.

use std::fs::File;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::RecordBatchReader;
use arrow_array::StructArray;
use arrow_cast::pretty::pretty_format_batches;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;
use pyo3::exceptions::PyTypeError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::types::PyCapsule;
use pyo3::types::PyDict;
use pyo3::types::PyTuple;
use pyo3_arrow::ffi::ArrayIterator;
use pyo3_arrow::ffi::to_schema_pycapsule;
use pyo3_arrow::ffi::to_stream_pycapsule;
use pyo3_arrow::input::AnyRecordBatch;

use crate::python::argument;
use crate::python::error::raise;
use crate::python::record::reduced;
use crate::python::value;

/// Opens any object with `__arrow_c_stream__` or `__arrow_c_array__`.
pub(super) fn reader(object: &Bound<'_, PyAny>) -> PyResult<Box<dyn RecordBatchReader + Send>> {
    let speaks = object.hasattr("__arrow_c_stream__")? || object.hasattr("__arrow_c_array__")?;
    if !speaks {
        let message = format!(
            "{} is not a table: pass a polars or pandas DataFrame, a pyarrow Table, a DuckDB relation, or any object \
             with __arrow_c_stream__",
            object.get_type().name()?
        );
        return Err(raise("SerializationException", message));
    }
    let py = object.py();
    object.extract::<AnyRecordBatch>().and_then(AnyRecordBatch::into_reader).map_err(|error| {
        // What is no table comes back as a ValueError or TypeError; an error of the object's own is not ours.
        let no_table =
            error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyTypeError>(py);
        if no_table {
            let message = format!("not a table of columns: {}", error.value(py));
            return raise("SerializationException", message);
        }
        error
    })
}

/// Reads all of a table.
pub(super) fn batches(object: &Bound<'_, PyAny>) -> PyResult<(SchemaRef, Vec<RecordBatch>)> {
    if let Ok(table) = object.cast::<PyTable>() {
        let table = table.get();
        return Ok((Arc::clone(&table.schema), table.batches.clone()));
    }
    let reader = reader(object)?;
    let schema = reader.schema();
    let batches: Result<Vec<RecordBatch>, ArrowError> = object.py().detach(|| reader.collect());
    let class = if is_untyped(&schema) { "InvalidArgumentException" } else { "DatasetError" };
    Ok((
        Arc::clone(&schema),
        batches.map_err(|error| {
            raise(
                class,
                format!("reading the table: {}; no row was stored", unread(&error, &schema)),
            )
        })?,
    ))
}

/// Says why a table cannot be read.
pub(super) fn unread(error: &ArrowError, schema: &Schema) -> String {
    let untyped = schema.fields().iter().find(|field| *field.data_type() == DataType::Null);
    match untyped {
        // polars hands such columns over with a buffer that Arrow's rules leave out.
        Some(field) if error.to_string().contains("\"Null\"") => format!(
            "column `{name}` has no type, for it holds nothing but nulls: give it one, as in \
             table.cast({{\"{name}\": polars.String}})",
            name = field.name(),
        ),
        _ => error.to_string(),
    }
}

fn is_untyped(schema: &Schema) -> bool {
    schema.fields().iter().any(|field| *field.data_type() == DataType::Null)
}

/// Columns of equal length, in Arrow's memory: any Arrow library takes it as it is.
#[pyclass(name = "Table", module = "shardstream", frozen, subclass)]
#[derive(Debug)]
pub(super) struct PyTable {
    pub(super) schema: SchemaRef,
    pub(super) batches: Vec<RecordBatch>,
}

impl PyTable {
    pub(super) fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self { schema, batches }
    }

    /// The rows, so few at a time that Ctrl-C is heard between them.
    fn parts(&self) -> impl Iterator<Item = RecordBatch> {
        const ROWS: usize = 16_384;
        self.batches.iter().flat_map(|batch| {
            let starts = (0..batch.num_rows()).step_by(ROWS);
            starts.map(|start| batch.slice(start, ROWS.min(batch.num_rows() - start)))
        })
    }
}

#[pymethods]
impl PyTable {
    /// The same table again: how subclasses are made of one.
    #[new]
    fn again(table: PyRef<'_, Self>) -> Self {
        Self::new(Arc::clone(&table.schema), table.batches.clone())
    }

    /// The columns' names.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The columns' Arrow types, by name.
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let types = PyDict::new(py);
        for field in self.schema.fields() {
            types.set_item(field.name(), field.data_type().to_string())?;
        }
        Ok(types)
    }

    /// Rows and columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.__len__(), self.schema.fields().len())
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The rows as dictionaries of Python objects.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let mut rows = Vec::with_capacity(self.__len__());
        for part in self.parts() {
            py.check_signals()?;
            rows.extend(value::rows(py, &part)?);
        }
        Ok(rows)
    }

    /// The values of one column as Python objects.
    fn column<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyAny>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let name = argument::text(name, "a column's name")?;
        let mut values = Vec::with_capacity(self.__len__());
        let place = self.schema.index_of(name).map_err(|_| {
            let known = self.column_names().join(", ");
            raise("ColumnNotFoundError", format!("there is no column `{name}`; there are {known}"))
        })?;
        for part in self.parts() {
            py.check_signals()?;
            values.extend(value::values(py, part.column(place))?);
        }
        Ok(values)
    }

    /// Rows `start..start + count`, sharing memory.
    fn slice(&self, start: usize, count: usize) -> Self {
        let (mut skip, mut room) = (start, count);
        let mut batches = Vec::new();
        for batch in &self.batches {
            let from = skip.min(batch.num_rows());
            let len = room.min(batch.num_rows() - from);
            if 0 < len {
                batches.push(batch.slice(from, len));
            }
            skip -= from;
            room -= len;
        }
        Self::new(Arc::clone(&self.schema), batches)
    }

    /// The rows drawn as a table of text.
    fn to_text(&self) -> PyResult<String> {
        let empty = [RecordBatch::new_empty(Arc::clone(&self.schema))];
        let batches = if self.batches.is_empty() { &empty[..] } else { &self.batches };
        let drawn = pretty_format_batches(batches).map_err(failed)?;
        Ok(drawn.to_string())
    }

    /// Writes the rows to a file: `csv`, `json` (one object a line) or `arrow` (IPC file).
    fn save(&self, py: Python<'_>, path: &Bound<'_, PyAny>, format: &str) -> PyResult<()> {
        let path = argument::text(path, "a file's name")?;
        let file = File::create(path)
            .map_err(|error| raise("DatasetError", format!("cannot write `{path}`: {error}")))?;
        py.detach(|| write_batches(file, &self.schema, &self.batches, format)).map_err(failed)
    }

    /// The rows as the bytes of an Arrow IPC stream.
    fn to_ipc<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| {
            let mut writer = StreamWriter::try_new(Vec::new(), &self.schema)?;
            self.batches.iter().try_for_each(|batch| writer.write(batch))?;
            writer.into_inner()
        });
        Ok(PyBytes::new(py, &bytes.map_err(failed)?))
    }

    /// The table whose Arrow IPC stream these bytes are.
    #[staticmethod]
    fn from_ipc(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        let read = py.detach(|| {
            let reader = StreamReader::try_new(bytes, None)?;
            let schema = reader.schema();
            Ok(Self { batches: reader.collect::<Result<_, ArrowError>>()?, schema })
        });
        read.map_err(|error: ArrowError| {
            raise("DatasetError", format!("these bytes are no Arrow IPC stream: {error}"))
        })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        reduced(py, "table", (self.to_ipc(py)?,))
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("shardstream.display")?.getattr("table")?.call1((slf,))
    }

    fn __repr__(&self) -> String {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let (rows, columns) = self.shape();
        format!("Table({rows} row{} x {columns} column{})", plural(rows), plural(columns))
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        stream_capsule(py, &self.schema, self.batches.clone().into_iter().map(Ok), requested_schema)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.schema.as_ref())?)
    }
}

/// Hands batches over as an Arrow C stream.
pub(super) fn stream_capsule<'py>(
    py: Python<'py>,
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static,
    requested_schema: Option<Bound<'py, PyCapsule>>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let field = Arc::new(Field::new_struct("", schema.fields().clone(), false));
    let arrays = batches.map(|batch| batch.map(|batch| Arc::new(StructArray::from(batch)) as _));
    let reader = Box::new(ArrayIterator::new(arrays, field));
    Ok(to_stream_pycapsule(py, reader, requested_schema)?)
}

fn write_batches(
    file: File,
    schema: &SchemaRef,
    batches: &[RecordBatch],
    format: &str,
) -> Result<(), ArrowError> {
    match format {
        "csv" => {
            let mut writer = arrow_csv::Writer::new(file);
            if batches.is_empty() {
                writer.write(&RecordBatch::new_empty(Arc::clone(schema)))?;
            }
            batches.iter().try_for_each(|batch| writer.write(batch))
        }
        "json" => {
            let builder = arrow_json::WriterBuilder::new().with_explicit_nulls(true);
            let mut writer = builder.build::<_, arrow_json::writer::LineDelimited>(file);
            batches.iter().try_for_each(|batch| writer.write(batch))?;
            writer.finish()
        }
        "arrow" => {
            let mut writer = arrow_ipc::writer::FileWriter::try_new(file, schema)?;
            batches.iter().try_for_each(|batch| writer.write(batch))?;
            writer.finish()
        }
        _ => Err(ArrowError::InvalidArgumentError(format!(
            "`{format}` is no format to save in: use csv, json or arrow"
        ))),
    }
}

fn failed(error: ArrowError) -> PyErr {
    raise("InvalidArgumentException", error)
}
