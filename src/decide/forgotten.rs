//! What a program takes out of its conversation.
//!
//! When a turn ends with an error, Gemini CLI forgets the message that began it: asked to go on, it knows nothing of it.
//! So it is told again, together with the words that ask it to, where the screen shows that its turn came to nothing but
//! an error.
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
        let (Some(unit), Some(reading)) = (self.state.units.get(session), self.obs.readings.get(session)) else {
            return words;
        };
        let failed = |t: &&Taken| reading.ours.iter().any(|o| o.delivery == t.delivery && o.count > 0 && o.failed);
        let said: Vec<&str> = unit.said.iter().filter(failed).map(|t| t.text.as_str()).collect();
        if !said.is_empty() {
            return format!("{words} {}", prompt::forgotten(&said));
        }
        if unit.said.is_empty() && reading.all_failed && self.forgets(session) {
            let file = self.policy.state_dir().join(format!("kickoff-{session}.txt"));
            return format!("{words} {}", prompt::forgotten_kickoff(&file));
        }
        words
    }

    fn forgets(&self, session: &str) -> bool {
        let started_with = self.state.units.get(session).and_then(|u| u.started_with.as_deref());
        let agent = self.policy.agents.iter().find(|a| a.session == session);
        agent.is_some_and(|a| self.policy.backend_of(a, started_with).reader.forgets_failed)
    }
}
