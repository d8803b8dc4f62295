//! A job of the foreground waits for an approval: who sits at the terminal is asked.
use super::super::{
    failure::{Failure, complain},
    jobs::approve::{how, refused},
};
use crate::{
    jobs,
    model::job::{Answer, Job, JobId, JobState, Pause, StepSpec},
    store::jobs::JobStore,
};
use rustix::{
    process::getpgrp,
    stdio::stdin,
    termios::{isatty, tcgetpgrp},
};
use std::{io::Write, os::fd::BorrowedFd};

/// What was asked last.
#[derive(Default)]
pub struct Question {
    asked: Option<Pause>,
    /// A line is waited for.
    open: bool,
}

impl Question {
    /// Asks once for each pause; where nobody can be asked, says how it is answered.
    pub fn see(&mut self, job: &Job) {
        if job.state != JobState::Paused {
            if std::mem::take(&mut self.open) && !job.state.is_over() {
                // Somebody else answered: the output begins in a line of its own.
                complain("");
            }
            self.asked = None;
            return;
        }
        let pause = job.pause();
        if self.asked == pause {
            return;
        }
        self.asked = pause;
        self.open = may_ask();
        if self.open {
            ask(job);
        } else {
            complain(&how(job.id));
        }
    }

    /// Where the answer is typed, while it is waited for.
    pub fn fd(&self) -> Option<BorrowedFd<'static>> {
        self.open.then(stdin)
    }

    /// To be called when [`Question::fd`] is readable.
    pub fn hear(&mut self, store: &mut JobStore, id: JobId) -> Result<(), Failure> {
        let mut typed = [0; 256];
        let line = match rustix::io::read(stdin(), &mut typed) {
            Ok(0) | Err(_) => {
                // Nobody is there any more.
                self.open = false;
                complain(&format!("\n{}", how(id)));
                return Ok(());
            }
            Ok(n) => String::from_utf8_lossy(&typed[..n]),
        };
        let Some(answer) = Answer::meant(&line) else {
            self.prompt();
            return Ok(());
        };
        match refused(id, &jobs::answer(store, id, answer)?) {
            None => self.open = false,
            Some(why) => {
                why.report();
                self.prompt();
            }
        }
        Ok(())
    }

    fn prompt(&self) {
        let mut out = std::io::stderr();
        let _ = write!(out, "continue, retry, cancel? [c/r/x] ").and_then(|()| out.flush());
    }
}

fn ask(job: &Job) {
    let next = job.spec.steps.get(job.step).map_or_else(|| "the end".into(), StepSpec::shown);
    let place = match job.step {
        0 => "before its first step".to_owned(),
        step => format!("after step {step} of {}", job.steps.len()),
    };
    complain(&format!("agents: {} waits {place}; next: {next}", job.id));
    Question::default().prompt();
}

/// A terminal, and we are in its foreground: else a line that is typed there is not meant for us.
fn may_ask() -> bool {
    isatty(stdin()) && tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp())
}
