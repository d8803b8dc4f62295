//! Which of the processes below us are our job's. A runner that we have started is below us, too; if that is killed, what
//! its job has running comes to us, and goes on.
use crate::{
    jobs::adopt::job_of,
    model::job::{JobId, JobState},
    store::jobs::JobStore,
    world::process::{ProcId, descendants},
};

/// Living ones, parents before children: we are the parent of those that lost theirs. Runners are not among them. Most
/// often there are none when a job has ended.
pub fn of(store: &JobStore, id: JobId) -> Vec<ProcId> {
    let mut found = descendants(std::process::id());
    let others: Vec<ProcId> = found.iter().copied().filter(|process| is_anothers(store, id, *process)).collect();
    // With all below it, whatever that has made of its environment.
    let theirs: Vec<ProcId> = others.iter().flat_map(|other| descendants(other.pid)).collect();
    found.retain(|process| !others.contains(process) && !theirs.contains(process));
    found
}

/// What calls itself another job's is that only as long as that one runs: else nobody would look after it.
fn is_anothers(store: &JobStore, id: JobId, process: ProcId) -> bool {
    let other = job_of(store, process.pid).filter(|other| *other != id);
    // Where the store cannot be read, nobody knows, and nothing is ended for it.
    other.is_some_and(|other| matches!(store.state(other), Ok(Some(JobState::Running | JobState::Paused)) | Err(_)))
}
