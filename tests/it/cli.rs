//! The command line where it needs no running fleet: what it prints, and with which exit code.
use serde_json::Value;
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::Path,
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

fn agents(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agents"));
    command.current_dir(dir).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", dir).env("LANG", "C.UTF-8").stdin(Stdio::null());
    command
}

fn run(dir: &Path, line: &[&str]) -> Output {
    agents(dir).args(line).output().expect("the program starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn dir() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

/// A folder with a scaffolded config.
fn scaffold() -> TempDir {
    let dir = dir();
    let output = run(dir.path(), &["init"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    dir
}

const HELP: &str = "\
Keeps a fleet of AI coding agents working, unattended, day and night

Usage: agents [VERB] [OPTIONS]

Run a fleet:
  init         Make agents.toml and prompts/ in a directory
  up           Start agents, services and the watchdog
  down         Stop the watchdog, then everything else
  restart      Stop agents or services and start them again
  pause        Leave agents alone: no healing, no typing
  resume       Look after paused agents again

See what it does:
  status       Show what runs, in which state, and what comes next
  explain      Say why an agent is in its state, and what happens next
  events       Show what happened
  report       Tell what happened while nobody looked: the morning page
  logs         Show what an agent, a service, the watchdog or a job printed

Take part:
  attach       Open the terminal of an agent or a job (leave it with ctrl-b d)
  send         Type a text into an agent's terminal, with proof
  phase        Show or move the phase

Run jobs:
  run          Run a command as a job: here, or in the background
  jobs         Show jobs, and hold, release, retry, cancel or wait for them
  monitor      Look on at jobs until they are over
  stop         End a job, with all that it started

Look after it:
  watchdog     Run the supervisor here, in the foreground
  check        Check the config: every fault at once
  schema       Print the JSON schema of agents.toml
  doctor       Check this machine: tmux, git, disk, limits, agent programs
  selftest     Check that screens are read as they should be
  detect       Read one captured screen: which state it shows, and by which rule
  replay       Make recorded decisions again, and show the first that differs
  completions  Print the completion script of a shell
";

#[test]
fn no_word_at_all_is_help_and_reads_no_config() {
    let dir = dir();
    std::fs::write(dir.path().join("agents.toml"), "not toml [").expect("a file");
    for line in [&[][..], &["help"], &["-h"], &["--help"]] {
        let output = run(dir.path(), line);
        assert_eq!(code(&output), 0, "{line:?}: {}", err(&output));
        assert!(out(&output).starts_with(HELP), "{line:?}: {}", out(&output));
    }
}

#[test]
fn every_verb_has_help() {
    let dir = dir();
    for verb in HELP.lines().filter_map(|l| l.strip_prefix("  ")?.split_whitespace().next()) {
        let output = run(dir.path(), &[verb, "--help"]);
        assert_eq!(code(&output), 0, "{verb}: {}", err(&output));
        assert!(out(&output).contains(&format!("agents {verb}")), "{verb}: {}", out(&output));
        assert!(out(&output).lines().all(|l| l.chars().count() <= 100), "{verb}: {}", out(&output));
    }
}

#[test]
fn fault_34_unknown_verbs_and_a_config_flag_without_a_path_are_usage_errors() {
    let dir = dir();
    let output = run(dir.path(), &["statsu"]);
    assert_eq!(code(&output), 2);
    assert_eq!(err(&output), "error: unknown verb `statsu`\nhint: did you mean `status`?\n");
    assert_eq!(out(&output), "");
    let output = run(dir.path(), &["status", "--config"]);
    assert_eq!(code(&output), 2, "{}", err(&output));
    let output = run(dir.path(), &["status", "--jsno"]);
    assert_eq!(code(&output), 2);
    assert_eq!(err(&output), "error: unexpected `--jsno`\nhint: did you mean `--json`?\n");
}

#[test]
fn a_missing_config_is_an_error_with_a_way_out() {
    let dir = dir();
    for line in [&["status"][..], &["check"], &["up"]] {
        let output = run(dir.path(), line);
        assert_eq!(code(&output), 3, "{line:?}: {}", err(&output));
        assert!(err(&output).starts_with("error: no `agents.toml` in"), "{}", err(&output));
        assert!(err(&output).contains("hint: `agents init`"), "{}", err(&output));
    }
    let output = run(dir.path(), &["check", "--config", "other.toml"]);
    assert_eq!(code(&output), 3);
    assert!(err(&output).starts_with("error: `other.toml` cannot be read"), "{}", err(&output));
}

#[test]
fn init_scaffolds_once_and_what_it_writes_passes_the_check() {
    for backend in ["claude", "codex", "opencode", "gemini"] {
        let dir = dir();
        let output = run(dir.path(), &["init", "my.proj", "--backend", backend]);
        assert_eq!(code(&output), 0, "{}", err(&output));
        assert!(out(&output).starts_with("scaffolded "), "{}", out(&output));
        assert!(out(&output).contains("agents.toml and "), "{}", out(&output));
        let made = dir.path().join("my.proj");
        let text = std::fs::read_to_string(made.join("agents.toml")).expect("the config");
        assert!(text.contains("session_prefix = \"my-proj-\""), "{text}");
        assert!(text.contains("log_dir = \".agents\""), "{text}");
        assert!(made.join("prompts").is_dir());

        let output = run(dir.path(), &["check", "--config", "my.proj/agents.toml"]);
        assert_eq!(code(&output), 0, "{backend}: {}", out(&output));
        assert!(out(&output).starts_with("ok: "), "{}", out(&output));

        let output = run(dir.path(), &["init", "my.proj"]);
        assert_eq!(code(&output), 1);
        assert!(err(&output).contains("already exists — refusing to overwrite"), "{}", err(&output));
        assert_eq!(std::fs::read_to_string(made.join("agents.toml")).expect("the config"), text);
    }
    let output = run(dir().path(), &["init", "--backend", "cladue"]);
    assert_eq!(code(&output), 2);
}

#[test]
fn check_names_every_fault_with_its_place() {
    let dir = scaffold();
    let file = dir.path().join("agents.toml");
    let text = std::fs::read_to_string(&file).expect("the config");
    let broken = format!("{text}backnd = \"x\"\n\n[[agent]]\nname = \"api\"\nbackend = \"cladue\"\n");
    std::fs::write(&file, broken).expect("written");
    let output = run(dir.path(), &["check"]);
    assert_eq!(code(&output), 3);
    let said = out(&output);
    assert!(said.contains("`backnd`") && said.contains("`cladue`"), "{said}");
    assert!(said.contains("did you mean `claude`?") && said.contains('^'), "{said}");

    let output = run(dir.path(), &["check", "--json"]);
    assert_eq!(code(&output), 3);
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!((&json["v"], &json["ok"]), (&Value::from(1), &Value::from(false)));
    assert_eq!(json["faults"].as_array().map(Vec::len), Some(2), "{json:#}");

    std::fs::write(&file, b"a = 1\nb = \"\xff\"\n").expect("written");
    let output = run(dir.path(), &["check"]);
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("is not UTF-8 (line 2)"), "{}", err(&output));
}

#[test]
fn the_config_is_found_anywhere_on_the_line_and_in_parent_folders() {
    let dir = scaffold();
    let deep = dir.path().join("a/b");
    std::fs::create_dir_all(&deep).expect("directories");
    let elsewhere = self::dir();
    let config = dir.path().join("agents.toml").display().to_string();
    assert_eq!(code(&run(&deep, &["check"])), 0);
    assert_eq!(code(&run(elsewhere.path(), &["--config", &config, "check"])), 0);
    assert_eq!(code(&run(elsewhere.path(), &["check", "--config", &config, "--config", "nowhere"])), 0);
    let output = agents(elsewhere.path()).arg("check").env("AGENTS_CONFIG", &config).output().expect("started");
    assert_eq!(code(&output), 0);
}

#[test]
fn schema_and_completions_and_selftest() {
    let dir = dir();
    let output = run(dir.path(), &["schema"]);
    assert_eq!(code(&output), 0);
    let schema: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(schema["title"], "agents.toml");
    for shell in ["bash", "zsh", "fish"] {
        let output = run(dir.path(), &["completions", shell]);
        assert_eq!(code(&output), 0);
        assert!(out(&output).contains("watchdog"), "{shell}");
    }
    let output = run(dir.path(), &["selftest"]);
    assert_eq!(code(&output), 0, "{}", out(&output));
    assert_eq!(out(&output).lines().filter(|l| l.starts_with(" PASS: ")).count(), out(&output).lines().count());
    assert!(out(&output).lines().count() > 20);
}

#[test]
fn doctor_says_what_is_missing() {
    let dir = dir();
    let output = run(dir.path(), &["doctor", "--json"]);
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(json["v"], 1);
    let level = |json: &Value, check: &str| {
        let found = json["checks"].as_array().and_then(|c| c.iter().find(|c| c["check"] == check).cloned());
        found.map(|c| c["level"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(level(&json, "config").as_deref(), Some("warn"), "{json:#}");

    let output = agents(dir.path()).args(["doctor", "--json"]).env("PATH", "/nowhere").output().expect("started");
    assert_eq!(code(&output), 1, "no tmux fails");
    let json: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(level(&json, "tmux").as_deref(), Some("fail"), "{json:#}");
    let output = agents(dir.path()).arg("doctor").env("PATH", "/nowhere").output().expect("started");
    assert!(out(&output).contains("fail  tmux: "), "{}", out(&output));
    assert!(out(&output).contains(" — install tmux"), "{}", out(&output));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = dir();
    let mut child = agents(dir.path())
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(err(&output), "");
    assert_eq!(code(&output), 0);
}

#[test]
fn a_full_device_is_an_error() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let output = agents(dir().path()).arg("schema").stdout(full).output().expect("started");
    assert_eq!(code(&output), 1);
    assert!(err(&output).starts_with("error: cannot write the output: "), "{}", err(&output));
}

#[test]
fn words_that_are_not_utf8_and_a_missing_home_do_no_harm() {
    let dir = scaffold();
    let bad = OsStr::from_bytes(b"wor\xffker");
    let output = agents(dir.path()).arg("up").arg(bad).env_remove("HOME").output().expect("started");
    assert_eq!(code(&output), 2, "{}", String::from_utf8_lossy(&output.stderr));
    let output = agents(dir.path()).arg("check").env_remove("HOME").output().expect("started");
    assert_eq!(code(&output), 0, "{}", err(&output));
    let output = agents(dir.path()).arg(bad).output().expect("started");
    assert_eq!(code(&output), 2);
}

#[test]
fn nothing_is_coloured_off_a_terminal_unless_it_is_asked_for() {
    let dir = dir();
    std::fs::write(dir.path().join("agents.toml"), "x = 1\n").expect("a file");
    assert!(!out(&run(dir.path(), &["check"])).contains('\x1b'));
    assert!(out(&run(dir.path(), &["check", "--color=always"])).contains('\x1b'));
    assert!(!out(&run(dir.path(), &["--color", "never", "check"])).contains('\x1b'));
}
