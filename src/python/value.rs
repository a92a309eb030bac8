//! Arrow values as Python objects, for whoever has no dataframe library at hand.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::types::Float16Type;
use arrow_array::types::Float32Type;
use arrow_array::types::Float64Type;
use arrow_array::types::Int64Type;
use arrow_array::types::UInt64Type;
use arrow_cast::cast;
use arrow_schema::ArrowError;
use arrow_schema::DataType;
use arrow_schema::TimeUnit;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use pyo3::types::PyDict;
use pyo3::types::PyList;
use pyo3::types::PyType;

use crate::python::error::raise;

/// The rows of a batch, a dictionary each.
pub(super) fn rows<'py>(py: Python<'py>, batch: &RecordBatch) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let rows: Vec<Bound<'py, PyDict>> = (0..batch.num_rows()).map(|_| PyDict::new(py)).collect();
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        for (row, value) in rows.iter().zip(values(py, column)?) {
            row.set_item(field.name(), value)?;
        }
    }
    Ok(rows)
}

/// The values of a column, one Python object a row.
pub(super) fn values<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let valid = |row: usize| array.is_valid(row);
    let each = |value: &dyn Fn(usize) -> PyResult<Bound<'py, PyAny>>| {
        let one = |row| {
            if valid(row) { value(row) } else { Ok(py.None().into_bound(py)) }
        };
        (0..array.len()).map(one).collect()
    };
    match array.data_type() {
        DataType::Null => each(&|_| Ok(py.None().into_bound(py))),
        DataType::Boolean => each(&|row| array.as_boolean().value(row).into_bound_py_any(py)),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let wide = converted(array, &DataType::Int64)?;
            each(&|row| wide.as_primitive::<Int64Type>().value(row).into_bound_py_any(py))
        }
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
            let wide = converted(array, &DataType::UInt64)?;
            each(&|row| wide.as_primitive::<UInt64Type>().value(row).into_bound_py_any(py))
        }
        DataType::Float16 => each(&|row| {
            array.as_primitive::<Float16Type>().value(row).to_f32().into_bound_py_any(py)
        }),
        DataType::Float32 => {
            each(&|row| array.as_primitive::<Float32Type>().value(row).into_bound_py_any(py))
        }
        DataType::Float64 => {
            each(&|row| array.as_primitive::<Float64Type>().value(row).into_bound_py_any(py))
        }
        DataType::Utf8 => each(&|row| array.as_string::<i32>().value(row).into_bound_py_any(py)),
        DataType::LargeUtf8 => {
            each(&|row| array.as_string::<i64>().value(row).into_bound_py_any(py))
        }
        DataType::Utf8View => each(&|row| array.as_string_view().value(row).into_bound_py_any(py)),
        DataType::Binary => {
            each(&|row| Ok(PyBytes::new(py, array.as_binary::<i32>().value(row)).into_any()))
        }
        DataType::LargeBinary => {
            each(&|row| Ok(PyBytes::new(py, array.as_binary::<i64>().value(row)).into_any()))
        }
        DataType::BinaryView => {
            each(&|row| Ok(PyBytes::new(py, array.as_binary_view().value(row)).into_any()))
        }
        DataType::Timestamp(unit, zone) => {
            let kind = if zone.is_some() { "epoch" } else { "epoch_naive" };
            let microseconds = in_microseconds(array, *unit)?;
            let epoch = face(py)?.getattr(kind)?;
            each(&|row| {
                counted(
                    py,
                    microsecond_delta(py, microseconds[row]).and_then(|span| epoch.add(span)),
                )
            })
        }
        DataType::Date32 | DataType::Date64 => {
            let days = converted(&converted(array, &DataType::Date32)?, &DataType::Int32)?;
            let days = converted(&days, &DataType::Int64)?;
            let day_us = 86_400_000_000;
            let epoch = face(py)?.getattr("epoch_date")?;
            each(&|row| {
                let day = days.as_primitive::<Int64Type>().value(row);
                let span = microsecond_delta(py, day.saturating_mul(day_us));
                counted(py, span.and_then(|span| epoch.add(span)))
            })
        }
        DataType::Duration(unit) => {
            let microseconds = in_microseconds(array, *unit)?;
            each(&|row| counted(py, microsecond_delta(py, microseconds[row])))
        }
        DataType::Decimal128(_, _) => {
            let decimal = face(py)?.getattr("decimal")?;
            each(&|row| {
                decimal.call1((array.as_primitive::<Decimal128Type>().value_as_string(row),))
            })
        }
        DataType::FixedSizeBinary(_) => values(py, &converted(array, &DataType::Binary)?),
        DataType::FixedSizeList(item, _) => {
            values(py, &converted(array, &DataType::List(Arc::clone(item)))?)
        }
        DataType::Map(_, _) => each(&|row| {
            let entries: ArrayRef = Arc::new(array.as_map().value(row));
            Ok(PyList::new(py, values(py, &entries)?)?.into_any())
        }),
        DataType::Dictionary(_, value) => values(py, &converted(array, value)?),
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().map(|column| values(py, column));
            let columns: Vec<Vec<Bound<'py, PyAny>>> = columns.collect::<PyResult<_>>()?;
            each(&|row| {
                let value = PyDict::new(py);
                for (field, column) in fields.iter().zip(&columns) {
                    value.set_item(field.name(), &column[row])?;
                }
                Ok(value.into_any())
            })
        }
        DataType::List(_) => each(&|row| {
            Ok(PyList::new(py, values(py, &array.as_list::<i32>().value(row))?)?.into_any())
        }),
        DataType::LargeList(_) => each(&|row| {
            Ok(PyList::new(py, values(py, &array.as_list::<i64>().value(row))?)?.into_any())
        }),
        // Times of day and the rare rest: as Arrow prints them.
        _ => {
            let text = converted(array, &DataType::Utf8)?;
            each(&|row| text.as_string::<i32>().value(row).into_bound_py_any(py))
        }
    }
}

/// A time or span, or an error that says why Python has none.
fn counted<'py>(
    py: Python<'py>,
    value: PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    value.map_err(|error| {
        if error.is_instance_of::<PyOverflowError>(py) {
            let message = "a time lies beyond the years 1 to 9999, which Python counts: take the table as Arrow, as in \
                           polars.DataFrame(table)";
            return raise("ColumnTypeError", message);
        }
        error
    })
}

fn in_microseconds(array: &ArrayRef, unit: TimeUnit) -> PyResult<Vec<i64>> {
    let ticks = converted(array, &DataType::Int64)?;
    let scale = |tick: i64| match unit {
        TimeUnit::Second => tick.saturating_mul(1_000_000),
        TimeUnit::Millisecond => tick.saturating_mul(1_000),
        TimeUnit::Microsecond => tick,
        TimeUnit::Nanosecond => tick.div_euclid(1_000),
    };
    Ok(ticks.as_primitive::<Int64Type>().values().iter().map(|&tick| scale(tick)).collect())
}

fn microsecond_delta(py: Python<'_>, microseconds: i64) -> PyResult<Bound<'_, PyAny>> {
    static TIMEDELTA: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    TIMEDELTA.import(py, "datetime", "timedelta")?.call1((0, 0, microseconds))
}

/// The module with the few Python values that conversions start from.
fn face(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("shardstream._epoch")
}

fn converted(array: &ArrayRef, data_type: &DataType) -> PyResult<ArrayRef> {
    cast(array, data_type).map_err(|error: ArrowError| raise("ColumnTypeError", error))
}
