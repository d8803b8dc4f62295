//! Runners that wait a moment for the next job, and the pipe by which they are called.
//!
//! `DIR/jobs.idle` is a named pipe that every one of them holds open. Whoever has written a job that may run opens it for
//! writing, which the kernel refuses where nobody waits, and leaves a byte in it. One that stops waiting closes it first
//! and looks for jobs afterwards, so nobody called in vain; one that is called closes it, too, and sees to what else may
//! run.
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, fstat, mknodat, open},
    io::{Errno, read, write},
};
use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

pub const IDLE: &str = "jobs.idle";

/// Somebody waits, and has been called.
pub fn call(dir: &Path) -> bool {
    somebody(dir).is_some_and(|waits| waits.call())
}

/// Somebody who waited a moment ago.
pub struct Somebody(OwnedFd);

/// `None`: nobody waits.
pub fn somebody(dir: &Path) -> Option<Somebody> {
    hold(dir, OFlags::WRONLY).ok().map(Somebody)
}

impl Somebody {
    /// `false`: whoever it was waits no more.
    pub fn call(self) -> bool {
        match write(&self.0, b"j") {
            // Full: there was nobody yet to read all the calls before this one, but there will be.
            Ok(_) | Err(Errno::AGAIN) => true,
            Err(_) => false,
        }
    }
}

/// Open while we wait.
pub struct Idle(OwnedFd);

impl Idle {
    /// `None`: it cannot be made, so nobody waits.
    pub fn begin(dir: &Path) -> Option<Idle> {
        // For writing, too: else it would count as closed for good once a caller has closed it.
        let pipe = hold(dir, OFlags::RDWR).or_else(|_| {
            match mknodat(CWD, dir.join(IDLE), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
                // Another one was faster.
                Ok(()) | Err(Errno::EXIST) => hold(dir, OFlags::RDWR),
                Err(e) => Err(e),
            }
        });
        pipe.ok().map(Idle)
    }

    /// Readable when one of us is called.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// `false`: another one has taken the call.
    pub fn is_called(&self) -> bool {
        matches!(read(&self.0, &mut [0_u8; 1]), Ok(1))
    }
}

fn hold(dir: &Path, access: OFlags) -> Result<OwnedFd, Errno> {
    let flags = access | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let pipe = open(dir.join(IDLE), flags, Mode::empty())?;
    let kind = FileType::from_raw_mode(fstat(&pipe)?.st_mode);
    if kind == FileType::Fifo { Ok(pipe) } else { Err(Errno::INVAL) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_those_who_wait_is_called() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(!call(dir.path()), "nobody was ever there");
        let (first, second) = (Idle::begin(dir.path()).expect("made"), Idle::begin(dir.path()).expect("there"));
        assert!(!first.is_called());
        assert!(call(dir.path()));
        assert_eq!([first.is_called(), second.is_called(), first.is_called()], [true, false, false]);
        drop(first);
        assert!(call(dir.path()));
        let somebody = somebody(dir.path()).expect("the second one waits");
        drop(second);
        assert!(!somebody.call(), "that one waits no more");
        assert!(!call(dir.path()), "nobody waits");
        assert!(!Idle::begin(dir.path()).expect("again").is_called(), "an old call");
    }

    #[test]
    fn a_file_in_its_place_is_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join(IDLE), "words").expect("written");
        assert!(!call(dir.path()) && Idle::begin(dir.path()).is_none());
        assert_eq!(std::fs::read(dir.path().join(IDLE)).expect("read"), b"words");
    }
}
