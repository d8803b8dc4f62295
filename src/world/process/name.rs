//! Processes by the name that they gave themselves. Unlike their command line it comes with a fork, and goes with the next
//! program.
use super::ProcId;

/// With this begin the names of the runners of jobs.
pub const RUNNERS: &str = "agents:";

/// The name that this process has from here on in lists of processes, and all that it makes until they become another
/// program. At most 15 bytes count.
pub fn call_ourselves(name: &str) {
    if let Ok(name) = std::ffi::CString::new(name) {
        // Without it we are harder to find, no more.
        let _ = rustix::thread::set_name(&name);
    }
}

/// Processes of this name.
pub fn of_name(name: &str) -> Vec<ProcId> {
    let fits = |pid: &u32| name_of(*pid).is_some_and(|found| found == name);
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != std::process::id()).filter(fits).filter_map(ProcId::of).collect()
}

/// `None`: it is gone.
pub fn name_of(pid: u32) -> Option<String> {
    let text = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(text.strip_suffix(b"\n").unwrap_or(&text)).into_owned())
}
