//! Prompts to the real CLIs as jobs, without a terminal: each scene is one job.
use crate::{
    clis::{self, CLIS, Cli, Installed, Trouble},
    home::{self, Welcome, neutral},
    sandbox::Outcome,
    service::{Mode, Service},
};
use agents::world::tmux::Server;
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(120);
const TEXT: &str = "All done. The work is finished.";

type Scene = (&'static str, fn(&World) -> Outcome<String>);

const SCENES: [Scene; 7] = [
    ("prompt", prompt),
    ("phases", phases),
    ("tool", tool),
    ("error", error),
    ("cancel, resume", cut_off),
    ("window", window),
    ("model", model),
];

/// `names`: of CLIs; none = all. One after the other.
pub fn play(names: &[&str]) -> ExitCode {
    if let Some(unknown) = names.iter().find(|n| CLIS.iter().all(|c| c.name != **n)) {
        eprintln!("error: no CLI is called `{unknown}`");
        return ExitCode::from(2);
    }
    let installed = match clis::install() {
        Ok(installed) => installed,
        Err(Trouble::Lacking(why)) => {
            println!("skipped: {why}");
            return ExitCode::SUCCESS;
        }
        Err(Trouble::Wrong(why)) => {
            println!("FAILED: {why}");
            return ExitCode::FAILURE;
        }
    };
    let mut good = true;
    for cli in CLIS.iter().filter(|c| names.is_empty() || names.contains(&c.name)) {
        for (name, scene) in SCENES {
            let began = Instant::now();
            let went = World::new(cli, &installed).and_then(|world| scene(&world));
            good &= went.is_ok();
            let (verdict, words) = match &went {
                Ok(words) => ("passed", words.as_str()),
                Err(why) => ("FAILED", why.as_str()),
            };
            println!("{:9} {name:15} {verdict}  {:5.1}s  {words}", cli.name, began.elapsed().as_secs_f64());
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A project with a repository, a home, and a service; no job outlives it.
struct World {
    cli: &'static Cli,
    service: Service,
    project: PathBuf,
    env: Vec<(String, String)>,
    _folder: tempfile::TempDir,
}

fn words<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> String + '_ {
    move |e| format!("{what}: {e}")
}

impl World {
    fn new(cli: &'static Cli, installed: &Installed) -> Outcome<World> {
        let folder = tempfile::Builder::new().prefix("real-").tempdir_in(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.map_err(words("no folder"))?;
        let root = folder.path().canonicalize().map_err(words("no folder"))?;
        let (project, home) = (root.join("shop"), root.join("home"));
        fs::create_dir(&project).map_err(words("no project"))?;
        let service = Service::start().map_err(words("no service"))?;
        service.change(|b| (b.pace, b.text) = (Duration::from_millis(1), TEXT.into()));
        let env =
            home::furnish(cli, installed, &home, &service.url(), &project, Welcome::Done).map_err(words("no home"))?;
        let world = World { cli, service, project, env, _folder: folder };
        fs::write(world.project.join("a.txt"), "a\n").map_err(words("no file"))?;
        // What the user lets it do is said by its flags, and by nothing of ours.
        let flags = match cli.name {
            "claude" => "--dangerously-skip-permissions",
            "codex" => "--dangerously-bypass-approvals-and-sandbox",
            "opencode" => "--auto --prompt",
            // Without a model it asks the service which one it should take.
            _ => "--approval-mode yolo --model gemini-2.5-flash -i",
        };
        let config = format!(
            "[defaults]\nsession_prefix = 'p-'\nlog_dir = '.agents'\n[backend.{0}]\nbin = '{0}'\npreset = '{0}'\nflags = '{flags}'\n",
            cli.name
        );
        fs::write(world.project.join("agents.toml"), config).map_err(words("no config"))?;
        for line in [&["init", "-q"][..], &["add", "-A"], &["commit", "-q", "-m", "first"]] {
            let mut git = Command::new("git");
            git.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(line).current_dir(&world.project);
            git.status().map_err(words("git"))?;
        }
        Ok(world)
    }

    fn run(&self, line: &[&str]) -> Outcome<(Option<i32>, String)> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agents"));
        neutral(&mut command).args(line).current_dir(&self.project).envs(self.env.iter().cloned()).stdin(Stdio::null());
        let output = command.output().map_err(words("agents"))?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8_lossy(&said).into_owned()))
    }

    fn job(&self) -> Outcome<Value> {
        let (_, text) = self.run(&["jobs", "show", "j1", "--json"])?;
        serde_json::from_str(&text).map_err(|e| format!("{e}: {text}"))
    }

    fn wait(&self, what: &str, mut is_so: impl FnMut() -> Outcome<bool>) -> Outcome<()> {
        let until = Instant::now() + PATIENCE;
        while !is_so()? {
            if Instant::now() > until {
                let (_, log) = self.run(&["logs", "j1", "--raw"])?;
                return Err(format!("no {what} after {}s\n{}\n{log}", PATIENCE.as_secs(), self.job()?));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// In the foreground, to its end.
    fn done(&self, line: &[&str]) -> Outcome<(Value, String)> {
        let (code, shown) = self.run(&[&["run", "--backend", self.cli.name], line].concat())?;
        let job = self.job()?;
        if code != Some(0) || job["state"] != "done" {
            return Err(format!("exit {code:?}, {job}\n{shown}"));
        }
        Ok((job, shown))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.service.set_mode(Mode::Say);
        let _ = self.run(&["jobs", "cancel", "--all"]);
    }
}

fn expect(is_so: bool, what: &str, job: &Value) -> Outcome<()> {
    if is_so { Ok(()) } else { Err(format!("not so: {what}\n{job}")) }
}

fn told(job: &Value) -> String {
    let count = |pointer: &str| job.pointer(pointer).map(Value::to_string).unwrap_or_default();
    format!(
        "{} model calls, {} tool calls, {} tokens in, {} out, cost {}, {}",
        count("/progress/model_calls"),
        count("/progress/tool_calls"),
        count("/usage/input_tokens"),
        count("/usage/output_tokens"),
        count("/cost_usd"),
        job["last_event"].as_str().unwrap_or("-")
    )
}

fn prompt(w: &World) -> Outcome<String> {
    let (job, shown) = w.done(&["--", "- MARK-one, please: `$(touch x)`"])?;
    expect(shown.contains(TEXT) && !shown.contains("\"type\""), &format!("quiet lines: {shown}"), &job)?;
    expect(
        w.service.conversation().iter().any(|a| a.said.contains("- MARK-one, please: `$(touch x)`")),
        "the prompt",
        &job,
    )?;
    expect(job["agent_session"].is_string() && job["backend"] == w.cli.name, "its conversation", &job)?;
    expect(job["usage"]["output_tokens"].as_u64() > Some(0), "tokens", &job)?;
    expect(job["files_changed"] == 0, "no file", &job)?;
    Ok(told(&job))
}

fn phases(w: &World) -> Outcome<String> {
    let (job, _) = w.done(&["--phases", "look,build", "MARK-task it is"])?;
    let conversation = w.service.conversation();
    let both = |a: &&crate::service::Asked| a.said.contains("MARK-task") && a.said.contains("phase 2 of 2");
    expect(conversation.iter().any(|a| both(&a)), "the second phase in the conversation of the first", &job)?;
    expect(conversation.iter().any(|a| a.said.contains("phase 1 of 2") && !both(&a)), "the first alone", &job)?;
    Ok(told(&job))
}

fn tool(w: &World) -> Outcome<String> {
    w.service.change(|b| {
        (b.mode, b.tool_command) = (Mode::Tool, "echo changed >> a.txt".into());
        if w.cli.name == "codex" {
            b.call = Some(("exec_command".into(), json!({"cmd": "echo changed >> a.txt"})));
        }
    });
    let (job, _) = w.done(&["MARK-tool"])?;
    expect(job["progress"]["tool_calls"] == 1, "one call of a tool", &job)?;
    expect(job["files_changed"] == 1 && job["last_event"] == "Complete! Modified 1 file", "one file", &job)?;
    let (_, log) = w.run(&["logs", "j1"])?;
    expect(log.contains("echo changed >> a.txt"), &format!("the call in the log: {log}"), &job)?;
    Ok(told(&job))
}

fn error(w: &World) -> Outcome<String> {
    // At a limit OpenCode waits, and says nothing of it.
    w.service.set_mode(if w.cli.name == "opencode" { Mode::Auth } else { Mode::Limit });
    let (code, shown) = w.run(&["run", "--backend", w.cli.name, "MARK-error"])?;
    let job = w.job()?;
    expect(job["state"] == "failed" && code != Some(0), &format!("a failure: {code:?} {shown}"), &job)?;
    let why = job["error"].as_str().unwrap_or_default();
    expect(["limit", "quota", "api-key"].iter().any(|word| why.contains(word)), "its own words", &job)?;
    Ok(why.chars().take(90).collect())
}

fn cut_off(w: &World) -> Outcome<String> {
    w.service.set_mode(Mode::Slow);
    w.run(&["run", "-b", "--backend", w.cli.name, "MARK-cut is a long work"])?;
    let asked = || w.service.conversation().iter().any(|a| a.said.contains("MARK-cut"));
    w.wait("request", || Ok(asked() && w.service.under_way() > 0))?;
    w.wait("conversation", || Ok(w.job()?["agent_session"].is_string()))?;
    let before = w.job()?;
    w.run(&["jobs", "cancel", "j1"])?;
    w.wait("end", || Ok(w.job()?["state"] == "cancelled"))?;
    w.service.set_mode(Mode::Say);
    w.run(&["jobs", "resume", "j1"])?;
    w.wait("end of the resumed job", || Ok(w.job()?["ended"].is_string()))?;
    let job = w.job()?;
    expect(job["state"] == "done", "it is done", &job)?;
    expect(job["agent_session"] == before["agent_session"], "the same conversation", &job)?;
    let last = w.service.conversation().pop().ok_or("no request")?;
    expect(last.said.contains("MARK-cut") && last.said.contains("You were cut off"), "it goes on", &job)?;
    Ok(told(&job))
}

/// With a session: what is said is seen in it while the work goes on, and a key is no word for the program.
fn window(w: &World) -> Outcome<String> {
    w.service.set_mode(Mode::Slow);
    w.run(&["run", "-b", "--tmux", "--backend", w.cli.name, "MARK-seen is a long work"])?;
    w.wait("conversation", || Ok(w.job()?["agent_session"].is_string()))?;
    let job = w.job()?;
    let session = job["session"].as_str().ok_or("no session")?.to_owned();
    let server = Server::of_jobs(&w.project.join(".agents")).map_err(words("no server"))?;
    let tmux = |line: &[&str]| -> Outcome<String> {
        let mut tmux = Command::new("tmux");
        let output =
            tmux.args(["-u", "-N", "-S"]).arg(server.socket_path()).args(line).output().map_err(words("tmux"))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let at = format!("={session}:");
    let screen = || tmux(&["capture-pane", "-p", "-t", &at]);
    let name = job["agent_session"].as_str().unwrap_or_default().to_owned();
    w.wait("line about the conversation", || Ok(screen()?.contains(&name)))?;
    tmux(&["send-keys", "-t", &at, "MARK-typed", "Enter", "C-c"])?;
    w.wait("line about the keys", || Ok(screen()?.contains("agents stop j1 ends the job")))?;
    expect(w.job()?["state"] == "running", "it works on", &job)?;
    w.service.set_mode(Mode::Say);
    w.wait("end", || Ok(w.job()?["ended"].is_string()))?;
    let job = w.job()?;
    expect(job["state"] == "done" && job["session"].is_null(), "it is done, and its session gone", &job)?;
    let (_, log) = w.run(&["logs", "j1", "--raw"])?;
    expect(!log.contains('\x1b') && log.lines().any(|line| line.starts_with('{')), "the stream in the log", &job)?;
    expect(!w.service.conversation().iter().any(|a| a.said.contains("MARK-typed")), "nothing was typed", &job)?;
    Ok(told(&job))
}

/// The model of the line, also where the flags of the backend name another one.
fn model(w: &World) -> Outcome<String> {
    let (word, name) = match w.cli.name {
        "claude" => ("claude-opus-4-5", "claude-opus-4-5"),
        "codex" => ("gpt-5.1-codex", "gpt-5.1-codex"),
        "opencode" => ("stub/other", "other"),
        _ => ("gemini-2.5-pro", "gemini-2.5-pro"),
    };
    let (job, _) = w.done(&["--model", word, "MARK-model"])?;
    let asked = w.service.conversation();
    let is_meant = |a: &&crate::service::Asked| a.model == name || a.path.contains(name);
    let wrong: Vec<_> = asked.iter().filter(|a| !is_meant(a)).map(|a| format!("{} {}", a.model, a.path)).collect();
    expect(!asked.is_empty() && wrong.is_empty(), &format!("asked for {name}: {wrong:?}"), &job)?;
    expect(job["model"] == word, "its page says so", &job)?;
    Ok(told(&job))
}
