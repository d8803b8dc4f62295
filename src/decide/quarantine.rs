//! A unit whose handling ran into a mistake of this program is left alone: said once, tried again after a growing pause,
//! looked after as before once it was handled for a while. The others go on.
use super::{Mind, unit::Spec};
use crate::model::{
    event::EventKind,
    name::printable_cut,
    state::{Quarantine, UnitState},
    time::human,
};
use std::time::Duration;

/// The first pause, and the longest; each is twice the one before.
const PAUSE: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(1800);
/// Handled for so long after a pause, it is sound.
const TRIAL: Duration = Duration::from_secs(600);

impl Mind<'_> {
    /// Comes before everything else that touches units.
    pub(super) fn quarantines(&mut self) {
        let obs = self.obs;
        for (session, reason) in &obs.broken {
            self.leave_alone(session, reason);
        }
        let now = self.now;
        let (mut ends, mut sound) = (Vec::new(), Vec::new());
        for unit in self.state.units.values_mut() {
            let Some(q) = &mut unit.quarantine else { continue };
            if q.until <= now.boot && q.on {
                (q.on, q.until) = (false, now.after(TRIAL));
                unit.reason.clear();
            } else if q.until <= now.boot {
                unit.quarantine = None;
                sound.push(unit.name.clone());
                continue;
            }
            ends.extend(unit.quarantine.as_ref().map(|q| q.until));
        }
        ends.into_iter().for_each(|until| self.wake_by(until));
        for name in sound {
            self.tell(EventKind::Quarantined, Some(&name), format!("{name} can be handled again"));
        }
    }

    fn leave_alone(&mut self, session: &str, reason: &str) {
        let Some(spec) = self.spec(session) else {
            // Gone from the config; what is left of it is looked at again later.
            if let Some(unit) = self.state.units.get_mut(session) {
                unit.quarantine = Some(after(unit.quarantine.take(), reason, self.now));
            }
            return;
        };
        let now = self.now;
        let unit = self.unit(spec);
        let first = unit.quarantine.is_none();
        let quarantine = after(unit.quarantine.take(), reason, now);
        let pause = Duration::from_millis(quarantine.pause_ms);
        unit.reason = format!("left alone, this program has a fault here: {}", quarantine.reason);
        unit.quarantine = Some(quarantine);
        if first {
            let name = spec.name();
            let text = format!(
                "{name} ({session}) cannot be handled, it is left alone: {reason} — tried again in {}; \
                 `agents up {name}` tries at once",
                human(pause)
            );
            self.alert(EventKind::Quarantined, Some(name), text);
        }
    }

    /// A person asks for this unit: tried at once. False: that is what went wrong just now.
    pub(super) fn released(&mut self, spec: Spec) -> bool {
        let session = spec.session();
        if self.obs.broken.contains_key(session) {
            return false;
        }
        let until = self.now.after(TRIAL);
        if let Some(q) = self.unit(spec).quarantine.as_mut().filter(|q| q.on) {
            (q.on, q.until) = (false, until);
            self.unit(spec).reason.clear();
            // What became of it meanwhile was not noted.
            self.lifecycle(spec);
        }
        true
    }

    pub(super) fn is_left_alone(&self, session: &str) -> bool {
        self.state.units.get(session).is_some_and(UnitState::is_left_alone)
    }
}

fn after(last: Option<Quarantine>, reason: &str, now: crate::model::time::Now) -> Quarantine {
    let pause = last.map_or(PAUSE, |q| (Duration::from_millis(q.pause_ms) * 2).min(LONGEST));
    Quarantine {
        reason: printable_cut(reason, 200),
        on: true,
        until: now.after(pause),
        pause_ms: pause.as_millis() as u64,
    }
}
