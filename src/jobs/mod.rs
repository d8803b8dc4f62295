//! Jobs as processes. A waiting job is a row in the store; each running one has a runner, `agents __runner DIR`, that
//! belongs to nobody: not to the terminal that submitted it, not to a supervisor.
//!
//! ```text
//! agents run -b LINE        submits, starts a runner if a slot is free, ends
//! agents __runner DIR       own session, subreaper; claims, runs, claims again, ends when nothing can be claimed
//!   └─ $SHELL -c LINE       own session; writes straight to the job's log
//! ```
//!
//! While some job waits for a time, one runner stays and sleeps until then ([`runner`]'s `sleeper.rs`). Whoever opens the
//! store to change it looks for jobs whose runner is gone ([`adopt`]), and starts runners for what may run ([`start`]).
pub mod adopt;
pub mod agent;
pub mod check;
pub mod fences;
pub mod file;
pub mod handed;
pub mod idle;
pub mod pane;
pub mod place;
pub mod pulse;
pub mod runner;
pub mod start;
pub mod tidy;
pub mod waited;
pub mod window;
pub mod within;

use crate::{
    model::job::{Answer, JobId, ProcMark},
    store::{
        StoreError,
        jobs::{Answered, Cancelled, JobStore},
    },
    world::{self, clock, process::ProcId},
};

/// Sees to it that what may run runs: to be called after anything that may let a job run (submit, release, retry, a new
/// limit), and at least once by every verb that opens the store to change it. Also takes care of jobs whose runner is
/// gone. How many runners were started.
pub fn kick(store: &mut JobStore) -> Result<u32, StoreError> {
    adopt::lost(store)?;
    start::start(store)
}

/// Ends a job: one that waits at once, one that runs by its runner, which is told. One whose runner is gone is taken
/// care of first.
pub fn cancel(store: &mut JobStore, id: JobId) -> Result<Cancelled, StoreError> {
    let done = store.cancel(id, clock::wall())?;
    if let Cancelled::Asked(runner) = done
        && !runner::tell(runner)
    {
        // Another one takes the job over, and finds that its end was asked for.
        adopt::lost(store)?;
    }
    Ok(done)
}

/// Ends a job whose session somebody ended, as [`cancel`] does. `opened`: the epoch by which that session was made; if the
/// job has another one by now, nothing is done.
pub fn session_ended(store: &mut JobStore, id: JobId, opened: i64) -> Result<(), StoreError> {
    let done = store.cancel_with_session(id, opened, runner::SESSION_ENDED, clock::wall())?;
    if let Some(Cancelled::Asked(runner)) = done
        && !runner::tell(runner)
    {
        adopt::lost(store)?;
    }
    Ok(())
}

/// Tells the processes of a job to end (TERM), of which no more can be written down than that it failed: for a full disk,
/// which that very job may fill. How many there are.
pub fn end_unwritten(store: &JobStore, id: JobId) -> usize {
    let processes = world::process::marked(&adopt::marks(store, id));
    processes.into_iter().filter(|process| process.signal(rustix::process::Signal::TERM)).count()
}

/// Answers a job that waits for an approval.
pub fn answer(store: &mut JobStore, id: JobId, answer: Answer) -> Result<Answered, StoreError> {
    let done = store.answer(id, answer, clock::wall())?;
    // One that was killed may still have its number, with nobody who has waited for it.
    if let Answered::Given(runner) = done
        && !(runner::tell(runner) && process(runner).is_alive())
    {
        // Another one takes the job over, and finds the answer.
        adopt::lost(store)?;
    }
    Ok(done)
}

pub fn process(mark: ProcMark) -> ProcId {
    ProcId { pid: mark.pid, start: mark.start }
}

pub fn mark(process: ProcId) -> ProcMark {
    ProcMark { pid: process.pid, start: process.start }
}
