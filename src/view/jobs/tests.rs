//! Jobs in every state, as a row, a page and JSON.
use super::*;
use crate::{
    model::{
        job::{Bytes, Exit, Job, JobCommand, JobId, JobSpec, JobState, ProcMark, Progress, StepRun, StepSpec},
        job_seen::JobSeen,
        time::Wall,
    },
    view::paint::Paint,
};
use std::{ffi::OsString, os::unix::ffi::OsStringExt};

const NOW: i64 = 1_800_000_000_000;

pub(super) fn look(width: Option<u16>, paint: Paint) -> Look {
    Look { width, paint, now: Now { wall: Wall(NOW), ..Now::default() } }
}

fn step(desc: &str, command: JobCommand) -> StepSpec {
    StepSpec { desc: desc.into(), ..StepSpec::of(command) }
}

fn shell(line: &str) -> JobCommand {
    JobCommand::Shell(Bytes(line.into()))
}

/// A job of the shell lines given, created two minutes ago.
pub(super) fn job(id: i64, state: JobState, lines: &[(&str, &str)]) -> Job {
    let run = StepRun { state: JobState::Queued, exit: None, started: None, ended: None, attempt: 1, session: None };
    let steps = lines.iter().map(|(desc, line)| step(desc, shell(line))).collect();
    Job {
        state,
        steps: vec![run; lines.len()],
        created: Wall(NOW - 120_000),
        log: format!("/l/j{id}.log").into(),
        ..Job::of(JobId(id), JobSpec { dir: "/p".into(), steps, ..JobSpec::default() })
    }
}

pub(super) fn running() -> Job {
    let mut running = job(3, JobState::Running, &[("", "a"), ("Build", "make -j2"), ("", "c")]);
    running.spec.name = "release".into();
    running.step = 1;
    running.started = Some(Wall(NOW - 65_000));
    running.child = Some(ProcMark { pid: 77, start: 1 });
    running.steps[0] = StepRun {
        state: JobState::Done,
        exit: Some(Exit::Code(0)),
        started: running.started,
        ended: Some(Wall(NOW - 60_000)),
        attempt: 1,
        session: None,
    };
    running.steps[1].state = JobState::Running;
    running.steps[1].started = Some(Wall(NOW - 60_000));
    running
}

fn failed() -> Job {
    let mut failed = job(2, JobState::Failed, &[("", "false")]);
    failed.exit = Some(Exit::Signal(9));
    failed.started = Some(Wall(NOW - 100_000));
    failed.ended = Some(Wall(NOW - 95_000));
    failed.error = Some("it was\u{1b}[31m killed".into());
    failed
}

#[test]
fn a_row_says_where_a_job_stands() {
    let mut waiting = job(1, JobState::Backoff, &[("", "sleep 1")]);
    waiting.wake = Some(Wall(NOW + 3_500));
    let jobs: Vec<JobView> = [running(), failed(), waiting].iter().map(view).collect();
    let shown = list(&jobs, true, look(None, Paint::Plain));
    let words: Vec<Vec<&str>> = shown.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["ID", "STATE", "AGE", "TIME", "EXIT", "JOB"]);
    assert_eq!(words[1].join(" "), "j3 ⟳ running 2/3: Build 2m 65s - release");
    assert_eq!(words[2].join(" "), "j2 ✗ failed 2m 5s SIGKILL false");
    assert_eq!(words[3].join(" "), "j1 ↻ backoff, again in 4s 2m - - sleep 1");
    assert!(shown.ends_with("older ones: `agents jobs --all`\n"), "{shown}");
    assert_eq!(list(&[], false, look(None, Paint::Plain)), "no jobs\n");
}

#[test]
fn a_group_is_shown_where_there_is_one() {
    let mut other = job(1, JobState::Queued, &[("", "x")]);
    other.spec.group = "gpu".into();
    let shown = list(&[view(&other)], false, look(None, Paint::Plain));
    assert!(shown.lines().next().is_some_and(|l| l.contains("GROUP")), "{shown}");
    assert!(shown.contains("gpu"));
}

