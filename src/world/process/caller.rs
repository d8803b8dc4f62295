//! What this process was handed beside its environment, what of it does not hold for our own files, and what each child
//! gets.
//!
//! Our files must not depend on who calls us: with a umask of 0777 nobody could read them. So a process that writes them
//! for others has a umask of its own, and its children get theirs around the moment at which they begin: that takes two
//! short calls, and no longer way of beginning them.
use crate::model::caller::{Caller, Limit, Processors, UNLIMITED};
use rustix::{
    fs::Mode,
    process::{Resource, Rlimit, getpriority_process, getrlimit, setpriority_process, setrlimit, umask},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

/// As [`crate::model::caller::LIMITS`].
const RESOURCES: [Resource; 16] = [
    Resource::Cpu,
    Resource::Fsize,
    Resource::Data,
    Resource::Stack,
    Resource::Core,
    Resource::Rss,
    Resource::Nproc,
    Resource::Nofile,
    Resource::Memlock,
    Resource::As,
    Resource::Locks,
    Resource::Sigpending,
    Resource::Msgqueue,
    Resource::Nice,
    Resource::Rtprio,
    Resource::Rttime,
];
const FILE_SIZE: usize = 1;

/// Of our own files nobody else may do anything, and we everything.
const OURS: u32 = 0o077;

static GIVEN: OnceLock<Caller> = OnceLock::new();
/// Our own limit of the size of files is the hard one.
static IS_LIFTED: AtomicBool = AtomicBool::new(false);

/// From here on the files that we make are private, and accessible to ourselves. What we were handed: our children
/// should get it, and do with [`as_given`] and [`as_umask`].
pub fn keep_private() -> &'static Caller {
    GIVEN.get_or_init(|| {
        let given = umask(Mode::from_raw_mode(OURS));
        Caller {
            umask: given.as_raw_mode() & 0o777,
            nice: getpriority_process(None).unwrap_or(0),
            processors: sched_getaffinity(None).ok().map(|set| of_set(&set)),
            limits: RESOURCES.map(|resource| limit(getrlimit(resource))),
        }
    })
}

/// [`keep_private`], and our files may become as large as the kernel lets us make them. For who writes nothing but its
/// own.
pub fn lift_file_limit() {
    let given = keep_private().limits[FILE_SIZE];
    if given.soft != given.hard && set_file_limit(Limit { soft: given.hard, ..given }) {
        IS_LIFTED.store(true, Ordering::Relaxed);
    }
}

/// What is written in here to files of ours may be as large as with [`lift_file_limit`]; what our caller reads is not.
pub fn with_room<T>(write: impl FnOnce() -> T) -> T {
    let given = keep_private().limits[FILE_SIZE];
    let is_ours = !IS_LIFTED.load(Ordering::Relaxed);
    lift_file_limit();
    let written = write();
    if is_ours && IS_LIFTED.swap(false, Ordering::Relaxed) {
        set_file_limit(given);
    }
    written
}

/// A process that begins in here gets what we were handed ourselves.
pub fn as_given<T>(begin: impl FnOnce() -> T) -> T {
    let Some(given) = GIVEN.get() else { return begin() };
    let file_size = given.limits[FILE_SIZE];
    let is_lifted = IS_LIFTED.load(Ordering::Relaxed);
    if is_lifted {
        set_file_limit(file_size);
    }
    let begun = as_umask(given.umask, begin);
    if is_lifted {
        set_file_limit(Limit { soft: file_size.hard, ..file_size });
    }
    begun
}

/// A process that begins in here gets this umask. To be called by the only thread that makes files.
pub fn as_umask<T>(mask: u32, begin: impl FnOnce() -> T) -> T {
    let ours = umask(Mode::from_raw_mode(mask));
    let begun = begin();
    umask(ours);
    begun
}

/// What a child has to change of what it gets from us, to have all but the umask as somebody else's child would.
#[derive(Clone, Debug)]
pub struct Changes {
    nice: Option<Nice>,
    processors: Option<CpuSet>,
    limits: Vec<(Resource, Limit, Limit)>,
}

#[derive(Clone, Copy, Debug)]
struct Nice {
    own: i32,
    wanted: i32,
}

