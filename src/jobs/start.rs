//! Runners for what may run.
use super::runner::WORD;
use crate::{
    model::job::JobId,
    store::{
        StoreError,
        jobs::{ALARM, IDLE, JobStore},
    },
    world::{
        clock,
        process::{Limits, in_own_session},
    },
};
use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock},
    io::Errno,
};
use std::{
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::Path,
    process::{Command, Stdio},
};

/// At most so many at one go; each of them starts more if there is more to do.
const MOST: u32 = 64;
/// All that a runner gets of its caller's environment. A job has its own.
pub(super) const KEPT: [&str; 4] = ["AGENTS_BOOT_ID", "PATH", "TZ", "TZDIR"];

/// Starts as many runners as there are free slots with a job, and one that sleeps if jobs wait for a time and nobody
/// does. How many were started, or are there and know.
pub(super) fn start(store: &JobStore) -> Result<u32, StoreError> {
    let mut wanted = store.startable(clock::wall(), MOST)?;
    let mut started = 0;
    if wanted > 0 && is_somebody_idle(store.dir()) {
        wanted -= 1;
        started += 1;
    }
    // One more: those that find a job may be busy with it when the time comes.
    if store.next_wake()?.is_some() && alarm_lock(store.dir()).is_some() {
        wanted += 1;
    }
    for _ in 0..wanted {
        // A machine that cannot start a process now has runners that go on claiming, or a next command that tries again.
        if runner(store, None).is_err() {
            break;
        }
        started += 1;
    }
    Ok(started)
}

/// Starts a runner that belongs to nobody. `adopt`: it first takes over this job.
pub fn runner(store: &JobStore, adopt: Option<JobId>) -> io::Result<()> {
    // The program that we are, also after it was replaced on disk.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("agents").arg(WORD).arg(store.dir());
    if let Some(habits) = store.habits() {
        command.arg("--habits").arg(habits.word());
    }
    if let Some(id) = adopt {
        command.arg("--adopt").arg(id.to_string());
    }
    command.env_clear().envs(KEPT.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    in_own_session(&mut command, Limits::default()).spawn().map(drop)
}

/// Somebody has seen, or will see, that a job was submitted, and begins it if it may run.
pub fn is_somebody_idle(dir: &Path) -> bool {
    // Shared: two who ask at the same time must not take each other for one.
    let asked = open(&dir.join(IDLE)).map(|file| flock(&file, FlockOperation::NonBlockingLockShared));
    matches!(asked, Ok(Err(Errno::WOULDBLOCK)))
}

/// Whoever holds it waits a moment for the next job. `None`: somebody else does.
pub(super) fn idle_lock(dir: &Path) -> Option<OwnedFd> {
    lock(&dir.join(IDLE))
}

/// Whoever holds it sleeps until the next job's time. `None`: somebody else does.
pub(super) fn alarm_lock(dir: &Path) -> Option<OwnedFd> {
    lock(&dir.join(ALARM))
}

fn open(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)
}

fn lock(path: &Path) -> Option<OwnedFd> {
    let file = open(path).ok()?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok().map(|()| file)
}
