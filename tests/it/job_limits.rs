//! `--mem` and `--procs`: what is said to hold does, with control groups and without.
use crate::{jobs_world::JobWorld, sandbox::wait_until};
use agents::{
    model::job::{Job, JobId, JobState},
    world::cgroup::handed_on,
};
use rustix::process::Signal;
use std::{fs, path::PathBuf};

/// Can groups be made here, and can they count?
fn groups(wanted: &str) -> bool {
    let there = match wanted {
        "" => handed_on().is_some(),
        name => handed_on().is_some_and(|list| list.iter().any(|has| has == name)),
    };
    if !there {
        eprintln!("skipped: here is no control group of our own {wanted}");
    }
    there
}

fn held(job: &Job) -> String {
    job.bounds.as_ref().map(|bounds| bounds.limits.join("\n")).unwrap_or_default()
}

/// The group of a process, as the kernel tells it.
fn group_of(pid: u32) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    text.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default().to_owned()
}

fn folders_of(id: JobId) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(dir) = todo.pop() {
        for path in fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).filter(|p| p.is_dir()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("agents.") && name.ends_with(&format!(".{id}")) {
                found.push(path.clone());
            }
            todo.push(path);
        }
    }
    found
}

#[test]
fn a_job_with_more_processes_than_it_may_have_is_ended_or_cannot_start_them() {
    let world = JobWorld::new();
    let id = world.background(&["--procs", "4", "for n in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait"]);
    let job = world.over(id);
    assert_eq!(job.state, JobState::Failed, "{job:?}");
    match held(&job) {
        held if held.starts_with("processes: 4, counted ten times a second") => {
            assert_eq!(job.error.as_deref(), Some("it had more than 4 processes at the same time"));
        }
        held => assert_eq!(held, "processes: 4, at the same time, threads counted"),
    }
    wait_until(30, "nothing of it is left", || world.sandbox.processes().is_empty());
    let fewer = world.over(world.background(&["--procs", "4", "sleep 0.3 & sleep 0.3 & wait"]));
    assert_eq!(fewer.state, JobState::Done, "{fewer:?}");
}

#[test]
fn a_step_that_starts_too_many_is_not_tried_again_and_the_job_is() {
    if groups("pids") {
        return;
    }
    let world = JobWorld::new();
    let file = r#"{"name": "many", "dir": ".", "procs": 2, "retries": 1, "steps": [
        {"cmd": "echo x >> ran; sleep 1000 & sleep 1000 & sleep 1000 & wait", "retries": 5}]}"#;
    fs::write(world.sandbox.join("many.json"), file).expect("written");
    world.run(&["run", "-b", "many.json"]);
    let job = world.over(JobId(1));
    assert_eq!((job.state, job.attempt), (JobState::Failed, 2), "{job:?}");
    assert_eq!(world.read("ran"), "x\nx\n");
}

