//! One process of a job: its command, its environment, its output.
use super::{bounds::Held, pane::Pane};
use crate::{
    model::job::{JobCommand, JobSpec},
    world::process::in_own_session,
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    path::Path,
    process::{Command, Stdio},
};

/// All that a process of the job is started with.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub spec: &'a JobSpec,
    pub env: &'a [(OsString, OsString)],
    /// Of ours; they win.
    pub marks: &'a [(OsString, OsString)],
    pub dir: &'a Path,
    pub log: &'a File,
    pub held: &'a Held,
    /// What it reads. `None`: nothing.
    pub stdin: Option<&'a File>,
}

/// Starts it at its terminal; or, without one, in a session of its own, and what it prints goes straight into the log.
/// Its pid.
pub fn spawn(around: &Surroundings, pane: Option<&Pane>, what: &JobCommand) -> io::Result<u32> {
    let mut command = match what {
        JobCommand::Shell(line) => {
            let mut command = Command::new(&around.spec.shell);
            command.arg("-c").arg(&line.0);
            command
        }
        JobCommand::Argv(words) => {
            let (program, args) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
            let mut command = Command::new(&program.0);
            command.args(args.iter().map(|word| OsStr::new(&word.0)));
            command
        }
        // It is made an argv before ([`super::agent`]).
        JobCommand::Prompt(_) => return Err(io::ErrorKind::InvalidInput.into()),
    };
    let both = [around.env, around.marks].concat();
    command.env_clear().envs(both).env("PWD", around.dir).current_dir(around.dir);
    let limits = around.held.limits(around.spec.nice)?;
    if let Some(pane) = pane {
        pane.seat(&mut command, limits)?;
    } else {
        let stdin = around.stdin.map(File::try_clone).transpose()?.map_or_else(Stdio::null, Stdio::from);
        command.stdin(stdin).stdout(around.log.try_clone()?).stderr(around.log.try_clone()?);
        in_own_session(&mut command, limits);
    }
    Ok(command.spawn()?.id())
}

/// As a shell ends that cannot run a program.
pub fn code_of(error: &io::Error) -> i32 {
    if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
}
