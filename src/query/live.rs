//! A query that follows a stream: records as they come, windows as they close or change.

use std::sync::Arc;

use crate::clock::Millis;
use crate::engine::Stream;
use crate::engine::position::Cut;
use crate::engine::slice::Slice;
use crate::query::Answer;
use crate::query::Pass;
use crate::query::QueryError;
use crate::query::StreamQuery;
use crate::query::columns::Columns;
use crate::window::Order;

/// Records taken between two looks at what came out.
const TAKE_RECORDS: usize = 65_536;

/// What a live query hands over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Emit {
    /// Windows that changed, again each time.
    Changes,
    /// Windows that closed, once each.
    Final,
}

/// A query on its way along a stream.
#[derive(Debug)]
pub struct Live {
    query: StreamQuery,
    emit: Emit,
    next: Cut,
    until: Cut,
    shard: Option<String>,
    /// Made when the first records show what the columns are.
    pass: Option<Pass>,
    /// Whether more records are there than were taken.
    behind: bool,
    ended: bool,
}

impl Live {
    /// Starts at one cut and ends at another, which may never come.
    pub fn new(
        query: StreamQuery,
        emit: Emit,
        from: Cut,
        until: Cut,
        shard: Option<String>,
    ) -> Self {
        Self { query, emit, next: from, until, shard, pass: None, behind: false, ended: false }
    }

    /// Takes what has come and returns what it changed, if anything; `None` when there is nothing to tell yet.
    ///
    /// When nothing more can come (the end was reached, or the stream is gone), the windows still open close.
    pub fn poll(&mut self, now: Millis, stream: &Stream) -> Result<Option<Answer>, QueryError> {
        let mut took = false;
        if !self.ended {
            match stream.read(now, self.next, self.until, self.shard.as_deref(), TAKE_RECORDS) {
                Ok((slices, next)) => {
                    self.next = next;
                    took = !slices.is_empty();
                    self.behind = slices.iter().map(Slice::len).sum::<usize>() == TAKE_RECORDS;
                    self.push(&slices)?;
                    self.ended = self.until <= next || self.is_shard_done(stream);
                }
                // The stream is gone: what came before it went is all there will be.
                Err(_) => self.ended = true,
            }
        }
        let Some(pass) = &mut self.pass else {
            return Ok(None);
        };
        if self.ended {
            pass.operator.finish()?;
        } else if !took {
            pass.operator.tick(now.0);
        }
        let answer = match self.emit {
            Emit::Changes => pass.changes()?,
            Emit::Final => pass.answer()?,
        };
        let tells =
            !answer.windows.is_empty() || !answer.late.is_empty() || !answer.malformed.is_empty();
        Ok(tells.then_some(answer))
    }

    /// Tells whether there is more to take at once.
    pub fn is_behind(&self) -> bool {
        self.behind && !self.ended
    }

    /// Tells whether nothing more can come.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    fn push(&mut self, slices: &[Slice]) -> Result<(), QueryError> {
        if self.pass.is_none() && !slices.is_empty() {
            let columns =
                Columns::resolve_live(&self.query.wanted(), &self.query.declared, slices)?;
            self.pass = Some(Pass::new(&self.query, Arc::new(columns), Order::Arrival)?);
        }
        if let Some(pass) = &mut self.pass {
            for slice in slices {
                pass.push(slice, 0, slice.len())?;
            }
        }
        Ok(())
    }

    fn is_shard_done(&self, stream: &Stream) -> bool {
        let shard = self.shard.as_deref();
        shard.is_some_and(|shard| stream.is_exhausted(shard, self.next).unwrap_or(true))
    }
}
