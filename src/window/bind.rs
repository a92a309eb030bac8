//! A query against the columns there are: what each name means, and what comes out.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::make_array;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Fields;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;
use arrow_schema::TimeUnit;

use crate::window::WindowError;
use crate::window::aggregate::Kernels;
use crate::window::group::value_type;
use crate::window::spec::QuerySpec;
use crate::window::spec::Span;
use crate::window::time::TimeColumn;

/// A column of the input that the query names.
#[derive(Clone, Debug, PartialEq)]
struct Named {
    index: usize,
    name: String,
    data_type: DataType,
}

/// A query that has met its columns.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) time: TimeColumn,
    /// The columns that the query names, each once: time, keys, aggregates'.
    named: Vec<Named>,
    /// For each aggregate, which of `named` it takes.
    inputs: Vec<Option<usize>>,
    key_count: usize,
    pub(crate) output: SchemaRef,
    pub(crate) late: SchemaRef,
}

impl Plan {
    pub(crate) fn new(spec: &QuerySpec, input: &Schema) -> Result<Self, WindowError> {
        spec.validate()?;
        if spec.aggregates.is_empty() {
            return Err(WindowError::AggregatesMissing);
        }
        let mut named = vec![find(input, &spec.time)?];
        for key in &spec.keys {
            named.push(find(input, key)?);
        }
        let mut inputs = Vec::new();
        for aggregate in &spec.aggregates {
            inputs.push(match &aggregate.column {
                None => None,
                Some(column) => Some(find_or_add(&mut named, find(input, column)?)),
            });
        }
        let mut spans = spec.window.spans();
        spans.extend([spec.watermark, spec.allowed_lateness]);
        let time = TimeColumn::new(&spec.time, &named[0].data_type, &spans)?;
        let output = output_schema(spec, &named, &inputs, time.unit)?;
        let late = late_schema(input, &named, time.unit);
        Ok(Self { time, named, inputs, key_count: spec.keys.len(), output, late })
    }

    /// The types of the key columns.
    pub(crate) fn key_types(&self) -> Vec<DataType> {
        self.named[1..=self.key_count].iter().map(|named| named.data_type.clone()).collect()
    }

    /// Empty states for every aggregate.
    pub(crate) fn kernels(&self, spec: &QuerySpec) -> Result<Kernels, WindowError> {
        let input = |at: usize| (at, &self.named[at].data_type);
        let inputs: Vec<_> = self.inputs.iter().map(|at| at.map(input)).collect();
        Kernels::new(&spec.aggregates, &inputs)
    }

    /// Picks the named columns out of a batch.
    pub(crate) fn columns(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>, WindowError> {
        let pick = |named: &Named| {
            let fits = batch.num_columns() > named.index
                && batch.schema_ref().field(named.index).name() == &named.name;
            let column = if fits {
                Some(batch.column(named.index))
            } else {
                batch.column_by_name(&named.name)
            };
            let column = column.ok_or_else(|| column_missing(batch.schema_ref(), &named.name))?;
            if column.data_type() != &named.data_type {
                return Err(WindowError::ColumnChanged {
                    column: named.name.clone(),
                    expected: named.data_type.to_string(),
                    found: column.data_type().to_string(),
                });
            }
            Ok(column.clone())
        };
        self.named.iter().map(pick).collect()
    }

    /// The key columns among the picked ones.
    pub(crate) fn keys<'a>(&self, picked: &'a [ArrayRef]) -> &'a [ArrayRef] {
        &picked[1..=self.key_count]
    }

    /// The columns of late rows among the picked ones.
    pub(crate) fn late_columns(&self, picked: &[ArrayRef]) -> Vec<ArrayRef> {
        first_mentions(&self.named).map(|at| picked[at].clone()).collect()
    }

    /// Answers ticks as a column of instants.
    pub(crate) fn instants(&self, ticks: Vec<i64>) -> Result<ArrayRef, WindowError> {
        let data = Int64Array::from(ticks).into_data().into_builder();
        let instants = data.data_type(self.output.field(0).data_type().clone()).build()?;
        Ok(make_array(instants))
    }

    /// Answers a span in ticks.
    pub(crate) fn ticks(&self, span: Span) -> i64 {
        self.time.span(span)
    }

    /// Whether another query over the same columns computes the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.output == other.output && self.named == other.named && self.inputs == other.inputs
    }
}

fn find(input: &Schema, name: &str) -> Result<Named, WindowError> {
    let (index, field) = input.column_with_name(name).ok_or_else(|| column_missing(input, name))?;
    Ok(Named { index, name: name.to_owned(), data_type: field.data_type().clone() })
}

fn find_or_add(named: &mut Vec<Named>, wanted: Named) -> usize {
    named.iter().position(|named| named.index == wanted.index).unwrap_or_else(|| {
        named.push(wanted);
        named.len() - 1
    })
}

fn column_missing(input: &Schema, name: &str) -> WindowError {
    let columns = input.fields().iter().map(|field| format!("`{}`", field.name()));
    WindowError::ColumnMissing {
        column: name.to_owned(),
        columns: columns.collect::<Vec<_>>().join(", "),
    }
}

fn instant(unit: TimeUnit) -> DataType {
    DataType::Timestamp(unit, Some("UTC".into()))
}

fn output_schema(
    spec: &QuerySpec,
    named: &[Named],
    inputs: &[Option<usize>],
    unit: TimeUnit,
) -> Result<SchemaRef, WindowError> {
    let mut fields = vec![
        Field::new("window_start", instant(unit), false),
        Field::new("window_end", instant(unit), false),
    ];
    let keys = &named[1..=spec.keys.len()];
    fields.extend(
        keys.iter().map(|key| Field::new(&key.name, value_type(&key.data_type).clone(), true)),
    );
    for (aggregate, input) in spec.aggregates.iter().zip(inputs) {
        let data_type = aggregate.output_type(input.map(|at| &named[at].data_type))?;
        fields.push(Field::new(&aggregate.name, data_type, true));
    }
    for (index, field) in fields.iter().enumerate() {
        if fields[..index].iter().any(|earlier| earlier.name() == field.name()) {
            return Err(WindowError::NameTaken { name: field.name().clone() });
        }
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// Where each column is named for the first time.
fn first_mentions(named: &[Named]) -> impl Iterator<Item = usize> {
    (0..named.len())
        .filter(|&at| named[..at].iter().all(|earlier| earlier.index != named[at].index))
}

fn late_schema(input: &Schema, named: &[Named], unit: TimeUnit) -> SchemaRef {
    let mut fields: Vec<Field> =
        first_mentions(named).map(|at| input.field(named[at].index).clone()).collect();
    for (name, data_type) in [
        ("ordinal", DataType::UInt64),
        ("watermark", instant(unit)),
        ("lateness", DataType::Duration(unit)),
        ("windows_missed", DataType::Int64),
    ] {
        let mut name = name.to_owned();
        while fields.iter().any(|field| *field.name() == name) {
            name.push('_');
        }
        fields.push(Field::new(name, data_type, false));
    }
    Arc::new(Schema::new(Fields::from(fields)))
}
