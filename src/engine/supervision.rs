//! Who supervises a fleet now, as everybody else sees it.
use super::{
    journal,
    lock::{Lock, Role},
    paths::Paths,
    revivals::Revivals,
};
use crate::model::time::Wall;

/// A supervisor that holds the fleet's lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Supervisor {
    pub pid: u32,
    pub since: Wall,
    pub last_tick: Option<Wall>,
    pub tick_ms: Option<f64>,
}

/// Who brings the detached watchdog back.
#[derive(Clone, Debug, PartialEq)]
pub struct Guardian {
    pub pid: u32,
    pub since: Wall,
    pub revivals: Revivals,
}

/// `None`: none, as beside a watchdog in the foreground.
pub fn guardian(paths: &Paths) -> Option<Guardian> {
    let holder = Lock::holder(&paths.guardian)?;
    Some(Guardian { pid: holder.pid, since: holder.since, revivals: holder.revivals.unwrap_or_default() })
}

/// `None`: nobody, or a verb that is soon over.
pub fn seen(paths: &Paths) -> Option<Supervisor> {
    let holder = Lock::holder(&paths.lock).filter(|h| h.role == Role::Watchdog)?;
    let beat = journal::last_beat(&paths.beat).filter(|(at, _)| *at >= holder.since);
    Some(Supervisor { pid: holder.pid, since: holder.since, last_tick: beat.map(|b| b.0), tick_ms: beat.map(|b| b.1) })
}
