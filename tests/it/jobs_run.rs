//! `agents run` on real processes: what runs, when, and how it ends.
use crate::{
    job_verbs::err,
    jobs_world::JobWorld,
    sandbox::{Sandbox, wait_until},
};
use agents::{
    jobs::runner::name,
    model::job::{Exit, JobId, JobState},
    world::{clock, process::ProcId},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{os::unix::fs::PermissionsExt, process::Stdio, time::Duration};

#[test]
fn a_job_in_the_background_ends_with_its_true_exit_code() {
    let world = JobWorld::new();
    let id = world.background(&["--env", "WORD=a b", "echo \"$WORD $AGENTS_JOB\" && exit 7"]);
    let job = world.over(id);
    assert_eq!((job.state, job.exit, job.error), (JobState::Failed, Some(Exit::Code(7)), None));
    assert_eq!(world.log(id), "a b j1\n");
    assert_eq!(job.log.metadata().expect("a log").permissions().mode() & 0o777, 0o600);
    let killed = world.over(world.background(&["kill -9 $$"]));
    assert_eq!((killed.state, killed.exit), (JobState::Failed, Some(Exit::Signal(9))));
    wait_until(30, "no runner is left", || world.sandbox.processes().is_empty());
}

#[test]
fn a_job_in_the_foreground_is_shown_and_its_exit_code_is_ours() {
    let world = JobWorld::new();
    let line = "for n in 1 2 3; do echo out $n; echo err $n >&2; done; exit 3";
    let output = world.run(&["run", line]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!((output.status.code(), &*said), (Some(3), "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n"));
    assert_eq!(world.run(&["run", "kill -9 $$"]).status.code(), Some(137));
    let long = world.run(&["run", "seq 1 200000"]);
    assert_eq!((long.status.code(), long.stdout.len()), (Some(0), 1_288_895));
    assert_eq!(world.run(&["run", "--", "printf", "%s|", "$HOME; x", ""]).stdout, b"$HOME; x||", "seen by no shell");
    assert_eq!(world.run(&["run", "cat"]).status.code(), Some(0), "its input is empty");
}

#[test]
fn nothing_of_a_job_that_cannot_be_is_queued() {
    let world = JobWorld::new();
    let long = "x".repeat(128 * 1024 - 1000);
    for (line, code, why) in [
        (&["run"][..], 2, "no command"),
        (&["run", ""], 1, "the command is empty"),
        (&["run", "echo", "a"], 2, "several words"),
        (&["run", "--dir", "nowhere", "true"], 1, "there is no folder"),
        (&["run", "--", "no-such-program", "a"], 1, "there is no program `no-such-program`"),
        (&["run", "--name", "j3", "true"], 1, "it looks like an id"),
        (&["run", "--group", "none", "true"], 1, "there is no group `none`\nhint: agents jobs limit --group none 4"),
        (&["run", "--after", "j9", "true"], 1, "no job has the id or name `j9`"),
        (&["run", "--after", "nobody", "true"], 1, "no job has the id or name `nobody`"),
        (&["run", "--env", "=x", "true"], 2, "is not NAME=VALUE"),
        (&["run", "--retries", "many", "true"], 2, "invalid value"),
    ] {
        let output = world.run(line);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line:?}: {said}");
        assert!(said.contains(why), "{line:?}: {said}");
    }
    assert!(world.jobs().is_empty());
    assert_eq!(world.run(&["run", &format!("true {long}")]).status.code(), Some(0), "long, and not too long");
}

#[test]
fn a_signal_reaches_the_job_and_a_second_one_ends_it() {
    let world = JobWorld::new();
    let heeds = "trap 'echo heard > heard; exit 9' INT; echo ready > ready; while :; do sleep 0.05; done";
    let goes_on = "trap 'echo heard > heard' INT; echo ready > ready; while :; do sleep 0.05; done";
    for (line, times, state, code) in [(heeds, 1, JobState::Failed, 9), (goes_on, 2, JobState::Cancelled, 143)] {
        let mut front = world.agents(&["run", line]).stdout(Stdio::piped()).spawn().expect("it starts");
        for number in 0..times {
            let file = ["ready", "heard"][number];
            wait_until(30, file, || world.read(file) == format!("{file}\n"));
            kill_process(Pid::from_child(&front), Signal::INT).expect("told");
        }
        assert_eq!(front.wait().expect("it ends").code(), Some(code));
        let last = world.jobs()[0].clone();
        assert_eq!(last.state, state, "{last:?}");
        for file in ["ready", "heard"] {
            std::fs::remove_file(world.sandbox.join(file)).expect("it was there");
        }
    }
}

#[test]
fn a_time_limit_ends_the_whole_tree() {
    let world = JobWorld::new();
    let line =
        "setsid sh -c 'echo $$ > far; exec sleep 1000' & trap '' TERM; echo $$ > near; while :; do sleep 1; done";
    // Ended once both are there, whatever the machine does meanwhile.
    let id = world.submit(&[line], |spec| spec.timeout = Some(Duration::from_secs(2)));
    world.kick();
    let (near, far) = (world.process("near"), world.process("far"));
    let job = world.over(id);
    assert_eq!((job.state, job.exit), (JobState::Timeout, Some(Exit::Signal(9))));
    assert_eq!(job.error.as_deref(), Some("it ran longer than 2s"));
    assert!(!near.is_alive() && !far.is_alive());
}

#[test]
fn what_a_job_leaves_behind_ends_with_it() {
    let world = JobWorld::new();
    let id =
        world.background(&["setsid sh -c 'echo $$ > left; exec sleep 1000' & while ! [ -e go ]; do sleep 0.01; done"]);
    let left = world.process("left");
    std::fs::write(world.sandbox.join("go"), "").expect("written");
    assert_eq!(world.over(id).state, JobState::Done);
    assert!(!left.is_alive());
}

#[test]
fn never_more_than_the_limit_and_every_job_once() {
    let world = JobWorld::new();
    world.store().set_limit("two", Some(2)).expect("written");
    let line = "echo + >> ledger; sleep 0.05; echo $AGENTS_JOB >> done; echo - >> ledger";
    let ids: Vec<_> = (0..20).map(|_| world.background(&["--group", "two", line])).collect();
    for id in &ids {
        assert_eq!(world.over(*id).state, JobState::Done);
    }
    let (mut now, mut most) = (0, 0);
    for entry in world.read("ledger").lines() {
        now += if entry == "+" { 1 } else { -1 };
        most = most.max(now);
    }
    assert_eq!((now, most), (0, 2), "{}", world.read("ledger"));
    let mut ran: Vec<String> = world.read("done").lines().map(str::to_owned).collect();
    let mut all: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ran.sort_unstable();
    all.sort_unstable();
    assert_eq!(ran, all);
}

#[test]
fn a_job_comes_after_the_success_of_another() {
    let world = JobWorld::new();
    let first = world.background(&["--name", "first", "sleep 0.2; echo first >> order"]);
    let second = world.background(&["--after", "first", "echo second >> order"]);
    let bad = world.background(&["exit 4"]);
    let never = world.background(&["--after", &bad.to_string(), "echo never >> order"]);
    assert_eq!((world.over(first).state, world.over(second).state), (JobState::Done, JobState::Done));
    let never = world.over(never);
    assert_eq!((never.state, never.error), (JobState::Skipped, Some(format!("it comes after {bad}, which failed"))));
    assert_eq!(world.read("order"), "first\nsecond\n");
}

#[test]
fn a_failed_job_is_tried_again_by_itself() {
    let world = JobWorld::new();
    let id = world.background(&["--retries", "2", "echo x >> tries; [ $(wc -l < tries) -gt 1 ]"]);
    let job = world.over(id);
    assert_eq!((job.state, job.attempt, world.read("tries")), (JobState::Done, 2, "x\nx\n".into()));
}

#[test]
fn a_job_starts_at_its_time_with_nobody_there_to_start_it() {
    let world = JobWorld::new();
    let id = world.submit(&["echo now >> it"], |spec| {
        spec.not_before = Some(clock::wall().after(Duration::from_millis(1500)));
    });
    let long = world.submit(&["exec sleep 1000"], |_| {});
    world.kick();
    assert_eq!(world.over(id).state, JobState::Done);
    let job = world.job(id);
    assert!(job.started >= job.spec.not_before, "{job:?}");
    assert_eq!(world.job(long).state, JobState::Running, "whose runner has no time for others");
    // One that is told of an earlier time wakes up earlier.
    let late = world.submit(&["true"], |spec| spec.not_before = Some(clock::wall().after(Duration::from_secs(1000))));
    world.kick();
    let early = world.submit(&["true"], |spec| spec.not_before = Some(clock::wall().after(Duration::from_secs(1))));
    assert_eq!(world.over(early).state, JobState::Done);
    assert_eq!(world.job(late).state, JobState::Queued);
}

#[test]
fn steps_run_in_order_and_stop_at_the_first_failure() {
    let world = JobWorld::new();
    let id = world.submit(
        &[
            "echo one",
            "echo two",
            "echo no",
            "echo again; [ -e flag ] || { touch flag; false; }",
            "exit 5",
            "echo never",
        ],
        |spec| {
            spec.steps[1].only_if = Some("true".into());
            spec.steps[2].only_if = Some("false".into());
            spec.steps[3].retries = 1;
        },
    );
    world.kick();
    let job = world.over(id);
    assert_eq!((job.state, job.exit, job.step), (JobState::Failed, Some(Exit::Code(5)), 4));
    assert_eq!(job.error.as_deref(), Some("step 5 of 6 failed"));
    assert_eq!(world.log(id), "one\ntwo\nagain\nagain\n");
    use JobState::{Done, Failed, Queued, Skipped};
    assert_eq!(job.steps.iter().map(|s| s.state).collect::<Vec<_>>(), [Done, Done, Skipped, Done, Failed, Queued]);
    assert_eq!(job.steps[3].attempt, 2);
    let resumed = world.store().resume(id);
    assert!(resumed.is_ok());
    world.kick();
    wait_until(30, "it went on", || world.job(id).attempt == 2 && world.job(id).state.is_over());
    assert_eq!(world.log(id), "one\ntwo\nagain\nagain\n", "the step that failed prints nothing");
}

#[test]
fn a_log_of_any_length_stays_within_its_cap() {
    let world = JobWorld::new();
    let id = world.submit(&["echo first; seq 1 400000; echo last"], |spec| spec.log_cap = 200_000);
    world.kick();
    assert_eq!(world.over(id).state, JobState::Done);
    let log = world.log(id);
    assert!(
        log.len() <= 200_000 && log.starts_with("first\n1\n2\n") && log.ends_with("400000\nlast\n"),
        "{}",
        log.len()
    );
    assert!(log.contains("[agents] log gap: about "));
}

#[test]
fn a_job_has_nothing_open_and_no_terminal_of_whoever_submitted_it() {
    let world = JobWorld::new();
    let file = world.sandbox.join("open");
    // As a shell leaves descriptors open in what it runs.
    let line =
        format!("exec 5>'{}' 6<&5; '{}' run -b 'ls /proc/self/fd; ps -o tty= $$'", file.display(), Sandbox::exe());
    let mut shell = world.agents(&[]);
    let env: Vec<_> = shell.get_envs().map(|(k, v)| (k.to_owned(), v.unwrap_or_default().to_owned())).collect();
    shell = std::process::Command::new("sh");
    shell.args(["-c", &line]).env_clear().envs(env).current_dir(world.sandbox.path());
    let output = shell.output().expect("it runs");
    let id = agents::model::job::JobId::parse(String::from_utf8_lossy(&output.stdout).trim()).expect("an id");
    assert_eq!(world.over(id).state, JobState::Done);
    // 3 is that of the listing itself.
    assert_eq!(world.log(id).split_whitespace().collect::<Vec<_>>(), ["0", "1", "2", "3", "?"]);
}

/// `> /dev/stderr` is written in many scripts, and empties a file that stands there.
#[test]
fn who_looks_for_a_job_by_its_words_finds_the_job_and_not_its_runner() {
    let world = JobWorld::new();
    let id = world.background(&["exec sleep 4321"]);
    let job = world.running(id);
    let words = |pid: u32| std::fs::read(format!("/proc/{pid}/cmdline")).expect("it runs");
    let runner = job.runner.expect("it has one").pid;
    wait_until(30, "the runner is shown as one", || words(runner).starts_with(b"agents __runner"));
    let has = |pid: u32| words(pid).windows(4).any(|part| part == b"4321");
    wait_until(30, "the job is its command", || has(job.child.expect("it runs").pid));
    assert!(!has(runner), "{}", String::from_utf8_lossy(&words(runner)));
    assert!(world.run(&["stop", &id.to_string()]).status.success());
}

#[test]
fn a_job_that_empties_its_own_output_is_shown_to_its_end() {
    let world = JobWorld::new();
    let line = "echo a first line; while ! test -e go; do sleep 0.01; done; echo b > /dev/stderr; echo c";
    let mut child = world.agents(&["run", line]).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut shown = std::io::BufReader::new(child.stdout.take().expect("a pipe"));
    let mut first = String::new();
    std::io::BufRead::read_line(&mut shown, &mut first).expect("its output");
    std::fs::write(world.sandbox.join("go"), "").expect("a file");
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut shown, &mut rest).expect("its output");
    assert_eq!((first.as_str(), rest.as_str()), ("a first line\n", "b\nc\n"));
    assert!(child.wait().expect("its end").success());
}

