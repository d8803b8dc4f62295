//! Jobs whose runner is gone: killed, or the machine went down under it.
//!
//! A job whose processes are still there keeps its slot, and another runner looks after it until they end; nobody but
//! its parent is told the exit code, so it ends `interrupted`. One whose processes are gone is `interrupted` at once.
//! Neither is run again unless somebody asks. One that waited for an answer between two steps waits for it again.
//!
//! Many look at the same time: every command, everybody who waits. Who finds a job first says so in the store before it
//! does anything else ([`Finder`]), and the others leave it alone as long as that process, or the runner that it has
//! sent, is there to see to it.
use super::{mark, pane, process, runner, start, within};
use crate::{
    model::{
        job::{Exit, JobId, JobState, ProcMark},
        time::Boot,
    },
    store::{
        StoreError,
        jobs::{Ending, Finder, JobStore, Lost},
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
/// From the moment at which a job is found until another runner has it, on a machine that is very busy. Whoever finds it
/// may live for hours afterwards.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks at all jobs that say they run, which costs little while their runners are there. What was found here first.
pub fn lost(store: &mut JobStore) -> Result<Vec<JobId>, StoreError> {
    if store.within().is_some() {
        // Who looks after them must be free to, and may have to go on with them.
        return Ok(Vec::new());
    }
    within::end_what_nobody_can_begin(store)?;
    let boot_id = clock::boot_id();
    let mut live = store.lost(&boot_id)?;
    // Read after all that stands there was written.
    let now = clock::boot();
    live.retain(|job| !has_runner(job) && !is_seen_to(job, &boot_id, now));
    let Some(me) = ProcId::own().filter(|_| !live.is_empty()) else { return Ok(Vec::new()) };
    let by = |mark: ProcMark| Finder { mark, boot: boot_id.clone(), at: now };
    let ours = match store.found(&live, &by(mark(me))) {
        // Whoever only looks can do so on a full disk, too; the next one tries again.
        Err(StoreError::Full { .. } | StoreError::FileLimit { .. }) => return Ok(Vec::new()),
        ours => ours?,
    };
    // Of one that waits nothing was cut off: another runner waits for the answer, or has it. But ours would go on with it
    // outside of the bounds that it was submitted in.
    let (go_on, rest): (Vec<&Lost>, Vec<&Lost>) =
        ours.iter().partition(|job| job.waits() || (job.this_boot && has_child(job)));
    hand_on(store, &go_on, by);
    let (there, gone) = remains(store, rest);
    hand_on(store, &there, by);
    let had_session = |job: &&Lost| store.job(job.id).is_ok_and(|job| job.is_some_and(|job| job.session.is_some()));
    let had_sessions = gone.iter().any(had_session);
    for job in gone {
        let why = match job.within {
            Some(bounds) if job.paused => within::gone(bounds),
            _ if job.this_boot => RUNNER_GONE.into(),
            _ => REBOOT.into(),
        };
        interrupted(store, job.id, job.epoch, &why)?;
    }
    if had_sessions {
        pane::leave_server(store);
    }
    if !ours.is_empty() {
        // The slots that they held.
        start::start(store)?;
    }
    Ok(ours.into_iter().map(|job| job.id).collect())
}

fn has_runner(job: &Lost) -> bool {
    job.this_boot && job.runner.is_some_and(|mark| process(mark).is_alive())
}

fn has_child(job: &Lost) -> bool {
    job.child.is_some_and(|child| process(child).is_alive())
}

/// Somebody has found it, and is there to see to it. For how long is bounded: the runner that was sent may stand still.
fn is_seen_to(job: &Lost, boot_id: &str, now: Boot) -> bool {
    job.finder.as_ref().is_some_and(|finder| {
        let in_time = finder.boot == boot_id && finder.at <= now && now.since(finder.at) < PATIENCE;
        in_time && process(finder.mark).is_alive()
    })
}

/// A runner for each of these. Who they all are that are left of it, that one finds out.
fn hand_on(store: &mut JobStore, jobs: &[&Lost], by: impl Fn(ProcMark) -> Finder) {
    if jobs.is_empty() {
        return;
    }
    // A runner that cannot be started leaves the job to whoever finds it next.
    let send = |job: &&Lost| {
        let sent = start::adopter(store, job.id, job.epoch).ok();
        (job.id, job.epoch, sent.map(|process| by(mark(process))))
    };
    let sent: Vec<_> = jobs.iter().map(send).collect();
    // Where that cannot be written, we see to them as long as we live, and no longer than our time.
    let _ = store.sent(&sent);
}

/// Those of which some process is there, and those of which there is none.
fn remains<'a>(store: &JobStore, jobs: Vec<&'a Lost>) -> (Vec<&'a Lost>, Vec<&'a Lost>) {
    if !jobs.iter().any(|job| job.this_boot) {
        return (Vec::new(), jobs);
    }
    if jobs.iter().any(|job| job.this_boot && job.child.is_none()) {
        becoming(store);
    }
    // Looked for once, however many jobs there are.
    let all = marked(&[mark_of(store)]);
    let there: Vec<JobId> = all.iter().filter_map(|found| job_of(store, found.pid)).collect();
    jobs.into_iter().partition(|job| job.this_boot && (has_child(job) || there.contains(&job.id)))
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
        let is_it = |mark: ProcMark| mark.pid == process.pid;
        live.iter().any(|job| {
            // Or the runner that was sent to take it over.
            job.runner.is_some_and(is_it) || job.finder.as_ref().is_some_and(|finder| is_it(finder.mark))
        })
    };
    while clock::boot() < until && of_name(&name).iter().any(|process| !is_known(process)) {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whose mark this process carries. `None`: none of a job of this store, or it is not ours to look at.
pub(super) fn job_of(store: &JobStore, pid: u32) -> Option<JobId> {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let dir = mark_of(store);
    let mut entries = environment.split(|b| *b == 0);
    if !entries.clone().any(|entry| entry == dir) {
        return None;
    }
    let id = entries.find_map(|entry| entry.strip_prefix(b"AGENTS_JOB="))?;
    JobId::parse(std::str::from_utf8(id).ok()?)
}

/// What the processes of a job carry in their environment.
pub(super) fn marks(store: &JobStore, id: JobId) -> Vec<Vec<u8>> {
    vec![format!("AGENTS_JOB={id}").into_bytes(), mark_of(store)]
}

/// The same of those of all jobs of this store.
fn mark_of(store: &JobStore) -> Vec<u8> {
    [b"AGENTS_JOBS=", store.dir().as_os_str().as_bytes()].concat()
}
