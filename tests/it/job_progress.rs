//! What a job says of its progress, and what a terminal is told of jobs that were left unfinished.
use crate::{jobs_world::JobWorld, sandbox::wait_until};
use agents::{
    jobs,
    model::job::{JobId, JobState},
};
use rustix::{process::Signal, pty};
use std::{
    fs::File,
    io::Read,
    process::{Command, Stdio},
};

#[test]
fn progress_is_seen_while_the_job_runs_and_its_last_word_when_it_is_over() {
    let world = JobWorld::new();
    let id = world.background(&[
        "echo ::progress 1/3 one; while ! [ -e go ]; do sleep 0.02; done; printf '::progress 3/3 all\\033[31m'",
    ]);
    wait_until(30, "it is seen", || world.job(id).progress.done == Some(1));
    assert_eq!(world.job(id).last_event.as_deref(), Some("1/3 one"));
    let table = String::from_utf8(world.run(&["jobs"]).stdout).expect("UTF-8");
    assert!(table.contains("running · 1/3 one"), "{table}");
    std::fs::write(world.sandbox.join("go"), "").expect("written");
    world.over(id);
    let json = world.run(&["jobs", "show", &id.to_string(), "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let said = serde_json::json!({"done": 3, "total": 3, "text": "all\\x1b[31m", "rounds": null, "tool_calls": null,
        "model_calls": null});
    assert_eq!((&json["progress"], &json["last_event"]), (&said, &"3/3 all\\x1b[31m".into()));
}

#[test]
fn a_flood_is_not_in_the_way_of_the_newest_word() {
    let world = JobWorld::new();
    let id = world.background(&["yes | head -c 20000000; echo ::progress 2/2 late; echo end"]);
    assert_eq!(world.over(id).progress.words(), "2/2 late");
}

/// A job whose runner and processes are killed.
pub fn interrupted(world: &JobWorld) -> JobId {
    let id = world.background(&["--name", "web", "exec sleep 1000"]);
    let job = world.running(id);
    for process in [job.runner, job.child].into_iter().flatten().map(jobs::process) {
        process.signal(Signal::KILL);
        wait_until(30, "it is gone", || !process.is_alive());
    }
    world.run(&["jobs"]);
    assert_eq!(world.over(id).state, JobState::Interrupted);
    id
}

/// What a line shows on a terminal.
pub fn on_a_terminal(mut command: Command) -> String {
    let master = pty::openpt(pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY).expect("a terminal");
    pty::unlockpt(&master).expect("unlocked");
    let name = pty::ptsname(&master, Vec::new()).expect("its name");
    let slave = || File::options().read(true).write(true).open(name.to_str().expect("UTF-8")).expect("the other side");
    command.stdin(slave()).stdout(slave()).stderr(slave());
    let mut child = command.spawn().expect("it starts");
    drop(command);
    let mut shown = Vec::new();
    // Its end is EIO.
    let _ = File::from(master).read_to_end(&mut shown);
    assert!(child.wait().expect("its end").success(), "{}", String::from_utf8_lossy(&shown));
    String::from_utf8(shown).expect("UTF-8")
}

#[test]
fn a_terminal_is_told_once_what_was_left_unfinished_and_a_script_never() {
    let world = JobWorld::new();
    let id = interrupted(&world);
    for line in [&["jobs"][..], &["jobs", "show", "web"], &["run", "-b", "true"]] {
        let output = world.agents(line).stdin(Stdio::null()).output().expect("it starts");
        let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!shown.contains("unfinished"), "{shown}");
    }
    let json = on_a_terminal(world.agents(&["jobs", "--json"]));
    assert!(!json.contains("unfinished"), "{json}");
    let shown = on_a_terminal(world.agents(&["jobs", "limit"]));
    let hint = format!("`agents jobs resume {id}` goes on");
    assert!(shown.contains("a job was left unfinished:\r\n") && shown.contains(&hint), "{shown}");
    assert!(shown.contains(&format!("  {id} web")), "{shown}");
    let shown = on_a_terminal(world.agents(&["jobs"]));
    assert!(shown.contains("interrupted") && !shown.contains("unfinished"), "{shown}");
}

#[test]
fn who_goes_on_with_a_job_is_not_told_of_it() {
    let world = JobWorld::new();
    let id = interrupted(&world).to_string();
    let shown = on_a_terminal(world.agents(&["jobs", "rm", &id]));
    assert!(!shown.contains("unfinished"), "{shown}");
    let id = interrupted(&world).to_string();
    let shown = on_a_terminal(world.agents(&["run", "-b", "true"]));
    assert!(shown.contains(&format!("agents jobs resume {id}")), "{shown}");
}
