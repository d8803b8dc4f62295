//! What agents write about themselves, followed while they run: a fake Claude Code whose session file the test writes.
use crate::fleet::Fleet;
use agents::world::{clock, process::ProcId};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
};

const ID: &str = "939e51e9-efaf-4c46-a123-432d6a19a84a";
const OTHER: &str = "7f2179ca-a153-4fca-8386-33fb0a22ade4";

/// A command of that name is Claude Code for whoever has no preset.
const BASE: &str = r#"
[defaults]
session_prefix = "t-"
log_dir = ".agents"
backend = "claude"
watch = "heal"

[watchdog]
signal_interval = 0.3
heavy_interval = 0.3
stop_grace = 0.5
start_grace = 0

[backend.claude]
bin = "./claude"
prompt_delivery = "arg"
active_re = "working"
supports_resume = true

[[agent]]
name = "a"
prompt = "Work."
resume = true
"#;

fn fleet(script: &str) -> Fleet {
    let fleet = Fleet::with(BASE);
    let fake = fleet.filled("{fake}");
    fleet.write("claude", format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >>arguments\nexec {fake} \"$@\"\n"));
    fleet.run({
        let mut chmod = std::process::Command::new("chmod");
        chmod.arg("+x").arg(fleet.project.join("claude"));
        chmod
    });
    fleet.script("a", script);
    fleet
}

fn home(f: &Fleet) -> PathBuf {
    f.root().join("home/.claude")
}

/// The program says which conversation it is in.
fn is_in(f: &Fleet, id: &str) {
    f.wait("it runs", |f| f.starts("a") > 0);
    let process = ProcId::of(f.pid("a")).expect("it runs");
    let entry = json!({"pid": process.pid, "sessionId": id, "cwd": f.project, "procStart": process.start.to_string()});
    fs::create_dir_all(home(f).join("sessions")).unwrap();
    fs::write(home(f).join("sessions").join(format!("{}.json", process.pid)), entry.to_string()).unwrap();
}

fn row(f: &Fleet, id: &str, mut row: Value) {
    let slug: String =
        f.project.to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let folder = home(f).join("projects").join(slug);
    fs::create_dir_all(&folder).unwrap();
    (row["timestamp"], row["cwd"]) = (clock::wall().rfc3339().into(), f.project.to_string_lossy().into());
    let file = File::options().create(true).append(true).open(folder.join(format!("{id}.jsonl")));
    file.unwrap().write_all(format!("{row}\n").as_bytes()).unwrap();
}

fn asked(f: &Fleet, id: &str, text: &str) {
    row(f, id, json!({"type": "user", "message": {"content": text}}));
}

fn conversation(f: &Fleet) -> Value {
    f.row("a")["conversation"].clone()
}

#[test]
fn a_text_that_stands_in_the_session_file_has_arrived_whatever_the_screen_shows() {
    // No Enter does anything that can be seen.
    let f = fleet("swallow 1000\nidle");
    f.up();
    is_in(&f, ID);
    asked(&f, ID, "Work.");
    f.wait("its conversation is known", |f| conversation(f) == ID);
    let send = std::thread::scope(|scope| {
        let send = scope.spawn(|| f.agents(&["send", "a", "look at issue 7"]));
        f.wait("it is typed", |f| {
            fs::read(f.fake("a", "bytes")).is_ok_and(|b| b.ends_with(b"\r") || b.ends_with(b"\n"))
        });
        asked(&f, ID, "look at issue 7");
        send.join().expect("said")
    });
    assert_eq!(send.code, 0, "{send:?}");
    assert_eq!(f.said("delivered to a (it stands in its session file)"), 1, "{}", f.log());
    assert_eq!(f.said("not delivered"), 0);
}

