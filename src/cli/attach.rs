//! `agents attach NAME`: this process becomes the tmux client.
use super::{
    Context, attach_job,
    failure::{Failure, Report},
    locate,
    names::{self, WATCHDOG},
};
use crate::{engine::fleet::Fleet, world::clock};
use clap::Args;
use std::{
    ffi::OsStr,
    io::IsTerminal,
    os::unix::{ffi::OsStrExt, process::CommandExt},
    path::Path,
    process::Command,
    time::Duration,
};

#[derive(Debug, Args)]
#[command(
    after_help = "Leave the terminal with ctrl-b d; the agent or job goes on. Inside tmux on another server the terminals nest."
)]
pub struct AttachArgs {
    /// Agent, service or `watchdog`; or a job, by its id or name
    name: String,
    /// Look on without typing
    #[arg(long, short)]
    read_only: bool,
}

pub fn run(args: &AttachArgs, context: &mut Context) -> Report {
    // Jobs need no config; a name that is an agent's means the agent.
    let fleet = locate::optional(context.config.clone())?.map(|_| context.fleet()).transpose()?;
    let unit = |fleet: &Fleet| args.name == WATCHDOG || names::all(&fleet.policy).any(|name| name == args.name);
    if !fleet.as_ref().is_some_and(unit)
        && let Some(job) = attach_job::find(&args.name, fleet.is_none(), context)?
    {
        return open(&job.socket, &job.session, args.read_only);
    }
    let fleet = fleet.map_or_else(|| context.fleet(), Ok)?;
    let session = names::session(&fleet.policy, &args.name);
    if !is_there(&fleet, &args.name, &session)? {
        names::check(&fleet.policy, std::slice::from_ref(&args.name), true)?;
        let text = format!("`{}` is not running: there is no session `{session}`", args.name);
        return Err(Failure::new(1, text).hint(format!("`agents up {}`", args.name)));
    }
    open(&fleet.paths.socket, &session, args.read_only)
}

/// This process becomes the client.
fn open(socket: &Path, session: &str, read_only: bool) -> Report {
    let mut tmux = Command::new("tmux");
    tmux.arg("-u").arg("-S").arg(socket);
    let inside = std::env::var_os("TMUX").filter(|v| !v.is_empty());
    if inside.is_some_and(|v| same_server(&v, socket)) {
        tmux.arg("switch-client");
    } else if !std::io::stdin().is_terminal() {
        let text = "there is no terminal here that the session could be shown on";
        return Err(Failure::new(1, text).hint("`agents logs -f NAME` shows what is printed in it"));
    } else {
        // tmux refuses to nest only by this variable.
        tmux.env_remove("TMUX").arg("attach-session");
    }
    if read_only {
        tmux.arg("-r");
    }
    let error = tmux.arg("-t").arg(format!("={session}:")).exec();
    Err(Failure::new(1, format!("tmux cannot be started: {error}")).hint("`agents doctor` checks this machine"))
}

/// The watchdog makes its session itself, a moment after `up` has returned.
fn is_there(fleet: &Fleet, name: &str, session: &str) -> Result<bool, Failure> {
    let deadline = clock::boot().after(Duration::from_secs(2));
    loop {
        if fleet.has_session(session)? {
            return Ok(true);
        }
        if name != WATCHDOG || fleet.supervisor().is_none() || clock::boot() >= deadline {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Is the client that `TMUX` (`socket,pid,session`) tells of on this server?
fn same_server(tmux: &OsStr, socket: &Path) -> bool {
    let bytes = tmux.as_bytes();
    // The path may hold commas, the other two fields none.
    let mut fields = bytes.rsplitn(3, |b| *b == b',');
    let theirs = fields.nth(2).unwrap_or(bytes);
    let theirs = Path::new(OsStr::from_bytes(theirs));
    let real = |p: &Path| p.canonicalize().unwrap_or_else(|_| p.to_owned());
    real(theirs) == real(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_told_by_its_socket() {
        let same = |v: &str| same_server(OsStr::new(v), Path::new("/x/a,b/s.sock"));
        assert!(same("/x/a,b/s.sock,123,0"));
        assert!(!same("/tmp/tmux-0/default,123,0"));
    }
}
