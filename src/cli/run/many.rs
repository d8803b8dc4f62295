//! Several jobs in the foreground: a line for each that ends, and one exit code for all. Who sits at a terminal is told of
//! each change as well.
use super::super::{
    Context,
    failure::{Failure, Report, complain},
    jobs::{approve::how, changes::Changes, news::News, wait::told},
};
use super::held_in::HeldIn;
use crate::{
    model::{
        job::{JobId, JobState},
        time::Boot,
    },
    store::jobs::JobStore,
    view::{
        jobs::{Look, views},
        paint::Paint,
    },
    world::{clock, process::signals},
};
use rustix::{
    process::Signal,
    stdio::stderr,
    termios::{isatty, tcgetwinsize},
};
use std::{io::Write, os::fd::AsFd};

/// What a shell says of a program whose reader went away.
const PIPE: u8 = 128 + 13;

/// Until all are over. A signal to end us ends them, and so does a reader of ours that goes away; 0: all succeeded.
pub fn run(ids: &[JobId], store: &mut JobStore, context: &mut Context) -> Report {
    match until_over(ids, store, context) {
        Err(Failure::Closed) => {
            cancel(ids, store)?;
            Ok(PIPE)
        }
        done => done,
    }
}

fn until_over(ids: &[JobId], store: &mut JobStore, context: &mut Context) -> Report {
    let enough: Vec<i32> = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT].map(|s| s.as_raw()).to_vec();
    let pipe = signals::pipe_for(&enough).map_err(|e| Failure::new(1, format!("signals cannot be heard: {e}")))?;
    let mut news = News::of(store.dir());
    crate::jobs::kick(store)?;
    let mut open = ids.to_vec();
    let (mut failed, mut ended) = (false, false);
    let mut paused: Vec<JobId> = Vec::new();
    let mut terminal = Terminal::of(context);
    let mut held_in = HeldIn::of(ids, store)?;
    loop {
        held_in.tell(store)?;
        let due = terminal.as_mut().map(|terminal| terminal.tell(&open, store)).transpose()?.flatten();
        let mut rest = Vec::new();
        for id in open {
            match store.state(id)? {
                Some(JobState::Paused) => {
                    if !paused.contains(&id) {
                        if terminal.is_none() {
                            complain(&how(id));
                        }
                        paused.push(id);
                    }
                    rest.push(id);
                }
                Some(state) if !state.is_over() => {
                    paused.retain(|other| *other != id);
                    rest.push(id);
                }
                Some(state) => {
                    failed |= state != JobState::Done;
                    if let Some(terminal) = &mut terminal {
                        // It may have ended just now.
                        terminal.tell(&[id], store)?;
                        if context.out.terminal {
                            continue;
                        }
                    }
                    let job = store.job(id)?;
                    context.out.line(&job.map_or_else(|| format!("{id} is {}", state.word()), |j| told(&j)))?;
                }
                None => failed = true,
            }
        }
        context.out.flush()?;
        if rest.is_empty() {
            // Of one that began and ended meanwhile.
            held_in.tell(store)?;
            return Ok(u8::from(failed));
        }
        open = rest;
        let until = due.map(|due| due.since(clock::boot()));
        news.wait_or(store, until, &[pipe.as_fd()])?;
        if signals::came(&pipe) && !ended {
            ended = true;
            cancel(&open, store)?;
        }
    }
}

/// Lines for people, on stderr.
struct Terminal {
    paint: Paint,
    changes: Changes,
}

impl Terminal {
    fn of(context: &Context) -> Option<Terminal> {
        let there = isatty(stderr());
        there.then(|| Terminal { paint: context.out.paint_of_errors(), changes: Changes::default() })
    }

    /// What is new of these; when to look again for what was held back.
    fn tell(&mut self, ids: &[JobId], store: &JobStore) -> Result<Option<Boot>, Failure> {
        let mut jobs = Vec::with_capacity(ids.len());
        for id in ids {
            jobs.extend(store.job(*id)?);
        }
        let width = tcgetwinsize(stderr()).ok().map(|size| size.ws_col).filter(|columns| *columns > 0);
        let look = Look { width, paint: self.paint, now: clock::moment() };
        let (lines, due) = self.changes.of(&views(&jobs), look);
        for line in lines {
            // One write, so that nothing comes in between.
            let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
        }
        Ok(due)
    }
}

fn cancel(ids: &[JobId], store: &mut JobStore) -> Result<(), Failure> {
    for id in ids {
        crate::jobs::cancel(store, *id)?;
    }
    Ok(())
}
