//! What needs no connection: one look for `status`, and the rescue of a server that lost its socket.
use super::{
    error::TmuxError,
    nonce::nonce,
    rows::{self, Fields, PaneRow},
    script::{self, words},
    server::Server,
    speaker,
};
use crate::world::process::ProcId;
use std::{
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

/// Every pane of a server and the server's pid, with one process at most; changes and starts nothing. `None`: no server.
pub fn list_once(server: &Server) -> Result<Option<(u32, Vec<PaneRow>)>, TmuxError> {
    list_once_within(server, Duration::from_secs(5))
}

/// [`list_once`] with another deadline. Harmless to a server that does not answer, however often it is tried: unlike
/// an attach that is given up, of which a few crash tmux 3.3a once it goes on.
pub fn list_once_within(server: &Server, deadline: Duration) -> Result<Option<(u32, Vec<PaneRow>)>, TmuxError> {
    list(server, deadline, Fields::All)
}

/// [`list_once_within`] for the eyes of a person: session name, pane, pid, whether it is dead, and command; the other
/// fields mean nothing.
pub fn list_to_show(server: &Server, deadline: Duration) -> Result<Option<(u32, Vec<PaneRow>)>, TmuxError> {
    list(server, deadline, Fields::Shown)
}

fn list(server: &Server, deadline: Duration, fields: Fields) -> Result<Option<(u32, Vec<PaneRow>)>, TmuxError> {
    let mark = nonce().map_err(|e| TmuxError::io("/dev/urandom", e))?;
    let format = rows::format(&mark, fields);
    let commands = vec![words(&["display-message", "-p", "#{pid}"]), words(&["list-panes", "-a", "-F", &format])];
    let whole = match script::run(server, speaker::noted(server), commands, &mark, deadline, "list panes") {
        Ok(whole) => whole,
        Err(TmuxError::ServerDown(_)) => return Ok(None),
        Err(TmuxError::Socket(_)) if !server.socket_path().exists() => return Ok(None),
        Err(e) => return Err(e),
    };
    let (pid, list) = whole.split_once('\n').unwrap_or((&whole, ""));
    let pid = pid.parse().map_err(|_| TmuxError::Protocol("no server pid".into()))?;
    Ok(Some((pid, rows::parse(list, &mark)?)))
}

/// A server that lives while its socket was removed makes the socket again on USR1. `Ok(true)`: it did, and answers.
/// Nothing is sent unless `pid` is still that server.
pub fn rescue_socket(server: &Server, pid: ProcId) -> Result<bool, TmuxError> {
    let name = std::fs::read_to_string(format!("/proc/{}/comm", pid.pid)).unwrap_or_default();
    if !name.starts_with("tmux") || !pid.signal(rustix::process::Signal::USR1) {
        return Ok(false);
    }
    let socket = server.socket_path();
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        if UnixStream::connect(&socket).is_ok() {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(false)
}
