//! Verbs that read a configured fleet, while none of it runs.
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
};
use tempfile::TempDir;

/// A folder with a config that can be loaded; nothing of it was ever started.
struct Fleet {
    dir: TempDir,
}

const CONFIG: &str = r#"
[defaults]
session_prefix = "p-"
log_dir = ".agents"
backend = "sh"
watch = "heal"

[backend.sh]
bin = "sh"
prompt_delivery = "exec"

[[agent]]
name = "builder"
kind = "loop"
role = "builder"

[[agent]]
name = "helper"
enabled = false

[[service]]
name = "web"
command = "sleep 1000"

[loop]
phases = [
  { id = "one", plan = "plan.md", status = "STATUS.md", models = { builder = "big" } },
  { id = "two", status = "STATUS.md" },
]
"#;

impl Fleet {
    fn new() -> Fleet {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("agents.toml"), CONFIG).expect("a config");
        std::fs::create_dir_all(dir.path().join("prompts")).expect("a folder");
        std::fs::write(dir.path().join("prompts/builder.md"), "build").expect("a prompt");
        std::fs::create_dir_all(dir.path().join(".agents")).expect("a folder");
        Fleet { dir }
    }

    fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agents"));
        command.args(line).current_dir(self.dir.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.dir.path());
        // Not the tmux server of whoever runs the tests.
        command.env("TMUX_TMPDIR", self.dir.path()).env("XDG_RUNTIME_DIR", self.dir.path());
        command.stdin(Stdio::null());
        command
    }

    fn run(&self, line: &[&str]) -> Output {
        self.command(line).output().expect("the program starts")
    }

    /// What it prints, if it ends well.
    fn out(&self, line: &[&str]) -> String {
        let output = self.run(line);
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line:?}: {err}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn json(&self, line: &[&str]) -> Value {
        serde_json::from_str(&self.out(line)).expect("JSON")
    }

    /// Exit code and stderr.
    fn fails(&self, line: &[&str]) -> (i32, String) {
        let output = self.run(line);
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn log(&self, name: &str) -> PathBuf {
        self.dir.path().join(".agents").join(name)
    }

    fn write_log(&self, name: &str, text: &str) {
        std::fs::write(self.log(name), text).expect("a log");
    }
}

#[test]
fn status_of_a_fleet_that_never_ran() {
    let fleet = Fleet::new();
    let text = fleet.out(&["status"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], " phase: one [1/2] plan=plan.md (in progress)");
    let words = |i: usize| lines[i].split_whitespace().take(7).collect::<Vec<_>>().join(" ");
    assert!(words(1).starts_with("AGENT KIND BACKEND MODEL WATCH STATE"), "{text}");
    assert!(words(2).starts_with("builder loop sh big heal stopped"), "{text}");
    assert!(words(3).starts_with("helper persistent sh default heal stopped (disabled)"), "{text}");
    assert!(words(4).starts_with("web service - - - stopped"), "{text}");
    assert!(words(5).starts_with("watchdog service - - - stopped"), "{text}");
    assert_eq!(text, fleet.out(&["--config", "agents.toml"]), "a config alone means status");

    let json = fleet.json(&["status", "--json"]);
    assert_eq!(json["v"], 1);
    assert_eq!(json["watchdog"]["running"], false);
    assert_eq!(json["phase"]["count"], 2);
    assert_eq!(json["agents"][0]["state"], "stopped");
    assert_eq!(json["agents"][0]["session"], "p-builder");
    assert_eq!(json["agents"][1]["enabled"], false);
    assert_eq!(json["services"][0]["alive"], false);
}

#[test]
fn fault_36_explain_names_state_next_step_and_blocker() {
    let fleet = Fleet::new();
    let text = fleet.out(&["explain", "builder"]);
    assert!(text.starts_with("builder: stopped\n"), "{text}");
    assert!(text.contains("no watchdog is running"), "{text}");
    assert!(fleet.out(&["explain", "helper"]).contains("disabled in the config"));
    assert_eq!(fleet.json(&["explain", "builder", "--json"])["next_action"], Value::Null);
    assert_eq!(fleet.json(&["explain", "--json"])["agents"].as_array().map(Vec::len), Some(2));
}

