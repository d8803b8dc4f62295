//! Processes by their command line.
use super::ProcId;
use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

/// Those whose words after the program's name are exactly these.
pub fn called_with(words: &[&OsStr]) -> Vec<ProcId> {
    called(words, false)
}

/// Those whose words after the program's name begin with these.
pub fn called_with_more(words: &[&OsStr]) -> Vec<ProcId> {
    called(words, true)
}

fn called(words: &[&OsStr], more: bool) -> Vec<ProcId> {
    let fits = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut said = line.strip_suffix(&[0]).unwrap_or(&line).split(|b| *b == 0).skip(1);
        words.iter().all(|w| said.next() == Some(w.as_bytes())) && (more || said.next().is_none())
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != std::process::id()).filter(fits).filter_map(ProcId::of).collect()
}

/// Whether a signal calls a handler in it: one that has just been started would end by it.
pub fn handles(process: ProcId, signal: rustix::process::Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid)).unwrap_or_default();
    let caught = status.lines().find_map(|l| u64::from_str_radix(l.strip_prefix("SigCgt:")?.trim(), 16).ok());
    caught.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::Signal;
    use std::process::Command;

    #[test]
    fn all_words_count_and_only_real_handlers() {
        let mut child = Command::new("sleep").args(["1234.5"]).spawn().expect("a child");
        let word = OsStr::new("1234.5");
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while called_with(&[word]).iter().all(|p| p.pid != child.id()) {
            assert!(std::time::Instant::now() < until, "it is not found");
        }
        assert!(called_with(&[word, word]).is_empty() && called_with(&[OsStr::new("1234")]).is_empty());
        assert!(
            called_with_more(&[]).iter().any(|p| p.pid == child.id()) && called_with_more(&[word, word]).is_empty()
        );
        let process = ProcId::of(child.id()).expect("it runs");
        assert!(!handles(process, Signal::USR1));
        child.kill().expect("it is ended");
        child.wait().expect("a child of ours");
    }
}
