//! What people ask for: accepted, ignored, or denied with the reason.
use super::{Mind, unit::Spec};
use crate::model::{
    action::Action,
    delivery::DeliveryKind,
    event::EventKind,
    observation::ServerObs,
    request::{Answer, Verb},
    state::{AfterEnd, Life, Sight, Wish},
};
use std::collections::BTreeMap;

impl Mind<'_> {
    pub(super) fn requests(&mut self) {
        let obs = self.obs;
        for request in &obs.requests {
            let answer = self.request(&request.verb);
            self.actions.push(Action::Answer { request: request.id, answer });
        }
    }

    fn request(&mut self, verb: &Verb) -> Answer {
        if self.state.fleet.server == ServerObs::Unresponsive && self.would_start(verb) {
            let text = "the tmux server does not answer; nothing was started\nhint: agents doctor";
            return Answer::Denied { text: text.into() };
        }
        match verb {
            Verb::Up { names, models, backends, .. } => self.each(names, |mind, spec| mind.up(spec, models, backends)),
            Verb::Down { names } => self.each(names, |mind, spec| mind.down(spec)),
            Verb::Restart { names } => self.each(names, |mind, spec| mind.restart(spec)),
            Verb::Pause { names } => self.each(names, |mind, spec| {
                if mind.unit(spec).wish == Wish::Stop || matches!(mind.life(spec.session()), Life::Absent | Life::Done)
                {
                    let text = format!("{} is not running, there is nothing to pause", spec.name());
                    return mind.tell(EventKind::Warning, Some(spec.name()), text);
                }
                mind.unit(spec).wish = Wish::Pause;
                mind.tell(
                    EventKind::Paused,
                    Some(spec.name()),
                    format!("{} paused: no healing, no typing", spec.name()),
                );
            }),
            Verb::Resume { names } => self.each(names, |mind, spec| {
                if mind.unit(spec).wish == Wish::Pause {
                    mind.unit(spec).wish = Wish::Run;
                    mind.unit(spec).sight = Sight { state: mind.unit(spec).sight.state, ..Sight::default() };
                    mind.tell(EventKind::Resumed, Some(spec.name()), format!("{} resumed", spec.name()));
                } else {
                    let text = format!("{} is not paused, there is nothing to resume", spec.name());
                    mind.tell(EventKind::Warning, Some(spec.name()), text);
                }
            }),
            Verb::Send { name, text } => self.send(name, text),
            Verb::PhaseSet { index } => self.phase_set(*index),
        }
    }

    /// Whether something that is asked for needs tmux at once.
    fn would_start(&self, verb: &Verb) -> bool {
        match verb {
            Verb::Up { names, .. } => {
                let runs = |s: Spec| matches!(self.life(s.session()), Life::Running { .. });
                names.iter().filter_map(|n| self.spec_named(n)).any(|s| !runs(s))
            }
            Verb::Restart { .. } => true,
            _ => false,
        }
    }

    /// All or nothing: an unknown name changes nothing.
    fn each(&mut self, names: &[String], mut act: impl FnMut(&mut Self, Spec)) -> Answer {
        if let Some(unknown) = names.iter().find(|n| self.spec_named(n).is_none()) {
            return Answer::Denied { text: format!("no agent or service is named `{unknown}`") };
        }
        for name in names {
            if let Some(spec) = self.spec_named(name) {
                self.unit(spec);
                if self.released(spec) {
                    act(self, spec);
                }
            }
        }
        Answer::Accepted { text: String::new(), delivery: None }
    }

    fn up(&mut self, spec: Spec, models: &BTreeMap<String, String>, backends: &BTreeMap<String, String>) {
        let (name, session) = (spec.name(), spec.session().to_owned());
        if let Some(fault) = spec.fault() {
            return self.tell(EventKind::LaunchFailed, Some(name), format!("{name} cannot be started: {fault}"));
        }
        let unit = self.unit(spec);
        unit.wish = Wish::Run;
        unit.restarts.gave_up = false;
        unit.restarts.recent.clear();
        unit.no_force_until = None;
        unit.alerted.remove("gave-up");
        unit.start_model = models.get(name).filter(|m| !m.is_empty()).cloned();
        unit.start_backend = backends.get(name).filter(|b| !b.is_empty()).cloned();
        match unit.life.clone() {
            Life::Running { .. } => {
                // For one start only, and this is none.
                (unit.start_model, unit.start_backend) = (None, None);
                self.tell(EventKind::Adopted, Some(name), format!("{session} already running — leaving it"));
            }
            Life::Starting { .. } => (unit.start_model, unit.start_backend) = (None, None),
            Life::Ending { deadline, then: AfterEnd::Stay | AfterEnd::Died | AfterEnd::Lost } => {
                // Asked for again while it is being stopped: started once it is gone.
                let incarnation = self.unit(spec).incarnation + 1;
                self.prepare(spec, incarnation);
                self.set_life(
                    &session,
                    Life::Ending { deadline, then: AfterEnd::Relaunch { counted: false } },
                    "being restarted",
                );
            }
            Life::Ending { .. } => {}
            Life::Absent | Life::Backoff { .. } | Life::GaveUp { .. } | Life::Done => self.start(spec, false),
        }
    }

    fn down(&mut self, spec: Spec) {
        let session = spec.session().to_owned();
        let unit = self.unit(spec);
        unit.wish = Wish::Stop;
        unit.hold = None;
        match unit.life.clone() {
            Life::Running { .. } | Life::Starting { .. } => self.stop_live(spec),
            Life::Ending { deadline, .. } => {
                self.set_life(&session, Life::Ending { deadline, then: AfterEnd::Stay }, "being stopped");
            }
            Life::Absent | Life::Backoff { .. } | Life::GaveUp { .. } | Life::Done => {
                self.set_life(&session, Life::Absent, "stopped");
            }
        }
        self.close_texts(&session, "the agent was stopped");
    }

    fn restart(&mut self, spec: Spec) {
        let (name, session) = (spec.name(), spec.session().to_owned());
        if let Some(fault) = spec.fault() {
            return self.tell(EventKind::Warning, Some(name), format!("{name} cannot be restarted: {fault}"));
        }
        let unit = self.unit(spec);
        unit.wish = Wish::Run;
        unit.hold = None;
        unit.restarts.gave_up = false;
        unit.restarts.recent.clear();
        unit.no_force_until = None;
        match unit.life.clone() {
            Life::Running { .. } => {
                self.restart_live(spec, EventKind::Restarting, &format!("restarting {session}"), false);
            }
            Life::Starting { .. } | Life::Ending { then: AfterEnd::Relaunch { .. }, .. } => {}
            Life::Ending { deadline, .. } => {
                let incarnation = self.unit(spec).incarnation + 1;
                self.prepare(spec, incarnation);
                self.set_life(
                    &session,
                    Life::Ending { deadline, then: AfterEnd::Relaunch { counted: false } },
                    "being restarted",
                );
            }
            Life::Absent | Life::Backoff { .. } | Life::GaveUp { .. } | Life::Done => self.start(spec, false),
        }
    }

    fn send(&mut self, name: &str, text: &str) -> Answer {
        let Some(spec) = self.spec_named(name) else {
            return Answer::Denied { text: format!("no agent or service is named `{name}`") };
        };
        let unit = self.unit(spec);
        if unit.is_left_alone() {
            return Answer::Denied {
                text: format!("{name} is left alone after an error of this program\nhint: `agents up {name}`"),
            };
        }
        if unit.wish == Wish::Pause {
            return Answer::Denied { text: format!("{name} is paused\nhint: `agents resume {name}`") };
        }
        let comes_back = match &unit.life {
            Life::Running { .. } | Life::Starting { .. } | Life::Backoff { .. } => true,
            Life::Ending { then, .. } => *then != AfterEnd::Stay && unit.wish != Wish::Stop,
            Life::Absent | Life::GaveUp { .. } | Life::Done => false,
        };
        if !comes_back {
            return Answer::Denied { text: format!("{name} is not running\nhint: `agents up {name}`") };
        }
        let key = self.submit_key(spec);
        let now = self.now.boot;
        // Not for this incarnation alone: a restart of ours must not lose what somebody said.
        let id = self.queue_text(spec.session(), DeliveryKind::Send, text.to_owned(), key, None, now);
        Answer::Accepted { text: format!("delivery {id}"), delivery: Some(id) }
    }

    pub(super) fn submit_key(&self, spec: Spec) -> String {
        let started_with = self.state.units.get(spec.session()).and_then(|u| u.started_with.as_deref());
        let key = spec.agent().and_then(|a| self.policy.backend_of(a, started_with).submit_key.clone());
        key.unwrap_or_else(|| "Enter".into())
    }
}
