//! One fleet as the verbs see it: its checked config, its files, its supervisor, and the one way to ask for a change.
use crate::{
    model::{
        event::Event,
        observation::{PaneObs, PhaseObs},
        policy::Policy,
        request::{Answer, Verb},
        time::Wall,
    },
    store::Store,
};
use std::{collections::BTreeMap, path::PathBuf};

/// A configured fleet. Making one reads the config and creates `<log_dir>/state`; it starts nothing.
pub struct Fleet {
    pub policy: Policy,
    pub paths: Paths,
    /// Rendered faults of the file on disk, if `policy` is the last good one instead.
    pub faults: Vec<String>,
    /// The text `policy` was made from.
    pub config_text: String,
}

/// Where the fleet keeps its things. All absolute.
#[derive(Clone, Debug)]
pub struct Paths {
    pub state_dir: PathBuf,
    /// SQLite file: `<log_dir>/agents.db`.
    pub db: PathBuf,
    /// tmux socket.
    pub socket: PathBuf,
    /// Held with flock by whoever runs the engine; contains the holder's pid.
    pub lock: PathBuf,
    /// `<log_dir>/<prefix>watchdog.log`.
    pub watchdog_log: PathBuf,
}

/// A supervisor that holds the fleet's lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Supervisor {
    pub pid: u32,
    pub since: Wall,
    pub last_tick: Option<Wall>,
    pub tick_ms: Option<f64>,
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

impl Fleet {
    /// `path`: `--config`, else `AGENTS_CONFIG`, else `./agents.toml`, else the nearest one in a parent folder.
    /// A broken file: the last good text from the store, with `faults`; none ever: [`FleetError::Config`].
    pub fn load(_path: Option<PathBuf>) -> Result<Fleet, FleetError> {
        Err(FleetError::Failed("not built yet".into()))
    }
    pub fn store(&self) -> Result<Box<dyn Store>, FleetError> {
        Err(FleetError::Failed("not built yet".into()))
    }
    /// Who holds the lock now, if it is a supervisor.
    pub fn supervisor(&self) -> Option<Supervisor> {
        None
    }
    /// One read-only look at the fleet's tmux server: session name -> pane. Empty if the server is down.
    pub fn panes(&self) -> Result<BTreeMap<String, PaneObs>, FleetError> {
        Ok(BTreeMap::new())
    }
    /// Asks for a change. With a supervisor: a request row, answered by it. Without: passes of the engine in this
    /// process, under the fleet's lock, until what was asked is settled. `say` gets every event as it happens.
    pub fn perform(&self, _verb: Verb, _say: &mut dyn FnMut(&Event)) -> Result<Answer, FleetError> {
        Err(FleetError::Failed("not built yet".into()))
    }
    /// Starts the detached supervisor and waits until it holds the lock. `Ok(false)`: one was running already.
    pub fn start_supervisor(&self) -> Result<bool, FleetError> {
        Err(FleetError::Failed("not built yet".into()))
    }
    /// Ends the supervisor and waits until the lock is free. `Ok(false)`: none was running.
    pub fn stop_supervisor(&self) -> Result<bool, FleetError> {
        Err(FleetError::Failed("not built yet".into()))
    }
    /// The supervisor itself, in the foreground: returns when told to stop (TERM, INT) or, with `once`, after one tick.
    /// `dry_run`: decides and prints, does and saves nothing.
    pub fn run_supervisor(&self, _once: bool, _dry_run: bool) -> Result<(), FleetError> {
        Err(FleetError::Failed("not built yet".into()))
    }
}

// What the verbs need besides.
impl Fleet {
    /// The current phase and whether its status file says done. `None` without phases.
    pub fn phase(&self) -> Option<PhaseObs> {
        None
    }
    /// Sessions of this fleet on the user's default tmux server, where the fleet uses another one.
    pub fn foreign_sessions(&self) -> Result<Vec<String>, FleetError> {
        Ok(Vec::new())
    }
    /// Takes those over: ends them there, so that they can be started here.
    pub fn adopt(&self, _say: &mut dyn FnMut(&Event)) -> Result<(), FleetError> {
        Err(FleetError::Failed("not built yet".into()))
    }
}
