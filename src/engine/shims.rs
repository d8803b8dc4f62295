//! What the shims wrote down: which process runs which incarnation, and how it ended.
use crate::{model::observation::ExitRecord, world::process::ProcId};
use std::path::Path;

/// The incarnation whose shim is this process; `None` if the pane was not started by us.
pub fn incarnation_of(session_dir: &Path, pid: u32, start: u64) -> Option<u64> {
    let entries = std::fs::read_dir(session_dir).ok()?;
    let mut found = entries.flatten().filter_map(|entry| {
        let incarnation = entry.file_name().to_str()?.parse::<u64>().ok()?;
        let text = std::fs::read(entry.path().join("shim.json")).ok()?;
        let shim: ProcId = serde_json::from_slice(&text).ok()?;
        (shim.pid == pid && shim.start == start).then_some(incarnation)
    });
    found.next()
}

/// The newest incarnation that was ever started: numbers are never used twice, even if the store was lost. One that was
/// only prepared is prepared again.
pub fn newest(session_dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(session_dir) else { return 0 };
    let started = entries.flatten().filter(|e| e.path().join("shim.json").exists());
    started.filter_map(|e| e.file_name().to_str()?.parse().ok()).max().unwrap_or(0)
}

/// How this incarnation ended, if its shim has said so.
pub fn exit(run_dir: &Path) -> Option<ExitRecord> {
    let text = std::fs::read(run_dir.join("exit.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The program that this incarnation's shim started, while it lives.
pub fn program(run_dir: &Path) -> Option<ProcId> {
    let shim = crate::shim::record::ShimRecord::read(run_dir)?;
    ProcId::of(shim.child?)
}

/// The process that writes this incarnation's log: the last one that was connected.
pub fn log_writer(run_dir: &Path) -> Option<ProcId> {
    let text = std::fs::read(run_dir.join(crate::shim::record::PIPED)).ok()?;
    serde_json::from_slice(&text).ok()
}
