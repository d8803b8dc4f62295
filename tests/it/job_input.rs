//! `agents run --stdin`: what the command is given to read is what its job reads, whenever that begins.
use crate::{
    job_verbs::err,
    jobs_world::JobWorld,
    sandbox::{Sandbox, wait_until},
};
use agents::model::job::{JobId, JobState};
use std::{
    fs::{self, File},
    io::Write,
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Command, Output, Stdio},
};

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `agents LINE`, given `input`.
fn given(world: &JobWorld, line: &[&str], input: &[u8]) -> Output {
    let mut command = world.agents(line);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    let writer = std::thread::spawn({
        let input = input.to_vec();
        // Who reads no more is no mistake.
        move || stdin.write_all(&input).is_ok()
    });
    let output = child.wait_with_output().expect("it ends");
    let _ = writer.join();
    output
}

/// A shell that knows this program as `$agents`.
fn shell(world: &JobWorld, line: &str) -> Output {
    let base = world.agents(&[]);
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(line).current_dir(world.sandbox.path()).env_clear().stdin(Stdio::null());
    command.envs(base.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("agents", Sandbox::exe());
    command.output().expect("a shell")
}

#[test]
fn every_byte_comes_in_its_order_and_then_the_end() {
    let world = JobWorld::new();
    let output = given(&world, &["run", "--stdin", "cat"], b"hi\n");
    assert_eq!((output.status.code(), out(&output), err(&output)), (Some(0), "hi\n".into(), String::new()));
    let many: Vec<u8> = (0..1_500_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let output = given(&world, &["run", "--stdin", "--", "sh", "-c", "cat > copy"], &many);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(fs::read(world.sandbox.join("copy")).expect("a copy") == many);
    assert_eq!(out(&given(&world, &["run", "--stdin", "wc -c"], b"")).trim(), "0");
    // A file, and a socket, as some programs give it.
    fs::write(world.sandbox.join("three"), "1\n2\n3\n").expect("written");
    assert_eq!(out(&shell(&world, "\"$agents\" run --stdin 'wc -l' < three")).trim(), "3");
    assert_eq!(out(&shell(&world, "(read x; \"$agents\" run --stdin 'cat') < three")), "2\n3\n");
    let (ours, theirs) = UnixStream::pair().expect("a socket");
    (&ours).write_all(b"by a socket\n").expect("written");
    ours.shutdown(std::net::Shutdown::Write).expect("shut");
    let output = world.agents(&["run", "--stdin", "cat"]).stdin(OwnedFd::from(theirs)).output().expect("it starts");
    assert_eq!(out(&output), "by a socket\n");
}

#[test]
fn without_it_nothing_is_read_so_a_loop_keeps_its_lines() {
    let world = JobWorld::new();
    fs::write(world.sandbox.join("list"), "a\nb\nc\n").expect("written");
    let output = shell(&world, "while read l; do \"$agents\" run \"cat; echo got $l\"; done < list");
    assert_eq!(out(&output), "got a\ngot b\ngot c\n");
}

#[test]
fn what_is_not_read_holds_nobody_up() {
    let world = JobWorld::new();
    let output = shell(&world, "yes | \"$agents\" run --stdin 'head -n 1'");
    assert_eq!(out(&output), "y\n");
    let output = shell(&world, "yes | \"$agents\" run --stdin 'exec < /dev/null; echo closed'");
    assert_eq!(out(&output), "closed\n");
    // What is given never ends, and the job does.
    let (_open, theirs) = UnixStream::pair().expect("a socket");
    let output = world.agents(&["run", "--stdin", "true"]).stdin(OwnedFd::from(theirs)).output().expect("it starts");
    assert_eq!(output.status.code(), Some(0));
    // Not the job's mistake, nor for ever.
    let folder = File::open(world.sandbox.path()).expect("a folder");
    let output = world.agents(&["run", "--stdin", "wc -c"]).stdin(folder).output().expect("it starts");
    assert!(err(&output).contains("standard input cannot be read: Is a directory"), "{}", err(&output));
    assert_eq!((output.status.code(), out(&output).trim()), (Some(0), "0"));
}

#[test]
fn it_waits_with_its_job_whoever_runs_it() {
    let world = JobWorld::new();
    world.run(&["jobs", "limit", "1"]);
    let first = world.background(&["while ! [ -e go ]; do sleep 0.02; done"]);
    world.running(first);
    let mut child = world.agents(&["run", "--stdin", "cat"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    // More than a pipe holds, and all of it is written before the job begins.
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(&[b'x'; 100_000]).expect("written");
    drop(stdin);
    wait_until(30, "it waits", || world.jobs().len() == 2);
    assert_eq!(world.jobs()[0].state, JobState::Queued);
    fs::write(world.sandbox.join("go"), "").expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 100_000));
}

#[test]
fn it_can_be_read_once_and_while_its_command_runs() {
    let world = JobWorld::new();
    let file = r#"{"dir": ".", "steps": [{"cmd": "wc -c"}, {"cmd": "wc -c; test -t 0 && echo terminal; exit 1"}]}"#;
    fs::write(world.sandbox.join("two.json"), file).expect("written");
    let output = given(&world, &["run", "--stdin", "two.json"], b"words");
    let counts: Vec<String> = out(&output).lines().map(|line| line.trim().to_owned()).collect();
    assert_eq!((output.status.code(), counts), (Some(1), vec!["5".to_owned(), "0".to_owned()]));
    // The step that had it is over.
    assert_eq!(world.run(&["jobs", "resume", "j1"]).status.code(), Some(0));
    wait_until(30, "it ran again", || world.job(JobId(1)).attempt == 2 && world.job(JobId(1)).state.is_over());
    assert!(!world.job(JobId(1)).error.unwrap_or_default().contains("standard input"));
    assert_eq!(world.run(&["jobs", "retry", "j1"]).status.code(), Some(0));
    wait_until(30, "it was tried again", || world.job(JobId(1)).attempt == 3 && world.job(JobId(1)).state.is_over());
    let job = world.job(JobId(1));
    assert_eq!(job.state, JobState::Failed);
    assert!(job.error.as_ref().is_some_and(|error| error.contains("its standard input is gone")), "{:?}", job.error);
    // Its command is killed before it begins.
    let mut child = world
        .agents(&["run", "--stdin", "--hold", "touch ran; cat"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    wait_until(30, "it is held", || world.jobs().len() == 2);
    child.kill().expect("killed");
    child.wait().expect("gone");
    world.run(&["jobs", "release", "j2"]);
    let job = world.over(JobId(2));
    assert_eq!((job.state, world.sandbox.join("ran").exists()), (JobState::Failed, false));
    // And after: what the job reads ends, and the job goes on.
    let mut child = world.agents(&["run", "--stdin", "cat; echo went on > after"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(b"a word\n").expect("written");
    wait_until(30, "it was read", || world.jobs().len() == 3 && world.log(JobId(3)) == "a word\n");
    child.kill().expect("killed");
    child.wait().expect("gone");
    assert_eq!((world.over(JobId(3)).state, world.read("after")), (JobState::Done, "went on\n".into()));
}

#[test]
fn where_it_makes_no_sense_it_is_refused_and_nothing_is_queued() {
    let world = JobWorld::new();
    let file = r#"[{"dir": ".", "steps": [{"cmd": "true"}]}, {"dir": ".", "steps": [{"cmd": "true"}]}]"#;
    fs::write(world.sandbox.join("two.json"), file).expect("written");
    fs::write(world.sandbox.join("again.json"), r#"{"dir": ".", "steps": [{"cmd": "true", "retries": 1}]}"#)
        .expect("written");
    for (line, told) in [
        (&["-b", "cat"][..], "cannot be used with '--"),
        (&["--tmux", "cat"], "cannot be used with '--"),
        (&["--backend", "claude", "x"], "cannot be used with '--"),
        (&["two.json"], "`--stdin` for 2 jobs"),
        (&["again.json"], "may be tried again: an input can be read once"),
        (&["--retries", "1", "cat"], "may be tried again: an input can be read once"),
    ] {
        let output = given(&world, &[&["run", "--stdin"], line].concat(), b"x");
        assert_eq!(output.status.code(), Some(2), "{line:?}: {}", err(&output));
        assert!(err(&output).contains(told), "{line:?}: {}", err(&output));
    }
    // A terminal is no input of a job.
    let (dir, exe) = (world.sandbox.path().display(), Sandbox::exe());
    let line = format!("cd '{dir}'; HOME='{dir}' '{exe}' run --stdin cat 2> told; echo $? > code; exec sleep 1000");
    world.sandbox.tmux(&["-f", "/dev/null", "new-session", "-d", "-s", "t", &line]);
    wait_until(30, "it was told", || world.read("code") == "2\n");
    assert!(world.read("told").contains("standard input is a terminal"), "{}", world.read("told"));
    assert!(world.jobs().is_empty());
}
