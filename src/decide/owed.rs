//! A phase began, and an agent could not be started in it (its prompt is gone, the disk is full): said once, and tried
//! again after a growing pause until it is.
use super::{Mind, unit::Spec};
use crate::model::{
    event::EventKind,
    policy::Kind,
    state::{Life, Owed, Wish},
};
use std::time::Duration;

const PAUSE: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);

impl Mind<'_> {
    /// A new phase: it has to be started in it. Whatever launches it pays.
    pub(super) fn owe(&mut self, spec: Spec) {
        let until = self.now.boot;
        self.unit(spec).owed = Some(Owed { until, ..Owed::default() });
    }

    /// The restart that is owed could not be prepared. False: nothing is owed, it is told as any other.
    pub(super) fn is_owed_still(&mut self, session: &str, error: &str) -> bool {
        let (now, name) = (self.now, self.name_of(session));
        let Some(owed) = self.state.units.get_mut(session).and_then(|u| u.owed.as_mut()) else { return false };
        let pause = match Duration::from_millis(owed.pause_ms) {
            Duration::ZERO => PAUSE,
            last => (last * 2).min(LONGEST),
        };
        let told = std::mem::replace(&mut owed.error, error.to_owned()) == error;
        (owed.until, owed.pause_ms) = (now.after(pause), pause.as_millis() as u64);
        if !told {
            let text = format!(
                "cannot restart {session} in the new phase: {error} — it is left as it is, and tried again with growing pauses"
            );
            self.alert(EventKind::LaunchFailed, Some(&name), text);
        }
        self.wake_by(now.after(pause));
        true
    }

    /// Tries those that are due.
    pub(super) fn owed(&mut self) {
        let policy = self.policy;
        if self.state.units.values().all(|u| u.owed.is_none()) {
            return;
        }
        for agent in &policy.agents {
            let spec = Spec::Agent(agent);
            let Some(unit) = self.state.units.get(&agent.session) else { continue };
            let Some(owed) = &unit.owed else { continue };
            let until = owed.until;
            let stopped = unit.wish == Wish::Stop || matches!(unit.life, Life::Absent | Life::Done);
            if stopped || agent.kind != Kind::Loop || self.is_sequence_over() {
                // Whenever it starts, it starts in the phase of that moment.
                self.unit(spec).owed = None;
                continue;
            }
            let may = unit.wish != Wish::Pause && agent.fault.is_none() && !unit.is_left_alone();
            if !may || !matches!(unit.life, Life::Running { .. }) {
                continue;
            }
            if until <= self.now.boot {
                self.because(spec.session(), "a new phase began");
                self.swap(spec, false);
            } else {
                self.wake_by(until);
            }
        }
    }
}
