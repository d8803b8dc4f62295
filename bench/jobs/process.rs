//! Figures about processes, from /proc.
use agents::world::process::{RUNNERS, name_of};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
    time::{Duration, SystemTime},
};

/// The wall clock: what `date` prints, in every process the same.
pub fn realtime() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// What `date +%s%N` prints.
pub fn stamp(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_nanos)
}

#[derive(Debug)]
pub struct Found {
    pub pid: u32,
    pub words: Vec<String>,
    pub name: String,
}

impl Found {
    pub fn is_runner(&self) -> bool {
        self.name.starts_with(RUNNERS)
    }

    /// A verb that somebody called.
    pub fn is_client(&self, program: &Path) -> bool {
        !self.is_runner() && self.words.first().is_some_and(|w| Path::new(w) == program)
    }
}

/// Every process with `mark` in its command line or its environment.
pub fn of(mark: &Path) -> Vec<Found> {
    let mark = mark.as_os_str().as_bytes();
    let holds = |bytes: &[u8]| bytes.windows(mark.len()).any(|part| part == mark);
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let Ok(line) = fs::read(entry.path().join("cmdline")) else { continue };
        let marked = || holds(&line) || fs::read(entry.path().join("environ")).is_ok_and(|env| holds(&env));
        if pid != std::process::id() && !line.is_empty() && marked() {
            let words = String::from_utf8_lossy(&line).split('\0').map(str::to_owned).collect();
            found.push(Found { pid, words, name: name_of(pid).unwrap_or_default() });
        }
    }
    found
}

/// As it is now. `None`: it is gone.
pub fn found(pid: u32) -> Option<Found> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok().filter(|line| !line.is_empty())?;
    let words = String::from_utf8_lossy(&line).split('\0').map(str::to_owned).collect();
    Some(Found { pid, words, name: name_of(pid).unwrap_or_default() })
}

/// It is neither stopped nor over, nor waits for a child to become another program that is stopped: that wait heeds no
/// STOP.
pub fn runs(pid: u32) -> bool {
    match state(pid) {
        None | Some('T' | 't' | 'Z' | 'X') => false,
        Some('D') => {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            !children.split_whitespace().any(|child| child.parse().ok().and_then(state) == Some('T'))
        }
        Some(_) => true,
    }
}

fn state(pid: u32) -> Option<char> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.trim_start().chars().next()
}

pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended by itself.
        let _ = kill_process(pid, signal);
    }
}

/// CPU time of our children that ended and were waited for, in steps of 10 ms: who runs on by himself does not count.
pub fn children_cpu() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit_once(')').map_or(Vec::new(), |(_, rest)| rest.split_whitespace().collect());
    // Fields 16 and 17 of proc(5), counted from the state, which is 3.
    let ticks: u64 = [13, 14].iter().filter_map(|&i| fields.get(i)?.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Proportional set size in bytes.
pub fn pss(pid: u32) -> u64 {
    kilobytes(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default(), "Pss:")
}

/// The most memory that a process has had, in bytes. 0: it is gone.
pub fn peak(pid: u32) -> u64 {
    kilobytes(&fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default(), "VmHWM:")
}

fn kilobytes(text: &str, label: &str) -> u64 {
    let line = text.lines().find_map(|l| l.strip_prefix(label));
    line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// How often a process has gone to sleep by itself, which is how often it woke up. `None`: it is gone.
pub fn wakeups(pid: u32) -> Option<u64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let text = fs::read_to_string(task.path().join("status")).ok()?;
        let line = text.lines().find_map(|l| l.strip_prefix("voluntary_ctxt_switches:"))?;
        sum += line.trim().parse::<u64>().ok()?;
    }
    Some(sum)
}
