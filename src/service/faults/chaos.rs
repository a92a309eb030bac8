//! Faults that a seed chooses: each would be a line of a script, so that what came of a seed can be told as one.

use std::collections::BTreeMap;

use crate::service::faults::Kind;
use crate::service::faults::Site;
use crate::service::faults::chance;

/// Calls of one operation that fail in a row, at most, so that a program that tries again gets through.
const ROW_MAX: u64 = 2;
/// A record that fails by chance is one of the first so many.
const RECORDS: u64 = 8;
/// A subscription breaks off after so many events, at most.
const EVENTS: u64 = 4;

/// Chance and its seed.
#[derive(Clone, Debug)]
pub(crate) struct Chaos {
    seed: u64,
    percent: u8,
    /// How many calls there were of each operation before it.
    before: BTreeMap<&'static str, u64>,
    last: Option<(&'static str, u64)>,
}

impl Chaos {
    pub(super) fn new(seed: u64, percent: u8, before: BTreeMap<&'static str, u64>) -> Self {
        Self { seed, percent, before, last: None }
    }

    /// What happens at a call, and which of its operation it is since chaos began.
    pub(super) fn draws(&self, site: Site<'_>) -> Option<(Kind, u64)> {
        let before = self.before.get(site.operation).copied().unwrap_or(0);
        let call = site.call.checked_sub(before).filter(|call| 0 < *call)?;
        let is_drawn = |call: &u64| self.is_drawn(site.operation, *call);
        if !is_drawn(&call) {
            return None;
        }
        // Of a row that is drawn, one goes well after so many that do not.
        let row = match self.percent {
            100.. => call - 1,
            _ => (1..call).rev().take_while(is_drawn).count() as u64,
        };
        if row % (ROW_MAX + 1) == ROW_MAX {
            return None;
        }
        self.kind(site.operation, call).map(|kind| (kind, call))
    }

    /// Counts a call once, and tells whether it is new.
    pub(super) fn count(&mut self, site: Site<'_>) -> bool {
        let this = Some((site.operation, site.call));
        std::mem::replace(&mut self.last, this) != this
    }

    fn is_drawn(&self, operation: &str, call: u64) -> bool {
        self.below(100, "whether", operation, call) < self.percent.into()
    }

    fn below(&self, bound: u64, what: &str, operation: &str, call: u64) -> u64 {
        chance::below(bound, self.seed, format_args!("{what}/{operation}/{call}"))
    }

    fn kind(&self, operation: &str, call: u64) -> Option<Kind> {
        let below = |bound, what| self.below(bound, what, operation, call);
        let after_write = below(2, "after") == 1;
        let drop = Kind::DropConnection { after_write };
        let reshard = Kind::Reshard { after_records: None, shards: None };
        let kinds = match operation {
            "PutRecord" => vec![Kind::Throttle, Kind::InternalFailure, drop, reshard],
            "PutRecords" => {
                let index = usize::try_from(below(RECORDS, "index")).expect("it is small");
                let code = "ProvisionedThroughputExceededException".to_owned();
                let some = Kind::FailRecords { indexes: vec![index], code };
                vec![some, Kind::Throttle, Kind::InternalFailure, drop, reshard]
            }
            "GetRecords" => vec![
                Kind::Duplicate,
                Kind::EmptyPage,
                Kind::ExpireIterators,
                Kind::Throttle,
                Kind::InternalFailure,
                drop,
            ],
            "SubscribeToShard" => {
                vec![Kind::DropSubscription { after_events: 1 + below(EVENTS, "events") }]
            }
            "DescribeStream" | "DescribeStreamSummary" | "GetShardIterator" | "ListShards" => {
                vec![Kind::Throttle, Kind::InternalFailure]
            }
            _ => return None,
        };
        let chosen = below(kinds.len() as u64, "kind");
        kinds.into_iter().nth(usize::try_from(chosen).expect("it is small"))
    }
}
