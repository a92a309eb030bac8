//! Sessions of several operators, each of which took a run of the rows in: joined where runs meet, and dealt out by time.

use std::mem;

use crate::window::session::Session;
use crate::window::session::Sessions;
use crate::window::slot::Ledger;

/// Sessions taken out of those of an operator; their states still stand in its slots.
#[derive(Debug)]
pub(crate) struct Handed(Vec<Session>);

impl Handed {
    pub(crate) fn codes(&self, ledger: &Ledger) -> Vec<u32> {
        self.0.iter().map(|session| ledger.code(session.slot)).collect()
    }
}

impl Sessions {
    /// Takes note that no rows come any more: all sessions stand in one list, which others take from and add to.
    pub(crate) fn take_no_more(&mut self) {
        let mut listed = mem::take(&mut self.unlisted);
        listed.retain(Session::is_there);
        let latest = mem::take(&mut self.latest).into_iter().map(|latest| latest.session);
        listed.extend(latest.filter(Session::is_there));
        listed.extend(mem::take(&mut self.earlier).into_iter().flatten());
        self.places_before.clear();
        self.unlisted = listed;
    }

    /// When the first session starts.
    pub(crate) fn earliest(&self) -> Option<i64> {
        self.unlisted.iter().map(|session| session.first).min()
    }

    /// Takes out the sessions that rows from `cut` on may go on with.
    pub(crate) fn take_past(&mut self, cut: i64) -> Handed {
        let gap = self.gap;
        Handed(self.unlisted.extract_if(.., |session| cut < session.last + gap).collect())
    }

    /// Takes out the sessions that start before `cut`.
    pub(crate) fn take_before(&mut self, cut: i64) -> Handed {
        Handed(self.unlisted.extract_if(.., |session| session.first < cut).collect())
    }

    /// Takes in whole sessions of others; `codes` says which code of ours each of theirs is.
    pub(crate) fn take_over(
        &mut self,
        handed: &Handed,
        codes: &[u32],
        ledger: &mut Ledger,
        from: &Ledger,
    ) {
        let (mut slots, mut from_slots) = (Vec::new(), Vec::new());
        for session in &handed.0 {
            let slot = ledger.take(codes[from.code(session.slot) as usize]);
            self.unlisted.push(Session { slot, ..*session });
            slots.push(slot);
            from_slots.push(session.slot);
        }
        ledger.merge(&slots, from, &from_slots);
    }

    /// The same for sessions that may go on in ours, or between them.
    pub(crate) fn join(
        &mut self,
        handed: &Handed,
        codes: &[u32],
        ledger: &mut Ledger,
        from: &Ledger,
    ) {
        let reach = handed.0.iter().map(|session| session.last + self.gap).max();
        let Some(reach) = reach else { return };
        self.take_over(handed, codes, ledger, from);
        let Handed(near) = self.take_before(reach);
        let mut near: Vec<(u32, Session)> =
            near.into_iter().map(|session| (ledger.code(session.slot), session)).collect();
        near.sort_unstable_by_key(|(code, session)| (*code, session.first));
        for of_code in near.chunk_by(|a, b| a.0 == b.0) {
            let mut joined = of_code[0].1;
            for (_, session) in &of_code[1..] {
                if session.first < joined.last + self.gap {
                    joined.last = joined.last.max(session.last);
                    self.merges.slots.push(joined.slot);
                    self.merges.from_slots.push(session.slot);
                } else {
                    self.unlisted.push(mem::replace(&mut joined, *session));
                }
            }
            self.unlisted.push(joined);
        }
        self.do_merges(ledger);
    }
}
