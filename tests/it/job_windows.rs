//! Prompts as jobs with a tmux session, on private servers: what is seen in it, and that whatever becomes of it the work
//! of the agent is as without one.
use crate::{
    job_agents::{SAID, SESSION, World, out, stream},
    job_verbs::err,
    sandbox::wait_until,
};
use agents::{
    jobs::process,
    model::job::{Exit, Job, JobId, JobState},
    world::process::{ProcId, Stat, called_with_more},
};
use rustix::process::Signal;
use std::{
    fs,
    process::{Command, Stdio},
};

/// Writes the beginning of its stream, then the rest once there is a file `go`.
const WAITS: &str = "test -t 0 -o -t 1 -o -t 2 && echo terminal >> \"$home/terminal\"; head -n 2 \"$stream/claude-tool.jsonl\"; \
                     while ! [ -e \"$home/go\" ]; do sleep 0.02; done; tail -n +3 \"$stream/claude-tool.jsonl\"";

/// What the window of [`WAITS`] shows before `go`.
const TOOL: &str = "> Bash(command='echo changed >> a.txt')";

fn tmux(world: &World, args: &[&str]) -> String {
    let socket = world.jobs.dir().join("jobs.tmux/tmux.sock");
    let output = Command::new("tmux").args(["-u", "-N", "-S"]).arg(socket).args(args).env_remove("TMUX").output();
    out(&output.expect("tmux"))
}

fn sessions(world: &World) -> String {
    tmux(world, &["list-sessions", "-F", "#{session_name}"])
}

fn screen(world: &World, id: JobId) -> String {
    let session = world.jobs.job(id).session.unwrap_or_default();
    tmux(world, &["capture-pane", "-p", "-S", "-", "-t", &format!("={session}:")])
}

#[track_caller]
fn shown(world: &World, id: JobId, text: &str) {
    wait_until(30, &format!("{text} is shown"), || screen(world, id).contains(text));
}

fn go(world: &World) {
    fs::write(world.jobs.sandbox.join("go"), "").expect("written");
}

/// The window's process, and its server's.
fn around(world: &World) -> (ProcId, ProcId) {
    let dir = world.jobs.dir();
    let mut found = called_with_more(&["__window".as_ref(), dir.as_os_str()]);
    // Not the command line of the server, which has the same words in it.
    found.retain(|process| {
        Stat::read(process.pid).is_some_and(|stat| stat.session == process.pid && stat.foreground.is_some())
    });
    assert_eq!(found.len(), 1, "one window");
    let server = Stat::read(found[0].pid).expect("it runs").parent;
    (found[0], ProcId::of(server).expect("it runs"))
}

/// A prompt that [`WAITS`], with a session in which it is seen.
#[track_caller]
fn seen(world: &World, line: &[&str]) -> (JobId, Job) {
    let id = world.background(line);
    shown(world, id, TOOL);
    (id, world.talking(id))
}

#[test]
fn a_session_shows_what_the_agent_says_while_the_log_is_its_stream() {
    let world = World::new("claude", WAITS);
    let (id, job) = seen(&world, &["--backend", "claude", "--tmux", "--name", "fix", "fix\x1b[2Jit"]);
    assert_eq!((job.session.as_deref(), sessions(&world)), (Some("j1-fix"), "j1-fix\n".into()));
    assert!(world.ok(&["jobs", "show", "fix"]).contains("  session   j1-fix: agents attach j1\n"));
    let screen = screen(&world, id);
    assert!(screen.contains("--- j1 fix?[2Jit\n") || screen.contains("--- j1 fix"), "{screen}");
    assert!(screen.contains("\n--- conversation ") && !screen.contains("\"type\""), "{screen}");
    // No key comes to the agent, none ends it, and whoever types is told.
    tmux(&world, &["send-keys", "-t", "=j1-fix:", "stop it", "C-z", "C-s", "C-c"]);
    shown(&world, id, "--- nobody reads what is typed here; agents stop j1 ends the job, ctrl-b d leaves");
    assert!(!self::screen(&world, id).contains("stop it"));
    go(&world);
    let job = world.jobs.over(id);
    assert_eq!((job.state, job.exit, job.session.clone()), (JobState::Done, Some(Exit::Code(0)), None));
    assert_eq!((job.progress.rounds, job.progress.tool_calls, job.cost_usd), (2, 1, Some(0.002)));
    assert_eq!(world.jobs.log(id), stream("claude-tool"), "byte for byte");
    assert_eq!((world.stdin(0), world.jobs.read("terminal")), (b"fix\x1b[2Jit".to_vec(), String::new()));
    wait_until(30, "the session ends with the job", || sessions(&world).is_empty());
    let output = world.run(&["attach", "fix"]);
    assert!(err(&output).contains(": its session is gone"), "{}", err(&output));
}

