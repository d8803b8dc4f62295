//! `agents attach NAME`: this process becomes the tmux client.
use super::{
    Context,
    failure::{Failure, Report},
    names::{self, WATCHDOG},
};
use crate::{engine::fleet::Fleet, world::clock};
use clap::Args;
use std::{
    ffi::OsStr,
    os::unix::{ffi::OsStrExt, process::CommandExt},
    path::Path,
    process::Command,
    time::Duration,
};

#[derive(Debug, Args)]
#[command(
    after_help = "Leave the terminal with ctrl-b d; the agent goes on. Inside tmux on another server the terminals nest."
)]
pub struct AttachArgs {
    /// Agent, service or `watchdog`
    name: String,
    /// Look on without typing
    #[arg(long, short)]
    read_only: bool,
}

pub fn run(args: &AttachArgs, context: &mut Context) -> Report {
    let fleet = context.fleet()?;
    let session = names::session(&fleet.policy, &args.name);
    if !is_there(&fleet, &args.name, &session)? {
        names::check(&fleet.policy, std::slice::from_ref(&args.name), true)?;
        let text = format!("`{}` is not running: there is no session `{session}`", args.name);
        return Err(Failure::new(1, text).hint(format!("`agents up {}`", args.name)));
    }
    let socket = &fleet.paths.socket;
    let mut tmux = Command::new("tmux");
    tmux.arg("-u").arg("-S").arg(socket);
    let inside = std::env::var_os("TMUX").filter(|v| !v.is_empty());
    if inside.is_some_and(|v| same_server(&v, socket)) {
        tmux.arg("switch-client");
    } else {
        // tmux refuses to nest only by this variable.
        tmux.env_remove("TMUX").arg("attach-session");
    }
    if args.read_only {
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