#[test]
fn what_a_job_uses_that_another_one_submitted_is_its_own() {
    let world = JobWorld::new();
    let (exe, runners) = (Sandbox::exe(), name(&world.dir()));
    let burn = "i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done";
    // It is there until the runner of the other job has ended, too, which by then is a child of its own.
    let alone = format!("[ $(cat /proc/[0-9]*/comm 2>/dev/null | grep -c '^{runners}$') -le 1 ]");
    let line = format!("{exe} run -b '{burn}' && {exe} jobs wait j2 && until {alone}; do sleep 0.02; done");
    let outer = world.over(world.background(&[&line]));
    let used = |id: JobId| world.job(id).cpu_s.expect("it was counted");
    assert_eq!((outer.state, outer.id), (JobState::Done, JobId(1)));
    assert!(used(JobId(1)) < used(JobId(2)), "{} {}", used(JobId(1)), used(JobId(2)));
}

/// Most of them come while the runner of the one before is about to end.
#[test]
fn of_jobs_that_come_one_after_the_other_none_stands_still() {
    let world = JobWorld::new();
    let ids: Vec<JobId> = (0..60).map(|_| world.background(&["true"])).collect();
    for id in &ids {
        assert_eq!(world.over(*id).state, JobState::Done);
    }
    // Several at once, too.
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..10).map(|_| world.background(&["echo x >> ran"])).collect::<Vec<_>>());
        }
    });
    wait_until(30, "all have run", || world.jobs().iter().all(|job| job.state == JobState::Done));
    assert_eq!(world.read("ran").lines().count(), 30);
    wait_until(30, "no runner is left", || world.sandbox.processes().is_empty());
}

