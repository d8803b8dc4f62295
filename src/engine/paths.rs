//! Where a fleet keeps its things.
use crate::{
    model::policy::Policy,
    store::Durability,
    world::file::{write_whole, write_whole_unsynced},
};
use std::path::{Path, PathBuf};

/// All absolute. Directories are 0700, files 0600.
#[derive(Clone, Debug)]
pub struct Paths {
    pub log_dir: PathBuf,
    pub state_dir: PathBuf,
    /// SQLite file: `<log_dir>/agents.db`.
    pub db: PathBuf,
    /// tmux socket of the fleet's server.
    pub socket: PathBuf,
    /// Held with flock by whoever runs the engine; says who that is.
    pub lock: PathBuf,
    /// Held with flock by whoever brings the watchdog back; says who that is and what it did.
    pub guardian: PathBuf,
    /// Time and length of the supervisor's last tick.
    pub beat: PathBuf,
    /// `<log_dir>/<prefix>watchdog.log`.
    pub watchdog_log: PathBuf,
    /// Environment of the caller of `up`: `KEY=VALUE`, NUL-separated.
    pub env: PathBuf,
    /// `run/<session>/<incarnation>/`: launch record, the shim's notes.
    pub run: PathBuf,
    /// Texts that are too long to be typed.
    pub messages: PathBuf,
    /// The record of decisions.
    pub decisions: PathBuf,
}

impl Paths {
    /// `socket` is where a server of our own would listen until [`Paths::on`] says otherwise.
    pub fn of(policy: &Policy) -> Paths {
        let state = policy.state_dir();
        let own = |what: &str| state.join(format!("{}{what}", policy.session_prefix));
        Paths {
            log_dir: policy.log_dir.clone(),
            db: policy.log_dir.join("agents.db"),
            lock: own("agents.lock"),
            guardian: guardian_beside(&own("agents.lock")),
            beat: own("agents.beat"),
            watchdog_log: policy.log_dir.join(format!("{}.log", policy.watchdog_session())),
            env: own("agents.env"),
            socket: state.join("tmux.sock"),
            run: state.join("run"),
            messages: state.join("messages"),
            decisions: state.join("decisions"),
            state_dir: state,
        }
    }

    pub fn on(self, socket: PathBuf) -> Paths {
        Paths { socket, ..self }
    }

    pub fn run_dir(&self, session: &str, incarnation: u64) -> PathBuf {
        self.run.join(session).join(incarnation.to_string())
    }
    pub fn kickoff(&self, session: &str) -> PathBuf {
        self.state_dir.join(format!("kickoff-{session}.txt"))
    }
    pub fn session_log(&self, session: &str) -> PathBuf {
        self.log_dir.join(format!("{session}.log"))
    }
    pub fn resume_id(&self, name: &str) -> PathBuf {
        self.state_dir.join(format!("{name}.id"))
    }
    /// Where an agent's hooks append what happens in it.
    pub fn hooks(&self, name: &str) -> PathBuf {
        self.state_dir.join(format!("{name}.hooks"))
    }
    /// The settings that ask for them.
    pub fn hook_settings(&self, name: &str) -> PathBuf {
        self.state_dir.join(format!("{name}.hooks.json"))
    }
    /// Written by the old driver; read once.
    pub fn old_limit(&self, session: &str) -> PathBuf {
        self.state_dir.join(format!("limited-{session}.json"))
    }
    pub fn sequence_complete(&self) -> PathBuf {
        self.log_dir.join("SEQUENCE-COMPLETE")
    }
    /// `<log_dir>` and `state/`, made if missing.
    pub fn make(&self) -> std::io::Result<()> {
        self.make_with(Durability::Full)
    }

    /// The same; how sure it is to be there after the power failed, `durability` says.
    pub fn make_with(&self, durability: Durability) -> std::io::Result<()> {
        if self.log_dir.is_symlink() && !self.log_dir.exists() {
            let text = format!("`{}` is a symbolic link that leads nowhere", self.log_dir.display());
            return Err(std::io::Error::other(text));
        }
        if !self.log_dir.is_dir() {
            make_private(&self.log_dir)?;
            // An agent's `git add -A` must not publish logs and the kept environment. Best effort: without it all works.
            let write = match durability {
                Durability::Full => write_whole,
                Durability::Normal => write_whole_unsynced,
            };
            let _ = write(&self.log_dir.join(".gitignore"), b"*\n");
        }
        make_private(&self.state_dir)
    }
}

/// The guardian's lock, by the engine's.
pub fn guardian_beside(lock: &Path) -> PathBuf {
    lock.with_extension("guardian")
}

/// Makes a directory (and its parents) that only its owner may enter; one that exists keeps its mode.
pub fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if dir.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}