#[test]
fn a_job_that_wants_more_memory_than_it_may_have_fails() {
    let world = JobWorld::new();
    // `tail` keeps what has no end of a line.
    let id = world.background(&["--mem", "100MB", "head -c 300000000 /dev/zero | tail -n 1 > /dev/null"]);
    let job = world.over(id);
    assert_eq!(job.state, JobState::Failed, "{job:?}");
    if groups("memory") {
        assert_eq!(held(&job), "memory: 100 MB for all its processes together");
        assert_eq!(job.error.as_deref(), Some("it wanted more memory than 100 MB, and the kernel ended it"));
    } else {
        assert_eq!(held(&job), "memory: 100 MB of address space for each process");
        assert!(world.log(id).contains("memory exhausted"), "{}", world.log(id));
    }
    let page = world.run(&["jobs", "show", "j1"]);
    assert!(String::from_utf8_lossy(&page.stdout).contains("  held      memory: 100 MB "), "{page:?}");
    let shown = world.run(&["jobs", "show", "j1", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(json["limits"]["mem"], 100_000_000);
    assert_eq!(json["limits"]["held"][0], held(&job));
    assert!(json["sandbox"].is_null());
}

#[test]
fn a_job_with_limits_has_a_group_of_its_own_while_it_runs_and_no_other_has() {
    if !groups("") {
        return;
    }
    let world = JobWorld::new();
    let plain = world.background(&["sleep 1000"]);
    let job = world.running(plain);
    let (runner, child) = (job.runner.expect("a runner").pid, job.child.expect("a child").pid);
    assert_eq!(group_of(child), group_of(runner));
    let id = world.background(&["--sandbox", "setsid sleep 1000 & sleep 1000"]);
    let job = world.running(id);
    let (runner, child) = (job.runner.expect("a runner").pid, job.child.expect("a child").pid);
    assert_ne!(group_of(child), group_of(runner));
    assert!(group_of(child).ends_with(&format!(".{id}")), "{}", group_of(child));
    world.run(&["stop", &id.to_string(), &plain.to_string()]);
    assert_eq!(world.over(id).state, JobState::Cancelled);
    wait_until(30, "its group is removed", || {
        let own = format!("agents.{runner}-");
        folders_of(id).iter().all(|dir| !dir.to_string_lossy().contains(&own))
    });
}

#[test]
fn the_group_of_a_job_whose_runner_was_killed_is_ended_and_removed() {
    if !groups("") {
        return;
    }
    let world = JobWorld::new();
    // What it starts carries no mark of ours, and is nobody's child that we know.
    let line = "env -i setsid sh -c \"trap '' TERM; echo \\$\\$ > far; while :; do sleep 1; done\" & echo $$ > near; \
                while :; do sleep 1; done";
    let id = world.submit(&[line], |spec| spec.procs = Some(1000));
    world.kick();
    let (near, far) = (world.process("near"), world.process("far"));
    let runner = world.running(id).runner.expect("a runner");
    assert!(agents::jobs::process(runner).signal(Signal::KILL));
    world.run(&["stop", &id.to_string()]);
    assert_eq!(world.over(id).state, JobState::Cancelled);
    assert!(!near.is_alive() && !far.is_alive());
    let own = format!("agents.{}-", runner.pid);
    wait_until(30, "its group is removed", || folders_of(id).iter().all(|dir| !dir.to_string_lossy().contains(&own)));
}

#[test]
fn what_a_killed_runner_left_is_removed_by_the_next_one() {
    if !groups("") {
        return;
    }
    let world = JobWorld::new();
    let id = world.submit(&["echo $$ > near; exec sleep 1000"], |spec| spec.procs = Some(1000));
    world.kick();
    let near = world.process("near");
    let runner = world.running(id).runner.expect("a runner");
    assert!(agents::jobs::process(runner).signal(Signal::KILL));
    assert!(near.signal(Signal::KILL));
    wait_until(30, "both are gone", || !near.is_alive() && !agents::jobs::process(runner).is_alive());
    let own = format!("agents.{}-{}.", runner.pid, runner.start);
    let there = || folders_of(id).iter().any(|dir| dir.to_string_lossy().contains(&own));
    assert!(there());
    world.over(world.background(&["--procs", "1000", "true"]));
    assert!(!there());
}

#[test]
fn a_job_that_a_limited_job_submits_outlives_it() {
    let world = JobWorld::new();
    let exe = crate::sandbox::Sandbox::exe();
    let line =
        format!("{exe} run -b 'echo $$ > inner; exec sleep 1000' > id; while ! [ -s inner ]; do sleep 0.05; done");
    let outer = world.background(&["--procs", "1000", &line]);
    assert_eq!(world.over(outer).state, JobState::Done, "{:?}", world.job(outer));
    let inner = world.process("inner");
    assert!(inner.is_alive());
    assert_eq!(world.job(JobId(2)).state, JobState::Running);
    world.run(&["stop", "j2"]);
    assert_eq!(world.over(JobId(2)).state, JobState::Cancelled);
}
