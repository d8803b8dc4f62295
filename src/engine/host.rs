//! The machine, looked at when something may be started, and only then.
use crate::{
    decide::starts_near,
    model::{host::HostObs, observation::Observation, policy::Policy, state::State, time::Now},
    world::machine,
};

/// What the machine has for the starts that this decision may order. `None`: none is near, or nothing is asked for.
pub fn look(obs: &Observation, state: &State, policy: &Policy, now: Now) -> Option<HostObs> {
    let rules = &policy.host;
    if rules.asks_nothing() {
        return None;
    }
    let near = starts_near(obs, state, policy, now);
    if near.is_empty() {
        return None;
    }
    Some(machine::look(rules, near.into_iter().chain([policy.log_dir.as_path()])))
}
