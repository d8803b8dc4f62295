//! The terminal of a job that runs in a tmux session: what its steps get, and how all that they printed gets into the log
//! before the job is over.

use super::{keys::Keys, log::open};
use crate::{
    jobs::pane,
    model::job::Job,
    world::{
        clock,
        process::{Limits, ProcId, Stat, called_with_more, in_our_session, in_the_foreground, is_ending},
        tmux::Server,
    },
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags},
    io::fcntl_dupfd_cloexec,
    process::{Pid, PidfdFlags, Signal, getsid, pidfd_open},
    termios::{OptionalActions, Termios, isatty, tcgetattr, tcsetattr},
};
use std::{
    cell::Cell,
    io::{self, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// A writer of the log that does not come, or does not get ready, keeps the job no longer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a tmux server has to say that it is there.
const WORD: Duration = Duration::from_secs(2);
/// Longest that a note for people may take.
const NOTE: Duration = Duration::from_secs(1);

/// Belong to the terminal that a job was submitted from, or lead to our server.
const NOT_HANDED_ON: [&str; 6] = ["TERM", "COLORTERM", "LINES", "COLUMNS", "TMUX", "TMUX_PANE"];

pub struct Pane {
    tty: OwnedFd,
    /// How it was when it was new: what a full screen that was killed left behind is undone. `None`: we may not.
    usual: Option<Termios>,
    /// The first process of the session; it ends with the terminal.
    leader: ProcId,
    leader_end: OwnedFd,
    /// The tmux server's process.
    server: Option<ProcId>,
    /// What has become of it, once that is known.
    went: Cell<Option<Gone>>,
    log: Option<Log>,
}

/// Of its session, and of what writes its log.
struct Log {
    server: Server,
    session: String,
    path: PathBuf,
    sign: PathBuf,
    /// Hung up once the writer has ended. `None`: there is none.
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
        // From the background the kernel lets us only while its signal is ignored, which is how tmux starts us.
        let usual = tcgetattr(&tty).ok().filter(|_| ignores(Signal::TTOU));
        Ok(Pane { tty, usual, leader, leader_end, server, went: Cell::new(None), log: None })
    }

    /// Waits until the writer of the job's log is there. `epoch`: the one by which the job was handed on.
    pub fn meet_writer(&mut self, dir: &Path, job: &Job, epoch: i64) {
        let Ok(server) = Server::of_jobs(dir) else { return };
        let session = pane::session_name(job.id, &job.spec.name);
        let sign = pane::sign(&server, job.id, epoch);
        let mut log = Log { server, session, path: job.log.clone(), sign, writer: None };
        if !log.meet() {
            log.say("nobody writes down what this job prints");
        }
        self.log = Some(log);
    }

    /// A writer that was killed has another one in its place.
    pub fn mend_log(&mut self) {
        let is_dead =
            |log: &Log| log.writer.as_ref().is_some_and(|fifo| came(fifo, PollFlags::empty(), Duration::ZERO));
        if !self.log.as_ref().is_some_and(is_dead) || self.gone().is_some() {
            return;
        }
        let mended = self.log.as_mut().is_some_and(Log::mend);
        if self.gone().is_none()
            && let Some(log) = &self.log
        {
            log.say(if mended { "what wrote it was killed" } else { "what wrote it was killed, and nothing follows" });
        }
    }

    /// Readable when the writer of the log has ended.
    pub fn writer(&self) -> Option<BorrowedFd<'_>> {
        self.log.as_ref()?.writer.as_ref().map(AsFd::as_fd)
    }

    /// For who looks on; it stands in no log. Best effort.
    pub fn note(&self, text: Option<&str>) {
        if let Some(log) = &self.log {
            let _ = log.server.set_note(&log.session, text, NOTE);
        }
    }

    /// Takes the terminal from the steps until it is dropped. `None`: it cannot be taken, or nobody could be asked there.
    pub fn keys(&self) -> Option<Keys> {
        self.session()?;
        let usual = self.usual.as_ref().filter(|_| ignores(Signal::TTIN))?;
        Keys::take(usual).ok()
    }

    /// What tmux calls it, and shows below it.
    pub fn session(&self) -> Option<&str> {
        self.log.as_ref().map(|log| log.session.as_str())
    }

    /// Seats a step at the terminal, in its foreground.
    pub fn seat(&self, command: &mut Command, limits: Limits) -> io::Result<()> {
        for name in NOT_HANDED_ON {
            command.env_remove(name);
        }
        if let Some(term) = std::env::var_os("TERM") {
            command.env("TERM", term);
        }
        if let Some(usual) = &self.usual {
            let _ = tcsetattr(&self.tty, OptionalActions::Now, usual);
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
        if self.went.get().is_none() {
            // A process that is killed is known as such before its files are closed; one that was told to end answers nobody.
            let answers = |server| self.log.as_ref().is_none_or(|log| log.server.is_answered_by(server, WORD));
            let with_server = self.server.is_none_or(|server| is_ending(server) || !answers(server));
            self.went.set(Some(if with_server { Gone::WithServer } else { Gone::ByHand }));
        }
        self.went.get()
    }

    /// Lets go of the terminal, and waits until the session is gone and all that was printed is in the log. Not for ever:
    /// a tmux server that is stopped, or a process that cannot be ended and has the terminal open, is not waited for long.
    pub fn end(self) {
        let Pane { tty, leader, leader_end, log, .. } = self;
        drop(tty);
        let writer = log.and_then(|log| log.writer);
        let written = |patience| writer.as_ref().is_none_or(|writer| came(writer, PollFlags::empty(), patience));
        let ended = written(PATIENCE) && came(&leader_end, PollFlags::IN, PATIENCE);
        if !ended {
            leader.signal(Signal::KILL);
            written(PATIENCE);
        }
    }
}

impl Log {
    /// `false`: it did not come.
    fn meet(&mut self) -> bool {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fifo = rustix::fs::open(&self.sign, flags, Mode::empty()).ok();
        self.writer = fifo.filter(|fifo| came(fifo, PollFlags::IN, PATIENCE));
        // Its one byte is of no more use: from now on only its end is news.
        let met = self.writer.as_ref().is_some_and(|fifo| rustix::io::read(fifo, &mut [0; 8]).is_ok_and(|n| n > 0));
        let _ = std::fs::remove_file(&self.sign);
        met
    }

    fn mend(&mut self) -> bool {
        self.writer = None;
        let line = pane::writer_line(&self.path, &self.sign);
        let piped = line.and_then(|line| self.server.pipe_again(&self.session, &line, PATIENCE));
        piped.is_ok() && self.meet()
    }

    fn say(&self, what: &str) {
        if let Ok(mut log) = open(&self.path) {
            let _ = log.write_all(format!("\n[agents] log gap: {what}\n").as_bytes());
        }
    }
}

/// Of a runner that was killed: what its job printed last is in the log once the writer is gone.
pub fn wait_for_writer(log: &Path) {
    for writer in called_with_more(&[pane::WRITER.as_ref(), log.as_os_str()]) {
        if let Some(end) = end_of(writer.pid).filter(|_| writer.is_alive()) {
            came(&end, PollFlags::IN, PATIENCE);
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

fn ignores(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}

/// For a process id as the system has it.
pub fn end_of(pid: u32) -> Option<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}
