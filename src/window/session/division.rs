//! Sessions of several operators, each of which took a run of the rows in: joined where runs meet, and dealt out by time.

use std::mem;

use crate::window::session::Session;
use crate::window::session::Sessions;
use crate::window::slot::Ledger;

/// Sessions taken out of those of an operator, with their codes; their states still stand in its slots.
#[derive(Debug)]
pub(crate) struct Handed(Vec<(u32, Session)>);

impl Handed {
    pub(crate) fn codes(&self) -> Vec<u32> {
        self.0.iter().map(|(code, _)| *code).collect()
    }
}

impl Sessions {
    /// Takes note that no rows come any more: all sessions stand in one list, which others take from and add to.
    pub(crate) fn take_no_more(&mut self) {
        let mut listed = mem::take(&mut self.unlisted);
        for (code, sessions) in (0..).zip(mem::take(&mut self.earlier)) {
            listed.extend(sessions.into_iter().map(|session| (code, session)));
        }
        let latest = (0..).zip(mem::take(&mut self.latest));
        let latest = latest.map(|(code, latest)| (code, latest.session));
        listed.extend(latest.filter(|(_, session)| session.is_there()));
        self.unlisted = listed;
    }

    /// When the first session starts.
    pub(crate) fn earliest(&self) -> Option<i64> {
        self.unlisted.iter().map(|(_, session)| session.first).min()
    }

    /// Takes out the sessions that rows from `cut` on may go on with.
    pub(crate) fn take_past(&mut self, cut: i64) -> Handed {
        let gap = self.gap;
        Handed(self.unlisted.extract_if(.., |(_, session)| cut < session.last + gap).collect())
    }

    /// Takes out the sessions that start before `cut`.
    pub(crate) fn take_before(&mut self, cut: i64) -> Handed {
        Handed(self.unlisted.extract_if(.., |(_, session)| session.first < cut).collect())
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
        for (code, session) in &handed.0 {
            let code = codes[*code as usize];
            let slot = ledger.take(code);
            self.unlisted.push((code, Session { slot, ..*session }));
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
        let reach = handed.0.iter().map(|(_, session)| session.last + self.gap).max();
        let Some(reach) = reach else { return };
        self.take_over(handed, codes, ledger, from);
        let Handed(mut near) = self.take_before(reach);
        near.sort_unstable_by_key(|(code, session)| (*code, session.first));
        let mut joined: Vec<(u32, Session)> = Vec::with_capacity(near.len());
        for (code, session) in near {
            match joined.last_mut() {
                Some((same, before)) if *same == code && session.first < before.last + self.gap => {
                    before.last = before.last.max(session.last);
                    self.merges.slots.push(before.slot);
                    self.merges.from_slots.push(session.slot);
                }
                _ => joined.push((code, session)),
            }
        }
        self.unlisted.append(&mut joined);
        self.do_merges(ledger);
    }
}
