//! One fleet under test: a project with a remote, a home, a stand-in service, and the `agents` program.
use crate::{
    clis::{Cli, Installed},
    example::{self, AGENT, PREFIX, Wishes},
    home::{self, Welcome},
    service::Service,
    sweep,
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// How long anything may take; slow machines need it, quick ones do not wait for it.
pub const PATIENCE: Duration = Duration::from_secs(300);

pub struct Sandbox {
    pub cli: &'static Cli,
    pub service: Service,
    pub project: PathBuf,
    pub home: PathBuf,
    /// Name of this run: marks its processes.
    pub run: String,
    other_clone: PathBuf,
    env: Vec<(String, String)>,
    _folder: tempfile::TempDir,
}

pub type Outcome<T> = Result<T, String>;

fn words<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> String + '_ {
    move |e| format!("{what}: {e}")
}

impl Sandbox {
    pub fn new(cli: &'static Cli, installed: &Installed) -> Outcome<Sandbox> {
        Sandbox::welcomed(cli, installed, Welcome::Plan)
    }

    /// The CLI may find so much already answered.
    pub fn welcomed(cli: &'static Cli, installed: &Installed, welcome: Welcome) -> Outcome<Sandbox> {
        let folder = tempfile::Builder::new()
            .prefix("real-")
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .map_err(words("cannot make a folder"))?;
        let root = folder.path().canonicalize().map_err(words("no folder"))?;
        let (project, home) = (root.join("shop"), root.join("home"));
        let service = Service::start().map_err(words("the stand-in service does not start"))?;
        let run = root.display().to_string();
        let mut env =
            home::furnish(cli, installed, &home, &service.url(), &project, welcome).map_err(words("no home"))?;
        env.push((sweep::MARKER.into(), run.clone()));
        for who in ["AUTHOR", "COMMITTER"] {
            env.push((format!("GIT_{who}_NAME"), "dev".into()));
            env.push((format!("GIT_{who}_EMAIL"), "dev@example.org".into()));
        }
        let sandbox =
            Sandbox { cli, service, project, home, run, other_clone: root.join("other"), env, _folder: folder };
        sandbox.make_repositories(&root)?;
        sandbox.write("prompts/worker.md", "Please look after the shop. MARK-first")?;
        sandbox.configure(&Wishes::default())?;
        Ok(sandbox)
    }

    /// Another CLI in the same home and fleet, with a service of its own.
    pub fn also(&mut self, cli: &Cli, installed: &Installed) -> Outcome<Service> {
        let service = Service::start().map_err(words("the stand-in service does not start"))?;
        let env = home::furnish(cli, installed, &self.home, &service.url(), &self.project, Welcome::Plan)
            .map_err(words("no home"))?;
        self.env.extend(env);
        Ok(service)
    }

    fn make_repositories(&self, root: &Path) -> Outcome<()> {
        self.git(root, &["init", "-q", "--bare", "-b", "main", "origin"])?;
        self.git(root, &["clone", "-q", "origin", "other"])?;
        self.git(&self.other_clone, &["commit", "-q", "--allow-empty", "-m", "the beginning"])?;
        self.git(&self.other_clone, &["push", "-q", "origin", "HEAD:main"])?;
        self.git(root, &["clone", "-q", "origin", "shop"]).map(drop)
    }

    fn git(&self, dir: &Path, args: &[&str]) -> Outcome<String> {
        self.output("git", Command::new("git").arg("-C").arg(dir).args(args))
    }

    /// Somebody else's commit, pushed.
    pub fn push(&self, subject: &str) -> Outcome<()> {
        self.git(&self.other_clone, &["commit", "-q", "--allow-empty", "-m", subject])?;
        self.git(&self.other_clone, &["push", "-q", "origin", "HEAD:main"]).map(drop)
    }

    /// Replaces a file of the project in one step.
    pub fn write(&self, path: &str, text: &str) -> Outcome<()> {
        let path = self.project.join(path);
        let folder = path.parent().unwrap_or(&self.project);
        fs::create_dir_all(folder).map_err(words("cannot make a folder"))?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(words("cannot write"))?;
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(words("cannot write"))?;
        file.persist(path).map_err(words("cannot write")).map(drop)
    }

    pub fn configure(&self, wishes: &Wishes) -> Outcome<()> {
        self.write("agents.toml", &example::agents_toml(self.cli, wishes)?)
    }

