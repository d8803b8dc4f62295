//! `agents run --stdin`: what is written to this command, for the job.
//!
//! It goes through a pipe of ours, which the job's runner takes up from us ([`JobInput`]): so it comes whichever runner the
//! job gets, and whenever, also where our own input is a file somebody else reads on in, or a socket. Nothing is read of it
//! before there is room for it.
use super::super::failure::{Failure, complain};
use crate::{
    model::{
        job::{Job, JobSpec},
        job_input::JobInput,
    },
    store::jobs::NewJob,
    world::process::ProcId,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::fstat,
    io::Errno,
    pipe::{PipeFlags, pipe_with},
    stdio::stdin,
    termios::isatty,
};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Bytes read at one go.
const PIECE: usize = 64 * 1024;
/// Pieces before something else is looked at.
const ROUNDS: usize = 64;

pub struct Input {
    /// Until the job's first step has it.
    reader: Option<OwnedFd>,
    /// Until nothing more comes, or nobody reads it.
    writer: Option<OwnedFd>,
    piece: Vec<u8>,
    /// How many bytes of it are written.
    written: usize,
}

impl Input {
    pub fn open() -> Result<Input, Failure> {
        if isatty(stdin()) {
            let text = "`--stdin`: standard input is a terminal, and jobs outlive terminals";
            return Err(Failure::new(2, text).hint("`agents run --tmux LINE` gives the job a terminal of its own"));
        }
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(|e| none(e.into()))?;
        Ok(Input { reader: Some(reader), writer: Some(writer), piece: Vec::new(), written: 0 })
    }

    /// Where the job finds it. `Err`: it can have none.
    pub fn give(&self, jobs: &mut [NewJob]) -> Result<(), Failure> {
        let [job] = jobs else {
            return Err(Failure::new(2, format!("`--stdin` for {} jobs: one can have it", jobs.len())));
        };
        refuse(&job.spec)?;
        let gone = || none(std::io::ErrorKind::NotFound.into());
        let (Some(reader), Some(me)) = (&self.reader, ProcId::own()) else { return Err(gone()) };
        let inode = fstat(reader).map_err(|e| none(e.into()))?.st_ino;
        job.spec.input = Some(JobInput { pid: me.pid, start: me.start, fd: reader.as_raw_fd(), inode });
        Ok(())
    }

    /// To be called with what became of the job: once its first step has it, we let go.
    pub fn see(&mut self, job: &Job) {
        if job.steps.first().is_some_and(|run| run.started.is_some()) {
            self.reader = None;
        }
    }

    /// What is to be waited for.
    pub fn fd(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let writer = self.writer.as_ref()?;
        Some(if self.piece.is_empty() { (stdin(), PollFlags::IN) } else { (writer.as_fd(), PollFlags::OUT) })
    }

    /// As much as goes without waiting.
    pub fn pump(&mut self) {
        for _ in 0..ROUNDS {
            if !self.fd().is_some_and(|(fd, what)| is_ready(fd, what)) {
                return;
            }
            if self.piece.is_empty() { self.read() } else { self.write() }
        }
    }

    fn read(&mut self) {
        self.piece.resize(PIECE, 0);
        let read = rustix::io::read(stdin(), &mut self.piece[..]);
        self.piece.truncate(*read.as_ref().unwrap_or(&0));
        match read {
            Ok(1..) | Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(0) => self.writer = None,
            Err(e) => {
                complain(&format!("agents: standard input cannot be read: {}", std::io::Error::from(e)));
                self.writer = None;
            }
        }
    }

    fn write(&mut self) {
        let Some(writer) = &self.writer else { return };
        match rustix::io::write(writer, &self.piece[self.written..]) {
            Ok(n) => self.written += n,
            Err(Errno::INTR | Errno::AGAIN) => {}
            // Nobody reads it any more, which is the job's own affair.
            Err(_) => self.writer = None,
        }
        if self.written >= self.piece.len() {
            self.piece.clear();
            self.written = 0;
        }
    }
}

fn none(error: std::io::Error) -> Failure {
    Failure::new(1, format!("standard input cannot be handed over: {error}"))
}

fn refuse(spec: &JobSpec) -> Result<(), Failure> {
    if spec.agent.is_some() {
        return Err(Failure::new(2, "`--stdin` for a job with a prompt")
            .hint("agents run --backend claude - has the prompt on standard input"));
    }
    if spec.retries > 0 || spec.steps.first().is_some_and(|step| step.retries > 0) {
        return Err(Failure::new(2, "`--stdin` for a job that may be tried again: an input can be read once")
            .hint("leave its retries out, or let it read a file: agents run 'wc -l < FILE'"));
    }
    Ok(())
}

/// Also one at its end.
fn is_ready(fd: BorrowedFd<'_>, what: PollFlags) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::from_borrowed_fd(fd, what)], Some(&now)).is_ok_and(|ready| ready > 0)
}