#[test]
fn a_narrow_terminal_gets_one_line_for_each_job() {
    let long = job(1, JobState::Done, &[("", &"word ".repeat(100))]);
    for width in [20, 40, 60, 80, 200] {
        let shown = list(&[view(&long), view(&running())], false, look(Some(width), Paint::Plain));
        assert_eq!(shown.lines().count(), 3, "{width}: {shown}");
        if width >= 40 {
            let widest = shown.lines().map(|l| l.chars().count()).max().unwrap_or_default();
            assert!(widest <= usize::from(width), "{width}: {widest}\n{shown}");
        }
    }
    assert!(list(&[view(&long)], false, look(Some(80), Paint::Plain)).contains('…'));
}

#[test]
fn the_signs_and_colours_are_those_of_the_field() {
    let shown = |state| list(&[view(&job(1, state, &[("", "x")]))], false, look(None, Paint::Colour));
    assert!(shown(JobState::Running).contains("\x1b[33m⟳ running\x1b[0m"));
    assert!(shown(JobState::Done).contains("\x1b[32m✓ done\x1b[0m"));
    assert!(shown(JobState::Failed).contains("\x1b[31m✗ failed\x1b[0m"));
    assert!(shown(JobState::Timeout).contains("\x1b[31m✗ timeout\x1b[0m"));
    let signs: std::collections::BTreeSet<_> = JobState::ALL.into_iter().map(|s| sign(s).0).collect();
    assert!(signs.len() >= 11, "{signs:?}");
}

fn array(jobs: &[Job]) -> String {
    let mut json = JsonArray::default();
    for job in jobs {
        json.push(&JobSeen::of(job));
    }
    String::from_utf8(json.end()).expect("UTF-8")
}

fn object(job: &Job) -> serde_json::Value {
    serde_json::from_slice(&json_object(&JobSeen::of(job))).expect("json")
}

#[test]
fn no_text_of_a_job_reaches_the_terminal_uninterpreted() {
    let hostile = "x\u{1b}]0;owned\u{7}\n\u{9b}31m\u{202e}";
    let mut job = failed();
    job.spec.name = hostile.into();
    job.spec.description = hostile.into();
    job.spec.group = hostile.into();
    job.spec.dir = hostile.into();
    job.spec.steps = vec![step(hostile, shell(hostile)), step("", JobCommand::Argv(vec![Bytes(hostile.into())]))];
    job.steps = vec![job.steps[0].clone(); 2];
    job.error = Some(hostile.into());
    job.last_event = Some(hostile.into());
    job.progress.text = hostile.into();
    let asked = job;
    let job = view(&asked);
    let harmless = |text: &str| {
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(bad), "{text:?}");
    };
    let table = list(std::slice::from_ref(&job), false, look(Some(80), Paint::Plain));
    assert_eq!(table.lines().count(), 2);
    harmless(&table);
    let page = page(&job, look(None, Paint::Plain));
    assert!(!page.lines().any(|l| l.starts_with(['\u{9b}', '3'])), "{page}");
    harmless(&page);
    let json = array(std::slice::from_ref(&asked));
    harmless(&json);
    assert_eq!(json.lines().count(), 3);
    // Safe, and yet the same.
    let back: serde_json::Value = serde_json::from_str(&json).expect("json");
    assert_eq!(back[0]["steps"][0]["cmd"], hostile);
    assert_eq!(back[0]["steps"][1]["cmd"][0], hostile);
    assert_eq!(object(&asked), back[0]);
}

#[test]
fn a_page_tells_every_step() {
    let shown = page(&view(&running()), look(None, Paint::Plain));
    assert!(shown.starts_with("j3  ⟳ running 2/3: Build\n  name      release\n"), "{shown}");
    assert!(shown.contains("\n  pid       77\n") && shown.contains("\n  took      65s\n"), "{shown}");
    assert!(shown.contains("\n   1 ✓ done        a · exit 0 · 5s\n"), "{shown}");
    assert!(shown.contains("\n   2 ⟳ running     Build · 60s\n"), "{shown}");
    assert!(shown.contains(" make -j2\n   3 · queued      c\n"), "{shown}");
    let shown = page(&view(&failed()), look(None, Paint::Plain));
    assert!(shown.contains("\n  error     it was\\x1b[31m killed\n  exit      SIGKILL\n"), "{shown}");
}

