//! Which tmux server the fleet lives on, and the session that keeps our connection to it.
use super::paths::Paths;
use crate::{
    model::policy::{Policy, TmuxServer},
    world::{
        file::write_whole,
        tmux::{Address, NewSession, Server},
    },
};
use std::{
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command},
};

/// Written when `--adopt` took a fleet over on the user's default server.
const ADOPTED: &str = "adopted-server";

/// The server as configured, or as taken over.
pub fn of(policy: &Policy, paths: &Paths) -> Server {
    match &policy.tmux.server {
        TmuxServer::Own if is_adopted(paths) => Server::at(Address::Default),
        TmuxServer::Own => {
            let fallback = || Server::at(Address::Socket(paths.state_dir.join("tmux.sock")));
            Server::own(&paths.state_dir).unwrap_or_else(|_| fallback())
        }
        TmuxServer::Named(name) if name == "default" => Server::at(Address::Default),
        TmuxServer::Named(name) => Server::at(Address::Named(name.clone())),
        TmuxServer::Socket(path) => Server::at(Address::Socket(path.clone())),
    }
}

fn mark(paths: &Paths) -> PathBuf {
    paths.state_dir.join(ADOPTED)
}

pub fn is_adopted(paths: &Paths) -> bool {
    mark(paths).exists()
}

/// From now on the fleet lives on the user's default server.
pub fn adopt(paths: &Paths) -> std::io::Result<()> {
    write_whole(&mark(paths), b"default\n")
}

/// The fleet was stopped: the next start is on a server of its own.
pub fn release(paths: &Paths) {
    let _ = std::fs::remove_file(mark(paths));
}

/// `<prefix>watchdog`: shows the supervisor's log, and keeps our connection while agents come and go.
pub fn anchor(policy: &Policy, paths: &Paths) -> NewSession {
    let log = paths.watchdog_log.to_string_lossy().into_owned();
    NewSession {
        name: policy.watchdog_session(),
        size: policy.tmux.size,
        argv: vec![program(), "__watchlog".into(), log],
        pipe: None,
    }
}

/// This program, also after it was replaced on disk while it runs.
pub fn program() -> String {
    let path = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("agents"));
    let shown = path.to_string_lossy();
    match shown.strip_suffix(" (deleted)") {
        Some(old) if Path::new(old).is_file() => old.to_owned(),
        _ => shown.into_owned(),
    }
}

/// Starts this program once more, as it stands on disk now: after an update the new one. If there is none, the one that
/// we are.
pub fn spawn(prepare: impl Fn(&mut Command) -> io::Result<()>) -> io::Result<Child> {
    let program = program();
    let start = |path: &str| {
        let mut command = Command::new(path);
        prepare(command.arg0(&program))?;
        command.spawn()
    };
    start(&program).or_else(|failed| start("/proc/self/exe").map_err(|_| failed))
}
