//! What may happen to an engine, and how chance picks it.

use crate::dice::Dice;
use crate::seen::Seen;
use crate::seen::Which;

/// Names of streams: few, so that they come again; one that folders do not have, and one of another account.
const STREAMS: [Which; 4] = [(0, "clicks"), (0, ".orders"), (0, "views"), (1, "clicks")];
const CONSUMERS: [&str; 3] = ["audit", "billing", "search"];

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Advance(i64),
    Create(Which, u32),
    Delete(Which),
    Deregister(Which, &'static str),
    Encrypt(Which, bool),
    Fork(Which, &'static str),
    Label(Which, &'static str, u64),
    Limit(Which, usize),
    Merge(Which, String, String),
    Policy(Which, u64),
    Put(Which, Bulk),
    PutMany(Which, Bulk),
    Register(Which, &'static str),
    /// Closes, and opens when the clock shows so much more, or less.
    Reopen(i64),
    Retain(Which, i64),
    Scale(Which, i64),
    Split(Which, String),
    Tick,
    Unlabel(Which, &'static str),
    Write(Which, Bulk, Table),
}

/// Records, and how many bytes of data each has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bulk {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
    /// What the records are told from others by: the first one's number.
    pub(crate) first: u64,
}

/// A table of records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// Whether rows are typed, or bytes.
    pub(crate) is_typed: bool,
    /// How much later than the row before it each row arrives.
    pub(crate) apart_ms: i64,
}

impl Command {
    /// Picks what happens next to an engine that is seen like this; `first` is the next record's number.
    pub(crate) fn pick(dice: &mut Dice, seen: &Seen, first: u64) -> Self {
        let there = STREAMS.into_iter().filter(|which| seen.streams.contains_key(&key(*which)));
        let there: Vec<Which> = there.collect();
        if there.is_empty() || dice.once_in(12) {
            return Self::pick_stream(dice, &there);
        }
        let which = dice.one_of(&there);
        match dice.below(30) {
            0..=6 => Self::Put(which, Bulk { count: 1, ..bulk(dice, first) }),
            7..=10 => Self::PutMany(which, bulk(dice, first)),
            11..=14 => Self::Write(which, bulk(dice, first), table(dice)),
            15..=16 => Self::Advance(dice.one_of(&[1, 700, 3_600_000, 40_000_000, 90_000_000])),
            17 => Self::Tick,
            18 => Self::Reopen(dice.one_of(&[0, 0, 5_000, 90_000_000, -3_600_000])),
            19..=22 => Self::pick_reshard(dice, seen, which),
            _ => Self::pick_change(dice, which),
        }
    }

    fn pick_stream(dice: &mut Dice, there: &[Which]) -> Self {
        if there.is_empty() || !dice.once_in(3) {
            return Self::Create(dice.one_of(&STREAMS), dice.one_of(&[1, 2, 5]));
        }
        let which = dice.one_of(there);
        match dice.below(2) {
            0 => Self::Delete(which),
            _ => Self::Fork(which, dice.one_of(&["clicks", "views"])),
        }
    }

    fn pick_reshard(dice: &mut Dice, seen: &Seen, which: Which) -> Self {
        let mut shards = seen.streams[&key(which)].shards.clone();
        shards.retain(|shard| shard.closed_ms.is_none());
        shards.sort_by_key(|shard| shard.range);
        let lower = dice.below(shards.len());
        let name = |place: usize| shards[place % shards.len()].name.clone();
        match dice.below(4) {
            0 => Self::Merge(which, name(lower), name(lower + 1)),
            1 => Self::Scale(which, dice.one_of(&[1, 2, 3, 6])),
            _ => Self::Split(which, name(lower)),
        }
    }

    fn pick_change(dice: &mut Dice, which: Which) -> Self {
        let number = dice.roll();
        match dice.below(8) {
            0 => Self::Register(which, dice.one_of(&CONSUMERS)),
            1 => Self::Deregister(which, dice.one_of(&CONSUMERS)),
            2 => Self::Label(which, dice.one_of(&["team", "cost"]), number),
            3 => Self::Unlabel(which, dice.one_of(&["team", "cost"])),
            4 => Self::Encrypt(which, dice.once_in(2)),
            5 => Self::Limit(which, dice.one_of(&[1 << 20, 2 << 20])),
            6 => Self::Policy(which, number),
            _ => Self::Retain(which, dice.one_of(&[24, 36, 48])),
        }
    }

    /// The stream that it is for, if it is for one.
    pub(crate) fn which(&self) -> Option<Which> {
        match self {
            Self::Advance(_) | Self::Reopen(_) | Self::Tick => None,
            Self::Fork((account, _), name) => Some((*account, *name)),
            Self::Create(which, _)
            | Self::Delete(which)
            | Self::Deregister(which, _)
            | Self::Encrypt(which, _)
            | Self::Label(which, _, _)
            | Self::Limit(which, _)
            | Self::Merge(which, _, _)
            | Self::Policy(which, _)
            | Self::Put(which, _)
            | Self::PutMany(which, _)
            | Self::Register(which, _)
            | Self::Retain(which, _)
            | Self::Scale(which, _)
            | Self::Split(which, _)
            | Self::Unlabel(which, _)
            | Self::Write(which, _, _) => Some(*which),
        }
    }

    /// The records that it puts, if it puts some.
    pub(crate) fn bulk(&self) -> Option<Bulk> {
        match self {
            Self::Put(_, bulk) | Self::PutMany(_, bulk) | Self::Write(_, bulk, _) => Some(*bulk),
            _ => None,
        }
    }
}

/// Where a stream is found among those that are seen.
pub(crate) fn key((account, name): Which) -> (usize, String) {
    (account, name.to_owned())
}

fn bulk(dice: &mut Dice, first: u64) -> Bulk {
    Bulk { count: 1 + dice.below(12), bytes: dice.one_of(&[0, 20, 200, 1_500]), first }
}

fn table(dice: &mut Dice) -> Table {
    Table { is_typed: dice.once_in(2), apart_ms: dice.one_of(&[0, 1, 3_600_000, 20_000_000]) }
}
