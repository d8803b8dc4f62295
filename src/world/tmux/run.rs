//! One short-lived tmux process, with a deadline that it cannot outlive.
//!
//! Its input and output are files in memory: nobody is woken for each row of a screen, and nobody waits for a reader.
use super::error::TmuxError;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{MemfdFlags, memfd_create},
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
};
use std::{
    fs::File,
    io::{Read, Seek, Write},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

pub(super) struct Output {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// Runs `command` with `input` on its stdin until it ends, or kills it at the deadline: a client of a stopped or
/// starved server does not heed TERM.
pub(super) fn run(mut command: Command, input: &[u8], deadline: Duration, doing: &str) -> Result<Output, TmuxError> {
    let broken = |e: std::io::Error| TmuxError::io(doing, e);
    let program = command.get_program().to_string_lossy().into_owned();
    let (stdout, stderr) = (memory(b"").map_err(broken)?, memory(b"").map_err(broken)?);
    if input.is_empty() {
        command.stdin(Stdio::null());
    } else {
        command.stdin(memory(input).map_err(broken)?);
    }
    command.stdout(stdout.try_clone().map_err(broken)?).stderr(stderr.try_clone().map_err(broken)?);
    let mut child = command.spawn().map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => TmuxError::NoTmux(program.clone()),
        _ => TmuxError::io(format!("cannot run `{program}`"), e),
    })?;
    match ended(&mut child, Instant::now() + deadline) {
        Ok(Some(status)) => {
            Ok(Output { status, stdout: whole(stdout).map_err(broken)?, stderr: whole(stderr).map_err(broken)? })
        }
        other => {
            // Both calls fail only if it has ended already.
            let _ = child.kill();
            let _ = child.wait();
            match other {
                Err(e) => Err(broken(e)),
                Ok(_) => Err(TmuxError::Deadline { doing: doing.into(), ms: deadline.as_millis() as u64 }),
            }
        }
    }
}

/// A file without a name, at its beginning.
fn memory(content: &[u8]) -> std::io::Result<File> {
    let mut file = File::from(memfd_create("agents-tmux", MemfdFlags::CLOEXEC)?);
    file.write_all(content)?;
    file.rewind()?;
    Ok(file)
}

/// All that was written; the writer moved the position that it shares with us.
fn whole(mut file: File) -> std::io::Result<Vec<u8>> {
    file.rewind()?;
    let mut bytes = Vec::with_capacity(usize::try_from(file.metadata()?.len()).unwrap_or(0));
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `None`: the deadline passed.
fn ended(child: &mut Child, until: Instant) -> std::io::Result<Option<ExitStatus>> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let handle = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let Some(left) = until.checked_duration_since(Instant::now()) else { return Ok(None) };
        let Some(handle) = &handle else {
            // A system without pidfds.
            std::thread::sleep(left.min(Duration::from_millis(1)));
            continue;
        };
        match poll(&mut [PollFd::new(handle, PollFlags::IN)], Timespec::try_from(left).ok().as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        command
    }

    #[test]
    fn everything_goes_in_and_comes_out() {
        let input = vec![b'x'; 1_000_000];
        let out = run(sh("cat; echo no >&2; exit 3"), &input, Duration::from_secs(20), "cat").unwrap();
        assert_eq!((out.stdout.len(), out.stderr.as_slice(), out.status.code()), (1_000_000, &b"no\n"[..], Some(3)));
    }

    #[test]
    fn a_deaf_process_is_killed_at_the_deadline() {
        let result = run(sh("trap '' TERM; exec sleep 60"), b"", Duration::from_millis(50), "sleeping");
        assert!(matches!(result, Err(TmuxError::Deadline { .. })), "{:?}", result.err());
    }

    #[test]
    fn a_missing_program_is_said() {
        let result = run(Command::new("/nonexistent/tmux"), b"", Duration::from_secs(5), "x");
        assert_eq!(result.err(), Some(TmuxError::NoTmux("/nonexistent/tmux".into())));
    }
}
