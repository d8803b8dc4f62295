//! `logs --transcript` and the usage in `report`, through the program: session files that fake agents "wrote".
use crate::fleet::Fleet;
use agents::{
    model::time::Wall,
    world::{clock, process::ProcId},
};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

const ID: &str = "939e51e9-efaf-4c46-a123-432d6a19a84a";
const OTHER: &str = "7f2179ca-a153-4fca-8386-33fb0a22ade4";

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

[backend.claude]
bin = "{fake}"
prompt_delivery = "exec"
preset = "claude"

[backend.codex]
bin = "{fake}"
prompt_delivery = "exec"
preset = "codex"

[backend.other]
bin = "{fake}"
prompt_delivery = "exec"
"#;

fn agent(name: &str, prompt: &str, more: &str) -> String {
    format!("[[agent]]\nname = \"{name}\"\nprompt = \"{prompt}\"\n{more}\n")
}

/// Started, so that what is written now was begun by a living agent.
fn running(agents: &str) -> Fleet {
    let fleet = Fleet::with(&format!("{BASE}{agents}"));
    fleet.up();
    fleet
}

/// Rows of a session that goes on now.
struct Session<'a> {
    fleet: &'a Fleet,
    path: PathBuf,
    codex: bool,
}

impl<'a> Session<'a> {
    fn claude(fleet: &'a Fleet, id: &str) -> Session<'a> {
        let slug: String =
            fleet.project.to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        Session::at(fleet, fleet.root().join("home/.claude/projects").join(slug).join(format!("{id}.jsonl")), false)
    }

    fn codex(fleet: &'a Fleet, home: &Path, id: &str, began: Wall) -> Session<'a> {
        let day = clock::wall().format_local("%Y/%m/%d");
        let path = home.join("sessions").join(day).join(format!("rollout-2026-11-21T16-11-26-{id}.jsonl"));
        let session = Session::at(fleet, path, true);
        let meta = json!({"id": id, "cwd": fleet.project});
        session.row(json!({"type": "session_meta", "timestamp": began.rfc3339(), "payload": meta}));
        session
    }

    fn at(fleet: &'a Fleet, path: PathBuf, codex: bool) -> Session<'a> {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        Session { fleet, path, codex }
    }

    fn row(&self, mut row: Value) {
        let now = clock::wall().rfc3339();
        row["timestamp"] = row["timestamp"].as_str().unwrap_or(&now).into();
        if !self.codex {
            row["cwd"] = self.fleet.project.to_string_lossy().into();
        }
        let file = File::options().create(true).append(true).open(&self.path);
        file.unwrap().write_all(format!("{row}\n").as_bytes()).unwrap();
    }

    fn asked(&self, text: &str) {
        self.row(match self.codex {
            true => json!({"type": "event_msg", "payload": {"type": "user_message", "message": text}}),
            false => json!({"type": "user", "message": {"content": text}}),
        });
    }

    /// One block of an answer that took 100 tokens in and 20 out.
    fn answered(&self, id: &str, block: Value) {
        self.row(json!({"type": "assistant", "message": {"id": id, "model": "m-1", "content": [block],
            "usage": {"input_tokens": 100, "output_tokens": 20}}}));
    }
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn transcript(fleet: &Fleet, name: &str, more: &[&str]) -> String {
    fleet.agents(&[&["logs", name, "--transcript"], more].concat()).ok().out
}

#[test]
fn a_session_is_shown_as_turns() {
    let fleet = running(&agent("a", "Look after the shop.", ""));
    let session = Session::claude(&fleet, ID);
    session.asked("Look after the shop.");
    session.answered("m1", text("I will.\nAt once."));
    session
        .answered("m1", json!({"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls -l\nmake"}}));
    let result = "one\ntwo\nthree\nfour\u{1b}[2J\u{202e}\nfive";
    session.row(json!({"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "t1", "content": result, "is_error": true}]}}));
    session.row(json!({"type": "assistant", "isApiErrorMessage": true, "apiErrorStatus": 529, "error": "server_error",
        "message": {"model": "<synthetic>", "content": [text("API Error: 529 Overloaded\u{9b}31m")]}}));
    session.asked("go on \u{1b}]0;title\u{7}");
    let page = transcript(&fleet, "a", &[]);
    let rows: Vec<&str> = page.lines().map(|l| l.get(10..).unwrap_or_default()).collect();
    assert!(page.starts_with(&format!("--- claude {ID} {}\n", session.path.display())), "{page}");
    assert_eq!(
        rows[2..],
        [
            "user    Look after the shop.",
            "model   m-1",
            "agent   I will.",
            "        At once.",
            "tool    Bash ls -l make",
            "failed  one",
            "        two",
            "        three",
            "        … 2 more lines",
            "error   overload: API Error: 529 Overloaded\\x9b31m",
            "user    go on \\x1b]0;title\\x07",
        ]
    );
    assert_eq!(transcript(&fleet, "a", &["-n", "1"]).lines().count(), 3, "the file, the day, the row");
    assert!(transcript(&fleet, "a", &["-n", "0"]).lines().count() == 1);
    let errors = transcript(&fleet, "a", &["--errors"]);
    assert!(errors.contains("overload") && errors.contains("three") && !errors.contains("make"), "{errors}");
    let found = transcript(&fleet, "a", &["--grep", "^Bash ls"]);
    assert!(found.contains("make") && !found.contains("shop.\n"), "{found}");
    assert!(transcript(&fleet, "a", &["--since", "1h"]).contains("go on"));
    assert_eq!(transcript(&fleet, "a", &["--since", "2035-01-01"]).lines().count(), 1);

    let mut child = Following::start(&fleet, &["logs", "a", "--transcript", "-f", "-n", "0"]);
    assert!(child.line().contains(ID));
    session.answered("m2", text("as you say"));
    while !child.line().contains("as you say") {}
    // A new conversation: `/clear`, or a restart.
    let next = Session::claude(&fleet, OTHER);
    next.asked("something else");
    fleet.write(".agents/state/a.id", OTHER);
    while !child.line().contains(OTHER) {}
    while !child.line().contains("something else") {}
}

struct Following {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Following {
    fn start(fleet: &Fleet, line: &[&str]) -> Following {
        let mut child = fleet.command(line).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Following { child, out }
    }

    #[track_caller]
    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.out.read_line(&mut line).unwrap() > 0, "it goes on");
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
fn what_cannot_be_told_is_nobodys() {
    let twin = |name| agent(name, "Do the same.", "");
    let fleet = running(&(twin("a") + &twin("b") + &agent("c", "Do something else.", "")));
    Session::claude(&fleet, ID).asked("Do the same.");
    Session::claude(&fleet, OTHER).asked("Do something else.");
    assert!(transcript(&fleet, "c", &[]).contains(OTHER));
    for name in ["a", "b"] {
        let said = fleet.agents(&["logs", name, "--transcript"]);
        assert_eq!(said.code, 1, "{said:?}");
        let projects = fleet.root().join("home/.claude/projects");
        let error = format!(
            "error: no session of `{name}` was found in `{}`: 1 session in its folder may be its own or somebody else's",
            projects.display()
        );
        assert_eq!(said.err.lines().next(), Some(error.as_str()));
        assert!(said.err.contains(&format!("hint: a session's id in `state/{name}.id`")), "{said:?}");
    }
    fleet.write(".agents/state/b.id", format!("{ID}\n"));
    assert!(transcript(&fleet, "b", &[]).contains("Do the same."));

    // A process knows better: the session is a's, whatever b's file says.
    let claim = |pid: u32, session: &str| {
        let process = ProcId::of(pid).unwrap();
        let file = fleet.root().join("home/.claude/sessions").join(format!("{pid}.json"));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, json!({"pid": pid, "procStart": process.start.to_string(), "sessionId": session}).to_string())
            .unwrap();
    };
    claim(fleet.pid("a"), ID);
    assert!(transcript(&fleet, "a", &[]).contains("Do the same."));
    assert_eq!(fleet.agents(&["logs", "b", "--transcript"]).code, 1);
    // A person's own session, in the same folder and with the same words.
    claim(std::process::id(), OTHER);
    assert_eq!(fleet.agents(&["logs", "c", "--transcript"]).code, 1);
}

#[test]
fn the_environment_of_the_fleet_decides_where_files_are() {
    let agents = agent("a", "Work.", "backend = \"codex\"") + &agent("b", "Rest.", "backend = \"codex\"");
    let mut fleet = Fleet::with(&format!("{BASE}{agents}"));
    let home = fleet.root().join("codex-home");
    fleet.set("CODEX_HOME", &home);
    fleet.up();
    fleet.set("CODEX_HOME", "/nowhere");
    Session::codex(&fleet, &home, OTHER, Wall(clock::wall().0 - 60_000)).asked("Rest.");
    Session::codex(&fleet, &home, ID, clock::wall()).asked("Work.");
    assert!(transcript(&fleet, "a", &[]).contains(ID));
    let older = fleet.agents(&["logs", "b", "--transcript"]);
    assert!(older.code == 1 && older.err.contains("somebody else's"), "it began before its agent: {older:?}");
}

/// Same folder, same first message: only the processes tell them apart.
#[test]
fn a_rollout_that_is_open_is_its_agents() {
    let twin = |name| agent(name, "Work.", "backend = \"codex\"");
    let fleet = Fleet::with(&format!("{BASE}{}{}", twin("a"), twin("b")));
    let home = fleet.root().join("home/.codex");
    let began = Wall(clock::wall().0 + 1000);
    let sessions = [ID, OTHER].map(|id| Session::codex(&fleet, &home, id, began));
    for (name, session) in ["a", "b"].iter().zip(&sessions) {
        session.asked("Work.");
        fleet.script(name, &format!("exec exec 5>>'{}'; sleep 1000", session.path.display()));
    }
    fleet.up();
    fleet.wait("both have their files open", |f| {
        ["a", "b"].iter().all(|name| f.agents(&["logs", name, "--transcript"]).code == 0)
    });
    assert!(transcript(&fleet, "a", &[]).contains(ID) && transcript(&fleet, "b", &[]).contains(OTHER));
}

#[test]
fn who_has_no_transcript_is_told_why() {
    let fleet = Fleet::with(&format!(
        "{BASE}{}{}[[service]]\nname = \"web\"\ncommand = \"sleep 1000\"\n",
        agent("a", "x", ""),
        agent("b", "x", "backend = \"other\"")
    ));
    let says = |line: &[&str], code: i32, words: &[&str]| {
        let said = fleet.agents(&[&["logs"], line, &["--transcript"]].concat());
        assert_eq!(said.code, code, "{said:?}");
        words.iter().for_each(|w| assert!(said.err.contains(w), "{w}: {said:?}"));
    };
    says(&["a"], 1, &["`a` has no transcript yet: it was never started", "hint: `agents up a` starts it"]);
    says(
        &["b"],
        1,
        &["`b` runs `other`, whose session files are not known", "`preset = \"claude\"` or `preset = \"codex\"`"],
    );
    says(&["web"], 1, &["`web` is no agent", "hint: `agents logs web`"]);
    says(&["aa"], 1, &["no agent is named `aa`", "hint: did you mean `a`?"]);
    says(&[], 2, &["required"]);
    says(&["a", "--raw"], 2, &["--raw"]);
    fleet.up();
    says(&["a"], 1, &["no session of `a` was found in", "none before its first message"]);
}

#[test]
fn the_report_tells_turns_and_tokens() {
    let fleet = running(&(agent("a", "Look after the shop.", "") + &agent("b", "x", "backend = \"other\"")));
    let session = Session::claude(&fleet, ID);
    session.asked("Look after the shop.");
    session.answered("m1", text("one"));
    session.answered("m1", text("two"));
    session.asked("go on");
    session.answered("m2", text("three"));
    let old = Wall(clock::wall().0 - 3_600_000).rfc3339();
    session.row(json!({"type": "user", "timestamp": old, "message": {"content": "long ago"}}));
    let said = fleet.agents(&["report", "--json", "--since", "10m"]).ok();
    let report: Value = serde_json::from_str(&said.out).unwrap();
    let of = |i: usize, key: &str| report["agents"][i][key].clone();
    assert_eq!((of(0, "turns"), of(0, "tokens"), of(0, "cost_usd")), (2.into(), 240.into(), Value::Null));
    assert_eq!((of(1, "turns"), of(1, "tokens")), (Value::Null, Value::Null));
    let page = fleet.agents(&["report"]).ok().out;
    assert!(page.contains("TURNS") && page.contains("240"), "{page}");
}
