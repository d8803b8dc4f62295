//! Waiting for news of jobs: the kernel tells, nobody asks again and again.
use super::super::failure::Failure;
use crate::{
    jobs::{
        adopt, kick, process,
        pulse::{SLOW, Watch},
    },
    model::job::ProcMark,
    store::jobs::JobStore,
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, pidfd_open},
    time::Timespec,
};
use std::{
    os::fd::{BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
    time::Duration,
};

/// Looks anyway after this long: some file systems tell nothing of what other machines write.
const AT_LEAST_EVERY: Duration = Duration::from_secs(60);

pub struct News {
    changes: Watch,
    /// A file that grows.
    growth: Option<Watch>,
    /// Its path, where it may be another one tomorrow.
    grows: Option<PathBuf>,
}

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Some job changed; or nobody knows.
    pub change: bool,
    /// The watched file grew; or nobody knows.
    pub file: bool,
}

impl News {
    /// Of the jobs in this folder, from now on.
    pub fn of(dir: &Path) -> News {
        News { changes: Watch::changes(dir), growth: None, grows: None }
    }

    /// Watches a file that grows, too, if it is there.
    pub fn watch(&mut self, file: &Path) {
        if self.growth.is_none() && file.exists() {
            self.growth = Some(Watch::growth(file));
        }
    }

    /// Watches this file that grows, and no other one any more.
    pub fn watch_instead(&mut self, file: &Path) {
        if self.grows.as_deref() != Some(file) {
            self.growth = None;
        }
        self.watch(file);
        self.grows = self.growth.is_some().then(|| file.to_owned());
    }

    /// Until something happened or the time is over; fails with [`Failure::Closed`] if our reader went away. A runner
    /// that dies tells nobody: its jobs are seen to here.
    pub fn wait(&mut self, store: &mut JobStore, most: Option<Duration>) -> Result<Heard, Failure> {
        self.wait_or(store, most, &[])
    }

    /// The same, or until there is something to read in one of `others`.
    pub fn wait_or(
        &mut self,
        store: &mut JobStore,
        most: Option<Duration>,
        others: &[BorrowedFd],
    ) -> Result<Heard, Failure> {
        let marks: Vec<ProcMark> = store.running()?.iter().filter_map(|job| job.runner).collect();
        let runners: Vec<OwnedFd> = marks.iter().filter_map(|mark| living(*mark)).collect();
        // It died before we looked; whoever takes over needs a moment.
        let dead = runners.len() < marks.len();
        if dead {
            adopt::lost(store)?;
        }
        let watches = [Some(&self.changes), self.growth.as_ref()];
        let deaf = watches.iter().flatten().any(|watch| watch.fd().is_none());
        let rest = if deaf || dead { SLOW } else { AT_LEAST_EVERY };
        let most = most.map_or(rest, |most| most.min(rest));
        let timeout = Timespec { tv_sec: most.as_secs() as i64, tv_nsec: most.subsec_nanos().into() };
        let stdout = std::io::stdout();
        let mut fds = vec![PollFd::new(&stdout, PollFlags::empty())];
        fds.extend(runners.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let heard = watches.map(|watch| {
            let fd = watch.and_then(Watch::fd)?;
            fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
            Some(fds.len() - 1)
        });
        fds.extend(others.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let ready = poll(&mut fds, Some(&timeout)).unwrap_or(0);
        if !fds[0].revents().is_empty() {
            return Err(Failure::Closed);
        }
        let died = fds[1..=runners.len()].iter().any(|fd| !fd.revents().is_empty());
        // Where nobody knows, both may be.
        let told = heard.map(|at| ready == 0 || deaf || at.is_some_and(|at| !fds[at].revents().is_empty()));
        drop(fds);
        // Whoever was called for it may have been killed since.
        if ready == 0 && most == AT_LEAST_EVERY {
            kick(store)?;
        }
        watches.iter().flatten().for_each(|watch| watch.clear());
        if died {
            adopt::lost(store)?;
        }
        Ok(Heard { change: told[0] || died, file: told[1] })
    }
}

/// `None`: it is over.
fn living(mark: ProcMark) -> Option<OwnedFd> {
    let pid = i32::try_from(mark.pid).ok().and_then(Pid::from_raw)?;
    let fd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    process(mark).is_alive().then_some(fd)
}
