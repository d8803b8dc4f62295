//! The state between two decisions: loaded once, saved as differences, carried over a reboot.
use crate::{
    model::{
        delivery::{Delivery, Stage},
        observation::PaneObs,
        state::{FleetState, Life, State, UnitState},
        tally::Tally,
        time::{Boot, Now, Wall},
    },
    store::Changes,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A start that was sent shows within this.
const UNSENT: Duration = Duration::from_secs(1);

/// One moment on both clocks, and the boot it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockMark {
    pub boot_id: String,
    pub boot: Boot,
    pub wall: Wall,
}

impl ClockMark {
    pub const KEY: &str = "clock";

    /// What has to be added to deadlines saved under this mark; `None` in the same boot.
    pub fn shift(&self, boot_id: &str, now: Now) -> Option<i64> {
        if self.boot_id == boot_id {
            return None;
        }
        let gone = (now.wall.0 - self.wall.0).max(0);
        Some(now.boot.0 as i64 - (self.boot.0 as i64 + gone))
    }
}

/// Moves every boottime value of the state.
pub fn shift(state: &mut State, by: i64) {
    let mv = |at: &mut Boot| *at = Boot((at.0 as i64).saturating_add(by).max(0) as u64);
    let opt = |at: &mut Option<Boot>| {
        if let Some(at) = at {
            mv(at)
        }
    };
    let fleet = &mut state.fleet;
    fleet.recent_restarts.iter_mut().for_each(mv);
    opt(&mut fleet.storm_until);
    if let Some(slot) = &mut fleet.slot {
        mv(&mut slot.boot);
    }
    for unit in state.units.values_mut() {
        match &mut unit.life {
            Life::Starting { since, deadline } => {
                mv(since);
                mv(deadline);
            }
            Life::Running { since } => mv(since),
            Life::Backoff { until, .. } => mv(until),
            Life::GaveUp { retry } => opt(retry),
            Life::Ending { deadline, .. } => mv(deadline),
            Life::Absent | Life::Done => {}
        }
        unit.restarts.recent.iter_mut().for_each(mv);
        opt(&mut unit.restarts.last_start);
        opt(&mut unit.wake_due);
        opt(&mut unit.no_force_until);
        if let Some(owed) = &mut unit.owed {
            mv(&mut owed.until);
        }
        if let Some(quarantine) = &mut unit.quarantine {
            mv(&mut quarantine.until);
        }
        unit.sight.spin = None;
        unit.sight.nudged = None;
        (unit.sight.tree, unit.sight.tree_due, unit.sight.quiet_work) = (None, None, None);
        opt(&mut unit.sight.idle_since);
        opt(&mut unit.sight.draft_since);
        mv(&mut unit.tally.counted);
        unit.answered.iter_mut().for_each(|a| mv(&mut a.at));
        // No program outlives a reboot.
        unit.answering = None;
        unit.sight.scrolled = None;
        unit.sight.suspect = None;
        if let Some(hold) = &mut unit.hold {
            mv(&mut hold.until);
        }
    }
    for delivery in state.deliveries.values_mut() {
        mv(&mut delivery.not_before);
        match &mut delivery.stage {
            Stage::Queued { rest, free_since, look } => {
                *rest = None;
                *free_since = None;
                mv(look);
            }
            Stage::Typing { since, check, until, .. } => {
                mv(since);
                mv(check);
                mv(until);
            }
            Stage::Submitting { since, check, gone, .. } => {
                mv(since);
                mv(check);
                *gone = None;
            }
            _ => {}
        }
    }
}

/// The boottime of a moment that has passed.
pub fn boot_of(past: Wall, now: Now) -> Boot {
    Boot(now.boot.0.saturating_sub((now.wall.0 - past.0).max(0) as u64))
}

/// Another process is in charge now. A start that the last one ordered was sent already, or never will be.
pub fn take_over(unit: &mut UnitState, now: Now) {
    if let Life::Starting { .. } = unit.life {
        unit.life = Life::Starting { since: now.boot, deadline: now.after(UNSENT) };
    }
}

