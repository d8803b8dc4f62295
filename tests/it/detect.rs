//! `agents detect`: one captured screen, as a person at a shell has it.
use crate::sandbox::Sandbox;
use serde_json::Value;
use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

const LIMITED: &str = "\
❯ go on

● You've hit your weekly limit · resets Jun 16 at 10pm (UTC)

✻ Worked for 2s

────────────────────────────────────────
❯\u{a0}
────────────────────────────────────────
  ? for shortcuts
";

fn detect(dir: &Path, args: &[&str], screen: &[u8]) -> Output {
    let mut command = Command::new(Sandbox::exe());
    command.arg("detect").args(args).current_dir(dir).env_remove("AGENTS_CONFIG").env("TZ", "UTC");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    // It may refuse its line before it reads.
    let _ = child.stdin.take().expect("a pipe").write_all(screen);
    child.wait_with_output().expect("an end")
}

fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_known_cli_needs_no_config() {
    let dir = tempfile::tempdir().expect("a directory");
    let args = ["--backend", "claude", "--now", "2026-06-15T14:00:00+02:00", "--json"];
    let read = json(&detect(dir.path(), &args, LIMITED.as_bytes()));
    assert_eq!((read["v"].as_i64(), read["backend"].as_str()), (Some(1), Some("claude")));
    assert_eq!((read["state"].as_str(), read["error"].is_null()), (Some("limited"), true));
    assert_eq!(read["reset_at"], "2026-06-16T22:00:00.000+00:00");
    assert_eq!(read["reset_text"], "● You've hit your weekly limit · resets Jun 16 at 10pm (UTC)");
    let first = &read["evidence"][0];
    assert_eq!(
        (first["state"].as_str(), first["source"].as_str(), first["line"].as_i64()),
        (Some("limited"), Some("pane"), Some(2))
    );
    assert_eq!(first["rule"], "claude/limited/limit");
    let said = detect(dir.path(), &["--backend", "claude", "-"], LIMITED.as_bytes());
    assert!(String::from_utf8_lossy(&said.stdout).starts_with("limited\n"), "{said:?}");
}

#[test]
fn a_broken_config_is_no_reason_not_to_read_a_known_cli() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("agents.toml"), "not toml [").expect("a file");
    assert_eq!(json(&detect(dir.path(), &["--backend", "claude", "--json"], LIMITED.as_bytes()))["state"], "limited");
    let named = detect(dir.path(), &["--backend", "claude", "--config", "agents.toml"], b"");
    assert_eq!(named.status.code(), Some(3), "asked for by name");
}

#[test]
fn an_error_has_its_class_and_a_process_outranks_its_screen() {
    let dir = tempfile::tempdir().expect("a directory");
    let overload = LIMITED.replace(
        "You've hit your weekly limit · resets Jun 16 at 10pm (UTC)",
        "API Error: 529 Overloaded. Please retry after 30 seconds",
    );
    let read = |args: &[&str]| {
        json(&detect(dir.path(), &[&["--backend", "claude", "--json"], args].concat(), overload.as_bytes()))
    };
    let idle = read(&[]);
    assert_eq!((idle["state"].as_str(), idle["error"]["class"].as_str()), (Some("idle"), Some("overload")));
    assert_eq!(idle["error"]["retry_after"], 30);
    assert_eq!(read(&["--command", "zsh"])["state"], "exited");
    assert_eq!(read(&["--dead", "-1"])["evidence"][0]["source"], "dead");
    assert_eq!(read(&["--title", "⠂ Claude Code"])["state"], "working");
}

#[test]
fn a_backend_of_the_config_is_read_by_its_own_patterns_and_its_preset() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = r#"
        [defaults]
        session_prefix = "d-"
        log_dir = ".agents"
        [backend.own]
        bin = "own"
        active_re = "crunching"
        limit_re = "out of coffee"
        [backend.both]
        bin = "claude"
        preset = "claude"
        limit_re = "out of coffee"
        [backend.less]
        bin = "claude"
        preset = "claude"
        preset_without = ["limit"]
        [[agent]]
        name = "a"
        backend = "own"
    "#;
    std::fs::write(dir.path().join("agents.toml"), config).expect("a file");
    let state = |backend: &str, screen: &str| {
        json(&detect(dir.path(), &["--backend", backend, "--json"], screen.as_bytes()))["state"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(state("own", "crunching\nout of coffee").as_deref(), Some("working"), "activity wins, as it always did");
    assert_eq!(state("own", "out of coffee").as_deref(), Some("limited"));
    assert_eq!(state("own", "Continue? [y/N]").as_deref(), Some("waiting"), "what such programs have in common");
    assert_eq!(state("own", "nothing known").as_deref(), Some("unknown"));
    assert_eq!(state("both", LIMITED).as_deref(), Some("limited"));
    assert_eq!(state("both", &LIMITED.replace("weekly limit", "out of coffee")).as_deref(), Some("limited"));
    assert_eq!(state("less", LIMITED).as_deref(), Some("idle"));
    assert_eq!(state("codex", "› \n\n  ? for shortcuts").as_deref(), Some("idle"), "a preset's name does as well");
}

#[test]
fn what_cannot_be_read_is_said() {
    let dir = tempfile::tempdir().expect("a directory");
    let refused = |args: &[&str], code: i32, hint: &str| {
        let output = detect(dir.path(), args, b"");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(hint), "{args:?}: {said}");
    };
    refused(&["--backend", "claud"], 3, "did you mean `claude`?");
    refused(&["--backend", "claude", "--now", "tomorrow"], 2, "2026-11-21T09:00:00+01:00");
    refused(&["--backend", "claude", "--tz", "Mars"], 2, "Mars");
    refused(&["--backend", "claude", "--tz", "é+02:00"], 2, "+02:00");
    refused(&["--backend", "claude", "nowhere.txt"], 1, "nowhere.txt");
    let garbage: Vec<u8> = (0..200_000u32).map(|i| (i * 7 % 256) as u8).collect();
    assert_eq!(json(&detect(dir.path(), &["--backend", "gemini", "--json"], &garbage))["state"], "unknown");
    assert_eq!(json(&detect(dir.path(), &["--backend", "opencode", "--json"], b""))["state"], "unknown");
}

