//! What is done about an agent that stands still, and when, as far as it can be foreseen; and why nothing is done.
use super::outlook::{Around, Next};
use crate::model::{
    policy::{Agent, StallAction, Watch},
    state::{Seen, UnitState},
    time::{Boot, Wall, human},
};

pub(super) fn next(agent: &Agent, unit: &UnitState, around: Around<'_>) -> Option<Next> {
    let at = |boot: Boot| Some(around.now.wall_at(boot));
    let sight = &unit.sight;
    if let Some(spin) = &sight.spin {
        // Any other work changes its screen before that.
        let near = sight.tree.is_some() && !agent.backend.hang_timeout.is_zero();
        let due = spin.since.after(agent.backend.hang_timeout).max(sight.tree_due.unwrap_or_default());
        return near.then(|| Next { action: "restart-hung", at: at(due) });
    }
    if agent.watch != Watch::HealStall || goes_on(unit).is_some() {
        return None;
    }
    let idle = sight.idle_since?;
    let stall_idle = agent.backend.stall_idle;
    let due = match sight.waiting_until {
        Some(until) => until.after(around.stall_grace),
        None => around.now.wall_at(idle.after(stall_idle)),
    };
    // What its processes do is looked at first.
    let looked = |due: Wall| sight.tree_due.map_or(due, |look| due.max(around.now.wall_at(look)));
    match (agent.backend.stall_action, &sight.nudged) {
        (StallAction::Restart, _) => Some(Next { action: "restart-stalled", at: Some(due) }),
        (StallAction::Nudge, None) => Some(Next { action: "nudge", at: Some(looked(due)) }),
        (StallAction::Nudge, Some(nudged)) => match nudged.over {
            None => Some(Next { action: "nudge", at: None }),
            Some(over) => {
                let due = around.now.wall_at(over.after(stall_idle));
                Some(Next { action: "restart-stalled", at: Some(looked(due)) })
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
pub(super) fn words(unit: &UnitState, around: Around<'_>) -> String {
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
        words.push_str(&format!(", {how} {} ago", human(around.now.boot.since(over))));
    }
    words
}
