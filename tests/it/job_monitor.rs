//! Looking on at jobs: on a real terminal, and without one.
use crate::{
    job_progress::on_a_terminal,
    jobs_world::JobWorld,
    sandbox::{Sandbox, wait_until},
};
use agents::model::job::{JobId, JobState};
use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

/// A line of ours in a terminal of this size; what it says of its end and of the terminal it leaves behind.
fn open(world: &JobWorld, line: &str, size: (u16, u16)) {
    let (dir, exe) = (world.sandbox.path().display(), Sandbox::exe());
    let (columns, rows) = (size.0.to_string(), size.1.to_string());
    let line = format!(
        "trap : INT; cd '{dir}'; export HOME='{dir}' AGENTS_BOOT_ID=first; unset XDG_STATE_HOME; stty -g > before; \
         '{exe}' {line}; echo ended $?; stty -g > after; sleep 1000"
    );
    if world.sandbox.tmux(&["list-sessions"]).is_empty() {
        world.sandbox.tmux(&["-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", &columns, "-y", &rows, &line]);
    } else {
        world.sandbox.tmux(&["respawn-pane", "-k", "-t", "t", &line]);
    }
}

fn screen(world: &JobWorld) -> String {
    world.sandbox.tmux(&["capture-pane", "-p", "-t", "t"])
}

#[track_caller]
fn sees(world: &JobWorld, what: &str) {
    let mut last = String::new();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !last.contains(what) {
        assert!(std::time::Instant::now() < until, "not seen: {what}\n{last}");
        std::thread::sleep(std::time::Duration::from_millis(10));
        last = screen(world);
    }
}

fn types(world: &JobWorld, keys: &[&str]) {
    world.sandbox.tmux(&[&["send-keys", "-t", "t"][..], keys].concat());
}

/// The terminal is as it was.
#[track_caller]
fn given_back(world: &JobWorld) {
    wait_until(30, "it has ended", || !world.read("after").is_empty() && world.read("after").ends_with('\n'));
    assert_eq!(world.read("before"), world.read("after"));
    let state = world.sandbox.tmux(&["display", "-p", "-t", "t", "#{alternate_on} #{cursor_flag} #{wrap_flag}"]);
    assert_eq!(state.trim(), "0 1 1");
}

const STEPS: [&str; 2] = [
    "echo first",
    "printf 'in the log \\033[31mred\\033[2J\\033]0;title\\007 \\377\\n'; echo ::progress 3/10 linking; \
     while ! [ -e go ]; do sleep 0.02; done; echo ::progress 9/10 nearly; while ! [ -e end ]; do sleep 0.02; done",
];

fn two_steps(world: &JobWorld) -> JobId {
    let id = world.submit(&STEPS, |spec| {
        spec.name = "build".into();
        spec.steps[1].desc = "Link it".into();
    });
    world.kick();
    id
}

#[test]
fn a_terminal_shows_state_step_progress_and_the_newest_lines_until_it_is_over() {
    let world = JobWorld::new();
    two_steps(&world);
    open(&world, "monitor build", (60, 12));
    sees(&world, "] 3/10 linking");
    let shown = screen(&world);
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("j1 build  ⟳ running 2/2: Link it · "), "{shown}");
    assert_eq!(lines[1], "[█████████░░░░░░░░░░░░░░░░░░░░░] 3/10 linking", "{shown}");
    assert!(!shown.contains("::progress"), "{shown}");
    assert!(shown.contains("first\nin the log red") && shown.contains("q leave  c cancel"), "{shown}");
    std::fs::write(world.sandbox.join("go"), "").expect("written");
    sees(&world, "] 9/10 nearly");
    world.sandbox.tmux(&["resize-window", "-t", "t", "-x", "20", "-y", "6"]);
    sees(&world, "j1 build  ⟳ running…");
    assert!(screen(&world).lines().all(|line| line.chars().count() <= 20), "{}", screen(&world));
    world.sandbox.tmux(&["resize-window", "-t", "t", "-x", "70", "-y", "20"]);
    sees(&world, "running 2/2: Link it");
    std::fs::write(world.sandbox.join("end"), "").expect("written");
    sees(&world, "j1 is done\nended 0");
    given_back(&world);
}

#[test]
fn q_and_ctrl_c_leave_and_the_job_goes_on_and_c_ends_it_after_a_question() {
    let world = JobWorld::new();
    let id = two_steps(&world);
    open(&world, "monitor j1", (60, 12));
    sees(&world, "] 3/10 linking");
    types(&world, &["q"]);
    sees(&world, "j1 is running\nended 0");
    given_back(&world);
    for file in ["before", "after"] {
        std::fs::remove_file(world.sandbox.join(file)).expect("it is there");
    }
    open(&world, "monitor j1", (60, 12));
    sees(&world, "] 3/10 linking");
    types(&world, &["C-z"]);
    types(&world, &["c"]);
    sees(&world, "cancel j1? y/n");
    types(&world, &["n"]);
    sees(&world, "q leave  c cancel");
    assert_eq!(world.job(id).state, JobState::Running);
    types(&world, &["C-c"]);
    sees(&world, "j1 is running\nended 130");
    given_back(&world);
    open(&world, "monitor j1", (60, 12));
    sees(&world, "] 3/10 linking");
    types(&world, &["c", "y"]);
    sees(&world, "j1 is cancelled");
    sees(&world, "ended 1");
    assert_eq!(world.job(id).state, JobState::Cancelled);
}

