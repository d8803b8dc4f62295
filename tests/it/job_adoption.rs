//! Jobs whose runner was killed, on their way to another one: one of those who find them sees to that, and whatever
//! becomes of it, no job is left alone.
use crate::{jobs_world::JobWorld, sandbox::wait_until};
use agents::{
    jobs,
    model::{
        job::{Job, JobId, JobState},
        time::Boot,
    },
    store::jobs::Finder,
    world::{
        clock,
        process::{ProcId, Stat},
    },
};
use rustix::process::Signal;
use std::process::{Child, Command, Stdio};

/// Of [`JobWorld`].
const BOOT: &str = "first";
const WAITS: &str = "echo $$ > pid; while ! [ -e go ]; do sleep 0.02; done";

/// Kills its runner.
#[track_caller]
fn kill(job: &Job) -> ProcId {
    let runner = jobs::process(job.runner.expect("a runner"));
    assert!(runner.signal(Signal::KILL));
    wait_until(30, "the runner is gone", || !runner.is_alive());
    runner
}

/// It runs, and its runner is gone.
fn lost(world: &JobWorld) -> (JobId, ProcId) {
    let id = world.background(&[WAITS]);
    world.process("pid");
    let runner = kill(&world.running(id));
    (id, runner)
}

fn epoch(world: &JobWorld, id: JobId) -> i64 {
    world.store().lost(BOOT).expect("read").iter().find(|job| job.id == id).expect("it runs").epoch
}

/// Somebody else has found it.
fn found(world: &JobWorld, id: JobId, finder: ProcId, at: Boot) {
    let mut store = world.store();
    let mut all = store.lost(BOOT).expect("read");
    all.retain(|job| job.id == id);
    let ours = store.found(&all, &Finder { mark: jobs::mark(finder), boot: BOOT.into(), at }).expect("written");
    assert_eq!(ours.len(), 1);
}

fn has_another(world: &JobWorld, id: JobId, than: ProcId) -> bool {
    world.job(id).runner.is_some_and(|mark| jobs::process(mark) != than && jobs::process(mark).is_alive())
}

#[track_caller]
fn looked_after(world: &JobWorld, id: JobId, before: ProcId) {
    wait_until(30, "somebody looks after it", || has_another(world, id, before));
    assert_eq!(world.job(id).state, JobState::Running);
}

fn over(world: &JobWorld, id: JobId) -> Job {
    std::fs::write(world.sandbox.join("go"), "").expect("written");
    world.over(id)
}

/// In the kernel's words.
fn sleeps(client: &Child) -> bool {
    let open = std::fs::read_dir(format!("/proc/{}/fd", client.id())).map(Iterator::count).unwrap_or_default();
    open > 3 && Stat::read(client.id()).is_some_and(|stat| stat.state == 'S')
}

/// A process that any signal ends which somebody takes for a runner's.
struct Somebody(Child);

impl Somebody {
    fn new() -> Somebody {
        Somebody(Command::new("sleep").arg("1000").spawn().expect("a child"))
    }

    fn process(&self) -> ProcId {
        ProcId::of(self.0.id()).expect("it lives")
    }

    /// Its mark is that of a dead process from here on.
    fn end(mut self) {
        assert_eq!(self.0.try_wait().expect("a child of ours"), None, "nobody told it anything");
        self.0.kill().expect("it is ended");
        self.0.wait().expect("a child of ours");
    }
}

#[test]
fn of_all_who_find_a_lost_job_one_starts_its_runner() {
    const JOBS: usize = 4;
    let world = JobWorld::new();
    let ids: Vec<JobId> = (0..JOBS).map(|_| world.background(&[&WAITS.replace("pid", "pid.$AGENTS_JOB")])).collect();
    let runners: Vec<Job> = ids.iter().map(|id| world.running(*id)).collect();
    let before: Vec<i64> = ids.iter().map(|id| epoch(&world, *id)).collect();
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let wait = |id: &String| world.agents(&["jobs", "wait", id]).stdout(Stdio::null()).spawn().expect("it starts");
    let mut clients: Vec<Child> = names.iter().map(wait).collect();
    let killed: Vec<ProcId> = runners.iter().map(kill).collect();
    world.run(&["jobs"]);
    for (id, runner) in ids.iter().zip(killed) {
        looked_after(&world, *id, runner);
    }
    // One who found it and one runner that came for it: each of any more would have counted on.
    let now: Vec<i64> = ids.iter().map(|id| epoch(&world, *id)).collect();
    assert_eq!(now, before.iter().map(|epoch| epoch + 2).collect::<Vec<_>>());
    std::fs::write(world.sandbox.join("go"), "").expect("written");
    for client in &mut clients {
        assert_eq!(client.wait().expect("it ends").code(), Some(1));
    }
    assert!(ids.iter().all(|id| world.job(*id).state == JobState::Interrupted));
}

