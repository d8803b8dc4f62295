//! A sealed world for one test: a temporary folder, a private tmux server, the built binary. Nothing outlives it.
use agents::world::{
    process::{ProcId, Stat},
    tmux::{Client, NewSession, Server},
};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub struct Sandbox {
    dir: tempfile::TempDir,
    pub server: Server,
}

impl Sandbox {
    /// A folder and a server's address in it; no server runs yet.
    pub fn new() -> Sandbox {
        let dir = tempfile::Builder::new().prefix("agents-it-").tempdir().expect("a temporary folder");
        let server = Server::own(&dir.path().join("state")).expect("a place for the socket");
        Sandbox { dir, server }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The built `agents`.
    pub fn exe() -> &'static str {
        env!("CARGO_BIN_EXE_agents")
    }

    pub fn anchor() -> NewSession {
        Sandbox::session("p-watchdog", "exec sleep 1000")
    }

    /// A session that runs a shell line.
    pub fn session(name: &str, line: &str) -> NewSession {
        NewSession { name: name.into(), size: (120, 40), argv: vec!["sh".into(), "-c".into(), line.into()], pipe: None }
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.server, &Sandbox::anchor(), |_| {}).expect("a tmux server")
    }

    /// Runs `tmux ARGS` on the private server: what a person might do. Gives back stdout.
    pub fn tmux(&self, args: &[&str]) -> String {
        let out = std::process::Command::new("tmux")
            .args(["-u", "-S"])
            .arg(self.server.socket_path())
            .args(args)
            .env_remove("TMUX")
            .env_remove("TMUX_PANE")
            .output()
            .expect("tmux");
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Every process whose command line or environment names this sandbox.
    pub fn processes(&self) -> Vec<ProcId> {
        let needle = self.dir.path().as_os_str().as_encoded_bytes().to_vec();
        let names =
            |file: String| std::fs::read(file).is_ok_and(|text| text.windows(needle.len()).any(|w| w == needle));
        let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| *pid != std::process::id())
            .filter(|pid| names(format!("/proc/{pid}/cmdline")) || names(format!("/proc/{pid}/environ")))
            .filter_map(ProcId::of)
            .collect()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let mut all = self.processes();
        // What runs in panes names the sandbox nowhere: find it through the server.
        let parents: Vec<u32> = all.iter().map(|p| p.pid).collect();
        let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let stats = pids.filter_map(|e| Stat::read(e.file_name().to_str()?.parse().ok()?));
        all.extend(stats.filter(|s| parents.contains(&s.parent)).filter_map(|s| ProcId::of(s.pid)));
        for process in all {
            process.signal(rustix::process::Signal::KILL);
        }
    }
}

/// Polls until `condition` holds; panics with `what` after `seconds`.
#[track_caller]
pub fn wait_until(seconds: u64, what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(seconds);
    while !condition() {
        assert!(Instant::now() < until, "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
