//! One fleet as the verbs see it: its checked config, its files, its supervisor, and the one way to ask for a change.
use super::{call_back, config_file, last_good, screens, server, supervision};
use crate::{
    config::{Fault, Strictness},
    decide::done_marker,
    model::{
        observation::{PaneObs, PhaseObs},
        policy::Policy,
        state::{State, UnitState},
    },
    store::{Store, sqlite},
    world::{
        file, git,
        process::ProcId,
        tmux::{PaneRow, Server, TmuxError, list_to_show},
    },
};
use std::{collections::BTreeMap, io::Write, path::Path, time::Duration};

pub use super::{error::FleetError, paths::Paths, supervision::Supervisor};

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

impl Fleet {
    /// `path`: the config file. A broken one: the last good text from the store, with `faults`; none ever: [`FleetError::Config`].
    pub fn load(path: &Path) -> Result<Fleet, FleetError> {
        let path = config_file::resolve(path).map_err(FleetError::Config)?;
        let (policy, config_text, faults) = in_force(&path)?;
        let paths = Paths::of(&policy);
        if last_good::is_known(&path) {
            call_back::call_back(&path, &paths.lock);
        }
        paths.make().map_err(|e| {
            FleetError::Failed(format!("cannot make `{}`: {}", paths.state_dir.display(), super::words::plain(&e)))
        })?;
        let socket = server::of(&policy, &paths).socket_path();
        let fleet = Fleet { policy, paths: paths.on(socket), faults, config_text };
        if fleet.faults.is_empty() {
            last_good::remember(&fleet.policy, &fleet.paths);
        }
        Ok(fleet)
    }

    /// What is in force of the config, for who needs nothing else of its fleet: makes nothing, and looks for no watchdog.
    pub fn policy_of(path: &Path) -> Result<Policy, FleetError> {
        let path = config_file::resolve(path).map_err(FleetError::Config)?;
        in_force(&path).map(|(policy, ..)| policy)
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
        supervision::seen(&self.paths)
    }

    /// One read-only look at the fleet's tmux server: session name -> pane. Empty if the server is down.
    pub fn panes(&self) -> Result<BTreeMap<String, PaneObs>, FleetError> {
        let state = match self.store_to_read()? {
            Some(store) => store.load()?,
            None => State::default(),
        };
        self.panes_of(&state)
    }

    /// Whether the fleet's tmux server has a session of this name: the watchdog's log has one, too.
    pub fn has_session(&self, name: &str) -> Result<bool, FleetError> {
        let rows = list_to_show(&self.server(), LOOK).map_err(|e| FleetError::Failed(e.to_string()))?;
        Ok(rows.is_some_and(|(_, rows)| rows.iter().any(|r| r.session_name == name)))
    }

    /// [`Fleet::panes`] with a state that is loaded already.
    fn panes_of(&self, state: &State) -> Result<BTreeMap<String, PaneObs>, FleetError> {
        let rows = self.rows_to_show().map_err(|e| FleetError::Failed(e.to_string()))?;
        Ok(screens::own_panes(&rows, state, &self.policy, &self.paths.run))
    }

    /// Asks the server for what a verb shows: for [`Fleet::panes_to_show`]. Needs no memory, so that may be read
    /// meanwhile.
    pub fn rows_to_show(&self) -> Result<Vec<PaneRow>, TmuxError> {
        Ok(list_to_show(&self.server(), LOOK)?.map(|(_, rows)| rows).unwrap_or_default())
    }

    /// The fleet's panes among `rows`. While the server does not answer: what was known last, of programs that still
    /// live, and why.
    pub fn panes_to_show(
        &self,
        rows: Result<Vec<PaneRow>, TmuxError>,
        state: &State,
    ) -> Result<(BTreeMap<String, PaneObs>, Option<&'static str>), FleetError> {
        match rows {
            Ok(rows) => Ok((screens::own_panes(&rows, state, &self.policy, &self.paths.run), None)),
            Err(TmuxError::Deadline { .. }) => {
                let alive = |p: &PaneObs| ProcId { pid: p.pid, start: p.pid_start }.is_alive();
                let known = |u: &UnitState| Some((u.session.clone(), u.pane.clone().filter(alive)?));
                Ok((state.units.values().filter_map(known).collect(), Some("the tmux server does not answer")))
            }
            Err(e) => Err(FleetError::Failed(e.to_string())),
        }
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
}

/// The policy, the text that it was made from, and what is wrong with the file, if that is an older one.
fn in_force(path: &Path) -> Result<(Policy, String, Vec<String>), FleetError> {
    let read = match file::read(path, config_file::LARGEST).map(String::from_utf8) {
        Err(e) => Err(vec![format!("cannot read config `{}`: {}", path.display(), super::words::plain(&e))]),
        Ok(Ok(text)) => match config_file::load_text(path, &text, Strictness::Run) {
            Ok(loaded) => Ok((loaded.policy, text)),
            Err(faults) => Err(faults.iter().map(|f: &Fault| f.render(false)).collect()),
        },
        Ok(Err(_)) => Err(vec![format!("config `{}` is not UTF-8", path.display())]),
    };
    Ok(match read {
        Ok((policy, text)) => match last_good::running_elsewhere(path, &policy) {
            Some((running, text, why)) => (running, text, vec![why]),
            None => (policy, text, Vec::new()),
        },
        Err(faults) => match last_good::read(path) {
            Some((policy, text)) => (policy, text, faults),
            None => return Err(FleetError::Config(faults.join("\n"))),
        },
    })
}
