//! A job in the foreground: its output here, our signals there, its exit code ours.
//!
//! The job is a runner's, as any other: this process shows the log as it grows. So it may be killed, and the job goes on.
use super::{
    super::{
        failure::{Failure, Report, complain},
        footer::Footer,
        jobs::told::{Told, stream_of},
    },
    input::Input,
    question::Question,
};
use crate::{
    jobs::{self, pulse::Watch, runner},
    model::{
        job::{Exit, Job, JobId, JobState, ProcMark},
        name::printable,
        time::{Boot, Wall},
    },
    store::jobs::{Cancelled, JobStore},
    view::{self, jobs::stream::Line, paint::Paint},
    world::{clock, process::signals},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, pidfd_open},
};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    os::{fd::OwnedFd, unix::fs::FileExt},
    time::Duration,
};

/// What a shell says of a program whose reader went away.
const PIPE: u8 = 128 + 13;

/// Signals that are for the job. Of the last two none ends it, however many come.
const HANDED_ON: [Signal; 6] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];

/// Bytes by which a log is known again.
const HEAD: usize = 64;

struct Follower<'a> {
    store: &'a mut JobStore,
    id: JobId,
    log: File,
    shown: u64,
    /// What holds the job is told before anything that it prints.
    told_bounds: bool,
    growth: Watch,
    changes: Watch,
    signals: Vec<(Signal, OwnedFd)>,
    told: u32,
    /// The one that ended the job itself.
    ended_by: Option<Signal>,
    /// For a step whose process is not known yet.
    pending: Option<Signal>,
    /// Its runner, and how we hear of its end.
    runner: Option<(ProcMark, Option<OwnedFd>)>,
    question: Question,
    /// The first bytes of the log that were seen.
    head: Vec<u8>,
    footer: Footer,
    /// The output so far ends with a newline.
    at_line_start: bool,
    /// Where the output is the stream of an agent.
    stream: Option<Told>,
    /// What the job reads.
    input: Option<Input>,
}

/// `input`: for the job. `paint`: for what an agent says.
pub fn run(store: &mut JobStore, id: JobId, input: Option<Input>, paint: Paint) -> Report {
    let Some(job) = store.job(id)? else { return Ok(1) };
    let (log, listened) = match ready(&job) {
        Ok(ready) => ready,
        Err(why) => {
            // Nobody has begun it for us: it must not run later, when whoever was refused has tried again.
            jobs::cancel(store, id)?;
            return Err(Failure::new(1, format!("{why}; {id} is cancelled")));
        }
    };
    let (growth, changes) = (Watch::growth(&job.log), Watch::changes(store.dir()));
    let started = jobs::kick(store)?;
    // A runner that goes on claiming may have it by now.
    let state = store.state(id)?.unwrap_or(job.state);
    // For one that waits for its time somebody was started who sleeps until then.
    let nobody = started == 0 || job.wake.is_some();
    if matches!((nobody, state), (_, JobState::Held | JobState::Blocked) | (true, JobState::Queued)) {
        let why = match state {
            JobState::Held => format!("until `agents jobs release {id}`"),
            JobState::Blocked => "for the jobs that it comes after".into(),
            _ if job.wake.is_some() => until(job.wake.unwrap_or_default()),
            _ => format!("for a free slot of its group `{}`", job.spec.group),
        };
        complain(&format!("agents: {id} waits {why}"));
    }
    let mut follower = Follower {
        store,
        id,
        log,
        shown: 0,
        told_bounds: !job.spec.sandbox,
        growth,
        changes,
        signals: listened,
        told: 0,
        ended_by: None,
        pending: None,
        runner: None,
        question: Question::default(),
        head: Vec::new(),
        footer: Footer::new(),
        at_line_start: true,
        stream: stream_of(&job.spec).map(|stream| Told::new(stream, paint)),
        input,
    };
    follower.follow()
}

/// `until 2026-11-21 14:30:00`
fn until(time: Wall) -> String {
    format!("until {}", time.format_local("%Y-%m-%d %H:%M:%S"))
}

/// The log, and the signals that are for the job. `Err`: why not.
fn ready(job: &Job) -> Result<(File, Vec<(Signal, OwnedFd)>), String> {
    let path = printable(&job.log.to_string_lossy());
    let log = runner::open_log(&job.log).map_err(|e| format!("its log `{path}` cannot be written: {e}"))?;
    let heard = HANDED_ON.map(|signal| {
        let pipe = signals::pipe_for(&[signal.as_raw()]);
        Ok((signal, pipe.map_err(|e| format!("signals cannot be heard: {e}"))?))
    });
    Ok((log, heard.into_iter().collect::<Result<_, String>>()?))
}

