//! What a program takes out of its conversation.
//!
//! When a turn ends with an error, Gemini CLI forgets the message that began it: asked to go on, it knows nothing of it.
//! So it is told again, together with the words that ask it to, and only in case it is missing: an error that came after
//! a tool has run leaves the message where it was, and only the program itself can see which of the two it is.
use super::Mind;
use crate::{
    launch::prompt,
    model::{
        delivery::{Delivery, DeliveryKind},
        state::Taken,
    },
};

/// Of more than so many in a row, the last ones.
const MOST: usize = 5;

impl Mind<'_> {
    /// A text is about to be typed. What came before it was dealt with, unless the program stands at an error or a limit.
    pub(super) fn is_told_more(&mut self, session: &str) {
        let Some(unit) = self.state.units.get_mut(session) else { return };
        if unit.trouble.is_none() && unit.hold.is_none() && unit.account_hold.is_none() {
            unit.said.iter_mut().for_each(|t| t.begun = true);
        }
    }

    /// It arrived.
    pub(super) fn was_said(&mut self, d: &Delivery) {
        if matches!(d.kind, DeliveryKind::GoOn | DeliveryKind::Probe | DeliveryKind::Nudge) || !self.forgets(&d.session)
        {
            return;
        }
        let at = self.now.boot;
        let Some(unit) = self.state.units.get_mut(&d.session) else { return };
        unit.said.retain(|t| !t.begun);
        unit.said.push(Taken { delivery: d.id, text: d.text.clone(), kind: d.kind, at, begun: false });
        let surplus = unit.said.len().saturating_sub(MOST);
        unit.said.drain(..surplus);
    }

    /// `words` ask the program of `session` to go on after an error or a limit.
    pub(super) fn with_forgotten(&self, session: &str, words: String) -> String {
        if !self.forgets(session) {
            return words;
        }
        let said: Vec<&str> =
            self.state.units.get(session).into_iter().flat_map(|u| &u.said).map(|t| t.text.as_str()).collect();
        let again = if said.is_empty() {
            prompt::forgotten_kickoff(&self.policy.state_dir().join(format!("kickoff-{session}.txt")))
        } else {
            prompt::forgotten(&said)
        };
        format!("{words} {again}")
    }

    fn forgets(&self, session: &str) -> bool {
        let started_with = self.state.units.get(session).and_then(|u| u.started_with.as_deref());
        let agent = self.policy.agents.iter().find(|a| a.session == session);
        agent.is_some_and(|a| self.policy.backend_of(a, started_with).reader.forgets_failed)
    }
}
