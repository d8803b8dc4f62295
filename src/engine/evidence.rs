//! What agents bring about beside their screens: what their process trees use, for those few of which the next decision
//! asks it, and their commits, where the config asks for it.
use crate::{
    decide,
    model::{
        observation::{Observation, TreeUse},
        policy::Policy,
        state::State,
        time::{Now, Wall},
    },
    world::{
        git::last_commit,
        process::{ProcId, tree_use},
    },
};
use std::collections::BTreeMap;

/// By session. The root is the first process of its pane: our shim, where we started it.
pub fn tree_uses(obs: &Observation, state: &State, now: Now) -> BTreeMap<String, TreeUse> {
    let root = |session: &str| {
        let pane = obs.panes.get(session).filter(|p| !p.dead && p.pid_start != 0)?;
        Some(ProcId { pid: pane.pid, start: pane.pid_start })
    };
    let due = decide::tree_looks(state, now).into_iter();
    due.filter_map(|session| Some((session.to_owned(), tree_use(root(session)?)?))).collect()
}

/// The last commit of each agent of which somebody wants to know.
pub fn committed(policy: &Policy) -> BTreeMap<String, Wall> {
    let asked = policy.watched().filter(|a| !a.backend.no_progress.is_zero());
    asked.filter_map(|a| Some((a.session.clone(), last_commit(&a.dir)?))).collect()
}
