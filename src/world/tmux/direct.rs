//! A control client without a process: we introduce ourselves on the server's socket and hand it two pipes.
//!
//! Its process would introduce itself in three calls, and what happens on the server between the first and the last
//! crashes tmux 3.3a. And killed together with us it would leave behind pipes that somebody else may still hold; this
//! connection ends with our process, and the server lets go of it at once.
use super::{
    control::{Ends, Holder, Output},
    error::TmuxError,
    server::Server,
    socket,
    wire::{self, Said},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::OFlags,
    io::Errno,
    net::{RecvFlags, Shutdown, recv, shutdown},
    pipe::{PipeFlags, pipe_with},
};
use std::{
    io::Read,
    os::{fd::OwnedFd, unix::ffi::OsStringExt},
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
    let socket = socket::connect_to(server, until, late)?;
    let (their_input, input) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
    let (output, their_output) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
    for ours in [&input, &output] {
        rustix::fs::fcntl_setfl(ours, OFlags::NONBLOCK).map_err(failed)?;
    }
    socket::send(&socket, &wire::opening(environment(server)), Some(&their_input), server)?;
    socket::send(&socket, &words, Some(&their_output), server)?;
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

/// Tmux's words when it lets us go.
fn farewell(heard: &mut wire::Heard, bytes: &[u8]) -> Option<String> {
    heard.take(bytes);
    while let Some(said) = heard.next() {
        if let Said::Farewell(words) = said {
            return Some(words);
        }
    }
    None
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
                Ok((_, n)) => farewell(&mut self.heard, &bytes[..n]),
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
