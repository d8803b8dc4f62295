//! One list of commands and what they print, over a connection of our own: no process is started, and the server is
//! done with us in one turn where a client's process needs five.
use super::{
    error::TmuxError,
    server::Server,
    socket,
    wire::{self, Said},
};
use crate::world::process::ProcId;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{RecvFlags, recv, sockopt::socket_peercred},
};
use std::{
    mem::MaybeUninit,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

/// What is read at once.
const BUFFER: usize = 256 * 1024;
/// What commands print.
const STDOUT: i32 = 1;

/// What `commands` print, up to and without the line `end`, which the last of them has to print. `None`: it cannot be
/// had this way. `speaks`: the process that is known to speak [`wire`]; nobody else is spoken to.
pub(super) fn run(
    server: &Server,
    speaks: ProcId,
    commands: &[Vec<String>],
    end: &str,
    deadline: Duration,
    doing: &str,
) -> Result<Option<Vec<u8>>, TmuxError> {
    let until = Instant::now() + deadline;
    let late = TmuxError::Deadline { doing: doing.into(), ms: deadline.as_millis() as u64 };
    let Some(words) = wire::request(std::process::id(), commands) else { return Ok(None) };
    let socket = socket::connect_to(server, until, &late)?;
    if !socket_peercred(&socket).is_ok_and(|peer| ProcId::of(peer.pid.as_raw_pid() as u32) == Some(speaks)) {
        return Ok(None);
    }
    socket::send(&socket, &words, None, server)?;
    let end = format!("{end}\n");
    let mut heard = wire::Heard::default();
    let mut printed = Vec::new();
    let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
    loop {
        match recv(&socket, &mut buffer, RecvFlags::empty()) {
            // The server ended, or would not have us: a process finds out what it is, and has the words for it.
            Ok((([], _), _)) | Err(Errno::CONNRESET) => return Ok(None),
            Ok(((bytes, _), _)) => heard.take(bytes),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                if !readable(&socket, until)? {
                    return Err(late);
                }
            }
            Err(e) => return Err(TmuxError::io("tmux connection", e)),
        }
        let mut over = false;
        while let Some(said) = heard.next() {
            match said {
                Said::Prints(STDOUT, bytes) => printed.extend_from_slice(bytes),
                // What it prints first waits for this.
                Said::Opens(stream) => socket::send(&socket, &wire::ready(stream), None, server)?,
                Said::Farewell(_) => over = true,
                Said::Prints(..) | Said::Other => {}
            }
        }
        if printed.ends_with(end.as_bytes()) {
            printed.truncate(printed.len() - end.len());
            return Ok(Some(printed));
        }
        if over {
            return Ok(None);
        }
    }
}

/// False: it is too late.
fn readable(socket: &OwnedFd, until: Instant) -> Result<bool, TmuxError> {
    let Some(left) = until.checked_duration_since(Instant::now()) else { return Ok(false) };
    match poll(&mut [PollFd::new(socket, PollFlags::IN)], Timespec::try_from(left).ok().as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(true),
        Err(e) => Err(TmuxError::io("tmux connection", e)),
    }
}
