//! The terminal of a job that runs in a tmux session: what its steps get, and how all that they printed gets into the log
//! before the job is over.
use crate::{
    jobs::pane,
    model::job::JobId,
    world::{
        clock,
        process::{Limits, ProcId, Stat, in_our_session, in_the_foreground, is_ending},
        tmux::Server,
    },
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags},
    io::fcntl_dupfd_cloexec,
    process::{Pid, PidfdFlags, Signal, getsid, pidfd_open},
    termios::{isatty, tcgetattr},
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    process::{Command, Stdio},
    time::Duration,
};

/// A writer of the log that does not come, or does not get ready, keeps the job no longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Belong to the terminal that a job was submitted from, or lead to our server.
const NOT_HANDED_ON: [&str; 6] = ["TERM", "COLORTERM", "LINES", "COLUMNS", "TMUX", "TMUX_PANE"];

pub struct Pane {
    tty: OwnedFd,
    /// The first process of the session; it ends with the terminal.
    leader: ProcId,
    leader_end: OwnedFd,
    server: Option<ProcId>,
    /// Hung up once the writer of the log has ended. `None`: there is none.
    writer: Option<OwnedFd>,
}

/// What became of the session, other than by its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Somebody ended it.
    ByHand,
    /// Its tmux server was killed, or crashed.
    WithServer,
}

impl Pane {
    /// The one that we were started in; it is nobody's standard input any more but that of the steps.
    pub fn of_ours() -> io::Result<Pane> {
        let tty = fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
        if !isatty(&tty) {
            return Err(io::Error::other("there is no terminal"));
        }
        let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
        for to_null in [rustix::stdio::dup2_stdin, rustix::stdio::dup2_stdout, rustix::stdio::dup2_stderr] {
            to_null(null.as_fd())?;
        }
        let pid = getsid(None)?;
        let leader_end = pidfd_open(pid, PidfdFlags::empty())?;
        let pid = pid.as_raw_nonzero().get().unsigned_abs();
        let leader = ProcId::of(pid).ok_or(io::ErrorKind::NotFound)?;
        let server = Stat::read(pid).and_then(|stat| ProcId::of(stat.parent));
        Ok(Pane { tty, leader, leader_end, server, writer: None })
    }

    /// Waits until the writer of the log is there. `false`: it did not come, and what the job prints is not in its log.
    pub fn meet_writer(&mut self, server: &Server, id: JobId, epoch: i64) -> bool {
        let sign = pane::sign(server, id, epoch);
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fifo = rustix::fs::open(&sign, flags, Mode::empty()).ok();
        self.writer = fifo.filter(|fifo| came(fifo, PollFlags::IN, PATIENCE));
        // Its one byte is of no more use: from now on only its end is news.
        let met = self.writer.as_ref().is_some_and(|fifo| rustix::io::read(fifo, &mut [0; 8]).is_ok_and(|n| n > 0));
        let _ = std::fs::remove_file(&sign);
        met
    }

    /// Seats a step at the terminal, in its foreground.
    pub fn seat(&self, command: &mut Command, limits: Limits) -> io::Result<()> {
        for name in NOT_HANDED_ON {
            command.env_remove(name);
        }
        if let Some(term) = std::env::var_os("TERM") {
            command.env("TERM", term);
        }
        let tty = || self.tty.try_clone().map(Stdio::from);
        command.stdin(tty()?).stdout(tty()?).stderr(tty()?);
        in_our_session(in_the_foreground(command), limits);
        Ok(())
    }

    /// Readable when the session has ended.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.leader_end.as_fd()
    }

    /// `None`: it is there. The kernel closes the terminal to us before it tells the steps, so whoever sees one end of that
    /// sees this, too.
    pub fn gone(&self) -> Option<Gone> {
        if tcgetattr(&self.tty).is_ok() && self.leader.is_alive() {
            return None;
        }
        // A process that is killed is known as such before its files are closed.
        let server_ends = self.server.is_none_or(is_ending);
        Some(if server_ends { Gone::WithServer } else { Gone::ByHand })
    }

    /// Lets go of the terminal, and waits until the session is gone and all that was printed is in the log. Not for ever:
    /// a tmux server that is stopped, or a process that cannot be ended and has the terminal open, is not waited for long.
    pub fn end(self) {
        let Pane { tty, leader, leader_end, writer, .. } = self;
        drop(tty);
        let written = |patience| writer.as_ref().is_none_or(|writer| came(writer, PollFlags::empty(), patience));
        let ended = written(PATIENCE) && came(&leader_end, PollFlags::IN, PATIENCE);
        if !ended {
            leader.signal(Signal::KILL);
            written(PATIENCE);
        }
    }
}

/// Whether one of `events`, or the end of the other side, came in time.
fn came(fd: &OwnedFd, events: PollFlags, patience: Duration) -> bool {
    let until = clock::boot().after(patience);
    loop {
        let left = Timespec::try_from(until.since(clock::boot())).ok();
        let mut fds = [PollFd::new(fd, events)];
        let _ = poll(&mut fds, left.as_ref());
        if !fds[0].revents().is_empty() {
            return true;
        }
        if clock::boot() >= until {
            return false;
        }
    }
}

/// For a process id as the system has it.
pub fn end_of(pid: u32) -> Option<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}
