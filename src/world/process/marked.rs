//! Processes by a mark in their environment.
use super::ProcId;

/// Those whose environment, as it was when their program began, holds all of these `NAME=VALUE`. Reads the environment
/// of every process of this user: for rare occasions.
pub fn marked(marks: &[Vec<u8>]) -> Vec<ProcId> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let own = std::process::id();
    pids.filter(|pid| *pid != own)
        .filter_map(|pid| {
            // First who it is, then what it carries: a pid used again in between fails the signal's check.
            let process = ProcId::of(pid)?;
            let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
            let carries = |mark: &Vec<u8>| environment.split(|b| *b == 0).any(|entry| entry == mark.as_slice());
            marks.iter().all(carries).then_some(process)
        })
        .collect()
}
