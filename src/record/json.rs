//! temporary
use arrow_array::*;
/// e
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JsonError {
    /// a
    #[error("{0}")]
    A(String),
}
/// e
pub fn encode_rows(
    batch: &RecordBatch,
    rows: Option<&[u32]>,
) -> Result<LargeBinaryArray, JsonError> {
    let _ = (batch, rows);
    Err(JsonError::A(String::new()))
}
/// e
pub fn encoded_lens(batch: &RecordBatch) -> Result<Vec<u32>, JsonError> {
    let _ = batch;
    Err(JsonError::A(String::new()))
}
