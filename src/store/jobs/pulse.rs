//! Two small files beside the database, touched after a change is written, so that whoever waits is told by the kernel
//! and asks nothing meanwhile. The database's own files would tell too early: before the change can be read.
use crate::store::sqlite::files::Files;
use rustix::fs::{Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use std::{os::fd::OwnedFd, path::PathBuf};

/// Any change: a state, a step, a limit.
pub const PULSE: &str = "jobs.pulse";
/// Some job waits for a time that was not waited for before.
pub const ALARM: &str = "jobs.alarm";

pub struct Pulse {
    pulse: PathBuf,
    alarm: PathBuf,
    open: Option<OwnedFd>,
}

impl Pulse {
    pub fn beside(files: &Files) -> Pulse {
        Pulse { pulse: files.db.with_file_name(PULSE), alarm: files.db.with_file_name(ALARM), open: None }
    }

    /// Best effort: who waits looks again by himself, if rarely.
    pub fn tell(&mut self) {
        if self.open.is_none() {
            self.open = open(&self.pulse);
        }
        self.open.iter().for_each(touch);
    }

    pub fn tell_alarm(&self) {
        open(&self.alarm).iter().for_each(touch);
    }
}

fn open(path: &PathBuf) -> Option<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).ok()
}

fn touch(file: &OwnedFd) {
    let now = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
    };
    let _ = rustix::fs::futimens(file, &now);
}
