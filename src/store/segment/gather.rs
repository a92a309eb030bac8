//! Rows of several arrays of one type, gathered into one array.

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::make_array;
use arrow_data::ArrayData;
use arrow_data::transform::MutableArrayData;
use arrow_schema::ArrowError;
use arrow_schema::DataType;
use arrow_select::interleave::interleave;

use crate::store::segment::columns::holds;
use crate::store::segment::columns::holds_dictionary;

/// Gathers rows, each an array and a row of it. A dictionary that all arrays share stays theirs.
pub(super) fn gather(arrays: &[ArrayRef], rows: &[(usize, usize)]) -> Result<ArrayRef, ArrowError> {
    let Some(first) = arrays.first() else {
        let fault = "rows are gathered from at least one array";
        return Err(ArrowError::InvalidArgumentError(fault.to_owned()));
    };
    if goes_by_runs(first.data_type()) {
        return gather_runs(arrays, rows);
    }
    if let Some((from, start)) = one_run(rows) {
        return Ok(arrays[from].slice(start, rows.len()));
    }
    if let Some(codes) = shared_codes(arrays) {
        let codes = interleave(&codes, rows)?.into_data();
        let values = first.as_any_dictionary().values().to_data();
        let coded = codes.into_builder().data_type(first.data_type().clone());
        return Ok(make_array(coded.add_child_data(values).build()?));
    }
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    interleave(&arrays, rows)
}

/// Copies values that views name out of the buffers they share with others, at any depth.
pub(super) fn compact(array: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let is_view = |each: &DataType| matches!(each, DataType::BinaryView | DataType::Utf8View);
    match array.data_type() {
        DataType::BinaryView => Ok(std::sync::Arc::new(array.as_binary_view().gc())),
        DataType::Utf8View => Ok(std::sync::Arc::new(array.as_string_view().gc())),
        // A dictionary is written once, as it is.
        DataType::Dictionary(_, _) => Ok(array),
        nested if holds(nested, &is_view) => {
            let data = array.to_data();
            let compact = |child: &ArrayData| Ok(compact(make_array(child.clone()))?.into_data());
            let children = data.child_data().iter().map(compact);
            let children = children.collect::<Result<Vec<ArrayData>, ArrowError>>()?;
            Ok(make_array(data.into_builder().child_data(children).build()?))
        }
        _ => Ok(array),
    }
}

/// Whether rows of a type have to be copied run by run: interleaving forgets the dictionary of a child without rows, and a
/// slice of a list view or of a union holds the children of all rows.
fn goes_by_runs(data_type: &DataType) -> bool {
    let holds_all = |each: &DataType| {
        matches!(each, DataType::LargeListView(_) | DataType::ListView(_) | DataType::Union(_, _))
    };
    let within = match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    holds_dictionary(within) || holds(data_type, &holds_all)
}

fn gather_runs(arrays: &[ArrayRef], rows: &[(usize, usize)]) -> Result<ArrayRef, ArrowError> {
    let data: Vec<ArrayData> = arrays.iter().map(Array::to_data).collect();
    let mut gathered = MutableArrayData::new(data.iter().collect(), false, rows.len());
    for run in rows.chunk_by(|before, after| follows(*before, *after)) {
        let (from, start) = run[0];
        gathered.try_extend(from, start, start + run.len())?;
    }
    Ok(make_array(gathered.freeze()))
}

fn follows(before: (usize, usize), after: (usize, usize)) -> bool {
    before.0 == after.0 && before.1 + 1 == after.1
}

/// Returns the array and the first row where all rows follow each other in one array.
fn one_run(rows: &[(usize, usize)]) -> Option<(usize, usize)> {
    let follow = rows.windows(2).all(|pair| follows(pair[0], pair[1]));
    rows.first().copied().filter(|_| follow)
}

/// Returns the codes of dictionary arrays that share their values.
fn shared_codes(arrays: &[ArrayRef]) -> Option<Vec<&dyn Array>> {
    let values = arrays.first()?.as_any_dictionary_opt()?.values().to_data();
    let codes = arrays.iter().map(|array| {
        let dictionary = array.as_any_dictionary_opt()?;
        dictionary.values().to_data().ptr_eq(&values).then(|| dictionary.keys())
    });
    codes.collect()
}
