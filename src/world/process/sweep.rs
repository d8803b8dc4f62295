//! Leftovers of earlier starts, found by the marks their environment carries.
use super::ProcId;
use rustix::process::Signal;
use std::collections::BTreeMap;

/// Processes of `fleet` and `session` with an incarnation older than `current`: told to end now. Give them to
/// [`kill_still_alive`] after a grace. A job that an agent started has a life of its own and is left alone.
pub fn sweep(fleet: &str, session: &str, current: u64) -> Vec<ProcId> {
    let found = leftovers(fleet, session, current);
    for process in &found {
        process.signal(Signal::TERM);
        process.signal(Signal::HUP);
        process.signal(Signal::CONT);
    }
    found
}

/// KILL for those of `processes` that are still there; gives back how many were.
pub fn kill_still_alive(processes: &[ProcId]) -> usize {
    processes.iter().filter(|p| p.signal(Signal::KILL)).count()
}

/// Those that [`sweep`] would end. Reads the environment of every process: not for every tick.
pub fn leftovers(fleet: &str, session: &str, current: u64) -> Vec<ProcId> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let own = std::process::id();
    pids.filter(|pid| *pid != own)
        .filter_map(|pid| {
            // First who it is, then what it carries: a pid used again in between fails the signal's check.
            let process = ProcId::of(pid)?;
            let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
            is_older(&environment, fleet, session, current).then_some(process)
        })
        .collect()
}

fn is_older(environment: &[u8], fleet: &str, session: &str, current: u64) -> bool {
    let marks: BTreeMap<&str, &str> = environment
        .split(|b| *b == 0)
        .filter(|entry| entry.starts_with(b"AGENTS_"))
        .filter_map(|entry| std::str::from_utf8(entry).ok()?.split_once('='))
        .collect();
    marks.get("AGENTS_FLEET") == Some(&fleet)
        && marks.get("AGENTS_SESSION") == Some(&session)
        && !marks.contains_key("AGENTS_JOB")
        && marks.get("AGENTS_INCARNATION").and_then(|n| n.parse::<u64>().ok()).is_some_and(|n| n < current)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_older_ones_of_the_same_session() {
        let mine = b"A=1\0AGENTS_FLEET=f\0AGENTS_SESSION=p-a\0AGENTS_INCARNATION=3\0";
        assert!(is_older(mine, "f", "p-a", 4));
        assert!(!is_older(mine, "f", "p-a", 3), "this very start");
        assert!(!is_older(mine, "g", "p-a", 4), "another fleet");
        assert!(!is_older(mine, "f", "p-b", 4), "another session");
        assert!(
            !is_older(b"AGENTS_FLEET=f\0AGENTS_SESSION=p-a\0AGENTS_INCARNATION=3\0AGENTS_JOB=j1\0", "f", "p-a", 4),
            "a job"
        );
        assert!(!is_older(b"AGENTS_FLEET=f\0AGENTS_SESSION=p-a\0", "f", "p-a", 4));
    }
}
