//! Orders to start, to end, and to do both.
use super::{
    Mind,
    restart::{self, Verdict},
    unit::Spec,
};
use crate::{
    launch::prompt,
    model::{
        action::Action,
        delivery::DeliveryKind,
        event::EventKind,
        policy::PromptDelivery,
        state::{AfterEnd, Life, Seen, Sight},
    },
};
use std::time::Duration;

/// A launch that nobody saw by then has failed.
pub(super) const START_DEADLINE: Duration = Duration::from_secs(15);
/// Beyond the stop grace, before the rest is killed from outside.
pub(super) const END_MARGIN: Duration = Duration::from_secs(3);

impl Mind<'_> {
    /// Orders a start from nothing, as soon as the machine has room for it.
    pub(super) fn start(&mut self, spec: Spec, counted: bool) {
        if self.waits_for_room(spec, counted) {
            return;
        }
        let session = spec.session().to_owned();
        let incarnation = self.unit(spec).incarnation + 1;
        self.prepare(spec, incarnation);
        self.launch(spec, counted);
        debug_assert_eq!(self.unit(spec).incarnation, incarnation, "{session}");
    }

    /// Prepares an incarnation: everything that can fail, before anything is ended.
    pub(super) fn prepare(&mut self, spec: Spec, incarnation: u64) {
        let phase = self.state.fleet.phase;
        let unit = self.unit(spec);
        // Whoever may still carry an older incarnation's marker is ended before the program starts. Looking for them
        // reads every process of the machine, so it is done only where an end was not seen to its end.
        let clean_end = unit.last_exit.as_ref().is_some_and(|e| e.tree_ended && e.incarnation + 1 == incarnation);
        let first = incarnation == 1;
        let order = Action::Prepare {
            session: spec.session().to_owned(),
            incarnation,
            model: unit.start_model.clone(),
            backend: unit.start_backend.clone(),
            phase,
            sweep: !(clean_end || first),
            fresh: unit.fresh,
            conversation: unit.conversation.clone(),
        };
        self.actions.push(order);
    }

    /// Launches the prepared incarnation, and queues its first message if it is to be typed.
    pub(super) fn launch(&mut self, spec: Spec, counted: bool) {
        let session = spec.session().to_owned();
        let now = self.now;
        let rules = self.policy.watchdog.clone();
        let had_pane = self.obs.panes.contains_key(&session) || self.obs.occupied.contains(&session);
        let asked = self.unit(spec).start_backend.take();
        let backend = spec.agent().map(|a| self.policy.backend_of(a, asked.as_deref()).clone());
        let unit = self.unit(spec);
        unit.started_with = backend.as_ref().map(|b| b.name.clone());
        unit.end_asked = false;
        unit.incarnation += 1;
        let incarnation = unit.incarnation;
        unit.sight = Sight { state: Seen::Unknown, ..Sight::default() };
        unit.pane = None;
        unit.start_model = None;
        unit.owed = None;
        if unit.fresh.take().is_some() {
            unit.conversation = None;
        }
        unit.trouble = None;
        unit.said.clear();
        unit.restarts.last_start = Some(now.boot);
        if counted {
            restart::note(&mut unit.restarts, &rules, now.boot);
            self.state.fleet.recent_restarts.push(now.boot);
        }
        if had_pane {
            self.actions.push(Action::Clear { session: session.clone() });
        }
        let deadline = now.after(START_DEADLINE);
        self.set_life(&session, Life::Starting { since: now.boot, deadline }, "starting");
        self.actions.push(Action::Launch { session: session.clone(), incarnation });
        self.wake_by(deadline);
        if let Some(backend) = backend.filter(|b| b.delivery == PromptDelivery::Ping) {
            let file = self.policy.state_dir().join(format!("kickoff-{session}.txt"));
            let key = backend.submit_key.clone().unwrap_or_else(|| "C-m".into());
            let at = now.after(backend.connect_delay);
            self.queue_text(&session, DeliveryKind::Kickoff, prompt::read_kickoff(&file), key, Some(incarnation), at);
        }
    }

    /// Ends a live unit and starts it again; everything that can fail is prepared first. Counted: it draws on the
    /// budget, and a live unit whose budget is spent is left alone.
    pub(super) fn restart_live(&mut self, spec: Spec, kind: EventKind, text: &str, counted: bool) {
        let name = spec.name();
        let now = self.now;
        if counted && self.unit(spec).no_force_until.is_some_and(|until| until > now.boot) {
            return;
        }
        if counted && self.is_taking_up(spec.session()) {
            return self.wake_by(now.after(Duration::from_secs(1)));
        }
        if counted && (!self.storm_pause().is_zero() || !self.may_restart_live(spec, kind, text)) {
            return;
        }
        self.tell(kind, Some(name), text);
        self.because(spec.session(), super::tally::why(kind, text));
        self.swap(spec, counted);
    }

    /// Prepares the next incarnation, then ends this one; if the first fails, nothing is ended.
    pub(super) fn swap(&mut self, spec: Spec, counted: bool) {
        let incarnation = self.unit(spec).incarnation;
        self.prepare(spec, incarnation + 1);
        self.end(spec.session(), incarnation, AfterEnd::Relaunch { counted });
    }

    /// The budget and the growing delay hold for live units too; one whose budget is spent is left alone but for the
    /// slow retries.
    fn may_restart_live(&mut self, spec: Spec, kind: EventKind, text: &str) -> bool {
        let rules = self.policy.watchdog.clone();
        let now = self.now;
        let past = self.unit(spec).restarts.clone();
        let pause = match rules.gave_up_retry {
            never if never.is_zero() => Duration::from_secs(100 * 365 * 86_400),
            pause => pause,
        };
        match restart::verdict(&past, &rules, spec.session(), now) {
            Verdict::After(delay) => past.recent.last().is_none_or(|last| now.boot.since(*last) >= delay),
            Verdict::StillGivenUp => {
                self.unit(spec).no_force_until = Some(now.after(pause));
                true
            }
            Verdict::GiveUp => {
                let unit = self.unit(spec);
                unit.no_force_until = Some(now.after(pause));
                unit.restarts.gave_up = true;
                if unit.alerted.insert("gave-up".into()) {
                    let n = rules.restart_burst;
                    self.alert(
                        kind,
                        Some(spec.name()),
                        format!("{text} — but it was restarted {n} times already: left as it is"),
                    );
                }
                false
            }
        }
    }

    /// Ends a live unit for good.
    pub(super) fn stop_live(&mut self, spec: Spec) {
        let session = spec.session().to_owned();
        let incarnation = self.unit(spec).incarnation;
        self.tell(EventKind::Stopped, Some(spec.name()), format!("killing {session}"));
        self.end(&session, incarnation, AfterEnd::Stay);
    }

    pub(super) fn end(&mut self, session: &str, incarnation: u64, then: AfterEnd) {
        let grace = self.policy.watchdog.stop_grace;
        let deadline = self.now.after(grace + END_MARGIN);
        self.actions.push(Action::End { session: session.to_owned(), incarnation, grace_ms: grace.as_millis() as u64 });
        let reason = match then {
            AfterEnd::Stay => "being stopped",
            _ => "being restarted",
        };
        self.set_life(session, Life::Ending { deadline, then }, reason);
        if let Some(unit) = self.state.units.get_mut(session) {
            unit.end_asked = true;
        }
        self.wake_by(deadline);
    }

    /// Removes a session whose processes are gone, so that its name is free.
    pub(super) fn clear_leftover(&mut self, session: &str) {
        if self.obs.panes.contains_key(session) || self.obs.occupied.contains(session) {
            self.actions.push(Action::Clear { session: session.to_owned() });
        }
    }
}
