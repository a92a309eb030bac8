//! What goes wrong on purpose, so that a test sees how a program takes it: by a script or by chance from a seed, and counted.

mod chance;
pub(crate) mod chaos;
mod rule;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

pub use rule::Kind;
pub use rule::Rule;
pub use rule::Scope;
pub use rule::When;

use crate::record::sequence::ShardIndex;
use crate::service::faults::chaos::Chaos;

/// How many faults are remembered one by one; all of them are counted.
const FIRED_MAX: usize = 10_000;

/// What goes wrong on purpose at the calls of a service; nothing, at first.
#[derive(Debug, Default)]
pub struct Faults {
    /// Spares the calls of a service without faults the lock.
    is_on: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    seed: u64,
    rules: Vec<Rule>,
    chaos: Option<Chaos>,
    /// Calls so far, by operation.
    calls: BTreeMap<&'static str, u64>,
    /// How often all iterators that were out expired.
    expiries: u64,
    fired: Vec<Fired>,
}

/// A fault that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Fired {
    /// The place of its rule; none where it came by chaos.
    pub rule: Option<usize>,
    /// The operation.
    pub operation: &'static str,
    /// Which call of the operation it was, since the rule or the chaos began, from 1.
    pub call: u64,
    /// What happened.
    pub kind: Kind,
    /// The stream.
    pub stream: String,
    /// The shard, where the call was about one.
    pub shard: Option<ShardIndex>,
}

/// Where a fault may strike: at a call, or at a part of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    pub(crate) operation: &'static str,
    /// Which call of the operation it is, from 1.
    pub(crate) call: u64,
    pub(crate) stream: &'a str,
    pub(crate) shard: Option<ShardIndex>,
    /// What tells parts of a call apart.
    pub(crate) part: u64,
}

impl Faults {
    /// Tells whether anything may go wrong.
    pub fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Acquire)
    }

    /// Begins anew without rules, and draws from this seed.
    pub fn reset(&self, seed: u64) {
        let mut state = self.state.lock();
        // Iterators tell by this number which of them were out when.
        *state = State { seed, expiries: state.expiries, ..State::default() };
        self.is_on.store(false, Ordering::Release);
    }

    /// Adds a rule, and returns its place.
    pub fn add(&self, kind: Kind, scope: Scope, when: When) -> usize {
        let mut state = self.state.lock();
        let mut rule = Rule::new(kind, scope, when, state.calls.clone());
        if rule.kind == Kind::ExpireIterators && rule.when == When::default() {
            state.expiries += 1;
            rule.expiry = Some(state.expiries);
        }
        state.rules.push(rule);
        self.is_on.store(true, Ordering::Release);
        state.rules.len() - 1
    }

    /// Lets a rule strike no more; what it did stays counted.
    pub fn end(&self, rule: usize) {
        if let Some(rule) = self.state.lock().rules.get_mut(rule) {
            rule.has_ended = true;
        }
    }

    /// Lets chance choose what goes wrong: of a hundred calls about so many.
    pub fn unleash(&self, seed: u64, percent: u8) {
        let mut state = self.state.lock();
        state.chaos = Some(Chaos::new(seed, percent, state.calls.clone()));
        self.is_on.store(true, Ordering::Release);
    }

    /// The rules, in order.
    pub fn rules(&self) -> Vec<Rule> {
        self.state.lock().rules.clone()
    }

    /// What happened, in order; the first ten thousand.
    pub fn fired(&self) -> Vec<Fired> {
        self.state.lock().fired.clone()
    }

    /// Counts a call, and returns which of its operation it is.
    pub(crate) fn begin(&self, operation: &'static str) -> u64 {
        let mut state = self.state.lock();
        let calls = state.calls.entry(operation).or_default();
        *calls += 1;
        *calls
    }

    /// Finds the first fault of some kind that strikes here, and counts it.
    pub(crate) fn strike(&self, site: Site<'_>, is_of: impl Fn(&Kind) -> bool) -> Option<Kind> {
        self.strike_with(site, |kind| is_of(kind).then(|| kind.clone()))
    }

    /// The same, with what `takes` makes of its kind; where that is nothing, it does not strike.
    pub(crate) fn strike_with<T>(
        &self,
        site: Site<'_>,
        takes: impl Fn(&Kind) -> Option<T>,
    ) -> Option<T> {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        for (place, rule) in state.rules.iter_mut().enumerate() {
            let Some(taken) = takes(&rule.kind) else { continue };
            if rule.strikes(site, state.seed, place) {
                let call = rule.call(site);
                if rule.count(site) {
                    remember(&mut state.fired, Some(place), call, &rule.kind, site);
                }
                return Some(taken);
            }
        }
        let chaos = state.chaos.as_mut()?;
        let (kind, call) = chaos.draws(site)?;
        let taken = takes(&kind)?;
        if chaos.count(site) {
            remember(&mut state.fired, None, call, &kind, site);
        }
        Some(taken)
    }

    /// How often all iterators that were out have expired.
    pub(crate) fn expiries(&self) -> u64 {
        if self.is_on() { self.state.lock().expiries } else { 0 }
    }

    /// Tells whether an iterator that was handed out after so many expiries has expired since, which is counted.
    pub(crate) fn expires(&self, site: Site<'_>, seen: u64) -> bool {
        let is_of = |kind: &Kind| *kind == Kind::ExpireIterators;
        if self.strike(site, is_of).is_some() {
            return true;
        }
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let mut has_expired = false;
        for (place, rule) in state.rules.iter_mut().enumerate() {
            let is_expiring = rule.expiry.is_some_and(|expiry| seen < expiry);
            if !is_expiring || rule.has_ended || !rule.covers(site) {
                continue;
            }
            has_expired = true;
            let call = rule.call(site);
            if rule.count(site) {
                remember(&mut state.fired, Some(place), call, &rule.kind, site);
            }
        }
        has_expired
    }

    /// Counts records that were stored, and returns what to reshard to where it is time.
    pub(crate) fn stored(&self, site: Site<'_>, count: u64) -> Option<Target> {
        let mut guard = self.state.lock();
        for rule in guard.rules.iter_mut().filter(|rule| rule.covers(site)) {
            rule.stored += count;
        }
        drop(guard);
        self.strike_with(site, |kind| match kind {
            Kind::Reshard { shards, .. } => Some(shards.map_or(Target::Other, Target::Shards)),
            _ => None,
        })
    }
}

/// How many shards a stream is to have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// Others than it has, nobody said how many.
    Other,
    /// So many.
    Shards(u32),
}

fn remember(fired: &mut Vec<Fired>, rule: Option<usize>, call: u64, kind: &Kind, site: Site<'_>) {
    if fired.len() < FIRED_MAX {
        let (operation, stream, shard) = (site.operation, site.stream.to_owned(), site.shard);
        fired.push(Fired { rule, operation, call, kind: kind.clone(), stream, shard });
    }
}

#[cfg(test)]
mod tests;
