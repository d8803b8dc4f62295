//! All typing goes through here: one text at a time into a pane that is ready for it, seen before it is submitted,
//! submitted until the screen proves it, and never twice when nobody can tell.
use super::{Mind, arrivals::AFTER_ALL, looks};
use crate::model::{
    action::Action,
    delivery::{Delivery, DeliveryKind, Stage},
    event::EventKind,
    reading::{OursSeen, Reading},
    state::{AccountHold, Life},
    time::Boot,
};
use std::time::Duration;

/// A pane that is not free is looked at again after this.
const RECHECK: Duration = Duration::from_secs(1);
/// Between typing and the submit key: a key that comes at once is taken for part of a paste.
const BEFORE_SUBMIT: Duration = Duration::from_millis(500);
/// A typed text must show within this; on a busy machine it can take a CLI as long.
const SHOW: Duration = Duration::from_secs(15);
/// A text that is shown in some way we do not know to be whole is given so long to come to rest.
const ECHO: Duration = Duration::from_secs(2);
/// After a submit key, the screen must have changed within this; after the next one within twice the time.
pub(super) const SUBMIT: Duration = Duration::from_millis(1200);
const MAX_PRESSES: u32 = 3;
/// A cursor that moves for so long moves always.
const RESTLESS: Duration = Duration::from_secs(10);
/// A program that has not read what was typed is waited for this long.
const UNREAD: Duration = Duration::from_secs(300);
/// A screen that never rests (a clock, a spinner nobody described) is typed to after this.
const UNREST: Duration = Duration::from_secs(30);
/// A program that has drawn nothing yet is given this long. The first message of a ping agent waited for its
/// `connect_delay` already; a CLI that comes back with a long conversation can be blank for half a minute, on a busy
/// machine for more than one, and what is typed then is echoed by the terminal and lost.
const BLANK_KICKOFF: Duration = Duration::from_secs(3);
const BLANK: Duration = Duration::from_secs(180);

