//! Figures about processes, from /proc.
use rustix::time::{ClockId, clock_gettime};
use std::{fs, path::Path, time::Duration};

/// CLOCK_BOOTTIME: the same in every process.
pub fn boottime() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// CPU time of a process: its threads that live, and its children that ended.
pub fn cpu(pid: u32) -> Duration {
    let mut own = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        own += text.split(' ').next().and_then(|t| t.parse().ok()).unwrap_or(0);
    }
    Duration::from_nanos(own) + children_cpu(pid)
}

/// CPU time of the children that ended and were waited for; in steps of 10 ms.
pub fn children_cpu(pid: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> =
        text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    // Fields 16 and 17 of proc(5), counted from the state, which is 3.
    let ticks: u64 = [13, 14].iter().filter_map(|&i| fields.get(i)?.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Proportional set size in bytes.
pub fn pss(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("Pss:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Every process whose command line has one of the words and mentions `mark`: `(pid, words)`.
pub fn marked(mark: &Path) -> Vec<(u32, Vec<String>)> {
    let mark = mark.to_string_lossy();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let Ok(line) = fs::read(entry.path().join("cmdline")) else { continue };
        let words: Vec<String> = String::from_utf8_lossy(&line).split('\0').map(str::to_owned).collect();
        if pid != std::process::id() && words.iter().any(|w| w.contains(&*mark)) {
            found.push((pid, words));
        }
    }
    found
}
