//! What stands in an input line before we type.
//!
//! A text of ours that was left there is sent, if no submit key was ever pressed for it, and else taken back: so none is
//! ever sent twice. A person's draft is left alone: our text waits, and after a while a person is told.
use super::{Mind, looks, typing::SUBMIT};
use crate::model::{
    action::Action,
    delivery::{Delivery, Stage},
    event::EventKind,
    reading::{Draft, Reading},
    state::{Leftover, Life},
};
use std::time::Duration;

/// A draft that keeps a text of ours waiting for so long is told.
const PATIENCE: Duration = Duration::from_secs(60);
/// A text that does not go away is a person's matter after so many tries.
const MAX_ERASES: u32 = 2;

impl Mind<'_> {
    /// Remembers a text whose delivery is over, and which may still stand in the input line.
    pub(super) fn leave(&mut self, d: &Delivery, pressed: bool) {
        if let Some(unit) = self.state.units.get_mut(&d.session) {
            let incarnation = unit.incarnation;
            unit.leftover = Some(Leftover { delivery: d.clone(), incarnation, pressed, erased: 0, rest: None });
        }
    }

    /// Settles the texts that were left in input lines.
    pub(super) fn leftovers(&mut self) {
        let obs = self.obs;
        let found: Vec<(String, Leftover)> = self
            .state
            .units
            .values()
            .filter_map(|u| u.leftover.clone().map(|left| (u.session.clone(), left)))
            .collect();
        for (session, left) in found {
            let unit = self.state.units.get(&session);
            let same = unit.is_some_and(|u| u.incarnation == left.incarnation && u.leftover.is_some());
            if !same {
                self.keep_leftover(&session, None);
            } else if matches!(self.life(&session), Life::Running { .. })
                && let Some(reading) = obs.readings.get(&session)
                && !self.is_typing(&session)
            {
                self.leftover(&session, left, reading);
            }
        }
    }

    fn leftover(&mut self, session: &str, mut left: Leftover, reading: &Reading) {
        let now = self.now.boot;
        let id = left.delivery.id;
        let Some(draft) = reading.draft.as_ref().filter(|d| d.ours == Some(id)) else {
            left.rest = None;
            return self.keep_leftover(session, Some(left));
        };
        if self.obs.store_failing || !self.is_quiet(&left.delivery, reading) {
            return;
        }
        match left.rest {
            Some((screen, at)) if screen == reading.screen => {
                if now.since(at) < looks::REST {
                    return;
                }
            }
            _ => {
                left.rest = Some((reading.screen, now));
                return self.keep_leftover(session, Some(left));
            }
        }
        left.rest = None;
        if !left.pressed {
            let tail = reading.ours.iter().find(|o| o.delivery == id).map_or(0, |o| o.tail);
            let check = self.now.after(SUBMIT);
            let d = Delivery {
                stage: Stage::Submitting { since: now, presses: 1, tail, check, gone: None },
                ..left.delivery
            };
            self.press(&d, reading, now);
            self.state.deliveries.insert(id, d);
            self.keep_leftover(session, None);
        } else if left.erased < MAX_ERASES {
            left.erased += 1;
            let name = self.name_of(session);
            let text = format!("taking #{id} back from the input line of {name}: it was not delivered");
            self.tell(EventKind::Warning, Some(&name), text);
            let (whom, cursor) = (session.to_owned(), Some(reading.cursor));
            self.actions.push(Action::Erase { session: whom, delivery: id, count: draft.chars, cursor });
            self.keep_leftover(session, Some(left));
        }
    }

    fn keep_leftover(&mut self, session: &str, left: Option<Leftover>) {
        if let Some(unit) = self.state.units.get_mut(session)
            && unit.leftover != left
        {
            unit.leftover = left;
        }
    }

    /// Something stands in the input line, and a text of ours waits for it to go.
    pub(super) fn blocked_by(&mut self, d: &Delivery, draft: &Draft) {
        let now = self.now.boot;
        let Some(unit) = self.state.units.get_mut(&d.session) else { return };
        let being_settled =
            unit.leftover.as_ref().is_some_and(|l| draft.ours == Some(l.delivery.id) && l.erased < MAX_ERASES);
        let since = *unit.sight.draft_since.get_or_insert(now);
        if being_settled || now.since(since) < PATIENCE || !unit.alerted.insert("draft".into()) {
            return;
        }
        let (name, session) = (unit.name.clone(), unit.session.clone());
        let text = format!(
            "{name} ({session}) has an unsent text in its input line (`{}`): what is to be typed waits until somebody \
             sends or clears it; `agents attach {name}`",
            draft.text
        );
        self.alert(EventKind::Waiting, Some(&name), text);
    }

    /// Nothing of ours waits for a draft to go.
    pub(super) fn unblocked(&mut self, session: &str) {
        if let Some(unit) = self.state.units.get_mut(session)
            && unit.sight.draft_since.is_some()
        {
            unit.sight.draft_since = None;
            unit.alerted.remove("draft");
        }
    }

    /// Sessions for which no text waits any more.
    pub(super) fn forget_blocks(&mut self) {
        let waits = |s: &str| self.state.deliveries.values().any(|d| d.session == s && !d.stage.is_over());
        let done: Vec<String> = self
            .state
            .units
            .values()
            .filter(|u| u.sight.draft_since.is_some() && !waits(&u.session))
            .map(|u| u.session.clone())
            .collect();
        for session in done {
            self.unblocked(&session);
        }
    }
}