#[test]
fn in_the_foreground_a_session_changes_nothing() {
    let world = World::new("claude", "cat \"$stream/claude-tool.jsonl\"");
    let output = world.run(&["run", "--backend", "claude", "x"]);
    let with = world.run(&["run", "--backend", "claude", "--tmux", "x"]);
    assert_eq!((with.status.code(), out(&with), err(&with)), (Some(0), out(&output), err(&output)));
    world.act("cat \"$stream/claude-limit.jsonl\"");
    let with = world.run(&["run", "--backend", "claude", "--tmux", "x"]);
    assert_eq!(with.status.code(), Some(1));
    assert!(err(&with).contains("API Error: Request rejected (429)"), "{}", err(&with));
    world.act("echo 'no such session' >&2; exit 42");
    assert_eq!(world.run(&["run", "--backend", "claude", "--tmux", "x"]).status.code(), Some(42));
    assert_eq!(world.jobs.jobs()[0].error.as_deref(), Some("no such session"));
}

#[test]
fn a_session_that_is_ended_by_hand_ends_the_work_and_resume_goes_on_in_a_new_one() {
    let world = World::new("claude", WAITS);
    let (id, job) = seen(&world, &["--backend", "claude", "--tmux", "long work"]);
    let agent = process(job.child.expect("a child"));
    tmux(&world, &["kill-session", "-t", "=j1:"]);
    let job = world.jobs.over(id);
    assert_eq!((job.state, job.error.as_deref()), (JobState::Cancelled, Some("its tmux session was ended")));
    assert!(!agent.is_alive());
    fs::remove_file(world.jobs.sandbox.join("go")).err();
    world.act("head -n 1 \"$stream/claude-say.jsonl\"; while ! [ -e \"$home/go\" ]; do sleep 0.02; done; cat \"$stream/claude-say.jsonl\"");
    world.ok(&["jobs", "resume", "j1"]);
    // What was said before can be seen in it, too.
    shown(&world, id, &format!("--- conversation {SESSION}"));
    assert!(screen(&world, id).contains(TOOL));
    go(&world);
    assert_eq!(world.jobs.over(id).state, JobState::Done);
    assert!(world.argv(1).contains(&"--resume".into()));
}

#[test]
fn an_agent_works_on_when_its_window_or_its_tmux_server_is_killed() {
    for server_too in [false, true] {
        let world = World::new("claude", WAITS);
        let (id, job) = seen(&world, &["--backend", "claude", "--tmux", "long work"]);
        let (window, server) = around(&world);
        assert!((if server_too { server } else { window }).signal(Signal::KILL));
        wait_until(30, "the window is gone", || !window.is_alive());
        if server_too {
            wait_until(30, "nobody is told of a session", || world.jobs.job(id).session.is_none());
        }
        let now = world.jobs.job(id);
        assert_eq!((now.state, now.child, now.runner), (JobState::Running, job.child, job.runner));
        go(&world);
        assert_eq!((world.jobs.over(id).state, world.jobs.log(id)), (JobState::Done, stream("claude-tool")));
        assert_eq!(world.calls(), 1);
    }
}

#[test]
fn an_agent_works_on_when_its_tmux_server_is_told_to_end() {
    for by_tmux in [false, true] {
        let world = World::new("claude", WAITS);
        let (id, job) = seen(&world, &["--backend", "claude", "--tmux", "long work"]);
        let (window, server) = around(&world);
        if by_tmux {
            tmux(&world, &["kill-server"]);
        } else {
            assert!(server.signal(Signal::TERM));
        }
        wait_until(30, "both are gone", || !window.is_alive() && !server.is_alive());
        let now = world.jobs.job(id);
        assert_eq!((now.state, now.child, now.runner), (JobState::Running, job.child, job.runner), "{by_tmux}");
        assert_eq!(now.session, None, "nobody is told of a session");
        go(&world);
        let job = world.jobs.over(id);
        assert_eq!((job.state, job.error), (JobState::Done, None));
        assert_eq!((world.jobs.log(id), world.calls()), (stream("claude-tool"), 1));
    }
}

