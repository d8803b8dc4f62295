//! A control client as a process, `tmux -C`: for servers whose protocol we do not speak ourselves.
use super::{
    control::{Ends, Holder, Output},
    error::TmuxError,
    orphan,
    server::Server,
};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use std::{
    io::Read,
    process::{Child, ChildStderr, ChildStdout, Stdio},
};

/// Runs `command` (one that attaches) as a control client. The server must run.
pub(super) fn open(server: &Server, command: &[&str]) -> Result<Ends, TmuxError> {
    let program = server.tmux.display().to_string();
    let mut process = server.command(false);
    process.arg("-C").args(command);
    orphan::mark(&mut process);
    let mut child =
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|e| {
            match e.kind() {
                std::io::ErrorKind::NotFound => TmuxError::NoTmux(program.clone()),
                _ => TmuxError::io(format!("cannot run `{program}`"), e),
            }
        })?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let holder = Box::new(Process(child));
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(TmuxError::Protocol("no pipes".into()));
    };
    fcntl_getfl(&stdin)
        .and_then(|flags| fcntl_setfl(&stdin, flags | OFlags::NONBLOCK))
        .map_err(|e| TmuxError::io("tmux client", e))?;
    Ok(Ends { input: stdin.into(), output: Box::new(Said { stdout, stderr }), holder })
}

struct Process(Child);

impl Holder for Process {
    fn is_over(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A client of a stopped server heeds nothing else.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Said {
    stdout: ChildStdout,
    stderr: ChildStderr,
}

impl Read for Said {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.stdout.read(buffer)
    }
}

impl Output for Said {
    fn last_words(&mut self) -> String {
        let mut words = String::new();
        // Short: one message of a client that ended.
        let _ = self.stderr.read_to_string(&mut words);
        words.trim().to_owned()
    }
}
