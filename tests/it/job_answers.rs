//! Jobs that wait for an answer in a tmux session of their own: what is typed there answers, and nothing else that is typed
//! does; and the terminal is the steps' again afterwards.
use crate::{
    job_verbs::err,
    jobs_world::JobWorld,
    sandbox::{Sandbox, wait_until},
};
use agents::{
    jobs::process,
    model::job::{Exit, JobId, JobState},
    world::process::{ProcId, Stat},
};
use rustix::process::Signal;
use std::{fs, process::Command};

/// What can be said, and nothing typed.
const ASKS: &str = "c continue, r retry, x cancel, Enter: _";
/// Waits for the file `go`.
const UNTIL_GO: &str = "while ! [ -e go ]; do sleep 0.02; done";

fn tmux(world: &JobWorld, args: &[&str]) -> String {
    let socket = world.dir().join("jobs.tmux/tmux.sock");
    let output = Command::new("tmux").args(["-u", "-N", "-S"]).arg(socket).args(args).env_remove("TMUX").output();
    String::from_utf8_lossy(&output.expect("tmux").stdout).into_owned()
}

/// In a session; a pause after each of the steps but the last.
fn submit(world: &JobWorld, steps: &[&str]) -> JobId {
    let id = world.submit(steps, |spec| {
        spec.tmux = true;
        let last = spec.steps.len() - 1;
        spec.steps[..last].iter_mut().for_each(|step| step.pause = true);
    });
    world.kick();
    id
}

fn types(world: &JobWorld, id: JobId, keys: &[&str]) {
    tmux(world, &[&["send-keys", "-t", &format!("={id}:")], keys].concat());
}

/// What stands below its terminal.
fn note(world: &JobWorld, id: JobId) -> String {
    tmux(world, &["show-options", "-v", "-t", &format!("={id}:"), "status-right"]).trim_end_matches('\n').to_owned()
}

#[track_caller]
fn notes(world: &JobWorld, id: JobId, end: &str) {
    wait_until(30, &format!("`{end}` below {id}"), || note(world, id).ends_with(end));
}

/// Who waits in its session.
#[track_caller]
fn runner(world: &JobWorld, id: JobId) -> ProcId {
    let job = world.job(id);
    assert_eq!(job.state, JobState::Paused);
    let runner = process(job.runner.expect("a runner"));
    assert!(Stat::read(runner.pid).is_some_and(|stat| stat.session != stat.pid), "it is in the session");
    runner
}

