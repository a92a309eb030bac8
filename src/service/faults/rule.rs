//! One fault of a script: what happens, where, and how often.

use std::collections::BTreeMap;
use std::collections::VecDeque;

use crate::record::sequence::ShardIndex;
use crate::service::faults::Site;
use crate::service::faults::chance;

/// So many calls that are under way at once are told apart.
const CALLS_AT_ONCE: usize = 64;

/// What goes wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The connection breaks without an answer.
    DropConnection {
        /// Whether what was asked is done before.
        after_write: bool,
    },
    /// A subscription breaks off.
    DropSubscription {
        /// After so many events of it.
        after_events: u64,
    },
    /// Records are read twice.
    Duplicate,
    /// A read finds nothing though there is something.
    EmptyPage,
    /// A shard iterator is older than five minutes.
    ExpireIterators,
    /// Some records of a `PutRecords` are refused.
    FailRecords {
        /// Their places.
        indexes: Vec<usize>,
        /// Why.
        code: String,
    },
    /// The service fails.
    InternalFailure,
    /// The answer takes its time.
    Latency {
        /// How long, in milliseconds.
        ms: u64,
    },
    /// The stream is resharded under its users.
    Reshard {
        /// Once so many records were put; at once after the call unless given.
        after_records: Option<u64>,
        /// To so many shards; twice as many unless given.
        shards: Option<u32>,
    },
    /// A shard, or the operation, is asked too much.
    Throttle,
}

/// Where a fault strikes: everywhere unless said.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Scope {
    /// At calls of this operation.
    pub operation: Option<&'static str>,
    /// At calls about this stream.
    pub stream: Option<String>,
    /// At calls, and records of a call, that are about this shard.
    pub shard: Option<ShardIndex>,
}

/// When a fault strikes: always unless said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct When {
    /// At these calls of the operation, counted from 1 since the rule was made.
    pub at: Option<Vec<u64>>,
    /// By chance, at this rate.
    pub rate: Option<f64>,
    /// At so many calls.
    pub times: Option<u64>,
}

/// A fault of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What happens.
    pub kind: Kind,
    /// Where.
    pub scope: Scope,
    /// When.
    pub when: When,
    /// At how many calls it happened.
    pub fired: u64,
    pub(super) has_ended: bool,
    /// How many records were stored within its scope since it was made.
    pub(super) stored: u64,
    /// Which expiry of all iterators that were out it was, if it was one.
    pub(super) expiry: Option<u64>,
    /// How many calls there were of each operation before it.
    before: BTreeMap<&'static str, u64>,
    /// The last calls that it struck, which parts of them are counted with.
    last: VecDeque<(&'static str, u64)>,
}

impl Rule {
    pub(super) fn new(
        kind: Kind,
        scope: Scope,
        when: When,
        before: BTreeMap<&'static str, u64>,
    ) -> Self {
        Self {
            kind,
            scope,
            when,
            fired: 0,
            has_ended: false,
            stored: 0,
            expiry: None,
            before,
            last: VecDeque::new(),
        }
    }

    /// Which call of its operation this is since the rule was made.
    pub(super) fn call(&self, site: Site<'_>) -> u64 {
        site.call.saturating_sub(self.before.get(site.operation).copied().unwrap_or(0))
    }

    /// Tells whether it is about this call, or this part of one.
    pub(super) fn covers(&self, site: Site<'_>) -> bool {
        let Scope { operation, stream, shard } = &self.scope;
        operation.is_none_or(|operation| operation == site.operation)
            && stream.as_ref().is_none_or(|stream| stream == site.stream)
            && shard.is_none_or(|shard| Some(shard) == site.shard)
    }

    pub(super) fn strikes(&self, site: Site<'_>, seed: u64, place: usize) -> bool {
        if self.has_ended || self.expiry.is_some() || !self.covers(site) {
            return false;
        }
        if let Kind::Reshard { after_records: Some(records), .. } = self.kind
            && self.stored < records
        {
            return false;
        }
        let When { at, rate, times } = &self.when;
        let Site { operation, call, part, .. } = site;
        let is_left = times.is_none_or(|times| self.fired < times || self.is_last(site));
        is_left
            && at.as_ref().is_none_or(|at| at.contains(&self.call(site)))
            && rate.is_none_or(|rate| {
                chance::happens(rate, seed, format_args!("{place}/{operation}/{call}/{part}"))
            })
    }

    fn is_last(&self, site: Site<'_>) -> bool {
        self.last.contains(&(site.operation, site.call))
    }

    /// Counts the call, once however many parts of it are struck, and tells whether it is the first of them.
    pub(super) fn count(&mut self, site: Site<'_>) -> bool {
        let is_first = !self.is_last(site);
        if is_first {
            self.fired += 1;
            self.last.truncate(CALLS_AT_ONCE - 1);
            self.last.push_front((site.operation, site.call));
        }
        is_first
    }
}
