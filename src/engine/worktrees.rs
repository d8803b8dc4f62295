//! The worktrees of agents: `<log_dir>/worktrees/<name>`. Made and taken up here, removed by people only.
use super::paths::make_private;
use crate::{
    model::{
        name::printable,
        policy::{Agent, Policy},
        worktree,
    },
    world::{
        file::write_whole,
        git::{GitProgram, WorktreeOrder, WorktreeWork, check_worktree, provide_worktree, work_in},
    },
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// They would lead git in a worktree to the repository of whoever called `up`.
pub const NOT_HANDED_ON: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// Where one start happens.
pub struct Workplace {
    pub dir: PathBuf,
    /// What the agent is told of it.
    pub env: BTreeMap<String, String>,
    pub note: Option<String>,
}

/// The agent's folder: its own `dir`, or the same folder in its worktree, which is made if it is not there.
pub fn workplace(agent: &Agent) -> Result<Workplace, String> {
    let Some(place) = &agent.worktree else {
        return Ok(Workplace { dir: agent.dir.clone(), env: BTreeMap::new(), note: None });
    };
    if let Some(folder) = place.parent() {
        let made = make_private(folder).and_then(|()| {
            // A commit in the project must not take in a worktree that lies in it.
            let ignore = folder.join(".gitignore");
            if ignore.exists() { Ok(()) } else { write_whole(&ignore, b"*\n") }
        });
        made.map_err(|e| format!("cannot make `{}`: {}", folder.display(), super::words::plain(&e)))?;
    }
    let branch = worktree::branch(&agent.name);
    let made = provide_worktree(&order(agent, place, &branch), &GitProgram::default()).map_err(|e| e.to_string())?;
    let env = [("AGENTS_WORKTREE", place.to_string_lossy().into_owned()), ("AGENTS_BRANCH", branch)];
    Ok(Workplace { dir: made.dir, env: env.map(|(k, v)| (k.to_owned(), v)).into(), note: made.note })
}

fn order<'a>(agent: &'a Agent, place: &'a Path, branch: &'a str) -> WorktreeOrder<'a> {
    WorktreeOrder { dir: &agent.dir, place, branch }
}

/// Agents whose worktree cannot be made as things are. Nothing is touched.
pub fn warnings(policy: &Policy) -> Vec<String> {
    let git = GitProgram::default();
    let agents = policy.agents.iter().filter(|a| a.enabled && a.fault.is_none());
    let fault = |agent: &Agent| {
        let place = agent.worktree.as_ref()?;
        let error = check_worktree(&order(agent, place, &worktree::branch(&agent.name)), &git).err()?;
        let text = printable(&error.to_string()).replacen("; hint: ", "\nhint: ", 1);
        Some(format!("agent `{}` cannot have its worktree: {text}", agent.name))
    };
    agents.filter_map(fault).collect()
}

/// A worktree that no agent of the config uses.
pub struct Left {
    pub place: PathBuf,
    /// `None`: it is none of git's, or cannot be read.
    pub work: Option<WorktreeWork>,
}

/// Worktrees that were left by agents which are not in the config any more, or have none there now.
pub fn left(policy: &Policy) -> Vec<Left> {
    let used = |place: &Path| policy.agents.iter().any(|a| a.worktree.as_deref() == Some(place));
    let entries = std::fs::read_dir(worktree::folder(&policy.log_dir)).into_iter().flatten().flatten();
    let mut places: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_dir() && !used(p)).collect();
    places.sort();
    let git = GitProgram::default();
    places.into_iter().map(|place| Left { work: work_in(&place, &git).ok().flatten(), place }).collect()
}
