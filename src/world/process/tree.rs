//! A process tree and its end: TERM to everyone, and KILL for those who are left.
use super::{ProcId, RUNNERS, Stat, name_of};
use crate::world::clock;
use rustix::process::Signal;
use std::{collections::BTreeSet, time::Duration};

/// Living descendants of `pid`, itself not included; parents before children.
pub fn descendants(pid: u32) -> Vec<ProcId> {
    let mut found = Vec::new();
    let mut todo = vec![pid];
    while let Some(parent) = todo.pop() {
        for child in children(parent) {
            // A supervisor or a job that an agent started, and what guards it, belong to nobody's tree.
            if !is_our_own_master(child) {
                todo.push(child);
                found.extend(ProcId::of(child));
            }
        }
    }
    found
}

/// Our own detached supervisor or its guardian, by the command line; or the runner of a job.
pub fn is_our_own_master(pid: u32) -> bool {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    matches!(words.split(|b| *b == 0).nth(1), Some(b"__watchdog" | b"__guardian" | b"__runner"))
        || name_of(pid).is_some_and(|name| name.starts_with(RUNNERS))
}

/// Direct children, zombies too: those of every thread.
fn children(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return found };
    let mut listed = false;
    for thread in threads.flatten() {
        if let Ok(text) = std::fs::read_to_string(thread.path().join("children")) {
            listed = true;
            found.extend(text.split_whitespace().filter_map(|word| word.parse::<u32>().ok()));
        }
    }
    if listed { found } else { children_by_scan(pid) }
}

/// For kernels without `children` files.
fn children_by_scan(pid: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = entries.filter_map(|e| Stat::read(e.file_name().to_str()?.parse().ok()?));
    stats.filter(|stat| stat.parent == pid).map(|stat| stat.pid).collect()
}

/// The end of a tree in steps, so that nobody has to wait in one place.
pub struct Ending {
    told: BTreeSet<ProcId>,
    kill_at: u64,
    hang_up: bool,
}

impl Ending {
    pub fn new(grace: Duration) -> Ending {
        Ending { told: BTreeSet::new(), kill_at: clock::boot().after(grace).0, hang_up: true }
    }

    /// Without HUP: for those that have no terminal, and are to end as they want to.
    pub fn by_term(grace: Duration) -> Ending {
        Ending { hang_up: false, ..Ending::new(grace) }
    }

    /// Signals every one of `processes`: TERM, HUP and CONT once each; KILL when the grace is over.
    pub fn step(&mut self, processes: &[ProcId]) {
        let kill = self.is_killing();
        for process in processes {
            if kill {
                process.signal(Signal::KILL);
            } else if self.told.insert(*process) {
                process.signal(Signal::TERM);
                // Interactive shells heed only HUP; a stopped process heeds nothing until it goes on.
                if self.hang_up {
                    process.signal(Signal::HUP);
                }
                process.signal(Signal::CONT);
            }
        }
    }

    pub fn is_killing(&self) -> bool {
        clock::boot().0 >= self.kill_at
    }
}

/// Ends a tree whose root is no shim of ours (a session taken over from elsewhere). Blocks up to the grace and a
/// second more. What was a descendant at any time is followed, even when its parent ends first. `true`: all gone.
pub fn end_tree_without_shim(root: ProcId, grace: Duration) -> bool {
    let mut ending = Ending::new(grace);
    let mut all: BTreeSet<ProcId> = BTreeSet::new();
    let give_up = clock::boot().after(grace + Duration::from_secs(1));
    loop {
        let known: Vec<u32> = all.iter().filter(|p| p.is_alive()).map(|p| p.pid).collect();
        all.extend(known.into_iter().flat_map(descendants));
        if root.is_alive() {
            all.insert(root);
            all.extend(descendants(root.pid));
        }
        let alive: Vec<ProcId> = all.iter().copied().filter(|p| p.is_alive()).collect();
        if alive.is_empty() {
            return true;
        }
        if clock::boot() >= give_up {
            return false;
        }
        ending.step(&alive);
        std::thread::sleep(Duration::from_millis(10));
    }
}
