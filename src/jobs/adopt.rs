//! Jobs whose runner is gone: killed, or the machine went down under it.
//!
//! A job whose processes are still there keeps its slot, and another runner looks after it until they end; nobody but
//! its parent is told the exit code, so it ends `interrupted`. One whose processes are gone is `interrupted` at once.
//! Neither is run again unless somebody asks. One that waited for an answer between two steps waits for it again.
use super::{process, runner, start, within::is_held};
use crate::{
    model::job::{Exit, JobId, JobState},
    store::{
        StoreError,
        jobs::{Ending, JobStore, Lost},
    },
    world::{
        clock,
        process::{ProcId, marked, of_name},
    },
};
use std::{os::unix::ffi::OsStrExt, time::Duration};

/// The runner died.
pub const RUNNER_GONE: &str = "its runner was killed, and nobody saw how it ended";
/// From fork to exec, on a machine that is very busy.
const BECOMING: Duration = Duration::from_millis(100);
/// The machine went down.
pub const REBOOT: &str = "the machine went down while it ran";

/// Looks at all jobs that say they run, which costs little while their runners are there. What was found.
pub fn lost(store: &mut JobStore) -> Result<Vec<JobId>, StoreError> {
    if is_held() {
        // Who looks after them must be free to, and may have to go on with them.
        return Ok(Vec::new());
    }
    let boot_id = clock::boot_id();
    let live = store.lost(&boot_id)?;
    let mut found = Vec::new();
    for job in live {
        if job.this_boot && job.runner.is_some_and(|mark| process(mark).is_alive()) {
            continue;
        }
        found.push(job.id);
        if job.paused {
            // Nothing was cut off: another runner waits for the answer, or has it.
            let _ = start::runner(store, Some(job.id));
            continue;
        }
        // Who they all are, the runner that takes over finds out.
        let is_there =
            || job.child.is_some_and(|child| process(child).is_alive()) || !survivors(store, &job).is_empty();
        // A runner that cannot be started leaves the row as it is: the next command tries again.
        if !(job.this_boot && is_there()) {
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
    if job.child.is_none() {
        becoming(store);
    }
    let mut all: Vec<ProcId> = job.child.map(process).into_iter().filter(|child| child.is_alive()).collect();
    for found in marked(&marks(store, job.id)) {
        if !all.contains(&found) {
            all.push(found);
        }
    }
    all
}

/// A runner that was killed right after it had made a child leaves one that still is called as the runner was, and
/// carries no mark: it is waited for until it has become the job's program.
fn becoming(store: &JobStore) {
    let until = clock::boot().after(BECOMING);
    let boot_id = clock::boot_id();
    let name = runner::name(store.dir());
    let is_known = |process: &ProcId| {
        let live = store.lost(&boot_id).unwrap_or_default();
        live.iter().any(|job| job.runner.is_some_and(|mark| mark.pid == process.pid))
    };
    while clock::boot() < until && of_name(&name).iter().any(|process| !is_known(process)) {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whose mark this process carries. `None`: none of a job of this store, or it is not ours to look at.
pub(super) fn job_of(store: &JobStore, pid: u32) -> Option<JobId> {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let dir = [b"AGENTS_JOBS=", store.dir().as_os_str().as_bytes()].concat();
    let mut entries = environment.split(|b| *b == 0);
    if !entries.clone().any(|entry| entry == dir) {
        return None;
    }
    let id = entries.find_map(|entry| entry.strip_prefix(b"AGENTS_JOB="))?;
    JobId::parse(std::str::from_utf8(id).ok()?)
}

/// What the processes of a job carry in their environment.
pub(super) fn marks(store: &JobStore, id: JobId) -> Vec<Vec<u8>> {
    let dir = [b"AGENTS_JOBS=", store.dir().as_os_str().as_bytes()].concat();
    vec![format!("AGENTS_JOB={id}").into_bytes(), dir]
}