impl Changes {
    /// `None`: nothing, which is nearly always so.
    pub fn to(wanted: &Caller) -> Option<Changes> {
        let own = keep_private();
        let mut now = own.limits;
        if IS_LIFTED.load(Ordering::Relaxed) {
            now[FILE_SIZE].soft = now[FILE_SIZE].hard;
        }
        let is_elsewhere = wanted.processors.is_some() && wanted.processors != own.processors;
        if wanted.nice == own.nice && !is_elsewhere && wanted.limits == now {
            return None;
        }
        let limits = RESOURCES.into_iter().zip(wanted.limits.iter().zip(&now));
        let limits = limits.filter(|(_, (wanted, now))| wanted != now);
        Some(Changes {
            nice: (wanted.nice != own.nice).then_some(Nice { own: own.nice, wanted: wanted.nice }),
            processors: wanted.processors.filter(|_| is_elsewhere).map(|sets| to_set(&sets)),
            limits: limits.map(|(resource, (wanted, now))| (resource, *wanted, within(*wanted, now.hard))).collect(),
        })
    }

    /// Changes this process. For between fork and exec: system calls, and no memory is asked for. What cannot be had is
    /// left as near to it as the kernel lets us.
    pub(super) fn make(&self) {
        // While our own limit of it holds, and once more with the other one's.
        let is_nice = self.set_nice();
        if let Some(processors) = &self.processors {
            let _ = sched_setaffinity(None, processors);
        }
        for (resource, wanted, possible) in &self.limits {
            if !set(*resource, *wanted) {
                set(*resource, *possible);
            }
        }
        if !is_nice {
            self.set_nice();
        }
    }

    fn set_nice(&self) -> bool {
        let Some(Nice { own, wanted }) = self.nice else { return true };
        if setpriority_process(None, wanted).is_ok() {
            return true;
        }
        // The kernel counts from 20 downwards.
        let lowest =
            getrlimit(Resource::Nice).current.map_or(-20, |most| 20 - i32::try_from(most.min(40)).unwrap_or(40));
        if lowest < own {
            let _ = setpriority_process(None, lowest.max(wanted));
        }
        false
    }
}

/// The most that a process with this hard limit can have of it.
fn within(wanted: Limit, hard: u64) -> Limit {
    let hard = wanted.hard.min(hard);
    Limit { soft: wanted.soft.min(hard), hard }
}

fn set(resource: Resource, limit: Limit) -> bool {
    let number = |limit| (limit != UNLIMITED).then_some(limit);
    setrlimit(resource, Rlimit { current: number(limit.soft), maximum: number(limit.hard) }).is_ok()
}

fn set_file_limit(limit: Limit) -> bool {
    set(Resource::Fsize, limit)
}

fn limit(limit: Rlimit) -> Limit {
    Limit { soft: limit.current.unwrap_or(UNLIMITED), hard: limit.maximum.unwrap_or(UNLIMITED) }
}

fn of_set(set: &CpuSet) -> Processors {
    let mut sets = Processors::default();
    // Most machines have few of the many that could be.
    let mut left = set.count();
    for (number, bits) in sets.iter_mut().enumerate() {
        for bit in 0..64 {
            if left == 0 {
                return sets;
            }
            if set.is_set(number * 64 + bit) {
                *bits |= 1 << bit;
                left -= 1;
            }
        }
    }
    sets
}

fn to_set(sets: &Processors) -> CpuSet {
    let mut set = CpuSet::new();
    for (number, bits) in sets.iter().enumerate() {
        (0..64).filter(|bit| bits & (1 << bit) != 0).for_each(|bit| set.set(number * 64 + bit));
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_processor_is_kept() {
        let mut set = CpuSet::new();
        [0, 1, 63, 64, 200, 1023].into_iter().for_each(|number| set.set(number));
        let sets = of_set(&set);
        assert_eq!((sets[0], sets[1], sets[3], sets[15]), (3 | 1 << 63, 1, 1 << 8, 1 << 63));
        assert_eq!(to_set(&sets), set);
        assert_eq!(of_set(&CpuSet::new()), Processors::default());
    }

    #[test]
    fn no_more_is_tried_than_a_hard_limit_lets_us() {
        let limit = |soft, hard| Limit { soft, hard };
        assert_eq!(within(limit(5, UNLIMITED), 100), limit(5, 100));
        assert_eq!(within(Limit::NONE, 100), limit(100, 100));
        assert_eq!(within(limit(5, 50), UNLIMITED), limit(5, 50));
    }

    #[test]
    fn for_a_child_that_is_to_have_what_we_have_nothing_changes() {
        let own = keep_private();
        assert!(Changes::to(own).is_none());
        let unknown = Caller { processors: None, umask: own.umask ^ 0o7, ..own.clone() };
        assert!(Changes::to(&unknown).is_none(), "the umask is seen to by others");
        let other = Caller { nice: if own.nice == 3 { 4 } else { 3 }, ..own.clone() };
        assert!(Changes::to(&other).is_some());
    }
}
