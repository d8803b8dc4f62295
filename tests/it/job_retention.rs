//! Jobs of a project that keeps none: they are gone at once, but not before whoever waits has seen how they ended.
use crate::{job_verbs::Home, sandbox::wait_until};
use agents::{
    jobs::waited,
    store::{
        Durability,
        jobs::{FILE, JobFilter, open},
    },
};
use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};

fn project(jobs: &str) -> Home {
    let home = Home::new();
    let text = format!("[defaults]\nsession_prefix = 'p-'\nlog_dir = '.agents'\n[jobs]\n{jobs}");
    fs::write(home.path().join("agents.toml"), text).expect("a config");
    home
}

fn kept(home: &Home) -> Vec<String> {
    let store = open(&home.path().join(".agents").join(FILE), Durability::Normal).expect("the store");
    store.list(&JobFilter::default(), None).expect("read").iter().map(|job| job.id.to_string()).collect()
}

fn logs(home: &Home) -> usize {
    fs::read_dir(home.path().join(".agents/logs/jobs")).map_or(0, Iterator::count)
}

#[test]
fn nothing_is_kept_and_whoever_waits_sees_the_end_all_the_same() {
    let home = project("keep_finished = 0\nkeep_unfinished = 0\n");
    let output = home.run(&["run", "echo out; exit 7"]);
    assert_eq!((output.status.code(), &*output.stdout), (Some(7), &b"out\n"[..]));
    wait_until(30, "it is forgotten", || kept(&home).is_empty() && logs(&home) == 0);
    home.ok(&["run", "-b", "true"]);
    wait_until(30, "it is forgotten, too", || kept(&home).is_empty() && logs(&home) == 0);
    let id = home.ok(&["run", "-b", "while ! [ -e end ]; do sleep 0.02; done; exit 3"]);
    let wait = |line: &[&str]| home.command(line).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut first = wait(&["jobs", "wait", id.trim()]);
    let folder = home.path().join(".agents");
    wait_until(30, "it waits", || waited::nobody(&folder).is_none());
    let mut second = wait(&["monitor", id.trim()]);
    let mut shown = BufReader::new(second.stdout.take().expect("its output"));
    let mut line = String::new();
    shown.read_line(&mut line).expect("a line");
    assert!(line.contains("running"), "{line}");
    fs::write(home.path().join("end"), "").expect("written");
    assert_eq!(first.wait().expect("its end").code(), Some(1));
    line.clear();
    shown.read_line(&mut line).expect("a line");
    assert!(line.contains("failed, exit 3"), "{line}");
    assert_eq!(second.wait().expect("its end").code(), Some(1));
    wait_until(30, "nobody waits any more", || kept(&home).is_empty() && logs(&home) == 0);
}

#[test]
fn who_looks_for_a_mistake_keeps_everything() {
    let home = project("keep_finished = 0\nkeep_unfinished = 0\n");
    for line in ["true", "exit 3"] {
        let output = home.command(&["run", line]).env("AGENTS_DEBUG", "1").output().expect("it starts");
        assert!(output.status.code().is_some());
    }
    let output = home.command(&["jobs", "clean"]).env("AGENTS_DEBUG", "1").output().expect("it starts");
    assert_eq!(output.stdout, b"removed 0 jobs\n");
    assert_eq!((kept(&home), logs(&home)), (vec!["j2".to_owned(), "j1".into()], 2));
    let output = home.command(&["jobs", "clean"]).env("AGENTS_DEBUG", "0").output().expect("it starts");
    assert_eq!(output.stdout, b"removed 2 jobs\n");
}