/// A server that was told to end stays as long as somebody looks on who does not go: here one that stands still.
#[test]
fn an_agent_works_on_when_its_tmux_server_takes_long_to_end() {
    let world = World::new("claude", WAITS);
    let (id, job) = seen(&world, &["--backend", "claude", "--tmux", "long work"]);
    let (window, server) = around(&world);
    let socket = world.jobs.dir().join("jobs.tmux/tmux.sock");
    let mut looker = Command::new("tmux");
    looker.args(["-u", "-N", "-C", "-S"]).arg(socket).args(["attach-session", "-t", "=j1:"]).env_remove("TMUX");
    let mut looker = looker.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("tmux");
    let looks = looker.id().to_string();
    wait_until(30, "somebody looks on", || {
        tmux(&world, &["list-clients", "-F", "#{client_pid} #{client_session}"]).contains(&format!("{looks} j1"))
    });
    let stands = ProcId::of(looker.id()).expect("it runs");
    assert!(stands.signal(Signal::STOP));
    wait_until(30, "it stands still", || Stat::read(stands.pid).is_some_and(|stat| stat.state == 'T'));
    assert!(server.signal(Signal::TERM));
    wait_until(30, "the window is gone", || !window.is_alive());
    assert!(server.is_alive(), "this is no test any more");
    let now = world.jobs.job(id);
    assert_eq!((now.state, now.child, now.runner, now.session), (JobState::Running, job.child, job.runner, None));
    looker.kill().expect("it is ended");
    looker.wait().expect("a child of ours");
    wait_until(30, "the server ends, too", || !server.is_alive());
    go(&world);
    assert_eq!((world.jobs.over(id).state, world.calls()), (JobState::Done, 1));
}

/// Nobody gives a command: the window sees to the job.
#[track_caller]
fn adopted(world: &World, id: JobId, job: &Job) -> ProcId {
    let runner = process(job.runner.expect("a runner"));
    assert!(runner.signal(Signal::KILL));
    wait_until(30, "the runner is gone", || !runner.is_alive());
    wait_until(30, "it is looked after", || world.jobs.job(id).runner.is_some_and(|mark| process(mark) != runner));
    process(world.jobs.job(id).runner.expect("a runner"))
}

#[test]
fn a_window_whose_job_has_another_runner_by_now_ends_it_when_its_session_is_ended() {
    let world = World::new("claude", WAITS);
    let (id, job) = seen(&world, &["--backend", "claude", "--tmux", "long work"]);
    let agent = process(job.child.expect("a child"));
    adopted(&world, id, &job);
    tmux(&world, &["kill-session", "-t", "=j1:"]);
    let job = world.jobs.over(id);
    let why = "its tmux session was ended; its runner was killed before";
    assert_eq!((job.state, job.error.as_deref()), (JobState::Cancelled, Some(why)));
    assert!(!agent.is_alive());
}

#[test]
fn a_window_is_no_parent_of_the_runners_that_it_starts() {
    let world = World::new("claude", WAITS);
    let (id, job) = seen(&world, &["--backend", "claude", "--tmux", "long work"]);
    let window = around(&world).0;
    let runner = adopted(&world, id, &job);
    assert_ne!(Stat::read(runner.pid).expect("it runs").parent, window.pid);
    let below = fs::read_to_string(format!("/proc/{0}/task/{0}/children", window.pid)).expect("it runs");
    assert_eq!(below, "", "not even a zombie");
    go(&world);
    assert_eq!(world.jobs.over(id).state, JobState::Interrupted);
}

