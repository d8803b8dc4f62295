//! The loop of phases: done in the status file -> next phase, or the end of the sequence.
use super::{Mind, unit::Spec};
use crate::model::{
    action::Action,
    event::EventKind,
    policy::{Agent, Kind, Loop, Phase},
    request::Answer,
    state::{AfterEnd, Life, Wish},
};

impl<'a> Mind<'a> {
    /// Takes over what stands in the index file: people and older programs write it too.
    pub(super) fn phase_index(&mut self) {
        let Some(phases) = &self.policy.phases else { return };
        let count = phases.phases.len();
        let fleet = &mut self.state.fleet;
        if self.obs.files.sequence_complete {
            fleet.sequence_seen = true;
            fleet.sequence_complete = true;
        } else if std::mem::take(&mut fleet.sequence_seen) {
            // Somebody removed the marker.
            fleet.sequence_complete = false;
        }
        // Once a tick, not once for each of its answers.
        if fleet.phase_pending && !self.obs.results.is_empty() {
            return;
        }
        if fleet.phase_pending {
            let index = fleet.phase;
            return self.actions.push(Action::WritePhase { index });
        }
        match self.obs.files.phase_index {
            None => fleet.phase = 0,
            Some(index) if index >= 0 && (index as usize) < count => {
                fleet.phase = index as usize;
                fleet.alerted.retain(|mark| !mark.starts_with("phase-idx "));
            }
            Some(index) => {
                fleet.phase = fleet.phase.min(count - 1);
                let kept = fleet.phase;
                let mark = format!("phase-idx {index}");
                fleet.alerted.retain(|old| !old.starts_with("phase-idx ") || *old == mark);
                if fleet.alerted.insert(mark) {
                    let last = count - 1;
                    self.alert(
                        EventKind::Phase,
                        None,
                        format!("phase-idx says {index}, but there are phases 0 to {last} — going on with {kept}"),
                    );
                }
            }
        }
    }

    pub(super) fn phase_set(&mut self, index: usize) -> Answer {
        let Some(phases) = &self.policy.phases else {
            return Answer::Denied { text: "no [loop].phases configured".into() };
        };
        let Some(phase) = phases.phases.get(index) else {
            let last = phases.phases.len() - 1;
            return Answer::Denied { text: format!("there is no phase {index}; they are 0 to {last}") };
        };
        let text = format!("phase idx now {index} ({})", phase.id);
        self.move_to(index);
        if self.obs.files.sequence_complete {
            self.actions.push(Action::RemoveSequenceComplete);
        }
        self.tell(EventKind::Phase, None, &text);
        Answer::Accepted { text, delivery: None }
    }

    fn move_to(&mut self, index: usize) {
        self.state.fleet.phase = index;
        self.state.fleet.sequence_complete = false;
        self.state.fleet.sequence_seen = false;
        self.state.fleet.phase_pending = true;
        self.actions.push(Action::WritePhase { index });
    }

    pub(super) fn phase_advance(&mut self) {
        let obs = self.obs;
        let policy = self.policy;
        let (Some(seen), Some(phases)) = (&obs.phase, &policy.phases) else { return };
        let current = self.state.fleet.phase;
        if !phases.auto_advance || !policy.has_loops() || seen.index != current || !seen.done {
            return;
        }
        let Some(phase) = phases.phases.get(current) else { return };
        match phases.phases.get(current + 1) {
            Some(next) => self.next_phase(phase, next, current + 1, &seen.source),
            None => self.complete(phases, phase, &seen.source),
        }
    }

