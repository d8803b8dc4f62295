//! Idle for too long, or past its own WAITING-UNTIL: restarted, because the user's config orders it. Two equal screens,
//! no activity, no hold, no open dialog, no text on its way.
use super::{Mind, unit::Spec};
use crate::model::{event::EventKind, policy::Agent, reading::Reading, state::SuspectKind};

impl Mind<'_> {
    pub(super) fn stall(&mut self, agent: &Agent, reading: &Reading, active: bool, held: bool, started: bool) {
        let spec = Spec::Agent(agent);
        let now = self.now;
        let busy = active
            || held
            || !started
            || reading.waiting.as_ref().is_some_and(|e| !e.quoted)
            || self.is_typing(&agent.session);
        if busy {
            self.unit(spec).sight.idle_since = None;
            return self.unsuspect(&agent.session, SuspectKind::Stall);
        }
        let idle = now.boot.since(*self.unit(spec).sight.idle_since.get_or_insert(now.boot));
        let reason = match reading.waiting_until {
            Some(until) => {
                let late = (now.wall.0 - until.0) / 1000;
                if late <= self.policy.watchdog.stall_grace.as_secs() as i64 || idle.is_zero() {
                    return self.unsuspect(&agent.session, SuspectKind::Stall);
                }
                format!("past its WAITING-UNTIL by {late}s — self-wake did not fire")
            }
            None => {
                if idle < agent.backend.stall_idle {
                    return self.unsuspect(&agent.session, SuspectKind::Stall);
                }
                format!("idle {}s with no WAITING-UNTIL marker", idle.as_secs())
            }
        };
        if self.confirmed(agent, SuspectKind::Stall, reading.screen) {
            let text = format!("stall: {} ({}) {reason} — kill + reboot", agent.name, agent.session);
            self.unit(spec).sight.idle_since = None;
            self.restart_live(spec, EventKind::Stalled, &text, true);
        }
    }
}
