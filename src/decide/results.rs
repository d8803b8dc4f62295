//! What became of earlier orders.
use super::Mind;
use crate::model::{
    action::{Action, ActionResult, Outcome},
    delivery::Stage,
    event::EventKind,
    state::{AfterEnd, Life},
    time::Boot,
};
use std::time::Duration;

/// After an ordered restart that could not be prepared.
const FORCE_PAUSE: Duration = Duration::from_secs(60);
/// A launch without an answer shows within this.
const SEEN_BY: Duration = Duration::from_secs(2);

impl Mind<'_> {
    pub(super) fn results(&mut self) {
        let obs = self.obs;
        for result in &obs.results {
            if result.action.session().is_none_or(|s| !self.is_left_alone(s)) {
                self.result(result);
            }
        }
    }

    fn result(&mut self, result: &ActionResult) {
        match (&result.action, &result.outcome) {
            (Action::Prepare { session, .. }, Outcome::Prepared { log_line, notes }) => {
                let name = self.name_of(session);
                // Prepared to see whether it can be done at all: it is told when it starts.
                if matches!(self.life(session), Life::Ending { .. }) {
                    return;
                }
                let reason = self.state.units.get_mut(session).and_then(|u| u.restart_reason.take());
                let data = reason.map_or(serde_json::Value::Null, |reason| serde_json::json!({ "restart": reason }));
                self.tell_with(EventKind::Started, Some(&name), log_line, data, false);
                for note in notes {
                    self.tell(EventKind::DirMade, Some(&name), note);
                }
            }
            (Action::Prepare { session, .. }, Outcome::Failed { error }) => self.not_prepared(session, error),
            (Action::Launch { session, incarnation }, outcome) => self.launched(session, *incarnation, outcome),
            (Action::Type { delivery, .. }, Outcome::Failed { error }) => {
                let again = self.now.after(Duration::from_secs(2));
                if let Some(d) = self.state.deliveries.get_mut(delivery)
                    && matches!(d.stage, Stage::Typing { .. })
                {
                    // Refused before a key was sent.
                    d.stage = Stage::Queued { rest: None, free_since: None, look: again };
                    let name = self.name_of(result.action.session().unwrap_or_default());
                    self.tell(
                        EventKind::Warning,
                        Some(&name),
                        format!("could not type to {name}: {error} — trying again"),
                    );
                }
            }
            (Action::Press { delivery, .. }, Outcome::Failed { .. }) => self.not_pressed(*delivery),
            (Action::Choose { session, .. }, outcome) => self.chosen(session, outcome),
            (Action::WritePhase { index }, Outcome::Done) => {
                if self.state.fleet.phase == *index {
                    self.state.fleet.phase_pending = false;
                }
            }
            (action, Outcome::Failed { error }) => {
                let about = action.session().map(|s| self.name_of(s));
                let verb = match action {
                    Action::End { .. } => "end",
                    Action::Repipe { .. } => "connect the log of",
                    Action::WritePhase { .. } => "write the phase index",
                    Action::WriteSequenceComplete { .. } => "write SEQUENCE-COMPLETE",
                    _ => return,
                };
                let whom = about.as_deref().unwrap_or_default();
                self.tell(EventKind::Warning, about.as_deref(), format!("could not {verb} {whom}: {error}"));
            }
            _ => {}
        }
    }

    fn launched(&mut self, session: &str, incarnation: u64, outcome: &Outcome) {
        let starting = self
            .state
            .units
            .get(session)
            .is_some_and(|u| u.incarnation == incarnation && matches!(u.life, Life::Starting { .. }));
        if !starting {
            return;
        }
        match outcome {
            Outcome::Launched { pane_id, session_id, pid, pid_start } => {
                let now = self.now;
                if let Some(unit) = self.state.units.get_mut(session) {
                    unit.pane = Some(crate::model::observation::PaneObs {
                        pane_id: pane_id.clone(),
                        session_id: session_id.clone(),
                        pid: *pid,
                        pid_start: *pid_start,
                        incarnation: Some(incarnation),
                        started: Some(now.wall),
                        ..Default::default()
                    });
                }
                self.set_life(session, Life::Running { since: now.boot }, "started");
            }
            Outcome::Failed { error } => {
                let name = self.name_of(session);
                self.tell(EventKind::LaunchFailed, Some(&name), format!("cannot start {session}: {error}"));
                self.start_failed(session, error);
            }
            // Nobody knows: the next look tells. Not seen soon, on a server that answers, it was never sent.
            Outcome::Unknown { .. } => {
                let deadline = self.now.after(SEEN_BY);
                if let Some(unit) = self.state.units.get_mut(session)
                    && let Life::Starting { since, .. } = unit.life
                {
                    unit.life = Life::Starting { since, deadline };
                }
                self.wake_by(deadline);
            }
            _ => {}
        }
    }

    fn not_prepared(&mut self, session: &str, error: &str) {
        let name = self.name_of(session);
        match self.life(session) {
            Life::Ending { then: AfterEnd::Relaunch { .. }, .. } => {
                // Nothing was ended: it goes on as it is.
                if !self.is_owed_still(session, error) {
                    let text = format!("cannot restart {session}: {error} — it is left as it is");
                    self.tell(EventKind::LaunchFailed, Some(&name), text);
                }
                let until = self.now.after(FORCE_PAUSE);
                let since: Boot = self.now.boot;
                self.set_life(session, Life::Running { since }, format!("left as it is: {error}"));
                if let Some(unit) = self.state.units.get_mut(session) {
                    unit.no_force_until = Some(until);
                }
            }
            Life::Starting { .. } => {
                self.tell(EventKind::LaunchFailed, Some(&name), format!("cannot start {session}: {error}"));
                self.start_failed(session, error);
            }
            _ => {}
        }
    }

    pub(super) fn name_of(&self, session: &str) -> String {
        self.state.units.get(session).map(|u| u.name.clone()).unwrap_or_else(|| session.to_owned())
    }
}