/// The names that programs rely on, all of them.
#[test]
fn json_has_the_fields_of_the_contract() {
    let fields = "v id name group state description steps step attempt created started ended exit signal error dir log \
                  session pid backend model agent_session progress last_event files_changed cost_usd usage peak_rss cpu_s";
    let json = object(&failed());
    for field in fields.split_whitespace() {
        assert!(json.get(field).is_some(), "{field}");
    }
    for field in ["rounds", "tool_calls", "model_calls", "done", "total", "text"] {
        assert_eq!(json["progress"][field], serde_json::Value::Null, "{field}");
    }
    for field in ["desc", "cmd", "state", "exit", "signal", "started", "ended"] {
        assert!(json["steps"][0].get(field).is_some(), "{field}");
    }
    assert_eq!(
        (&json["id"], &json["name"], &json["state"]),
        (&"j2".into(), &serde_json::Value::Null, &"failed".into())
    );
    assert_eq!((&json["exit"], &json["signal"]), (&serde_json::Value::Null, &9.into()));
    assert!(Wall::parse_rfc3339(json["ended"].as_str().unwrap_or_default()).is_some());
    let running = object(&running());
    assert_eq!((&running["pid"], &running["step"], &running["steps"][0]["exit"]), (&77.into(), &1.into(), &0.into()));
    // A process that is gone has no number.
    let mut over = super::tests::running();
    over.state = JobState::Done;
    assert_eq!(view(&over).pid, None);
}

#[test]
fn a_job_in_a_folder_of_its_own_says_that_one_and_bytes_survive_as_well_as_they_can() {
    let mut own = failed();
    own.run_dir = Some("/r/jobs/x".into());
    own.spec.steps = vec![step("", JobCommand::Argv(vec![Bytes(OsString::from_vec(vec![b'a', 0xff]))]))];
    let own = view(&own);
    assert_eq!(own.dir, "/r/jobs/x");
    assert_eq!(own.title(), "a\u{fffd}");
}

#[test]
fn progress_stands_in_the_row_and_on_the_page_once() {
    let mut job = running();
    job.progress = Progress { done: Some(3), total: Some(10), text: "linking".into(), ..Progress::default() };
    job.last_event = Some(job.progress.words());
    let table = list(&[view(&job)], false, look(None, Paint::Plain));
    assert!(table.contains("⟳ running 2/3: Build · 3/10 linking  "), "{table}");
    let shown = page(&view(&job), look(None, Paint::Plain));
    assert!(shown.contains("\n  progress  3/10 linking\n") && !shown.contains("\n  last "), "{shown}");
    job.last_event = Some("Bash: make".into());
    let shown = page(&view(&job), look(None, Paint::Plain));
    assert!(shown.contains("\n  last      Bash: make\n"), "{shown}");
    job.state = JobState::Done;
    assert!(!list(&[view(&job)], false, look(None, Paint::Plain)).contains("linking"), "over is over");
}

#[test]
fn what_was_left_unfinished_is_told_in_a_line_each_with_what_to_do() {
    assert_eq!(left(&[], 0), "");
    let mut job = running();
    job.state = JobState::Interrupted;
    job.error = Some("its runner was killed".into());
    job.progress = Progress { done: Some(3), total: Some(10), text: "lin\u{1b}king".into(), ..Progress::default() };
    job.last_event = Some("Bash: make".into());
    let shown = left(&[view(&job)], 0);
    let said = "a job was left unfinished:\n  j3 release · 3/10 lin\\x1bking · Bash: make · its runner was killed\n\
                hint: `agents jobs resume j3` goes on, `agents jobs show j3` tells more, `agents jobs rm j3` forgets it";
    assert_eq!(shown, said);
    let shown = left(&[view(&job), view(&failed())], 7);
    assert_eq!(shown.lines().count(), 5, "{shown}");
    assert!(shown.starts_with("jobs were left unfinished:\n") && shown.contains("\n  … and 7 more: "), "{shown}");
    assert!(shown.contains("`agents jobs resume ID`"), "{shown}");
}
