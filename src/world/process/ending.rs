//! A process on its way out.
use super::ProcId;

/// The kernel's mark of a process that ends: set before its files are closed, so before anybody can notice that.
const EXITING: u64 = 0x4;

/// Whether it has ended, or was killed and is about to be gone.
pub fn is_ending(process: ProcId) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.pid)).unwrap_or_default();
    // The name in parentheses may hold anything: what counts stands after the last `)`.
    let flags = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(6)?.parse::<u64>().ok());
    !process.is_alive() || flags.is_none_or(|flags| flags & EXITING != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn one_that_runs_is_not_ending_and_one_that_was_killed_is() {
        let mut child = Command::new("sleep").arg("1000").spawn().expect("a child");
        let process = ProcId::of(child.id()).expect("it runs");
        assert!(!is_ending(process) && !is_ending(ProcId::own().expect("we run")));
        child.kill().expect("a signal");
        child.wait().expect("an end");
        assert!(is_ending(process));
    }
}
