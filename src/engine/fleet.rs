//! One fleet as the verbs see it: its checked config, its files, its supervisor, and the one way to ask for a change.
use super::{
    config_file, journal, last_good,
    lock::{Lock, Role},
    screens, server,
};
use crate::{
    config::{Fault, Strictness},
    decide::done_marker,
    model::{
        observation::{PaneObs, PhaseObs},
        policy::Policy,
        state::{State, UnitState},
    },
    store::{Store, StoreError, sqlite},
    world::{
        file, git,
        process::ProcId,
        tmux::{Server, TmuxError, list_once_within},
    },
};
use std::{collections::BTreeMap, io::Write, path::Path, time::Duration};

pub use super::paths::Paths;
pub use super::supervisor::Supervisor;

/// How long a verb that only looks waits for the tmux server.
pub(super) const LOOK: Duration = Duration::from_secs(2);

/// A configured fleet. Making one reads the config and creates `<log_dir>/state`; it starts nothing.
pub struct Fleet {
    pub policy: Policy,
    pub paths: Paths,
    /// Rendered faults of the file on disk, if `policy` is the last good one instead.
    pub faults: Vec<String>,
    /// The text `policy` was made from.
    pub config_text: String,
}

#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// Exit code 3. Rendered, with line and caret.
    #[error("{0}")]
    Config(String),
    /// Exit code 1.
    #[error("{0}")]
    Failed(String),
    /// Exit code 4.
    #[error("{0}")]
    NoSupervisor(String),
    /// Exit code 5.
    #[error("{0}")]
    Denied(String),
}

impl From<super::heart::Halt> for FleetError {
    fn from(e: super::heart::Halt) -> FleetError {
        FleetError::Failed(e.to_string())
    }
}

impl From<StoreError> for FleetError {
    fn from(e: StoreError) -> FleetError {
        FleetError::Failed(e.to_string())
    }
}

impl Fleet {
    /// `path`: the config file. A broken one: the last good text from the store, with `faults`; none ever: [`FleetError::Config`].
    pub fn load(path: &Path) -> Result<Fleet, FleetError> {
        let path = config_file::resolve(path).map_err(FleetError::Config)?;
        let read = match file::read(&path, config_file::LARGEST).map(String::from_utf8) {
            Err(e) => Err(vec![format!("cannot read config `{}`: {}", path.display(), super::words::plain(&e))]),
            Ok(Ok(text)) => match config_file::load_text(&path, &text, Strictness::Run) {
                Ok(loaded) => Ok((loaded.policy, text)),
                Err(faults) => Err(faults.iter().map(|f: &Fault| f.render(false)).collect()),
            },
            Ok(Err(_)) => Err(vec![format!("config `{}` is not UTF-8", path.display())]),
        };
        let (policy, config_text, faults) = match read {
            Ok((policy, text)) => (policy, text, Vec::new()),
            Err(faults) => match last_good::read(&path) {
                Some((policy, text)) => (policy, text, faults),
                None => return Err(FleetError::Config(faults.join("\n"))),
            },
        };
        let paths = Paths::of(&policy);
        paths.make().map_err(|e| {
            FleetError::Failed(format!("cannot make `{}`: {}", paths.state_dir.display(), super::words::plain(&e)))
        })?;
        let socket = server::of(&policy, &paths).socket_path();
        let fleet = Fleet { policy, paths: paths.on(socket), faults, config_text };
        last_good::remember(&fleet);
        Ok(fleet)
    }

    /// For verbs that start or change something: a broken file is an error even if there is an older good one.
    pub fn must_be_whole(&self) -> Result<(), FleetError> {
        if self.faults.is_empty() { Ok(()) } else { Err(FleetError::Config(self.faults.join("\n"))) }
    }

    /// The fleet's tmux server.
    pub fn server(&self) -> Server {
        server::of(&self.policy, &self.paths)
    }

    pub fn store(&self) -> Result<Box<dyn Store>, FleetError> {
        let opened = sqlite::open(&self.paths.db)?;
        if let Some(notice) = opened.notice {
            // Nobody may be left at the other end.
            let _ = writeln!(std::io::stderr(), "warning: {}", crate::model::name::printable(&notice));
        }
        Ok(Box::new(opened.store))
    }

