//! Claude Code's hooks: what real versions told, recorded, and what is kept of it; and the program that they run.
//! `AGENTS_WRITE_GOLDEN=1 cargo test --test it hooks` writes the pages beside the recorded ones anew.
use crate::fleet::Fleet;
use agents::{
    model::{time::Wall, zones::Zones},
    transcripts::{HookEvent, HookRow, Hooks, hook_line},
    world::clock,
};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

const INPUT: &str = r#"{"session_id":"a6503bdf-3374-4b39","transcript_path":"/h/.claude/projects/-p/a6503bdf-3374-4b39.jsonl","cwd":"/p","hook_event_name":"UserPromptSubmit","prompt":"do it"}"#;

fn rows(path: &Path) -> Vec<HookRow> {
    let mut rows = Vec::new();
    Hooks::new(path).read(&mut |row| rows.push(row)).expect("read");
    rows
}

#[test]
fn what_real_versions_told_is_kept_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/hooks");
    let write = std::env::var_os("AGENTS_WRITE_GOLDEN").is_some();
    for version in ["2.0.77", "2.1.197", "2.1.197-plan", "2.1.197-steered", "2.1.330", "2.1.330-steered"] {
        let inputs = fs::read_to_string(folder.join(format!("claude-{version}.jsonl"))).expect("recorded");
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("a.hooks");
        let kept: String =
            inputs.lines().filter_map(|i| hook_line(i.as_bytes(), Wall(0), 1)).map(|l| l + "\n").collect();
        assert!(kept.lines().all(|line| line.len() < 600), "{kept}");
        fs::write(&file, kept).expect("written");
        let page: String = rows(&file).iter().map(shown).collect();
        let golden = folder.join(format!("claude-{version}.txt"));
        match write {
            true => fs::write(golden, page).expect("written"),
            false => assert_eq!(fs::read_to_string(golden).unwrap_or_default(), page, "{version}"),
        }
    }
}

/// The hash of a text may be another one with another compiler.
fn shown(row: &HookRow) -> String {
    let helper = if row.helper { " (helper)" } else { "" };
    let event = match &row.event {
        HookEvent::Prompt { length, .. } => format!("Prompt {{ length: {length} }}"),
        HookEvent::StopFailure { message, .. } => {
            let class = row.failure(Zones::default()).map_or("none", |error| error.class.as_str());
            format!("StopFailure {class}: {message}")
        }
        other => format!("{other:?}"),
    };
    format!("{} {event}{helper}\n", &row.session_id[..8])
}

struct Case {
    dir: tempfile::TempDir,
    file: PathBuf,
}

fn case() -> Case {
    let dir = tempfile::tempdir().expect("a folder");
    Case { file: dir.path().join("a.hooks"), dir }
}

