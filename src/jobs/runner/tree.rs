//! A job's processes from their start to the end of the last one: deadlines, requests, and the end of the tree.
use super::{
    bounds::Group,
    ears::Ears,
    keys::Keys,
    kin,
    log::Cap,
    pane::{Gone, Pane},
};
use crate::{
    jobs::adopt::marks,
    model::{
        job::{Exit, JobId},
        time::Boot,
    },
    store::jobs::JobStore,
    world::{
        clock,
        process::{End, Ending, ProcId, let_go_of_code, marked, reap},
    },
};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::{cell::Cell, os::fd::BorrowedFd, rc::Rc, time::Duration};

/// After KILL, how long to wait for processes that cannot die (uninterruptible sleep).
const AFTER_KILL: Duration = Duration::from_secs(5);
/// Orphans come to us one by one as their parents end: while a tree is ended, it is looked at this often.
const LOOK: Duration = Duration::from_millis(10);
/// Between two counts of the processes of a job that may not have many.
const COUNT: Duration = Duration::from_millis(100);

/// Why the job's processes were ended by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Cancelled,
    /// Of the whole job.
    JobTimeout,
    StepTimeout,
    /// The machine goes down.
    Down,
    /// More processes than it may have.
    TooMany,
    /// Its terminal is no more.
    Gone(Gone),
}

pub struct Tree<'a> {
    pub ears: &'a Ears,
    /// What else may run has still to be looked at.
    pub due: &'a Cell<bool>,
    /// Its terminal, where it has one.
    pub pane: Option<Pane>,
    /// It is ours while somebody is asked.
    pub keys: Option<Keys>,
    pub id: JobId,
    pub epoch: i64,
    pub grace: Duration,
    /// Of the whole job.
    pub deadline: Option<Boot>,
    pub cap: Option<Cap>,
    /// Processes that it may have at the same time, where we have to count them.
    pub most: Option<u32>,
    pub group: Option<Rc<Group>>,
    /// Runners that it starts give no slot on ([`crate::jobs::within`]).
    pub holds: bool,
    /// One of them ended.
    pub runner_ended: bool,
    /// The first one counts.
    pub verdict: Option<Verdict>,
    /// Bytes.
    pub peak_rss: u64,
    pub cpu_s: f64,
    /// When a job that still runs is one that is waited for, and most of this program is not needed meanwhile. `None`:
    /// it was let go.
    pub heavy_until: Option<Boot>,
}

/// A job that runs longer than this is waited for with little in memory.
pub const LIGHT_AFTER: Duration = Duration::from_secs(1);