#[test]
fn fault_34_unknown_names_do_nothing_and_are_named() {
    let fleet = Fleet::new();
    for verb in ["up", "down", "restart", "pause", "resume", "explain", "attach"] {
        let (code, err) = fleet.fails(&[verb, "biulder"]);
        assert_eq!(code, 1, "{verb}: {err}");
        assert!(err.starts_with("error: no agent or service is named `biulder`"), "{verb}: {err}");
        assert!(err.contains("hint: did you mean `builder`?"), "{verb}: {err}");
    }
    let (code, err) = fleet.fails(&["up", "builder", "x1", "x2"]);
    assert_eq!(code, 1);
    assert!(err.contains("`x1`, `x2`; nothing was done"), "{err}");
    let (code, err) = fleet.fails(&["send", "biulder", "hi"]);
    assert_eq!((code, err.contains("did you mean `builder`?")), (1, true), "{err}");
}

#[test]
fn a_dry_run_of_up_says_what_would_start() {
    let fleet = Fleet::new();
    let text = fleet.out(&["up", "--dry-run"]);
    assert!(text.starts_with("would start p-builder (sh, kind=loop, phase=one, model=big)\n"), "{text}");
    assert!(!text.contains("helper"), "it is disabled: {text}");
    assert!(text.ends_with("would start service p-web\nwould start watchdog\n"), "{text}");
    let output = fleet.command(&["up", "helper", "--dry-run"]).env("AGENT_MODEL_helper", "m1").output();
    let text = String::from_utf8(output.expect("started").stdout).expect("UTF-8");
    assert_eq!(text, "would start p-helper (sh, kind=persistent, phase=-, model=m1)\n");
}

#[test]
fn fault_14_a_phase_outside_the_sequence_is_refused() {
    let fleet = Fleet::new();
    assert_eq!(fleet.out(&["phase"]), "phase one [1/2] seq: one two\n");
    for bad in ["99", "-1", "abc", "1garbage"] {
        let (code, err) = fleet.fails(&["phase", "set", bad]);
        assert_eq!(code, 2, "{bad}: {err}");
        assert!(err.contains("there are 2, 0 to 1 (one two); nothing was written"), "{err}");
    }
    assert!(!fleet.log("state/phase-idx").exists());
}

#[test]
fn what_needs_a_watchdog_says_so() {
    let fleet = Fleet::new();
    let (code, err) = fleet.fails(&["events", "-f"]);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("hint: `agents up watchdog`"), "{err}");
    assert_eq!(fleet.out(&["events"]), "");
    let (code, err) = fleet.fails(&["attach", "builder"]);
    assert_eq!(code, 1);
    assert!(err.contains("`builder` is not running") && err.contains("`agents up builder`"), "{err}");
}

#[test]
fn logs_are_clean_and_reach_over_rotation() {
    let fleet = Fleet::new();
    fleet.write_log("p-builder.log.2", "oldest\r\n");
    fleet.write_log("p-builder.log.1", "\x1b[31mred\x1b[0m\r\nerror: bad\r\n");
    fleet.write_log("p-builder.log", "10%\r50%\r100%\r\nsame\r\nsame\r\nlast");
    assert_eq!(fleet.out(&["logs", "builder"]), "oldest\nred\nerror: bad\n100%\nsame\nlast\n");
    assert_eq!(fleet.out(&["logs", "builder", "-n", "4"]), "error: bad\n100%\nsame\nlast\n");
    assert_eq!(fleet.out(&["logs", "builder", "--grep", "^(red|la)"]), "red\nlast\n");
    assert_eq!(fleet.out(&["logs", "builder", "--errors"]), "error: bad\n");
    assert_eq!(fleet.out(&["logs", "builder", "--raw", "-n", "1"]), "last");
    assert_eq!(fleet.out(&["logs", "builder", "-n", "0"]), "");
    let (code, err) = fleet.fails(&["logs", "builder", "--grep", "("]);
    assert_eq!(code, 2, "{err}");
}

#[test]
fn logs_of_the_watchdog_of_strangers_and_of_nobody() {
    let fleet = Fleet::new();
    let (code, err) = fleet.fails(&["logs"]);
    assert_eq!((code, err.contains("`watchdog` has no log yet")), (1, true), "{err}");
    fleet.write_log("p-watchdog.log", "[agents 10:00:00] watchdog up\n");
    assert_eq!(fleet.out(&["logs"]), "[agents 10:00:00] watchdog up\n");
    fleet.write_log("p-gone.log", "it was here\n");
    assert_eq!(fleet.out(&["logs", "gone"]), "it was here\n");
    let (code, err) = fleet.fails(&["logs", "biulder"]);
    assert_eq!((code, err.contains("did you mean `builder`?")), (1, true), "{err}");
    let (code, _) = fleet.fails(&["logs", "../p-gone"]);
    assert_eq!(code, 1);
}

