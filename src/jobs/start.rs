//! Runners for what may run.
use super::{
    handed, idle,
    runner::WORD,
    within::{HELD, ONLY, is_held},
};
use crate::{
    model::job::JobId,
    store::{
        StoreError,
        jobs::{ALARM, JobStore},
    },
    world::{
        clock,
        process::{ProcId, as_given, begin_apart},
    },
};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use std::{
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::Path,
    process::{Command, Stdio},
};

/// At most so many at one go; each of them starts more if there is more to do.
pub(super) const MOST: u32 = 64;
/// All that a runner gets of its caller's environment. A job has its own.
pub(super) const KEPT: [&str; 5] = ["AGENTS_BOOT_ID", HELD, "PATH", "TZ", "TZDIR"];

/// Starts as many runners as there are free slots with a job, and one that sleeps if jobs wait for a time and nobody
/// does. How many were started, or called.
pub(super) fn start(store: &JobStore) -> Result<u32, StoreError> {
    // They would be held in as we are. Whoever gave a slot free elsewhere sees to them.
    if is_held() {
        return Ok(0);
    }
    let mut wanted = store.startable(clock::wall(), MOST)?;
    let mut started = 0;
    if wanted > 0 && idle::call(store.dir()) {
        (wanted, started) = (wanted - 1, 1);
    }
    // One more: those that find a job may be busy with it when the time comes.
    if store.next_wake()?.is_some() && alarm_lock(store.dir()).is_some() {
        wanted += 1;
    }
    for _ in 0..wanted {
        // A machine that cannot start a process now has runners that go on claiming, or a next command that tries again.
        if runner(store).is_err() {
            break;
        }
        started += 1;
    }
    Ok(started)
}

/// Runners that take nothing but `ids`, which were submitted together from within a job ([`super::within`]). How many
/// were started.
pub(super) fn within(store: &JobStore, ids: &[JobId]) -> Result<u32, StoreError> {
    let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else { return Ok(0) };
    let most = u32::try_from(ids.len()).unwrap_or(u32::MAX).min(MOST);
    let mut started = 0;
    for _ in 0..store.startable(clock::wall(), most)? {
        if apart(command(store).arg(ONLY).arg(format!("{first}-{last}"))).is_err() {
            break;
        }
        started += 1;
    }
    Ok(started)
}

/// Starts a runner that belongs to nobody.
fn runner(store: &JobStore) -> io::Result<()> {
    apart(&mut command(store)).map(drop)
}

/// One that first takes over this job, whose finder holds it by `epoch`.
pub(super) fn adopter(store: &JobStore, id: JobId, epoch: i64) -> io::Result<ProcId> {
    let pid = apart(command(store).arg("--adopt").arg(handed::word(id, epoch)))?;
    ProcId::of(pid).ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn command(store: &JobStore) -> Command {
    // The program that we are, also after it was replaced on disk.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("agents").arg(WORD).arg(store.dir());
    if let Some(habits) = store.habits() {
        command.arg("--habits").arg(habits.word());
    }
    command
}

/// Nobody's child: whoever starts one may live on for hours and wait for none. Its pid.
fn apart(command: &mut Command) -> io::Result<u32> {
    command.env_clear().envs(KEPT.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    as_given(|| begin_apart(command))
}

/// Whoever holds it sleeps until the next job's time. `None`: somebody else does.
pub(super) fn alarm_lock(dir: &Path) -> Option<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = rustix::fs::open(dir.join(ALARM), flags, Mode::RUSR | Mode::WUSR).ok()?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok().map(|()| file)
}
