//! On a terminal: drawn again when something happened, and once a second while a job runs, for its clock.
use super::{all_over, code, last_words, look, shown, tail};
use crate::{
    cli::{
        Context,
        failure::{Failure, Report},
        jobs::{approve::refused, news::News},
        terminal::Taken,
    },
    jobs,
    model::{
        job::{Answer, Job, JobId, JobState},
        time::Boot,
    },
    store::jobs::{Cancelled, JobStore},
    view::jobs::{Look, Screen, screen},
    world::{clock, process::signals},
};
use rustix::{process::Signal, stdio::stdin};
use std::{
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

/// Between two drawings of a log that grows all the time.
const BETWEEN: Duration = Duration::from_millis(100);
const TICK: Duration = Duration::from_secs(1);
/// As a shell says of a program that ctrl-C ended.
const LEFT: u8 = 128 + 2;

struct View {
    ids: Vec<JobId>,
    selected: usize,
    /// The end of this job is asked about.
    asked: Option<JobId>,
    /// What came of the last key.
    said: String,
}

pub fn run(ids: &[JobId], store: &mut JobStore, context: &mut Context) -> Report {
    let pipe = |signals: &[Signal]| {
        let numbers: Vec<i32> = signals.iter().map(|signal| signal.as_raw()).collect();
        signals::pipe_for(&numbers).map_err(|e| Failure::new(1, format!("signals cannot be heard: {e}")))
    };
    let leave = pipe(&[Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT])?;
    let resized = pipe(&[Signal::WINCH])?;
    let taken = Taken::take().map_err(|e| Failure::new(1, format!("the terminal cannot be used: {e}")))?;
    let mut view = View { ids: ids.to_vec(), selected: 0, asked: None, said: String::new() };
    let done = view.follow(store, context, &taken, &leave, &resized);
    // Before anything is said in lines again.
    drop(taken);
    let how = done?;
    let jobs = look(ids, store)?;
    last_words(&jobs, context)?;
    Ok(match how {
        Left::Over => code(ids, &jobs),
        Left::Key => 0,
        Left::Signal => LEFT,
    })
}

enum Left {
    Over,
    Key,
    Signal,
}

impl View {
    fn follow(
        &mut self,
        store: &mut JobStore,
        context: &mut Context,
        taken: &Taken,
        leave: &OwnedFd,
        resized: &OwnedFd,
    ) -> Result<Left, Failure> {
        let mut news = News::of(store.dir());
        let mut select = true;
        loop {
            let jobs = look(&self.ids, store)?;
            if std::mem::take(&mut select) {
                self.selected = jobs.iter().position(|job| !job.state.is_over()).unwrap_or(0);
            }
            if all_over(&jobs) {
                return Ok(Left::Over);
            }
            self.selected = self.selected.min(jobs.len().saturating_sub(1));
            if let Some(job) = jobs.get(self.selected) {
                news.watch_instead(&job.log);
            }
            self.draw(&jobs, context, taken)?;
            let drawn = clock::boot();
            let hear = |view: &mut View, store: &mut JobStore| -> Result<Option<Left>, Failure> {
                if signals::came(leave) {
                    return Ok(Some(Left::Signal));
                }
                signals::came(resized);
                view.keys(&jobs, store)
            };
            let ticks = jobs.iter().any(|job| job.state == JobState::Running);
            let others = [stdin(), leave.as_fd(), resized.as_fd()];
            let heard = news.wait_or(store, ticks.then_some(TICK), &others)?;
            if let Some(left) = hear(self, store)? {
                return Ok(left);
            }
            // Who writes without a pause is not drawn without one.
            let soon = drawn.after(BETWEEN);
            if heard.file && clock::boot() < soon {
                self.rest(soon, &others)?;
                if let Some(left) = hear(self, store)? {
                    return Ok(left);
                }
            }
        }
    }

    /// Until then, or until somebody wants something.
    fn rest(&self, until: Boot, others: &[std::os::fd::BorrowedFd]) -> Result<(), Failure> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut fds: Vec<PollFd> = others.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        let left = Timespec::try_from(until.since(clock::boot())).ok();
        let _ = poll(&mut fds, left.as_ref());
        Ok(())
    }

    fn draw(&self, jobs: &[Job], context: &Context, taken: &Taken) -> Result<(), Failure> {
        let (columns, rows) = taken.size();
        let log = jobs.get(self.selected).map(|job| tail::lines(&job.log, usize::from(rows))).unwrap_or_default();
        let foot = self.foot(jobs);
        let jobs = shown(jobs);
        let whole = Screen { jobs: &jobs, selected: self.selected, log: &log, foot: &foot, columns, rows };
        let look = Look { width: Some(columns), paint: context.out.paint, now: clock::moment() };
        Ok(taken.draw(&screen(&whole, look), rows)?)
    }

    fn foot(&self, jobs: &[Job]) -> String {
        if let Some(id) = self.asked {
            return format!("cancel {id}? y/n");
        }
        let keys = match jobs.get(self.selected).map(|job| job.state) {
            Some(JobState::Paused) => "q leave  c continue  r retry  x cancel",
            Some(state) if !state.is_over() => "q leave  c cancel",
            _ => "q leave",
        };
        let next = if jobs.len() > 1 { "  tab next" } else { "" };
        if self.said.is_empty() { format!("{keys}{next}") } else { format!("{} · {keys}{next}", self.said) }
    }

    fn keys(&mut self, jobs: &[Job], store: &mut JobStore) -> Result<Option<Left>, Failure> {
        let mut typed = [0; 64];
        let nothing = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        let side = stdin();
        let mut fds = [rustix::event::PollFd::new(&side, rustix::event::PollFlags::IN)];
        if rustix::event::poll(&mut fds, Some(&nothing)).unwrap_or(0) == 0 {
            return Ok(None);
        }
        let typed = match rustix::io::read(side, &mut typed) {
            // The terminal is gone.
            Ok(0) | Err(_) => return Ok(Some(Left::Signal)),
            Ok(n) => &typed[..n],
        };
        // An arrow, or a key with a name: none of ours.
        if typed.starts_with(b"\x1b") {
            return Ok(None);
        }
        for key in typed {
            if let Some(left) = self.key(*key, jobs, store)? {
                return Ok(Some(left));
            }
        }
        Ok(None)
    }

    fn key(&mut self, key: u8, jobs: &[Job], store: &mut JobStore) -> Result<Option<Left>, Failure> {
        self.said.clear();
        if let Some(id) = self.asked.take() {
            if matches!(key, b'y' | b'Y') {
                self.said = match jobs::cancel(store, id)? {
                    Cancelled::Was(state) => format!("{id} was over before: {}", state.word()),
                    Cancelled::Unknown => format!("{id} was removed"),
                    Cancelled::Ended | Cancelled::Asked(_) => format!("{id} is being cancelled"),
                };
            }
            return Ok(None);
        }
        let job = jobs.get(self.selected);
        match (key, job) {
            (b'q' | b'Q', _) => return Ok(Some(Left::Key)),
            (b'\t', _) => self.selected = (self.selected + 1) % jobs.len().max(1),
            (b'c' | b'r' | b'x', Some(job)) if job.state == JobState::Paused => {
                let answer = match key {
                    b'c' => Answer::Continue,
                    b'r' => Answer::Retry,
                    _ => Answer::Cancel,
                };
                if let Some(Failure::Said { text, .. }) = refused(job.id, &jobs::answer(store, job.id, answer)?) {
                    self.said = text;
                }
            }
            (b'c', Some(job)) if !job.state.is_over() => self.asked = Some(job.id),
            _ => {}
        }
        Ok(None)
    }
}
