//! `agents jobs` and its verbs, on jobs that really are there.
use crate::sandbox::Sandbox;
use agents::{
    model::{
        job::{Bytes, DEFAULT_GROUP, Exit, JobCommand, JobId, JobSpec, JobState, ProcMark, StepSpec},
        time::Wall,
    },
    store::{
        Durability,
        jobs::{self, Ending, FILE, JobStore, NewJob},
    },
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

/// A home outside of any project, with a store; no runner outlives it.
pub struct Home {
    sandbox: Sandbox,
}

impl Home {
    pub fn new() -> Home {
        Home { sandbox: Sandbox::new() }
    }

    pub fn path(&self) -> &Path {
        self.sandbox.path()
    }

    pub fn state(&self) -> PathBuf {
        self.sandbox.join(".local/state/agents")
    }

    pub fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agents"));
        command
            .args(line)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path()).env("LANG", "C.UTF-8").stdin(Stdio::null());
        command
    }

    pub fn run(&self, line: &[&str]) -> Output {
        self.command(line).output().expect("the program starts")
    }

    /// Its stdout; it has to succeed.
    #[track_caller]
    pub fn ok(&self, line: &[&str]) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(0), "{line:?}: {}", err(&output));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    #[track_caller]
    pub fn fails(&self, code: i32, line: &[&str]) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(code), "{line:?}: {}", err(&output));
        err(&output)
    }

    #[track_caller]
    pub fn json(&self, line: &[&str]) -> Value {
        serde_json::from_str(&self.ok(line)).expect("JSON")
    }

    pub fn store(&self) -> JobStore {
        jobs::open(&self.state().join(FILE), Durability::Normal).expect("a store")
    }
}

pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn spec(name: &str, line: &str) -> JobSpec {
    JobSpec {
        name: name.into(),
        steps: vec![StepSpec::of(JobCommand::Shell(Bytes(line.into())))],
        stop_grace: Duration::from_secs(1),
        log_cap: 1_000_000,
        ..JobSpec::default()
    }
}

fn submit(store: &mut JobStore, spec: JobSpec) -> JobId {
    let job = NewJob { spec, env: Vec::new().into(), caller: None, after_batch: Vec::new() };
    store.submit(&[job], Wall(1_800_000_000_000)).expect("a job")[0]
}

/// Runs the next job in the store's books alone: no process.
fn run_on_paper(store: &mut JobStore, state: JobState, exit: Option<Exit>) -> JobId {
    let own = agents::world::process::ProcId::own().expect("this process");
    let me = ProcMark { pid: own.pid, start: own.start };
    let boot = agents::world::clock::boot_id();
    let claimed = store.claim(me, &boot, Wall(1_800_000_001_000)).expect("a store").expect("a job");
    let ending = Ending { exit, ..Ending::of(state) };
    store.finish(claimed.job.id, claimed.epoch, &ending, Wall(1_800_000_002_000)).expect("an end");
    claimed.job.id
}

#[test]
fn where_nothing_was_submitted_there_is_nothing() {
    let home = Home::new();
    assert_eq!(home.ok(&["jobs"]), "no jobs\n");
    assert_eq!(home.ok(&["jobs", "list", "--json"]), "[]\n");
    assert_eq!(home.ok(&["jobs", "clean"]), "removed 0 jobs\n");
    assert!(home.fails(1, &["jobs", "show", "j1"]).contains("no job has the id or name `j1`"));
    assert!(home.fails(2, &["jobs", "wait", "j1"]).contains("hint: `agents jobs --all` lists them"));
    assert!(home.fails(2, &["jobs", "--state", "runnin"]).contains("did you mean `running`?"));
    assert!(!home.state().exists(), "looking makes nothing");
}

#[test]
fn the_newest_twenty_are_listed_and_filters_hold() {
    let home = Home::new();
    let mut store = home.store();
    for group in ["gpu", DEFAULT_GROUP] {
        store.set_limit(group, Some(0)).expect("a group without a slot");
    }
    for n in 1..=25 {
        let mut job = spec(&format!("n{n}"), "true");
        job.hold = n % 5 == 0;
        job.group = if n == 3 { "gpu".into() } else { "default".into() };
        submit(&mut store, job);
    }
    let shown = home.ok(&["jobs"]);
    assert_eq!(shown.lines().count(), 22, "{shown}");
    assert!(shown.lines().nth(1).is_some_and(|l| l.starts_with("j25 ") || l.starts_with(" j25 ")), "{shown}");
    assert!(shown.contains("older ones: `agents jobs --all`"), "{shown}");
    assert_eq!(home.ok(&["jobs", "-n", "3"]).lines().count(), 4);
    assert_eq!(home.ok(&["jobs", "--all"]).lines().count(), 26);
    let ids = |line: &[&str]| -> Vec<String> {
        home.json(line).as_array().expect("an array").iter().map(|j| j["id"].as_str().expect("an id").into()).collect()
    };
    assert_eq!(ids(&["jobs", "--json", "--state", "held"]), ["j25", "j20", "j15", "j10", "j5"]);
    assert_eq!(ids(&["jobs", "list", "--group", "gpu", "--json"]), ["j3"]);
    assert_eq!(ids(&["jobs", "--json"]).len(), 20);
    assert_eq!(ids(&["jobs", "--json", "--all"]).len(), 25);
    assert_eq!(home.json(&["jobs", "--json"])[0], home.json(&["jobs", "show", "j25", "--json"]));
}

