//! Jobs when something of ours is killed, and jobs that somebody ends.
use crate::{
    jobs_world::JobWorld,
    sandbox::{Sandbox, wait_until},
};
use agents::{
    jobs,
    model::job::{Exit, JobId, JobState, ProcMark},
    world::clock,
};
use rustix::process::{Pid, Signal, kill_process};
use std::process::Stdio;

fn signal(process: Option<ProcMark>, signal: Signal) {
    assert!(jobs::process(process.expect("a process")).signal(signal));
}

fn gone(process: Option<ProcMark>) {
    let process = jobs::process(process.expect("a process"));
    wait_until(30, "it is gone", || !process.is_alive());
}

#[test]
fn a_killed_client_takes_nothing_with_it() {
    let world = JobWorld::new();
    let mut front = world
        .agents(&["run", "echo begun; while ! [ -e go ]; do sleep 0.02; done; exit 6"])
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    wait_until(30, "it is submitted", || world.dir().join("jobs.db").exists() && world.jobs().len() == 1);
    let id = world.jobs()[0].id;
    world.running(id);
    kill_process(Pid::from_child(&front), Signal::KILL).expect("killed");
    front.wait().expect("it is over");
    std::fs::write(world.sandbox.join("go"), "").expect("written");
    let job = world.over(id);
    assert_eq!((job.state, job.exit), (JobState::Failed, Some(Exit::Code(6))));
}

#[test]
fn a_job_whose_runner_was_killed_runs_on_keeps_its_slot_and_ends_interrupted() {
    let world = JobWorld::new();
    world.store().set_limit("one", Some(1)).expect("written");
    let id = world.background(&[
        "--group",
        "one",
        "echo $$ > pid; while ! [ -e go ]; do sleep 0.02; done; echo end >> ends",
    ]);
    let next = world.background(&["--group", "one", "echo next >> ends"]);
    let child = world.process("pid");
    let job = world.running(id);
    signal(job.runner, Signal::KILL);
    gone(job.runner);
    assert!(child.is_alive(), "its output goes to a file, not through the runner");
    world.kick();
    wait_until(30, "somebody else looks after it", || {
        let now = world.job(id).runner;
        now.is_some() && now != job.runner
    });
    assert_eq!((world.job(id).state, world.job(next).state), (JobState::Running, JobState::Queued));
    std::fs::write(world.sandbox.join("go"), "").expect("written");
    let job = world.over(id);
    assert_eq!((job.state, job.exit), (JobState::Interrupted, None));
    assert_eq!(job.error.as_deref(), Some("its runner was killed, and nobody saw how it ended"));
    assert_eq!(world.over(next).state, JobState::Done);
    assert_eq!((world.read("ends"), world.job(id).attempt), ("end\nnext\n".into(), 1), "once, and in order");
}

#[test]
fn a_job_that_died_with_its_runner_is_interrupted_at_the_next_command() {
    let world = JobWorld::new();
    world.store().set_limit("one", Some(1)).expect("written");
    let id = world.background(&["--group", "one", "exec sleep 1000"]);
    let next = world.background(&["--group", "one", "true"]);
    let job = world.running(id);
    signal(job.runner, Signal::KILL);
    signal(job.child, Signal::KILL);
    gone(job.runner);
    gone(job.child);
    world.kick();
    assert_eq!((world.over(id).state, world.over(id).exit), (JobState::Interrupted, None));
    assert_eq!(world.over(next).state, JobState::Done, "the queue goes on");
}

#[test]
fn an_adopted_job_can_be_cancelled_with_all_that_it_started() {
    let world = JobWorld::new();
    let line = "setsid sh -c 'echo $$ > far; trap \"\" TERM HUP; while :; do sleep 1; done' & echo $$ > pid; wait";
    let id = world.submit(&[line], |_| {});
    world.kick();
    let (near, far) = (world.process("pid"), world.process("far"));
    let job = world.running(id);
    signal(job.runner, Signal::KILL);
    gone(job.runner);
    assert!(near.is_alive() && far.is_alive());
    jobs_cancel(&world, id);
    world.kick();
    let job = world.over(id);
    assert_eq!(job.state, JobState::Cancelled, "{job:?}");
    assert!(!near.is_alive() && !far.is_alive());
}

/// As a verb does it, but without a runner of the test's own program.
fn jobs_cancel(world: &JobWorld, id: JobId) {
    use agents::store::jobs::Cancelled;
    if let Cancelled::Asked(runner) = world.store().cancel(id, clock::wall()).expect("written") {
        jobs::runner::tell(runner);
    }
}

