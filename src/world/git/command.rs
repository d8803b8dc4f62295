//! Runs the `git` command: no prompt, no hook, no pager, a deadline, and nothing left behind.
use super::GitError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    ffi::OsString,
    io::{ErrorKind, Read},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::process::CommandExt,
    },
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How often a running command looks whether the supervisor stops.
const SLICE: Duration = Duration::from_millis(100);
/// Kept of standard error; the rest is read and dropped.
const ERROR_CAP: usize = 16 * 1024;
/// Local reads by command: a repository that answers slower than this is treated as broken.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The `git` command and the surroundings it runs in.
#[derive(Clone, Debug)]
pub struct GitProgram {
    pub program: OsString,
    /// Set on top of the inherited environment.
    pub env: Vec<(OsString, OsString)>,
    /// Set to end what is running.
    pub stop: Arc<AtomicBool>,
}

impl Default for GitProgram {
    fn default() -> Self {
        GitProgram { program: "git".into(), env: Vec::new(), stop: Arc::default() }
    }
}

/// What one run gave.
pub(super) struct Output {
    pub success: bool,
    pub stdout: Vec<u8>,
    /// Printable, one line, no passwords.
    pub stderr: String,
}

impl GitProgram {
    pub(super) fn variable(&self, name: &str) -> Option<OsString> {
        let ours = self.env.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        ours.or_else(|| std::env::var_os(name)).filter(|value| !value.is_empty())
    }

    /// `git -C repo …` with everything switched off that would run somebody else's program or wait for a person.
    pub(super) fn command(&self, repo: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["--no-pager", "--no-optional-locks"])
            .arg("-C")
            .arg(repo)
            .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
            .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"]);
        // A caller inside a hook or another repository must not decide which repository we read.
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_COMMON_DIR",
            "GIT_NAMESPACE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            "GIT_QUARANTINE_PATH",
            // Desktops set it: git and ssh would open a window.
            "SSH_ASKPASS",
        ] {
            command.env_remove(name);
        }
        command
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GCM_INTERACTIVE", "never")
            .env("LC_ALL", "C.UTF-8")
            .envs(self.env.iter().map(|(key, value)| (key, value)));
        command
    }

    /// A command that only reads local objects and refs: no network, not even for a partial clone.
    pub(super) fn reading(&self, repo: &Path) -> Command {
        let mut command = self.command(repo);
        command.args(["-c", "protocol.allow=never"]).env("GIT_NO_LAZY_FETCH", "1");
        command
    }

    /// Runs to the end, or to the deadline: then the whole process group is killed. At most `cap` bytes of standard
    /// output are kept.
    pub(super) fn run(&self, command: Command, what: &str, deadline: Duration, cap: usize) -> Result<Output, GitError> {
        self.run_with(command, Stdio::null(), what, deadline, cap)
    }

    /// [`GitProgram::run`] with something to hold as its standard input.
    pub(super) fn run_with(
        &self,
        mut command: Command,
        stdin: Stdio,
        what: &str,
        deadline: Duration,
        cap: usize,
    ) -> Result<Output, GitError> {
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| GitError::NoProgram {
            program: self.program.to_string_lossy().into_owned(),
            detail: match error.kind() {
                ErrorKind::NotFound => "not found; hint: install git".into(),
                _ => error.to_string(),
            },
        })?;
        let (mut out, mut err) = (Stream::new(child.stdout.take(), cap), Stream::new(child.stderr.take(), ERROR_CAP));
        loop {
            // First the end, then the pipes: what a child wrote before its end is in the pipe by then.
            let ended = child.try_wait().map_err(|error| GitError::Broken(error.to_string()))?;
            out.drain();
            err.drain();
            if let Some(status) = ended {
                return Ok(Output { success: status.success(), stdout: out.kept, stderr: printable(&err.kept) });
            }
            let Some(left) = deadline.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) else {
                end(&mut child);
                return Err(GitError::Deadline { what: what.into(), after_s: deadline.as_secs() });
            };
            if self.stop.load(Ordering::Relaxed) {
                end(&mut child);
                return Err(GitError::Cancelled { what: what.into() });
            }
            wait_for_data(&[out.fd(), err.fd()], left.min(SLICE));
        }
    }
}

/// Kills the group before the leader is reaped, so that its number cannot have gone to somebody else.
fn end(child: &mut Child) {
    let group = rustix::process::Pid::from_child(child);
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    let _ = child.wait();
}

fn wait_for_data(pipes: &[Option<BorrowedFd<'_>>], limit: Duration) {
    let mut fds: Vec<_> = pipes.iter().flatten().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    // With both pipes at their end the child is about to exit: look again soon.
    let limit = if fds.is_empty() { limit.min(Duration::from_millis(2)) } else { limit };
    let timeout = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: i64::from(limit.subsec_nanos()) };
    let _ = poll(&mut fds, Some(&timeout));
}

/// One pipe of the child, read without blocking: a daemon it leaves behind may hold the other end for ever.
struct Stream<R> {
    pipe: Option<R>,
    kept: Vec<u8>,
    cap: usize,
}

impl<R: Read + AsFd> Stream<R> {
    fn new(pipe: Option<R>, cap: usize) -> Self {
        if let Some(pipe) = &pipe
            && let Ok(flags) = rustix::fs::fcntl_getfl(pipe)
        {
            let _ = rustix::fs::fcntl_setfl(pipe, flags | rustix::fs::OFlags::NONBLOCK);
        }
        Stream { pipe, kept: Vec::new(), cap }
    }
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }
    fn drain(&mut self) {
        let mut buffer = [0; 16 * 1024];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(n) => {
                    let room = self.cap.saturating_sub(self.kept.len());
                    self.kept.extend_from_slice(&buffer[..n.min(room)]);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
        }
    }
}

/// What a program said, for one line of a log: at most 300 characters, nothing that a terminal interprets, no password
/// of a URL.
pub(super) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<String> = line.split_whitespace().map(without_password).collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(300) {
        line.truncate(end);
        line.push('…');
    }
    line
}

fn without_password(word: &str) -> String {
    if let Some((scheme, rest)) = word.split_once("://") {
        let authority = rest.find('/').unwrap_or(rest.len());
        if let Some(at) = rest[..authority].rfind('@') {
            return format!("{scheme}://***{}", &rest[at..]);
        }
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_printable_and_keep_no_password() {
        let raw = b"fatal: unable to access 'https://joe:s3cret@host/x.git/':\n\x1b[31mno\x07 route\xff";
        assert_eq!(printable(raw), "fatal: unable to access 'https://***@host/x.git/': [31mno route\u{fffd}");
        assert_eq!(printable(&[b'a'; 5000]).chars().count(), 301);
    }

    #[test]
    fn a_daemon_that_holds_the_pipe_does_not_hold_us() {
        let git = GitProgram { program: "sh".into(), ..GitProgram::default() };
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 5 & echo said; echo $! >&2"]);
        let started = Instant::now();
        let output = git.run(command, "x", Duration::from_secs(30), 100);
        let output = output.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(output.stdout, b"said\n");
        assert!(started.elapsed() < Duration::from_secs(5));
        if let Some(pid) = output.stderr.parse().ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}
