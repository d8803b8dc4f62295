//! `agents __runner DIR`: runs jobs of the store in DIR, one after the other, until nothing can be claimed.
//!
//! ```text
//! claim ──job──> run ──> finish and claim ──job──> run …
//!   └─none─> does some job wait for a time, and nobody sleeps for it? ──yes──> sleep ──> claim …
//!                                              └─no─> end
//! ```
mod adopted;
mod child;
mod ears;
mod job;
mod log;
mod sleeper;
mod tree;

use super::{mark, start};
use crate::{
    model::job::{JobId, JobState, ProcMark},
    store::{
        Durability, StoreError,
        jobs::{Claimed, Ending, FILE, Fenced, Finished, JobStore, open_existing},
    },
    world::{
        clock,
        process::{ProcId, let_go_of_code},
    },
};
use ears::Ears;
pub use log::open as open_log;
use std::{ffi::OsString, path::Path, process::ExitCode, time::Duration};

pub const WORD: &str = "__runner";

/// Pauses between two tries to write down how a job ended.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The hidden word [`WORD`]. `None`: `words` do not begin with it.
pub fn main(words: &[OsString]) -> Option<ExitCode> {
    let (word, rest) = words.split_first()?;
    if word != WORD {
        return None;
    }
    let done = match rest {
        [dir] => run(Path::new(dir), None),
        [dir, flag, id] if flag == "--adopt" => match id.to_str().and_then(JobId::parse) {
            Some(id) => run(Path::new(dir), Some(id)),
            None => return Some(wrong()),
        },
        _ => return Some(wrong()),
    };
    // Nobody is there to read an error: what it means for a job stands in the store, or cannot be written there.
    Some(if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn wrong() -> ExitCode {
    eprintln!("error: `{WORD}` is for agents itself");
    ExitCode::from(2)
}

/// Tells a runner that the store has something for its job: an end that somebody asked for. One that has another job by
/// now looks, and goes on.
pub fn tell(runner: ProcMark) -> bool {
    super::process(runner).signal(rustix::process::Signal::USR1)
}

/// What one runner is.
struct Runner {
    store: JobStore,
    ears: Ears,
    me: ProcMark,
    boot_id: String,
}

fn run(dir: &Path, adopt: Option<JobId>) -> Result<(), StoreError> {
    let Some(mut store) = open_existing(&dir.join(FILE), Durability::Full)? else { return Ok(()) };
    store.take_rules()?;
    // Without them no job could be ended, and none of its processes be found.
    let (Ok(ears), Some(me)) = (Ears::open(), ProcId::own()) else { return Ok(()) };
    if rustix::process::set_child_subreaper(Some(rustix::process::getpid())).is_err() {
        return Ok(());
    }
    let mut runner = Runner { store, ears, me: mark(me), boot_id: clock::boot_id() };
    if let Some(id) = adopt {
        runner.adopt(id)?;
    }
    let mut next = runner.store.claim(runner.me, &runner.boot_id, clock::wall())?.map(Box::new);
    loop {
        next = match next {
            Some(claimed) => match runner.run_and_claim(&claimed)? {
                Next::Job(next) => next,
                Next::End => return Ok(()),
            },
            None => {
                let_go_of_code();
                if !sleeper::sleep(&runner.store, &runner.ears)? {
                    return Ok(());
                }
                let next = runner.store.claim(runner.me, &runner.boot_id, clock::wall())?;
                // Others whose time has come, and somebody who sleeps for the rest.
                start::start(&runner.store)?;
                next.map(Box::new)
            }
        }
    }
}

enum Next {
    Job(Option<Box<Claimed>>),
    /// The machine goes down: nothing more is begun.
    End,
}

impl Runner {
    fn run_and_claim(&mut self, claimed: &Claimed) -> Result<Next, StoreError> {
        let ran = job::run(&mut self.store, &self.ears, claimed);
        let (id, epoch) = (claimed.job.id, claimed.epoch);
        if ran.going_down {
            self.persist(|store, _| store.finish(id, epoch, &ran.ending, clock::wall()))?;
            return Ok(Next::End);
        }
        let (me, boot_id) = (self.me, self.boot_id.clone());
        let (finished, next) =
            self.persist(|store, _| store.finish_and_claim(id, epoch, &ran.ending, me, &boot_id, clock::wall()))?;
        if matches!(finished, Fenced::Held(Finished { freed, wake, .. }) if freed > 0 || wake.is_some()) {
            start::start(&self.store)?;
        }
        Ok(Next::Job(next.map(Box::new)))
    }

    /// How a job ended must not be lost because the disk is full for a while: it is tried again until it stands there.
    fn persist<T>(
        &mut self,
        mut write: impl FnMut(&mut JobStore, &Ears) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match write(&mut self.store, &self.ears) {
                Err(StoreError::Full { .. } | StoreError::Other { .. }) if !self.is_gone() => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                done => return done,
            }
        }
    }

    /// Somebody deleted the whole store: there is nobody to tell.
    fn is_gone(&self) -> bool {
        !self.store.path().exists()
    }

    fn adopt(&mut self, id: JobId) -> Result<(), StoreError> {
        let Some(taken) = adopted::take(&mut self.store, id, self.me, &self.boot_id)? else { return Ok(()) };
        let ending = adopted::look_after(&self.store, &self.ears, &taken);
        let ending: Ending = Ending { state: ending.state, error: ending.error, ..Ending::of(JobState::Interrupted) };
        self.persist(|store, _| store.finish(id, taken.epoch, &ending, clock::wall()))?;
        start::start(&self.store).map(drop)
    }
}