#[test]
fn cancel_ends_a_deaf_tree_with_a_grandchild_in_a_session_of_its_own() {
    let world = JobWorld::new();
    let line = "setsid sh -c 'trap \"\" TERM HUP; echo $$ > far; while :; do sleep 1; done' &
                trap '' TERM HUP; echo $$ > near; while :; do sleep 1; done";
    let id = world.submit(&[line], |spec| spec.retries = 5);
    let waits = world.submit(&["true"], |spec| spec.after = vec![id]);
    world.kick();
    let (near, far) = (world.process("near"), world.process("far"));
    jobs_cancel(&world, id);
    let job = world.over(id);
    assert_eq!((job.state, job.exit), (JobState::Cancelled, Some(Exit::Signal(9))), "and not tried again");
    assert!(!near.is_alive() && !far.is_alive());
    assert_eq!(world.over(waits).state, JobState::Skipped);
}

#[test]
fn ended_by_our_request_is_cancelled_whatever_it_says() {
    let world = JobWorld::new();
    let id = world.background(&["trap 'exit 0' TERM; echo $$ > pid; while :; do sleep 0.02; done"]);
    world.process("pid");
    jobs_cancel(&world, id);
    let job = world.over(id);
    assert_eq!((job.state, job.exit), (JobState::Cancelled, Some(Exit::Code(0))));
}

#[test]
fn a_runner_that_is_told_to_end_interrupts_its_job_and_begins_no_other() {
    let world = JobWorld::new();
    world.store().set_limit("one", Some(1)).expect("written");
    let id = world.background(&["--group", "one", "echo $$ > pid; sleep 1000"]);
    let next = world.background(&["--group", "one", "true"]);
    let child = world.process("pid");
    let runner = world.running(id).runner;
    signal(runner, Signal::TERM);
    let job = world.over(id);
    assert_eq!((job.state, child.is_alive()), (JobState::Interrupted, false));
    assert_eq!(job.error.as_deref(), Some("its runner was told to end"));
    gone(runner);
    assert_eq!(world.job(next).state, JobState::Queued);
    world.kick();
    assert_eq!(world.over(next).state, JobState::Done);
}

#[test]
fn after_a_reboot_what_ran_is_interrupted_and_the_queue_goes_on() {
    let world = JobWorld::new();
    world.store().set_limit("one", Some(1)).expect("written");
    let id = world.background(&["--group", "one", "exec sleep 1000"]);
    let next = world.background(&["--group", "one", "true"]);
    let job = world.running(id);
    // Whoever submitted looks after others once more before it ends, and would do so as of the first run of the machine.
    wait_until(30, "nobody is there but the runner and its child", || world.sandbox.processes().len() == 2);
    signal(job.runner, Signal::KILL);
    gone(job.runner);
    signal(job.child, Signal::KILL);
    let output = world.agents(&["run", "true"]).env("AGENTS_BOOT_ID", "second").output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let job = world.over(id);
    assert_eq!((job.state, job.exit), (JobState::Interrupted, None));
    assert_eq!(job.error.as_deref(), Some("the machine went down while it ran"));
    assert_eq!(world.over(next).state, JobState::Done);
}

#[test]
fn a_request_that_comes_too_late_for_its_job_harms_no_other() {
    let world = JobWorld::new();
    let id = world.background(&["echo $$ > pid; while ! [ -e go ]; do sleep 0.02; done"]);
    world.process("pid");
    let runner = world.running(id).runner.expect("a runner");
    assert!(jobs::runner::tell(runner), "nobody asked for anything");
    std::fs::write(world.sandbox.join("go"), "").expect("written");
    assert_eq!(world.over(id).state, JobState::Done);
}

#[test]
fn a_runner_that_has_nothing_left_to_do_sees_to_the_job_of_a_killed_one() {
    let world = JobWorld::new();
    world.store().set_limit("two", Some(2)).expect("written");
    let cut = world.background(&["--group", "two", "exec sleep 1000"]);
    let other = world.background(&["--group", "two", "while ! [ -e go ]; do sleep 0.02; done"]);
    let job = world.running(cut);
    world.running(other);
    for process in [job.runner, job.child] {
        signal(process, Signal::KILL);
        gone(process);
    }
    std::fs::write(world.sandbox.join("go"), "").expect("written");
    assert_eq!(world.over(cut).state, JobState::Interrupted, "without any other command");
    assert_eq!(world.over(other).state, JobState::Done);
}

#[test]
fn a_job_that_a_job_submitted_has_a_life_of_its_own() {
    let world = JobWorld::new();
    let line = format!("'{}' run -b 'echo $$ > inner; while ! [ -e go ]; do sleep 0.02; done; exit 3'", Sandbox::exe());
    let outer = world.background(&[&line]);
    assert_eq!(world.over(outer).state, JobState::Done, "it waits for nobody");
    let inner = JobId::parse(world.log(outer).trim()).expect("an id");
    let child = world.process("inner");
    assert!(child.is_alive() && world.running(inner).child.is_some());
    let environment = std::fs::read(format!("/proc/{}/environ", child.pid)).expect("its environment");
    assert!(environment.split(|b| *b == 0).any(|entry| entry == format!("AGENTS_JOB={inner}").as_bytes()));
    std::fs::write(world.sandbox.join("go"), "").expect("written");
    assert_eq!(world.over(inner).exit, Some(Exit::Code(3)));
}

