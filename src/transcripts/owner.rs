//! Which session belongs to which agent. What cannot be told is nobody's: a guess would count one agent's work for
//! another, or take one's words for the proof of another's.
//!
//! In this order; `dir` and program always have to be the agent's own:
//!
//! | rule | a session is an agent's, if |
//! |---|---|
//! | `process` | a living process of the agent's own tree says so: Claude Code in `sessions/<pid>.json`, Codex by having the file open (its daemon does not count, it serves several) |
//! | – | a living process of nobody's tree says that it is its own: then it is nobody's |
//! | `hook` | a hook that the agent's program ran named it, and this file of it ([`super::hooks`]), and that of no other agent did |
//! | `id` | `state/<name>.id` names it, or named it before a fresh session, and that of no other agent does |
//! | `words` | it began while the agent ran, with exactly what this agent is told first, and no other agent fits as well |
//! | `alone` | it began while the agent ran, no other agent of that program has the same folder, and no other session began there in that run |
use crate::model::{time::Wall, transcript::Program};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// A session file, by its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub program: Program,
    /// The program's own folder that it is in.
    pub base: PathBuf,
    pub path: PathBuf,
    pub id: String,
    /// Where the program ran.
    pub cwd: Option<PathBuf>,
    pub began: Option<Wall>,
    /// The user's first text, as [`super::said::folded`].
    pub first: Option<u64>,
    /// When it was written last.
    pub written: Wall,
    /// A conversation of a helper within a session; it is part of the session with this `id`.
    pub helper: bool,
}

/// What is known of an agent.
#[derive(Clone, Debug, Default)]
pub struct Suspect {
    pub name: String,
    pub program: Option<Program>,
    /// Without symbolic links.
    pub dir: PathBuf,
    /// Where its program may keep its files.
    pub bases: BTreeSet<PathBuf>,
    /// Sessions of its living processes.
    pub living: BTreeSet<String>,
    /// Sessions that its hooks named, with their files.
    pub hooked: BTreeSet<(String, PathBuf)>,
    /// Content of `state/<name>.id`, and what stood there before.
    pub ids: BTreeSet<String>,
    /// When it was started, the oldest first.
    pub starts: Vec<Wall>,
    /// What it is told first, as [`super::said::folded`], in all forms.
    pub told: BTreeSet<u64>,
}

/// Why a session is an agent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Process,
    Hook,
    Id,
    Words,
    Alone,
}

impl Suspect {
    fn is_at(&self, session: &Session) -> bool {
        self.program == Some(session.program)
            && self.bases.contains(&session.base)
            && session.cwd.as_deref() == Some(self.dir.as_path() as &Path)
    }

    /// A helper's file is not named, only the session that it belongs to.
    fn has_hooked(&self, session: &Session) -> bool {
        self.hooked.iter().any(|(id, path)| *id == session.id && (session.helper || *path == session.path))
    }

    /// In which of its runs that moment lies: the time of that start.
    fn run_at(&self, at: Option<Wall>) -> Option<Wall> {
        let at = at?;
        self.starts.iter().rev().find(|start| **start <= at).copied()
    }
}

/// For each session: the index of its agent, and why. `strangers`: sessions of living processes that are no agent's.
pub fn owners(sessions: &[Session], agents: &[Suspect], strangers: &BTreeSet<String>) -> Vec<Option<(usize, Rule)>> {
    sessions.iter().map(|session| owner(session, sessions, agents, strangers)).collect()
}

