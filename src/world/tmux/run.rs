//! One short-lived tmux process, with a deadline that it cannot outlive.
use super::error::TmuxError;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
};
use std::{
    os::fd::AsFd,
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
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => TmuxError::NoTmux(program.clone()),
        _ => TmuxError::io(format!("cannot run `{program}`"), e),
    })?;
    match exchange(&mut child, input, Instant::now() + deadline) {
        Ok(Some((status, stdout, stderr))) => Ok(Output { status, stdout, stderr }),
        other => {
            // Both calls fail only if it has ended already.
            let _ = child.kill();
            let _ = child.wait();
            match other {
                Err(e) => Err(TmuxError::io(doing, e)),
                Ok(_) => Err(TmuxError::Deadline { doing: doing.into(), ms: deadline.as_millis() as u64 }),
            }
        }
    }
}

type Exchanged = (ExitStatus, Vec<u8>, Vec<u8>);

/// `None`: the deadline passed.
fn exchange(child: &mut Child, input: &[u8], until: Instant) -> std::io::Result<Option<Exchanged>> {
    let mut stdin = child.stdin.take();
    let mut out = child.stdout.take();
    let mut err = child.stderr.take();
    for fd in [stdin.as_ref().map(AsFd::as_fd), out.as_ref().map(AsFd::as_fd), err.as_ref().map(AsFd::as_fd)]
        .into_iter()
        .flatten()
    {
        fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)?;
    }
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut sent = 0;
    let mut buffer = vec![0; 64 * 1024];
    while stdin.is_some() || out.is_some() || err.is_some() {
        let mut fds = Vec::with_capacity(3);
        fds.extend(stdin.as_ref().map(|fd| PollFd::new(fd, PollFlags::OUT)));
        fds.extend(out.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        fds.extend(err.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let Some(left) = until.checked_duration_since(Instant::now()) else { return Ok(None) };
        match poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
            Ok(0) => return Ok(None),
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        drop(fds);
        if let Some(fd) = &stdin {
            match rustix::io::write(fd, &input[sent..]) {
                Ok(n) => sent += n,
                Err(Errno::AGAIN | Errno::INTR) => {}
                // It ended without reading all: its exit code says why.
                Err(Errno::PIPE) => sent = input.len(),
                Err(e) => return Err(e.into()),
            }
            if sent == input.len() {
                stdin = None;
            }
        }
        drain(&mut out, &mut stdout, &mut buffer)?;
        drain(&mut err, &mut stderr, &mut buffer)?;
    }
    // Its output is closed; the process itself ends within the same moment, or is stopped.
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some((status, stdout, stderr)));
        }
        if Instant::now() > until {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn drain<F: AsFd>(from: &mut Option<F>, into: &mut Vec<u8>, buffer: &mut [u8]) -> std::io::Result<()> {
    let Some(fd) = from else { return Ok(()) };
    match rustix::io::read(fd, &mut *buffer) {
        Ok(0) => *from = None,
        Ok(n) => into.extend_from_slice(&buffer[..n]),
        Err(Errno::AGAIN | Errno::INTR) => {}
        Err(e) => return Err(e.into()),
    }
    Ok(())
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
