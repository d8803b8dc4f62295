//! Processes: the exit watcher, the end of trees, the sweep.
use crate::sandbox::wait_until;
use agents::world::process::{ExitWatcher, ProcId, descendants, end_tree_without_shim, kill_still_alive, sweep};
use rustix::process::Signal;
use std::{
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::mpsc::channel,
    time::Duration,
};

fn sh(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]).stdout(Stdio::piped()).process_group(0);
    command
}

/// Starts `line` and waits for the first line of its output.
fn start(line: &str) -> (Child, ProcId) {
    let mut child = sh(line).spawn().expect("sh");
    let mut first = String::new();
    let out = child.stdout.as_mut().expect("stdout");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut first).expect("a line");
    let id = ProcId::of(child.id()).expect("alive");
    (child, id)
}

#[test]
fn an_end_is_told_once_and_forgotten_ones_are_not() {
    let (sender, told) = channel();
    let watcher = ExitWatcher::new(move |key| sender.send(key).expect("send")).expect("watcher");
    let (mut a, a_id) = start("echo; exec sleep 1000");
    let (mut b, b_id) = start("echo; exec sleep 1000");
    assert!(watcher.watch("a", a_id) && watcher.watch("a", a_id) && watcher.watch("b", b_id));
    watcher.forget("b");
    b.kill().expect("kill");
    b.wait().expect("wait");
    a_id.signal(Signal::KILL);
    assert_eq!(told.recv_timeout(Duration::from_secs(5)), Ok("a".into()));
    a.wait().expect("wait");
    assert!(!watcher.watch("a", a_id), "it is over");
    drop(watcher);
    assert!(told.recv().is_err(), "nothing more was told");
}

#[test]
fn a_tree_with_deaf_and_detached_members_is_ended() {
    let line = "setsid sh -c 'trap \"\" TERM HUP; echo ready; while :; do sleep 1; done' & trap '' HUP TERM; while :; do sleep 1; done";
    let (mut child, root) = start(line);
    let tree = descendants(root.pid);
    assert!(tree.len() >= 2, "{tree:?}");
    let reaper = std::thread::spawn(move || child.wait());
    assert!(end_tree_without_shim(root, Duration::from_millis(100)));
    assert!(tree.iter().all(|p| !p.is_alive()));
    reaper.join().expect("join").expect("wait");
}

#[test]
fn a_sweep_ends_only_what_an_older_start_left() {
    let fleet = format!("test-{}", std::process::id());
    let marked = |incarnation: &str, job: bool| {
        let mut command = sh("trap '' TERM HUP; echo; while :; do sleep 1; done");
        command.env("AGENTS_FLEET", &fleet).env("AGENTS_SESSION", "p-a").env("AGENTS_INCARNATION", incarnation);
        if job {
            command.env("AGENTS_JOB", "j1");
        }
        let mut child = command.spawn().expect("sh");
        let mut first = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().expect("stdout")), &mut first)
            .expect("line");
        child
    };
    let mut old = marked("1", false);
    let mut new = marked("2", false);
    let mut job = marked("1", true);
    let found = sweep(&fleet, "p-a", 2);
    assert!(found.iter().any(|p| p.pid == old.id()), "{found:?}");
    assert!(found.iter().all(|p| p.pid != new.id() && p.pid != job.id()), "{found:?}");
    assert!(kill_still_alive(&found) >= 1, "it heeds no TERM");
    old.wait().expect("wait");
    wait_until(5, "its own children too", || {
        kill_still_alive(&sweep(&fleet, "p-a", 2));
        sweep(&fleet, "p-a", 2).is_empty()
    });
    for child in [&mut new, &mut job] {
        end_tree_without_shim(ProcId::of(child.id()).expect("alive"), Duration::ZERO);
        child.wait().expect("wait");
    }
}