#[test]
fn a_window_lasts_as_long_as_the_agent_whose_runner_was_killed() {
    let world = World::new("claude", WAITS);
    let (id, job) = seen(&world, &["--backend", "claude", "--tmux", "long work"]);
    adopted(&world, id, &job);
    assert_eq!(sessions(&world), "j1\n");
    go(&world);
    shown_or_over(&world, id);
    assert_eq!(world.jobs.over(id).state, JobState::Interrupted);
    wait_until(30, "the session is gone", || sessions(&world).is_empty());
}

/// The last words are seen, unless the session was gone before we looked.
fn shown_or_over(world: &World, id: JobId) {
    wait_until(30, "it is over", || screen(world, id).contains(SAID) || world.jobs.job(id).state.is_over());
}

#[test]
fn prompts_and_commands_of_a_job_file_share_a_window_by_default() {
    let world = World::new("claude", "cat \"$stream/claude-say.jsonl\"");
    let file = r#"{"name": "mix", "backend": "claude", "dir": ".", "steps": [
        {"cmd": "test -t 0 -o -t 1 && echo a terminal; echo plain words", "pause": true},
        {"prompt": "x", "pause": true}, {"cmd": "echo last words"}]}"#;
    fs::write(world.jobs.sandbox.join("mix.json"), file).expect("written");
    let id = world.background(&["mix.json"]);
    let waits = format!("--- {id} waits: agents jobs approve {id} continue|retry|cancel");
    let paused = |step: usize, times: usize| {
        wait_until(30, &format!("it waits before step {step}, and says so {times} times"), || {
            world.jobs.job(id).step == step
                && tmux(&world, &["capture-pane", "-p", "-t", "=j1-mix:"]).matches(&waits).count() == times
        });
    };
    paused(1, 1);
    let screen = || tmux(&world, &["capture-pane", "-p", "-t", "=j1-mix:"]);
    assert!(screen().contains("\nplain words\n") && !screen().contains("a terminal"), "{}", screen());
    // Its runner is killed: it waits again, in a window of another run.
    let (window, runner) = (around(&world).0, process(world.jobs.job(id).runner.expect("a runner")));
    assert!(runner.signal(Signal::KILL));
    wait_until(30, "it has another window", || !window.is_alive());
    paused(1, 1);
    world.ok(&["jobs", "approve", "j1", "continue"]);
    paused(2, 2);
    assert!(screen().contains(SAID), "{}", screen());
    world.ok(&["jobs", "approve", "j1", "continue"]);
    let job = world.jobs.over(id);
    assert_eq!((job.state, job.error.as_deref()), (JobState::Done, None));
    assert_eq!(world.jobs.log(id), format!("plain words\n{}last words\n", stream("claude-say")));
    world.run(&["run", "-b", "--no-tmux", "mix.json"]);
    wait_until(30, "it waits", || world.jobs.jobs()[0].state == JobState::Paused);
    assert_eq!(world.jobs.jobs()[0].session, None);
}

#[test]
fn without_tmux_a_prompt_has_a_session_only_if_nobody_asked_for_it() {
    let world = World::new("claude", "/bin/cat \"$stream/claude-say.jsonl\"");
    let bin = world.jobs.sandbox.join("bin");
    for program in ["sh", "cat", "ls", "grep", "env", "mv"] {
        std::os::unix::fs::symlink(format!("/bin/{program}"), bin.join(program)).expect("a link");
    }
    let run = |line: &[&str]| world.agents(line).env("PATH", &bin).output().expect("it starts");
    let output = run(&["run", "--backend", "claude", "--tmux", "x"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).starts_with("error: no tmux session can be made: "), "{}", err(&output));
    let output = run(&["run", "--interactive", "--no-tmux", "--backend", "claude", "-b", "x"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let file = r#"{"backend": "claude", "dir": ".", "steps": [{"prompt": "x"}]}"#;
    fs::write(world.jobs.sandbox.join("job.json"), file).expect("written");
    let output = run(&["run", "job.json"]);
    assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()));
    // A tmux that is there, and makes none.
    fs::write(world.jobs.dir().join("jobs.tmux"), "not a folder").expect("written");
    let output = world.run(&["run", "--backend", "claude", "--tmux", "x"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("its tmux session cannot be made: "), "{}", err(&output));
    assert_eq!(world.run(&["run", "job.json"]).status.code(), Some(0));
    assert_eq!(world.calls(), 2);
}
