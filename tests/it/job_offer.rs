//! What was left unfinished is offered once to whoever sits at a shell, and to nobody else.
use crate::{
    job_progress::interrupted,
    jobs_world::JobWorld,
    sandbox::{Sandbox, wait_until},
};
use agents::model::job::JobState;

/// An interactive shell in a terminal, with our program as `agents`.
fn shell(world: &JobWorld) {
    let (dir, exe) = (world.sandbox.path().display(), Sandbox::exe());
    let line = format!(
        "cd '{dir}'; exec env -u XDG_STATE_HOME HOME='{dir}' AGENTS_BOOT_ID=first PS1='$ ' bash --norc --noprofile -i"
    );
    world.sandbox.tmux(&["-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", "150", "-y", "40", &line]);
    types(world, &format!("agents() {{ '{exe}' \"$@\"; }}; clear"));
    types(world, "echo ready");
    sees(world, "\nready\n");
}

fn screen(world: &JobWorld) -> String {
    world.sandbox.tmux(&["capture-pane", "-p", "-t", "t"])
}

#[track_caller]
fn sees(world: &JobWorld, what: &str) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !screen(world).contains(what) {
        assert!(std::time::Instant::now() < until, "not seen: {what}\n{}", screen(world));
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

fn types(world: &JobWorld, line: &str) {
    world.sandbox.tmux(&["send-keys", "-t", "t", "-l", line]);
    world.sandbox.tmux(&["send-keys", "-t", "t", "Enter"]);
}

/// Nothing of what was seen before is seen any more.
fn fresh(world: &JobWorld) {
    types(world, "clear");
    wait_until(30, "an empty screen", || screen(world).trim() == "$");
}

#[test]
fn view_delete_and_keep_are_offered_once_after_the_work_of_the_command() {
    let world = JobWorld::new();
    let id = interrupted(&world);
    shell(&world);
    types(&world, "agents jobs limit; echo ended $?");
    sees(&world, "default: 0 of");
    sees(&world, "a job was left unfinished:");
    sees(&world, "view, delete it, keep? [v/d/K]");
    types(&world, "what");
    types(&world, "v");
    sees(&world, "  error     its runner was killed");
    types(&world, "");
    sees(&world, "ended 0");
    assert_eq!(world.job(id).state, JobState::Interrupted);
    fresh(&world);
    types(&world, "agents jobs limit; echo again $?");
    sees(&world, "again 0");
    assert!(!screen(&world).contains("unfinished"), "{}", screen(&world));
    // Another one: only that is deleted.
    let second = interrupted(&world);
    fresh(&world);
    types(&world, "agents run -b true; echo queued $?");
    sees(&world, "view, delete it, keep? [v/d/K]");
    let log = world.job(second).log;
    types(&world, "d");
    sees(&world, "removed 1 job\nqueued 0");
    assert!(world.store().job(second).expect("read").is_none() && !log.exists());
    assert_eq!(world.job(id).state, JobState::Interrupted);
}

#[test]
fn ctrl_c_and_the_end_of_input_keep_and_what_goes_on_meanwhile_is_not_deleted() {
    let world = JobWorld::new();
    let id = interrupted(&world);
    shell(&world);
    types(&world, "agents jobs limit; echo ended $?");
    sees(&world, "keep? [v/d/K]");
    world.sandbox.tmux(&["send-keys", "-t", "t", "C-c"]);
    sees(&world, "ended 0");
    let second = interrupted(&world);
    fresh(&world);
    types(&world, "agents jobs limit; echo over $?");
    sees(&world, "keep? [v/d/K]");
    world.sandbox.tmux(&["send-keys", "-t", "t", "C-d"]);
    sees(&world, "over 0");
    let third = interrupted(&world);
    fresh(&world);
    types(&world, "agents jobs limit; echo third $?");
    sees(&world, "keep? [v/d/K]");
    assert_eq!(world.run(&["jobs", "resume", &third.to_string()]).status.code(), Some(0));
    types(&world, "d");
    sees(&world, "removed 0 jobs\nthird 0");
    for id in [id, second] {
        assert_eq!(world.job(id).state, JobState::Interrupted);
    }
    assert_ne!(world.running(third).state, JobState::Interrupted);
}

#[test]
fn a_script_a_pipe_and_a_background_job_are_never_held_up() {
    let world = JobWorld::new();
    shell(&world);
    let script = format!("#!/bin/sh\nfor i in 1 2; do '{}' run -b true; done\necho script $?\n", Sandbox::exe());
    std::fs::write(world.sandbox.join("script"), script).expect("written");
    for (line, end) in [
        ("sh script", "script 0"),
        ("agents jobs limit | cat; echo pipe $?", "pipe 0"),
        ("x=$(agents run -b true); echo caught $?", "caught 0"),
        ("agents jobs limit < /dev/null; echo input $?", "input 0"),
        ("agents jobs --json > /dev/null; echo json $?", "json 0"),
    ] {
        interrupted(&world);
        fresh(&world);
        types(&world, line);
        sees(&world, end);
        assert!(!screen(&world).contains("[v/d/K]"), "{line}: {}", screen(&world));
    }
    wait_until(30, "nothing is left that waits", || world.jobs().iter().all(|job| job.state.is_over()));
}
