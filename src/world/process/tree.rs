//! A process tree and its end: TERM to everyone, and KILL for those who are left.
use super::{ProcId, RUNNERS, Stat, name_of};
use crate::world::{clock, tmux::OF_JOBS};
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

/// Our own detached supervisor, its guardian, the runner of a job, or the tmux server of jobs, by the command line; a
/// runner that did not begin as one by its name.
pub fn is_our_own_master(pid: u32) -> bool {
    is_masters_line(&std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default())
        || name_of(pid).is_some_and(|name| name.starts_with(RUNNERS))
}

fn is_masters_line(line: &[u8]) -> bool {
    let words: Vec<&[u8]> = line.split(|b| *b == 0).take(4).collect();
    let of_jobs = format!("/{OF_JOBS}/tmux.conf").into_bytes();
    match words[..] {
        [_, b"__watchdog" | b"__guardian" | b"__runner", ..] => true,
        [_, b"-u", b"-f", conf, ..] => conf.ends_with(&of_jobs),
        _ => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_masters_are_known_by_their_line() {
        assert!(is_masters_line(b"agents\0__runner\0/d\0"));
        assert!(is_masters_line(b"tmux\0-u\0-f\0/d/jobs.tmux/tmux.conf\0-S\0/d/jobs.tmux/tmux.sock\0new-session\0"));
        for other in ["tmux\0-u\0-f\0/d/state/tmux.conf\0-S\0/s\0", "sh\0-c\0__runner\0", "agents\0__pane\0", ""] {
            assert!(!is_masters_line(other.as_bytes()), "{other:?}");
        }
    }
}
