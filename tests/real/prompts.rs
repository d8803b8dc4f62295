//! Numbered prompts: sent by `agents send`, and counted in the service's own log.
use crate::{
    sandbox::Sandbox,
    service::{Asked, Mode},
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How `prompts/forgotten.md` begins.
const TOLD_AGAIN: &str = "If the last thing you were told is missing in your conversation";

pub struct Prompt {
    /// The agent that it was sent to.
    pub to: String,
    pub mark: String,
    /// The delivery's number; `None`: the request was not even taken.
    pub id: Option<i64>,
    /// What `send` answered.
    pub outcome: String,
}

#[derive(Default)]
pub struct Prompts(Mutex<Vec<Prompt>>);

impl Prompts {
    /// Sends one and does not wait for it. `mark` is in the text, and in no other.
    pub fn ask(&self, sandbox: &Sandbox, to: &str, mark: String, timeout: &str) -> String {
        let text = format!("Do number {} of the list, please. {mark}", self.all().len() + 1);
        let (id, outcome) = sandbox.send_to(to, &text, timeout);
        self.all().push(Prompt { to: to.to_owned(), mark, id, outcome: outcome.clone() });
        outcome
    }

    pub fn all(&self) -> MutexGuard<'_, Vec<Prompt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often a prompt came to the model: once for every time that it was new in a conversation. A CLI that tries a
/// request again says the same again, one after the other; once it was answered it is new no more. What was never answered
/// and left the conversation (Gemini CLI forgets a message whose turn failed) is told again in our own words, which is no
/// second time; anything else is.
pub fn arrivals(log: &[Asked], mark: &str) -> usize {
    let (mut arrived, mut was_new, mut was_answered) = (0, false, false);
    for asked in log.iter().filter(|a| !a.side) {
        let is_new = asked.news.contains(mark);
        if is_new && !was_new {
            let told_again = arrived > 0 && !was_answered && asked.news.contains(TOLD_AGAIN);
            arrived += usize::from(!told_again);
        }
        was_new = is_new;
        was_answered |= is_new && is_good(asked.answer);
    }
    // Twice in one conversation.
    let together = log.iter().map(|a| a.said.matches(mark).count()).max().unwrap_or_default();
    arrived.max(together)
}

/// Some request with this prompt in its conversation got an answer.
pub fn is_answered(log: &[Asked], mark: &str) -> bool {
    log.iter().any(|a| !a.side && is_good(a.answer) && a.said.contains(mark))
}

/// What the model says, for as long as it takes, or has done.
fn is_good(answer: Mode) -> bool {
    matches!(answer, Mode::Say | Mode::Slow | Mode::Tool)
}
