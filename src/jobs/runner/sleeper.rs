//! One runner per store sleeps while jobs wait for a time, with a timer and no look in between. It hears of all changes,
//! too, as long as nobody else would begin what waits: of jobs that were submitted within a sandbox or limits those outside
//! of them, and the other way round. Within such bounds there is one as well, while anything waits there.
use super::ears::Ears;
use crate::{
    jobs::{pulse::Watch, start::alarm_lock, within::waits_for_others},
    model::time::Wall,
    store::{StoreError, jobs::JobStore},
    world::clock,
};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

/// `true`: some job's time has come, or its turn. `false`: nothing waits, or somebody else sleeps for it, or we are told
/// to end.
pub fn sleep(store: &JobStore, ears: &Ears) -> Result<bool, StoreError> {
    while store.next_wake()?.is_some() || waits_for_others(store)? {
        let Some(lock) = alarm_lock(store) else { return Ok(false) };
        let alarms = Watch::alarms(store.dir());
        let mut changes: Option<Watch> = None;
        loop {
            let others = waits_for_others(store)?;
            if others && changes.is_none() {
                // Before it is looked whether there is a turn.
                changes = Some(Watch::changes(store.dir()));
            } else if !others {
                changes = None;
            }
            let wake = store.next_wake()?;
            if wake.is_some_and(|wake| clock::wall() >= wake) || (others && store.startable(clock::wall(), 1)? > 0) {
                return Ok(true);
            }
            if wake.is_none() && !others {
                break;
            }
            let timer = wake.map(timer).transpose();
            let watches = [Some(&alarms), changes.as_ref()];
            let mut fds: Vec<BorrowedFd> = watches.iter().flatten().filter_map(|watch| watch.fd()).collect();
            let deaf = fds.len() < watches.iter().flatten().count() || timer.is_err();
            fds.extend(timer.as_ref().ok().and_then(Option::as_ref).map(AsFd::as_fd));
            // Without a timer, or without news, it is looked rarely rather than never.
            let until = deaf.then(|| clock::boot().after(Duration::from_secs(1)));
            if ears.rest(&fds, until).down {
                return Ok(false);
            }
            watches.iter().flatten().for_each(|watch| watch.clear());
        }
        // Whoever found it held relied on us: look once more after letting go.
        drop(lock);
    }
    // What nobody has to wait for any more may have made room a moment ago, for something that only we know of.
    Ok(store.startable(clock::wall(), 1)? > 0)
}

/// Readable at this time of the wall clock, and when somebody sets that clock.
fn timer(at: Wall) -> io::Result<OwnedFd> {
    let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
    let value = Timespec { tv_sec: at.0.div_euclid(1000), tv_nsec: at.0.rem_euclid(1000) * 1_000_000 };
    let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
    timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET, &once)?;
    Ok(timer)
}
