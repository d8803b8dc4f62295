//! Processes by a mark in their environment.
use super::ProcId;
use std::{fs::File, io::Read};

/// Those whose environment, as it was when their program began, holds all of these `NAME=VALUE`. Reads the environment
/// of every process of this user: for rare occasions.
pub fn marked(marks: &[Vec<u8>]) -> Vec<ProcId> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let own = std::process::id();
    let mut environment = Vec::with_capacity(16 * 1024);
    let mut carries = |pid: u32| {
        read(pid, &mut environment);
        let has = |mark: &Vec<u8>| environment.split(|b| *b == 0).any(|entry| entry == mark.as_slice());
        marks.iter().all(has)
    };
    // Most carry nothing: who one is, is asked of the others alone. The pid may be another one's by then, so what that
    // one carries is asked once more; one used again after that fails the signal's check.
    pids.filter(|pid| *pid != own)
        .filter_map(|pid| {
            let process = if carries(pid) { ProcId::of(pid)? } else { return None };
            carries(pid).then_some(process)
        })
        .collect()
}

/// Nothing, where it is gone or not ours to look at. The kernel tells no size before, and `std::fs::read` feels its way.
fn read(pid: u32, environment: &mut Vec<u8>) {
    environment.clear();
    if let Ok(file) = File::open(format!("/proc/{pid}/environ")) {
        let _ = file.take(u64::MAX).read_to_end(environment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn those_that_carry_all_marks_are_found_however_long_their_environment_is() {
        let own = format!("AGENTS_TEST={}", std::process::id());
        let long = "x".repeat(100_000);
        let begin = |word: &str| {
            let mut command = Command::new("sleep");
            command.arg("1000").env("AGENTS_TEST", std::process::id().to_string()).env("AAA", &long);
            command.env("ZZZ", word).spawn().expect("a child")
        };
        let (mut meant, mut other) = (begin("yes"), begin("no"));
        let marks = [own.into_bytes(), b"ZZZ=yes".to_vec()];
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        // The mark comes with the program, a moment after the child.
        while marked(&marks).iter().map(|process| process.pid).ne([meant.id()]) {
            assert!(std::time::Instant::now() < until, "{:?}", marked(&marks));
        }
        for child in [&mut meant, &mut other] {
            child.kill().expect("it is ended");
            child.wait().expect("a child of ours");
        }
        assert_eq!(marked(&marks), [], "a zombie carries nothing");
    }
}
