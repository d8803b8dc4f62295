//! Where a project keeps none of the jobs that are over (`keep_finished = 0`), they are forgotten at once; but not while
//! somebody waits for how one ends. Whoever waits holds a lock that is shared with others who do.
use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock},
    io::Errno,
};
use std::{os::fd::OwnedFd, path::Path};

const FILE: &str = "jobs.waited";

/// Held until it is dropped. `None`: it cannot be had, and a job may be gone before its end was seen.
pub fn wait(dir: &Path) -> Option<OwnedFd> {
    let file = open(dir)?;
    loop {
        match flock(&file, FlockOperation::LockShared) {
            Ok(()) => return Some(file),
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

/// Nobody waits, and nobody begins to while this is held.
pub fn nobody(dir: &Path) -> Option<OwnedFd> {
    let file = open(dir)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok().map(|()| file)
}

fn open(dir: &Path) -> Option<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    rustix::fs::open(dir.join(FILE), flags, Mode::RUSR | Mode::WUSR).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_wait_together_and_nobody_means_none_of_them() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(nobody(dir.path()).is_some());
        let (one, two) = (wait(dir.path()).expect("held"), wait(dir.path()).expect("held"));
        drop(one);
        assert!(nobody(dir.path()).is_none());
        drop(two);
        assert!(nobody(dir.path()).is_some());
    }
}
