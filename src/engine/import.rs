//! What the old driver left: its limit holds are taken over once.
use super::paths::Paths;
use crate::model::{
    policy::Policy,
    state::{Hold, State, UnitState},
    time::{Now, Wall},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct OldLimit {
    /// Epoch seconds.
    until: f64,
    #[serde(default)]
    nudges: u32,
}

/// Reads `limited-<session>.json` into holds, and removes the files. Unreadable ones are as good as absent.
pub fn old_limits(state: &mut State, policy: &Policy, paths: &Paths, now: Now) {
    for agent in &policy.agents {
        let file = paths.old_limit(&agent.session);
        let Ok(text) = std::fs::read(&file) else { continue };
        if let Ok(old) = serde_json::from_slice::<OldLimit>(&text)
            && old.until.is_finite()
        {
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
            });
        }
        let _ = std::fs::remove_file(&file);
    }
}
