//! What a job with a sandbox or limits submits runs within its bounds or not at all: whoever is faster, however long it has
//! to wait, and whatever the job has made of its environment.
use crate::{jobs_world::JobWorld, sandbox::wait_until};
use agents::{
    jobs,
    model::job::{Job, JobId, JobState},
    world::process::{ProcId, called_with_more},
};
use rustix::process::Signal;
use std::{ffi::OsStr, fs, process::Output};

/// Of a process in any sandbox of ours, and of none outside.
const HELD: &str = "NoNewPrivs:\t1\n";
const FREE: &str = "NoNewPrivs:\t0\n";
const TELL: &str = "grep NoNewPrivs /proc/self/status";

const BIN: &str = env!("CARGO_BIN_EXE_agents");

/// A job in a sandbox that runs this line; its folder is `in`. `AGENTS` in it is this program.
fn outer(world: &JobWorld, line: &str) -> JobId {
    let _ = fs::create_dir(world.sandbox.join("in"));
    world.background(&["--sandbox", "--dir", "in", "--name", "outer", &line.replace("AGENTS ", &format!("'{BIN}' "))])
}

/// The same, once all that it does is done.
#[track_caller]
fn outer_over(world: &JobWorld, line: &str) -> JobId {
    let id = outer(world, line);
    assert_eq!(world.over(id).state, JobState::Done, "{}", world.log(id));
    id
}

fn named(world: &JobWorld, name: &str) -> Option<Job> {
    world.jobs().into_iter().find(|job| job.spec.name == name)
}

#[track_caller]
fn id_of(world: &JobWorld, name: &str) -> JobId {
    wait_until(30, name, || named(world, name).is_some());
    named(world, name).expect("it is there").id
}

#[track_caller]
fn is_done(world: &JobWorld, name: &str) -> String {
    let id = id_of(world, name);
    let job = world.over(id);
    assert_eq!(job.state, JobState::Done, "{name}: {:?} {}", job.error, world.log(id));
    world.log(id)
}

/// All runners of this world.
fn runners(world: &JobWorld) -> Vec<ProcId> {
    called_with_more(&[OsStr::new("__runner"), world.dir().as_os_str()])
}

/// Those of them that are in a sandbox.
fn runners_within(world: &JobWorld) -> Vec<ProcId> {
    let status = |process: &ProcId| fs::read_to_string(format!("/proc/{}/status", process.pid)).unwrap_or_default();
    runners(world).into_iter().filter(|process| status(process).contains(HELD)).collect()
}

