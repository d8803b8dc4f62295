//! What a process tree uses of the machine, to be compared with what it had used a while ago.
use super::{ProcId, Stat, descendants};
use crate::model::{observation::TreeUse, time::Boot};

/// `root` and what descends from it. `None`: it is gone.
pub fn tree_use(root: ProcId) -> Option<TreeUse> {
    if !root.is_alive() {
        return None;
    }
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let ms = |ticks: u64| ticks.saturating_mul(1000) / per_second;
    let mut used = TreeUse::default();
    for process in std::iter::once(root).chain(descendants(root.pid)) {
        let Some(stat) = Stat::read(process.pid).filter(|stat| stat.start == process.start) else { continue };
        used.cpu_ms += ms(stat.cpu);
        used.io_bytes += io_bytes(process.pid);
        used.processes.insert(process.pid, Boot(ms(stat.start)));
    }
    Some(used)
}

/// Read and written by system calls, and what was mapped and had to be read from disk. 0 if we may not know.
fn io_bytes(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let rows = text.lines().filter_map(|row| row.split_once(": "));
    let counted = rows.filter(|(key, _)| matches!(*key, "rchar" | "wchar" | "read_bytes"));
    counted.filter_map(|(_, bytes)| bytes.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        process::{Command, Stdio},
        time::{Duration, Instant},
    };

    /// What its children did stays counted when they are gone.
    #[test]
    fn work_of_a_child_that_ended_is_counted() {
        let script = "i=0; sh -c 'j=0; while [ $j -lt 60000 ]; do j=$((j+1)); done'; echo done; read line";
        let mut shell = Command::new("sh");
        let mut shell = shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let root = ProcId::of(shell.id()).unwrap();
        let first = tree_use(root).unwrap();
        assert!(first.processes.contains_key(&root.pid));
        let mut said = [0; 5];
        std::io::Read::read_exact(shell.stdout.as_mut().unwrap(), &mut said).unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let now = tree_use(root).unwrap();
            if now.cpu_ms > first.cpu_ms && now.io_bytes > first.io_bytes {
                assert_eq!(now.processes.len(), 1, "the child has ended");
                break;
            }
            assert!(Instant::now() < until, "{now:?}");
            std::thread::yield_now();
        }
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert_eq!(tree_use(root), None);
    }
}