impl Mind<'_> {
    pub(super) fn deliveries(&mut self) {
        self.arrivals();
        self.uptakes();
        self.leftovers();
        let heads: Vec<Delivery> = looks::heads(&self.state).cloned().collect();
        for mut delivery in heads {
            let before = delivery.stage.clone();
            self.deliver(&mut delivery);
            if delivery.stage != before {
                self.finished(&delivery, "");
                self.state.deliveries.insert(delivery.id, delivery);
            }
        }
        self.forget_blocks();
        self.forget_over();
    }

    fn deliver(&mut self, d: &mut Delivery) {
        let Some(unit) = self.state.units.get(&d.session) else { return };
        if d.incarnation.is_some_and(|i| i != unit.incarnation) {
            return self.undeliver(d, "the program it was meant for is gone");
        }
        if !matches!(unit.life, Life::Running { .. }) {
            return;
        }
        let obs = self.obs;
        let Some(reading) = obs.readings.get(&d.session) else { return };
        let seen = reading.ours.iter().find(|o| o.delivery == d.id);
        match d.stage.clone() {
            Stage::Queued { rest, free_since, look } => {
                if self.now.boot >= look.max(d.not_before) {
                    self.queued(d, reading, seen, rest, free_since);
                }
            }
            Stage::Typing { .. } => self.typing(d, reading, seen),
            Stage::Submitting { .. } => self.submitting(d, reading, seen),
            _ => {}
        }
    }

    fn queued(
        &mut self,
        d: &mut Delivery,
        reading: &Reading,
        seen: Option<&OursSeen>,
        rest: Option<(u64, Boot)>,
        free_since: Option<Boot>,
    ) {
        let now = self.now.boot;
        self.scrolled(d);
        if self.obs.store_failing || !self.is_quiet(d, reading) || self.is_taking_up(&d.session) {
            d.stage = Stage::Queued { rest: None, free_since: None, look: now.after(RECHECK) };
            return self.wake_by(now.after(RECHECK));
        }
        if let Some(draft) = &reading.draft {
            self.blocked_by(d, draft);
            d.stage = Stage::Queued { rest: None, free_since: None, look: now.after(RECHECK) };
            return self.wake_by(now.after(RECHECK));
        }
        self.unblocked(&d.session);
        let since = free_since.unwrap_or(now);
        let rested = rest.is_some_and(|(screen, at)| screen == reading.screen && now.since(at) >= looks::REST);
        let blank = if d.kind == DeliveryKind::Kickoff { BLANK_KICKOFF } else { BLANK };
        let drawn = !reading.blank || now.since(since) >= blank;
        if (rested && drawn) || (!reading.blank && now.since(since) >= UNREST) {
            let check = now.after(BEFORE_SUBMIT);
            let before = seen.map_or(0, |s| s.count);
            // It may have waited through a restart with another backend.
            if let Some(spec) = self.spec(&d.session).filter(|_| d.incarnation.is_none()) {
                d.submit_key = self.submit_key(spec);
            }
            d.stage = Stage::Typing { since: now, check, until: now.after(SHOW), before, tail: None };
            self.is_told_more(&d.session);
            let (session, text) = (d.session.clone(), d.text.clone());
            let cursor = rested.then_some(reading.cursor);
            self.actions.push(Action::Type { session, delivery: d.id, text, cursor });
            return self.wake_by(check);
        }
        let look = now.after(looks::SECOND_LOOK);
        let rest = match rest {
            Some((screen, at)) if screen == reading.screen => Some((screen, at)),
            _ => Some((reading.screen, now)),
        };
        d.stage = Stage::Queued { rest, free_since: Some(since), look };
        self.wake_by(look);
    }

    /// Nothing is typed into a pane that is busy, limited or asking; only the limit probe goes to a limited one.
    pub(super) fn is_quiet(&self, d: &Delivery, reading: &Reading) -> bool {
        let Some(pane) = self.obs.panes.get(&d.session) else { return false };
        let real = |e: &Option<crate::model::reading::Evidence>| e.as_ref().is_some_and(|e| !e.quoted);
        let limited = real(&reading.limit) && reading.active.is_none();
        let by_account = |h: &AccountHold| h.until > self.now.boot;
        let unit = self.state.units.get(&d.session);
        let held = unit.is_some_and(|u| u.hold.is_some() || u.account_hold.as_ref().is_some_and(by_account));
        let may_be_limited = d.kind == DeliveryKind::Probe;
        // It would only be answered by the error that stands there. A person may say what they like, and a program that
        // has not heard its first message has to.
        let may_fail =
            matches!(d.kind, DeliveryKind::GoOn | DeliveryKind::Send | DeliveryKind::Kickoff) || may_be_limited;
        !pane.dead
            && !pane.in_mode
            && !pane.input_off
            && reading.active.is_none()
            && reading.waiting.is_none()
            && !reading.unknown
            && self.has_begun(&d.session)
            && (may_be_limited || !(limited || held))
            && (may_fail || !self.is_troubled(&d.session))
    }

    fn typing(&mut self, d: &mut Delivery, reading: &Reading, seen: Option<&OursSeen>) {
        let Stage::Typing { since, check, until, before, tail } = d.stage else { return };
        let now = self.now.boot;
        if now < check {
            return self.wake_by(check);
        }
        let shown = seen.filter(|s| s.count > before || (s.count > 0 && s.at_cursor));
        let whole = reading.draft.as_ref().is_some_and(|draft| draft.ours == Some(d.id));
        let partial = reading.draft.as_ref().is_some_and(|draft| draft.begins == Some(d.id));
        let stage = |until, tail| move |check| Stage::Typing { since, check, until, before, tail };
        match shown {
            // Nothing is lost while it has not read it.
            _ if self.is_unread(&d.session, since) => self.again(d, RECHECK, stage(now.after(SHOW), None)),
            Some(_) if self.is_shut(&d.session) => self.again(d, RECHECK, stage(now.after(SHOW), None)),
            // A dialog came up while we typed: no key until somebody has answered it.
            Some(_) if reading.waiting.is_some() => {
                self.again(d, RECHECK, stage(if now < until { until } else { now.after(SHOW) }, None))
            }
            // A key now would come in the middle of it.
            Some(_) if partial && now < until => self.again(d, looks::SECOND_LOOK, stage(until, None)),
            Some(_) if partial => self.never_shown(d, "only its beginning showed on the screen"),
            Some(s) if !whole && tail != Some(s.tail) && now < since.after(ECHO) => {
                self.again(d, looks::SECOND_LOOK, stage(until, Some(s.tail)))
            }
            Some(s) => {
                let check = now.after(SUBMIT);
                d.stage = Stage::Submitting { since: now, presses: 1, tail: s.tail, check, gone: None };
                self.press(d, reading, since);
                self.wake_by(check);
            }
            None if now < until => self.again(d, looks::SECOND_LOOK, stage(until, None)),
            None => self.never_shown(d, "it never showed on the screen"),
        }
    }

    fn never_shown(&mut self, d: &mut Delivery, what: &str) {
        let reason = format!("{what} after it was typed; the submit key was not pressed");
        d.stage = Stage::Unknown { at: self.now.wall, reason };
        self.leave(d, false);
    }

    fn submitting(&mut self, d: &mut Delivery, reading: &Reading, seen: Option<&OursSeen>) {
        let Stage::Submitting { since, presses, tail, check, gone } = d.stage else { return };
        let now = self.now.boot;
        let stage = |presses, check, gone| Stage::Submitting { since, presses, tail, check, gone };
        // Unread, it is busy. A second key would be read with the first: then Gemini CLI submits twice.
        if self.is_shut(&d.session) || self.is_unread(&d.session, since) {
            return self.again(d, RECHECK, |check| stage(presses, check, None));
        }
        let draft = reading.draft.as_ref();
        let whole = draft.is_some_and(|draft| draft.ours == Some(d.id));
        // Once it was gone, a beginning of it is what a person types.
        let partial = gone.is_none() && draft.is_some_and(|draft| draft.begins == Some(d.id));
        let unchanged = whole || partial || seen.is_some_and(|s| s.count > 0 && s.tail == tail);
        if !unchanged {
            let first = gone.unwrap_or(now);
            if gone.is_none() || now.since(first) < looks::REST {
                d.stage = stage(presses, check, Some(first));
                return self.wake_by(first.after(looks::SECOND_LOOK));
            }
            d.stage = Stage::Delivered { at: self.now.wall };
            if let Some(unit) = self.state.units.get_mut(&d.session) {
                unit.leftover = None;
            }
        } else if now < check {
            d.stage = stage(presses, check, None);
            self.wake_by(check);
        } else if self.obs.unsettled.contains(&d.session) && now < since.after(UNREAD) {
            // It has read the key and not acted on it yet: the same as above.
            self.again(d, RECHECK, |check| stage(presses, check, None));
        } else if presses < MAX_PRESSES && reading.waiting.is_none() {
            let check = now.after(SUBMIT * 2_u32.pow(presses));
            d.stage = stage(presses + 1, check, None);
            self.press(d, reading, since);
            self.wake_by(check);
        } else {
            self.undeliver(d, "the submit key had no effect; the text stands in the input line");
            self.leave(d, true);
        }
    }

    /// The program has not read all that was typed since. One that never does hangs: then it counts no longer.
    fn is_unread(&self, session: &str, since: Boot) -> bool {
        self.obs.unread.contains(session) && self.now.boot < since.after(UNREAD)
    }

    /// The same, but to be looked at again after `pause`.
    fn again(&mut self, d: &mut Delivery, pause: Duration, stage: impl FnOnce(Boot) -> Stage) {
        let check = self.now.after(pause);
        d.stage = stage(check);
        self.wake_by(check);
    }

    /// Somebody scrolls (copy mode) or turned the pane's input off: keys would be swallowed.
    fn is_shut(&self, session: &str) -> bool {
        self.obs.panes.get(session).is_none_or(|p| p.in_mode || p.input_off)
    }

    /// The key is sent only while the cursor stands where this reading saw it: a dialog that came up in between has moved
    /// it. A program whose cursor never rests has the key all the same, after a while.
    pub(super) fn press(&mut self, d: &Delivery, reading: &Reading, since: Boot) {
        let (session, key) = (d.session.clone(), d.submit_key.clone());
        let cursor = (self.now.boot.since(since) < RESTLESS).then_some(reading.cursor);
        self.actions.push(Action::Press { session, delivery: d.id, key, cursor });
    }

    /// The submit key was refused before it was sent: the screen is looked at anew.
    pub(super) fn not_pressed(&mut self, delivery: i64) {
        let now = self.now;
        let Some(d) = self.state.deliveries.get_mut(&delivery) else { return };
        let check = now.after(looks::SECOND_LOOK);
        match d.stage {
            // Counted as shown only where the cursor stands.
            Stage::Submitting { since, presses: 1, .. } => {
                d.stage = Stage::Typing { since, check, until: now.after(SHOW), before: usize::MAX, tail: None };
            }
            Stage::Submitting { since, presses, tail, gone, .. } => {
                d.stage = Stage::Submitting { since, presses: presses - 1, tail, check, gone };
            }
            _ => return,
        }
        self.wake_by(check);
    }

    fn undeliver(&mut self, d: &mut Delivery, reason: &str) {
        d.stage = Stage::Undelivered { at: self.now.wall, reason: reason.into() };
    }

    /// `proof`: what showed that it arrived, if it was not the screen.
    pub(super) fn finished(&mut self, d: &Delivery, proof: &str) {
        // What follows from one that is not proved is decided, and told, without a person.
        let alert = d.kind != DeliveryKind::Nudge;
        self.nudge_over(d);
        let name = self.name_of(&d.session);
        let what = d.kind.word();
        let data = serde_json::json!({ "delivery": d.id, "kind": what });
        match &d.stage {
            Stage::Delivered { .. } => {
                self.took(d);
                if d.kind == DeliveryKind::GoOn && !proof.starts_with(AFTER_ALL) {
                    self.went_on(&d.session);
                }
                self.tell_with(
                    EventKind::Delivered,
                    Some(&name),
                    format!("{what} #{} delivered to {name}{proof}", d.id),
                    data,
                    false,
                );
            }
            Stage::Undelivered { reason, .. } => {
                let text = format!("{what} #{} not delivered to {name}: {reason}", d.id);
                self.tell_with(EventKind::Undelivered, Some(&name), text, data, alert);
            }
            Stage::Unknown { reason, .. } => {
                let text = format!("{what} #{} to {name}: unknown whether it arrived: {reason}", d.id);
                self.tell_with(EventKind::Unknown, Some(&name), text, data, alert);
            }
            _ => {}
        }
    }

    /// Puts a text in the queue of a session.
    pub(super) fn queue_text(
        &mut self,
        session: &str,
        kind: DeliveryKind,
        text: String,
        submit_key: String,
        incarnation: Option<u64>,
        not_before: Boot,
    ) -> i64 {
        let fleet = &mut self.state.fleet;
        fleet.next_delivery += 1;
        let id = fleet.next_delivery;
        let delivery = Delivery {
            id,
            session: session.to_owned(),
            kind,
            text,
            submit_key,
            created: self.now.wall,
            incarnation,
            not_before,
            stage: Stage::Queued { rest: None, free_since: None, look: not_before },
        };
        self.state.deliveries.insert(id, delivery);
        id
    }

    /// A text of this kind is on its way.
    pub(super) fn has_text(&self, session: &str, kind: DeliveryKind) -> bool {
        self.state.deliveries.values().any(|d| d.session == session && d.kind == kind && !d.stage.is_over())
    }

    /// Keys of ours are between the program and its answer.
    pub(super) fn is_typing(&self, session: &str) -> bool {
        let on_the_way = |stage: &Stage| matches!(stage, Stage::Typing { .. } | Stage::Submitting { .. });
        self.state.deliveries.values().any(|d| d.session == session && on_the_way(&d.stage))
    }

    /// Takes back what was not typed.
    pub(super) fn drop_queued(&mut self, session: &str, kind: DeliveryKind, reason: &str) {
        let at = self.now.wall;
        for d in self.state.deliveries.values_mut() {
            if d.session == session && d.kind == kind && matches!(d.stage, Stage::Queued { .. }) {
                d.stage = Stage::Undelivered { at, reason: reason.into() };
            }
        }
    }

    /// No program comes after the one that ended: what somebody said to this agent is not kept for a day on which it is
    /// started again.
    pub(super) fn nobody_for_texts(&mut self, session: &str, reason: &str) {
        let waits = |d: &&mut Delivery| d.session == session && d.kind == DeliveryKind::Send;
        let at = self.now.wall;
        let mut over = Vec::new();
        for d in self.state.deliveries.values_mut().filter(waits).filter(|d| matches!(d.stage, Stage::Queued { .. })) {
            d.stage = Stage::Undelivered { at, reason: reason.into() };
            over.push(d.clone());
        }
        over.iter().for_each(|d| self.finished(d, ""));
    }

    /// The program ended: what was being typed may or may not have been taken; what was meant for it alone is over;
    /// what may go to the next one waits.
    pub(super) fn close_texts(&mut self, session: &str, reason: &str) {
        if let Some(unit) = self.state.units.get_mut(session) {
            unit.taken.clear();
        }
        let at = self.now.wall;
        let stopped = self.state.units.get(session).is_none_or(|u| u.wish == crate::model::state::Wish::Stop);
        let mut over = Vec::new();
        for d in self.state.deliveries.values_mut().filter(|d| d.session == session) {
            match d.stage {
                Stage::Typing { .. } | Stage::Submitting { .. } => {
                    d.stage = Stage::Unknown { at, reason: reason.into() };
                    over.push(d.clone());
                }
                Stage::Queued { .. } if d.incarnation.is_some() || stopped => {
                    d.stage = Stage::Undelivered { at, reason: reason.into() };
                    if d.kind != DeliveryKind::Kickoff {
                        over.push(d.clone());
                    }
                }
                _ => {}
            }
        }
        over.iter().for_each(|d| self.finished(d, ""));
    }
}