#[track_caller]
fn approve(world: &JobWorld, id: JobId, answer: &str) {
    let output = world.run(&["jobs", "approve", &id.to_string(), answer]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}

#[test]
fn who_sits_in_the_session_answers_there_and_what_is_no_answer_is_refused() {
    let world = JobWorld::new();
    let id = submit(&world, &["echo a | tee -a ran", "echo b | tee -a ran", "echo c | tee -a ran"]);
    notes(&world, id, ASKS);
    assert_eq!(note(&world, id), format!("next: echo b | tee -a ran; {ASKS}"));
    types(&world, id, &["-l", "what #{pid}"]);
    notes(&world, id, "Enter: what ?{pid}_");
    types(&world, id, &["Enter"]);
    notes(&world, id, ASKS);
    assert_eq!(note(&world, id), format!("`what ?{{pid}}` is no answer; {ASKS}"));
    // A letter that was taken back, and one that was not meant.
    types(&world, id, &["c"]);
    notes(&world, id, "Enter: c_");
    types(&world, id, &["BSpace", "x", "y"]);
    notes(&world, id, "Enter: xy_");
    types(&world, id, &["C-u", "r", "Enter"]);
    wait_until(30, "it runs once more", || world.job(id).steps[0].attempt == 2);
    notes(&world, id, ASKS);
    assert_eq!(world.read("ran"), "a\na\n");
    types(&world, id, &["Continue", "Enter"]);
    wait_until(30, "it waits after the next", || note(&world, id) == format!("next: echo c | tee -a ran; {ASKS}"));
    types(&world, id, &["x", "Enter"]);
    let job = world.over(id);
    assert_eq!((job.state, job.step, job.error), (JobState::Cancelled, 2, None));
    assert_eq!((world.read("ran"), world.log(id)), ("a\na\nb\n".into(), "a\na\nb\n".into()));
}

#[test]
fn before_the_first_step_there_is_nothing_to_retry() {
    let world = JobWorld::new();
    let id = world.submit(&["echo a >> ran"], |spec| (spec.tmux, spec.interactive) = (true, true));
    world.kick();
    let asks = "c continue, x cancel, Enter: _";
    notes(&world, id, asks);
    assert_eq!(note(&world, id), format!("before its first step, next: echo a >> ran; {asks}"));
    types(&world, id, &["r", "Enter"]);
    wait_until(30, "it is told", || note(&world, id) == format!("nothing has run yet; {asks}"));
    types(&world, id, &["c", "Enter"]);
    assert_eq!((world.over(id).state, world.read("ran")), (JobState::Done, "a\n".into()));
}

#[test]
fn keys_that_were_typed_before_are_no_answer_and_those_of_the_question_reach_no_step() {
    let world = JobWorld::new();
    let first = format!("stty -g > before; echo ready; {UNTIL_GO}; echo a >> ran");
    let second = "stty -g > after; echo reads; read line; echo \"got $line\"; echo b >> ran";
    let id = submit(&world, &[&first, second]);
    wait_until(30, "it runs", || world.log(id) == "ready\n");
    types(&world, id, &["c", "Enter"]);
    // The terminal shows what it takes.
    wait_until(30, "it is typed", || world.log(id) == "ready\nc\n");
    fs::write(world.sandbox.join("go"), "").expect("a file");
    notes(&world, id, ASKS);
    types(&world, id, &["half"]);
    notes(&world, id, "Enter: half_");
    assert_eq!((world.job(id).state, world.read("ran")), (JobState::Paused, "a\n".into()));
    approve(&world, id, "continue");
    wait_until(30, "the next step reads", || world.log(id) == "ready\nc\nreads\n");
    types(&world, id, &["word", "Enter"]);
    assert_eq!(world.over(id).state, JobState::Done);
    assert_eq!(world.log(id), "ready\nc\nreads\nword\ngot word\n");
    assert_eq!((world.read("ran"), world.read("after")), ("a\nb\n".into(), world.read("before")));
}

#[test]
fn what_was_typed_and_not_read_is_thrown_away_and_the_first_answer_counts() {
    let world = JobWorld::new();
    let id = submit(&world, &["echo a >> ran", "echo reads; read line; echo \"got $line\""]);
    notes(&world, id, ASKS);
    let terminal = tmux(&world, &["display-message", "-p", "-t", &format!("={id}:"), "#{pane_tty}"]);
    let terminal = fs::File::open(terminal.trim()).expect("its terminal");
    let unread = |count: u64| {
        wait_until(30, "it is typed", || rustix::io::ioctl_fionread(&terminal).expect("a terminal") == count);
    };
    let stopped = runner(&world, id);
    assert_eq!(Stat::read(stopped.pid).and_then(|stat| stat.foreground), Some(stopped.pid));
    assert!(stopped.signal(Signal::STOP));
    types(&world, id, &["c", "Enter"]);
    unread(2);
    approve(&world, id, "retry");
    assert!(stopped.signal(Signal::CONT));
    wait_until(30, "it ran once more", || world.job(id).steps[0].attempt == 2);
    notes(&world, id, ASKS);
    assert_eq!(world.read("ran"), "a\na\n");
    // More than is read at once.
    assert!(stopped.signal(Signal::STOP));
    types(&world, id, &["-l", &"z".repeat(3000)]);
    unread(3000);
    approve(&world, id, "continue");
    assert!(stopped.signal(Signal::CONT));
    wait_until(30, "the next step reads", || world.log(id) == "reads\n");
    types(&world, id, &["word", "Enter"]);
    assert_eq!(world.over(id).state, JobState::Done);
    assert_eq!(world.log(id), "reads\nword\ngot word\n");
}

#[test]
fn no_key_is_a_signal_while_it_waits_and_ctrl_c_is_one_in_the_next_step() {
    let world = JobWorld::new();
    let second = "trap 'echo caught; exit 5' INT; echo reads; while :; do sleep 0.02; done";
    let id = submit(&world, &["true", second]);
    notes(&world, id, ASKS);
    let before = runner(&world, id);
    types(&world, id, &["C-s", "C-c", "C-z", "C-\\", "C-d", "Up", "c"]);
    notes(&world, id, "Enter: c_");
    types(&world, id, &["C-c"]);
    notes(&world, id, ASKS);
    assert_eq!(runner(&world, id), before);
    types(&world, id, &["c", "Enter"]);
    wait_until(30, "the next step runs", || world.log(id) == "reads\n");
    types(&world, id, &["C-c"]);
    let job = world.over(id);
    assert_eq!((job.state, job.exit), (JobState::Failed, Some(Exit::Code(5))));
    assert_eq!(world.log(id), "reads\n^Ccaught\n");
}

#[test]
fn what_a_step_left_running_keeps_the_terminal_to_print_to() {
    let world = JobWorld::new();
    let server = format!("({UNTIL_GO}; echo printed; touch ended) & echo $! > server");
    let id = submit(&world, &[&server, "while ! [ -e ended ]; do sleep 0.02; done; echo second"]);
    notes(&world, id, ASKS);
    let server = world.process("server");
    types(&world, id, &["C-c", "c"]);
    notes(&world, id, "Enter: c_");
    assert!(server.is_alive());
    fs::write(world.sandbox.join("go"), "").expect("a file");
    wait_until(30, "it prints while the job waits", || world.log(id) == "printed\n");
    types(&world, id, &["Enter"]);
    assert_eq!(world.over(id).state, JobState::Done);
    assert_eq!(world.log(id), "printed\nsecond\n");
}

#[test]
fn a_session_that_is_ended_while_it_waits_cancels_its_job_and_no_other() {
    let world = JobWorld::new();
    assert_eq!(world.run(&["jobs", "limit", "1"]).status.code(), Some(0));
    let id = submit(&world, &["true", "true"]);
    let other = world.background(&[UNTIL_GO]);
    notes(&world, id, ASKS);
    let waits = runner(&world, id);
    // What the kernel says to the foreground of a terminal that is closed. It may come later than all else.
    assert!(waits.signal(Signal::HUP));
    types(&world, id, &["c"]);
    notes(&world, id, "Enter: c_");
    tmux(&world, &["kill-session", "-t", &format!("={id}:")]);
    assert_eq!(world.over(id).state, JobState::Cancelled);
    // The same runner has the next one: that its terminal was closed is no news for that.
    let job = world.running(other);
    assert_eq!(job.runner.map(process), Some(waits));
    fs::write(world.sandbox.join("go"), "").expect("a file");
    let job = world.over(other);
    assert_eq!((job.state, job.error), (JobState::Done, None));
}

#[test]
fn a_runner_that_is_killed_while_it_waits_leaves_no_step_without_a_terminal() {
    let world = JobWorld::new();
    let id = submit(&world, &["stty -g > before", "stty -g > after; echo reads; read line"]);
    notes(&world, id, ASKS);
    let before = runner(&world, id);
    assert!(before.signal(Signal::KILL));
    wait_until(30, "the runner is gone", || !before.is_alive());
    world.run(&["jobs"]);
    wait_until(30, "it waits in another session", || {
        world.job(id).runner.is_some_and(|mark| process(mark) != before && process(mark).is_alive())
            && note(&world, id).ends_with(ASKS)
            && Stat::read(process(world.job(id).runner.expect("a runner")).pid).is_some_and(|s| s.session != s.pid)
    });
    types(&world, id, &["c", "Enter"]);
    wait_until(30, "the next step reads", || world.log(id) == "reads\n");
    types(&world, id, &["word", "Enter"]);
    assert_eq!(world.over(id).state, JobState::Done);
    assert_eq!((world.log(id), world.read("after")), ("reads\nword\n".into(), world.read("before")));
}

#[test]
fn who_is_attached_at_80_columns_reads_the_whole_question_and_answers_it() {
    let world = JobWorld::new();
    let id = world.submit(&["echo one is done", "echo b >> ran"], |spec| {
        spec.tmux = true;
        spec.steps[0].pause = true;
        spec.steps[1].desc = "Copy 100% to #{host}".into();
    });
    world.kick();
    notes(&world, id, ASKS);
    let (dir, exe) = (world.sandbox.path().display(), Sandbox::exe());
    let line = format!("cd '{dir}'; exec env -u XDG_STATE_HOME AGENTS_BOOT_ID=first HOME='{dir}' '{exe}' attach {id}");
    world.sandbox.tmux(&["-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", "80", "-y", "20", &line]);
    let sees = |what: &str| {
        wait_until(30, what, || world.sandbox.tmux(&["capture-pane", "-p", "-t", "t"]).contains(what));
    };
    sees("one is done");
    let asks = "c continue, r retry, x cancel, Enter: ";
    sees(&format!(" next: Copy 100? to ?{{host}}; {asks}_"));
    let screen = world.sandbox.tmux(&["capture-pane", "-p", "-t", "t"]);
    assert!(screen.lines().any(|line| line.starts_with(&format!("[{id}] ")) && line.ends_with('_')), "{screen}");
    world.sandbox.tmux(&["send-keys", "-t", "t", "-l", "conti"]);
    sees(&format!("; {asks}conti_"));
    world.sandbox.tmux(&["send-keys", "-t", "t", "nue", "Enter"]);
    assert_eq!((world.over(id).state, world.read("ran")), (JobState::Done, "b\n".into()));
    assert_eq!(world.log(id), "one is done\n");
}
