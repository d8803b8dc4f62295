//! Jobs in tmux sessions of their own, on private servers: what they print, how they end, and what stays true when any of
//! the processes around them is killed.
use crate::{
    job_verbs::err,
    jobs_world::JobWorld,
    sandbox::{Sandbox, wait_until},
};
use agents::{
    jobs::process,
    model::job::{Bytes, Exit, Job, JobCommand, JobId, JobState, ProcMark},
    world::process::{ProcId, Stat, called_with_more},
};
use rustix::process::Signal;
use std::{fs, process::Command, time::Duration};

fn out(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `tmux ARGS` on the server of the jobs. Its stdout.
fn tmux(world: &JobWorld, args: &[&str]) -> String {
    let socket = world.dir().join("jobs.tmux/tmux.sock");
    let output = Command::new("tmux").args(["-u", "-N", "-S"]).arg(socket).args(args).env_remove("TMUX").output();
    out(&output.expect("tmux"))
}

fn sessions(world: &JobWorld) -> String {
    tmux(world, &["list-sessions", "-F", "#{session_name}"])
}

/// The processes of a running job's session: its first one, the runner, the server.
fn around(job: &Job) -> (ProcId, ProcId, ProcId) {
    let runner = process(job.runner.expect("a runner"));
    let leader = Stat::read(runner.pid).expect("it runs").session;
    let server = Stat::read(leader).expect("it runs").parent;
    (ProcId::of(leader).expect("it runs"), runner, ProcId::of(server).expect("it runs"))
}

/// In its session, with a step that runs.
#[track_caller]
fn seated(world: &JobWorld, id: JobId) -> Job {
    wait_until(30, &format!("{id} is seated"), || {
        let job = world.job(id);
        job.session.is_some() && job.child.is_some() && job.runner.is_some_and(leads_no_session)
    });
    world.job(id)
}

/// A runner without a session is the leader of one.
fn leads_no_session(runner: ProcMark) -> bool {
    process(runner).is_alive() && Stat::read(runner.pid).is_some_and(|stat| stat.session != stat.pid)
}

fn in_tmux(world: &JobWorld, steps: &[&str]) -> JobId {
    let id = world.submit(steps, |spec| spec.tmux = true);
    world.kick();
    id
}

#[test]
fn a_job_in_a_session_has_a_terminal_a_true_exit_code_and_a_plain_log() {
    let world = JobWorld::new();
    let line = "test -t 0 && test -t 1 && test -t 2 && stty size && echo $TERM$TMUX && printf '\\tx\\r\\n'; exit 7";
    let output = world.run(&["run", "--tmux", "--env", "TMUX=/x", "--env", "TERM=dumb", line]);
    assert_eq!(output.status.code(), Some(7), "{}", err(&output));
    let said = out(&output);
    // A name of the terminal that depends on what the machine knows, and a CR that the program printed itself.
    let (size, rest) = said.split_once('\n').expect("two lines");
    let (term, rest) = rest.split_once('\n').expect("two lines");
    assert_eq!((size, rest), ("50 200", "\tx\r\n"));
    assert!(["tmux-256color", "screen-256color"].contains(&term), "{term}");
    let job = world.job(JobId(1));
    assert_eq!((job.state, job.exit, job.session.clone()), (JobState::Failed, Some(Exit::Code(7)), None));
    assert_eq!(world.log(JobId(1)), said);
    assert_eq!(sessions(&world), "", "the session ended with the job");
    let output = world.run(&["run", "--tmux", "kill -USR2 $$"]);
    assert_eq!(output.status.code(), Some(128 + 12));
    // The server goes with its last session.
    let conf = world.dir().join("jobs.tmux/tmux.conf");
    let server = || called_with_more(&["-u".as_ref(), "-f".as_ref(), conf.as_os_str()]);
    wait_until(30, "the server is gone", || server().is_empty());
}

#[test]
fn the_first_bytes_and_the_last_are_in_the_log_of_a_program_that_ends_at_once() {
    let world = JobWorld::new();
    world.run(&["jobs", "limit", "4"]);
    let ids: Vec<JobId> =
        (0..50).map(|n| world.submit(&[&format!("echo first {n}; seq 300; printf last")], |s| s.tmux = true)).collect();
    world.kick();
    let numbers: String = (1..=300).map(|n| format!("{n}\n")).collect();
    for (n, id) in ids.into_iter().enumerate() {
        // Whoever is told of the end finds all of it.
        assert_eq!(world.over(id).state, JobState::Done);
        assert_eq!(world.log(id), format!("first {n}\n{numbers}last"));
    }
    let jobs = world.jobs();
    assert!(jobs.iter().all(|job| job.error.is_none() && job.session.is_none()));
    assert!(!fs::read_dir(world.dir().join("jobs.tmux")).expect("a folder").flatten().any(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().ends_with(".sign")
    }));
}

