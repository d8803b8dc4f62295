//! One private fleet: config, verbs, and an end that leaves nothing behind.
use crate::{agent, process};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Error},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Ticks come this often while they are watched.
pub const SIGNAL: Duration = Duration::from_millis(200);
const PREFIX: &str = "bench-";

pub struct Sandbox {
    dir: tempfile::TempDir,
    program: PathBuf,
}

/// The last start of an agent, by its ledger.
#[derive(Clone, Copy)]
pub struct Start {
    pub pid: u32,
    /// CLOCK_BOOTTIME.
    pub at: Duration,
}

impl Sandbox {
    /// A fleet of `n` agents that does not run yet. `how`: a word of the agent's.
    pub fn new(program: &Path, n: usize, how: &str) -> io::Result<Sandbox> {
        let dir = tempfile::Builder::new().prefix("agents-bench-").tempdir()?;
        let sandbox = Sandbox { dir, program: program.to_owned() };
        File::create(sandbox.ledger())?;
        let own = std::env::current_exe()?;
        let command = format!("exec '{}' {} '{}' {how}", own.display(), agent::WORD, sandbox.ledger().display());
        let seconds = SIGNAL.as_secs_f64();
        // One pass in ten is a heavy one, as by default; a killed agent is always the first to die for a long time.
        let mut config = format!(
            "[defaults]\nsession_prefix = \"{PREFIX}\"\nlog_dir = \".agents\"\nbackend = \"bench\"\nwatch = \"heal+stall\"\n\
             [watchdog]\nsignal_interval = {seconds}\nheavy_interval = {}\nrestart_window = 0.01\n\
             storm_limit = 1000000\n\
             [tmux]\nsize = \"120x40\"\n\
             [backend.bench]\nbin = \"\"\"{command}\"\"\"\nprompt_delivery = \"exec\"\nstall_idle = 86400\n\
             active_re = 'esc to interrupt'\nlimit_re = 'usage limit reached|limit will reset'\n\
             fatal_re = 'API Error: 400|conversation is broken'\n",
            seconds * 10.0
        );
        for i in 0..n {
            config.push_str(&format!("[[agent]]\nname = \"a{i}\"\n"));
        }
        fs::write(sandbox.path("agents.toml"), config)?;
        Ok(sandbox)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn ledger(&self) -> PathBuf {
        self.path("ledger")
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a verb to its end; a `PATH` that begins with `first` if given.
    pub fn run(&self, words: &[&str], first: Option<&Path>) -> io::Result<Duration> {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(self.dir.path()).stdin(Stdio::null());
        command.env("XDG_STATE_HOME", self.path("home")).env_remove("TMUX").env_remove("AGENTS_CONFIG");
        // Sessions of this name on the user's own server are nothing to us.
        command.env("TMUX_TMPDIR", self.dir.path());
        if let Some(first) = first {
            let rest = std::env::var("PATH").unwrap_or_default();
            command.env("PATH", format!("{}:{rest}", first.display()));
        }
        command.stdout(File::create(self.path("said"))?).stderr(File::create(self.path("complaints"))?);
        let started = Instant::now();
        let status = command.status()?;
        let took = started.elapsed();
        if status.success() {
            return Ok(took);
        }
        let words = words.join(" ");
        let complaints = fs::read_to_string(self.path("complaints")).unwrap_or_default();
        Err(Error::other(format!("`agents {words}`: {status}: {}", complaints.trim())))
    }

    /// The newest start of each agent.
    pub fn starts(&self) -> BTreeMap<String, Start> {
        let text = fs::read_to_string(self.ledger()).unwrap_or_default();
        let line = |l: &str| {
            let mut words = l.split(' ');
            let name = words.next()?.to_owned();
            let pid = words.next()?.parse().ok()?;
            Some((name, Start { pid, at: Duration::from_nanos(words.next()?.parse().ok()?) }))
        };
        text.lines().filter_map(line).collect()
    }

    /// Polls until `what` gives something.
    pub fn wait<T>(&self, longest: Duration, mut what: impl FnMut() -> Option<T>) -> io::Result<T> {
        let end = Instant::now() + longest;
        loop {
            if let Some(found) = what() {
                return Ok(found);
            }
            if Instant::now() >= end {
                return Err(Error::other(format!("nothing came within {} s", longest.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Moment (epoch ms) and length (ms) of the watchdog's last tick.
    pub fn beat(&self) -> Option<(u64, f64)> {
        let text = fs::read_to_string(self.path(&format!(".agents/state/{PREFIX}agents.beat"))).ok()?;
        let mut words = text.split_whitespace();
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    }

    /// The watchdog's and the tmux server's process.
    pub fn masters(&self) -> io::Result<(u32, u32)> {
        self.wait(Duration::from_secs(10), || {
            let all = process::marked(self.root());
            let watchdog = all.iter().find(|(_, words)| words.iter().any(|w| w == "__watchdog"))?.0;
            let text = fs::read_to_string(format!("/proc/{watchdog}/stat")).ok()?;
            text.contains("agents").then_some(())?;
            // The connection is a child of the watchdog; the server is nobody's.
            let server = all.iter().find(|(pid, words)| {
                let program = words.first().is_some_and(|w| w.contains("tmux"));
                program && parent(*pid) != Some(watchdog) && !words.iter().any(|w| w == "attach-session")
            })?;
            Some((watchdog, server.0))
        })
    }
}

fn parent(pid: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if self.run(&["down"], None).is_ok() && process::marked(self.root()).is_empty() {
            return;
        }
        for (pid, _) in process::marked(self.root()) {
            if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}
