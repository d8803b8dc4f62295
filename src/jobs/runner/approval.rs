//! Between two steps: until somebody says how the job goes on.
use super::tree::{Tree, Verdict};
use crate::{
    model::job::Answer,
    store::jobs::{Fenced, JobStore},
    world::clock,
};
use std::time::Duration;

/// Between two tries to write while the store cannot be written (a full disk).
const AGAIN: Duration = Duration::from_secs(1);

impl Tree<'_> {
    /// `next`: the step that follows the answer. `asked`: the store says already that somebody is asked. The time until
    /// the answer is a person's: the job's own limit stands still. `None`: an end came instead ([`Tree::verdict`]).
    pub fn ask(&mut self, store: &mut JobStore, next: usize, asked: bool) -> Option<Answer> {
        if !asked {
            self.put(store, next)?;
        }
        let note = format!("{0} waits: agents jobs approve {0} continue|retry|cancel", self.id);
        self.pane.iter().for_each(|pane| pane.note(Some(&note)));
        let since = clock::boot();
        let deadline = self.deadline.take();
        let answer = self.answer(store);
        self.pane.iter().filter(|_| answer.is_some()).for_each(|pane| pane.note(None));
        self.deadline = deadline.map(|deadline| deadline.after(clock::boot().since(since)));
        answer
    }

    /// Without the question in the store nobody could answer, and nothing goes on unasked.
    fn put(&mut self, store: &mut JobStore, next: usize) -> Option<()> {
        loop {
            match store.ask(self.id, self.epoch, next) {
                Ok(Fenced::Held(())) => return Some(()),
                Ok(Fenced::Over) => self.verdict = Some(Verdict::Cancelled),
                Err(_) => {}
            }
            if !self.pause(store, clock::boot().after(AGAIN)) {
                return None;
            }
        }
    }

    /// Looks, then listens: an answer that is written in between is heard.
    fn answer(&mut self, store: &mut JobStore) -> Option<Answer> {
        while self.verdict.is_none() {
            let until = match store.take_answer(self.id, self.epoch) {
                // An end was asked for, or the job is not ours any more.
                Ok(Fenced::Held(Some(Answer::Cancel)) | Fenced::Over) => {
                    self.verdict = Some(Verdict::Cancelled);
                    break;
                }
                Ok(Fenced::Held(Some(answer))) => return Some(answer),
                Ok(Fenced::Held(None)) => None,
                Err(_) => Some(clock::boot().after(AGAIN)),
            };
            self.reap(0);
            self.listen(store, until);
        }
        None
    }
}