/// What of `new` is not on disk yet, given that `old` is. What only the next look needs is not worth a write.
pub fn changes(old: &State, new: &State) -> Changes {
    let mut changes = Changes::default();
    // As a rule they are the same ones, in the same order: then nothing has to be searched for.
    let same_names = old.units.keys().eq(new.units.keys());
    let mut in_order = old.units.values();
    for (session, unit) in &new.units {
        let before = if same_names { in_order.next() } else { old.units.get(session) };
        if before != Some(unit) && before.is_none_or(|b| durable(b) != durable(unit)) {
            changes.units.push(unit.clone());
        }
    }
    if !same_names {
        changes.removed_units = old.units.keys().filter(|s| !new.units.contains_key(*s)).cloned().collect();
    }
    for (id, delivery) in &new.deliveries {
        let same = |before: &Delivery| before == delivery || both_queued(before, delivery);
        if !old.deliveries.get(id).is_some_and(same) {
            changes.deliveries.push(delivery.clone());
        }
    }
    let passes = |fleet: &FleetState| (fleet.next_signal, fleet.next_heavy, fleet.looked, fleet.taken_over);
    if old.fleet != new.fleet {
        let mut fleet = new.fleet.clone();
        (fleet.next_signal, fleet.next_heavy, fleet.looked, fleet.taken_over) = passes(&old.fleet);
        if old.fleet != fleet {
            (fleet.next_signal, fleet.next_heavy, fleet.looked, fleet.taken_over) = passes(&new.fleet);
            changes.fleet = Some(fleet);
        }
    }
    changes
}

/// A unit without what changes with every repaint.
fn durable(unit: &UnitState) -> UnitState {
    let mut unit = unit.clone();
    if let Some(pane) = &mut unit.pane {
        *pane = PaneObs {
            activity: 0,
            title: String::new(),
            command: String::new(),
            in_mode: false,
            input_off: false,
            piped: false,
            ..std::mem::take(pane)
        };
    }
    unit.sight.evidence.clear();
    // Until it is looked at, it is a clock that begins anew with every change of the screen.
    if unit.sight.tree.is_none() && unit.sight.nudged.is_none() {
        (unit.sight.spin, unit.sight.tree_due) = (None, None);
    }
    unit
}

/// Whether `changes`, on top of `old`, are more than clocks that begin anew whenever a screen changes.
pub fn shows(old: &State, changes: &Changes) -> bool {
    let without_clocks = |unit: &UnitState| {
        let mut unit = durable(unit);
        let sight = &mut unit.sight;
        (sight.idle_since, sight.spin, sight.tree, sight.tree_due) = (None, None, None, None);
        unit.tally = Tally::default();
        unit
    };
    !changes.removed_units.is_empty()
        || !changes.deliveries.is_empty()
        || changes.fleet.is_some()
        || changes.units.iter().any(|new| {
            let before = old.units.get(&new.session);
            before.is_none_or(|before| without_clocks(before) != without_clocks(new))
        })
}

fn both_queued(a: &Delivery, b: &Delivery) -> bool {
    matches!((&a.stage, &b.stage), (Stage::Queued { .. }, Stage::Queued { .. })) && a.text == b.text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reboot_keeps_what_is_left_of_a_deadline() {
        let mark = ClockMark { boot_id: "a".into(), boot: Boot(100_000), wall: Wall(1_000_000) };
        // 40 s later by the wall, 5 s after the new boot.
        let now = Now { boot: Boot(5_000), wall: Wall(1_040_000), utc_offset_s: 0, ..Now::default() };
        assert_eq!(mark.shift("a", now), None);
        let by = mark.shift("b", now).unwrap();
        let mut state = State::default();
        let unit = UnitState { life: Life::Backoff { until: Boot(160_000), room: None }, ..UnitState::default() };
        state.units.insert("p-a".into(), unit);
        shift(&mut state, by);
        assert_eq!(state.units["p-a"].life, Life::Backoff { until: now.after(Duration::from_secs(20)), room: None });
    }

    #[test]
    fn a_repaint_is_not_worth_a_write() {
        let mut old = State::default();
        let pane = PaneObs { pane_id: "%1".into(), activity: 1, title: "a".into(), ..PaneObs::default() };
        old.units.insert(
            "p-a".into(),
            UnitState { session: "p-a".into(), pane: Some(pane.clone()), ..UnitState::default() },
        );
        let mut new = old.clone();
        new.fleet.next_signal = Some(Boot(7));
        new.units.get_mut("p-a").unwrap().pane = Some(PaneObs { activity: 2, title: "b".into(), ..pane.clone() });
        assert!(changes(&old, &new).is_empty());
        new.units.get_mut("p-a").unwrap().pane = Some(PaneObs { pid: 5, ..pane });
        let found = changes(&old, &new);
        assert!(found.units.len() == 1 && shows(&old, &found));
        let mut later = new.clone();
        later.units.get_mut("p-a").unwrap().sight.idle_since = Some(Boot(9));
        let found = changes(&new, &later);
        assert!(found.units.len() == 1 && !shows(&new, &found), "saved, and no decision to write down");
    }
}