#[test]
fn a_job_whose_finder_died_before_it_sent_anybody_is_found_again() {
    let world = JobWorld::new();
    let (id, runner) = lost(&world);
    let somebody = Somebody::new();
    found(&world, id, somebody.process(), clock::boot());
    world.kick();
    assert!(!has_another(&world, id, runner), "that one sees to it");
    somebody.end();
    world.kick();
    looked_after(&world, id, runner);
    assert_eq!(over(&world, id).state, JobState::Interrupted);
}

#[test]
fn a_finder_that_lives_on_keeps_no_job_from_another_runner() {
    let world = JobWorld::new();
    let (id, runner) = lost(&world);
    let somebody = Somebody::new();
    // It was sent, or sent somebody, an hour ago; or in another run of the machine, by its clock.
    found(&world, id, somebody.process(), Boot(clock::boot().0.saturating_sub(3_600_000)));
    let fenced = epoch(&world, id);
    world.kick();
    looked_after(&world, id, runner);
    assert_eq!(epoch(&world, id), fenced + 2, "whoever was sent comes too late");
    let job = world.job(id);
    kill(&job);
    found(&world, id, somebody.process(), Boot(clock::boot().0 + 3_600_000));
    world.kick();
    looked_after(&world, id, jobs::process(job.runner.expect("a runner")));
    assert_eq!(over(&world, id).state, JobState::Interrupted);
    somebody.end();
}

#[test]
fn who_finds_a_job_is_told_nothing_that_is_meant_for_its_runner() {
    let world = JobWorld::new();
    let (id, _) = lost(&world);
    let child = world.process("pid");
    let somebody = Somebody::new();
    found(&world, id, somebody.process(), clock::boot());
    let name = id.to_string();
    let mut stop = world.agents(&["stop", &name]).stdout(Stdio::null()).spawn().expect("it starts");
    wait_until(30, "its end is asked for", || world.store().is_cancelled(id, epoch(&world, id)).expect("read"));
    // All who look, look once more.
    let other = world.kick();
    world.over(other);
    let mut all = world.agents(&["jobs", "cancel", "--all"]).stdout(Stdio::null()).spawn().expect("it starts");
    wait_until(30, "both wait", || [&stop, &all].iter().all(|client| sleeps(client)));
    somebody.end();
    assert_eq!(all.wait().expect("it ends").code(), Some(0));
    assert_eq!(stop.wait().expect("it ends").code(), Some(0), "it sees to the job itself");
    assert_eq!((world.over(id).state, child.is_alive()), (JobState::Cancelled, false));
}

#[test]
fn an_answer_that_is_given_while_a_job_has_no_runner_is_taken_by_the_next_one() {
    let world = JobWorld::new();
    let id = world.submit(&["echo one >> did", "echo two >> did"], |spec| spec.steps[0].pause = true);
    world.kick();
    let paused = || world.job(id).state == JobState::Paused;
    wait_until(30, "it waits for an answer", paused);
    let runner = kill(&world.job(id));
    let somebody = Somebody::new();
    found(&world, id, somebody.process(), clock::boot());
    let output = world.run(&["jobs", "approve", &id.to_string(), "continue"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(paused() && !has_another(&world, id, runner));
    somebody.end();
    world.kick();
    assert_eq!((world.over(id).state, world.read("did")), (JobState::Done, "one\ntwo\n".into()));
}

#[test]
fn whoever_waits_long_is_no_parent_of_the_runners_that_it_starts() {
    let world = JobWorld::new();
    let mut front = world.agents(&["run", WAITS]).stdout(Stdio::null()).spawn().expect("it starts");
    let pid = front.id();
    world.process("pid");
    let id = world.jobs()[0].id;
    let is_child = |runner: ProcId| Stat::read(runner.pid).is_some_and(|stat| stat.parent == pid);
    let first = world.running(id);
    assert!(!is_child(jobs::process(first.runner.expect("a runner"))), "the one that it was started with");
    let before = kill(&first);
    looked_after(&world, id, before);
    assert!(!is_child(jobs::process(world.job(id).runner.expect("a runner"))), "the one that took over");
    let below = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("it runs");
    assert_eq!(below, "", "not even a zombie");
    assert_eq!(over(&world, id).state, JobState::Interrupted);
    assert_eq!(front.wait().expect("it ends").code(), Some(1));
}