#[test]
fn on_a_full_disk_nothing_is_half_queued_and_nothing_that_ran_is_forgotten() {
    let world = JobWorld::new();
    // The pause lets the job end while there is no space, most often; what is asserted holds either way.
    let script = r#"
        mount -t tmpfs -o size=1m,mode=700 none "$XDG_STATE_HOME" || exit 77
        "$AGENTS" run -b 'while ! [ -e go ]; do sleep 0.02; done; exit 8' || exit 1
        head -c 2000000 /dev/zero > "$XDG_STATE_HOME/filler" 2>/dev/null
        n=0; while "$AGENTS" run -b --hold 'a job of some length' 2>error >/dev/null; do n=$((n+1)); [ $n -lt 500 ] || exit 2; done
        cat error; "$AGENTS" jobs --json --all > before
        touch go; sleep 0.3
        rm "$XDG_STATE_HOME/filler"
        "$AGENTS" jobs wait j1; "$AGENTS" jobs --json --all > after
        "$AGENTS" run 'echo again'
        "$AGENTS" jobs show j1 --json > first
    "#;
    let state = world.sandbox.join("small");
    std::fs::create_dir(&state).expect("a folder");
    let mut command = std::process::Command::new("unshare");
    command.args(["-m", "sh", "-c", script]).current_dir(world.sandbox.path()).env("XDG_STATE_HOME", &state);
    command.env("AGENTS", Sandbox::exe()).env("SHELL", "/bin/sh").env_remove("AGENTS_CONFIG");
    let Ok(output) = command.output() else { return eprintln!("skipped: no `unshare` here") };
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) || wrong.contains("unshare failed") {
        return eprintln!("skipped: no tmpfs can be mounted here (needs root)");
    }
    assert!(said.contains("no space left to write") && said.contains("nothing was queued"), "{said}{wrong}");
    assert!(said.ends_with("again\n"), "{said}{wrong}");
    let count = |file: &str| {
        let listed: serde_json::Value = serde_json::from_str(&world.read(file)).expect("JSON");
        listed.as_array().expect("a list").len()
    };
    assert_eq!(count("before"), count("after"));
    let first: serde_json::Value = serde_json::from_str(&world.read("first")).expect("JSON");
    assert_eq!((first["state"].as_str(), first["exit"].as_i64()), (Some("failed"), Some(8)), "{first}");
}

/// The job that fills the disk would go on for ever, because its end cannot be written down.
#[test]
fn what_fills_the_disk_can_be_ended() {
    let world = JobWorld::new();
    let script = r#"
        mount -t tmpfs -o size=1m,mode=700 none "$XDG_STATE_HOME" || exit 77
        "$AGENTS" run -b 'cat /dev/zero > "$XDG_STATE_HOME/filler" 2>/dev/null; echo full >> there; exec sleep 600' || exit 1
        until [ -e there ]; do sleep 0.02; done
        "$AGENTS" stop j1; echo "code $?"
        rm "$XDG_STATE_HOME/filler"
        "$AGENTS" jobs wait j1 --timeout 60s >/dev/null; "$AGENTS" jobs show j1 --json > first
    "#;
    let state = world.sandbox.join("small");
    std::fs::create_dir(&state).expect("a folder");
    let mut command = std::process::Command::new("unshare");
    command.args(["-m", "sh", "-c", script]).current_dir(world.sandbox.path()).env("XDG_STATE_HOME", &state);
    command.env("AGENTS", Sandbox::exe()).env("SHELL", "/bin/sh").env_remove("AGENTS_CONFIG");
    let Ok(output) = command.output() else { return eprintln!("skipped: no `unshare` here") };
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) || wrong.contains("unshare failed") {
        return eprintln!("skipped: no tmpfs can be mounted here (needs root)");
    }
    assert!(said.contains("code 1\n"), "{said}{wrong}");
    let told =
        "agents: j1 cannot be marked as cancelled; 1 of its processes were told to end\nerror: no space left to write";
    assert!(wrong.contains(told) && wrong.contains("\nhint: `df -h "), "{wrong}");
    let first: serde_json::Value = serde_json::from_str(&world.read("first")).expect("JSON");
    assert_eq!((first["state"].as_str(), first["signal"].as_i64()), (Some("failed"), Some(15)), "{first}");
}
