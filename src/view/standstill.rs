//! What is done about an agent that stands still, and when, as far as it can be foreseen; and why nothing is done.
use crate::model::{
    policy::{Agent, StallAction, Watch},
    state::{Seen, UnitState},
    time::{Boot, Now, Wall, human},
};
use std::time::Duration;

/// What comes next, and when; no moment: with the next pass.
pub(super) fn next(
    agent: &Agent,
    unit: &UnitState,
    stall_grace: Duration,
    now: Now,
) -> Option<(&'static str, Option<Wall>)> {
    let at = |boot: Boot| Some(now.wall_at(boot));
    let sight = &unit.sight;
    if let Some(spin) = &sight.spin {
        // Any other work changes its screen before that.
        let near = sight.tree.is_some() && !agent.backend.hang_timeout.is_zero();
        let due = spin.since.after(agent.backend.hang_timeout).max(sight.tree_due.unwrap_or_default());
        return near.then(|| ("restart-hung", at(due)));
    }
    if agent.watch != Watch::HealStall || goes_on(unit).is_some() {
        return None;
    }
    let idle = sight.idle_since?;
    let stall_idle = agent.backend.stall_idle;
    let due = match sight.waiting_until {
        Some(until) => until.after(stall_grace),
        None => now.wall_at(idle.after(stall_idle)),
    };
    // What its processes do is looked at first.
    let looked = |due: Wall| sight.tree_due.map_or(due, |look| due.max(now.wall_at(look)));
    match (agent.backend.stall_action, &sight.nudged) {
        (StallAction::Restart, _) => Some(("restart-stalled", Some(due))),
        (StallAction::Nudge, None) => Some(("nudge", Some(looked(due)))),
        (StallAction::Nudge, Some(nudged)) => match nudged.over {
            None => Some(("nudge", None)),
            Some(over) => {
                let due = now.wall_at(over.after(stall_idle));
                Some(("restart-stalled", Some(looked(due))))
            }
        },
    }
}

/// The row that says that something goes on in the background.
fn goes_on(unit: &UnitState) -> Option<&str> {
    if unit.sight.state != Seen::Idle {
        return None;
    }
    let evidence = unit.sight.evidence.iter().find(|e| e.rule.ends_with("/background"))?;
    Some(&evidence.text)
}

/// To be added to `idle for 5m` or `working`.
pub(super) fn words(unit: &UnitState, now: Now) -> String {
    let sight = &unit.sight;
    let mut words = String::new();
    if let Some(row) = goes_on(unit) {
        words.push_str(&format!(", in the background: {}", crate::model::name::printable_cut(row, 60)));
    }
    if let Some(work) = &sight.quiet_work {
        words.push_str(&format!(", quiet work ({})", work.what));
    }
    if let Some(over) = sight.nudged.as_ref().and_then(|n| n.over) {
        let how = if sight.nudged.as_ref().is_some_and(|n| n.proved) {
            "told to go on"
        } else {
            "could not be told to go on"
        };
        words.push_str(&format!(", {how} {} ago", human(now.boot.since(over))));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{super::samples::agent, *};
    use crate::model::{
        observation::TreeUse,
        state::{Nudged, QuietWork, Spin, TreeLook},
    };
    use std::sync::Arc;

    fn now() -> Now {
        Now { boot: Boot(1_000_000), wall: Wall(1_800_000_000_000), ..Now::default() }
    }

    fn nudged() -> Agent {
        let mut agent = agent("a");
        let backend = Arc::make_mut(&mut agent.backend);
        backend.stall_action = StallAction::Nudge;
        backend.hang_timeout = Duration::from_secs(300);
        agent
    }

    fn at(agent: &Agent, unit: &UnitState) -> Option<(&'static str, Option<i64>)> {
        let next = next(agent, unit, Duration::from_secs(180), now())?;
        Some((next.0, next.1.map(|wall| (wall.0 - now().wall.0) / 1000)))
    }

    #[test]
    fn a_nudge_and_the_restart_after_it_are_foreseen() {
        let agent = nudged();
        let mut unit = UnitState::default();
        unit.sight.state = Seen::Idle;
        assert_eq!(at(&agent, &unit), None);
        unit.sight.idle_since = Some(Boot(940_000));
        assert_eq!(at(&agent, &unit), Some(("nudge", Some(240))));
        unit.sight.tree_due = Some(Boot(1_300_000));
        unit.sight.quiet_work = Some(QuietWork { since: now().wall, what: "CPU 12.0 % of a core".into() });
        assert_eq!(at(&agent, &unit), Some(("nudge", Some(300))));
        assert_eq!(words(&unit, now()), ", quiet work (CPU 12.0 % of a core)");
        unit.sight = Default::default();
        unit.sight.idle_since = Some(Boot(600_000));
        let told = Nudged { delivery: 1, text: String::new(), before: 0, over: None, proved: true };
        unit.sight.nudged = Some(told.clone());
        assert_eq!(at(&agent, &unit), Some(("nudge", None)));
        unit.sight.nudged = Some(Nudged { over: Some(Boot(990_000)), ..told });
        assert_eq!(at(&agent, &unit), Some(("restart-stalled", Some(290))));
        assert_eq!(words(&unit, now()), ", told to go on 10s ago");
    }

    #[test]
    fn a_hang_is_foreseen_once_it_looks_like_one() {
        let agent = nudged();
        let mut unit = UnitState::default();
        unit.sight.state = Seen::Working;
        unit.sight.spin = Some(Spin { began: Boot(0), still: 7, since: Boot(840_000), other: None });
        assert_eq!(at(&agent, &unit), None);
        unit.sight.tree = Some(TreeLook { at: Boot(990_000), usage: TreeUse::default() });
        assert_eq!(at(&agent, &unit), Some(("restart-hung", Some(140))));
    }
}
