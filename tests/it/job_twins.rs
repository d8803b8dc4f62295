//! Who submits a job in the background, where no runner waits for one, is two processes for a moment: the second one
//! submits it and runs it, the first one tells. Neither does anything once the other was killed before that.
use crate::{
    job_verbs::err,
    jobs_world::JobWorld,
    sandbox::{Sandbox, wait_until},
};
use agents::{
    model::job::{Exit, JobId, JobState},
    world::process::{ProcId, descendants},
};
use rusqlite::{Connection, TransactionBehavior};
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, Stdio},
};

/// `agents run -b …` while another process writes the store: both processes, the second of which waits for that one.
fn held_up(command: &mut Command) -> (Child, ProcId) {
    let first = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut second = None;
    wait_until(30, "there are two", || {
        second = descendants(first.id()).first().copied();
        // It has opened the store, and has not left.
        let open = |process: &ProcId| {
            let files = std::fs::read_dir(format!("/proc/{}/fd", process.pid)).expect("its files");
            files
                .flatten()
                .filter_map(|file| std::fs::read_link(file.path()).ok())
                .any(|file| file.ends_with("jobs.db-wal"))
        };
        second.as_ref().is_some_and(open)
    });
    (first, second.expect("found"))
}

#[test]
fn a_command_that_is_interrupted_while_it_waits_for_the_store_queues_nothing() {
    let world = JobWorld::new();
    drop(world.store());
    let mut db = Connection::open(world.dir().join("jobs.db")).expect("the database");
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let lock = db.transaction_with_behavior(TransactionBehavior::Immediate).expect("locked");
        let (mut first, second) = held_up(&mut world.agents(&["run", "-b", "true"]));
        assert!(ProcId::of(first.id()).expect("there").signal(signal));
        assert_eq!(first.wait().expect("its end").signal(), Some(signal.as_raw()));
        wait_until(30, "the second one is gone, too", || !second.is_alive());
        lock.commit().expect("unlocked");
        assert!(world.jobs().is_empty(), "{signal:?}");
    }
    assert_eq!(world.background(&["true"]).0, 1, "the next one goes on as ever");
}

#[test]
fn a_command_whose_second_process_is_killed_says_that_nobody_knows() {
    let world = JobWorld::new();
    drop(world.store());
    let mut db = Connection::open(world.dir().join("jobs.db")).expect("the database");
    let lock = db.transaction_with_behavior(TransactionBehavior::Immediate).expect("locked");
    let (first, second) = held_up(&mut world.agents(&["run", "-b", "true"]));
    assert!(second.signal(Signal::KILL));
    let output = first.wait_with_output().expect("its end");
    lock.commit().expect("unlocked");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let said = "error: the process that queued the job was killed while it did\n\
                hint: `agents jobs` tells whether it is there\n";
    assert_eq!(err(&output), said);
    assert!(world.jobs().is_empty());
}

/// As in `nohup`, or behind `&` in a script: what ends others is not for the command, nor for what it has begun.
#[test]
fn a_signal_that_the_caller_ignores_does_not_end_the_job_that_is_being_submitted() {
    let world = JobWorld::new();
    drop(world.store());
    let mut db = Connection::open(world.dir().join("jobs.db")).expect("the database");
    let lock = db.transaction_with_behavior(TransactionBehavior::Immediate).expect("locked");
    let plain = world.agents(&[]);
    let mut command = std::process::Command::new("/bin/sh");
    let line = format!("trap '' INT HUP; exec '{}' run -b 'sleep 0.2; exit 3'", Sandbox::exe());
    command.args(["-c", &line]).current_dir(world.sandbox.path()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let (first, second) = held_up(command.process_group(0));
    let group = Pid::from_raw(first.id().cast_signed()).expect("a pid");
    for signal in [Signal::INT, Signal::HUP] {
        kill_process_group(group, signal).expect("sent");
    }
    assert!(second.is_alive());
    lock.commit().expect("unlocked");
    assert!(first.wait_with_output().expect("its end").status.success());
    let job = world.over(JobId(1));
    assert_eq!((job.state, job.exit), (JobState::Failed, Some(Exit::Code(3))));
}

#[test]
fn a_caller_that_ignores_the_ends_of_its_children_is_served_as_any() {
    let world = JobWorld::new();
    let plain = world.agents(&[]);
    let mut command = std::process::Command::new("/bin/sh");
    // The second one is within the first, so its runner is a program that is started.
    let line = format!("trap '' CHLD; exec '{0}' run \"'{0}' run 'exit 4'\"", Sandbox::exe());
    command.args(["-c", &line]).current_dir(world.sandbox.path()).env_clear().stdin(Stdio::null());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().expect("it starts");
    assert_eq!((output.status.code(), err(&output).contains("waits")), (Some(4), false), "{}", err(&output));
}

/// The caller's terminal, pipes and folder are not held by what runs in the background.
#[test]
fn who_reads_the_output_of_the_command_is_not_kept_waiting_by_the_job() {
    let world = JobWorld::new();
    let id = world.background(&["sleep 600"]);
    // `background` has read to the end of a pipe that the second process has had open.
    assert!(!world.job(id).state.is_over());
    wait_until(30, "it runs", || world.job(id).child.is_some());
    let runner = world.job(id).runner.expect("it runs").pid;
    for fd in 0..3 {
        let file = std::fs::read_link(format!("/proc/{runner}/fd/{fd}")).expect("open");
        assert_eq!(file.to_str(), Some("/dev/null"));
    }
    assert_eq!(std::fs::read_link(format!("/proc/{runner}/cwd")).expect("its folder").to_str(), Some("/"));
    let stat = std::fs::read_to_string(format!("/proc/{runner}/stat")).expect("its line");
    let session = stat.rsplit_once(')').expect("its name").1.split(' ').nth(4).expect("its session").to_owned();
    assert_eq!(session, runner.to_string(), "a session of its own");
    assert_eq!(world.run(&["stop", &id.to_string()]).status.code(), Some(0));
}
