//! A whole fleet for one test: the built program, a real tmux server of its own, `tests/fake_agent.sh` as the agents.
//! Everything is under one temporary folder; dropping it ends the fleet and checks that nothing outlives it.
use agents::world::process::{ProcId, Stat};
use rustix::process::Signal;
use serde_json::Value;
use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// What most tests begin with; agents (and more backends) follow. `fake` runs the fake agent by itself (`exec`).
pub const BASE: &str = r#"
[defaults]
session_prefix = "t-"
log_dir = ".agents"
backend = "fake"
watch = "heal"

[watchdog]
signal_interval = 0.3
heavy_interval = 0.3
stop_grace = 0.5
restart_delay = 0.1

[backend.fake]
bin = "{fake}"
prompt_delivery = "exec"
active_re = '(?m)^working'
limit_re = 'usage limit reached'
"#;

/// How long a test waits for anything: much, because many tests share the machine.
const PATIENCE: Duration = Duration::from_secs(40);

pub struct Fleet {
    dir: tempfile::TempDir,
    /// Where `agents.toml` is.
    pub project: PathBuf,
    env: Vec<(OsString, OsString)>,
    /// Processes may be left at the end: the test killed what would have ended them.
    pub may_leave: bool,
}

/// What one run of the program said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    #[track_caller]
    pub fn ok(self) -> Said {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}

impl Fleet {
    /// [`BASE`] and then `toml`.
    pub fn new(toml: &str) -> Fleet {
        Fleet::with(&format!("{BASE}{toml}"))
    }

    /// A whole config. `{project}` is the project's folder, `{fake}` the fake agent, `{root}` the temporary folder.
    pub fn with(toml: &str) -> Fleet {
        Fleet::in_folder("project", toml)
    }

    /// The project's folder has this name.
    pub fn in_folder(name: &str, toml: &str) -> Fleet {
        let dir = tempfile::Builder::new().prefix("agents-fleet-").tempdir().expect("a temporary folder");
        let root = dir.path().canonicalize().expect("a real path");
        let project = root.join(name);
        for made in [&project, &root.join("home"), &root.join("tmp"), &root.join("run"), &root.join("fake")] {
            fs::create_dir_all(made).expect("a folder");
        }
        let env =
            [("HOME", "home"), ("XDG_STATE_HOME", "home/state"), ("XDG_RUNTIME_DIR", "run"), ("TMUX_TMPDIR", "tmp")]
                .into_iter()
                .chain([("FAKE_DIR", "fake")])
                .map(|(key, place)| (key.into(), root.join(place).into_os_string()));
        let fixed =
            [("LANG", "C.UTF-8"), ("SHELL", "/bin/sh"), ("TERM", "xterm-256color"), ("GIT_CONFIG_NOSYSTEM", "1")];
        let env = env.chain(fixed.map(|(k, v)| (k.into(), v.into())));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let env = env.chain([("PATH".into(), path)]).collect();
        let fleet = Fleet { dir, project, env, may_leave: false };
        fleet.config(toml);
        fleet
    }

