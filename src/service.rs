//! AWS's APIs as types: shapes, constraints, errors and operations; no sockets and no bytes of any protocol's framing.

pub mod arn;
pub mod check;
pub mod decode;
pub mod encode;
pub mod error;
pub mod faults;
pub mod kinesis;
mod refusal;
pub mod shape;
pub mod token;
pub mod value;

pub use error::ErrorCode;
pub use error::ServiceError;
pub use faults::Faults;
pub use kinesis::Caller;
pub use kinesis::Kinesis;
pub use value::Members;
pub use value::Value;
