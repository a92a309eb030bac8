//! What a stream may do only so often in a rolling day.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::clock::Millis;
use crate::limits::DAY_MS;
use crate::limits::ENCRYPTION_CHANGES_PER_DAY_MAX;
use crate::limits::MODE_SWITCHES_PER_DAY_MAX;
use crate::limits::UPDATE_SHARD_COUNT_PER_DAY_MAX;

/// A change that is counted by the day.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Daily {
    /// Encryption starts.
    EncryptionStart,
    /// Encryption stops.
    EncryptionStop,
    /// The mode is switched.
    Mode,
    /// The number of shards is changed.
    ShardCount,
}

impl Daily {
    /// How often a day has room for it.
    pub fn per_day_max(self) -> usize {
        match self {
            Self::EncryptionStart | Self::EncryptionStop => ENCRYPTION_CHANGES_PER_DAY_MAX,
            Self::Mode => MODE_SWITCHES_PER_DAY_MAX,
            Self::ShardCount => UPDATE_SHARD_COUNT_PER_DAY_MAX,
        }
    }
}

impl fmt::Display for Daily {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::EncryptionStart => "started its encryption",
            Self::EncryptionStop => "stopped its encryption",
            Self::Mode => "switched its mode",
            Self::ShardCount => "changed its shard count",
        })
    }
}

/// When changes were made in the last day.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct LastDay(BTreeMap<Daily, Vec<Millis>>);

impl LastDay {
    /// Counts a change, and tells whether the day has room for it.
    pub(crate) fn admit(&mut self, now: Millis, change: Daily) -> bool {
        let made = self.0.entry(change).or_default();
        made.retain(|&made| now.since(made) < DAY_MS);
        let admitted = made.len() < change.per_day_max();
        if admitted {
            made.push(now);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_rolls_and_changes_are_counted_apart() {
        let mut last = LastDay::default();
        assert!(last.admit(Millis(0), Daily::Mode) && last.admit(Millis(5), Daily::Mode));
        assert!(!last.admit(Millis(DAY_MS - 1), Daily::Mode));
        assert!(last.admit(Millis(DAY_MS - 1), Daily::EncryptionStart));
        assert!(last.admit(Millis(DAY_MS), Daily::Mode));
        assert!(!last.admit(Millis(DAY_MS + 4), Daily::Mode));
        assert!(last.admit(Millis(DAY_MS + 5), Daily::Mode));
    }
}
