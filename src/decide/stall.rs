//! Idle for too long, or past its own WAITING-UNTIL: told to go on, or, if the config says so, restarted at once after
//! two equal screens. No activity, no hold, no open dialog, no text on its way, nothing that goes on in the background.
use super::{Mind, unit::Spec};
use crate::model::{
    event::EventKind,
    policy::{Agent, StallAction},
    reading::Reading,
    state::SuspectKind,
    time::Boot,
};

impl Mind<'_> {
    pub(super) fn stall(&mut self, agent: &Agent, reading: &Reading, active: bool, held: bool, started: bool) {
        let spec = Spec::Agent(agent);
        let now = self.now;
        let typed = self.is_typing(&agent.session) && !self.is_being_nudged(&agent.session);
        let waits = reading.waiting.as_ref().is_some_and(|e| !e.quoted);
        let busy = active || held || !started || waits || typed || reading.background.is_some();
        if busy {
            self.unit(spec).sight.idle_since = None;
            self.stands_no_more(agent);
            return self.unsuspect(&agent.session, SuspectKind::Stall);
        }
        let idle_since = *self.unit(spec).sight.idle_since.get_or_insert(now.boot);
        if let Some(at) = self.worked_since(&agent.session, idle_since) {
            return self.works_unseen(agent, at);
        }
        if agent.backend.stall_action == StallAction::Nudge {
            return self.nudge_if_still(agent, reading, idle_since);
        }
        self.stands_no_more(agent);
        let idle = now.boot.since(idle_since);
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

    /// Its session file shows work of which its screen shows nothing: it is idle since then at most.
    fn works_unseen(&mut self, agent: &Agent, at: Boot) {
        self.unit(Spec::Agent(agent)).sight.idle_since = Some(at);
        self.stands_no_more(agent);
        self.unsuspect(&agent.session, SuspectKind::Stall);
    }
}
