//! A log writer that was killed is replaced (G7): what the pane printed in between is a gap that is told.
use super::Mind;
use crate::model::{action::Action, event::EventKind, state::Life};
use std::time::Duration;

/// A pane that just started may not be connected yet.
const SETTLED: Duration = Duration::from_secs(5);

impl Mind<'_> {
    pub(super) fn logs(&mut self) {
        let now = self.now.boot;
        let lost: Vec<(String, String)> = self
            .state
            .units
            .values()
            .filter(|u| !u.is_left_alone())
            .filter(|u| {
                let Life::Running { since } = u.life else { return false };
                let pane = self.obs.panes.get(&u.session);
                let lost = |piped: bool| !piped && now.since(since) >= SETTLED || self.obs.logless.contains(&u.session);
                pane.is_some_and(|p| lost(p.piped) && !p.dead && p.incarnation == Some(u.incarnation))
            })
            .map(|u| (u.session.clone(), u.name.clone()))
            .collect();
        for (session, name) in lost {
            let text = format!("the log writer of {session} was gone — connected a new one; its log has a gap");
            self.tell(EventKind::LogGap, Some(&name), text);
            self.actions.push(Action::Repipe { session });
        }
    }
}