    fn next_phase(&mut self, phase: &Phase, next: &Phase, index: usize, source: &str) {
        let data = serde_json::json!({ "from": phase.id, "to": next.id, "status": source });
        let text = format!("PHASE {} DONE — auto-transitioning to {}", phase.id, next.id);
        self.tell_with(EventKind::Phase, None, text, data, false);
        self.move_to(index);
        if self.obs.files.sequence_complete {
            self.actions.push(Action::RemoveSequenceComplete);
        }
        self.forget_handoff();
        for agent in self.loops() {
            let spec = Spec::Agent(agent);
            self.owe(spec);
            let kept = agent.fault.is_some() || matches!(self.unit(spec).wish, Wish::Stop | Wish::Pause);
            if kept || self.is_left_alone(&agent.session) {
                continue;
            }
            self.unit(spec).hold = None;
            match self.life(&agent.session) {
                Life::Running { .. } | Life::Starting { .. } => {
                    self.restart_live(spec, EventKind::Stopped, &format!("killing {}", agent.session), false);
                }
                Life::Absent | Life::Backoff { .. } | Life::GaveUp { .. } | Life::Done => self.start(spec, false),
                // It is prepared when it starts.
                Life::Ending { .. } => {}
            }
        }
    }

    fn complete(&mut self, phases: &Loop, phase: &Phase, source: &str) {
        if self.obs.files.sequence_complete {
            return;
        }
        let stamp = self.now.wall.format_local("%Y-%m-%d %H:%M:%S");
        let marker = format!("phase sequence complete {stamp}. Loops stopped; build finished.\n");
        if self.state.fleet.sequence_complete {
            // Decided before; the file could not be written then.
            return self.actions.push(Action::WriteSequenceComplete { text: marker });
        }
        let data = serde_json::json!({ "phase": phase.id, "status": source });
        let text = format!("PHASE SEQUENCE COMPLETE (last phase {} DONE) — stopping loops", phase.id);
        self.tell_with(EventKind::SequenceComplete, None, text, data, false);
        self.actions.push(Action::WriteSequenceComplete { text: marker });
        self.state.fleet.sequence_complete = true;
        // What was pinged for stays known: nobody is there to hear of it again.
        self.drop_stale("the last phase is over");
        for agent in self.loops() {
            let spec = Spec::Agent(agent);
            match self.life(&agent.session) {
                Life::Running { .. } | Life::Starting { .. } => self.stop_live(spec),
                Life::Ending { deadline, .. } => {
                    let stay = Life::Ending { deadline, then: AfterEnd::Stay };
                    self.set_life(&agent.session, stay, "the sequence is complete");
                }
                Life::Backoff { .. } | Life::GaveUp { .. } => {
                    self.set_life(&agent.session, Life::Absent, "the sequence is complete");
                    self.nobody_for_texts(&agent.session, "the sequence is complete");
                }
                _ => {}
            }
        }
        self.on_complete(phases);
    }

    fn on_complete(&mut self, phases: &Loop) {
        let Some(rule) = &phases.on_complete else { return };
        if self.obs.files.trigger {
            self.actions.push(Action::RemoveTrigger);
        } else if !rule.always {
            return;
        }
        let Some(name) = &rule.run else { return };
        let Some(spec) = self.policy.agents.iter().find(|a| a.name == *name).map(Spec::Agent) else {
            return self.alert(EventKind::OnComplete, None, format!("on_complete: no agent is named `{name}`"));
        };
        self.tell(EventKind::OnComplete, Some(name), format!("on_complete: launching task agent '{name}'"));
        self.unit(spec).wish = Wish::Run;
        match self.life(spec.session()) {
            Life::Running { .. } => {
                self.restart_live(spec, EventKind::Restarting, &format!("restarting {}", spec.session()), false);
            }
            Life::Starting { .. } | Life::Ending { .. } => {}
            _ => self.start(spec, false),
        }
    }

    fn loops(&self) -> Vec<&'a Agent> {
        let policy = self.policy;
        policy.agents.iter().filter(|a| a.kind == Kind::Loop && a.enabled).collect()
    }

    /// The last phase is done: decided, or said by the marker file.
    pub(super) fn is_sequence_over(&self) -> bool {
        self.obs.files.sequence_complete || self.state.fleet.sequence_complete
    }
}