#[test]
fn a_job_that_waits_is_answered_there_and_tab_shows_the_other_log() {
    let world = JobWorld::new();
    let asked = world.submit(&["echo one >> ran", "echo two >> ran"], |spec| spec.steps[0].pause = true);
    let other = world.submit(&["echo of the other; while ! [ -e end ]; do sleep 0.02; done"], |_| {});
    world.kick();
    wait_until(30, "it waits", || world.job(asked).state == JobState::Paused);
    world.running(other);
    open(&world, "monitor j1 j2", (60, 14));
    sees(&world, "› j1  ? paused 2/2");
    sees(&world, "c continue  r retry  x cancel  tab next");
    types(&world, &["Tab"]);
    sees(&world, "› j2  ⟳ running");
    sees(&world, "of the other");
    types(&world, &["Tab", "r"]);
    wait_until(30, "it ran once more", || world.read("ran") == "one\none\n");
    wait_until(30, "it waits again", || world.job(asked).state == JobState::Paused);
    sees(&world, "c continue");
    types(&world, &["c"]);
    assert_eq!(world.over(asked).state, JobState::Done);
    std::fs::write(world.sandbox.join("end"), "").expect("written");
    sees(&world, "j1 is done\nj2 is done\nended 0");
    given_back(&world);
}

#[test]
fn without_a_terminal_there_is_a_line_for_each_change() {
    let world = JobWorld::new();
    let id = two_steps(&world);
    world.running(id);
    let mut child =
        world.agents(&["monitor", "build"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut seen = Vec::new();
    while !seen.last().is_some_and(|line: &String| line.contains("3/10")) {
        seen.push(lines.next().expect("a line").expect("UTF-8"));
    }
    assert_eq!(seen.last().map(String::as_str), Some("⟳ j1 build 2/2: Link it · 3/10 linking"));
    for file in ["go", "end"] {
        std::fs::write(world.sandbox.join(file), "").expect("written");
    }
    let rest: Vec<String> = lines.map(|line| line.expect("UTF-8")).collect();
    assert!(rest.last().is_some_and(|line| line.starts_with("✓ j1 build done in ")), "{rest:?}");
    assert!(seen.iter().chain(&rest).all(|line| !line.contains('\u{1b}')));
    assert_eq!(child.wait().expect("its end").code(), Some(0));
    let bad = world.background(&["exit 3"]);
    world.over(bad);
    let output = world.run(&["monitor", "j1", &bad.to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains(&format!("✗ {bad} failed, exit 3")), "{output:?}");
    assert_eq!(world.run(&["monitor", "j99"]).status.code(), Some(2));
}

#[test]
fn several_in_the_foreground_tell_each_change_on_a_terminal_and_a_script_only_the_ends() {
    let world = JobWorld::new();
    let jobs = r#"[{"name": "one", "dir": ".", "steps": [{"cmd": "true"}]},
                   {"name": "two", "dir": ".", "after": "one", "steps": [{"cmd": "true"}]}]"#;
    std::fs::write(world.sandbox.join("jobs.json"), jobs).expect("written");
    let shown = on_a_terminal(world.agents(&["run", "jobs.json"]));
    for part in
        ["\u{1b}[35mj1 one\u{1b}[0m done in 0s\r\n", "\u{1b}[34mj2 two\u{1b}[0m blocked\r\n", "j2 two\u{1b}[0m done in"]
    {
        assert!(shown.contains(part), "{part:?}: {shown:?}");
    }
    assert!(!shown.contains("is done"), "{shown:?}");
    let mut plain = world.agents(&["run", "jobs.json"]);
    plain.env("NO_COLOR", "1");
    let shown = on_a_terminal(plain);
    assert!(shown.contains("✓ j3 one done in 0s\r\n") && !shown.contains('\u{1b}'), "{shown:?}");
    let script = world.run(&["run", "jobs.json"]);
    assert_eq!((&*script.stdout, &*script.stderr), (&b"j5 is done\nj6 is done\n"[..], &b""[..]));
}

#[test]
fn the_progress_of_one_in_the_foreground_stands_below_its_output_and_never_in_it() {
    let world = JobWorld::new();
    let line = "echo ::progress 1/2 half; while ! [ -e seen ]; do sleep 0.02; done; printf 'no end'; sleep 1.5; echo";
    open(&world, &format!("run \"{line}\""), (60, 12));
    sees(&world, "::progress 1/2 half\n[██████████░░░░░░░░░░] 1/2 half");
    std::fs::write(world.sandbox.join("seen"), "").expect("written");
    sees(&world, "::progress 1/2 half\nno end");
    assert!(!screen(&world).contains("] 1/2"), "{}", screen(&world));
    sees(&world, "no end\nended 0");
    let script = world.run(&["run", "echo ::progress 1/2 half; sleep 1.2; echo out"]);
    assert_eq!((&*script.stdout, &*script.stderr), (&b"::progress 1/2 half\nout\n"[..], &b""[..]));
}
