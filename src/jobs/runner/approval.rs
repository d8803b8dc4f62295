//! Between two steps: until somebody says how the job goes on, in the job's own terminal or elsewhere.
use super::{
    keys::Keys,
    pane::Pane,
    tree::{Tree, Verdict},
    typed::{Asked, Line, word},
};
use crate::{
    jobs,
    model::job::{Answer, JobSpec},
    store::jobs::{Answered, Fenced, JobStore},
    world::clock,
};
use std::time::Duration;

/// Between two tries to write while the store cannot be written (a full disk).
const AGAIN: Duration = Duration::from_secs(1);

impl Tree<'_> {
    /// `next`: the step of `spec` that follows the answer. `asked`: the store says already that somebody is asked. The time
    /// until the answer is a person's: the job's own limit stands still. `None`: an end came instead ([`Tree::verdict`]).
    pub fn ask(&mut self, store: &mut JobStore, spec: &JobSpec, next: usize, asked: bool) -> Option<Answer> {
        if !asked {
            self.put(store, next)?;
        }
        let session = self.pane.as_ref().and_then(Pane::session).unwrap_or_default().to_owned();
        let asked = Asked { steps: &spec.steps, next, session: &session };
        // Before anybody is asked: what was typed until then is no answer.
        self.keys = self.pane.as_ref().and_then(Pane::keys);
        self.say(&asked, &Line::default(), "");
        let since = clock::boot();
        let deadline = self.deadline.take();
        let answer = self.answer(store, &asked);
        self.pane.iter().filter(|_| answer.is_some()).for_each(|pane| pane.note(None));
        // As late as can be: what is typed until then reaches no step.
        self.keys = None;
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
    fn answer(&mut self, store: &mut JobStore, asked: &Asked) -> Option<Answer> {
        let mut line = Line::default();
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
            if self.verdict.is_none() {
                self.hear(store, asked, &mut line);
            }
        }
        None
    }

    /// What was typed in the job's terminal. An answer goes the way of every answer: whoever was first counts.
    fn hear(&mut self, store: &mut JobStore, asked: &Asked, line: &mut Line) {
        let Some(typed) = self.keys.as_ref().map(Keys::read) else { return };
        let Ok(typed) = typed else {
            // The terminal goes, which is seen elsewhere, or a process of the job took it.
            self.keys = None;
            return self.say(asked, line, "");
        };
        if typed.is_empty() {
            return;
        }
        let mut refused = String::new();
        for key in typed {
            refused.clear();
            let Some(said) = line.key(key) else { continue };
            match Answer::meant(&said) {
                None if said.trim().is_empty() => {}
                None => refused = format!("`{}` is no answer", word(&said)),
                Some(answer) => match jobs::answer(store, self.id, answer) {
                    Ok(Answered::Given(_)) => return,
                    Ok(other) => refused = why_not(&other),
                    Err(_) => refused = "not written: try again".into(),
                },
            }
        }
        self.say(asked, line, &refused);
    }

    /// Below the terminal; who cannot be heard there is told the command.
    fn say(&self, asked: &Asked, line: &Line, refused: &str) {
        let Some(pane) = &self.pane else { return };
        let note = match &self.keys {
            Some(_) => asked.note(line, refused),
            None => format!("{0} waits: agents jobs approve {0} continue|retry|cancel", self.id),
        };
        pane.note(Some(&note));
    }
}

fn why_not(answered: &Answered) -> String {
    match answered {
        Answered::Given(_) => String::new(),
        Answered::Already(before) => format!("answered: {}", before.word()),
        Answered::NothingToRetry => "nothing has run yet".into(),
        Answered::Not(_) | Answered::Unknown => "it waits no more".into(),
    }
}
