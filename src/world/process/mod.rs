//! Processes by pid and start time, so that a pid used again is never mistaken for the one we knew.
mod apart;
mod caller;
mod code;
mod confine;
mod demand;
mod ending;
mod find;
mod foreground;
mod heap;
mod line;
mod marked;
mod name;
mod reap;
mod session;
pub mod signals;
mod spawn;
mod split;
mod sweep;
mod terminal;
mod tree;
mod usage;
mod watcher;

pub use apart::begin_apart;
pub use caller::{Changes, as_given, as_umask, keep_private, lift_file_limit, with_room};
pub use code::let_go_of_code;
pub use confine::{Confinement, Room, landlock_version};
pub use demand::wanted_processor;
pub use ending::is_ending;
pub use find::{called_with, called_with_more, handles};
pub use foreground::in_the_foreground;
pub use heap::give_back_large_pieces;
pub use line::show_as;
pub use marked::marked;
pub use name::{RUNNERS, call_ourselves, name_of, of_name};
pub use reap::{End, Reaped, reap};
pub use session::{Limits, in_our_session, in_own_session};
pub use spawn::{Begin, spawn};
pub use split::{Half, Twin, split};
pub use sweep::{kill_still_alive, leftovers, sweep};
pub use terminal::has_unread_input;
pub use tree::{Ending, descendants, end_tree_without_shim, is_our_own_master};
pub use usage::tree_use;
pub use watcher::ExitWatcher;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::{fs::File, io::Read};

/// A process that cannot be confused with a later one of the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct ProcId {
    pub pid: u32,
    /// Clock ticks since boot: `/proc/PID/stat` field 22.
    pub start: u64,
}

impl ProcId {
    /// The process that has `pid` now. `None` if there is none, or only a zombie.
    pub fn of(pid: u32) -> Option<ProcId> {
        let stat = Stat::read(pid)?;
        (!stat.is_over()).then_some(ProcId { pid, start: stat.start })
    }

    /// This very process, as the file that outlives it in tests and records.
    pub fn own() -> Option<ProcId> {
        ProcId::of(std::process::id())
    }

    /// A zombie is dead.
    pub fn is_alive(self) -> bool {
        Stat::read(self.pid).is_some_and(|stat| stat.start == self.start && !stat.is_over())
    }

    /// Sends `signal` if it still is the same process: checked with the pidfd open, so nothing can come in between.
    pub fn signal(self, signal: Signal) -> bool {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return false };
        let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
        self.is_alive() && pidfd_send_signal(&fd, signal).is_ok()
    }
}

/// Start time of `pid`; `None` if it is gone.
pub fn start_time(pid: u32) -> Option<u64> {
    Stat::read(pid).map(|stat| stat.start)
}

/// What we use of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    pub pid: u32,
    pub state: char,
    pub parent: u32,
    pub group: u32,
    pub session: u32,
    /// The group that has the terminal; `None` without one.
    pub foreground: Option<u32>,
    /// Processor time in clock ticks, that of children that were waited for included.
    pub cpu: u64,
    pub start: u64,
}

impl Stat {
    pub fn read(pid: u32) -> Option<Stat> {
        // It comes in one piece, and is asked for so often that the size is not asked for before.
        let mut text = [0; 1024];
        let length = File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut text).ok()?;
        Stat::parse(text.get(..length)?)
    }

    /// The name in parentheses may hold anything, `)` and newlines too: what counts stands after the last `)`.
    fn parse(bytes: &[u8]) -> Option<Stat> {
        let text = String::from_utf8_lossy(bytes);
        let (head, tail) = text.rsplit_once(')')?;
        let pid = head.split(' ').next()?.parse().ok()?;
        let fields: Vec<&str> = tail.split_whitespace().collect();
        Some(Stat {
            pid,
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            foreground: fields.get(5)?.parse().ok(),
            cpu: fields.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum(),
            start: fields.get(19)?.parse().ok()?,
        })
    }

    pub fn is_over(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_tricks_is_read_past() {
        let text = b"77 (a) Z 1 (\n) S 5 77 70 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 4242 1 2";
        let stat = Stat::parse(text).unwrap();
        assert_eq!(
            stat,
            Stat { pid: 77, state: 'S', parent: 5, group: 77, session: 70, foreground: None, cpu: 26, start: 4242 }
        );
    }

    #[test]
    fn another_start_time_is_another_process() {
        let own = ProcId::own().unwrap();
        assert!(own.is_alive());
        let earlier = ProcId { start: own.start - 1, ..own };
        assert!(!earlier.is_alive());
        assert!(!earlier.signal(Signal::KILL), "nothing was sent: this test goes on");
    }

    #[test]
    fn a_zombie_is_dead() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        while Stat::read(pid).is_some_and(|s| s.state != 'Z') {
            std::thread::yield_now();
        }
        assert_eq!(ProcId::of(pid), None);
        child.wait().unwrap();
    }
}
