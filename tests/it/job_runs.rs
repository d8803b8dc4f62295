//! The verbs of jobs on jobs that run: real processes, real runners.
use crate::{
    job_files::example,
    job_verbs::{Home, err},
    sandbox::wait_until,
};
use agents::{model::job::JobId, world::process::ProcId};
use rustix::process::Signal;
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

fn show(home: &Home, id: &str) -> Value {
    home.json(&["jobs", "show", id, "--json"])
}

fn state(home: &Home, id: &str) -> String {
    show(home, id)["state"].as_str().expect("a state").to_owned()
}

/// A line that goes on once a file is there, and that nothing else ends.
fn until_there(file: &std::path::Path) -> String {
    format!("while ! [ -e '{}' ]; do sleep 0.02; done", file.display())
}

#[test]
fn the_example_of_two_steps_runs_in_a_folder_of_its_own() {
    let home = Home::new();
    let file = example("two-steps.json").to_string_lossy().into_owned();
    let shown = home.ok(&["run", &file]);
    assert!(shown.contains("Hello from a job"), "{shown}");
    let job = show(&home, "two-steps");
    assert_eq!((&job["state"], &job["exit"], &job["step"].is_u64()), (&"done".into(), &0.into(), &true));
    for step in job["steps"].as_array().expect("steps") {
        assert_eq!((&step["state"], &step["exit"]), (&"done".into(), &0.into()));
    }
    let dir = job["dir"].as_str().expect("a folder");
    assert!(dir.starts_with(&*home.state().join("jobs/two-steps-").to_string_lossy()), "{dir}");
    assert_eq!(fs::read_to_string(format!("{dir}/hello.txt")).expect("its file"), "Hello from a job\n");
    assert!(!home.path().join("hello.txt").exists());
    assert!(home.ok(&["jobs", "show", "two-steps"]).contains("1 ✓ done        Write · exit 0"));
}

#[test]
fn the_example_of_three_runs_them_side_by_side() {
    let home = Home::new();
    let file = example("sorting.json").to_string_lossy().into_owned();
    let shown = home.ok(&["run", &file]);
    let mut lines: Vec<&str> = shown.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["j1 is done", "j2 is done", "j3 is done"]);
    assert_eq!(home.ok(&["logs", "merge-sort"]).trim(), "1500");
}

