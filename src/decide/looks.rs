//! Which panes are worth a look now, and when the next look is due.
use super::{limit::PROVED, uptake};
use crate::model::{
    delivery::{Delivery, DeliveryKind, Stage},
    policy::Policy,
    state::{Life, State, UnitState, Wish},
    time::{Boot, Now},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Two captures that are to be equal lie at least this far apart.
pub const REST: Duration = Duration::from_millis(150);
/// The second look after a suspicion.
pub const SECOND_LOOK: Duration = Duration::from_millis(200);

/// Sessions whose screens the next decision needs.
pub fn looks<'a>(state: &'a State, policy: &'a Policy, now: Now, supervised: bool) -> BTreeSet<&'a str> {
    let mut wanted = BTreeSet::new();
    let due = |next: Option<Boot>| next.is_none_or(|at| at <= now.boot);
    if supervised && (due(state.fleet.next_signal) || due(state.fleet.next_heavy)) {
        let running = |session: &str| {
            state.units.get(session).is_some_and(|u| matches!(u.life, Life::Running { .. }) && !u.is_left_alone())
        };
        let seen = |a: &&crate::model::policy::Agent| (a.is_watched() || a.wake.is_some()) && running(&a.session);
        wanted = policy.agents.iter().filter(seen).map(|a| a.session.as_str()).collect();
    }
    for unit in state.units.values() {
        let taken = is_looked_at(unit).then(|| uptake::next_look(unit, now)).flatten();
        if unit_look(unit).into_iter().chain(taken).any(|at| at <= now.boot) {
            wanted.insert(&unit.session);
        }
    }
    for delivery in heads(state) {
        if delivery_look(delivery) <= now.boot {
            wanted.insert(&delivery.session);
        }
    }
    wanted
}

/// Sessions whose process trees the next decision needs, too.
pub fn tree_looks(state: &State, now: Now) -> BTreeSet<&str> {
    let due = |unit: &&UnitState| unit_look(unit).is_some() && unit.sight.tree_due.is_some_and(|at| at <= now.boot);
    state.units.values().filter(due).map(|unit| unit.session.as_str()).collect()
}

/// The moment of the next look that does not wait for the next periodic pass.
pub(super) fn next_look(state: &State, now: Now) -> Boot {
    let far = now.after(Duration::from_secs(3600));
    let units = state.units.values().filter_map(unit_look);
    let taken = state.units.values().filter(|u| is_looked_at(u)).filter_map(|u| uptake::next_look(u, now));
    let taken = taken.map(|at| at.max(now.after(uptake::LOOK)));
    let texts = heads(state).map(delivery_look);
    units.chain(taken).chain(texts).fold(far, Boot::min)
}

fn is_looked_at(unit: &UnitState) -> bool {
    matches!(unit.life, Life::Running { .. }) && unit.wish != Wish::Pause && !unit.is_left_alone()
}

fn unit_look(unit: &UnitState) -> Option<Boot> {
    if !is_looked_at(unit) {
        return None;
    }
    let suspect = unit.sight.suspect.as_ref().map(|s| s.at.after(SECOND_LOOK));
    let hold = unit.hold.as_ref().map(|h| h.gone.map_or(h.until, |gone| gone.after(PROVED)));
    let trouble = unit.trouble.as_ref().filter(|t| t.gone.is_none()).map(|t| t.until);
    let dialog = unit.answering.as_ref().map(|a| a.look);
    suspect.into_iter().chain(hold).chain(trouble).chain(dialog).chain(unit.sight.tree_due).min()
}

fn delivery_look(delivery: &Delivery) -> Boot {
    match &delivery.stage {
        Stage::Queued { look, .. } => (*look).max(delivery.not_before),
        Stage::Typing { check, .. } => *check,
        Stage::Submitting { check, gone, .. } => gone.map_or(*check, |at| at.after(SECOND_LOOK).min(*check)),
        _ => Boot(u64::MAX),
    }
}

/// Whose turn it is in each session whose program runs: the text under way, else what gets it out of a limit or an error,
/// else a first message, else the oldest.
pub(super) fn heads(state: &State) -> impl Iterator<Item = &Delivery> {
    let runs = |session: &str| {
        let unit = state.units.get(session);
        unit.is_some_and(|u| matches!(u.life, Life::Running { .. }) && u.wish != Wish::Pause && !u.is_left_alone())
    };
    // What gets an agent out of a limit or an error comes before all that waits for it to be out.
    let rank = |d: &Delivery| match (&d.stage, d.kind) {
        (Stage::Queued { .. }, DeliveryKind::Probe | DeliveryKind::GoOn) => 1,
        (Stage::Queued { .. }, DeliveryKind::Kickoff) => 2,
        (Stage::Queued { .. }, _) => 3,
        _ => 0,
    };
    let mut heads: BTreeMap<&str, &Delivery> = BTreeMap::new();
    for d in state.deliveries.values().filter(|d| !d.stage.is_over() && runs(&d.session)) {
        let head = heads.entry(d.session.as_str()).or_insert(d);
        if rank(d) < rank(head) {
            *head = d;
        }
    }
    heads.into_values()
}