#[test]
fn a_name_means_its_job_and_one_of_several_is_asked_for_by_id() {
    let home = Home::new();
    let mut store = home.store();
    let mut held = |name: &str| submit(&mut store, JobSpec { hold: true, ..spec(name, "true") });
    held("build");
    held("test");
    held("build");
    assert_eq!(home.json(&["jobs", "show", "test", "--json"])["id"], "j2");
    for line in [["jobs", "show", "build"], ["jobs", "release", "build"], ["jobs", "rm", "build"]] {
        let told = home.fails(1, &line);
        assert!(told.contains("`build` means j3, j1") && told.contains("hint: say which by its id"), "{told}");
    }
    let told = home.fails(1, &["jobs", "hold", "test", "nope", "j9"]);
    assert!(told.contains("no jobs have the ids or names `nope`, `j9`"), "{told}");
    let hostile = home.fails(1, &["jobs", "show", "\u{1b}[31mx\n"]);
    assert!(!hostile.contains('\u{1b}') && hostile.lines().count() == 2, "{hostile:?}");
}

#[test]
fn jobs_that_do_not_run_are_held_released_cancelled_and_removed() {
    let home = Home::new();
    let mut store = home.store();
    // No slot: whatever is released stays where it is.
    store.set_limit("default", Some(0)).expect("a limit");
    let first = submit(&mut store, spec("a", "true"));
    submit(&mut store, JobSpec { after: vec![first], ..spec("b", "true") });
    let state = |id: &str| home.json(&["jobs", "show", id, "--json"])["state"].as_str().expect("a state").to_owned();
    assert_eq!(home.ok(&["jobs", "hold", "a", "j2"]), "j1 is held\nj2 is held\n");
    assert_eq!(home.ok(&["jobs", "hold", "a"]), "j1 is held\n");
    assert_eq!(home.ok(&["jobs", "release", "j1", "b"]), "j1 is queued\nj2 is blocked\n");
    let told = home.fails(1, &["jobs", "retry", "j1"]);
    assert!(
        told.contains("j1 is queued: it cannot be retried") && told.contains("hint: only jobs that are over"),
        "{told}"
    );
    assert_eq!(home.ok(&["stop", "a"]), "j1 is cancelled\n");
    assert_eq!((state("j1").as_str(), state("j2").as_str()), ("cancelled", "skipped"));
    assert_eq!(home.ok(&["jobs", "cancel", "j1"]), "j1 was over before: cancelled\n");
    assert!(home.fails(1, &["jobs", "cancel", "j2"]).contains("j2 was over before: skipped"));
    assert_eq!(home.ok(&["jobs", "retry", "j1"]), "j1 is queued\n");
    assert_eq!(home.ok(&["jobs", "rm", "j1", "j2"]), "j1 was removed\nj2 was removed\n");
    assert_eq!(home.ok(&["jobs"]), "no jobs\n");
}

#[test]
fn who_stops_an_agent_as_if_it_were_a_job_is_told_how() {
    let home = Home::new();
    home.ok(&["init"]);
    let told = home.fails(1, &["stop", "worker"]);
    assert!(told.contains("`worker`") && told.contains("hint: `agents down worker` stops an agent"), "{told}");
    assert!(home.fails(1, &["stop", "nobody"]).contains("hint: `agents jobs --all`"));
}

