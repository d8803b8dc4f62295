//! What becomes of a text that arrived: its program is seen to go to work on it, or is told to have ended before.
//!
//! A CLI that is given a second text before it has begun with the first keeps it in a queue that dies with it; one that is
//! ended right after it took a text may never have sent it.
use super::Mind;
use crate::model::{
    delivery::{Delivery, DeliveryKind},
    event::EventKind,
    state::{Taken, UnitState},
    time::{Boot, Now},
};
use std::time::Duration;

/// A program that shows its work has begun it within this.
const BEGINS: Duration = Duration::from_secs(10);
/// Between the looks at that.
pub(super) const LOOK: Duration = Duration::from_secs(1);
/// One that rests for so long had its turn between two looks.
const SHORT_TURN: Duration = Duration::from_secs(60);

impl Mind<'_> {
    /// It has the text, and nothing is known of what it does with it.
    pub(super) fn took(&mut self, d: &Delivery) {
        self.was_said(d);
        let at = self.now.boot;
        if let Some(unit) = self.state.units.get_mut(&d.session) {
            // It rested for so long, and takes the next one: it is done with them.
            unit.taken.retain(|t| at.since(t.at) < BEGINS);
            let text = d.text.clone();
            unit.taken.push(Taken { delivery: d.id, text, kind: d.kind, at, begun: false });
        }
    }

    /// Looks at what the programs do with what they took.
    pub(super) fn uptakes(&mut self) {
        let (obs, now) = (self.obs, self.now.boot);
        let sessions = self.state.units.values().filter(|u| !u.taken.is_empty()).map(|u| u.session.clone());
        for session in sessions.collect::<Vec<_>>() {
            let Some(reading) = obs.readings.get(&session) else { continue };
            let next = self.state.units[&session].taken.iter().find(|t| !t.begun);
            let is_answered = |t: &&Taken| {
                let shown = reading.ours.iter().find(|o| o.delivery == t.delivery && o.count > 0);
                shown.is_some_and(|o| o.answered) || self.worked_since(&session, t.at).is_some()
            };
            // Its turn was shorter than the time between two looks.
            let answered = next.filter(is_answered).is_some();
            let works = reading.active.is_some();
            let asks = reading.waiting.is_some();
            let rests = !asks && !reading.blank && !reading.unknown;
            let Some(unit) = self.state.units.get_mut(&session) else { continue };
            // The next one it keeps back until this turn is over.
            if (works || asks || answered) && unit.taken.iter().all(|t| !t.begun) {
                unit.taken[0].begun = true;
            }
            let is_over = rests && !works && unit.taken.iter().any(|t| t.begun);
            unit.taken.retain(|t| !is_over && (!rests || works || now.since(t.at) < SHORT_TURN));
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

/// The next look at a program that has taken a text and is not known to have begun: not remembered, so that a look that
/// shows nothing new changes nothing.
pub(super) fn next_look(unit: &UnitState, now: Now) -> Option<Boot> {
    let taken = unit.taken.iter().find(|t| !t.begun)?;
    (now.boot.since(taken.at) < BEGINS).then(|| taken.at.after(LOOK).max(now.boot))
}

/// Nobody says it again by himself.
fn is_said_once(kind: DeliveryKind) -> bool {
    matches!(kind, DeliveryKind::Claim | DeliveryKind::Review | DeliveryKind::Inbox | DeliveryKind::Send)
}
