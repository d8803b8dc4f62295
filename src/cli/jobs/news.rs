//! Waiting for news of jobs: the kernel tells, nobody asks again and again.
use super::{super::failure::Failure, Ground};
use crate::{
    model::job::ProcMark,
    store::jobs::{JobStore, PULSE},
    world::process::ProcId,
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{
        Mode, OFlags,
        inotify::{self, CreateFlags, Reader, WatchFlags},
    },
    process::{Pid, PidfdFlags, pidfd_open},
    time::Timespec,
};
use std::{mem::MaybeUninit, os::fd::OwnedFd, path::Path, time::Duration};

/// Looks anyway after this long, where the kernel tells nothing (some network file systems, no inotify left).
const WITHOUT_NEWS: Duration = Duration::from_millis(500);
/// The same where it does.
const AT_LEAST_EVERY: Duration = Duration::from_secs(60);

/// A runner takes over the job of a dead one: looked at again after this long.
const TAKING_OVER: Duration = Duration::from_millis(50);

pub struct News {
    /// `None`: there is no inotify to be had.
    events: Option<OwnedFd>,
    /// The file that is watched beside the pulse, by its watch.
    file: Option<i32>,
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
        let watched = || {
            let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
            let pulse = dir.join(PULSE);
            // Who makes the first change touches it for the first time; it has to be there before.
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
            rustix::fs::open(&pulse, flags, Mode::RUSR | Mode::WUSR)?;
            // A new time of change alone is told as MODIFY, both times as ATTRIB.
            inotify::add_watch(&events, &pulse, WatchFlags::ATTRIB | WatchFlags::MODIFY)?;
            Ok::<_, rustix::io::Errno>(events)
        };
        News { events: watched().ok(), file: None }
    }

    /// Watches a file that grows, too. False: it is not there.
    pub fn watch(&mut self, file: &Path) -> bool {
        let Some(events) = &self.events else { return file.exists() };
        self.file = inotify::add_watch(events, file, WatchFlags::MODIFY).ok();
        self.file.is_some()
    }

    /// Until something happened or the time is over; fails with [`Failure::Closed`] if our reader went away. A runner
    /// that dies tells nobody: its jobs are seen to here.
    pub fn wait(&mut self, ground: &Ground, store: &mut JobStore, most: Option<Duration>) -> Result<Heard, Failure> {
        self.wait_or(ground, store, most, None)
    }

    /// The same, or until there is something to read in `other`.
    pub fn wait_or(
        &mut self,
        ground: &Ground,
        store: &mut JobStore,
        most: Option<Duration>,
        other: Option<&OwnedFd>,
    ) -> Result<Heard, Failure> {
        let marks: Vec<ProcMark> = store.running()?.iter().filter_map(|job| job.runner).collect();
        let runners: Vec<OwnedFd> = marks.iter().copied().filter_map(process).collect();
        // One that died before we could watch it. Who takes over is another process, and needs a moment.
        let gone = runners.len() < marks.len();
        if gone {
            ground.adopt(store)?;
        }
        let rest = match &self.events {
            _ if gone => TAKING_OVER,
            Some(_) => AT_LEAST_EVERY,
            None => WITHOUT_NEWS,
        };
        let most = most.map_or(rest, |most| most.min(rest));
        let timeout = Timespec { tv_sec: most.as_secs() as i64, tv_nsec: most.subsec_nanos().into() };
        let stdout = std::io::stdout();
        let mut fds = vec![PollFd::new(&stdout, PollFlags::empty())];
        fds.extend(runners.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
        fds.extend(self.events.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
        fds.extend(other.map(|fd| PollFd::new(fd, PollFlags::IN)));
        let ready = poll(&mut fds, Some(&timeout)).unwrap_or(0);
        if !fds[0].revents().is_empty() {
            return Err(Failure::Closed);
        }
        let died = fds[1..=runners.len()].iter().any(|fd| !fd.revents().is_empty());
        drop(fds);
        if died {
            ground.adopt(store)?;
        }
        let mut heard = self.hear();
        heard.change |= died || gone || ready == 0;
        heard.file |= ready == 0;
        Ok(heard)
    }

    fn hear(&mut self) -> Heard {
        let mut heard = Heard::default();
        let Some(events) = &self.events else { return Heard { change: true, file: true } };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(events, &mut buffer);
        while let Ok(event) = reader.next() {
            let lost = event.wd() < 0;
            if Some(event.wd()) == self.file || lost {
                heard.file = true;
                heard.change |= lost;
            } else {
                heard.change = true;
            }
        }
        heard
    }
}

/// `None`: it is over already, and has been seen to, or will be at the next look.
fn process(mark: ProcMark) -> Option<OwnedFd> {
    let pid = i32::try_from(mark.pid).ok().and_then(Pid::from_raw)?;
    let fd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    ProcId { pid: mark.pid, start: mark.start }.is_alive().then_some(fd)
}
