//! News of the store, pushed by the kernel: nobody who waits asks again and again.
use crate::store::jobs::{ALARM, PULSE};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags, inotify},
    io::Errno,
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    time::Duration,
};

/// Where the kernel has no watch left to give (a user has 128), this often is looked.
pub const SLOW: Duration = Duration::from_millis(100);

/// What the kernel calls it when the times of a file are set: it depends on which of them.
const TOUCHED: inotify::WatchFlags = inotify::WatchFlags::ATTRIB.union(inotify::WatchFlags::MODIFY);

/// Of any change ([`Watch::changes`]), or of new times to wait for ([`Watch::alarms`]). What changed before it was made
/// is not told: make it, then look, then wait.
pub struct Watch {
    inotify: Option<OwnedFd>,
}

impl Watch {
    pub fn changes(dir: &Path) -> Watch {
        Watch::of(&dir.join(PULSE), TOUCHED)
    }

    pub fn alarms(dir: &Path) -> Watch {
        Watch::of(&dir.join(ALARM), TOUCHED)
    }

    /// Of a file that somebody writes to.
    pub fn growth(file: &Path) -> Watch {
        Watch::of(file, inotify::WatchFlags::MODIFY)
    }

    fn of(file: &Path, what: inotify::WatchFlags) -> Watch {
        // It is touched for the first time after the first change, which may come yet.
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let _ = rustix::fs::open(file, flags, Mode::RUSR | Mode::WUSR);
        let watch = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK).ok();
        Watch { inotify: watch.filter(|watch| inotify::add_watch(watch, file, what).is_ok()) }
    }

    /// Readable when there is news. `None`: look again every [`SLOW`].
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.inotify.as_ref().map(|watch| watch.as_fd())
    }

    /// Forgets the news so far.
    pub fn clear(&self) {
        let mut events = [0_u8; 4096];
        let Some(watch) = &self.inotify else { return };
        while matches!(rustix::io::read(watch, &mut events), Ok(n) if n > 0) {}
    }

    /// Waits for news, at most this long (`None`: for ever). `false`: there was none, or only perhaps.
    pub fn wait(&self, longest: Option<Duration>) -> io::Result<bool> {
        let (mut fds, longest) = match &self.inotify {
            Some(watch) => (vec![PollFd::new(watch, PollFlags::IN)], longest),
            None => (Vec::new(), Some(longest.map_or(SLOW, |longest| longest.min(SLOW)))),
        };
        let longest = longest.and_then(|time| Timespec::try_from(time).ok());
        match poll(&mut fds, longest.as_ref()) {
            Ok(ready) => {
                self.clear();
                Ok(ready > 0)
            }
            Err(Errno::INTR) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::job::DEFAULT_GROUP,
        store::{
            Durability,
            jobs::{FILE, open},
        },
    };

    #[test]
    fn a_change_is_told_and_an_old_one_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut store = open(&dir.path().join(FILE), Durability::Normal).expect("a store");
        store.set_limit(DEFAULT_GROUP, Some(3)).expect("written");
        let watch = Watch::changes(dir.path());
        assert!(!watch.wait(Some(Duration::ZERO)).expect("waited"), "that was before");
        store.set_limit(DEFAULT_GROUP, Some(4)).expect("written");
        assert!(watch.wait(Some(Duration::from_secs(10))).expect("waited"));
        assert!(!watch.wait(Some(Duration::ZERO)).expect("waited"), "it was told");
    }
}
