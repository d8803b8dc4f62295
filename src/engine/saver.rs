//! What was decided goes to the store before it is done. While the store cannot be written, everything that is due is
//! kept, and saved whole once it can be.
use super::memory;
use crate::{
    model::state::State,
    store::{Changes, Claim, Durability, Store, StoreError, sqlite},
};
use std::path::PathBuf;

/// The resource under which the engine claims the store.
pub const RESOURCE: &str = "engine";
/// Events kept for a store that cannot be written.
const MAX_BACKLOG: usize = 1000;

pub struct Saver {
    pub store: Box<dyn Store>,
    pub claim: Claim,
    db: PathBuf,
    failing: bool,
    /// What could not be saved and is not part of the state any more: answers, texts that are over, forgotten units.
    backlog: Changes,
    notices: Vec<String>,
}

/// What became of a save.
#[derive(Debug, PartialEq, Eq)]
pub enum Saved {
    Yes,
    /// For the first time after failures.
    Again,
    /// Failed for the first time, with the reason.
    NotYet(String),
    StillNot,
}

impl Saver {
    pub fn new(store: Box<dyn Store>, claim: Claim, db: PathBuf) -> Saver {
        Saver { store, claim, db, failing: false, backlog: Changes::default(), notices: Vec::new() }
    }

    /// For a file that knows nothing yet: the whole state is due.
    pub fn for_new_file(store: Box<dyn Store>, claim: Claim, db: PathBuf) -> Saver {
        Saver { failing: true, ..Saver::new(store, claim, db) }
    }

    /// Nothing may be typed or ended meanwhile (G24).
    pub fn is_failing(&self) -> bool {
        self.failing
    }

    /// An answer was given that is not on disk yet: its request still stands there.
    pub fn has_answered(&self, request: i64) -> bool {
        self.backlog.answers.iter().any(|(id, _)| *id == request)
    }

    /// Things to be told, once.
    pub fn notices(&mut self) -> Vec<String> {
        let mut all = std::mem::take(&mut self.notices);
        all.extend(self.store.notices());
        all
    }

    /// All of `changes`, which lead to `state`. `urgent`: they must have reached the disk before this returns. The
    /// error is one with which nobody may go on: another supervisor took over, or the file is a newer program's.
    pub fn save(&mut self, changes: &Changes, urgent: bool, state: &State) -> Result<Saved, StoreError> {
        let whole;
        let changes = if self.failing {
            whole = self.everything(changes, state);
            &whole
        } else {
            changes
        };
        if changes.is_empty() {
            return Ok(if self.failing { Saved::StillNot } else { Saved::Yes });
        }
        let durability = if urgent { Durability::Full } else { Durability::Normal };
        match self.store.save(&self.claim, changes, durability) {
            Ok(()) => {
                self.backlog = Changes::default();
                Ok(if std::mem::take(&mut self.failing) { Saved::Again } else { Saved::Yes })
            }
            Err(e @ (StoreError::Fenced { .. } | StoreError::Newer { .. })) => Err(e),
            Err(e) => {
                if matches!(e, StoreError::Corrupt { .. }) {
                    self.reopen();
                }
                self.backlog = changes.clone();
                self.backlog.deliveries.retain(|d| d.stage.is_over());
                let excess = self.backlog.events.len().saturating_sub(MAX_BACKLOG);
                self.backlog.events.drain(..excess);
                let first = !std::mem::replace(&mut self.failing, true);
                Ok(if first { Saved::NotYet(e.to_string()) } else { Saved::StillNot })
            }
        }
    }

    /// After a failure the whole state is due, not only what changed since, and what was kept beside it.
    fn everything(&mut self, changes: &Changes, state: &State) -> Changes {
        let old = std::mem::take(&mut self.backlog);
        let mut all = memory::changes(&State::default(), state);
        all.events = old.events.into_iter().chain(changes.events.clone()).collect();
        all.answers = old.answers.into_iter().chain(changes.answers.clone()).collect();
        all.deliveries.extend(old.deliveries.into_iter().filter(|d| !state.deliveries.contains_key(&d.id)));
        all.removed_units = old.removed_units.into_iter().chain(changes.removed_units.clone()).collect();
        all.removed_units.retain(|s| !state.units.contains_key(s));
        all
    }

    /// A damaged file is replaced by its backup when it is opened anew; what we remember is then saved whole.
    fn reopen(&mut self) {
        if let Ok(mut opened) = sqlite::open(&self.db)
            && let Ok(claim) = opened.store.claim(RESOURCE, &self.claim.owner)
        {
            self.claim = claim;
            self.store = Box::new(opened.store);
            self.notices.extend(opened.notice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            delivery::{Delivery, DeliveryKind, Stage},
            request::Answer,
            time::{Boot, Wall},
        },
        store::memory::MemoryStore,
    };

    #[test]
    fn what_could_not_be_saved_is_saved_once_it_can_be() {
        let mut store = MemoryStore::new();
        let claim = store.claim(RESOURCE, "me").unwrap();
        let mut saver = Saver::new(Box::new(store.clone()), claim, PathBuf::new());
        let id = store.ask(&crate::model::request::Verb::Pause { names: vec![] }, Wall(1)).unwrap();
        store.set_full(true);
        let over = Delivery {
            id: 7,
            session: "p-a".into(),
            kind: DeliveryKind::Send,
            text: "x".into(),
            submit_key: "Enter".into(),
            created: Wall(0),
            incarnation: None,
            not_before: Boot(0),
            stage: Stage::Delivered { at: Wall(2) },
        };
        let answer = Answer::Ignored { text: "x".into() };
        let changes = Changes { deliveries: vec![over], answers: vec![(id, answer)], ..Changes::default() };
        assert!(matches!(saver.save(&changes, true, &State::default()), Ok(Saved::NotYet(_))));
        assert!(saver.is_failing() && saver.has_answered(id));
        assert_eq!(saver.save(&Changes::default(), true, &State::default()).unwrap(), Saved::StillNot);
        assert!(saver.has_answered(id), "kept over a second failure");
        store.set_full(false);
        assert_eq!(saver.save(&Changes::default(), true, &State::default()).unwrap(), Saved::Again);
        assert!(store.requests().unwrap().is_empty());
        assert!(store.delivery(7).unwrap().unwrap().stage.is_over());
    }
}