fn hook(file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agents"));
    command.arg("__hook").arg(file).env_clear().env("AGENTS_INCARNATION", "3");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// It must be silent, and end well whatever happens.
fn run(mut command: Command, input: &[u8]) -> Output {
    let mut child = command.spawn().expect("started");
    let mut stdin = child.stdin.take().expect("its input");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let out = child.wait_with_output().expect("ended");
    writer.join().expect("written").expect("all of it was read");
    assert!(out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(), "{out:?}");
    out
}

#[test]
fn an_input_becomes_one_line() {
    let case = case();
    run(hook(&case.file), INPUT.as_bytes());
    run(hook(&case.file), INPUT.as_bytes());
    let rows = rows(&case.file);
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (rows[0].run, rows[0].transcript_path.as_path()),
        (3, Path::new("/h/.claude/projects/-p/a6503bdf-3374-4b39.jsonl"))
    );
    assert_eq!(rows[0].event, HookEvent::Prompt { folded: agents::transcripts::said::folded("do it"), length: 5 });
    assert_eq!(fs::metadata(&case.file).expect("there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn junk_giants_and_no_room_are_borne_in_silence() {
    let case = case();
    let giant = INPUT.replace("do it", &"x".repeat(3 << 20));
    for input in [b"" as &[u8], b"junk", &[0xff; 1000], giant.as_bytes()] {
        run(hook(&case.file), input);
    }
    assert!(!case.file.exists(), "nothing to keep");
    for path in ["/dev/full", "/nonexistent/a.hooks", "/", ""] {
        run(hook(Path::new(path)), INPUT.as_bytes());
    }
    let mut by_hand = hook(&case.file);
    by_hand.env_remove("AGENTS_INCARNATION");
    run(by_hand, INPUT.as_bytes());
    assert!(!case.file.exists(), "not of an agent");
    let mut no_words = Command::new(env!("CARGO_BIN_EXE_agents"));
    no_words.arg("__hook").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    run(no_words, b"");
}

/// A file that may not grow is as good as a full disk.
#[test]
fn a_full_disk_leaves_no_half_that_swallows_the_next_line() {
    let case = case();
    fs::write(&case.file, "x".repeat(399) + "\n").expect("written");
    // One block of 512 bytes: there is room for a part of a line.
    let script = "ulimit -f 1; trap '' XFSZ; exec \"$0\" \"$@\"";
    let mut limited = Command::new("sh");
    limited.args(["-c", script, env!("CARGO_BIN_EXE_agents"), "__hook"]).arg(&case.file);
    limited.env("AGENTS_INCARNATION", "3").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    run(limited, INPUT.as_bytes());
    let size = fs::metadata(&case.file).expect("there").len();
    assert!((401..=1024).contains(&size) && rows(&case.file).is_empty(), "{size}");
    run(hook(&case.file), INPUT.as_bytes());
    assert_eq!(rows(&case.file).len(), 1, "{}", fs::read_to_string(&case.file).unwrap_or_default());
}

#[test]
fn an_input_that_never_ends_is_not_waited_for() {
    let case = case();
    for given in [b"" as &[u8], &INPUT.as_bytes()[..40]] {
        let began = Instant::now();
        let mut child = hook(&case.file).process_group(0).spawn().expect("started");
        let mut stdin = child.stdin.take().expect("its input");
        stdin.write_all(given).expect("written");
        assert!(child.wait().expect("ended").success());
        assert!(began.elapsed() < Duration::from_secs(30));
        let mut said = String::new();
        child.stdout.take().expect("output").read_to_string(&mut said).expect("read");
        assert_eq!(said, "");
    }
    let mut closed = hook(&case.file);
    closed.stdin(Stdio::null());
    assert!(closed.status().expect("ended").success());
    let mut not_readable = hook(&case.file);
    not_readable.stdin(File::options().write(true).open("/dev/null").expect("opened"));
    assert!(not_readable.status().expect("ended").success());
    assert!(!case.file.exists() && case.dir.path().exists());
}

/// It tells what it was started with, and stays.
const CLAUDE: &str = "#!/bin/sh\nprintf '%s\\n' \"$@\" >\"$FAKE_DIR/$AGENTS_NAME.new\"\nmv \"$FAKE_DIR/$AGENTS_NAME.new\" \"$FAKE_DIR/$AGENTS_NAME.args\"\nexec sleep 600\n";

const FLEET: &str = r#"
[defaults]
session_prefix = "t-"
log_dir = ".agents"

[watchdog]
signal_interval = 0.3
stop_grace = 0.5

[backend.claude]
bin = "{root}/fake/claude"
flags = "--verbose"
hooks = true

[backend.own]
bin = "{root}/fake/claude"
flags = "--settings mine.json"
hooks = true

[[agent]]
name = "a"
backend = "claude"
prompt = "Look after the shop."

[[agent]]
name = "b"
backend = "own"
prompt = "x"
"#;

#[test]
fn the_settings_of_a_start_reach_our_hook_and_tell_whose_session_it_is() {
    let fleet = Fleet::in_folder("it's $HOME `id` \"q\" \\ &é", FLEET);
    let program = fleet.root().join("fake/claude");
    fs::write(&program, CLAUDE).expect("written");
    fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).expect("may run");
    let up = fleet.up();
    assert!(up.err.contains("`hooks` of backend `own` needs a `--settings` of its own"), "{up:?}");
    let args = |name: &str| fs::read_to_string(fleet.root().join(format!("fake/{name}.args"))).unwrap_or_default();
    fleet.wait("both run", |_| !args("a").is_empty() && !args("b").is_empty());
    let state = fleet.project.join(".agents/state");
    let settings = state.join("a.hooks.json");
    assert_eq!(args("a"), format!("--settings\n{}\n--verbose\nLook after the shop.\n", settings.display()));
    assert_eq!(args("b"), "--settings\nmine.json\nx\n", "the user's own");
    assert!(!state.join("b.hooks.json").exists());
    assert_eq!(fs::metadata(&settings).expect("there").permissions().mode() & 0o777, 0o600);

    let settings: Value = serde_json::from_slice(&fs::read(&settings).expect("read")).expect("JSON");
    let hook = &settings["hooks"]["UserPromptSubmit"][0]["hooks"][0];
    assert_eq!((&hook["type"], &hook["timeout"]), (&json!("command"), &json!(5)));
    // A place where nobody would look for it.
    let (id, other) = ("a6503bdf-3374-4b39-be0a-25c3d247f81c", "c1503bdf-3374-4b39-be0a-25c3d247f81c");
    let folder = fleet.root().join("elsewhere/projects/-moved");
    fs::create_dir_all(&folder).expect("made");
    let (session, strange) = (folder.join(format!("{id}.jsonl")), folder.join(format!("{other}.jsonl")));
    for path in [&session, &strange] {
        let row = json!({"type": "user", "timestamp": clock::wall().rfc3339(), "cwd": "/moved", "message": {"content": "hello"}});
        fs::write(path, format!("{row}\n")).expect("written");
    }
    let input =
        json!({"session_id": id, "transcript_path": session, "hook_event_name": "UserPromptSubmit", "prompt": "hello"});
    let mut shell = Command::new("sh");
    shell.args(["-c", hook["command"].as_str().expect("a command")]).env("AGENTS_INCARNATION", "1");
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    run(shell, input.to_string().as_bytes());
    assert_eq!(rows(&state.join("a.hooks")).len(), 1);
    let page = fleet.agents(&["logs", "a", "--transcript"]).ok().out;
    assert!(page.starts_with(&format!("--- claude {id} ")) && page.contains("hello"), "{page}");
    assert_eq!(fleet.agents(&["logs", "b", "--transcript"]).code, 1, "not its own");
}
