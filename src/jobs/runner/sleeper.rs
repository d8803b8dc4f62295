//! One runner per store sleeps while jobs wait for a time, with a timer and no look in between.
use super::ears::Ears;
use crate::{
    jobs::{pulse::Watch, start::alarm_lock},
    model::time::Wall,
    store::{StoreError, jobs::JobStore},
    world::clock,
};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

/// `true`: some job's time has come. `false`: nothing waits, or somebody else sleeps for it, or we are told to end.
pub fn sleep(store: &JobStore, ears: &Ears) -> Result<bool, StoreError> {
    while store.next_wake()?.is_some() {
        let Some(lock) = alarm_lock(store.dir()) else { return Ok(false) };
        let watch = Watch::alarms(store.dir());
        while let Some(wake) = store.next_wake()? {
            if clock::wall() >= wake {
                return Ok(true);
            }
            let timer = timer(wake);
            let mut fds = Vec::from_iter(watch.fd());
            fds.extend(timer.as_ref().ok().map(|timer| timer.as_fd()));
            // Without a timer, or without news, it is looked rarely rather than never.
            let until = (fds.len() < 2).then(|| clock::boot().after(Duration::from_secs(1)));
            if ears.rest(&fds, until).down {
                return Ok(false);
            }
            watch.clear();
        }
        // Whoever found it held relied on us: look once more after letting go.
        drop(lock);
    }
    Ok(false)
}

/// Readable at this time of the wall clock, and when somebody sets that clock.
fn timer(at: Wall) -> io::Result<OwnedFd> {
    let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
    let value = Timespec { tv_sec: at.0.div_euclid(1000), tv_nsec: at.0.rem_euclid(1000) * 1_000_000 };
    let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
    timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET, &once)?;
    Ok(timer)
}
