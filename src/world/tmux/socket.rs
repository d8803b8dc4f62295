//! A connection to the server's socket of our own, without a tmux process.
use super::{error::TmuxError, server::Server};
use rustix::{
    io::Errno,
    net::{
        AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
        connect, sendmsg, socket_with,
    },
};
use std::{
    io::IoSlice,
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

/// Not blocking. A server that does not take connections out of its queue must not hang us: where the queue is full, it
/// is tried again until it is too late.
pub(super) fn connect_to(server: &Server, until: Instant, late: &TmuxError) -> Result<OwnedFd, TmuxError> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .map_err(|e| TmuxError::io("tmux connection", e))?;
    let address = SocketAddrUnix::new(server.socket_path()).map_err(|e| TmuxError::Socket(e.to_string()))?;
    loop {
        match connect(&socket, &address) {
            Ok(()) => return Ok(socket),
            Err(Errno::CONNREFUSED | Errno::NOENT) => return Err(TmuxError::ServerDown(server.place())),
            Err(Errno::AGAIN | Errno::INTR) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(Errno::AGAIN | Errno::INTR) => return Err(late.clone()),
            Err(e) => return Err(TmuxError::Socket(format!("`{}`: {e}", server.place()))),
        }
    }
}

/// All of it by one call: a socket that is new holds more than we ever say. `with`: a descriptor for the server.
pub(super) fn send(socket: &OwnedFd, bytes: &[u8], with: Option<&OwnedFd>, server: &Server) -> Result<(), TmuxError> {
    let fds = with.map(|fd| [fd.as_fd()]);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if let Some(fds) = &fds
        && !control.push(SendAncillaryMessage::ScmRights(fds))
    {
        return Err(TmuxError::Protocol("no room for a descriptor".into()));
    }
    loop {
        match sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL) {
            Ok(n) if n == bytes.len() => return Ok(()),
            Ok(_) => return Err(TmuxError::Protocol("tmux took half a message".into())),
            Err(Errno::INTR) => {}
            Err(Errno::PIPE | Errno::CONNRESET) => return Err(TmuxError::ServerDown(server.place())),
            Err(e) => return Err(TmuxError::io("tmux connection", e)),
        }
    }
}
