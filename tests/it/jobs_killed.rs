//! Runners killed at random moments: nothing is lost, nothing runs twice, and never more than the limit at once.
use crate::{jobs_world::JobWorld, sandbox::wait_until};
use agents::{
    jobs,
    model::job::{JobId, JobState},
    world::clock,
};
use rustix::process::Signal;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Kills one runner at a moment that the seed says, while jobs of some 20 ms run on two slots.
fn round(seed: u64) {
    const JOBS: usize = 12;
    let world = JobWorld::new();
    world.store().set_limit("two", Some(2)).expect("written");
    // The ledger is the jobs' own: O_APPEND, one line each.
    let line = "echo + $AGENTS_JOB >> ledger; sleep 0.02; echo - $AGENTS_JOB >> ledger";
    let ids: Vec<JobId> = (0..JOBS).map(|_| world.submit(&[line], |spec| spec.group = "two".into())).collect();
    world.kick();
    // Not a synchronisation: whatever the moment is, what is asserted below has to hold.
    std::thread::sleep(Duration::from_millis(seed * 7919 % 120));
    let victim = world.store().running().expect("read").first().and_then(|job| job.runner);
    victim.map(|runner| jobs::process(runner).signal(Signal::KILL));
    let until = Instant::now() + Duration::from_secs(30);
    while ids.iter().any(|id| !world.job(*id).state.is_over()) {
        assert!(Instant::now() < until, "seed {seed}: {:?}", world.store().counts());
        world.kick();
    }
    let mut starts: BTreeMap<String, u32> = BTreeMap::new();
    let (mut now, mut most) = (0, 0);
    wait_until(30, "all that began has ended", || {
        let ledger = world.read("ledger");
        ledger.matches('+').count() == ledger.matches('-').count()
    });
    for entry in world.read("ledger").lines() {
        let (sign, id) = entry.split_once(' ').expect("a whole line");
        now += if sign == "+" { 1 } else { -1 };
        most = most.max(now);
        *starts.entry(id.to_owned()).or_default() += u32::from(sign == "+");
    }
    assert!(most <= 2, "seed {seed}: {most} at once\n{}", world.read("ledger"));
    let mut interrupted = 0;
    for id in &ids {
        let (job, started) = (world.job(*id), starts.get(&id.to_string()).copied().unwrap_or(0));
        match job.state {
            JobState::Done => assert_eq!(started, 1, "seed {seed}: {id}"),
            // It may have been killed before its first step began.
            JobState::Interrupted => assert!(started <= 1, "seed {seed}: {id} ran {started} times"),
            other => panic!("seed {seed}: {id} is {}", other.word()),
        }
        interrupted += usize::from(job.state == JobState::Interrupted);
    }
    assert!(interrupted <= 1, "seed {seed}: one runner was killed, {interrupted} jobs were cut off");
}

#[test]
fn a_runner_killed_at_any_moment_loses_nothing_and_repeats_nothing() {
    (0..8).for_each(round);
}

/// A runner that was started by another one leaves its job's processes to that one, when it is killed.
#[test]
fn the_end_of_a_job_ends_nothing_of_another_one_whose_runner_was_killed() {
    let world = JobWorld::new();
    let wait = |word: &str| format!("until [ -e {word}.end ]; do sleep 0.01; done; echo {word} >> ledger");
    let first = world.submit(&[&wait("first")], |_| {});
    // Its runner takes the first job, and starts another runner for this one.
    // Some of it says nothing of whose it is.
    let second = world.background(&[&format!("env -i PATH=\"$PATH\" sh -c '{}'; true", wait("second"))]);
    let (outer, inner) = (world.running(first), world.running(second));
    let (outer, inner) = (outer.runner.expect("a runner"), inner.runner.expect("a runner"));
    let parent = std::fs::read_to_string(format!("/proc/{}/stat", inner.pid)).expect("it is there");
    let parent = parent.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1).map(str::to_owned));
    assert_eq!(parent, Some(outer.pid.to_string()), "this is no test any more");
    let child = world.running(second).child.expect("a process");
    assert!(jobs::process(inner).signal(Signal::KILL));
    let came_to = || std::fs::read_to_string(format!("/proc/{}/stat", child.pid)).unwrap_or_default();
    wait_until(30, "its job's process has another parent", || came_to().contains(&format!(" {} ", outer.pid)));
    std::fs::write(world.sandbox.join("first.end"), "").expect("written");
    assert_eq!(world.over(first).state, JobState::Done);
    assert!(jobs::process(child).is_alive());
    std::fs::write(world.sandbox.join("second.end"), "").expect("written");
    wait_until(30, "it has ended by itself", || world.read("ledger").contains("second"));
    world.kick();
    assert_eq!(world.over(second).state, JobState::Interrupted);
}

/// Runners descend from runners. One that sleeps, perhaps for days, waits for no process of a job.
#[test]
fn a_runner_that_sleeps_has_no_zombies_of_those_that_it_started() {
    let world = JobWorld::new();
    let wait = |word: &str| format!("until [ -e {word}.end ]; do sleep 0.01; done");
    let first = world.submit(&[&wait("first")], |_| {});
    let second = world.background(&[&wait("second")]);
    let of = |id: JobId| jobs::process(world.running(id).runner.expect("a runner"));
    let (outer, inner) = (of(first), of(second));
    let below = || std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", outer.pid)).expect("it sleeps");
    assert!(below().split(' ').any(|child| child == inner.pid.to_string()), "this is no test any more");
    world.submit(&["true"], |spec| spec.not_before = Some(clock::wall().after(Duration::from_secs(3600))));
    std::fs::write(world.sandbox.join("first.end"), "").expect("written");
    let sleeps = || {
        let locks = std::fs::read_to_string("/proc/locks").expect("the kernel's");
        locks.lines().any(|line| line.contains("FLOCK") && line.split(' ').any(|w| w == outer.pid.to_string()))
    };
    wait_until(30, "it sleeps for the job that waits for its time", sleeps);
    std::fs::write(world.sandbox.join("second.end"), "").expect("written");
    wait_until(30, "the other one ends", || !inner.is_alive());
    wait_until(30, "nothing is left of it", || below().is_empty());
    assert!(outer.signal(Signal::TERM));
}
