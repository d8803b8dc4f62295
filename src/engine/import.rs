//! What the old driver left: its limit holds are taken over once.
use super::{heart::Heart, memory, paths::Paths};
use crate::{
    model::{
        policy::Policy,
        state::{Hold, State, UnitState},
        time::{Now, Wall},
    },
    store::Durability,
    world::clock,
};
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Deserialize)]
struct OldLimit {
    /// Epoch seconds.
    until: f64,
    #[serde(default)]
    nudges: u32,
}

/// Makes holds of `limited-<session>.json`. The files go only when the holds are on the disk; if that fails, the next
/// engine tries again.
pub(super) fn old_limits(heart: &mut Heart) {
    let mut state = heart.state.clone();
    let files = take(&mut state, &heart.policy(), &heart.paths, clock::now());
    let changes = memory::changes(&heart.state, &state);
    if files.is_empty() || heart.saver.store.save(&heart.saver.claim, &changes, Durability::Full).is_err() {
        return;
    }
    heart.state = state;
    for file in files {
        let _ = std::fs::remove_file(file);
    }
}

/// Reads the files into the state, and names them. Unreadable ones are as good as absent.
fn take(state: &mut State, policy: &Policy, paths: &Paths, now: Now) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for agent in &policy.agents {
        let file = paths.old_limit(&agent.session);
        let Ok(text) = std::fs::read(&file) else { continue };
        found.push(file);
        let Ok(old) = serde_json::from_slice::<OldLimit>(&text) else { continue };
        if !old.until.is_finite() {
            continue;
        }
        let until_wall = Wall((old.until * 1000.0) as i64);
        let unit = state.units.entry(agent.session.clone()).or_insert_with(|| UnitState {
            name: agent.name.clone(),
            session: agent.session.clone(),
            since: now.wall,
            ..UnitState::default()
        });
        unit.hold.get_or_insert(Hold {
            since: now.wall,
            until: now.boot_at(until_wall),
            until_wall,
            reset: None,
            probes: old.nudges,
            pause_ms: policy.watchdog.limit_probe_fallback.as_millis() as u64,
            gone: None,
        });
    }
    found
}
