//! Who goes on as before: told from the rest by one look at its memory, as it is most agents at most times. Nothing is
//! decided here; a debug build decides all the same, and holds that nothing came of it.
use super::Mind;
use crate::model::{
    observation::ServerObs,
    policy::{Agent, StallAction, Watch},
    reading::Reading,
    state::{Life, Seen, UnitState},
};

impl Mind<'_> {
    /// It runs, in the pane in which it ran: its life needs no decision.
    pub(super) fn lives_on(&self, session: &str) -> bool {
        let Some(unit) = self.state.units.get(session) else { return false };
        let here = |unit: &UnitState| {
            let pane = self.obs.panes.get(session);
            pane.is_some_and(|p| !p.dead) && pane == unit.pane.as_ref()
        };
        matches!(unit.life, Life::Running { .. })
            && matches!(self.obs.server, ServerObs::Up { .. })
            && !unit.is_left_alone()
            && !unit.restarts.gave_up
            && here(unit)
            && !self.obs.exits.contains_key(session)
    }

    /// It is as idle as it was, for less time than it may be: a light look at its screen leads to nothing.
    pub(super) fn stays_idle(&self, agent: &Agent) -> bool {
        let Some(unit) = self.state.units.get(&agent.session) else { return false };
        let Life::Running { since } = unit.life else { return false };
        let started = self.now.boot.since(since) >= self.policy.watchdog.start_grace;
        let sight = &unit.sight;
        let idle = |reading: &Reading| {
            let said = [&reading.active, &reading.limit, &reading.fatal, &reading.waiting];
            said.into_iter().all(Option::is_none)
                && reading.error.is_none()
                && !reading.unknown
                && reading.waiting_until.is_none()
                && reading.background.is_none()
        };
        let may_be = match sight.idle_since {
            None => !started,
            Some(_) if agent.watch != Watch::HealStall => true,
            Some(idle_since) => match agent.backend.stall_action {
                StallAction::Restart => started && self.now.boot.since(idle_since) < agent.backend.stall_idle,
                // Nothing is due before the next look at its processes, if it was not told to go on.
                StallAction::Nudge => {
                    started && sight.nudged.is_none() && sight.tree_due.is_some_and(|at| self.now.boot < at)
                }
            },
        };
        may_be
            && sight.state == Seen::Idle
            && sight.evidence.is_empty()
            && sight.suspect.is_none()
            && sight.waiting_until.is_none()
            && sight.spin.is_none()
            && unit.hold.is_none()
            && unit.answering.is_none()
            && unit.sight.dialog.is_none()
            && unit.account_hold.is_none()
            && unit.trouble.is_none()
            && !unit.alerted.contains("waiting")
            && !unit.is_left_alone()
            && self.state.deliveries.is_empty()
            && self.own(&agent.session).is_none_or(|own| {
                own.failed.is_none()
                    && sight.idle_since.is_none_or(|at| self.worked_since(&agent.session, at).is_none())
            })
            && !agent.backend.reader.footer_ui
            && self.obs.readings.get(&agent.session).is_some_and(|r| idle(r))
    }

    /// Does `decide` unless `nothing` would come of it.
    pub(super) fn unless(&mut self, nothing: bool, session: &str, decide: impl FnOnce(&mut Self)) {
        if !nothing {
            return decide(self);
        }
        if cfg!(debug_assertions) {
            let before = (self.state.units.get(session).cloned(), self.actions.len(), self.events.len(), self.wake_at);
            decide(self);
            let after = (self.state.units.get(session).cloned(), self.actions.len(), self.events.len(), self.wake_at);
            assert_eq!(before, after, "{session} does not go on as before");
        }
    }
}