impl Tree<'_> {
    /// Until this child has ended; `None`: it cannot be ended. `limit`: of the step.
    pub fn wait_for(&mut self, store: &mut JobStore, child: u32, limit: Option<Boot>) -> Option<Exit> {
        let mut ending: Option<(Ending, Boot)> = None;
        let mut count_at = self.most.map(|_| clock::boot());
        loop {
            if self.pane.is_some() {
                go_on(child);
            }
            let end = self.reap(child);
            if std::mem::take(&mut self.runner_ended) && self.holds {
                // Best effort: when this job is over it is done again. It may have been the last one within our bounds.
                let _ = crate::jobs::kick(store);
            }
            if let Some(end) = end {
                // What ended because its terminal was closed was not told so by its own code.
                self.look_at_pane();
                return Some(end);
            }
            if self.verdict.is_none() {
                let now = clock::boot();
                if self.deadline.is_some_and(|deadline| now >= deadline) {
                    self.verdict = Some(Verdict::JobTimeout);
                } else if limit.is_some_and(|limit| now >= limit) {
                    self.verdict = Some(Verdict::StepTimeout);
                } else if count_at.is_some_and(|at| now >= at) {
                    count_at = Some(now.after(COUNT));
                    if self.most.is_some_and(|most| kin::of(store, self.id).len() > most as usize) {
                        self.verdict = Some(Verdict::TooMany);
                    }
                }
            }
            let mut until = [self.deadline, limit, count_at].into_iter().flatten().min();
            if self.verdict.is_some() {
                let (end, give_up) = ending.get_or_insert_with(|| self.ending());
                self.step(end, &kin::of(store, self.id));
                if clock::boot() >= *give_up {
                    return None;
                }
                until = Some(clock::boot().after(LOOK));
            }
            self.listen(store, until);
        }
    }

    /// Until a time; `false`: something came in between ([`Tree::verdict`]).
    pub fn pause(&mut self, store: &mut JobStore, until: Boot) -> bool {
        while self.verdict.is_none() {
            let now = clock::boot();
            if now >= until {
                return true;
            }
            if self.deadline.is_some_and(|deadline| now >= deadline) {
                self.verdict = Some(Verdict::JobTimeout);
                break;
            }
            self.reap(0);
            self.listen(store, Some(self.deadline.map_or(until, |deadline| deadline.min(until))));
        }
        false
    }

    /// Ends what the job left behind. Most often there is nothing. `strays`: also those that it left under an earlier
    /// runner, and that are nobody's children by now.
    pub fn end_rest(&mut self, store: &mut JobStore, strays: bool) {
        let mut ending: Option<(Ending, Boot)> = None;
        loop {
            self.reap(0);
            let mut left = kin::of(store, self.id);
            if strays {
                left.extend(marked(&marks(store, self.id)));
            }
            if left.is_empty() {
                return;
            }
            let (end, give_up) = ending.get_or_insert_with(|| self.ending());
            self.step(end, &left);
            if clock::boot() >= *give_up {
                return;
            }
            self.listen(store, Some(clock::boot().after(LOOK)));
        }
    }

    fn ending(&self) -> (Ending, Boot) {
        // Those that are too many become more while they are asked.
        let grace = if self.verdict == Some(Verdict::TooMany) { Duration::ZERO } else { self.grace };
        (Ending::by_term(grace), clock::boot().after(grace + AFTER_KILL))
    }

    fn step(&self, ending: &mut Ending, processes: &[ProcId]) {
        if let Some(group) = self.group.as_ref().filter(|_| ending.is_killing()) {
            group.kill();
        }
        ending.step(processes);
    }

    pub(super) fn listen(&mut self, store: &mut JobStore, until: Option<Boot>) {
        // Before any wait, however long: of a process, an answer, or room on the machine.
        if self.due.take() {
            // Whatever goes wrong with others is theirs.
            let _ = crate::jobs::kick(store);
        }
        let look_at_log = self.cap.as_ref().and_then(Cap::deadline);
        if self.heavy_until.is_some_and(|until| clock::boot() >= until) {
            self.heavy_until = None;
            let_go_of_code();
        }
        let until = [until, look_at_log, self.heavy_until].into_iter().flatten().min();
        // Once it ends, whatever is readable stays so.
        let pane = self.pane.as_ref().filter(|_| self.verdict.is_none());
        let of_pane = pane.map(Pane::fd).into_iter().chain(pane.and_then(Pane::writer));
        let keys = self.keys.as_ref().filter(|_| pane.is_some()).map(Keys::fd);
        let fds: Vec<BorrowedFd> = self.cap.as_ref().and_then(Cap::fd).into_iter().chain(of_pane).chain(keys).collect();
        let heard = self.ears.wait(&fds, until);
        self.look_at_pane();
        if (heard.look || heard.down) && self.verdict.is_none() {
            // A store that cannot be read now is no reason to end a job; a machine that goes down is.
            self.verdict = match store.is_cancelled(self.id, self.epoch) {
                Ok(true) => Some(Verdict::Cancelled),
                _ if heard.down => Some(Verdict::Down),
                _ => None,
            };
        }
        self.cap.iter_mut().for_each(Cap::look);
        self.tell_progress(store);
    }

    fn look_at_pane(&mut self) {
        if self.verdict.is_none() {
            self.verdict = self.pane.as_ref().and_then(Pane::gone).map(Verdict::Gone);
        }
        if self.verdict.is_none() {
            self.pane.iter_mut().for_each(Pane::mend_log);
        }
    }

    /// Writes down what the job says of its progress, if that is new. The log is looked at four times a second at most,
    /// and so is that. What cannot be written now is tried again.
    pub fn tell_progress(&mut self, store: &mut JobStore) {
        let Some(cap) = &mut self.cap else { return };
        let follow = &mut cap.progress;
        if let Some(agent) = &mut cap.agent {
            if let Some(progress) = follow.news() {
                agent.said_progress(progress);
                follow.written();
            }
            return agent.tell(store, self.id, self.epoch);
        }
        let Some(progress) = follow.news() else { return };
        if store.progressed(self.id, self.epoch, progress, Some(&progress.words())).is_ok() {
            follow.written();
        }
    }

    /// Everyone who ended; how `child` did, if it is among them.
    pub(super) fn reap(&mut self, child: u32) -> Option<Exit> {
        let mut found = None;
        while let Ok(Some(reaped)) = reap() {
            if reaped.runner {
                self.runner_ended = true;
                continue;
            }
            self.peak_rss = self.peak_rss.max(reaped.peak_rss);
            self.cpu_s += reaped.cpu_s;
            if reaped.pid == child {
                found = Some(match reaped.end {
                    End::Code(code) => Exit::Code(code),
                    End::Signal(signal) => Exit::Signal(signal),
                });
            }
        }
        found
    }
}

/// Where there is no shell that would ever continue it, what a key stopped goes on. What somebody stopped with STOP stays
/// so.
fn go_on(child: u32) {
    let Some(pid) = i32::try_from(child).ok().and_then(Pid::from_raw) else { return };
    let stopped = waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED | WaitIdOptions::NOHANG);
    let by = stopped.ok().flatten().and_then(|status| status.stopping_signal());
    if by.is_some_and(|by| [Signal::TSTP, Signal::TTIN, Signal::TTOU].map(Signal::as_raw).contains(&by)) {
        let _ = kill_process_group(pid, Signal::CONT);
    }
}