    /// The store for a verb that only looks: nothing is made. `None` if the fleet never ran.
    pub fn store_to_read(&self) -> Result<Option<Box<dyn Store>>, FleetError> {
        Ok(sqlite::open_read_only(&self.paths.db)?.map(|store| Box::new(store) as Box<dyn Store>))
    }

    /// Who holds the lock now, if it is a supervisor.
    pub fn supervisor(&self) -> Option<Supervisor> {
        let holder = Lock::holder(&self.paths.lock).filter(|h| h.role == Role::Watchdog)?;
        let beat = journal::last_beat(&self.paths.beat).filter(|(at, _)| *at >= holder.since);
        Some(Supervisor {
            pid: holder.pid,
            since: holder.since,
            last_tick: beat.map(|b| b.0),
            tick_ms: beat.map(|b| b.1),
        })
    }

    /// One read-only look at the fleet's tmux server: session name -> pane. Empty if the server is down.
    pub fn panes(&self) -> Result<BTreeMap<String, PaneObs>, FleetError> {
        let state = match self.store_to_read()? {
            Some(store) => store.load()?,
            None => State::default(),
        };
        self.panes_of(&state)
    }

    /// [`Fleet::panes`] with a state that is loaded already.
    fn panes_of(&self, state: &State) -> Result<BTreeMap<String, PaneObs>, FleetError> {
        self.look(state).map_err(|e| FleetError::Failed(e.to_string()))
    }

    /// The panes for a verb that shows them. While the server does not answer: what was known last, of programs that
    /// still live, and why.
    pub fn panes_to_show(
        &self,
        state: &State,
    ) -> Result<(BTreeMap<String, PaneObs>, Option<&'static str>), FleetError> {
        match self.look(state) {
            Ok(panes) => Ok((panes, None)),
            Err(TmuxError::Deadline { .. }) => {
                let alive = |p: &PaneObs| ProcId { pid: p.pid, start: p.pid_start }.is_alive();
                let known = |u: &UnitState| Some((u.session.clone(), u.pane.clone().filter(alive)?));
                Ok((state.units.values().filter_map(known).collect(), Some("the tmux server does not answer")))
            }
            Err(e) => Err(FleetError::Failed(e.to_string())),
        }
    }

    fn look(&self, state: &State) -> Result<BTreeMap<String, PaneObs>, TmuxError> {
        let rows = list_once_within(&self.server(), LOOK)?.map(|(_, rows)| rows).unwrap_or_default();
        Ok(screens::own_panes(&rows, state, &self.policy, &self.paths.run))
    }

    /// The current phase and whether its status file says done. `None` without phases.
    pub fn phase(&self) -> Option<PhaseObs> {
        let phases = self.policy.phases.as_ref()?;
        let index = self.phase_index();
        let phase = phases.phases.get(index)?;
        let query = git::StatusQuery {
            repo: phases.repo.clone(),
            state_subdir: phases.state_subdir.clone(),
            file: phase.status.clone(),
            done_from: phases.done_from.clone(),
        };
        let file = git::read_status(&query);
        let done = file.text.is_some_and(|text| done_marker::is_done(&text, &phases.done_marker));
        Some(PhaseObs { index, done, source: file.source })
    }

    /// As the index file says; a number out of range counts as the nearest phase.
    pub(super) fn phase_index(&self) -> usize {
        let Some(phases) = &self.policy.phases else { return 0 };
        let text = std::fs::read_to_string(&phases.state_file).unwrap_or_default();
        let index: i64 = text.trim().parse().unwrap_or(0);
        (index.max(0) as usize).min(phases.phases.len().saturating_sub(1))
    }

    /// Starts the detached supervisor and waits until it holds the lock. `Ok(false)`: one was running already.
    pub fn start_supervisor(&self) -> Result<bool, FleetError> {
        self.must_be_whole()?;
        super::supervisor::start(self)
    }

    /// Ends the supervisor and waits until the lock is free. `Ok(false)`: none was running.
    pub fn stop_supervisor(&self) -> Result<bool, FleetError> {
        super::supervisor::stop(self)
    }

    /// The supervisor itself, in the foreground: returns when told to stop (TERM, INT) or, with `once`, after one tick.
    /// `dry_run`: decides and prints, does and saves nothing.
    pub fn run_supervisor(&self, once: bool, dry_run: bool) -> Result<(), FleetError> {
        super::supervisor::run(self, once, dry_run, true)
    }
}
