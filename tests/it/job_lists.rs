//! Many jobs at once: queued from one file, and listed for a program.
use crate::{
    job_verbs::{Home, err},
    sandbox::wait_until,
};
use agents::store::jobs::FILE;
use rusqlite::Connection;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    fs,
    process::{Command, Stdio},
};

/// A job for each line, none of which runs.
fn batch(home: &Home, lines: &str) {
    home.ok(&["jobs", "limit", "0"]);
    fs::write(home.path().join("lines"), lines).expect("a file");
    let ids = home.ok(&["run", "-b", "--batch", "lines"]);
    assert_eq!(ids.lines().count(), lines.lines().count());
}

/// Whether everything of the log could be carried over: nobody reads as of an earlier moment.
fn is_tidied(db: &Connection) -> bool {
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)) == Ok(0)
}

#[test]
fn a_list_whose_reader_does_not_read_on_keeps_no_moment_of_the_store_open() {
    let home = Home::new();
    batch(&home, &format!("echo {}\n", "x".repeat(1000)).repeat(400));
    // What is not carried over yet: who reads from here on is in the way of whoever does.
    home.ok(&["jobs", "limit", "--group", "other", "1"]);
    let mut list = home.command(&["jobs", "--all", "--json"]).stdout(Stdio::piped()).spawn().expect("a process");
    let stdout = list.stdout.take().expect("its output");
    let mut fds = [PollFd::new(&stdout, PollFlags::IN)];
    let begun = poll(&mut fds, Some(&Timespec { tv_sec: 60, tv_nsec: 0 })).expect("a poll");
    assert_eq!(begun, 1, "something is written");
    let db = Connection::open(home.state().join(FILE)).expect("the store");
    wait_until(30, "the list was read to its end", || is_tidied(&db));
    assert_eq!(list.try_wait().expect("a child"), None, "it still has something to say");
    let jobs: Vec<serde_json::Value> = serde_json::from_reader(stdout).expect("all of it, and JSON");
    assert_eq!((jobs.len(), &jobs[0]["id"], &jobs[399]["id"]), (400, &"j400".into(), &"j1".into()));
    assert!(list.wait().expect("an end").success());
}

#[test]
fn a_long_list_whose_reader_goes_away_ends_without_a_word() {
    let home = Home::new();
    batch(&home, &format!("echo {}\n", "x".repeat(1000)).repeat(400));
    let mut list = home.command(&["jobs", "--all", "--json"]);
    let mut list = list.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
    drop(list.stdout.take());
    let output = list.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()));
}

#[test]
fn the_memory_of_a_batch_does_not_grow_with_its_lines() {
    let home = Home::new();
    home.ok(&["jobs", "limit", "0"]);
    fs::write(home.path().join("lines"), "true\n".repeat(30_000)).expect("a file");
    let batch = home.command(&["run", "-b", "--batch", "lines"]);
    let mut limited = Command::new("/bin/sh");
    // Kilobytes of all that can be written to: each job that is kept in memory takes more than one.
    limited.args(["-c", "ulimit -d 20000; exec \"$@\"", "sh"]).arg(batch.get_program()).args(batch.get_args());
    limited.current_dir(home.path()).env_clear().stdin(Stdio::null());
    limited.envs(batch.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = limited.output().expect("a shell");
    assert!(output.status.success(), "{}", err(&output));
    assert!(output.stdout.ends_with(b"\nj30000\n"));
}