#[test]
fn a_saved_screen_is_a_case_and_never_overwritten() {
    let dir = tempfile::tempdir().expect("a directory");
    let args = ["--backend", "claude", "--title", "a \"title\"", "--save", "case"];
    assert_eq!(detect(dir.path(), &args, LIMITED.as_bytes()).status.code(), Some(0));
    let facts: toml::Table =
        toml::from_str(&std::fs::read_to_string(dir.path().join("case.toml")).expect("facts")).expect("TOML");
    assert_eq!((facts["state"].as_str(), facts["title"].as_str()), (Some("limited"), Some("a \"title\"")));
    assert_eq!(std::fs::read_to_string(dir.path().join("case.txt")).expect("the screen"), LIMITED);
    assert_eq!(detect(dir.path(), &args, b"other").status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(dir.path().join("case.txt")).expect("the screen"), LIMITED);
}

/// Its colours were cut off: the case did not show what the screen had shown.
#[test]
fn a_saved_screen_keeps_its_colours() {
    let dir = tempfile::tempdir().expect("a directory");
    let screen = include_str!("../panes/opencode/waiting-permission-colours.txt");
    let out = detect(dir.path(), &["--backend", "opencode", "--json", "--save", "case"], screen.as_bytes());
    assert_eq!(json(&out)["state"], "waiting");
    assert_eq!(std::fs::read_to_string(dir.path().join("case.txt")).expect("the screen"), screen);
}

/// The library that reads a moment takes a typographic minus, too: cut out by bytes, it was a crash.
#[test]
fn the_zone_of_a_time_is_that_of_the_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let screen = LIMITED.replace("Jun 16 at 10pm (UTC)", "10pm");
    let reset = |args: &[&str]| {
        let read = json(&detect(dir.path(), &[&["--backend", "claude", "--json"], args].concat(), screen.as_bytes()));
        read["reset_at"].as_str().map(str::to_owned)
    };
    let at = |hour: &str| Some(format!("2026-06-{hour}:00:00.000+00:00"));
    assert_eq!(reset(&["--now", "2026-06-15T14:00:00+02:00"]), at("15T20"));
    assert_eq!(reset(&["--now", "2026-06-15T14:00:00\u{2212}02:00"]), at("16T00"));
    assert_eq!(reset(&["--now", "2026-06-15T14:00:00Z", "--tz", "-02:00"]), at("16T00"));
    assert_eq!(reset(&["--now", "2026-06-15T14:00:00Z", "--tz", "UTC"]), at("15T22"));
    assert_eq!(reset(&["--now", "2026-06-15T14:00:00Z", "--tz", "Asia/Seoul"]), at("16T13"));
}

/// A menu says no time; the banner above it does, and nothing else in the conversation.
#[test]
fn a_reset_that_is_only_talked_of_is_none() {
    let dir = tempfile::tempdir().expect("a directory");
    let menu = "● The job resets at 5pm, try again in 3 hours.\n\n{}❯ /rate-limit-options\n\n  What do you want to do?\n\n  ❯ 1. Stop and wait for limit to reset\n    2. Upgrade your plan\n";
    let args = ["--backend", "claude", "--json", "--now", "2026-06-15T14:00:00+00:00"];
    let read = |banner: &str| json(&detect(dir.path(), &args, menu.replace("{}", banner).as_bytes()));
    let with = read("  ⎿  You've hit your limit · resets 8:30pm (UTC)\n\n");
    assert_eq!(
        (with["state"].as_str(), with["reset_at"].as_str()),
        (Some("limited"), Some("2026-06-15T20:30:00.000+00:00"))
    );
    let without = read("");
    assert_eq!((without["state"].as_str(), without["reset_at"].is_null()), (Some("limited"), true), "{without}");
}
