//! How a job's end is asked for, and what is said of it.
use crate::{job_verbs::err, jobs_world::JobWorld, sandbox::wait_until};
use agents::{
    jobs::process,
    model::job::{JobId, JobState},
    world::process::ProcId,
};
use rustix::process::Signal;
use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::ExitStatusExt,
    process::{Child, Stdio},
};

fn foreground(world: &JobWorld, line: &[&str]) -> Child {
    let mut command = world.agents(&[&["run"], line].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
}

fn send(child: &Child, signal: Signal) {
    assert!(ProcId::of(child.id()).expect("it runs").signal(signal));
}

/// What it says first to where errors go.
fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stderr.take().expect("a pipe")).read_line(&mut line).expect("a line");
    line
}

#[test]
fn a_limit_of_nothing_is_none_on_the_line_as_in_a_file() {
    let world = JobWorld::new();
    let job = serde_json::json!({"dir": ".", "tmux": false, "timeout": "1ms", "steps": [{"cmd": "sleep 0.2"}]});
    std::fs::write(world.sandbox.join("short.json"), job.to_string()).expect("a file");
    for (line, code) in [
        (&["run", "--timeout", "0", "sleep 0.2"][..], 0),
        (&["run", "--timeout", "none", "sleep 0.2"], 0),
        (&["run", "--timeout", "none", "short.json"], 0),
        (&["run", "short.json"], 1),
        (&["run", "--timeout", "nun", "true"], 2),
    ] {
        let output = world.run(line);
        let code_now = output.status.code().unwrap_or(-1);
        assert_eq!(code_now.min(if code == 1 { 1 } else { 255 }), code, "{line:?}: {}", err(&output));
    }
}

#[test]
fn the_signals_of_users_are_for_the_job_and_end_nothing() {
    let world = JobWorld::new();
    let line = "trap 'echo one' USR1; trap 'echo two; exit 4' USR2; echo begun; while :; do sleep 0.02; done";
    let mut child = foreground(&world, &[line]);
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    for (signal, said) in [(None, "begun\n"), (Some(Signal::USR1), "one\n"), (Some(Signal::USR1), "one\n")] {
        signal.into_iter().for_each(|signal| send(&child, signal));
        line.clear();
        out.read_line(&mut line).expect("a line");
        assert_eq!(line, said);
    }
    send(&child, Signal::USR2);
    line.clear();
    out.read_to_string(&mut line).expect("the rest");
    assert_eq!((line.as_str(), child.wait().expect("its end").code()), ("two\n", Some(4)));
}

#[test]
fn who_gives_up_waiting_ends_as_by_the_signal() {
    let world = JobWorld::new();
    let mut child = foreground(&world, &["--at", "+1h", "true"]);
    let said = first_line(&mut child);
    assert!(said.starts_with("agents: j1 waits until 20"), "{said}");
    send(&child, Signal::INT);
    assert_eq!(child.wait().expect("its end").code(), Some(130));
    world.run(&["jobs", "limit", "0"]);
    let mut child = foreground(&world, &["true"]);
    assert_eq!(first_line(&mut child), "agents: j2 waits for a free slot of its group `default`\n");
    send(&child, Signal::TERM);
    let status = child.wait().expect("its end");
    assert_eq!((status.code(), status.signal()), (Some(143), None));
    for id in [1, 2] {
        assert_eq!(world.job(JobId(id)).state, JobState::Cancelled);
    }
}

#[test]
fn a_step_that_nobody_saw_end_is_not_shown_as_one_that_runs() {
    let world = JobWorld::new();
    let id = world.background(&["exec sleep 600"]);
    wait_until(30, "it runs", || world.job(id).child.is_some());
    let job = world.job(id);
    for mark in [job.runner, job.child] {
        assert!(process(mark.expect("it runs")).signal(Signal::KILL));
    }
    wait_until(30, "both are gone", || ![job.runner, job.child].into_iter().flatten().any(|m| process(m).is_alive()));
    world.kick();
    let job = world.over(id);
    assert_eq!((job.state, job.steps[0].state), (JobState::Interrupted, JobState::Interrupted));
    assert_eq!((job.steps[0].exit, job.steps[0].ended), (None, job.ended));
}

#[test]
fn a_runner_that_somebody_stopped_hears_of_an_end_all_the_same() {
    let world = JobWorld::new();
    let id = world.background(&["exec sleep 600"]);
    wait_until(30, "it runs", || world.job(id).child.is_some());
    let runner = process(world.job(id).runner.expect("a runner"));
    assert!(runner.signal(Signal::STOP));
    assert_eq!(world.run(&["stop", "j1"]).status.code(), Some(0));
    assert_eq!(world.job(id).state, JobState::Cancelled);
}

#[test]
fn the_limit_is_told_where_nothing_was_ever_submitted() {
    let world = JobWorld::new();
    let output = world.run(&["jobs", "limit"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.starts_with("default: 0 of ") && said.ends_with(" running, 0 queued\n"), "{said}");
    assert!(!world.dir().exists(), "and nothing is made for it");
}
