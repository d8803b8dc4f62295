//! Other spoolers, where they are installed: a private server each.
use crate::{
    place::{SLOTS, wait},
    process, submit,
};
use rustix::process::Signal;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

pub struct Peer {
    kind: Kind,
    dir: tempfile::TempDir,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    TaskSpooler,
    Pueue,
}

impl Kind {
    fn program(self) -> &'static str {
        match self {
            Kind::TaskSpooler => "tsp",
            Kind::Pueue => "pueue",
        }
    }
}

impl Peer {
    /// `Err`: the name of one that is not installed.
    pub fn all() -> io::Result<Vec<Result<Peer, &'static str>>> {
        [Kind::TaskSpooler, Kind::Pueue].into_iter().map(Peer::start).collect()
    }

    fn start(kind: Kind) -> io::Result<Result<Peer, &'static str>> {
        let dirs = std::env::var_os("PATH").unwrap_or_default();
        if !std::env::split_paths(&dirs).any(|dir| dir.join(kind.program()).is_file()) {
            return Ok(Err(kind.program()));
        }
        let dir = tempfile::Builder::new().prefix("agents-bench-peer-").tempdir()?;
        let peer = Peer { kind, dir };
        let slots = SLOTS.to_string();
        match kind {
            Kind::TaskSpooler => submit::took(peer.words(&["-S", &slots]))?,
            Kind::Pueue => {
                let root = peer.dir.path().display();
                let config = format!(
                    "client: {{}}\ndaemon: {{}}\nshared:\n  pueue_directory: {root}\n  runtime_directory: {root}\n  \
                     use_unix_socket: true\n  unix_socket_path: {root}/socket\n"
                );
                fs::write(peer.path("pueue.yml"), config)?;
                let mut daemon = peer.command("pueued");
                daemon.arg("-c").arg(peer.path("pueue.yml")).arg("-d").status()?;
                wait(Duration::from_secs(10), Duration::from_millis(20), || {
                    Ok(peer.words(&["status"]).status()?.success().then_some(()))
                })?;
                submit::took(peer.words(&["parallel", &slots]))?
            }
        };
        Ok(Ok(peer))
    }

    pub fn name(&self) -> &'static str {
        self.kind.program()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Any program in the environment of this server.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("TS_SOCKET", self.path("tsp.socket")).env("TS_MAXFINISHED", "100000");
        command.env("TMPDIR", self.dir.path());
        command
    }

    fn words(&self, words: &[&str]) -> Command {
        let mut command = self.command(self.kind.program());
        if self.kind == Kind::Pueue {
            command.arg("-c").arg(self.path("pueue.yml"));
        }
        command.args(words);
        command
    }

    pub fn add(&self, program: &str) -> Command {
        match self.kind {
            Kind::TaskSpooler => self.words(&[program]),
            Kind::Pueue => self.words(&["add", "--", program]),
        }
    }

    /// A line for the shell.
    pub fn add_line(&self, line: &str) -> Command {
        match self.kind {
            Kind::TaskSpooler => self.words(&["sh", "-c", line]),
            Kind::Pueue => self.words(&["add", "--", line]),
        }
    }

    pub fn list(&self) -> Command {
        match self.kind {
            Kind::TaskSpooler => self.words(&["-l"]),
            Kind::Pueue => self.words(&["status"]),
        }
    }

    /// How many no-ops can be waited for: pueue starts some 13 jobs a second.
    pub fn bearable(&self) -> usize {
        match self.kind {
            Kind::TaskSpooler => 2000,
            Kind::Pueue => 100,
        }
    }

    /// Until nothing runs or waits.
    pub fn idle(&self) -> io::Result<()> {
        wait(Duration::from_secs(120), Duration::from_millis(5), || {
            let said = self.list().stdout(Stdio::piped()).output()?;
            let text = String::from_utf8_lossy(&said.stdout).to_lowercase();
            let busy = text.lines().any(|line| {
                let state = line.split(|c: char| c.is_whitespace() || c == '│').filter(|w| !w.is_empty()).nth(1);
                matches!(state, Some("queued" | "running" | "skipped"))
            });
            Ok((!busy).then_some(()))
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let root: &Path = self.dir.path();
        for found in process::of(root) {
            process::signal(found.pid, Signal::KILL);
        }
    }
}
