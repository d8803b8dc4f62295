//! A look at the session files of a fleet: which there are, and whose they are.
use super::{
    find::{self, Wanted},
    hooks, living,
    owner::{self, Rule, Session, Suspect},
    places::Base,
    said::folded,
};
use crate::{
    model::{time::Wall, transcript::Program},
    world::process::ProcId,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// What the fleet knows of one agent.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    pub name: String,
    /// `None`: a program whose files we cannot read.
    pub program: Option<Program>,
    /// Where it runs.
    pub dir: PathBuf,
    /// The shim, while there is one.
    pub root: Option<ProcId>,
    /// Content of `state/<name>.id`, and what stood there before.
    pub ids: Vec<String>,
    /// Where its hooks write, if it has any.
    pub hooks: Option<PathBuf>,
    /// When it was started, in any order.
    pub starts: Vec<Wall>,
    /// Its first message, in all forms in which it may have been given.
    pub told: Vec<String>,
}

/// What was found, agents by name.
#[derive(Debug, Default)]
pub struct Survey {
    sessions: Vec<Session>,
    owners: Vec<Option<(usize, Rule)>>,
    agents: Vec<Suspect>,
}

/// Looks for sessions of `subjects`. `environment`: the fleet's, `KEY=VALUE`, NUL-separated: it decides where files are,
/// unless a living process of an agent has one of its own. Files that were not written since `since` are left out,
/// unless an id names them.
pub fn survey(subjects: &[Subject], environment: &[u8], since: Wall) -> Survey {
    let stored = |name: &str| -> Option<OsString> {
        let mut pairs = environment.split(|b| *b == 0);
        let found = pairs.find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        found.map(|value| OsStr::from_bytes(value).to_owned())
    };
    let mut agents = Vec::new();
    let mut places: BTreeMap<Base, Wanted> = BTreeMap::new();
    let (mut claimed, mut others) = (BTreeSet::new(), BTreeSet::new());
    for subject in subjects {
        let dir = subject.dir.canonicalize().unwrap_or_else(|_| subject.dir.clone());
        let processes = subject.root.map(living::processes).unwrap_or_default();
        let mut bases = subject.program.map(|p| bases(p, &dir, &processes, &stored)).unwrap_or_default();
        let named = subject.hooks.as_deref().filter(|_| subject.program == Some(Program::Claude));
        let hooked = named.map(hooks::sessions).unwrap_or_default();
        bases.extend(hooked.iter().filter_map(|(id, path)| Base::of_claude_session(path, id)));
        let mut living = BTreeSet::new();
        let known: BTreeSet<String> = subject.ids.iter().filter(|id| id.len() >= 8).cloned().collect();
        for base in &bases {
            let claims = living::claims(base, &processes);
            living.extend(claims.ours);
            others.extend(claims.others);
            let wanted = places.entry(base.clone()).or_default();
            wanted.dirs.insert(dir.clone());
            wanted.ids.extend(living.iter().chain(&known).cloned());
            let here = hooked.iter().filter(|(_, path)| path.starts_with(base.sessions()));
            for (id, path) in here {
                wanted.ids.insert(id.clone());
                wanted.folders.extend(path.parent().map(Path::to_owned));
            }
        }
        claimed.extend(living.iter().cloned());
        agents.push(Suspect {
            name: subject.name.clone(),
            program: subject.program,
            dir,
            bases: bases.into_iter().map(|b| b.folder).collect(),
            living,
            hooked,
            ids: known,
            starts: runs(subject.starts.clone()),
            told: subject.told.iter().filter(|t| !t.trim().is_empty()).map(|t| folded(t)).collect(),
        });
    }
    let strangers = others.difference(&claimed).cloned().collect();
    let sessions: Vec<Session> = places.iter().flat_map(|(base, wanted)| find::sessions(base, wanted, since)).collect();
    let owners = owner::owners(&sessions, &agents, &strangers);
    Survey { sessions, owners, agents }
}

/// Where the program of an agent may keep its files.
fn bases(
    program: Program,
    dir: &Path,
    processes: &[ProcId],
    stored: &dyn Fn(&str) -> Option<OsString>,
) -> BTreeSet<Base> {
    let of_fleet = Base::of(program, dir, stored);
    // A command line may set a folder of its own: `CLAUDE_CONFIG_DIR=… claude`.
    let own = processes.iter().take(8).filter_map(|p| Base::of(program, dir, |name| living::variable(*p, name)));
    of_fleet.into_iter().chain(own).collect()
}

/// A start may be known twice: from its record, and from the news of it a moment later.
const SAME_START: i64 = 30_000;

/// Starts in order, each once, at the earlier of its two times.
fn runs(mut starts: Vec<Wall>) -> Vec<Wall> {
    starts.sort_unstable();
    let mut runs: Vec<Wall> = Vec::new();
    for start in starts {
        if runs.last().is_none_or(|last| start.0 - last.0 > SAME_START) {
            runs.push(start);
        }
    }
    runs
}

impl Survey {
    fn agent(&self, name: &str) -> Option<usize> {
        self.agents.iter().position(|a| a.name == name)
    }

    /// The agent's sessions, the one that was written last at the end; and why they are its own.
    pub fn sessions_of(&self, name: &str) -> Vec<(&Session, Rule)> {
        let Some(agent) = self.agent(name) else { return Vec::new() };
        let all = self.sessions.iter().zip(&self.owners);
        let own =
            all.filter_map(|(session, owner)| owner.filter(|(i, _)| *i == agent).map(|(_, rule)| (session, rule)));
        let mut own: Vec<_> = own.filter(|(session, _)| !session.helper).collect();
        // A living process knows best which one it is in.
        own.sort_by_key(|(session, rule)| (*rule == Rule::Process, session.written, session.began));
        own
    }

    /// What helpers said within a session.
    pub fn helpers_of(&self, session: &Session) -> impl Iterator<Item = &Session> {
        let parent = session.clone();
        self.sessions.iter().filter(move |s| s.helper && s.id == parent.id && s.base == parent.base)
    }

    /// The one that the agent is in, or was in last.
    pub fn current(&self, name: &str) -> Option<&Session> {
        self.sessions_of(name).pop().map(|(session, _)| session)
    }

    /// Sessions in the agent's folder that cannot be told to be anybody's.
    pub fn doubtful(&self, name: &str) -> usize {
        let Some(agent) = self.agent(name).map(|i| &self.agents[i]) else { return 0 };
        let here = |s: &Session| !s.helper && agent.program == Some(s.program) && s.cwd.as_ref() == Some(&agent.dir);
        self.sessions.iter().zip(&self.owners).filter(|(s, owner)| owner.is_none() && here(s)).count()
    }

    /// Where was looked for an agent's files. Empty: its environment is not known.
    pub fn looked_in(&self, name: &str) -> Vec<PathBuf> {
        let Some(agent) = self.agent(name).map(|i| &self.agents[i]) else { return Vec::new() };
        let Some(program) = agent.program else { return Vec::new() };
        agent.bases.iter().map(|folder| Base { program, folder: folder.clone() }.sessions()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_start_known_twice() {
        let walls = |all: &[i64]| all.iter().map(|s| Wall(s * 1000)).collect::<Vec<_>>();
        assert_eq!(runs(walls(&[500, 100, 101, 129, 131])), walls(&[100, 131, 500]));
    }
}
