//! A pane in copy mode: keys would go to tmux. Texts wait for whoever scrolls there; one who scrolled and went to bed is
//! not waited for.
use super::Mind;
use crate::model::{action::Action, delivery::Delivery, event::EventKind};
use std::time::Duration;

/// A pane that keeps one text waiting for so long was forgotten.
const FORGOTTEN: Duration = Duration::from_secs(300);

impl Mind<'_> {
    /// To be called whenever `d` waits.
    pub(super) fn scrolled(&mut self, d: &Delivery) {
        let now = self.now.boot;
        let in_mode = self.obs.panes.get(&d.session).is_some_and(|p| p.in_mode && !p.dead);
        let Some(unit) = self.state.units.get_mut(&d.session) else { return };
        let since = unit.sight.scrolled.filter(|(id, _)| *id == d.id).map_or(now, |(_, at)| at);
        unit.sight.scrolled = in_mode.then_some((d.id, since));
        if !in_mode || now.since(since) < FORGOTTEN {
            return;
        }
        unit.sight.scrolled = Some((d.id, now));
        let (name, session) = (unit.name.clone(), unit.session.clone());
        let minutes = FORGOTTEN.as_secs() / 60;
        let text =
            format!("{name} ({session}) was left in copy mode for {minutes} min while #{} waited — left it", d.id);
        self.tell(EventKind::Warning, Some(&name), text);
        self.actions.push(Action::LeaveMode { session });
    }
}