/// A wake, a probe, a hand-off: the same words come again and again.
#[test]
fn what_was_said_before_in_the_same_words_proves_nothing() {
    let f = fleet("idle");
    f.up();
    is_in(&f, ID);
    asked(&f, ID, "Work.");
    f.wait("its conversation is known", |f| conversation(f) == ID);
    f.agents(&["send", "a", "go on"]).ok();
    asked(&f, ID, "go on");
    f.tell("a", "swallow 1000\nidle");
    f.wait("that is what it does", |f| !f.fake("a", "do").exists());
    let again = f.agents(&["send", "a", "go on"]);
    assert_eq!((again.code, f.said("it stands in its session file")), (1, 0), "{}", f.log());
}

/// It was being told something when it died. Nobody could tell whether it had heard it, but its file can.
#[test]
fn what_was_typed_when_it_died_may_prove_to_have_arrived() {
    let f = fleet("swallow 1000\nidle");
    f.up();
    is_in(&f, ID);
    asked(&f, ID, "Work.");
    f.wait("its conversation is known", |f| conversation(f) == ID);
    std::thread::scope(|scope| {
        let send = scope.spawn(|| f.agents(&["send", "a", "look at issue 7"]));
        f.wait("it is typed", |f| {
            fs::read(f.fake("a", "bytes")).is_ok_and(|b| b.ends_with(b"\r") || b.ends_with(b"\n"))
        });
        f.kill("a");
        send.join().expect("said")
    });
    f.wait("nobody can tell", |f| f.said("unknown whether it arrived") == 1);
    asked(&f, ID, "look at issue 7");
    f.wait("it had arrived", |f| f.said("delivered to a after all (it stands in its session file)") == 1);
    assert!(f.lines("a").is_empty(), "never typed again");
}

#[test]
fn the_next_start_takes_up_the_conversation_that_the_program_was_in() {
    let f = fleet("idle");
    f.write(".agents/state/a.id", OTHER);
    f.up();
    is_in(&f, ID);
    asked(&f, ID, "Work.");
    f.wait("its conversation is known", |f| conversation(f) == ID);
    f.kill("a");
    f.wait("it runs again", |f| f.starts("a") == 2);
    let starts = || fs::read_to_string(f.project.join("arguments")).unwrap_or_default();
    let (first, second) = (starts().lines().next().map(str::to_owned), starts().lines().nth(1).map(str::to_owned));
    assert!(first.is_some_and(|line| line.contains(OTHER)), "as the file said: {}", starts());
    assert!(second.is_some_and(|line| line.contains(ID)), "the one that it was in: {}", starts());
    assert!(f.agents(&["explain", "a"]).ok().out.contains(&format!("talks in  {ID}")));
    // What somebody writes now counts more than what was seen before.
    f.write(".agents/state/a.id", OTHER);
    f.kill("a");
    f.wait("it runs again", |f| f.starts("a") == 3);
    assert!(starts().lines().nth(2).is_some_and(|line| line.contains(OTHER)), "{}", starts());
}

/// Idle by its screen, at work by its file.
#[test]
fn work_that_only_the_session_file_shows_keeps_it_from_being_restarted() {
    let toml = BASE.replace("watch = \"heal\"", "watch = \"heal+stall\"");
    let f = fleet("idle");
    f.config(&toml.replace("supports_resume", "stall_idle = 2\nsupports_resume"));
    f.up();
    is_in(&f, ID);
    asked(&f, ID, "Work.");
    f.wait("its conversation is known", |f| conversation(f) == ID);
    let restarts = f.starts("a");
    let until = clock::boot().after(std::time::Duration::from_secs(6));
    let mut n = 0;
    while clock::boot() < until {
        n += 1;
        row(
            &f,
            ID,
            json!({"type": "assistant", "message": {"id": format!("m{n}"), "model": "m-1",
            "content": [{"type": "text", "text": "still at it"}], "usage": {"input_tokens": 1, "output_tokens": 1}}}),
        );
        f.ticks(1);
    }
    assert_eq!((f.starts("a"), f.said("stall:")), (restarts, 0), "{}", f.log());
    f.wait("it stalls once nothing comes any more", |f| f.said("stall:") == 1);
}
