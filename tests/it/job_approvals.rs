//! Jobs that wait between two steps for somebody's answer: real runners, killed ones among them.
use crate::{
    job_verbs::{Home, err},
    jobs_world::JobWorld,
    sandbox::{Sandbox, wait_until},
};
use agents::{
    jobs::process,
    model::job::{Exit, Job, JobId, JobState},
    world::process::called_with_more,
};
use rustix::process::Signal;
use serde_json::Value;
use std::{fs, process::Stdio, time::Duration};

/// `echo a`, `echo b`, … into `ran`; a pause after those of `pauses`.
fn submit(world: &JobWorld, steps: &[&str], pauses: &[usize]) -> JobId {
    let lines: Vec<String> = steps.iter().map(|word| format!("echo {word} >> ran")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let id = world.submit(&lines, |spec| pauses.iter().for_each(|step| spec.steps[*step].pause = true));
    world.kick();
    id
}

/// It waits, and its runner is there.
#[track_caller]
fn paused(world: &JobWorld, id: JobId) -> Job {
    let there = || {
        let job = world.job(id);
        let waits = job.state == JobState::Paused && job.runner.is_some_and(|runner| process(runner).is_alive());
        waits.then_some(job)
    };
    wait_until(30, &format!("{id} waits"), || there().is_some());
    there().expect("it still waits")
}

#[track_caller]
fn approve(world: &JobWorld, id: JobId, answer: &str) {
    let output = world.run(&["jobs", "approve", &id.to_string(), answer]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}

/// Kills the runner, and sees that it is gone.
fn kill_runner(job: &Job) {
    let runner = process(job.runner.expect("a runner"));
    assert!(runner.signal(Signal::KILL));
    wait_until(30, "the runner is gone", || !runner.is_alive());
}

#[test]
fn a_job_waits_after_a_step_and_goes_on_or_repeats_it() {
    let world = JobWorld::new();
    let id = submit(&world, &["a", "b", "c"], &[1, 2]);
    let job = paused(&world, id);
    assert_eq!((job.step, job.child, job.ended), (2, None, None));
    assert_eq!(world.read("ran"), "a\nb\n");
    let shown = world.run(&["jobs", "show", &id.to_string()]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("? paused 3/3") && shown.contains("agents jobs approve j1 continue|retry|cancel"),
        "{shown}"
    );
    approve(&world, id, "retry");
    wait_until(30, "it waits again", || world.job(id).steps[1].attempt == 2 && world.job(id).state == JobState::Paused);
    assert_eq!(world.read("ran"), "a\nb\nb\n");
    approve(&world, id, "continue");
    wait_until(30, "it waits after the last", || world.job(id).step == 3 && world.job(id).state == JobState::Paused);
    approve(&world, id, "continue");
    let job = world.over(id);
    assert_eq!((job.state, job.exit, job.attempt), (JobState::Done, Some(Exit::Code(0)), 1));
    assert_eq!(world.read("ran"), "a\nb\nb\nc\n");
}

#[test]
fn an_interactive_job_is_asked_for_before_the_first_step_and_after_each_but_the_last() {
    let world = JobWorld::new();
    let id = world.submit(&["echo a >> ran", "echo b >> ran"], |spec| spec.interactive = true);
    world.kick();
    assert_eq!((paused(&world, id).step, world.read("ran")), (0, String::new()));
    let output = world.run(&["jobs", "approve", "j1", "retry"]);
    assert!(err(&output).contains("j1 has not run any step yet"), "{}", err(&output));
    approve(&world, id, "continue");
    wait_until(30, "it waits again", || world.job(id).step == 1 && world.job(id).state == JobState::Paused);
    assert_eq!(world.read("ran"), "a\n");
    approve(&world, id, "continue");
    assert_eq!(world.over(id).state, JobState::Done);
    assert_eq!(world.read("ran"), "a\nb\n");
}

#[test]
fn the_answer_cancel_ends_the_job_and_resume_goes_on_with_the_next_step() {
    let world = JobWorld::new();
    let id = submit(&world, &["a", "b"], &[0]);
    paused(&world, id);
    let output = world.run(&["jobs", "approve", "j1", "cancel"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "j1 is cancelled\n", "{}", err(&output));
    assert_eq!(world.job(id).state, JobState::Cancelled);
    assert_eq!(world.run(&["jobs", "resume", "j1"]).status.code(), Some(0));
    assert_eq!(world.over(id).state, JobState::Done);
    assert_eq!(world.read("ran"), "a\nb\n");
    let second = submit(&world, &["c", "d"], &[0]);
    paused(&world, second);
    assert_eq!(world.run(&["stop", &second.to_string()]).status.code(), Some(0));
    assert_eq!(world.job(second).state, JobState::Cancelled);
}

#[test]
fn an_answer_that_nobody_asked_for_is_refused() {
    let home = Home::new();
    assert!(home.fails(1, &["jobs", "approve", "j7", "continue"]).contains("no job has the id or name `j7`"));
    assert_eq!(home.run(&["run", "--name", "bad", "exit 3"]).status.code(), Some(3));
    let said = home.fails(1, &["jobs", "approve", "bad", "continue"]);
    assert_eq!(said, "error: j1 is failed: it waits for no approval\nhint: agents jobs resume j1\n");
    home.ok(&["run", "-b", "--hold", "true"]);
    assert!(home.fails(1, &["jobs", "approve", "j2", "cancel"]).contains("hint: agents jobs release j2"));
    assert!(home.fails(2, &["jobs", "approve", "j2", "yes"]).contains("continue, retry, cancel"));
}

#[test]
fn a_paused_job_outlives_its_runner() {
    let world = JobWorld::new();
    let id = submit(&world, &["a", "b"], &[0]);
    let first = paused(&world, id);
    kill_runner(&first);
    // Any command that looks at jobs: it waits for the same answer.
    assert_eq!(world.run(&["jobs"]).status.code(), Some(0));
    let second = paused(&world, id);
    assert_ne!(first.runner, second.runner);
    kill_runner(&second);
    // The answer itself is that command.
    approve(&world, id, "retry");
    wait_until(30, "it waits again", || world.job(id).steps[0].attempt == 2 && world.job(id).state == JobState::Paused);
    kill_runner(&paused(&world, id));
    approve(&world, id, "continue");
    let job = world.over(id);
    assert_eq!((job.state, job.error, job.attempt), (JobState::Done, None, 1));
    assert_eq!(world.read("ran"), "a\na\nb\n");
}

#[test]
fn a_paused_job_without_a_runner_can_be_cancelled_with_what_it_left_running() {
    let world = JobWorld::new();
    let id = world.submit(&["sleep 1000 & echo $! > server", "true"], |spec| spec.steps[0].pause = true);
    world.kick();
    let job = paused(&world, id);
    let server = world.process("server");
    kill_runner(&job);
    assert!(server.is_alive());
    assert_eq!(world.run(&["stop", "j1"]).status.code(), Some(0));
    assert_eq!(world.job(id).state, JobState::Cancelled);
    assert!(!server.is_alive());
}

#[test]
fn a_runner_that_is_told_to_end_leaves_the_question_and_a_reboot_does_too() {
    let world = JobWorld::new();
    let id = submit(&world, &["a", "b"], &[0]);
    let first = paused(&world, id);
    let runner = process(first.runner.expect("a runner"));
    let dir = world.dir();
    let words = ["__runner".as_ref(), dir.as_os_str()];
    // One that ends later would look for jobs without a runner, and find this one.
    wait_until(30, "it is the only runner", || called_with_more(&words) == [runner]);
    assert!(runner.signal(Signal::TERM));
    wait_until(30, "the runner is gone", || !runner.is_alive());
    assert_eq!(world.job(id).state, JobState::Paused);
    // No process outlives a boot: one of the last that looked now would see a job of another boot.
    wait_until(30, "no runner is left", || called_with_more(&words).is_empty());
    let mut rebooted = world.agents(&["jobs", "approve", "j1", "continue"]);
    let output = rebooted.env("AGENTS_BOOT_ID", "second").output().expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(world.over(id).state, JobState::Done);
    assert_eq!(world.read("ran"), "a\nb\n");
}

#[test]
fn the_time_that_a_person_takes_is_not_the_jobs() {
    let world = JobWorld::new();
    let id = world.submit(&["true", "sleep 1000"], |spec| {
        spec.steps[0].pause = true;
        spec.timeout = Some(Duration::from_secs(3));
    });
    world.kick();
    let runner = paused(&world, id).runner;
    // Not a synchronisation: longer than the limit, which would have ended it.
    std::thread::sleep(Duration::from_millis(3100));
    assert_eq!((paused(&world, id).runner, world.job(id).error), (runner, None));
    approve(&world, id, "continue");
    let job = world.over(id);
    assert_eq!((job.state, job.step), (JobState::Timeout, 1), "the limit goes on with the job");
}

#[test]
fn in_the_foreground_without_a_terminal_the_command_that_answers_is_told_and_the_client_may_die() {
    let home = Home::new();
    let here = |line: &[&str]| {
        let mut command = home.command(line);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process")
    };
    let waits = |id: &str| {
        wait_until(30, "it waits", || {
            let shown: Value =
                serde_json::from_slice(&home.run(&["jobs", "show", id, "--json"]).stdout).unwrap_or_default();
            shown["state"] == "paused"
        });
    };
    let first = here(&["run", "--interactive", "echo out"]);
    waits("j1");
    assert_eq!(home.ok(&["jobs", "approve", "j1", "continue"]), "j1 goes on\n");
    let output = first.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"out\n"[..]));
    let how = "agents: j1 waits for an approval; `agents jobs approve j1 continue|retry|cancel` answers it\n";
    assert_eq!(err(&output), how);
    let mut second = here(&["run", "--interactive", "touch later"]);
    waits("j2");
    second.kill().expect("it runs");
    second.wait().expect("an end");
    home.ok(&["jobs", "approve", "j2", "continue"]);
    home.ok(&["jobs", "wait", "j2"]);
    assert!(fs::exists(home.path().join("later")).expect("a look"));
}

#[test]
fn who_sits_at_the_terminal_is_asked_there() {
    let world = JobWorld::new();
    let step = |line: &str| serde_json::json!({"cmd": line});
    let job = serde_json::json!({"dir": ".", "steps": [step("echo a | tee -a ran"), step("echo b >> ran")]});
    fs::write(world.sandbox.join("two.json"), job.to_string()).expect("a file");
    let (dir, exe) = (world.sandbox.path().display(), Sandbox::exe());
    let line = format!(
        "cd '{dir}'; env -u XDG_STATE_HOME HOME='{dir}' '{exe}' run --interactive two.json; echo ended $?; sleep 1000"
    );
    world.sandbox.tmux(&["-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", "100", "-y", "40", &line]);
    let sees = |what: &str| {
        wait_until(30, what, || world.sandbox.tmux(&["capture-pane", "-p", "-t", "t"]).contains(what));
    };
    let types = |text: &str| world.sandbox.tmux(&["send-keys", "-t", "t", text, "Enter"]);
    sees("agents: j1 waits before its first step; next: echo a | tee -a ran\ncontinue, retry, cancel? [c/r/x]");
    types("what");
    sees("[c/r/x] what\ncontinue, retry, cancel? [c/r/x]");
    types("r");
    sees("j1 has not run any step yet");
    types("c");
    sees("a\nagents: j1 waits after step 1 of 2; next: echo b >> ran\ncontinue, retry, cancel? [c/r/x]");
    types("retry");
    wait_until(30, "the step ran twice", || world.read("ran") == "a\na\n");
    wait_until(30, "it is asked for again", || {
        world.sandbox.tmux(&["capture-pane", "-p", "-t", "t"]).matches("after step 1 of 2").count() == 2
    });
    types("x");
    sees("ended 1");
    assert_eq!((world.job(JobId(1)).state, world.read("ran")), (JobState::Cancelled, "a\na\n".into()));
}
