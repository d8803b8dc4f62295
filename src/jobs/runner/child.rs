//! One process of a job: its command, its environment, its output.
use super::{bounds::Held, pane::Pane};
use crate::{
    model::{
        caller::Caller,
        job::{JobCommand, JobSpec},
    },
    world::process::{Begin, Changes, Limits, as_umask, in_own_session, keep_private, spawn as spawn_program},
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::fd::AsFd,
    path::Path,
    process::{Command, Stdio},
};

/// All that a process of the job is started with.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub spec: &'a JobSpec,
    pub env: &'a [(OsString, OsString)],
    /// What else it gets. `None`: what we were handed ourselves.
    pub caller: Option<&'a Caller>,
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
    let caller = around.caller.unwrap_or_else(|| keep_private());
    as_umask(caller.umask, || begin(around, Changes::to(caller), pane, what))
}

fn begin(around: &Surroundings, changes: Option<Changes>, pane: Option<&Pane>, what: &JobCommand) -> io::Result<u32> {
    let limits = Limits { changes, ..around.held.limits(around.spec.nice)? };
    // Whatever that cannot do, or fails at, the longer way does, or tells.
    if pane.is_none()
        && limits.is_none()
        && let Ok(pid) = quickly(around, what)
    {
        return Ok(pid);
    }
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
    if let Some(pane) = pane {
        pane.seat(&mut command, limits)?;
    } else {
        let stdin = around.stdin.map(File::try_clone).transpose()?.map_or_else(Stdio::null, Stdio::from);
        command.stdin(stdin).stdout(around.log.try_clone()?).stderr(around.log.try_clone()?);
        in_own_session(&mut command, limits);
    }
    Ok(command.spawn()?.id())
}

/// Without limits, and without a search for the program.
fn quickly(around: &Surroundings, what: &JobCommand) -> io::Result<u32> {
    let (program, args): (&OsStr, Vec<&OsStr>) = match what {
        JobCommand::Shell(line) => (around.spec.shell.as_os_str(), vec![OsStr::new("-c"), &line.0]),
        JobCommand::Argv(words) => {
            let (program, args) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
            (&program.0, args.iter().map(|word| word.0.as_os_str()).collect())
        }
        JobCommand::Prompt(_) => return Err(io::ErrorKind::InvalidInput.into()),
    };
    let both = around.env.iter().chain(around.marks).map(|(name, value)| (name.as_os_str(), value.as_os_str()));
    let env: Vec<_> = both.chain([(OsStr::new("PWD"), around.dir.as_os_str())]).collect();
    spawn_program(&Begin {
        program,
        args: &args,
        env: &env,
        dir: around.dir,
        stdin: around.stdin.map(AsFd::as_fd),
        output: around.log.as_fd(),
    })
}

/// As a shell ends that cannot run a program.
pub fn code_of(error: &io::Error) -> i32 {
    if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
}