#[track_caller]
fn kill_within(world: &JobWorld) {
    wait_until(30, "a runner within", || !runners_within(world).is_empty());
    for runner in runners_within(world) {
        assert!(runner.signal(Signal::KILL));
    }
    wait_until(30, "they are gone", || runners_within(world).is_empty());
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One job of the group holds its only slot, until `go` is there.
fn full(world: &JobWorld, group: &str) -> JobId {
    world.store().set_limit(group, Some(1)).expect("written");
    let id = world.background(&["--group", group, "until test -e go; do sleep 0.02; done"]);
    world.running(id);
    id
}

fn nothing_is_left(world: &JobWorld) {
    wait_until(30, "no runner is left", || runners(world).is_empty());
    world.run(&["jobs"]);
    let files = std::fs::read_dir(world.dir().join("jobs.within")).expect("the folder stays").count();
    assert_eq!(files, 0, "files of bounds that nobody is in");
}

#[test]
fn a_job_that_one_in_a_sandbox_leaves_behind_is_in_it_every_time() {
    let world = JobWorld::new();
    for round in 0..12 {
        outer_over(&world, &format!("AGENTS run true; AGENTS run -b --name n{round} '{TELL}'"));
        assert_eq!(is_done(&world, &format!("n{round}")), HELD, "round {round}");
    }
    nothing_is_left(&world);
}

#[test]
fn a_job_that_one_with_limits_leaves_behind_has_them_every_time() {
    let world = JobWorld::new();
    for round in 0..8 {
        let line = format!("'{BIN}' run true; '{BIN}' run -b --name n{round} 'ulimit -v; cat /proc/self/cgroup'");
        let outer = world.background(&["--mem", "600MB", &line]);
        assert_eq!(world.over(outer).state, JobState::Done);
        let log = is_done(&world, &format!("n{round}"));
        // Counted by a group, where one can be made.
        let group = format!(".{outer}\n");
        assert!(!log.starts_with("unlimited") || log.contains(&group), "round {round}: {log}");
    }
    nothing_is_left(&world);
}

#[test]
fn one_that_waits_for_a_slot_waits_within() {
    let world = JobWorld::new();
    full(&world, "one");
    outer_over(
        &world,
        &format!("AGENTS run -b --group one --name first '{TELL}'; AGENTS run -b --group one --name second '{TELL}'"),
    );
    for name in ["first", "second"] {
        assert_eq!(named(&world, name).expect("it is there").state, JobState::Queued);
    }
    let limits = String::from_utf8_lossy(&world.run(&["jobs", "limit"]).stdout).into_owned();
    assert!(limits.contains("one: 1 of 1 running, 2 queued"), "{limits}");
    wait_until(30, "one runner waits within for both", || runners_within(&world).len() == 1);
    fs::write(world.sandbox.join("go"), "").expect("written");
    assert_eq!([is_done(&world, "first"), is_done(&world, "second")], [HELD, HELD]);
    nothing_is_left(&world);
}

#[test]
fn one_outside_that_waits_for_a_slot_within_begins_outside() {
    let world = JobWorld::new();
    world.store().set_limit("one", Some(1)).expect("written");
    outer_over(&world, "AGENTS run -b --group one --name inner 'until test -e go; do sleep 0.02; done'");
    world.running(id_of(&world, "inner"));
    let next = world.background(&["--group", "one", TELL]);
    let after = world.background(&["--after", "inner", TELL]);
    assert_eq!((world.job(next).state, world.job(after).state), (JobState::Queued, JobState::Blocked));
    fs::write(world.sandbox.join("in/go"), "").expect("written");
    assert_eq!((world.over(next).state, world.over(after).state), (JobState::Done, JobState::Done));
    assert_eq!((world.log(next), world.log(after)), (FREE.into(), FREE.into()));
    nothing_is_left(&world);
}

#[test]
fn one_that_waits_for_its_time_a_parent_a_release_or_its_next_try_waits_within() {
    let world = JobWorld::new();
    let parent = world.background(&["--name", "parent", "until test -e go; do sleep 0.02; done"]);
    world.running(parent);
    let tries = format!("{TELL}; test -e tried || {{ : > tried; exit 1; }}");
    outer_over(
        &world,
        &format!(
            "AGENTS run -b --at +1s --name late '{TELL}' && AGENTS run -b --after parent --name child '{TELL}' &&
             AGENTS run -b --hold --name held '{TELL}' && AGENTS run -b --retries 1 --name again '{tries}'"
        ),
    );
    assert_eq!(is_done(&world, "late"), HELD);
    assert_eq!(is_done(&world, "again"), [HELD, HELD].concat());
    assert_eq!(named(&world, "again").expect("it is there").attempt, 2);
    fs::write(world.sandbox.join("go"), "").expect("written");
    assert_eq!(is_done(&world, "child"), HELD);
    let released = world.run(&["jobs", "release", "held"]);
    assert_eq!(released.status.code(), Some(0), "somebody within waits for it: {}", told(&released));
    assert_eq!(is_done(&world, "held"), HELD);
    nothing_is_left(&world);
}

#[test]
fn one_without_an_environment_is_held_in_all_the_same() {
    let world = JobWorld::new();
    let clean = "env -i AGENTS_BOOT_ID=first HOME=\"$HOME\" PATH=\"$PATH\" AGENTS run -b --name";
    for round in 0..6 {
        let line = format!(
            "AGENTS run true; {clean} n{round} '{TELL}; {} w{round} \"{TELL}\"'",
            clean.replace("AGENTS ", &format!("{BIN} "))
        );
        outer_over(&world, &line);
        assert_eq!(is_done(&world, &format!("n{round}")).lines().next(), Some(HELD.trim_end()), "round {round}");
        assert_eq!(is_done(&world, &format!("w{round}")), HELD, "round {round}");
    }
    // Nor does it help to name other bounds, or to belong to nobody.
    outer_over(&world, &format!("AGENTS_JOB_HELD=j999@/tmp setsid AGENTS run -b --name other '{TELL}'"));
    let bounds = world.store().bounds_of(id_of(&world, "other")).expect("read");
    assert_eq!((is_done(&world, "other").as_str(), bounds), (HELD, Some(id_of(&world, "outer").0)));
    nothing_is_left(&world);
}

#[test]
fn the_innermost_bounds_count_and_a_job_beside_has_none() {
    let world = JobWorld::new();
    let beside = world.background(&["until test -e in/go; do sleep 0.02; done; grep NoNewPrivs /proc/self/status"]);
    world.running(beside);
    outer_over(
        &world,
        "AGENTS run --mem 600MB --name middle 'AGENTS run -b --name plain true; AGENTS run -b --name deep \"ulimit -v\"'; : > go"
            .replace("'AGENTS", &format!("'{BIN}"))
            .replace("; AGENTS", &format!("; {BIN}"))
            .as_str(),
    );
    let bounds = |name: &str| world.store().bounds_of(id_of(&world, name)).expect("read");
    is_done(&world, "deep");
    is_done(&world, "plain");
    let (outer, middle) = (id_of(&world, "outer"), id_of(&world, "middle"));
    assert_eq!([bounds("outer"), bounds("middle")], [None, Some(outer.0)]);
    assert_eq!([bounds("plain"), bounds("deep")], [Some(middle.0); 2]);
    assert_eq!(world.over(beside).state, JobState::Done);
    assert_eq!(world.log(beside), FREE);
    nothing_is_left(&world);
}

#[test]
fn what_waits_for_bounds_that_are_gone_is_interrupted_and_never_run_outside() {
    let world = JobWorld::new();
    let line = "AGENTS run -b --hold --name held true; AGENTS run -b --at +1h --name late true; AGENTS run -b --after late \
                --name child true";
    outer_over(&world, line);
    let after = world.background(&["--after", "late", "true"]);
    kill_within(&world);
    world.kick();
    let why = "it was to run within the bounds of j1, and nothing is left of them";
    for name in ["held", "late", "child"] {
        let job = world.over(id_of(&world, name));
        assert_eq!((job.state, job.error.as_deref()), (JobState::Interrupted, Some(why)), "{name}");
    }
    assert_eq!(world.job(after).state, JobState::Skipped);
    for verb in ["retry", "resume"] {
        let refused = world.run(&["jobs", verb, "held"]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(told(&refused).contains(why) && told(&refused).contains("hint: "), "{}", told(&refused));
    }
    assert_eq!(named(&world, "held").expect("it is there").state, JobState::Interrupted);
    assert_eq!(world.run(&["jobs", "wait", "held"]).status.code(), Some(1));
    assert_eq!(world.run(&["jobs", "rm", "held"]).status.code(), Some(0));
    nothing_is_left(&world);
}

#[test]
fn a_question_of_one_whose_runner_within_was_killed_is_answered_by_nobody() {
    let world = JobWorld::new();
    outer_over(&world, "AGENTS run -b --interactive --no-tmux --name asks 'echo x > /dev/shm/no'");
    let id = id_of(&world, "asks");
    wait_until(30, "it asks", || world.job(id).state == JobState::Paused);
    kill_within(&world);
    let answered = world.run(&["jobs", "approve", "asks", "continue"]);
    assert_eq!(answered.status.code(), Some(1), "{}", told(&answered));
    let job = world.over(id);
    let why = "it was to run within the bounds of j1, and nothing is left of them";
    assert_eq!((job.state, job.error.as_deref()), (JobState::Interrupted, Some(why)));
}

#[test]
fn one_that_runs_when_its_runner_within_is_killed_is_looked_after_and_not_tried_again_outside() {
    let world = JobWorld::new();
    outer_over(&world, "AGENTS run -b --retries 3 --name inner 'echo $$ > pid; until test -e go; do sleep 0.02; done'");
    let job = world.running(id_of(&world, "inner"));
    let process = world.process("in/pid");
    kill_within(&world);
    world.kick();
    wait_until(30, "somebody else has it", || {
        world.job(job.id).runner.is_some_and(|mark| Some(mark) != job.runner && jobs::process(mark).is_alive())
    });
    assert!(process.is_alive());
    fs::write(world.sandbox.join("in/go"), "").expect("written");
    assert_eq!(world.over(job.id).state, JobState::Interrupted);
    let refused = world.run(&["jobs", "retry", "inner"]);
    assert_eq!(refused.status.code(), Some(1));
    nothing_is_left(&world);
}

#[test]
fn within_the_same_bounds_it_can_be_run_once_more() {
    let world = JobWorld::new();
    let wait = |name: &str| format!("until test -e {name}; do sleep 0.02; done");
    let line =
        format!("AGENTS run -b --name inner '{TELL}'; {}; AGENTS jobs retry inner; {}", wait("retry"), wait("over"));
    let outer = outer(&world, &line);
    assert_eq!(is_done(&world, "inner"), HELD);
    wait_until(30, "nobody within has anything to do", || runners_within(&world).is_empty());
    assert_eq!(world.run(&["jobs", "retry", "inner"]).status.code(), Some(1), "from outside");
    fs::write(world.sandbox.join("in/retry"), "").expect("written");
    let id = id_of(&world, "inner");
    wait_until(30, "it ran twice", || world.job(id).attempt == 2 && world.job(id).state == JobState::Done);
    assert_eq!(world.log(id), [HELD, HELD].concat());
    fs::write(world.sandbox.join("in/over"), "").expect("written");
    assert_eq!(world.over(outer).state, JobState::Done);
    nothing_is_left(&world);
}

#[test]
fn what_waits_within_is_ended_from_outside_as_ever() {
    let world = JobWorld::new();
    outer_over(&world, "AGENTS run -b --at +1h --name late true; AGENTS run -b --hold --name held true");
    let listed = String::from_utf8_lossy(&world.run(&["jobs"]).stdout).into_owned();
    assert!(listed.contains("late") && listed.contains("held"), "{listed}");
    let page = String::from_utf8_lossy(&world.run(&["jobs", "show", "late"]).stdout).into_owned();
    assert!(page.contains("  within    the bounds of j1\n"), "{page}");
    assert_eq!(world.run(&["stop", "late", "held"]).status.code(), Some(0));
    assert_eq!(world.over(id_of(&world, "late")).state, JobState::Cancelled);
    assert_eq!(world.over(id_of(&world, "held")).state, JobState::Cancelled);
    nothing_is_left(&world);
}
