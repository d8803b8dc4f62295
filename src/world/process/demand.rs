//! How long the programs that have a terminal have wanted a processor.
use super::{ProcId, Stat, descendants};
use std::time::Duration;

/// Time that the first threads of the programs in the foreground of `root`'s terminal have run, or stood in line for a
/// processor, since they began: on a busy machine a program can want one all the time and hardly get it. `root` itself is
/// no such program. `None`: it cannot be told (it is gone, has no terminal, or the kernel does not count).
pub fn wanted_processor(root: ProcId) -> Option<Duration> {
    let foreground = Stat::read(root.pid).filter(|stat| stat.start == root.start)?.foreground?;
    let in_front = |process: &ProcId| Stat::read(process.pid).is_some_and(|stat| stat.group == foreground);
    let counted = descendants(root.pid).into_iter().filter(in_front).filter_map(|process| of_first_thread(process.pid));
    counted.reduce(|one, other| one + other)
}

/// `/proc/PID/schedstat`: nanoseconds on a processor, nanoseconds in line for one, and a count.
fn of_first_thread(pid: u32) -> Option<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let mut numbers = text.split_whitespace().map_while(|word| word.parse::<u64>().ok());
    Some(Duration::from_nanos(numbers.next()?.saturating_add(numbers.next()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_wants_a_processor_and_who_waits_does_not() {
        let own = std::process::id();
        let before = of_first_thread(own);
        // A kernel that does not count says nothing.
        let Some(before) = before else { return };
        let mut child = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let until = std::time::Instant::now() + Duration::from_secs(60);
        while of_first_thread(child.id()).is_none_or(|wanted| wanted < Duration::from_millis(30)) {
            assert!(std::time::Instant::now() < until);
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(of_first_thread(child.id()), None, "it is gone");
        assert!(of_first_thread(own).is_some_and(|after| after >= before));
    }
}