#[test]
fn one_bad_file_among_several_and_nothing_is_queued() {
    let home = Home::new();
    let write = |name: &str, text: &str| fs::write(home.path().join(name), text).expect("a file");
    write("good.json", r#"{"steps": [{"cmd": "true"}]}"#);
    write("bad.json", "{\"steps\": [\n  {\"cmdd\": \"true\"}]}");
    write("worse.toml", "steps = 1");
    fs::write(home.path().join("bytes.json"), b"{\n\xff}").expect("a file");
    let told = home.fails(1, &["run", "-b", "good.json", "bad.json", "worse.toml", "bytes.json", "gone.json"]);
    for part in [
        "unknown key `cmdd`",
        "bad.json:2:4",
        "hint: did you mean `cmd`?",
        "`steps` of the job is a whole number",
        "`bytes.json` cannot be read: line 2 is not UTF-8",
        "`gone.json` cannot be read",
        "nothing was queued",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(home.ok(&["jobs"]), "no jobs\n");
    assert_eq!(home.ok(&["run", "-b", "good.json"]), "j1\n");
}

#[test]
fn jobs_of_a_file_come_after_each_other_by_name() {
    let home = Home::new();
    let text = r#"[
        {"name": "last", "after": "first", "dir": ".", "steps": [{"cmd": "cat made"}]},
        {"name": "first", "dir": ".", "steps": [{"cmd": "echo made > made"}]},
        {"name": "bad", "dir": ".", "steps": [{"cmd": "exit 3"}]},
        {"name": "never", "after": ["bad", "first"], "dir": ".", "steps": [{"cmd": "touch never"}]}
    ]"#;
    fs::write(home.path().join("jobs.json"), text).expect("a file");
    let output = home.run(&["run", "jobs.json"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert_eq!(home.ok(&["logs", "last"]), "made\n");
    assert_eq!((state(&home, "bad").as_str(), state(&home, "never").as_str()), ("failed", "skipped"));
    assert!(!home.path().join("never").exists());
    fs::write(home.path().join("circle.json"), r#"[{"name": "a", "after": "a", "steps": [{"cmd": "true"}]}]"#)
        .expect("x");
    assert!(home.fails(1, &["run", "circle.json"]).contains("wait for each other"));
}

#[test]
fn flags_count_more_than_what_the_file_says() {
    let home = Home::new();
    home.ok(&["jobs", "limit", "--group", "slow", "0"]);
    let text =
        r#"{"name": "x", "env": {"A": "file", "B": "file"}, "priority": 1, "steps": [{"cmd": "echo $A $B $PWD"}]}"#;
    fs::write(home.path().join("x.json"), text).expect("a file");
    let line =
        ["run", "-b", "--group", "slow", "--priority", "7", "--name", "y", "--env", "A=line", "--dir", "/", "x.json"];
    assert_eq!(home.ok(&line), "j1\n");
    let job = show(&home, "y");
    assert_eq!((&job["group"], &job["priority"], &job["state"]), (&"slow".into(), &7.into(), &"queued".into()));
    home.ok(&["jobs", "limit", "--group", "slow", "1"]);
    assert_eq!(home.ok(&["jobs", "wait", "y"]), "j1 is done\n");
    assert_eq!(home.ok(&["logs", "y"]), "line file /\n");
}

#[test]
fn a_job_gets_no_more_memory_than_it_may() {
    let home = Home::new();
    let shown = home.ok(&["run", "--mem", "2GB", "ulimit -v"]);
    assert_eq!(shown.trim(), (2_000_000_000 / 1024).to_string());
    assert!(home.fails(2, &["run", "--mem", "5", "true"]).contains("it is less than 1MB"));
    assert!(home.fails(2, &["run", "--mem", "much", "true"]).contains("is not a size"));
}

#[test]
fn a_batch_is_a_job_for_every_line() {
    let home = Home::new();
    let mut command = home.command(&["run", "-b", "--batch", "-"]);
    let mut batch = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
    batch.stdin.take().expect("stdin").write_all(b"echo one\n\nexit 4\necho three\n").expect("lines");
    let output = batch.wait_with_output().expect("an end");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "j1\nj2\nj3\n");
    let output = home.run(&["jobs", "wait", "j1", "j2", "j3"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "j1 is done\nj2 is failed, exit 4\nj3 is done\n");
    assert_eq!(home.ok(&["logs", "j3"]), "three\n");
    assert!(home.fails(1, &["run", "-b", "--batch", "gone"]).contains("`gone` cannot be read"));
}

#[test]
fn a_held_job_starts_when_it_is_released_and_a_queued_one_when_the_limit_grows() {
    let home = Home::new();
    assert_eq!(home.ok(&["run", "-b", "--hold", "--name", "held", "true"]), "j1\n");
    assert_eq!(state(&home, "held"), "held");
    assert_eq!(home.ok(&["jobs", "release", "held"]), "j1 is queued\n");
    assert_eq!(home.ok(&["jobs", "wait", "held"]), "j1 is done\n");
    home.ok(&["jobs", "limit", "0"]);
    assert_eq!(home.ok(&["run", "-b", "true"]), "j2\n");
    assert_eq!(state(&home, "j2"), "queued");
    home.ok(&["jobs", "limit", "1"]);
    assert_eq!(home.ok(&["jobs", "wait", "j2"]), "j2 is done\n");
}

#[test]
fn a_job_that_failed_is_retried_from_the_start_and_resumed_where_it_ended() {
    let home = Home::new();
    let text =
        r#"{"name": "x", "dir": ".", "steps": [{"cmd": "echo one >> ran"}, {"cmd": "echo two >> ran; test -e ok"}]}"#;
    fs::write(home.path().join("x.json"), text).expect("a file");
    assert_eq!(home.run(&["run", "x.json"]).status.code(), Some(1));
    assert!(home.fails(1, &["jobs", "hold", "x"]).contains("j1 is failed: it cannot be held"));
    fs::write(home.path().join("ok"), "").expect("a file");
    home.ok(&["jobs", "resume", "x"]);
    home.ok(&["jobs", "wait", "x"]);
    assert_eq!(fs::read_to_string(home.path().join("ran")).expect("a file"), "one\ntwo\ntwo\n");
    home.ok(&["jobs", "retry", "x"]);
    home.ok(&["jobs", "wait", "x"]);
    assert_eq!(fs::read_to_string(home.path().join("ran")).expect("a file"), "one\ntwo\ntwo\none\ntwo\n");
    assert_eq!(show(&home, "x")["attempt"], 3);
}

#[test]
fn stop_returns_when_nothing_of_the_job_is_left() {
    let home = Home::new();
    home.ok(&["init"]);
    let config = home.path().join("agents.toml");
    let text = fs::read_to_string(&config).expect("a config") + "\n[jobs]\nstop_grace = \"300ms\"\n";
    fs::write(&config, text).expect("a config");
    let pids = home.path().join("pids");
    // Deaf to what asks it to end, and so is its child in a session of its own.
    let deaf = "trap '' TERM HUP INT; echo $$ >> pids; while :; do sleep 0.1; done";
    fs::write(home.path().join("deaf"), deaf).expect("a script");
    home.ok(&["run", "-b", "--name", "deaf", "setsid sh deaf & exec sh deaf"]);
    let known = || -> Vec<ProcId> {
        let text = fs::read_to_string(&pids).unwrap_or_default();
        text.lines().filter_map(|l| ProcId::of(l.parse().ok()?)).collect()
    };
    wait_until(20, "both have begun", || known().len() == 2);
    let all = known();
    assert_eq!(home.ok(&["stop", "deaf"]), "j1 is cancelled\n");
    assert!(all.iter().all(|p| !p.is_alive()), "{all:?}");
    let job = show(&home, "deaf");
    assert_eq!((&job["state"], &job["signal"]), (&"cancelled".into(), &9.into()));
}

#[test]
fn a_signal_ends_all_jobs_of_the_foreground() {
    let home = Home::new();
    let job =
        |name: &str| format!(r#"{{"name": "{name}", "dir": ".", "steps": [{{"cmd": "touch {name}; sleep 1000"}}]}}"#);
    fs::write(home.path().join("two.json"), format!("[{}, {}]", job("a"), job("b"))).expect("a file");
    let mut here = home.command(&["run", "two.json"]);
    let here = here.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
    wait_until(20, "both run", || ["a", "b"].iter().all(|name| home.path().join(name).exists()));
    assert!(ProcId::of(here.id()).expect("a process").signal(Signal::INT));
    let output = here.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert_eq!((state(&home, "a").as_str(), state(&home, "b").as_str()), ("cancelled", "cancelled"));
}

#[test]
fn a_log_is_followed_until_its_job_is_over() {
    let home = Home::new();
    let go = home.path().join("go");
    let line = format!("echo one; {}; printf two", until_there(&go));
    home.ok(&["run", "-b", "--name", "talks", &line]);
    let mut follower = home.command(&["logs", "talks", "-f"]);
    let mut follower = follower.stdout(Stdio::piped()).spawn().expect("a process");
    let mut told = BufReader::new(follower.stdout.take().expect("stdout"));
    let mut line = String::new();
    told.read_line(&mut line).expect("a line");
    assert_eq!(line, "one\n");
    fs::write(&go, "").expect("a file");
    line.clear();
    told.read_line(&mut line).expect("a line");
    assert_eq!(line, "two\n");
    assert_eq!(follower.wait().expect("an end").code(), Some(0));
}

#[test]
fn whoever_waits_hears_of_a_runner_that_was_killed() {
    let home = Home::new();
    let go = home.path().join("go");
    home.ok(&["run", "-b", "--name", "orphan", &until_there(&go)]);
    wait_until(20, "it runs", || show(&home, "orphan")["pid"].is_u64());
    let job = home.store().job(JobId(1)).expect("a store").expect("a job");
    let [runner, child] = [job.runner, job.child].map(|mark| {
        let mark = mark.expect("a process");
        ProcId { pid: mark.pid, start: mark.start }
    });
    let mut waiter = home.command(&["jobs", "wait", "orphan"]);
    let waiter = waiter.stdout(Stdio::piped()).spawn().expect("a process");
    assert!(runner.signal(Signal::KILL));
    assert!(child.signal(Signal::KILL));
    let output = waiter.wait_with_output().expect("an end");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.starts_with("j1 is interrupted"), "{shown}");
    assert_eq!(show(&home, "orphan")["exit"], Value::Null);
}

#[test]
fn jobs_of_a_project_are_kept_with_it() {
    let home = Home::new();
    home.ok(&["init", "project"]);
    let project = home.path().join("project");
    let run = |line: &[&str]| home.command(line).current_dir(&project).output().expect("a process");
    let output = run(&["run", "echo here"]);
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"here\n"[..]), "{}", err(&output));
    assert!(project.join(".agents/jobs.db").exists());
    assert_eq!(fs::read_to_string(project.join(".agents/.gitignore")).expect("kept out of git"), "*\n");
    let listed: Value = serde_json::from_slice(&run(&["jobs", "--json"]).stdout).expect("JSON");
    assert_eq!(listed[0]["dir"], project.canonicalize().expect("a path").to_string_lossy().as_ref());
    assert_eq!(home.ok(&["jobs"]), "no jobs\n");
    assert_eq!(run(&["logs", "j1"]).stdout, b"here\n");
}

#[test]
fn the_slots_and_folders_of_a_project_are_as_many_as_its_config_says() {
    let home = Home::new();
    home.ok(&["init"]);
    let config = home.path().join("agents.toml");
    let text = fs::read_to_string(&config).expect("a config") + "\n[jobs]\nslots = 1\nkeep_dirs = 1\n";
    fs::write(&config, text).expect("a config");
    // Each sees how many run beside it: the folder of the fleet is one for all.
    let all = home.path().display();
    let line = format!("mkdir '{all}/taken' && sleep 0.1 && rmdir '{all}/taken'");
    let job = |name: &str| serde_json::json!({"name": name, "steps": [{"cmd": line}, {"cmd": "pwd"}]});
    let jobs: Vec<Value> = ["a", "b", "c"].map(job).into();
    fs::write(home.path().join("jobs.json"), serde_json::to_string(&jobs).expect("JSON")).expect("a file");
    home.ok(&["run", "jobs.json"]);
    assert_eq!(home.ok(&["jobs", "limit"]), "default: 0 of 1 running, 0 queued\n");
    let dirs = || fs::read_dir(home.path().join(".agents/jobs")).map_or(0, Iterator::count);
    wait_until(20, "old folders are gone", || dirs() == 1);
    assert!(
        home.path()
            .join(".agents/jobs")
            .read_dir()
            .expect("a folder")
            .flatten()
            .all(|entry| { entry.file_name().to_string_lossy().starts_with("c-") })
    );
}