fn owner(
    session: &Session,
    all: &[Session],
    agents: &[Suspect],
    strangers: &BTreeSet<String>,
) -> Option<(usize, Rule)> {
    let only = |fits: &dyn Fn(&Suspect) -> bool| {
        let mut found = agents.iter().enumerate().filter(|(_, a)| fits(a)).map(|(i, _)| i);
        (found.next(), found.next())
    };
    let theirs = |a: &Suspect| a.program == Some(session.program) && a.bases.contains(&session.base);
    match only(&|a| theirs(a) && a.living.contains(&session.id)) {
        (Some(agent), None) => return Some((agent, Rule::Process)),
        (Some(_), Some(_)) => return None,
        (None, _) if strangers.contains(&session.id) => return None,
        (None, _) => {}
    }
    match only(&|a| theirs(a) && a.has_hooked(session)) {
        (Some(agent), None) => return Some((agent, Rule::Hook)),
        (Some(_), Some(_)) => return None,
        (None, _) => {}
    }
    match only(&|a| theirs(a) && a.ids.contains(&session.id)) {
        (Some(agent), None) => return Some((agent, Rule::Id)),
        (Some(_), Some(_)) => return None,
        (None, _) => {}
    }
    let ran = |a: &Suspect| a.is_at(session) && a.run_at(session.began).is_some();
    let first = session.first?;
    match only(&|a| ran(a) && a.told.contains(&first)) {
        (Some(agent), None) => return Some((agent, Rule::Words)),
        (Some(_), Some(_)) => return None,
        (None, _) => {}
    }
    let (Some(agent), None) = only(&|a| a.is_at(session)) else { return None };
    let suspect = &agents[agent];
    let run = suspect.run_at(session.began)?;
    let same_run = |s: &&Session| !s.helper && suspect.is_at(s) && suspect.run_at(s.began) == Some(run);
    (all.iter().filter(same_run).count() == 1).then_some((agent, Rule::Alone))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(name: &str, told: u64) -> Suspect {
        Suspect {
            name: name.into(),
            program: Some(Program::Claude),
            dir: "/p".into(),
            bases: [PathBuf::from("/h")].into(),
            starts: vec![Wall(100), Wall(1000)],
            told: [told].into(),
            ..Suspect::default()
        }
    }

    fn session(id: &str, began: i64, first: u64) -> Session {
        Session {
            program: Program::Claude,
            base: "/h".into(),
            path: format!("/h/{id}").into(),
            id: id.into(),
            cwd: Some("/p".into()),
            began: Some(Wall(began)),
            first: Some(first),
            written: Wall(began),
            helper: false,
        }
    }

    fn told(sessions: &[Session], agents: &[Suspect], strangers: &[&str]) -> Vec<Option<(usize, Rule)>> {
        owners(sessions, agents, &strangers.iter().map(|s| s.to_string()).collect())
    }

    #[test]
    fn one_agent_and_one_session() {
        let a = agent("a", 1);
        let of = |s: Session| told(&[s], std::slice::from_ref(&a), &[])[0];
        assert_eq!(of(session("x", 150, 1)), Some((0, Rule::Words)));
        assert_eq!(of(session("x", 150, 9)), Some((0, Rule::Alone)));
        assert_eq!(of(session("x", 99, 1)), None, "older than its start");
        assert_eq!(of(Session { cwd: Some("/p/sub".into()), ..session("x", 150, 1) }), None);
        assert_eq!(of(Session { program: Program::Codex, ..session("x", 150, 1) }), None);
        assert_eq!(of(Session { base: "/other".into(), ..session("x", 150, 1) }), None);
        assert_eq!(of(Session { began: None, ..session("x", 150, 1) }), None);
        assert_eq!(of(Session { first: None, ..session("x", 150, 1) }), None, "nothing was said yet");
    }

    #[test]
    fn a_second_session_in_the_same_run_is_nobodys() {
        let a = [agent("a", 1)];
        let both = [session("x", 150, 8), session("y", 200, 9)];
        assert_eq!(told(&both, &a, &[]), [None, None]);
        let known = [session("x", 150, 1), session("y", 200, 9), session("z", 1100, 9)];
        assert_eq!(told(&known, &a, &[]), [Some((0, Rule::Words)), None, Some((0, Rule::Alone))], "another run");
    }

    #[test]
    fn two_agents_in_one_folder_are_told_apart_by_what_they_were_told() {
        let agents = [agent("a", 1), agent("b", 2)];
        let sessions = [session("x", 150, 2), session("y", 160, 1), session("z", 170, 3)];
        assert_eq!(told(&sessions, &agents, &[]), [Some((1, Rule::Words)), Some((0, Rule::Words)), None]);
        let alike = [agent("a", 1), agent("b", 1)];
        assert_eq!(told(&sessions[1..2], &alike, &[]), [None], "the same words");
    }

    #[test]
    fn a_process_is_the_best_witness() {
        let mut agents = [agent("a", 1), agent("b", 1)];
        agents[1].living.insert("x".into());
        agents[0].ids.insert("x".into());
        let sessions = [session("x", 5, 7), session("y", 150, 9)];
        assert_eq!(told(&sessions, &agents, &[]), [Some((1, Rule::Process)), None]);
        let one = [agent("a", 1)];
        assert_eq!(told(&[session("x", 150, 1)], &one, &["x"]), [None], "a person's own, with the same words");
    }

    #[test]
    fn a_hook_is_a_better_witness_than_what_was_written_down() {
        let mut agents = [agent("a", 1), agent("b", 1)];
        agents[0].ids.insert("x".into());
        agents[1].hooked.insert(("x".into(), "/h/x".into()));
        let (x, y) = (session("x", 5, 7), session("y", 150, 9));
        let helper = Session { path: "/h/x/h1".into(), helper: true, ..x.clone() };
        let copy = Session { path: "/h/copy/x".into(), ..x.clone() };
        let hook = Some((1, Rule::Hook));
        assert_eq!(told(&[x.clone(), y, helper, copy], &agents, &[]), [hook, None, hook, Some((0, Rule::Id))]);
        assert_eq!(told(std::slice::from_ref(&x), &agents, &["x"]), [None], "a person went on with it");
        agents[0].hooked.insert(("x".into(), "/h/x".into()));
        assert_eq!(told(std::slice::from_ref(&x), &agents, &[]), [None], "both say so");
        agents[0].living.insert("x".into());
        assert_eq!(told(&[x], &agents, &[]), [Some((0, Rule::Process))]);
    }

    #[test]
    fn an_id_of_two_agents_is_nobodys() {
        let mut agents = [agent("a", 1), agent("b", 2)];
        agents[0].ids.insert("x".into());
        assert_eq!(told(&[session("x", 5, 7)], &agents, &[]), [Some((0, Rule::Id))], "also one of long ago");
        agents[1].ids.insert("x".into());
        assert_eq!(told(&[session("x", 150, 1)], &agents, &[]), [None]);
    }
}
