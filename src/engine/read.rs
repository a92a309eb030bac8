//! Reading a stream: positions become cuts, and what lies between two cuts is handed out.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::engine::error::EngineError;
use crate::engine::log::Scope;
use crate::engine::position::Cut;
use crate::engine::position::Position;
use crate::engine::shard::Shard;
use crate::engine::slice::Slice;
use crate::engine::stream::Limits;
use crate::engine::stream::State;
use crate::engine::stream::Stream;
use crate::record::sequence::SequenceNumber;
use crate::record::sequence::ShardIndex;

impl Stream {
    /// Returns when the oldest records arrived that are kept, or when the stream was created if that was later.
    pub fn horizon(&self, now: Millis) -> Result<Millis, EngineError> {
        let state = self.trimmed_at(now)?;
        Ok(state.kept.horizon.max(self.created()))
    }

    /// Returns how many records are kept.
    pub fn record_count(&self, now: Millis) -> Result<u64, EngineError> {
        Ok(self.trimmed_at(now)?.log.count()?)
    }

    /// Fixes a position where a read begins.
    pub fn start_cut(
        &self,
        now: Millis,
        position: Position,
        shard: Option<&str>,
    ) -> Result<Cut, EngineError> {
        if let Position::AtTimestamp(asked) = position
            && now < asked
        {
            return Err(EngineError::TimestampInFuture { asked, now });
        }
        self.cut(now, position, shard)
    }

    /// Fixes a position where a read ends; a time to come is the end of what will have arrived by then.
    pub fn end_cut(
        &self,
        now: Millis,
        position: Position,
        shard: Option<&str>,
    ) -> Result<Cut, EngineError> {
        self.cut(now, position, shard)
    }

    fn cut(
        &self,
        now: Millis,
        position: Position,
        shard: Option<&str>,
    ) -> Result<Cut, EngineError> {
        let state = self.trimmed_at(now)?;
        let shard = shard.map(|name| self.known_shard(&state, name)).transpose()?;
        match position {
            Position::AfterSequenceNumber(number) => {
                self.check_number(&state, number, shard)?;
                Ok(Cut(number.index.saturating_add(1)))
            }
            Position::AtSequenceNumber(number) => {
                self.check_number(&state, number, shard)?;
                Ok(Cut(number.index))
            }
            Position::AtTimestamp(time) => Ok(state.log.cut_at(time)?),
            Position::Latest => Ok(state.log.shown_end()),
            Position::TrimHorizon => Ok(state.log.horizon()),
        }
    }

    /// Returns the records between two cuts, in order of arrival, at most `limit`; and where to go on.
    ///
    /// `shard` picks one shard; all of them together are in order too, parents before children.
    pub fn read(
        &self,
        now: Millis,
        from: Cut,
        until: Cut,
        shard: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Slice>, Cut), EngineError> {
        let mut state = self.trimmed_at(now)?;
        let shard = shard.map(|name| self.known_shard(&state, name)).transpose()?;
        let scope = shard.map_or(Scope::InOrder, Scope::Shard);
        Ok(state.log.read(from, until, scope, limit)?)
    }

    /// Returns the records between two cuts in the order in which they lie: for those to whom order does not matter.
    pub fn read_in_any_order(
        &self,
        now: Millis,
        from: Cut,
        until: Cut,
    ) -> Result<Vec<Slice>, EngineError> {
        Ok(self.trimmed_at(now)?.log.read(from, until, Scope::AnyOrder, usize::MAX)?.0)
    }

    /// Like `read`, and counted against what the shards may hand out where limits hold: one call of each shard.
    pub fn read_metered(
        &self,
        now: Millis,
        from: Cut,
        until: Cut,
        shard: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Slice>, Cut), EngineError> {
        if self.limits() == Limits::Aws {
            self.admit_reads(now, shard)?;
        }
        let (slices, next) = self.read(now, from, until, shard, limit)?;
        if self.limits() == Limits::Aws {
            self.count_read_bytes(&slices)?;
        }
        Ok((slices, next))
    }

    /// Tells whether a shard is closed and a cut lies after all of its records.
    pub fn is_exhausted(&self, shard: &str, at: Cut) -> Result<bool, EngineError> {
        let mut state = self.state()?;
        let shard = self.known_shard(&state, shard)?;
        if state.kept.shards[shard.0 as usize].is_open() {
            return Ok(false);
        }
        let (left, _) = state.log.read(at, Cut::END, Scope::Shard(shard), 1)?;
        Ok(left.is_empty())
    }

    /// Takes room for an iterator of a shard, where limits hold.
    pub(crate) fn admit_iterator(&self, now: Millis, shard: ShardIndex) -> Result<(), EngineError> {
        if self.limits() == Limits::Off {
            return Ok(());
        }
        let mut state = self.state_at(now)?;
        let found = state.kept.shards.get_mut(shard.0 as usize);
        if found.is_none_or(|found| found.throttle.admit_iterator(now)) {
            return Ok(());
        }
        Err(self.rate_exceeded(shard))
    }

    fn admit_reads(&self, now: Millis, shard: Option<&str>) -> Result<(), EngineError> {
        let mut state = self.state_at(now)?;
        let shards = match shard {
            Some(name) => {
                let place = self.known_shard(&state, name)?.0 as usize;
                &mut state.kept.shards[place..=place]
            }
            None => &mut state.kept.shards[..],
        };
        // All are asked before any is charged: a refused read costs nothing.
        let full = |each: &mut Shard| !each.throttle.allows_read(now);
        if let Some(place) = shards.iter_mut().position(full) {
            return Err(self.rate_exceeded(shards[place].birth.shard));
        }
        for shard in shards {
            shard.throttle.count_read();
        }
        Ok(())
    }

    fn count_read_bytes(&self, slices: &[Slice]) -> Result<(), EngineError> {
        let mut bytes_by_shard = BTreeMap::<ShardIndex, usize>::new();
        for slice in slices {
            let block = slice.block()?;
            let sizes = block.sizes(0..block.len())?;
            for row in (0..slice.len()).map(|place| slice.row(place)) {
                *bytes_by_shard.entry(block.shard(row)).or_default() += sizes[row] as usize;
            }
        }
        let mut state = self.state()?;
        for (shard, bytes) in bytes_by_shard {
            state.kept.shards[shard.0 as usize].throttle.count_read_bytes(bytes);
        }
        Ok(())
    }

    fn check_number(
        &self,
        state: &State,
        number: SequenceNumber,
        used: Option<ShardIndex>,
    ) -> Result<(), EngineError> {
        let encoded = number.birth.shard;
        if let Some(used) = used
            && used != encoded
        {
            return Err(EngineError::SequenceNumberOfOtherShard { encoded, used });
        }
        let shard = state.kept.shards.get(encoded.0 as usize);
        if shard.is_none_or(|shard| shard.birth != number.birth) {
            return Err(EngineError::SequenceNumberForeign {
                number,
                stream: self.name().to_owned(),
            });
        }
        Ok(())
    }
}
