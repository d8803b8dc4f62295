//! What becomes of a text that arrived: its program is seen to go to work on it, or is told to have ended before.
//!
//! A CLI that is given a second text before it has begun with the first keeps it in a queue that dies with it; one that is
//! ended right after it took a text may never have sent it.
use super::Mind;
use crate::model::{
    delivery::{Delivery, DeliveryKind},
    event::EventKind,
    state::Taken,
    time::Boot,
};
use std::time::Duration;

/// A program that shows its work has begun it within this.
const BEGINS: Duration = Duration::from_secs(10);
/// Between the looks at that.
const LOOK: Duration = Duration::from_secs(1);
/// One that rests for so long had its turn between two looks.
const SHORT_TURN: Duration = Duration::from_secs(60);

impl Mind<'_> {
    /// It has the text, and nothing is known of what it does with it.
    pub(super) fn took(&mut self, d: &Delivery) {
        let (at, look) = (self.now.boot, self.now.after(LOOK));
        self.wake_by(look);
        if let Some(unit) = self.state.units.get_mut(&d.session) {
            // It rested for so long, and takes the next one: it is done with them.
            unit.taken.retain(|t| at.since(t.at) < BEGINS);
            unit.taken.push(Taken { delivery: d.id, kind: d.kind, at, look, begun: false });
        }
    }

    /// Looks at what the programs do with what they took.
    pub(super) fn uptakes(&mut self) {
        let (obs, now) = (self.obs, self.now.boot);
        let sessions = self.state.units.values().filter(|u| !u.taken.is_empty()).map(|u| u.session.clone());
        for session in sessions.collect::<Vec<_>>() {
            let Some(reading) = obs.readings.get(&session) else { continue };
            let next = self.state.units[&session].taken.iter().find(|t| !t.begun).map(|t| t.at);
            let works = reading.active.is_some() || next.is_some_and(|at| self.worked_since(&session, at).is_some());
            let rests = reading.waiting.is_none() && !reading.blank && !reading.unknown;
            let Some(unit) = self.state.units.get_mut(&session) else { continue };
            for t in unit.taken.iter_mut().filter(|t| t.look <= now) {
                t.look = if now.since(t.at) < BEGINS { now.after(LOOK) } else { Boot(u64::MAX) };
            }
            if works {
                // The next one it keeps back until this turn is over.
                if unit.taken.iter().all(|t| !t.begun) {
                    unit.taken[0].begun = true;
                }
            } else if rests && unit.taken.iter().any(|t| t.begun) {
                unit.taken.clear();
            } else if rests {
                unit.taken.retain(|t| now.since(t.at) < SHORT_TURN);
            }
        }
    }

    /// It took a text a moment ago and was not seen to begin: another one, or the end of the program, can wait. Only of a
    /// program whose work we know when we see it.
    pub(super) fn is_taking_up(&self, session: &str) -> bool {
        let Some(unit) = self.state.units.get(session) else { return false };
        let fresh =
            unit.taken.iter().all(|t| !t.begun) && unit.taken.iter().any(|t| self.now.boot.since(t.at) < BEGINS);
        fresh && self.shows_work(session, unit.started_with.as_deref())
    }

    fn shows_work(&self, session: &str, started_with: Option<&str>) -> bool {
        let agent = self.policy.agents.iter().find(|a| a.session == session);
        agent.is_some_and(|a| self.policy.backend_of(a, started_with).reader.preset.is_some())
    }

    /// It ended, and nobody wanted that: a text that it was not seen to begin with may be lost.
    pub(super) fn lost_with(&mut self, session: &str, how: &str) {
        let Some(unit) = self.state.units.get_mut(session) else { return };
        let (name, taken) = (unit.name.clone(), std::mem::take(&mut unit.taken));
        for t in taken.iter().filter(|t| !t.begun && is_said_once(t.kind)) {
            let kind = t.kind.word();
            let text = format!(
                "{kind} #{} to {name}: unknown whether it was read: {how} before it was seen to begin",
                t.delivery
            );
            let data = serde_json::json!({ "delivery": t.delivery, "kind": kind });
            self.tell_with(EventKind::Unknown, Some(&name), text, data, true);
        }
    }
}

/// Nobody says it again by himself.
fn is_said_once(kind: DeliveryKind) -> bool {
    matches!(kind, DeliveryKind::Claim | DeliveryKind::Review | DeliveryKind::Inbox | DeliveryKind::Send)
}