#[test]
fn waiting_answers_by_what_became_of_the_jobs() {
    let home = Home::new();
    let mut store = home.store();
    submit(&mut store, spec("good", "true"));
    submit(&mut store, spec("bad", "false"));
    run_on_paper(&mut store, JobState::Done, Some(Exit::Code(0)));
    run_on_paper(&mut store, JobState::Failed, Some(Exit::Code(3)));
    assert_eq!(home.ok(&["jobs", "wait", "good"]), "j1 is done\n");
    let output = home.run(&["jobs", "wait", "good", "bad"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "j1 is done\nj2 is failed, exit 3\n");
    assert!(home.fails(2, &["jobs", "wait", "good", "j3"]).contains("`j3`"));
    submit(&mut store, JobSpec { hold: true, ..spec("late", "true") });
    let told = home.fails(1, &["jobs", "wait", "late", "--timeout", "0"]);
    assert!(told.contains("j3 is held") && told.contains("the time is over"), "{told}");
    assert!(home.fails(2, &["jobs", "wait", "late", "--timeout", "soon"]).contains("is not a length of time"));
}

#[test]
fn whoever_waits_is_told_of_the_end() {
    let home = Home::new();
    let mut store = home.store();
    submit(&mut store, JobSpec { hold: true, ..spec("late", "true") });
    let mut waiting = home.command(&["jobs", "wait", "late"]);
    let mut waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
    // It has told that the job is held, so it has looked.
    let mut told = std::io::BufReader::new(waiting.stderr.take().expect("its words"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut told, &mut line).expect("a line");
    assert!(line.contains("j1 is held"), "{line}");
    store.cancel(JobId(1), Wall(1_800_000_003_000)).expect("an end");
    let output = waiting.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.starts_with("j1 is cancelled"), "{shown}");
}

#[test]
fn clean_keeps_the_newest_and_takes_logs_and_folders_with_it() {
    let home = Home::new();
    let mut store = home.store();
    for _ in 0..12 {
        submit(&mut store, spec("", "false"));
        run_on_paper(&mut store, JobState::Failed, Some(Exit::Code(1)));
    }
    submit(&mut store, JobSpec { hold: true, ..spec("", "true") });
    let logs = home.state().join("logs/jobs");
    std::fs::create_dir_all(&logs).expect("a folder");
    for n in 1..=13 {
        std::fs::write(logs.join(format!("j{n}.log")), "x").expect("a log");
    }
    assert_eq!(home.ok(&["jobs", "clean"]), "removed 2 jobs\n");
    assert!(!logs.join("j1.log").exists() && !logs.join("j2.log").exists() && logs.join("j3.log").exists());
    assert_eq!(home.ok(&["jobs", "clean", "--all"]), "removed 10 jobs\n");
    assert_eq!(home.json(&["jobs", "--json"]).as_array().map(Vec::len), Some(1), "one that waits is never removed");
    assert_eq!(std::fs::read_dir(&logs).expect("a folder").count(), 1);
}

#[test]
fn limits_are_set_and_shown() {
    let home = Home::new();
    assert_eq!(home.ok(&["jobs", "limit", "--group", "gpu", "1"]), "group gpu has a limit of 1\n");
    assert_eq!(home.ok(&["jobs", "limit", "none"]), "group default has no limit\n");
    assert_eq!(home.ok(&["jobs", "limit", "--group", "x", "0"]), "group x has a limit of 0\n");
    let shown = home.ok(&["jobs", "limit"]);
    let expected = "default: 0 of any number running, 0 queued\ngpu: 0 of 1 running, 0 queued\n\
                    x: 0 of 0 running, 0 queued\n";
    assert_eq!(shown, expected);
    assert!(home.fails(2, &["jobs", "limit", "some"]).contains("a number, or `none`, is wanted"));
    assert!(home.fails(2, &["jobs", "limit", "--group", "a b", "1"]).contains("it contains a blank"));
}

#[test]
fn the_log_of_a_job_is_shown_by_id_and_by_name_without_any_config() {
    let home = Home::new();
    let mut store = home.store();
    // A look at jobs starts what may run: here it is to wait, and then to end on paper.
    store.set_limit(DEFAULT_GROUP, Some(0)).expect("a limit");
    submit(&mut store, spec("build", "true"));
    let told = home.fails(1, &["logs", "j1"]);
    assert!(told.contains("j1 has no log yet: it is queued") && told.contains("`agents logs j1 -f`"), "{told}");
    store.set_limit(DEFAULT_GROUP, Some(1)).expect("a limit");
    run_on_paper(&mut store, JobState::Done, Some(Exit::Code(0)));
    let log = store.job(JobId(1)).expect("a store").expect("a job").log;
    std::fs::create_dir_all(log.parent().expect("a folder")).expect("a folder");
    std::fs::write(&log, "one\n\u{1b}[31mtwo\u{1b}[0m\nthree").expect("a log");
    assert_eq!(home.ok(&["logs", "j1"]), "one\ntwo\nthree\n");
    assert_eq!(home.ok(&["logs", "build", "-n", "1"]), "three\n");
    assert_eq!(home.ok(&["logs", "build", "--grep", "t"]), "two\nthree\n");
    assert_eq!(home.ok(&["logs", "j1", "--raw"]), "one\n\u{1b}[31mtwo\u{1b}[0m\nthree");
    // Over: there is nothing to wait for.
    assert_eq!(home.ok(&["logs", "j1", "-f"]), "one\ntwo\nthree\n");
    for nobody in ["nobody", "j99"] {
        let told = home.fails(3, &["logs", nobody]);
        assert!(
            told.contains(&format!("no job has the id or name `{nobody}`, and there is no `agents.toml`")),
            "{told}"
        );
    }
    assert!(home.fails(3, &["logs"]).contains("no `agents.toml` in"));
}
