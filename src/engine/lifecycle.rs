//! What a stream or consumer is at: being made, there, changing, going; states end when the engine's clock says so.

use serde::Deserialize;
use serde::Serialize;

use crate::clock::Millis;

/// What a stream is at.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Status {
    /// There, and nothing is under way.
    Active,
    /// Being made.
    Creating,
    /// Going.
    Deleting,
    /// There, and a change is under way.
    Updating,
}

impl Status {
    /// Returns the service's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Creating => "CREATING",
            Self::Deleting => "DELETING",
            Self::Updating => "UPDATING",
        }
    }
}

/// How long streams take for what the service takes its time for; nothing unless told otherwise.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Durations {
    /// From `CREATING` to `ACTIVE`.
    pub create_ms: i64,
    /// From `DELETING` to gone.
    pub delete_ms: i64,
    /// From `UPDATING` to `ACTIVE`.
    pub update_ms: i64,
}

/// A status and when it ends.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Lifecycle<C> {
    status: Status,
    /// When the status ends, and what is done then.
    due: Option<(Millis, Option<C>)>,
}

impl<C> Lifecycle<C> {
    /// Begins with being made for so long.
    pub(crate) fn creating(now: Millis, create_ms: i64) -> Self {
        let status = if 0 < create_ms { Status::Creating } else { Status::Active };
        Self { status, due: (0 < create_ms).then(|| (now.plus(create_ms), None)) }
    }

    pub(crate) fn status(&self) -> Status {
        self.status
    }

    /// When the status ends, if it does.
    pub(crate) fn due(&self) -> Option<Millis> {
        self.due.as_ref().map(|(due, _)| *due)
    }

    /// Begins a change, which is made when it ends; one that takes no time is handed back to be made at once.
    pub(crate) fn begin(&mut self, now: Millis, update_ms: i64, change: Option<C>) -> Option<C> {
        if update_ms <= 0 {
            return change;
        }
        self.status = Status::Updating;
        self.due = Some((now.plus(update_ms), change));
        None
    }

    /// Begins to go; tells whether it is gone at once.
    pub(crate) fn delete(&mut self, now: Millis, delete_ms: i64) -> bool {
        if self.status != Status::Deleting {
            self.status = Status::Deleting;
            self.due = Some((now.plus(delete_ms), None));
        }
        self.is_gone(now)
    }

    /// Whether it has gone.
    pub(crate) fn is_gone(&self, now: Millis) -> bool {
        self.status == Status::Deleting && self.due().is_some_and(|due| due <= now)
    }

    /// Ends a status that is over, and answers when it ended and what is to be done then.
    pub(crate) fn settle(&mut self, now: Millis) -> Option<(Millis, Option<C>)> {
        if self.status == Status::Deleting || self.due().is_none_or(|due| now < due) {
            return None;
        }
        self.status = Status::Active;
        self.due.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_lasts_as_long_as_it_was_told_to() {
        let mut life = Lifecycle::<&str>::creating(Millis(0), 500);
        assert_eq!((life.status(), life.settle(Millis(499))), (Status::Creating, None));
        assert_eq!(life.settle(Millis(500)), Some((Millis(500), None)));
        assert_eq!(life.status(), Status::Active);
        assert_eq!(life.begin(Millis(600), 100, Some("split")), None);
        assert_eq!((life.status(), life.due()), (Status::Updating, Some(Millis(700))));
        assert_eq!(life.settle(Millis(9_000)), Some((Millis(700), Some("split"))));
        assert!(!life.delete(Millis(9_000), 50));
        assert!(!life.delete(Millis(9_040), 50), "what goes already goes when it was said first");
        assert!(!life.is_gone(Millis(9_049)) && life.is_gone(Millis(9_050)));
        assert_eq!(life.settle(Millis(9_050)), None);
    }

    #[test]
    fn what_takes_no_time_is_done_at_once() {
        let mut life = Lifecycle::creating(Millis(0), 0);
        assert_eq!(life.status(), Status::Active);
        assert_eq!(life.begin(Millis(0), 0, Some("merge")), Some("merge"));
        assert_eq!(life.status(), Status::Active);
        assert!(life.delete(Millis(0), 0));
    }
}
