//! Jobs whose runner is gone: killed, or the machine went down under it.
//!
//! A job whose processes are still there keeps its slot, and another runner looks after it until they end; nobody but
//! its parent is told the exit code, so it ends `interrupted`. One whose processes are gone is `interrupted` at once.
//! Neither is run again unless somebody asks. One that waited for an answer between two steps waits for it again.
use super::{process, start};
use crate::{
    model::job::{Exit, JobId, JobState},
    store::{
        StoreError,
        jobs::{Ending, JobStore, Lost},
    },
    world::{
        clock,
        process::{ProcId, marked},
    },
};

/// The runner died.
pub const RUNNER_GONE: &str = "its runner was killed, and nobody saw how it ended";
/// The machine went down.
pub const REBOOT: &str = "the machine went down while it ran";

/// Looks at all jobs that say they run, which costs little while their runners are there. What was found.
pub fn lost(store: &mut JobStore) -> Result<Vec<JobId>, StoreError> {
    let boot_id = clock::boot_id();
    let live = store.lost(&boot_id)?;
    let mut found = Vec::new();
    for job in live {
        if job.this_boot && job.runner.is_some_and(|runner| process(runner).is_alive()) {
            continue;
        }
        found.push(job.id);
        if job.paused {
            // Nothing was cut off: another runner waits for the answer, or has it.
            let _ = start::runner(store, Some(job.id));
            continue;
        }
        let survivors = if job.this_boot { survivors(store, &job) } else { Vec::new() };
        // A runner that cannot be started leaves the row as it is: the next command tries again.
        if survivors.is_empty() {
            let why = if job.this_boot { RUNNER_GONE } else { REBOOT };
            interrupted(store, job.id, job.epoch, why)?;
        } else {
            let _ = start::runner(store, Some(job.id));
        }
    }
    if !found.is_empty() {
        // The slots that they held.
        start::start(store)?;
    }
    Ok(found)
}

/// The job is over, as far as anybody knows.
pub(super) fn interrupted(store: &mut JobStore, id: JobId, epoch: i64, why: &str) -> Result<(), StoreError> {
    let exit: Option<Exit> = None;
    let ending = Ending { exit, error: Some(why.to_owned()), ..Ending::of(JobState::Interrupted) };
    store.finish(id, epoch, &ending, clock::wall()).map(drop)
}

/// What is left of a job's processes: the child that is known, and whoever carries the job's mark.
pub(super) fn survivors(store: &JobStore, job: &Lost) -> Vec<ProcId> {
    let mut all: Vec<ProcId> = job.child.map(process).into_iter().filter(|child| child.is_alive()).collect();
    for found in marked(&marks(store, job.id)) {
        if !all.contains(&found) {
            all.push(found);
        }
    }
    all
}

/// What the processes of a job carry in their environment.
pub(super) fn marks(store: &JobStore, id: JobId) -> Vec<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt;
    let dir = [b"AGENTS_JOBS=", store.dir().as_os_str().as_bytes()].concat();
    vec![format!("AGENTS_JOB={id}").into_bytes(), dir]
}