#[test]
fn an_id_that_no_job_has_is_told_as_such_in_a_project_too() {
    let world = JobWorld::new();
    let config = "[defaults]\nsession_prefix = 'p-'\nlog_dir = 'l'\n";
    std::fs::write(world.sandbox.join("agents.toml"), config).expect("a file");
    let output = world.run(&["logs", "j99"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(err(&output), "error: no job has the id `j99`\nhint: `agents jobs --all` lists them\n");
    assert!(err(&world.run(&["logs", "nobody"])).contains("no agent or service is named `nobody`"));
}

#[test]
fn a_folder_that_was_removed_under_the_caller_matters_only_where_it_is_relied_on() {
    let world = JobWorld::new();
    let gone = world.sandbox.join("gone");
    let run = |line: &str| {
        std::fs::create_dir_all(&gone).expect("a folder");
        let mut command = world.agents(&[]);
        let line = format!("cd '{0}'; rmdir '{0}'; exec '{1}' {line}", gone.display(), Sandbox::exe());
        let env: Vec<_> =
            command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        command = std::process::Command::new("/bin/sh");
        command.env_clear().envs(env).stdin(Stdio::null()).args(["-c", &line]).output().expect("a shell")
    };
    let there = world.sandbox.path().display();
    let output = run(&format!("run --dir '{there}' -- pwd"));
    assert_eq!(
        (output.status.code(), output.stdout),
        (Some(0), format!("{there}\n").into_bytes()),
        "{:?}",
        output.stderr
    );
    for line in ["run -- pwd", "run --dir sub -- pwd"] {
        let output = run(line);
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(err(&output).contains("the current directory cannot be read") && err(&output).contains("--dir /PATH"));
    }
    assert_eq!(world.jobs().len(), 1);
}

#[test]
fn signals_that_whoever_submitted_a_job_had_blocked_reach_it_and_its_runner() {
    let world = JobWorld::new();
    let mask = ["--block-signal=TERM", "--block-signal=CHLD", "--block-signal=USR1"];
    let blocked = |line: &[&str]| {
        let plain = world.agents(line);
        let mut command = std::process::Command::new("env");
        command.args(mask).arg(plain.get_program()).args(plain.get_args()).current_dir(world.sandbox.path());
        command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::null()).output().expect("it starts")
    };
    let quiet = "grep SigBlk /proc/self/status; exec sleep 0.3";
    let waits = "trap 'echo told; exit 3' TERM; echo begun; while :; do sleep 0.02; done";
    // The first runner is the command itself, forked; the second one is a program of its own.
    assert_eq!(blocked(&["run", "-b", waits]).status.code(), Some(0));
    assert_eq!(blocked(&["run", quiet]).status.code(), Some(0));
    let mask: String = world.log(JobId(2)).chars().filter(|c| c.is_ascii_digit()).collect();
    assert_eq!(mask, "0".repeat(16), "{}", world.log(JobId(2)));
    assert_eq!(blocked(&["run", "-b", quiet]).status.code(), Some(0));
    assert_eq!((world.over(JobId(3)).state, world.log(JobId(3))), (JobState::Done, world.log(JobId(2))));
    wait_until(30, "it runs", || world.log(JobId(1)) == "begun\n");
    assert_eq!(world.run(&["stop", "j1"]).status.code(), Some(0));
    assert_eq!(world.job(JobId(1)).state, JobState::Cancelled);
    assert!(world.log(JobId(1)).ends_with("told\n"), "{}", world.log(JobId(1)));
}

/// A runner that is about to end takes the next job only when that may run.
#[test]
fn a_runner_that_waits_for_the_next_job_keeps_to_the_limits() {
    let world = JobWorld::new();
    world.store().set_limit("one", Some(1)).expect("written");
    let first = world.background(&["--group", "one", "until [ -e go ]; do sleep 0.01; done"]);
    world.running(first);
    assert_eq!(world.over(world.background(&["true"])).state, JobState::Done);
    // The runner of that one is there, and called for this one.
    let second = world.background(&["--group", "one", "true"]);
    let is_idle = |process: &ProcId| {
        std::fs::read(format!("/proc/{}/comm", process.pid)).is_ok_and(|name| name == b"agents:idle\n")
    };
    wait_until(30, "it has waited for nothing", || !world.sandbox.processes().iter().any(is_idle));
    assert_eq!((world.job(first).state, world.job(second).state), (JobState::Running, JobState::Queued));
    std::fs::write(world.sandbox.join("go"), "").expect("written");
    assert_eq!(world.over(second).state, JobState::Done);
}

/// The runner that a new job gets may find an older one first, which waits for a person.
#[test]
fn a_job_that_waits_for_an_answer_keeps_no_other_one_waiting() {
    let world = JobWorld::new();
    let asks = world.submit(&["true"], |spec| spec.interactive = true);
    let next = world.background(&["true"]);
    assert_eq!(world.over(next).state, JobState::Done);
    wait_until(30, "it asks", || world.job(asks).state == JobState::Paused);
}
