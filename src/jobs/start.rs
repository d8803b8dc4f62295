//! Runners for what may run.
use super::{
    handed, idle,
    runner::WORD,
    within::{self, HELD},
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
    process::{Command, Stdio},
};

/// At most so many at one go; each of them starts more if there is more to do.
pub(super) const MOST: u32 = 64;
/// All that a runner gets of its caller's environment. A job has its own.
pub(super) const KEPT: [&str; 4] = ["AGENTS_BOOT_ID", "PATH", "TZ", "TZDIR"];

/// Starts as many runners as there are free slots with a job, and one that sleeps if jobs wait for a time and nobody
/// does. How many were started, or called. Those that we start are held in as we are ([`super::within`]), and what they
/// find is what they can take.
pub(super) fn start(store: &JobStore) -> Result<u32, StoreError> {
    // Asked first: where nobody has to be waited for any more, it is seen what they have made room for.
    let others = within::waits_for_others(store)?;
    let mut wanted = store.startable(clock::wall(), MOST)?;
    let mut started = 0;
    if wanted > 0 && store.within().is_none() && idle::call(store.dir()) {
        (wanted, started) = (wanted - 1, 1);
    }
    // One more: those that find a job may be busy with it when the time comes.
    if others || store.next_wake()?.is_some() {
        match alarm_lock(store) {
            Some(_) => wanted += 1,
            // What it waited for so far may have told it less.
            None if others => store.wake_sleeper(),
            None => {}
        }
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

/// Starts a runner that belongs to nobody.
fn runner(store: &JobStore) -> io::Result<()> {
    apart(store, &mut command(store)).map(drop)
}

/// One that first takes over this job, whose finder holds it by `epoch`.
pub(super) fn adopter(store: &JobStore, id: JobId, epoch: i64) -> io::Result<ProcId> {
    let pid = apart(store, command(store).arg("--adopt").arg(handed::word(id, epoch)))?;
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
fn apart(store: &JobStore, command: &mut Command) -> io::Result<u32> {
    command.env_clear().envs(KEPT.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(within) = store.within() {
        // At no moment may it seem that nobody is there: it has our lock before it has its own.
        let here = within.here.as_ref().ok_or(io::ErrorKind::PermissionDenied)?.try_clone()?;
        command.env(HELD, &within.word).stdin(here);
    }
    as_given(|| begin_apart(command))
}

/// Whoever holds it sleeps until the next job's time. `None`: somebody else does.
pub(super) fn alarm_lock(store: &JobStore) -> Option<OwnedFd> {
    let path = match store.within() {
        None => store.dir().join(ALARM),
        Some(within) => within::alarm(store.dir(), within.bounds),
    };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).ok()?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok().map(|()| file)
}
