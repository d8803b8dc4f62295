//! What the engine and a shim leave for each other in a run folder.
//!
//! ```text
//! RUN_DIR/launch.json   written by the engine before the start: what to run
//!         shim.json     the shim's pid and start time
//!         piped         the log writer is connected
//!         stopped       the main process is stopped (there while it is)
//!         gap           what of the log was lost, if anything
//!         exit.json     how the main process ended; written again when its whole tree is gone
//! ```
use crate::{model::observation::ExitRecord, world::process::ProcId};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

pub const LAUNCH: &str = "launch.json";
pub const SHIM: &str = "shim.json";
pub const PIPED: &str = "piped";
pub const STOPPED: &str = "stopped";
pub const EXIT: &str = "exit.json";
/// What of the log was lost, in words.
pub const GAP: &str = "gap";

/// Everything one start needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchRecord {
    /// 1.
    pub v: u32,
    /// tmux session, as `AGENTS_SESSION`.
    pub session: String,
    /// Agent or service, as `AGENTS_NAME`.
    pub name: String,
    /// Grows with every start of the session; as `AGENTS_INCARNATION`.
    pub incarnation: u64,
    /// Which fleet, as `AGENTS_FLEET`.
    pub fleet: String,
    /// Absolute path, or a name looked up in PATH.
    pub shell: String,
    /// Run as `shell -c command`.
    pub command: String,
    /// Working directory. It must exist.
    pub dir: PathBuf,
    /// `KEY=VALUE`, each ended by NUL: the environment of the caller of `up`. If it is missing, only `env_set` counts.
    pub env_file: PathBuf,
    /// Wins over `env_file`.
    #[serde(default)]
    pub env_set: BTreeMap<String, String>,
    /// Names, or `PREFIX*`. `TMUX*`, `AGENT_MODEL_*` and `AGENT_BACKEND_*` of `env_file` never get through.
    #[serde(default)]
    pub env_remove: Vec<String>,
    /// Between TERM and KILL when the tree is ended.
    pub grace_ms: u64,
    /// The session's log. Its folder must exist.
    pub log: PathBuf,
    /// Bytes of the log and its older parts together.
    pub log_max_bytes: u64,
    /// How long the program waits for the log writer.
    pub wait_for_log_ms: u64,
    /// Before the program starts, processes that carry this session's marks and an older incarnation are ended.
    #[serde(default)]
    pub sweep: bool,
}

/// Which process the shim is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShimRecord {
    pub pid: u32,
    /// `/proc/PID/stat` field 22.
    pub start: u64,
    /// The main process, once there is one.
    pub child: Option<u32>,
}

impl LaunchRecord {
    /// Nothing to run, in `/`: what tests start from.
    #[cfg(test)]
    pub(super) fn empty() -> LaunchRecord {
        LaunchRecord {
            v: 1,
            session: String::new(),
            name: String::new(),
            incarnation: 0,
            fleet: String::new(),
            shell: "sh".into(),
            command: String::new(),
            dir: "/".into(),
            env_file: PathBuf::new(),
            env_set: BTreeMap::new(),
            env_remove: Vec::new(),
            grace_ms: 0,
            log: PathBuf::new(),
            log_max_bytes: 0,
            wait_for_log_ms: 0,
            sweep: false,
        }
    }

    /// Makes `run_dir` (0700) anew and leaves the record there (0600). Records of an earlier run in it are removed.
    pub fn write(&self, run_dir: &Path) -> io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(run_dir)?;
        for name in [SHIM, PIPED, STOPPED, EXIT, GAP] {
            match std::fs::remove_file(run_dir.join(name)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        write_atomically(&run_dir.join(LAUNCH), &serde_json::to_vec(self)?)
    }
    pub fn read(run_dir: &Path) -> io::Result<LaunchRecord> {
        Ok(serde_json::from_slice(&std::fs::read(run_dir.join(LAUNCH))?)?)
    }
}

impl ShimRecord {
    /// `None`: not there (yet), or not readable.
    pub fn read(run_dir: &Path) -> Option<ShimRecord> {
        serde_json::from_slice(&std::fs::read(run_dir.join(SHIM)).ok()?).ok()
    }
}

/// How this run ended. `None`: it has not, or its shim was killed.
pub fn read_exit(run_dir: &Path) -> Option<ExitRecord> {
    serde_json::from_slice(&std::fs::read(run_dir.join(EXIT)).ok()?).ok()
}

/// The whole file (0600) or none of it: readers never see a half. On a full disk a file that is there already is
/// written over where it stands, which needs no space: a half that cannot be parsed for a moment counts as absent.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temp = path.as_os_str().to_owned();
    temp.push(".new");
    let temp = PathBuf::from(temp);
    let flags = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).mode(0o600).custom_flags(flags);
    let file = options.clone().create(true).truncate(true).open(&temp);
    let written = file.and_then(|mut file| file.write_all(bytes)).and_then(|()| std::fs::rename(&temp, path));
    match written {
        Err(e) if is_full(&e) => {
            let _ = std::fs::remove_file(&temp);
            let Ok(mut file) = options.open(path) else { return Err(e) };
            file.write_all(bytes)?;
            file.set_len(bytes.len() as u64)
        }
        other => other,
    }
}

pub fn is_full(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// For a start on a full disk: the folder of an earlier run becomes that of a new one, so that every record has a
/// file to be written over. `false`: there is none, or its shim lives.
pub fn take_over(old: &Path, new: &Path) -> bool {
    let lives = ShimRecord::read(old).is_some_and(|s| ProcId { pid: s.pid, start: s.start }.is_alive());
    if lives || !old.join(LAUNCH).exists() {
        return false;
    }
    let _ = std::fs::remove_dir_all(new);
    if std::fs::rename(old, new).is_err() {
        return false;
    }
    for name in [PIPED, STOPPED, GAP] {
        let _ = std::fs::remove_file(new.join(name));
    }
    true
}

/// argv of a session's program.
pub fn shim_argv(exe: &Path, run_dir: &Path) -> Vec<String> {
    argv(exe, "__shim", run_dir)
}

/// argv of a session's log writer, for the pipe.
pub fn log_argv(exe: &Path, run_dir: &Path) -> Vec<String> {
    argv(exe, "__log", run_dir)
}

/// argv of the session that shows the watchdog's log.
pub fn watchlog_argv(exe: &Path, file: &Path) -> Vec<String> {
    argv(exe, "__watchlog", file)
}

fn argv(exe: &Path, word: &str, path: &Path) -> Vec<String> {
    vec![exe.to_string_lossy().into_owned(), word.into(), path.to_string_lossy().into_owned()]
}
