//! A job of a runner that is gone: waits for its processes, and ends them if somebody asks.
use super::{bounds::Group, ears::Ears};
use crate::{
    jobs::adopt::{RUNNER_GONE, marks, survivors},
    model::{
        job::{JobId, JobState, ProcMark},
        time::Boot,
    },
    store::{
        StoreError,
        jobs::{Ending, Fenced, JobStore, Lost},
    },
    world::{
        clock,
        process::{Ending as TreeEnd, ProcId, descendants, let_go_of_code, marked},
    },
};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::{
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

const AFTER_KILL: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

pub struct Taken {
    pub id: JobId,
    pub epoch: i64,
    /// It waits for an answer: nothing of it has to be waited for.
    pub paused: bool,
    /// Most often one: the step's own process.
    members: Vec<ProcId>,
    group: Option<Group>,
    grace: Duration,
    /// Of the job, counted from its start.
    deadline: Option<Boot>,
}

/// `epoch`: the one by which its finder sent us. `None`: we come too late, or nobody runs it any more.
pub fn take(
    store: &mut JobStore,
    id: JobId,
    epoch: i64,
    me: ProcMark,
    boot_id: &str,
) -> Result<Option<Taken>, StoreError> {
    let is_it = |lost: &Lost| (lost.id, lost.epoch) == (id, epoch);
    let Some(lost) = store.lost(boot_id)?.into_iter().find(is_it) else { return Ok(None) };
    let Fenced::Held(epoch) = store.take_over(id, epoch, me, boot_id)? else { return Ok(None) };
    let members = if lost.this_boot { survivors(store, &lost) } else { Vec::new() };
    let group = Group::of(id, &members);
    let job = store.job(id)?;
    let grace = job.as_ref().map_or(Duration::ZERO, |job| job.spec.stop_grace);
    let deadline = job.and_then(|job| {
        let limit = Duration::from_millis(u64::try_from(job.spec.timeout?.as_millis()).ok()?);
        let past = clock::wall().0.saturating_sub(job.started?.0);
        Some(clock::boot().after(limit.saturating_sub(Duration::from_millis(past.max(0).unsigned_abs()))))
    });
    Ok(Some(Taken { id, epoch, paused: lost.waits(), members, group, grace, deadline }))
}

/// Until the job's processes are gone.
pub fn look_after(store: &JobStore, ears: &Ears, taken: &Taken) -> Ending {
    let mut state = JobState::Interrupted;
    let mut error = RUNNER_GONE.to_owned();
    let mut ending: Option<(TreeEnd, Boot)> = None;
    let fds: Vec<OwnedFd> = taken.members.iter().filter_map(|member| watch(*member)).collect();
    let mut going_down = false;
    let_go_of_code();
    loop {
        let alive = taken.members.iter().any(|member| member.is_alive());
        let due = taken.deadline.is_some_and(|deadline| clock::boot() >= deadline);
        if state == JobState::Interrupted && ending.is_none() && alive {
            if store.is_cancelled(taken.id, taken.epoch).unwrap_or(false) {
                (state, error) = (JobState::Cancelled, format!("{}; its runner was killed before", why(store, taken)));
            } else if due {
                (state, error) = (JobState::Timeout, "it ran into its time limit; its runner was killed before".into());
            }
        }
        if ending.is_none() && (!alive || going_down || state != JobState::Interrupted) {
            // Also those that it left behind, found by their mark: nobody is their parent any more but init.
            ending = Some((TreeEnd::by_term(taken.grace), clock::boot().after(taken.grace + AFTER_KILL)));
        }
        let mut until = taken.deadline;
        if let Some((end, give_up)) = &mut ending {
            let mut left: Vec<ProcId> = taken.members.iter().copied().filter(|member| member.is_alive()).collect();
            let below: Vec<ProcId> = left.iter().flat_map(|member| descendants(member.pid)).collect();
            left.extend(below);
            left.extend(marked(&marks(store, taken.id)));
            left.extend(taken.group.iter().flat_map(Group::members));
            if left.is_empty() || clock::boot() >= *give_up {
                taken.group.iter().for_each(Group::remove);
                return Ending { error: Some(error), ..Ending::of(state) };
            }
            taken.group.iter().filter(|_| end.is_killing()).for_each(Group::kill);
            end.step(&left);
            until = Some(clock::boot().after(LOOK));
        }
        // Once they are being ended, their descriptors would be readable all the time.
        let open: Vec<_> = if ending.is_none() { fds.iter().map(AsFd::as_fd).collect() } else { Vec::new() };
        let dead = taken.members.len() - taken.members.iter().filter(|member| member.is_alive()).count();
        // One of several that ended stays readable.
        let open = if dead > 0 { Vec::new() } else { open };
        if dead > 0 && ending.is_none() {
            until = Some(clock::boot().after(LOOK * 10));
        }
        going_down |= ears.rest(&open, until).down;
    }
}

/// Of an end that was asked for.
fn why(store: &JobStore, taken: &Taken) -> String {
    let said = store.job(taken.id).ok().flatten().and_then(|job| job.error);
    said.unwrap_or_else(|| "cancelled".into())
}

fn watch(process: ProcId) -> Option<OwnedFd> {
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw)?;
    let fd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    // The descriptor is open now: if it still is this process, it will be it for good.
    process.is_alive().then_some(fd)
}