    /// Runs the product in the project. The error holds what it said.
    pub fn agents(&self, args: &[&str]) -> Outcome<String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agents"));
        self.output(&format!("agents {}", args.join(" ")), command.args(args).current_dir(&self.project))
    }

    fn output(&self, what: &str, command: &mut Command) -> Outcome<String> {
        let out = home::neutral(command)
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .output()
            .map_err(words(what))?;
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        if out.status.success() {
            return Ok(said);
        }
        Err(format!("`{what}` ended with {}: {said}{}", out.status, String::from_utf8_lossy(&out.stderr)))
    }

    pub fn status(&self) -> Outcome<Value> {
        serde_json::from_str(&self.agents(&["status", "--json"])?).map_err(words("status is not JSON"))
    }

    /// The agent's part of `status --json`.
    pub fn agent(&self) -> Outcome<Value> {
        self.agent_named(AGENT)
    }

    pub fn agent_named(&self, name: &str) -> Outcome<Value> {
        let status = self.status()?;
        let agents = status["agents"].as_array().ok_or("status names no agents")?;
        agents.iter().find(|a| a["name"] == name).cloned().ok_or(format!("status does not know `{name}`"))
    }

    /// How many events of this kind there were.
    pub fn events(&self, kind: &str) -> Outcome<usize> {
        let text = self.agents(&["events", "--json", "-n", "10000"])?;
        let kinds = text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
        Ok(kinds.filter(|e| e["kind"] == kind).count())
    }

    /// What became of a text: `delivered`, `queued`, `undelivered`, `unknown`, or `denied`.
    pub fn send(&self, text: &str, timeout: &str) -> String {
        self.send_to(AGENT, text, timeout).1
    }

    /// The delivery's number, and what became of it.
    pub fn send_to(&self, name: &str, text: &str, timeout: &str) -> (Option<i64>, String) {
        let said = match self.agents(&["send", "--json", name, text, "--timeout", timeout]) {
            Ok(said) | Err(said) => said,
        };
        let answer =
            said.find('{').map(|at| serde_json::Deserializer::from_str(&said[at..]).into_iter::<Value>().next());
        let answer = answer.flatten().and_then(Result::ok).unwrap_or_default();
        let outcome = answer["outcome"].as_str().unwrap_or("denied");
        (answer["id"].as_i64(), outcome.to_owned())
    }

    pub fn tmux(&self, args: &[&str]) -> Outcome<String> {
        let socket = self.status()?["tmux_socket"].as_str().ok_or("status names no tmux socket")?.to_owned();
        self.output("tmux", Command::new("tmux").args(["-u", "-S", &socket]).args(args))
    }

    pub fn screen(&self) -> Outcome<String> {
        self.tmux(&["capture-pane", "-p", "-t", &format!("={PREFIX}{AGENT}:")])
    }

    /// Presses a key in the agent's pane, as a person would.
    pub fn press(&self, key: &str) -> Outcome<()> {
        self.tmux(&["send-keys", "-t", &format!("={PREFIX}{AGENT}:"), key]).map(drop)
    }

    /// Types into the agent's pane, as a person would.
    pub fn type_text(&self, text: &str) -> Outcome<()> {
        self.tmux(&["send-keys", "-t", &format!("={PREFIX}{AGENT}:"), "-l", "--", text]).map(drop)
    }

    /// The program in the foreground of the agent's terminal.
    pub fn foreground(&self) -> Outcome<i32> {
        self.foreground_of(AGENT)
    }

    pub fn foreground_of(&self, name: &str) -> Outcome<i32> {
        let pane = self.agent_named(name)?["pid"].as_i64().ok_or("the agent has no process")?;
        let stat = fs::read_to_string(format!("/proc/{pane}/stat")).map_err(words("the agent's process is gone"))?;
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let group: i32 = after_name.split(' ').nth(5).and_then(|w| w.parse().ok()).ok_or("cannot read its terminal")?;
        if group > 1 { Ok(group) } else { Err("nothing runs in its terminal".into()) }
    }

    /// Looks until `seen` gives an answer. The error says what was waited for, and what the screen showed instead.
    pub fn wait<T>(&self, what: &str, mut seen: impl FnMut() -> Outcome<Option<T>>) -> Outcome<T> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = seen()? {
                return Ok(found);
            }
            if Instant::now() > until {
                return Err(format!("no {what} after {} s\n{}", PATIENCE.as_secs(), self.story_so_far()));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Until the supervisor has looked at everything `n` more times.
    pub fn ticks(&self, n: usize) -> Outcome<()> {
        let mut last = Value::Null;
        let mut seen = 0;
        self.wait("ticks of the watchdog", || {
            let now = self.status()?["watchdog"]["last_tick"].clone();
            if now != last {
                seen += 1;
                last = now;
            }
            Ok((seen > n).then_some(()))
        })
    }

    /// For the reader of a failure: status, screen, the last events and requests.
    pub fn story_so_far(&self) -> String {
        let part = |name: &str, text: Outcome<String>| {
            let text = text.unwrap_or_else(|e| e);
            let rows: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
            let from = rows.len().saturating_sub(24);
            format!("--- {name}\n{}\n", rows[from..].join("\n"))
        };
        let requests = self.service.log().iter().rev().take(6).rev().fold(String::new(), |all, a| {
            let tail: String = a.news.chars().rev().take(160).collect::<Vec<_>>().into_iter().rev().collect();
            format!("{all}{:?} answered={} side={} …{tail}\n", a.mode, a.answered, a.side)
        });
        part("status", self.agents(&["status"]))
            + &part("events", self.agents(&["events", "-n", "14"]))
            + &part("screen", self.screen())
            + &part("requests", Ok(requests))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
        sweep::kill(&self.run);
    }
}