impl Follower<'_> {
    fn follow(&mut self) -> Report {
        loop {
            // First the state, then the output: what was printed before the end is there when the end is.
            let Some(job) = self.store.job(self.id)? else {
                return Err(Failure::new(1, format!("{} was removed", self.id)));
            };
            self.tell_bounds(&job);
            if self.told_bounds
                && let Err(error) = self.show()
            {
                return self.unread(&error);
            }
            if job.state.is_over() {
                self.footer.clear();
                if self.stream.is_some()
                    && let Err(error) = self.show_told(|told, lines| told.end(lines))
                {
                    return self.unread(&error);
                }
                return Ok(said(&job, self.ended_by));
            }
            self.know_runner(&job);
            if job.state == JobState::Paused
                && let Err(error) = self.show_told(|told, lines| told.flush(lines))
            {
                return self.unread(&error);
            }
            if self.footer.is_on() {
                self.draw(&job);
            }
            self.question.see(&job);
            self.deliver(&job);
            if let Some(input) = &mut self.input {
                input.see(&job);
                input.pump();
            }
            if self.wait() {
                self.question.hear(self.store, self.id)?;
            }
            self.growth.clear();
            self.changes.clear();
            let came: Vec<Signal> =
                self.signals.iter().filter(|(_, pipe)| signals::came(pipe)).map(|(signal, _)| *signal).collect();
            for signal in came {
                self.hear(signal)?;
            }
            if self.runner.as_ref().is_some_and(|(runner, _)| !jobs::process(*runner).is_alive()) {
                self.runner = None;
                jobs::kick(self.store)?;
            }
        }
    }

    fn draw(&mut self, job: &Job) {
        if job.state == JobState::Running && self.at_line_start {
            self.footer.draw(&view::jobs::view(job).progress);
        } else {
            self.footer.clear();
        }
    }

    /// The first lines of the log, to where errors go: its output is the job's own.
    fn tell_bounds(&mut self, job: &Job) {
        if self.told_bounds || (job.bounds.is_none() && !job.state.is_over()) {
            return;
        }
        self.told_bounds = true;
        let Some(bounds) = &job.bounds else { return };
        bounds.sandbox().iter().for_each(|line| complain(&format!("agents: sandbox: {line}")));
        let header = bounds.header();
        let mut first = vec![0; header.len()];
        if self.log.read_exact_at(&mut first, 0).is_ok() && first == header.as_bytes() {
            self.shown = header.len() as u64;
            self.head = first;
        }
    }

    fn begins_as_before(&self) -> bool {
        let mut now = vec![0; self.head.len()];
        self.log.read_exact_at(&mut now, 0).is_ok() && now == self.head
    }

    /// What is new in the log. `Err`: nobody reads it.
    fn show(&mut self) -> io::Result<()> {
        let length = self.log.metadata()?.len();
        if length < self.shown {
            // It was cut at its cap behind our back: what was left out is lost here, too. Or the job emptied it, as
            // `> /dev/stderr` does, and wrote on.
            let cut = self.begins_as_before();
            self.shown = if cut { length } else { 0 };
        }
        let mut buffer = [0; 32 * 1024];
        let mut out = io::stdout().lock();
        loop {
            self.log.seek(SeekFrom::Start(self.shown))?;
            match self.log.read(&mut buffer)? {
                0 => return out.flush(),
                n => {
                    if self.shown == 0 {
                        self.head = buffer[..n.min(HEAD)].to_vec();
                    }
                    self.shown += n as u64;
                    self.footer.clear();
                    match &mut self.stream {
                        None => {
                            self.at_line_start = buffer[n - 1] == b'\n';
                            out.write_all(&buffer[..n])?;
                        }
                        Some(told) => {
                            let mut lines = Vec::new();
                            told.feed(&buffer[..n], &mut lines);
                            lines.iter().try_for_each(|line| writeln!(out, "{}", line.text))?;
                        }
                    }
                }
            }
        }
    }

    /// What an agent said that is no whole line.
    fn show_told(&mut self, take: impl FnOnce(&mut Told, &mut Vec<Line>)) -> io::Result<()> {
        let Some(told) = &mut self.stream else { return Ok(()) };
        self.footer.clear();
        let mut lines = Vec::new();
        take(told, &mut lines);
        let mut out = io::stdout().lock();
        lines.iter().try_for_each(|line| writeln!(out, "{}", line.text))?;
        out.flush()
    }

    fn know_runner(&mut self, job: &Job) {
        if self.runner.as_ref().map(|(mark, _)| *mark) == job.runner {
            return;
        }
        self.runner = job.runner.map(|mark| {
            let pid = i32::try_from(mark.pid).ok().and_then(Pid::from_raw);
            let end = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
            // Of one that is dead already it would be readable all the time.
            (mark, end.filter(|_| jobs::process(mark).is_alive()))
        });
    }

    /// Whether somebody typed an answer.
    fn wait(&self) -> bool {
        let fds = [self.growth.fd(), self.changes.fd()];
        // Without the kernel's news, or without those of the runner's end, it is looked now and then.
        let deaf = fds.iter().any(Option::is_none) || matches!(self.runner, Some((_, None)));
        let until: Option<Boot> = deaf.then(|| clock::boot().after(Duration::from_millis(100)));
        let left = until.map(|until| until.since(clock::boot())).and_then(|left| Timespec::try_from(left).ok());
        let mut all: Vec<PollFd> =
            fds.into_iter().flatten().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        all.extend(self.signals.iter().map(|(_, pipe)| PollFd::new(pipe, PollFlags::IN)));
        if let Some((_, Some(runner))) = &self.runner {
            all.push(PollFd::new(runner, PollFlags::IN));
        }
        let input = self.input.as_ref().and_then(Input::fd);
        all.extend(input.map(|(fd, what)| PollFd::from_borrowed_fd(fd, what)));
        let typed = self.question.fd();
        all.extend(typed.map(|stdin| PollFd::from_borrowed_fd(stdin, PollFlags::IN)));
        let ready = poll(&mut all, left.as_ref()).unwrap_or(0) > 0;
        ready && typed.is_some() && all.last().is_some_and(|fd| !fd.revents().is_empty())
    }

    /// The first signal is for the step that runs; the second one, and one for a job that waits, ends the job.
    fn hear(&mut self, signal: Signal) -> Result<(), Failure> {
        let running = self.store.state(self.id)? == Some(JobState::Running);
        if ![Signal::USR1, Signal::USR2].contains(&signal) {
            self.told += 1;
            if self.told > 1 || !running {
                self.ended_by = Some(signal);
                return self.cancel();
            }
        }
        self.pending = Some(signal);
        Ok(())
    }

    /// To the processes of the step, as a terminal would. One that has just begun, or ended, may not be known yet: then it
    /// is the next change that brings it.
    fn deliver(&mut self, job: &Job) {
        let Some(signal) = self.pending else { return };
        let child = job.child.filter(|child| jobs::process(*child).is_alive());
        if let Some(pid) = child.and_then(|child| i32::try_from(child.pid).ok()).and_then(Pid::from_raw) {
            // It leads a group of its own, which hears what comes from a terminal. The rest is for a program that knows it.
            let _ = match signal {
                Signal::USR1 | Signal::USR2 => rustix::process::kill_process(pid, signal),
                _ => rustix::process::kill_process_group(pid, signal),
            };
            self.pending = None;
        }
    }

    /// Nobody gets what the job prints: it ends, as a program in its place would. A reader that went away knows why.
    fn unread(&mut self, error: &io::Error) -> Report {
        let id = self.id;
        let was_over = matches!(jobs::cancel(self.store, id)?, Cancelled::Was(_));
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Ok(PIPE);
        }
        let end = if was_over { String::new() } else { format!("; {id} is cancelled") };
        Err(Failure::new(1, format!("the output of {id} cannot be handed on: {error}{end}")))
    }

    fn cancel(&mut self) -> Result<(), Failure> {
        jobs::cancel(self.store, self.id)?;
        Ok(())
    }
}

/// The exit code; why, if the job's own words do not say it.
fn said(job: &Job, ended_by: Option<Signal>) -> u8 {
    if let Some(error) = &job.error {
        complain(&format!("agents: {} {}: {error}", job.id, job.state.word()));
    }
    match (job.state, job.exit) {
        (JobState::Done, _) => 0,
        (_, Some(Exit::Code(code))) if code != 0 => u8::try_from(code).unwrap_or(1),
        (_, Some(Exit::Signal(signal))) => of_signal(signal),
        // It never had a process that could have one.
        (JobState::Cancelled, None) => ended_by.map_or(1, |signal| of_signal(signal.as_raw())),
        _ => 1,
    }
}

fn of_signal(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(1)
}