    pub fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().expect("a real path")
    }

    /// What a config of this fleet says: the slots are filled.
    pub fn filled(&self, toml: &str) -> String {
        let fake = format!("sh {}", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake_agent.sh"));
        toml.replace("{fake}", &fake)
            .replace("{project}", &self.project.to_string_lossy())
            .replace("{root}", &self.root().to_string_lossy())
    }

    /// Writes `agents.toml` as an editor does: the new one takes the old one's place.
    pub fn config(&self, toml: &str) {
        let (new, place) = (self.project.join(".agents.toml.new"), self.project.join("agents.toml"));
        fs::write(&new, self.filled(toml)).expect("a config");
        fs::rename(&new, &place).expect("the config in its place");
    }

    /// A variable for every later run of the program.
    pub fn set(&mut self, key: &str, value: impl AsRef<OsStr>) {
        self.env.retain(|(k, _)| k != key);
        self.env.push((key.into(), value.as_ref().into()));
    }

    /// The program, not started yet, in the project's folder and with nothing of this machine's environment.
    pub fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agents"));
        command.args(line).current_dir(&self.project).env_clear().stdin(Stdio::null());
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Runs the program to its end.
    #[track_caller]
    pub fn agents(&self, line: &[&str]) -> Said {
        self.run(self.command(line))
    }

    /// Runs any command to its end. Output goes through files: what it leaves running cannot hold us up.
    #[track_caller]
    pub fn run(&self, mut command: Command) -> Said {
        let out = tempfile::NamedTempFile::new_in(self.dir.path()).expect("a file");
        let err = tempfile::NamedTempFile::new_in(self.dir.path()).expect("a file");
        let open =
            |f: &tempfile::NamedTempFile| Stdio::from(File::options().append(true).open(f.path()).expect("a file"));
        let mut child = command.stdout(open(&out)).stderr(open(&err)).spawn().expect("the program starts");
        let until = Instant::now() + PATIENCE;
        let text = |f: &tempfile::NamedTempFile| lossy(f.path());
        loop {
            if let Some(status) = child.try_wait().expect("a child of ours") {
                return Said { code: status.code().unwrap_or(-1), out: text(&out), err: text(&err) };
            }
            if Instant::now() > until {
                let _ = child.kill();
                panic!("{command:?} does not end\n{}{}", text(&out), text(&err));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// `up` of everything; it has to succeed.
    #[track_caller]
    pub fn up(&self) -> Said {
        self.agents(&["up"]).ok()
    }

    #[track_caller]
    pub fn status(&self) -> Value {
        let said = self.agents(&["status", "--json"]).ok();
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.out))
    }

    /// An agent's or a service's row of the status.
    #[track_caller]
    pub fn row(&self, name: &str) -> Value {
        let status = self.status();
        let mut rows = ["agents", "services"].into_iter().filter_map(|list| status[list].as_array()).flatten();
        rows.rfind(|row| row["name"] == name).cloned().unwrap_or_else(|| panic!("no `{name}` in {status}"))
    }

    #[track_caller]
    pub fn state(&self, name: &str) -> String {
        self.row(name)["state"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn alive(&self, name: &str) -> bool {
        self.row(name)["alive"] == true
    }

    /// Polls until `condition` holds; panics with what is known then.
    #[track_caller]
    pub fn wait(&self, what: &str, mut condition: impl FnMut(&Fleet) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !condition(self) {
            if Instant::now() > until {
                let status = self.agents(&["status"]);
                panic!("not within {PATIENCE:?}: {what}\n{}{}\n{}", status.out, status.err, self.log());
            }
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    /// The watchdog's log.
    pub fn log(&self) -> String {
        lossy(&self.project.join(".agents/t-watchdog.log"))
    }

    /// How often the watchdog's log has this.
    pub fn said(&self, text: &str) -> usize {
        self.log().matches(text).count()
    }

    /// Waits until the watchdog has looked `n` times more.
    #[track_caller]
    pub fn ticks(&self, n: usize) {
        let beat = || fs::read(self.project.join(".agents/state/t-agents.beat")).unwrap_or_default();
        for _ in 0..n {
            let before = beat();
            self.wait("the next tick", |_| beat() != before);
        }
    }

    /// What an agent's terminal got, as it was logged.
    pub fn output(&self, name: &str) -> String {
        lossy(&self.project.join(format!(".agents/t-{name}.log")))
    }

    /// Every event so far.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let said = self.agents(&["events", "--json", "-n", "10000"]).ok();
        said.out.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
    }

    /// A place of the fake agent `name`: its script, its ledgers.
    pub fn fake(&self, name: &str, file: &str) -> PathBuf {
        self.root().join("fake").join(name).join(file)
    }

    /// What the fake agent does from its next start on; one instruction a line.
    pub fn script(&self, name: &str, text: &str) {
        let place = self.fake(name, "script");
        fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
        fs::write(place, text).expect("a script");
    }

    /// What the fake agent that runs does from now on.
    pub fn tell(&self, name: &str, text: &str) {
        let new = self.fake(name, "do.new");
        fs::write(&new, text).expect("a script");
        fs::rename(new, self.fake(name, "do")).expect("a script in its place");
    }

    /// How often it was started.
    pub fn starts(&self, name: &str) -> usize {
        lossy(&self.fake(name, "starts")).lines().count()
    }

    /// The fake agent's own pid, of its last start.
    pub fn pid(&self, name: &str) -> u32 {
        let text = lossy(&self.fake(name, "starts"));
        let pid = text.lines().next_back().and_then(|l| l.split(' ').nth(1)?.parse().ok());
        pid.unwrap_or_else(|| panic!("`{name}` was never started: {text}"))
    }

    /// Every line it was given, over all starts.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let text = lossy(&self.fake(name, "lines"));
        text.lines().map(|l| l.splitn(3, ' ').nth(2).unwrap_or_default().to_owned()).collect()
    }

    /// Kills the fake agent and nothing else.
    pub fn kill(&self, name: &str) {
        signal(self.pid(name), Signal::KILL);
    }

    /// The watchdog's pid.
    #[track_caller]
    pub fn watchdog(&self) -> u32 {
        self.status()["watchdog"]["pid"].as_u64().map(|pid| pid as u32).expect("a watchdog")
    }

    /// Kills the watchdog for good: who would bring it back goes first, while it cannot see that.
    pub fn kill_watchdog(&self) {
        let status = self.status();
        let pid = |key: &str| status["watchdog"][key].as_u64().map(|pid| pid as u32);
        let watchdog = pid("pid").expect("a watchdog");
        signal(watchdog, Signal::STOP);
        if let Some(guardian) = pid("guardian") {
            signal(guardian, Signal::KILL);
        }
        signal(watchdog, Signal::KILL);
    }

    /// The tmux server's pid.
    pub fn server(&self) -> u32 {
        self.tmux(&["display-message", "-p", "#{pid}"]).out.trim().parse().expect("a tmux server")
    }

    /// `tmux ARGS` on the fleet's server, as a person would type it.
    #[track_caller]
    pub fn tmux(&self, args: &[&str]) -> Said {
        let socket = self.status()["tmux_socket"].as_str().expect("a socket").to_owned();
        let mut command = Command::new("tmux");
        command.args(["-u", "-N", "-S", &socket]).args(args).env_clear().envs(self.env.iter().map(|(k, v)| (k, v)));
        self.run(command)
    }

    /// Names of all sessions on the fleet's server, the watchdog's too.
    pub fn sessions(&self) -> Vec<String> {
        self.tmux(&["list-sessions", "-F", "#{session_name}"]).out.lines().map(str::to_owned).collect()
    }

    /// A file in the project, with its folders.
    pub fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let place = self.project.join(file);
        fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
        fs::write(place, text).expect("a file");
    }

    /// `git ARGS` in a folder below the root; it has to succeed.
    #[track_caller]
    pub fn git(&self, dir: &Path, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]);
        command.args(args).current_dir(dir).env_clear().envs(self.env.iter().map(|(k, v)| (k, v)));
        self.run(command).ok().out
    }

    /// Every process of this fleet: its command line or environment names the temporary folder. Zombies are dead.
    pub fn processes(&self) -> Vec<ProcId> {
        let needle = self.root().into_os_string().into_encoded_bytes();
        let names = |file: String| fs::read(file).is_ok_and(|text| text.windows(needle.len()).any(|w| w == needle));
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| *pid != std::process::id())
            .filter(|pid| names(format!("/proc/{pid}/cmdline")) || names(format!("/proc/{pid}/environ")))
            .filter(|pid| Stat::read(*pid).is_some_and(|stat| !stat.is_over()))
            .filter_map(ProcId::of)
            .collect()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // Whatever a fleet of a test decided is decided the same way again.
            let replayed = self.agents(&["replay"]);
            assert_ne!(replayed.code, 1, "{replayed:?}");
            let said = self.agents(&["down"]);
            let until = Instant::now() + Duration::from_secs(5);
            while !self.processes().is_empty() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(20));
            }
            let left: Vec<String> = self.processes().iter().map(|p| describe(p.pid)).collect();
            self.end_all();
            assert!(self.may_leave || left.is_empty(), "left by `down` ({said:?}):\n{}", left.join("\n"));
        }
        self.end_all();
    }
}

impl Fleet {
    /// The watchdog may start things anew while we kill them: as often as it takes.
    fn end_all(&self) {
        for _ in 0..50 {
            let all = self.processes();
            if all.is_empty() {
                return;
            }
            for process in all {
                process.signal(Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Sends a signal to one process.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(process) = ProcId::of(pid) {
        process.signal(signal);
    }
}

fn describe(pid: u32) -> String {
    let line = lossy(Path::new(&format!("/proc/{pid}/cmdline"))).replace('\0', " ");
    format!("{pid} {line}")
}

fn lossy(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
}
