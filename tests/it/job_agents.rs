//! Prompts to agents as jobs: real runners, and stand-ins for the CLIs that write down what they are told and print what
//! the real ones printed (`tests/streams/`).
use crate::{job_verbs::err, jobs_world::JobWorld, sandbox::wait_until};
use agents::{
    jobs::process,
    model::job::{Exit, Job, JobId, JobState},
};
use rustix::process::Signal;
use serde_json::Value;
use std::{
    ffi::{OsStr, OsString},
    fs,
    io::Write,
    os::unix::{ffi::OsStringExt, fs::PermissionsExt},
    process::{Command, Output, Stdio},
};

/// A home with a CLI in it.
pub struct World {
    pub jobs: JobWorld,
}

/// Of the recorded runs of Claude Code.
pub const SESSION: &str = "c3e7d769-3802-4928-a222-5face4c132e6";
pub const SAID: &str = "All done. The work is finished.";

pub fn stream(name: &str) -> String {
    let path = format!("{}/tests/streams/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).expect("a recorded stream")
}

impl World {
    /// `act`: shell lines for what it does after it has read its prompt; `$stream` names the folder of the streams.
    pub fn new(cli: &str, act: &str) -> World {
        let world = World { jobs: JobWorld::new() };
        fs::create_dir(world.jobs.sandbox.join("bin")).expect("made");
        let program = world.jobs.sandbox.join("bin").join(cli);
        let text = format!(
            "#!/bin/sh\nhome='{}'\nstream='{}/tests/streams'\nn=$(ls \"$home\" | grep -c '^argv-')\ncat > \"$home/stdin-$n\"\n\
             env > \"$home/env-$n\"\nprintf '%s\\n' \"$@\" > \"$home/argv.$n\"\nmv \"$home/argv.$n\" \"$home/argv-$n\"\n. \"$home/act\"\n",
            world.jobs.sandbox.path().display(),
            env!("CARGO_MANIFEST_DIR")
        );
        fs::write(&program, text).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
        world.act(act);
        world
    }

    pub fn act(&self, act: &str) {
        fs::write(self.jobs.sandbox.join("act"), format!("{act}\n")).expect("written");
    }

    pub fn agents<S: AsRef<OsStr>>(&self, line: &[S]) -> Command {
        let mut command = self.jobs.agents(&[]);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = [self.jobs.sandbox.join("bin").into_os_string(), path].join(OsStr::new(":"));
        command.args(line).env("PATH", path);
        command
    }

    pub fn run<S: AsRef<OsStr>>(&self, line: &[S]) -> Output {
        self.agents(line).output().expect("the program starts")
    }

    #[track_caller]
    pub fn background(&self, line: &[&str]) -> JobId {
        let output = self.run(&[&["run", "-b"], line].concat());
        JobId::parse(out(&output).trim()).unwrap_or_else(|| panic!("no id: {output:?}"))
    }

    #[track_caller]
    pub fn ok(&self, line: &[&str]) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(0), "{line:?}: {}", err(&output));
        out(&output)
    }

    pub fn argv(&self, n: usize) -> Vec<String> {
        self.jobs.read(&format!("argv-{n}")).lines().map(str::to_owned).collect()
    }

    pub fn stdin(&self, n: usize) -> Vec<u8> {
        fs::read(self.jobs.sandbox.join(&format!("stdin-{n}"))).unwrap_or_default()
    }

    pub fn calls(&self) -> usize {
        (0..).take_while(|n| self.jobs.sandbox.join(&format!("argv-{n}")).exists()).count()
    }

    /// It runs, and the conversation is known.
    #[track_caller]
    pub fn talking(&self, id: JobId) -> Job {
        wait_until(30, "its conversation is known", || {
            let job = self.jobs.job(id);
            job.state == JobState::Running && job.agent_session.is_some()
        });
        self.jobs.job(id)
    }
}

pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn kill(job: &Job, runner_too: bool) {
    let child = process(job.child.expect("a child"));
    if runner_too {
        let runner = process(job.runner.expect("a runner"));
        assert!(runner.signal(Signal::KILL));
        wait_until(30, "the runner is gone", || !runner.is_alive());
    }
    // Its own children, too: it leads a group.
    let group = rustix::process::Pid::from_raw(child.pid as i32).expect("a pid");
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
}

const BEGINS: &str = "head -n 1 \"$stream/claude-say.jsonl\"; exec sleep 1000";

#[test]
fn a_prompt_is_a_job_that_shows_what_the_agent_says() {
    let world = World::new("claude", "cat \"$stream/claude-tool.jsonl\"");
    let mut command = world.agents(&["run", "--backend", "claude", "fix the test"]);
    for name in ["AGENTS_FLEET", "AGENTS_NAME", "AGENTS_INCARNATION", "TMUX", "CLAUDECODE"] {
        command.env(name, "x");
    }
    let output = command.output().expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let shown = out(&output);
    assert!(shown.contains("> Bash(command='echo changed >> a.txt')\nAll done. The work is finished.\n"), "{shown}");
    assert!(!shown.contains("\"type\""), "{shown}");
    assert_eq!(world.argv(0), ["-p", "--output-format", "stream-json", "--verbose"]);
    assert_eq!(world.stdin(0), b"fix the test");
    let env = world.jobs.read("env-0");
    assert!(env.contains("AGENTS_JOB=j1\n"), "it is found by its mark");
    for gone in ["AGENTS_FLEET", "AGENTS_NAME", "AGENTS_INCARNATION", "TMUX", "CLAUDECODE"] {
        assert!(!env.contains(&format!("{gone}=")), "{gone}");
    }
    let job = world.jobs.job(JobId(1));
    assert_eq!((job.state, job.exit, job.files_changed), (JobState::Done, Some(Exit::Code(0)), None));
    assert_eq!((job.progress.rounds, job.progress.model_calls, job.progress.tool_calls), (2, 2, 1));
    assert_eq!((job.cost_usd, job.last_event.as_deref()), (Some(0.002), Some("Complete!")));
    let shown: Value = serde_json::from_str(&world.ok(&["jobs", "show", "j1", "--json"])).expect("JSON");
    assert_eq!(shown["backend"], "claude");
    assert_eq!(shown["agent_session"], "3d0f5c71-d18c-4733-98bf-8793220c84a3");
    assert_eq!(shown["usage"]["input_tokens"], 200);
    assert_eq!((&shown["steps"][0]["cmd"], &shown["steps"][0]["prompt"]), (&Value::Null, &"fix the test".into()));
    let page = world.ok(&["jobs", "show", "j1"]);
    for part in ["claude", "200 tokens in, 40 out", "$0.002", "2 rounds, 1 tool call, 2 model calls"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(world.ok(&["jobs"]).contains("fix the test"));
    let log = world.ok(&["logs", "j1"]);
    assert!(log.ends_with("All done. The work is finished.\n") && !log.contains("\"type\""), "{log}");
    assert_eq!(world.ok(&["logs", "j1", "--raw"]), stream("claude-tool"));
    assert_eq!(world.ok(&["logs", "j1", "-n", "1"]), format!("{SAID}\n"));
    assert_eq!(world.ok(&["logs", "j1", "--since", "2999-01-01"]), "");
    assert_eq!(world.ok(&["logs", "j1", "-f"]), log);
    assert_eq!(world.ok(&["logs", "j1", "--grep", "Bash"]), "> Bash(command='echo changed >> a.txt')\n");
}

#[test]
fn a_prompt_of_any_bytes_and_length_comes_as_it_is() {
    let world = World::new("claude", "cat \"$stream/claude-say.jsonl\"");
    let hostile =
        OsString::from_vec(b"--help $(touch pwned) `touch pwned` '\"\\ \xff\x1b[2J\n{session}{prompt}\n".to_vec());
    let line: Vec<OsString> =
        ["run", "--backend", "claude", "--"].map(OsString::from).into_iter().chain([hostile.clone()]).collect();
    assert_eq!(world.run(&line).status.code(), Some(0));
    assert_eq!(world.stdin(0), hostile.clone().into_vec());
    assert!(!world.jobs.sandbox.join("pwned").exists());
    let shown = world.ok(&["jobs", "show", "j1"]) + &world.ok(&["jobs"]);
    assert!(!shown.contains('\x1b'), "{shown}");
    // No argument of a program may be so long.
    let long = format!("-x {}", "word ".repeat(40_000));
    let mut child =
        world.agents(&["run", "--backend", "claude", "-"]).stdin(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("its input").write_all(long.as_bytes()).expect("written");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(world.stdin(1), long.as_bytes());
    for (line, told) in [
        (&["run", "--backend", "claude", " "][..], "the prompt is empty"),
        (&["run", "--backend", "claude", "two", "words"], "several words"),
        (&["run", "--backend", "claude"], "no prompt"),
        (&["run", "--backend", "claude", "--phases", "a,,b", "x"], "`--phases` takes"),
        (&["run", "--phases", "a", "x"], "--backend"),
    ] {
        let output = world.run(line);
        assert!(output.status.code() != Some(0) && err(&output).contains(told), "{line:?}: {}", err(&output));
    }
    assert_eq!(world.jobs.jobs().len(), 2);
}

#[test]
fn phases_are_steps_in_one_conversation() {
    let world = World::new("claude", "cat \"$stream/claude-say.jsonl\"");
    let id = world.background(&["--backend", "claude", "--phases", "analyze, plan,build", "make it {fast}"]);
    let job = world.jobs.over(id);
    assert_eq!((job.state, job.error.as_deref()), (JobState::Done, None));
    assert_eq!(job.spec.steps.iter().map(|s| s.desc.as_str()).collect::<Vec<_>>(), ["analyze", "plan", "build"]);
    assert_eq!(world.calls(), 3);
    assert!(!world.argv(0).contains(&"--resume".into()));
    for n in [1, 2] {
        assert_eq!(world.argv(n).last_chunk(), Some(&["--resume".to_owned(), SESSION.to_owned()]), "{n}");
    }
    let said = |n| String::from_utf8(world.stdin(n)).expect("text");
    assert!(said(0).starts_with("make it {fast}\n") && said(0).contains("phase 1 of 3 now: analyze."), "{}", said(0));
    assert!(said(1).contains("phase 2 of 3 of the same task: plan."), "{}", said(1));
    // Counts of all phases.
    assert_eq!((job.progress.model_calls, job.cost_usd.map(|usd| (usd * 1e6).round())), (3, Some(3000.0)));
    assert_eq!(job.usage.expect("usage")["input_tokens"], 300);
    assert!(job.steps.iter().all(|run| run.session.as_deref() == Some(SESSION)));
}

#[test]
fn somebody_is_asked_before_the_first_phase_and_after_each() {
    let world = World::new("claude", "cat \"$stream/claude-say.jsonl\"");
    let id = world.background(&["--interactive", "--backend", "claude", "--phases", "a,b", "x"]);
    let paused = |step: usize| {
        wait_until(30, "it waits", || {
            let job = world.jobs.job(id);
            job.state == JobState::Paused && job.step == step
        });
    };
    paused(0);
    assert_eq!(world.calls(), 0);
    world.ok(&["jobs", "approve", "j1", "continue"]);
    paused(1);
    assert_eq!(world.calls(), 1);
    // The phase once more: a new conversation.
    world.ok(&["jobs", "approve", "j1", "retry"]);
    wait_until(30, "it ran again", || world.calls() == 2);
    paused(1);
    assert!(!world.argv(1).contains(&"--resume".into()));
    // The runner is killed: the conversation is not lost with it.
    let runner = process(world.jobs.job(id).runner.expect("a runner"));
    assert!(runner.signal(Signal::KILL));
    wait_until(30, "the runner is gone", || !runner.is_alive());
    world.ok(&["jobs", "approve", "j1", "continue"]);
    assert_eq!(world.jobs.over(id).state, JobState::Done);
    assert_eq!(world.argv(2).last().map(String::as_str), Some(SESSION));
}

#[test]
fn an_error_in_the_stream_is_a_failure_whatever_the_exit_code_is() {
    for (cli, file, words) in [
        ("claude", "claude-limit", "API Error: Request rejected (429)"),
        ("codex", "codex-limit", "You’ve hit your usage limit."),
        ("opencode", "opencode-refused", "The user rejected permission"),
        ("gemini", "gemini-limit", "You have exhausted your daily quota"),
    ] {
        let world = World::new(cli, &format!("cat \"$stream/{file}.jsonl\""));
        let output = world.run(&["run", "--backend", cli, "x"]);
        let job = world.jobs.job(JobId(1));
        assert_eq!((job.state, job.exit), (JobState::Failed, Some(Exit::Code(0))), "{cli}");
        assert!(job.error.as_ref().is_some_and(|error| error.contains(words)), "{cli}: {:?}", job.error);
        assert_eq!(output.status.code(), Some(1), "{cli}");
        assert!(err(&output).contains(words) && out(&output).contains(words), "{cli}: {output:?}");
    }
    let world = World::new("gemini", "echo 'Error resuming session: no such session' >&2; exit 42");
    let output = world.run(&["run", "--backend", "gemini", "x"]);
    assert_eq!(output.status.code(), Some(42));
    assert_eq!(world.jobs.job(JobId(1)).error.as_deref(), Some("Error resuming session: no such session"));
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_queued() {
    let world = World::new("claude", "true");
    for (backend, code, told) in [
        ("vim", 3, "there is no backend `vim`\nhint: known are claude, codex, opencode, gemini"),
        ("codex-not-there", 3, "there is no backend"),
        ("", 3, "there is no backend ``"),
    ] {
        let output = world.run(&["run", "--backend", backend, "x"]);
        assert!(output.status.code() == Some(code) && err(&output).contains(told), "{backend}: {}", err(&output));
    }
    // Known, and not installed.
    let output =
        world.agents(&["run", "-b", "--backend", "claude", "x"]).env("PATH", "/nowhere").output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains("there is no program `claude`\nhint: the backend `claude` runs it"),
        "{}",
        err(&output)
    );
    assert!(!world.jobs.dir().join("jobs.db").exists());
}

#[test]
fn a_job_whose_runner_was_killed_goes_on_in_its_conversation() {
    let world = World::new("claude", BEGINS);
    let id = world.background(&["--backend", "claude", "long work"]);
    let job = world.talking(id);
    kill(&job, true);
    world.ok(&["jobs"]);
    assert_eq!(world.jobs.over(id).state, JobState::Interrupted);
    world.act("cat \"$stream/claude-say.jsonl\"");
    world.ok(&["jobs", "resume", "j1"]);
    let job = world.jobs.over(id);
    assert_eq!((job.state, job.agent_session.as_deref()), (JobState::Done, Some(SESSION)));
    assert_eq!(world.argv(1).last().map(String::as_str), Some(SESSION));
    let said = String::from_utf8(world.stdin(1)).expect("text");
    assert!(said.starts_with("You were cut off while you worked on this."), "{said}");
    // Afresh: another conversation.
    world.ok(&["jobs", "retry", "j1"]);
    wait_until(30, "it ran again", || world.calls() == 3 && world.jobs.job(id).state == JobState::Done);
    assert!(!world.argv(2).contains(&"--resume".into()));
    assert_eq!((world.stdin(2), world.jobs.job(id).progress.model_calls), (b"long work".to_vec(), 1));
}

#[test]
fn what_was_cut_off_before_it_had_a_conversation_begins_again() {
    let world = World::new("claude", "exec sleep 1000");
    let id = world.background(&["--backend", "claude", "long work"]);
    wait_until(30, "it was told", || world.calls() == 1);
    kill(&world.jobs.running(id), true);
    world.ok(&["jobs"]);
    assert_eq!(world.jobs.over(id).state, JobState::Interrupted);
    world.act("cat \"$stream/claude-say.jsonl\"");
    world.ok(&["jobs", "resume", "j1"]);
    assert_eq!(world.jobs.over(id).state, JobState::Done);
    assert!(!world.argv(1).contains(&"--resume".into()));
    assert_eq!(world.stdin(1), b"long work");
}

#[test]
fn a_phase_that_was_cancelled_goes_on_where_it_stopped() {
    let world = World::new("claude", "cat \"$stream/claude-say.jsonl\"");
    world.act("if [ $n = 1 ]; then head -n 1 \"$stream/claude-say.jsonl\"; exec sleep 1000; fi; cat \"$stream/claude-say.jsonl\"");
    let id = world.background(&["--backend", "claude", "--phases", "a,b,c", "x"]);
    wait_until(30, "the second phase has its conversation", || {
        world.jobs.job(id).steps.get(1).is_some_and(|run| run.session.is_some())
    });
    world.ok(&["jobs", "cancel", "j1"]);
    assert_eq!(world.jobs.over(id).state, JobState::Cancelled);
    world.ok(&["jobs", "resume", "j1"]);
    let job = world.jobs.over(id);
    assert_eq!((job.state, world.calls()), (JobState::Done, 4));
    let said = |n| String::from_utf8(world.stdin(n)).expect("text");
    assert!(said(2).starts_with("You were cut off") && said(3).contains("phase 3 of 3"), "{} {}", said(2), said(3));
    assert!((1..4).all(|n| world.argv(n).last().is_some_and(|word| word == SESSION)));
}

#[test]
fn files_that_are_not_what_they_were_are_counted() {
    let world = World::new("claude", "cd \"$home/repo\"; echo x > a; echo y > b; cat \"$stream/claude-say.jsonl\"");
    let repo = world.jobs.sandbox.join("repo");
    fs::create_dir(&repo).expect("made");
    let made = Command::new("git").args(["init", "-q"]).current_dir(&repo).status().expect("git");
    assert!(made.success());
    world.ok(&["run", "--dir", "repo", "--backend", "claude", "x"]);
    let job = world.jobs.job(JobId(1));
    assert_eq!((job.files_changed, job.last_event.as_deref()), (Some(2), Some("Complete! Modified 2 files")));
    world.ok(&["run", "--dir", "repo", "--backend", "claude", "x"]);
    assert_eq!(world.jobs.job(JobId(2)).last_event.as_deref(), Some("Complete! Modified 0 files"));
}

const CONFIG: &str = "[defaults]\nsession_prefix = 'p-'\nlog_dir = 'l'\n";

#[test]
fn backends_of_a_project_are_those_of_its_config() {
    let world = World::new("claude", "cat \"$stream/claude-say.jsonl\"");
    let config = format!(
        "{CONFIG}[env]\ndeny = ['SECRET']\n[backend.mine]\nbin = 'claude --model \"a b\"'\nflags = '--yes'\n\
         [backend.other]\nbin = 'vim'\n[backend.shelly]\nbin = 'cd x && claude'\npreset = 'claude'\n\
         [backend.own]\njob_command = ['claude', '--id={{session}}', '{{prompt}}']\n"
    );
    fs::write(world.jobs.sandbox.join("agents.toml"), config).expect("written");
    let mut command = world.agents(&["run", "--backend", "mine", "x"]);
    assert_eq!(command.env("SECRET", "s").output().expect("it starts").status.code(), Some(0));
    assert_eq!(world.argv(0)[..4], ["--model", "a b", "--yes", "-p"]);
    assert!(!world.jobs.read("env-0").contains("SECRET"));
    for (backend, told) in [
        ("claude", "there is no backend `claude`\nhint: known are mine, other, shelly, own"),
        (
            "other",
            "nobody knows how the backend `other` works without a terminal\nhint: say how in its table: `job_command",
        ),
        ("shelly", "`bin` of the backend `shelly` needs a shell (`&`)"),
    ] {
        let output = world.run(&["run", "-b", "--backend", backend, "x"]);
        assert!(output.status.code() == Some(3) && err(&output).contains(told), "{backend}: {}", err(&output));
    }
    // The user's own line: words for people, and a conversation whose name we give.
    world.act("echo done; exit 0");
    let shown = world.ok(&["run", "--backend", "own", "--phases", "a,b", "--", "-- x $(id)"]);
    assert_eq!(shown, "done\ndone\n");
    let (first, second) = (world.argv(1), world.argv(2));
    assert!(first[0].starts_with("--id=") && first[0].len() == 5 + 36, "{first:?}");
    assert_eq!((&first[0], first[1].as_str()), (&second[0], "-- x $(id)"));
    assert!(second[1].contains("phase 2 of 2"), "{second:?}");
    assert_eq!(world.stdin(1), b"");
    let shown: Value = serde_json::from_str(&world.ok(&["jobs", "show", "j2", "--json"])).expect("JSON");
    assert_eq!((&shown["backend"], shown["agent_session"].as_str()), (&"own".into(), first[0].strip_prefix("--id=")));
}

#[test]
fn a_job_file_has_prompts_and_commands() {
    let world = World::new("claude", "echo agent >> \"$home/ran\"; cat \"$stream/claude-say.jsonl\"");
    let file = r#"{"backend": "claude", "dir": ".", "steps": [{"cmd": "echo one >> ran; echo '::progress 1/2 half'"}, {"desc": "Mend", "prompt": "mend it"},
        {"cmd": ["sh", "-c", "echo two >> ran"]}, {"prompt": "and this"}]}"#;
    fs::write(world.jobs.sandbox.join("job.json"), file).expect("written");
    world.ok(&["run", "job.json"]);
    assert_eq!(world.jobs.read("ran"), "one\nagent\ntwo\nagent\n");
    assert_eq!((world.stdin(0), world.stdin(1)), (b"mend it".to_vec(), b"and this".to_vec()));
    assert_eq!(world.argv(1).last().map(String::as_str), Some(SESSION), "one conversation");
    let job = world.jobs.job(JobId(1));
    assert_eq!((job.progress.done, job.progress.model_calls), (Some(1), 2));
    assert_eq!((job.spec.steps[0].timeout.is_some(), job.spec.steps[1].timeout), (true, None));
    // Another agent for the same work.
    let output = world.run(&["run", "--backend", "vim", "job.json"]);
    assert!(output.status.code() == Some(3) && err(&output).contains("there is no backend `vim`"));
    let faults = r#"{"steps": [{"prompt": "x", "cmd": "y"}, {"prompt": " "}, {"prompt": 5}, {"promt": "x"}]}"#;
    fs::write(world.jobs.sandbox.join("bad.json"), faults).expect("written");
    let told = err(&world.run(&["run", "bad.json"]));
    for part in ["stands beside a `cmd`", "is empty", "is a whole number; text is wanted", "did you mean `prompt`?"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    fs::write(world.jobs.sandbox.join("none.json"), r#"{"dir": ".", "steps": [{"prompt": "x"}]}"#).expect("written");
    let told = err(&world.run(&["run", "none.json"]));
    assert!(told.contains("the job has a prompt, and no backend"), "{told}");
    assert_eq!(world.jobs.jobs().len(), 1);
}

#[test]
fn a_model_is_asked_for_on_the_line_or_in_the_file_and_stays_for_all_prompts() {
    let world = World::new("claude", "cat \"$stream/claude-say.jsonl\"");
    world.ok(&["run", "--backend", "claude", "--model", "opus", "--phases", "a,b", "x"]);
    for n in [0, 1] {
        assert_eq!(world.argv(n)[..3], ["--model", "opus", "-p"], "{n}");
    }
    let shown: Value = serde_json::from_str(&world.ok(&["jobs", "show", "j1", "--json"])).expect("JSON");
    assert_eq!(shown["model"], "opus");
    assert!(world.ok(&["jobs", "show", "j1"]).contains("  backend   claude (opus), conversation "));
    let file = r#"{"backend": "claude", "model": "haiku", "tmux": false, "dir": ".", "steps": [{"prompt": "x"}]}"#;
    fs::write(world.jobs.sandbox.join("job.json"), file).expect("written");
    world.ok(&["run", "job.json"]);
    assert_eq!(world.argv(2)[..2], ["--model", "haiku"]);
    world.ok(&["run", "--model", "opus", "job.json"]);
    assert_eq!(world.argv(3)[..2], ["--model", "opus"], "the line counts more");
    for (line, code, told) in [
        (&["--model", "opus", "true"][..], 2, "`--model` for a job without a prompt"),
        (&["--backend", "claude", "--model", "a b", "x"], 2, "`a b` cannot be the name of a model"),
        (&["--backend", "claude", "--model", "{session}", "x"], 2, "cannot be the name of a model"),
    ] {
        let output = world.run(&[&["run"], line].concat());
        assert!(output.status.code() == Some(code) && err(&output).contains(told), "{line:?}: {}", err(&output));
    }
    // As the backend of a project says.
    let config = format!(
        "{CONFIG}[backend.claude]\nbin = 'claude'\nmodel_flag = '-m={{model}}'\nflags = '--yes'\n\
         [backend.own]\njob_command = ['claude', 'with={{model}}']\n"
    );
    fs::write(world.jobs.sandbox.join("agents.toml"), config).expect("written");
    world.ok(&["run", "--backend", "claude", "--model", "opus", "x"]);
    assert_eq!(world.argv(4)[..3], ["-m=opus", "--yes", "-p"]);
    world.ok(&["run", "--backend", "own", "--model", "opus", "x"]);
    assert_eq!(world.argv(5), ["with=opus"]);
    let output = world.run(&["run", "--backend", "own", "x"]);
    assert!(output.status.code() == Some(3) && err(&output).contains("has to be told a model"), "{}", err(&output));
    assert_eq!(world.calls(), 6);
}

#[test]
fn without_room_on_the_machine_a_prompt_waits_and_says_for_what() {
    let world = World::new("claude", "cat \"$stream/claude-say.jsonl\"");
    let config = |memory: &str| {
        let text = format!("{CONFIG}[host]\nmin_memory = '{memory}'\nretry = 0.1\n[backend.claude]\nbin = 'claude'\n");
        fs::write(world.jobs.sandbox.join("agents.toml"), text).expect("written");
    };
    config("1000TB");
    let id = world.background(&["--backend", "claude", "--timeout", "1h", "x"]);
    let json = || -> Value { serde_json::from_str(&world.ok(&["jobs", "show", "j1", "--json"])).expect("JSON") };
    wait_until(30, "it is said", || {
        json()["last_event"].as_str().is_some_and(|said| said.starts_with("waits for room: "))
    });
    let shown = world.ok(&["jobs"]);
    assert!(shown.contains("waits for room: "), "{shown}");
    assert!(json()["last_event"].as_str().is_some_and(|said| said.contains("`min_memory` of [host] is 1000000.0 GB")));
    // Commands are no agents.
    world.ok(&["run", "true"]);
    world.ok(&["stop", &id.to_string()]);
    assert_eq!((json()["state"].as_str(), world.calls()), (Some("cancelled"), 0));
    let output = world.run(&["run", "--timeout", "300ms", "--backend", "claude", "x"]);
    assert!(output.status.code() == Some(1) && err(&output).contains("it ran longer than 300ms"), "{}", err(&output));
    config("1MB");
    world.ok(&["run", "--backend", "claude", "x"]);
    assert_eq!(world.calls(), 1);
}
