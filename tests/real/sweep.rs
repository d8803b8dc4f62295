//! Finds the processes of one run by a variable in their environment, whatever they did to leave their session: some of
//! these CLIs survive the hang-up of their terminal. Those of the product itself drop most of their environment; they
//! have the run's folder in their command line.
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    time::{Duration, Instant},
};

/// Carries the run's name in the environment of everything it starts.
pub const MARKER: &str = "AGENTS_REAL_RUN";

pub struct Found {
    pub pid: i32,
    pub command: String,
}

/// Living processes that carry this run's marker.
pub fn find(run: &str) -> Vec<Found> {
    let wanted = format!("{MARKER}={run}");
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse().ok())
        .filter_map(|pid: i32| {
            let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
            let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            let marked = environ.split(|b| *b == 0).any(|v| v == wanted.as_bytes());
            (marked || command.contains(run)).then_some(())?;
            Some(Found { pid, command: command.chars().take(100).collect() })
        })
        .collect()
}

/// Kills them until none is left. Returns how many there were at first.
pub fn kill(run: &str) -> usize {
    let first = find(run).len();
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let left = find(run);
        if left.is_empty() || Instant::now() > until {
            return first;
        }
        for found in left {
            kill_one(found.pid);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// `kill -9`.
pub fn kill_one(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, Signal::KILL);
    }
}
