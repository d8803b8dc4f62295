//! A control client without a process: we introduce ourselves on the server's socket and hand it two pipes.
//!
//! Its process would introduce itself in three calls, and what happens on the server between the first and the last
//! crashes tmux 3.3a. And killed together with us it would leave behind pipes that somebody else may still hold; this
//! connection ends with our process, and the server lets go of it at once.
use super::{
    control::{Ends, Holder, Output},
    error::TmuxError,
    server::Server,
    wire,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::OFlags,
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown, SocketAddrUnix,
        SocketFlags, SocketType, connect, recv, sendmsg, shutdown, socket_with,
    },
    pipe::{PipeFlags, pipe_with},
};
use std::{
    io::{IoSlice, Read},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStringExt,
    },
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How long the end of the socket may come after the end of the pipe.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs `command` (one that attaches) as a control client. The server must run, and speak [`wire`].
pub(super) fn open(server: &Server, command: &[&str], until: Instant, late: &TmuxError) -> Result<Ends, TmuxError> {
    let failed = |e: Errno| TmuxError::io("tmux connection", e);
    let words = wire::introduction(std::process::id(), command)
        .ok_or_else(|| TmuxError::Refused("the name of the session is too long".into()))?;
    let socket = connected(server, until, late)?;
    let (their_input, input) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
    let (output, their_output) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
    for ours in [&input, &output] {
        rustix::fs::fcntl_setfl(ours, OFlags::NONBLOCK).map_err(failed)?;
    }
    send(&socket, &wire::opening(environment(server)), &their_input, server)?;
    send(&socket, &words, &their_output, server)?;
    let peer = Arc::new(Peer { socket, over: AtomicBool::new(false), dropped: AtomicBool::new(false) });
    let output = Answers { pipe: output, peer: peer.clone(), heard: wire::Heard::default(), words: None };
    Ok(Ends { input, output: Box::new(output), holder: Box::new(Connection(peer)) })
}

/// What the sessions of a user's server are given of our environment; one of our own takes nothing.
fn environment(server: &Server) -> Vec<Vec<u8>> {
    if server.is_own() {
        return Vec::new();
    }
    let ours = std::env::vars_os().filter(|(name, _)| name != "TMUX" && name != "TMUX_PANE");
    ours.map(|(name, value)| [name.into_vec(), value.into_vec()].join(&b'=')).collect()
}

/// A server that does not take connections out of its queue must not hang us: where the queue is full, it is tried again
/// until it is too late.
fn connected(server: &Server, until: Instant, late: &TmuxError) -> Result<OwnedFd, TmuxError> {
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

/// All of it by one call: the socket is new, and holds more than that.
fn send(socket: &OwnedFd, bytes: &[u8], with: &OwnedFd, server: &Server) -> Result<(), TmuxError> {
    let fds = [with.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(TmuxError::Protocol("no room for a descriptor".into()));
    }
    loop {
        match sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL) {
            Ok(n) if n == bytes.len() => return Ok(()),
            Ok(_) => return Err(TmuxError::Protocol("tmux took half an introduction".into())),
            Err(Errno::INTR) => {}
            Err(Errno::PIPE | Errno::CONNRESET) => return Err(TmuxError::ServerDown(server.place())),
            Err(e) => return Err(TmuxError::io("tmux connection", e)),
        }
    }
}

struct Peer {
    socket: OwnedFd,
    /// Nothing more will be read.
    over: AtomicBool,
    /// We have ended it.
    dropped: AtomicBool,
}

impl Peer {
    /// The server lets us go, and whoever waits for the socket wakes up.
    fn end(&self) {
        self.over.store(true, Ordering::Release);
        // Fails only where the server has ended it already.
        let _ = shutdown(&self.socket, Shutdown::Both);
    }
}

struct Connection(Arc<Peer>);

impl Holder for Connection {
    fn is_over(&mut self) -> bool {
        let mut fds = [PollFd::new(&self.0.socket, PollFlags::empty())];
        self.0.over.load(Ordering::Acquire) || poll(&mut fds, Some(&Timespec::default())) != Ok(0)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.dropped.store(true, Ordering::Release);
        self.0.end();
    }
}

/// What the server writes into the pipe, until it or the socket says that this was all.
struct Answers {
    pipe: OwnedFd,
    peer: Arc<Peer>,
    heard: wire::Heard,
    /// Why it is over.
    words: Option<String>,
}

impl Answers {
    /// Reads from the socket what is there.
    fn hear(&mut self) {
        let mut bytes = [0; 4096];
        while self.words.is_none() {
            self.words = match recv(&self.peer.socket, &mut bytes, RecvFlags::empty()) {
                Ok((_, 0)) => Some(self.lost()),
                Ok((_, n)) => self.heard.more(&bytes[..n]),
                Err(Errno::INTR) => None,
                Err(Errno::AGAIN) => return,
                Err(_) => Some(self.lost()),
            };
        }
    }

    fn lost(&self) -> String {
        if self.peer.dropped.load(Ordering::Acquire) { String::new() } else { "server exited unexpectedly".into() }
    }
}

impl Read for Answers {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match rustix::io::read(&self.pipe, &mut *buffer) {
                Ok(n) => return Ok(n),
                Err(Errno::INTR) => continue,
                // Before its last message the server writes all the rest.
                Err(Errno::AGAIN) if self.words.is_some() => return Ok(0),
                Err(Errno::AGAIN) => {}
                Err(e) => return Err(e.into()),
            }
            let mut fds = [PollFd::new(&self.pipe, PollFlags::IN), PollFd::new(&self.peer.socket, PollFlags::IN)];
            match poll(&mut fds, None) {
                Ok(_) if fds[1].revents().is_empty() => {}
                Ok(_) => self.hear(),
                Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}

impl Output for Answers {
    fn last_words(&mut self) -> String {
        let until = Instant::now() + LAST_WORDS;
        while self.words.is_none() {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            let mut fds = [PollFd::new(&self.peer.socket, PollFlags::IN)];
            match poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
                Ok(_) => self.hear(),
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        self.words.take().unwrap_or_default()
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.peer.end();
    }
}
