//! Where a read begins or ends: a cut between two records, said in one of the five ways Kinesis knows.

use crate::clock::Millis;
use crate::record::sequence::SequenceNumber;

/// A cut between records, as a caller says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Position {
    /// Right after the record of this sequence number.
    AfterSequenceNumber(SequenceNumber),
    /// Right before the record of this sequence number.
    AtSequenceNumber(SequenceNumber),
    /// Before the first record that arrived at this time or later.
    AtTimestamp(Millis),
    /// After the newest record there is when it is asked for.
    Latest,
    /// Before the oldest record that is kept.
    TrimHorizon,
}

/// A cut between records of a stream: those of a smaller index lie before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Cut(pub u64);

impl Cut {
    /// Before everything.
    pub const START: Self = Self(0);
    /// After everything that will ever be.
    pub const END: Self = Self(u64::MAX);
}