/// A `logs -f` with what it prints.
struct Following {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Following {
    fn start(fleet: &Fleet, line: &[&str]) -> Following {
        let mut child = fleet.command(line).stdout(Stdio::piped()).spawn().expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        Following { child, out }
    }

    /// The next line; blocks until there is one.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("UTF-8");
        line
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn following_survives_rotation_and_truncation_and_ends_with_its_reader() {
    let fleet = Fleet::new();
    fleet.write_log("p-builder.log", "a\nb\nunfini");
    let append = |text: &str| {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(fleet.log("p-builder.log"));
        file.expect("the log").write_all(text.as_bytes()).expect("written");
    };
    let mut following = Following::start(&fleet, &["logs", "builder", "-f", "-n", "1"]);
    assert_eq!(following.line(), "b\n", "an unfinished line waits for its end");
    append("shed\n");
    assert_eq!(following.line(), "unfinished\n");
    std::fs::rename(fleet.log("p-builder.log"), fleet.log("p-builder.log.1")).expect("rotated");
    append("next part\n");
    assert_eq!(following.line(), "next part\n");
    std::fs::write(fleet.log("p-builder.log"), "").expect("truncated");
    append("anew\n");
    assert_eq!(following.line(), "anew\n");

    let Following { child, out } = &mut following;
    drop(std::mem::replace(out, {
        // Another pipe takes its place, so that the first one is closed.
        let mut other = Command::new("true").stdout(Stdio::piped()).spawn().expect("true");
        let pipe = other.stdout.take().expect("a pipe");
        other.wait().expect("it ends");
        BufReader::new(pipe)
    }));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

/// Stops what a test started, also when it fails.
struct Running<'a>(&'a Fleet);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.0.run(&["down"]);
    }
}

#[test]
fn a_running_fleet_is_shown_spoken_to_and_stopped() {
    let fleet = Fleet::new();
    let running = Running(&fleet);
    let text = fleet.out(&["up", "--wait", "--timeout", "60s"]);
    assert!(text.contains("] starting p-builder (sh, kind=loop, phase=one"), "{text}");
    assert!(text.contains("] starting service p-web\n") && text.ends_with("] starting watchdog\n"), "{text}");
    assert!(!text.contains("p-helper"), "{text}");
    let table = fleet.out(&["status"]);
    assert!(table.lines().any(|l| l.starts_with(" builder ") && l.contains("RUNNING [")), "{table}");
    let json = fleet.json(&["status", "--json"]);
    assert_eq!((&json["watchdog"]["running"], &json["agents"][0]["alive"]), (&Value::from(true), &Value::from(true)));

    let mut following = Following::start(&fleet, &["events", "-f", "-n", "0", "--json"]);
    let sent = fleet.json(&["send", "builder", "--json", "echo", "heard-$((40 + 2))"]);
    assert_eq!(sent["outcome"], "delivered", "{sent:#}");
    let event: Value = loop {
        let event: Value = serde_json::from_str(&following.line()).expect("JSON");
        if event["kind"] == "delivered" {
            break event;
        }
    };
    assert_eq!((&event["v"], &event["agent"]), (&Value::from(1), &Value::from("builder")));
    drop(following);
    let mut log = Following::start(&fleet, &["logs", "builder", "-f", "-n", "100"]);
    while log.line() != "heard-42\n" {}
    drop(log);

    assert_eq!(fleet.out(&["phase", "next"]), "phase idx now 1 (two)\n");
    fleet.out(&["pause", "builder"]);
    assert_eq!(fleet.json(&["explain", "builder", "--json"])["state"], "paused");
    let text = fleet.out(&["down"]);
    let killing = ["p-watchdog", "p-builder", "p-web"].map(|s| text.find(&format!("] killing {s}\n")));
    assert!(killing.is_sorted() && killing[0].is_some(), "the watchdog first: {text}");
    let table = fleet.out(&["status"]);
    assert!(!table.contains("RUNNING"), "{table}");
    drop(running);
}

#[test]
fn a_program_that_is_not_there_is_named_and_does_not_count_as_running() {
    let fleet = Fleet::new();
    let running = Running(&fleet);
    let config = CONFIG.replace("bin = \"sh\"", "bin = \"no-such-agent-program\"");
    std::fs::write(fleet.dir.path().join("agents.toml"), config).expect("a config");
    let (code, err) = fleet.fails(&["up", "builder", "watchdog", "--wait", "--timeout", "3s"]);
    assert!(err.contains("warning: `no-such-agent-program` of backend `sh` is not found\nhint: "), "{err}");
    assert!(code == 1 && err.contains("time is up; not there yet: "), "{code}: {err}");
    drop(running);
}