#[test]
fn a_job_file_has_a_session_by_default_and_says_so_and_two_steps_share_it() {
    let world = JobWorld::new();
    let job = serde_json::json!({"name": "two.steps", "dir": ".", "steps": [
        {"cmd": "tty > one; sleep 1000 & echo $! > server; while ! [ -e go ]; do sleep 0.02; done"},
        {"cmd": "tty > two; kill -0 $(cat server) && echo its server runs"},
    ]});
    fs::write(world.sandbox.join("two.json"), job.to_string()).expect("a file");
    let id = world.background(&["two.json"]);
    seated(&world, id);
    let server = world.process("server");
    assert_eq!(sessions(&world), "j1-two_steps\n");
    let shown = world.run(&["jobs", "show", "two.steps"]);
    assert!(out(&shown).contains("  session   j1-two_steps: agents attach j1\n"), "{}", out(&shown));
    let shown = world.run(&["jobs", "show", "j1", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(json["session"], "j1-two_steps");
    fs::write(world.sandbox.join("go"), "").expect("a file");
    let job = world.over(id);
    assert_eq!((job.state, world.log(id)), (JobState::Done, "its server runs\n".into()));
    assert_eq!(world.read("one"), world.read("two"));
    assert!(world.read("one").starts_with("/dev/"), "{}", world.read("one"));
    assert!(!server.is_alive(), "it was ended with the job");
    let without = world.background(&["--no-tmux", "--name", "plain", "two.json"]);
    assert_eq!((world.over(without).state, world.read("two")), (JobState::Done, "not a tty\n".into()));
}

#[test]
fn a_file_decides_over_the_default_and_the_line_over_the_file() {
    let world = JobWorld::new();
    let file = |name: &str, tmux: bool| {
        let job =
            serde_json::json!({"dir": ".", "tmux": tmux, "steps": [{"cmd": format!("test -t 0; echo $? > {name}")}]});
        fs::write(world.sandbox.join(&format!("{name}.json")), job.to_string()).expect("a file");
    };
    file("yes", true);
    file("no", false);
    assert_eq!(world.run(&["run", "yes.json", "no.json"]).status.code(), Some(0));
    assert_eq!((world.read("yes"), world.read("no")), ("0\n".into(), "1\n".into()));
    assert_eq!(world.run(&["run", "--no-tmux", "yes.json"]).status.code(), Some(0));
    assert_eq!(world.run(&["run", "--tmux", "no.json"]).status.code(), Some(0));
    assert_eq!((world.read("yes"), world.read("no")), ("1\n".into(), "0\n".into()));
    assert_eq!(world.run(&["run", "test -t 0; echo $? > line"]).status.code(), Some(0));
    assert_eq!(world.read("line"), "1\n");
}

#[test]
fn without_tmux_a_session_that_was_asked_for_is_refused_and_the_default_is_quietly_none() {
    let world = JobWorld::new();
    let bin = world.sandbox.join("bin");
    fs::create_dir(&bin).expect("a folder");
    for program in ["sh", "true"] {
        std::os::unix::fs::symlink(format!("/bin/{program}"), bin.join(program)).expect("a link");
    }
    let job = serde_json::json!({"dir": ".", "steps": [{"cmd": "test -t 0; echo $? > tty"}]});
    fs::write(world.sandbox.join("x.json"), job.to_string()).expect("a file");
    let run = |line: &[&str]| world.agents(line).env("PATH", &bin).output().expect("the program starts");
    let output = run(&["run", "--tmux", "true"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).starts_with("error: no tmux session can be made: cannot run `tmux`\nhint: "),
        "{}",
        err(&output)
    );
    assert!(!world.dir().join("jobs.db").exists(), "nothing was queued");
    let output = run(&["run", "x.json"]);
    assert_eq!((output.status.code(), err(&output), world.read("tty")), (Some(0), String::new(), "1\n".into()));
}

#[test]
fn where_no_session_can_be_made_the_job_runs_without_or_fails_if_one_was_asked_for() {
    let world = JobWorld::new();
    // A tmux that was there when the job was submitted.
    world.run(&["jobs"]);
    fs::create_dir_all(world.dir()).expect("a folder");
    fs::write(world.dir().join("jobs.tmux"), "not a folder").expect("a file");
    let by_default = in_tmux(&world, &["test -t 0 || echo no terminal"]);
    let job = world.over(by_default);
    assert_eq!((job.state, world.log(by_default), job.session), (JobState::Done, "no terminal\n".into(), None));
    let output = world.run(&["run", "--tmux", "touch ran"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("its tmux session cannot be made: "), "{}", err(&output));
    assert_eq!(world.jobs()[0].state, JobState::Failed);
    assert!(!world.sandbox.join("ran").exists());
}

#[test]
fn a_key_ends_the_step_and_ctrl_z_does_not_stop_it_for_ever() {
    let world = JobWorld::new();
    let id = in_tmux(&world, &["trap 'echo caught; exit 5' INT; while :; do sleep 0.02; done"]);
    seated(&world, id);
    tmux(&world, &["send-keys", "-t", "=j1:", "C-z"]);
    tmux(&world, &["send-keys", "-t", "=j1:", "C-c"]);
    let job = world.over(id);
    assert_eq!((job.state, job.exit), (JobState::Failed, Some(Exit::Code(5))));
    assert!(world.log(id).contains("caught"), "{}", world.log(id));
    let typed = in_tmux(&world, &["read line; echo \"got $line\""]);
    seated(&world, typed);
    tmux(&world, &["send-keys", "-t", &format!("={typed}:"), "a word", "Enter"]);
    assert_eq!(world.over(typed).state, JobState::Done);
    assert_eq!(world.log(typed), "a word\ngot a word\n");
}

#[test]
fn a_cancelled_job_ends_with_all_that_it_started_and_so_does_one_that_takes_too_long() {
    let world = JobWorld::new();
    let line = "setsid sh -c 'trap \"\" TERM HUP INT; echo $$ > deep; while :; do sleep 0.05; done' & \
                trap '' HUP; echo $$ > main; while :; do sleep 0.05; done";
    let id = in_tmux(&world, &[line]);
    let job = seated(&world, id);
    let (leader, runner, _) = around(&job);
    let all = [world.process("deep"), world.process("main"), leader];
    let output = world.run(&["stop", &id.to_string()]);
    assert_eq!((output.status.code(), out(&output)), (Some(0), format!("{id} is cancelled\n")));
    assert!(all.iter().all(|process| !process.is_alive()), "{all:?}");
    wait_until(30, "the runner is gone", || !runner.is_alive());
    let slow = world.submit(&["sleep 1000 & sleep 1000"], |spec| {
        spec.tmux = true;
        spec.steps[0].timeout = Some(Duration::from_millis(300));
    });
    world.kick();
    let job = world.over(slow);
    assert_eq!((job.state, job.error.as_deref()), (JobState::Timeout, Some("it ran longer than 300ms")));
    assert_eq!(sessions(&world), "");
}

#[test]
fn a_killed_tmux_server_ends_the_job_and_nothing_is_run_again() {
    let world = JobWorld::new();
    let line = "trap '' HUP; echo began >> ran; echo $$ > main; while :; do sleep 0.05; done";
    let id = world.submit(&[line, "echo second >> ran"], |spec| {
        spec.tmux = true;
        spec.retries = 3;
        spec.steps[0].retries = 3;
    });
    world.kick();
    let job = seated(&world, id);
    let main = world.process("main");
    let (leader, runner, server) = around(&job);
    assert!(server.signal(Signal::KILL));
    let job = world.over(id);
    assert_eq!((job.state, job.session.clone()), (JobState::Interrupted, None));
    assert_eq!(job.error.as_deref(), Some("step 1 of 2: its tmux server was killed"));
    wait_until(30, "nothing is left", || [leader, runner, main].iter().all(|process| !process.is_alive()));
    assert_eq!(world.read("ran"), "began\n");
    // The next job has a server again.
    let next = in_tmux(&world, &["test -t 0 && echo back"]);
    assert_eq!((world.over(next).state, world.log(next)), (JobState::Done, "back\n".into()));
}

#[test]
fn a_session_that_is_ended_by_hand_cancels_its_job() {
    let world = JobWorld::new();
    let id = world.submit(&["echo $$ > main; sleep 1000"], |spec| (spec.tmux, spec.retries) = (true, 2));
    world.kick();
    seated(&world, id);
    let main = world.process("main");
    tmux(&world, &["kill-session", "-t", &format!("={id}:")]);
    let job = world.over(id);
    assert_eq!((job.state, job.error.as_deref()), (JobState::Cancelled, Some("its tmux session was ended")));
    assert!(!main.is_alive());
}

#[test]
fn a_step_outlives_the_runner_in_its_session_and_its_job_is_interrupted() {
    let world = JobWorld::new();
    let line = "echo $$ > main; while ! [ -e go ]; do sleep 0.02; done; echo after >> ran; echo printed";
    let id = in_tmux(&world, &[line, "echo second >> ran"]);
    let job = seated(&world, id);
    let main = world.process("main");
    let (leader, runner, _) = around(&job);
    assert!(runner.signal(Signal::KILL));
    wait_until(30, "the runner is gone", || !runner.is_alive());
    // Any command that looks: another runner waits for the step.
    world.run(&["jobs"]);
    wait_until(30, "it is looked after", || world.job(id).runner.is_some_and(|mark| process(mark) != runner));
    assert!(main.is_alive() && leader.is_alive());
    assert_eq!(world.job(id).state, JobState::Running);
    fs::write(world.sandbox.join("go"), "").expect("a file");
    let job = world.over(id);
    assert_eq!((job.state, job.exit), (JobState::Interrupted, None));
    assert_eq!(world.read("ran"), "after\n");
    assert!(world.log(id).contains("printed\n"), "{}", world.log(id));
    wait_until(30, "the session is gone", || sessions(&world).is_empty() && !leader.is_alive());
    assert_eq!(world.run(&["jobs", "resume", &id.to_string()]).status.code(), Some(0));
    wait_until(30, "it is over again", || world.job(id).state == JobState::Done);
    assert_eq!(world.read("ran"), "after\nafter\nsecond\n");
}

#[test]
fn a_paused_job_keeps_its_session_and_one_that_lost_it_gets_another() {
    let world = JobWorld::new();
    let id = world.submit(&["echo a", "test -t 0 && echo b"], |spec| {
        spec.tmux = true;
        spec.steps[0].pause = true;
    });
    world.kick();
    let paused = || {
        let job = world.job(id);
        job.state == JobState::Paused && job.runner.is_some_and(leads_no_session)
    };
    wait_until(30, "it waits", paused);
    assert_eq!(sessions(&world), format!("{id}\n"));
    let note = || tmux(&world, &["show-options", "-v", "-t", &format!("={id}:"), "status-right"]);
    wait_until(30, "it is told below", || note().contains("c continue, r retry, x cancel, Enter: "));
    let (_, runner, _) = around(&world.job(id));
    assert!(runner.signal(Signal::KILL));
    wait_until(30, "the runner is gone", || !runner.is_alive());
    world.run(&["jobs"]);
    wait_until(30, "it waits again", paused);
    wait_until(30, "in a session", || sessions(&world) == format!("{id}\n"));
    let (.., server) = around(&world.job(id));
    assert!(server.signal(Signal::KILL));
    wait_until(30, "the server is gone", || !server.is_alive());
    wait_until(30, "it waits once more", || {
        world.run(&["jobs"]);
        paused() && sessions(&world) == format!("{id}\n")
    });
    assert_eq!(world.run(&["jobs", "approve", &id.to_string(), "continue"]).status.code(), Some(0));
    assert_eq!(world.over(id).state, JobState::Done);
    assert_eq!(world.log(id).lines().filter(|line| *line == "a" || *line == "b").count(), 2, "{}", world.log(id));
}

#[test]
fn attach_shows_the_session_of_a_job_and_says_where_there_is_none() {
    let world = JobWorld::new();
    let id = world.submit(&["echo hello from the job; read line; echo got $line"], |spec| {
        (spec.tmux, spec.name) = (true, "web".into());
    });
    world.kick();
    seated(&world, id);
    let (dir, exe) = (world.sandbox.path().display(), Sandbox::exe());
    let attach = |flags: &str| {
        format!("cd '{dir}'; exec env -u XDG_STATE_HOME AGENTS_BOOT_ID=first HOME='{dir}' '{exe}' attach {flags}")
    };
    let client = |name: &str, line: &str| {
        world.sandbox.tmux(&["-f", "/dev/null", "new-session", "-d", "-s", name, "-x", "100", "-y", "40", line]);
        wait_until(30, "it is shown", || {
            world.sandbox.tmux(&["capture-pane", "-p", "-t", name]).contains("hello from the job")
        });
    };
    client("looks", &attach("-r web"));
    world.sandbox.tmux(&["send-keys", "-t", "looks", "no", "Enter"]);
    client("types", &attach(&id.to_string()));
    world.sandbox.tmux(&["send-keys", "-t", "types", "yes", "Enter"]);
    assert_eq!(world.over(id).state, JobState::Done);
    assert_eq!(world.log(id), "hello from the job\nyes\ngot yes\n");
    let fails = |word: &str, parts: [&str; 2]| {
        let output = world.run(&["attach", word]);
        assert_eq!(output.status.code(), Some(1), "{word}");
        assert!(parts.iter().all(|part| err(&output).contains(part)), "{word}: {}", err(&output));
    };
    fails("web", [": its session is gone", "hint: `agents logs"]);
    fails("j99", ["no job has the id or name `j99`", "hint: `agents jobs --all`"]);
    fails("nobody", ["no job has the id or name `nobody`", "hint: "]);
    let plain = world.background(&["--name", "plain", "sleep 1000"]);
    world.running(plain);
    fails("plain", ["has no tmux session", &format!("hint: `agents logs -f {plain}`")]);
    let held = world.background(&["--hold", "--tmux", "--name", "held", "true"]);
    fails(&held.to_string(), [" is held: it has no tmux session yet", "hint: `agents jobs show"]);
    world.background(&["--hold", "--name", "held", "true"]);
    fails("held", ["several jobs have that name", "hint: say which by its id"]);
}

#[test]
fn no_byte_of_a_command_or_a_path_is_read_by_tmux_or_a_shell() {
    let world = JobWorld::new();
    // A folder of jobs that tmux, its formats and a shell would each make something else of.
    let odd = "a#{pid}'\"$(touch x)#(touch y) %H;b\\;";
    let state = world.sandbox.join(odd);
    fs::create_dir(&state).expect("a folder");
    let word = "#{session_name};'\"$(touch z)`touch z`\n%d\\;";
    let mut command = world.agents(&["run", "--tmux", "--name", "x.y", "--", "printf", "%s", word]);
    let output = command.env("XDG_STATE_HOME", &state).output().expect("the program starts");
    assert_eq!((output.status.code(), out(&output)), (Some(0), word.to_owned()), "{}", err(&output));
    let line = JobCommand::Shell(Bytes("printf '%s' '#{pid} ; %H'".into()));
    let id = world.submit(&["true"], |spec| {
        spec.tmux = true;
        spec.steps[0].command = line;
    });
    world.kick();
    assert_eq!((world.over(id).state, world.log(id)), (JobState::Done, "#{pid} ; %H".into()));
    for made in ["x", "y", "z"] {
        assert!(!world.sandbox.join(made).exists(), "{made}");
    }
}

#[test]
fn a_tmux_server_that_is_stopped_keeps_no_job_for_ever() {
    let world = JobWorld::new();
    let id = in_tmux(&world, &["echo printed"]);
    world.over(id);
    let id = in_tmux(&world, &["while ! [ -e go ]; do sleep 0.02; done"]);
    let job = seated(&world, id);
    let (leader, _, server) = around(&job);
    assert!(server.signal(Signal::STOP));
    fs::write(world.sandbox.join("go"), "").expect("a file");
    assert_eq!(world.over(id).state, JobState::Done);
    assert!(server.signal(Signal::CONT));
    wait_until(30, "the session is gone", || !leader.is_alive());
}

#[test]
fn a_writer_of_a_log_that_is_killed_is_replaced_and_the_gap_is_told() {
    let world = JobWorld::new();
    let until = |file: &str| format!("while ! [ -e {file} ]; do sleep 0.02; done");
    let id = in_tmux(&world, &[&format!("echo before; {}; echo after; {}", until("one"), until("two"))]);
    seated(&world, id);
    wait_until(30, "it is written", || world.log(id) == "before\n");
    let log = world.job(id).log;
    let writers = || called_with_more(&["__joblog".as_ref(), log.as_os_str()]);
    let first = writers();
    assert_eq!(first.len(), 1);
    assert!(first[0].signal(Signal::KILL));
    wait_until(30, "the gap is told", || world.log(id).contains("[agents] log gap: what wrote it was killed\n"));
    assert!(writers().iter().all(|writer| !first.contains(writer)) && writers().len() == 1);
    fs::write(world.sandbox.join("one"), "").expect("a file");
    wait_until(30, "it is written again", || world.log(id).ends_with("after\n"));
    fs::write(world.sandbox.join("two"), "").expect("a file");
    assert_eq!(world.over(id).state, JobState::Done);
}

#[test]
fn a_step_finds_the_terminal_as_it_was_whatever_the_one_before_left() {
    let world = JobWorld::new();
    let id = in_tmux(&world, &["stty raw -echo", "stty -a | grep -c -- '-icanon\\|-echo \\|-opost'; true"]);
    assert_eq!(world.over(id).state, JobState::Done);
    assert_eq!(world.log(id), "0\n");
}

#[test]
fn a_session_that_a_job_asked_for_outlives_that_job() {
    let world = JobWorld::new();
    let (dir, exe) = (world.sandbox.path().display(), Sandbox::exe());
    let inner = format!("HOME='{dir}' AGENTS_BOOT_ID=first '{exe}' run -b --tmux --name inner 'sleep 1000'");
    let wait =
        format!("until HOME='{dir}' AGENTS_BOOT_ID=first '{exe}' jobs show inner | grep -q '^  pid'; do :; done");
    for tmux in [false, true] {
        // The first one starts the server, too: it comes to the runner of this job when it has lost its parent.
        let id = world.submit(&[&format!("{inner} && {wait}")], |spec| spec.tmux = tmux);
        world.kick();
        assert_eq!(world.over(id).state, JobState::Done, "{}", world.log(id));
        let inner = world.jobs().into_iter().find(|job| job.spec.name == "inner").expect("a job").id;
        let job = seated(&world, inner);
        assert!(process(job.child.expect("a step")).is_alive());
        assert!(sessions(&world).contains(&format!("{inner}-inner\n")), "{}", sessions(&world));
        assert_eq!(world.run(&["stop", "inner"]).status.code(), Some(0));
        assert_eq!(world.run(&["jobs", "rm", "inner"]).status.code(), Some(0));
    }
}

#[test]
fn a_step_that_a_closed_terminal_ended_is_no_failure_that_is_tried_again() {
    let world = JobWorld::new();
    world.run(&["jobs", "limit", "10"]);
    let line = "echo began >> ran; exec sleep 1000";
    let submit = |_| world.submit(&[line], |spec| (spec.tmux, spec.retries, spec.steps[0].retries) = (true, 2, 2));
    let ids: Vec<JobId> = (0..8).map(submit).collect();
    world.kick();
    let all: Vec<Job> = ids.iter().map(|id| seated(&world, *id)).collect();
    wait_until(30, "all began", || world.read("ran").lines().count() == 8);
    let (.., server) = around(&all[0]);
    assert!(server.signal(Signal::KILL));
    for id in ids {
        let job = world.over(id);
        assert_eq!((job.state, job.error.as_deref()), (JobState::Interrupted, Some("its tmux server was killed")));
    }
    assert_eq!(world.read("ran"), "began\n".repeat(8));
}

#[test]
fn without_a_terminal_a_session_is_not_attached() {
    let world = JobWorld::new();
    let id = world.background(&["--tmux", "exec sleep 1000"]);
    wait_until(30, "its session is there", || world.running(id).session.is_some());
    let output =
        world.agents(&["attach", &id.to_string()]).stdin(std::process::Stdio::null()).output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("error: there is no terminal here") && told.contains("agents logs -f"), "{told}");
    assert!(world.run(&["stop", &id.to_string()]).status.success());
}
