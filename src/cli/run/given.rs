//! What one line of `agents run` says of all its jobs.
use super::{
    super::{failure::Failure, job_backends::Backends},
    tmux::Sessions,
};
use crate::{
    jobs::{check, within},
    model::{caller::Caller, job_rules::JobRules, name::printable_cut, time::Wall},
};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub struct Given {
    pub here: PathBuf,
    pub name: Option<String>,
    /// Absolute. `None`: the file decides.
    pub dir: Option<PathBuf>,
    pub env: Arc<Vec<(OsString, OsString)>>,
    pub caller: Arc<Caller>,
    /// The variables of `--env`.
    pub named_env: Vec<OsString>,
    /// Zero: without one, whatever the file says.
    pub timeout: Option<Duration>,
    pub retries: Option<u32>,
    pub group: Option<String>,
    pub after: Vec<String>,
    pub not_before: Option<Wall>,
    pub priority: Option<i64>,
    pub hold: bool,
    pub interactive: bool,
    pub sessions: Sessions,
    pub nice: Option<i32>,
    /// Bytes.
    pub mem: Option<u64>,
    pub procs: Option<u32>,
    pub sandbox: bool,
    pub shell: PathBuf,
    pub rules: JobRules,
    /// Of the jobs' prompts. `None`: the file says it.
    pub backend: Option<String>,
    /// That they take. `None`: the file says it.
    pub model: Option<String>,
    pub backends: Backends,
}

/// The user's own, if it is one whose lines we know; else `sh`.
pub fn shell(own: Option<OsString>) -> PathBuf {
    let own = own.map(PathBuf::from).filter(|shell| {
        let name = shell.file_name().and_then(OsStr::to_str);
        shell.is_absolute() && matches!(name, Some("bash" | "zsh" | "sh")) && shell.is_file()
    });
    own.unwrap_or_else(|| Path::new("/bin/sh").to_owned())
}

/// All of ours, but for what says where we are, and which job we belong to; and what was given on the line.
pub fn environment(given: &[OsString]) -> Result<Vec<(OsString, OsString)>, Failure> {
    const NOT_HANDED_ON: [&str; 7] =
        ["PWD", "OLDPWD", "_", "AGENTS_JOB", "AGENTS_JOB_EPOCH", "AGENTS_JOBS", within::HELD];
    let mut env: Vec<_> =
        std::env::vars_os().filter(|(name, _)| NOT_HANDED_ON.iter().all(|other| name != other)).collect();
    for entry in given {
        let bytes = entry.as_bytes();
        let Some(at) = bytes.iter().position(|b| *b == b'=').filter(|at| *at > 0) else {
            let shown = printable_cut(&entry.to_string_lossy(), 80);
            return Err(Failure::new(2, format!("`--env {shown}` is not NAME=VALUE")));
        };
        let name = OsStr::from_bytes(&bytes[..at]).to_owned();
        env.retain(|(other, _)| *other != name);
        env.push((name, OsString::from_vec(bytes[at + 1..].to_vec())));
    }
    Ok(env)
}

pub fn refused(refused: check::Refused) -> Failure {
    let failure = Failure::new(1, refused.text);
    match refused.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
