//! What is told of jobs that cannot be: what, where, and a way out. Nothing of them is queued.
use crate::job_verbs::{Home, err};
use std::{fs, os::unix::fs::symlink, process::Stdio};

fn told(home: &Home, line: &[&str]) -> String {
    let output = home.run(line);
    assert_ne!(output.status.code(), Some(0), "{line:?}");
    err(&output)
}

#[test]
fn whatever_is_wrong_with_a_job_is_told_with_a_way_out() {
    let home = Home::new();
    let write = |name: &str, text: &str| fs::write(home.path().join(name), text).expect("a file");
    write(
        "circle.json",
        r#"[{"name": "a", "after": "c", "steps": [{"cmd": "true"}]}, {"name": "b", "after": "a", "steps": [{"cmd": "true"}]},
            {"name": "c", "after": "b", "steps": [{"cmd": "true"}]}]"#,
    );
    write("folder.json", r#"[{"steps": [{"cmd": "true"}]}, {"dir": "not here", "steps": [{"cmd": "true"}]}]"#);
    write("program.json", r#"{"name": "odd", "steps": [{"cmd": ["no-such-program", "a"]}]}"#);
    write("lines", &format!("true\n\necho {}\n", "x".repeat(200_000)));
    write("first.json", r#"{"priority": "high", "steps": [{"cmd": "true"}]}"#);
    write("half.json", "{\"steps\": [");
    write("words.json", "hello");
    write("empty.json", "");
    let here = home.path().canonicalize().expect("a path");
    let (missing, hint) = (
        format!("job 2: there is no folder `{}/not here`", here.display()),
        format!("hint: mkdir -p '{}/not here'", here.display()),
    );
    for (line, parts) in [
        (&["run", "-b", " "][..], &["the command is empty", "hint: write a shell line"][..]),
        (
            &["run", "-b", "circle.json"],
            &["`a` comes after `c`, `c` comes after `b`, `b` comes after `a`", "hint: leave out"],
        ),
        (&["run", "-b", "folder.json"], &[&missing, &hint]),
        (
            &["run", "-b", "program.json"],
            &["job `odd`: there is no program `no-such-program`", "hint: it was looked for in"],
        ),
        (
            &["run", "-b", "--batch", "lines"],
            &["line 3 of `lines` is too long for the system: 201 kB", "write it to a script"],
        ),
        (
            &["run", "-b", "half.json"],
            &["it ends where a value is wanted", "half.json:1:12", "hint: close what was opened"],
        ),
        (&["run", "-b", "words.json"], &["`h` stands where a value is wanted", "words.json:1:1"]),
        (&["run", "-b", "empty.json"], &["the file is empty", "hint: write `{"]),
        (
            &["run", "-b", "--group", "gpu", "true"],
            &["there is no group `gpu`", "hint: agents jobs limit --group gpu 4"],
        ),
        (&["run", "-b", "--after", "j99", "true"], &["no job has the id or name `j99`", "hint: `agents jobs --all`"]),
        (
            &["run", "-b", "--name", "j7", "true"],
            &["error: `j7` cannot be a job's name: it looks like an id", "hint: for example `job-j7`"],
        ),
        (
            &["run", "-b", "--dir", "~/x", "true"],
            &["there is no folder `", "hint: `~` is only what a shell makes of it"],
        ),
        (&["run", "-b", "first.json"], &["hint: write `\"priority\": 0`"]),
        (&["run", "gone.json"], &["warning: there is no job file `gone.json`: it is taken as a line for the shell"]),
    ] {
        let said = told(&home, line);
        for part in parts {
            assert!(said.contains(part), "{line:?}: {part}: {said}");
        }
    }
    // The last one is a line, and there is no such command.
    assert_eq!(home.json(&["jobs", "--json"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn output_that_is_no_text_comes_through_as_it_is_and_is_harmless_in_tables() {
    let home = Home::new();
    let output = home.run(&["run", "printf '\\377\\376\\033[2Jx'"]);
    assert_eq!(output.stdout, b"\xff\xfe\x1b[2Jx");
    let line = std::ffi::OsString::from(String::from("printf a; : '\u{1b}[2J'"));
    assert_eq!(home.command(&["run"]).arg(line).output().expect("it starts").stdout, b"a");
    for shown in [home.ok(&["jobs"]), home.ok(&["jobs", "show", "j2"]), home.ok(&["monitor", "j1", "j2"])] {
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
}

#[test]
fn a_log_shows_every_line_however_often_it_was_printed() {
    let home = Home::new();
    let printed = "y\ny\n\n\ny\n";
    assert_eq!(home.ok(&["run", "printf 'y\\ny\\n\\n\\ny\\n'"]), printed);
    assert_eq!(home.ok(&["logs", "j1"]), printed);
    assert_eq!(home.ok(&["logs", "j1", "-f", "-n", "10"]), printed);
    assert_eq!(home.ok(&["logs", "j1", "-n", "2"]), "\ny\n");
    assert_eq!(home.ok(&["logs", "j1", "--grep", "y"]), "y\ny\ny\n");
}

/// Whoever is told that it failed tries again: it must not run twice.
#[test]
fn a_job_whose_output_cannot_be_followed_does_not_run_later() {
    let home = Home::new();
    home.ok(&["jobs", "limit", "0"]);
    home.ok(&["run", "-b", "true"]);
    let store = home.path().join(".local/state/agents");
    fs::create_dir_all(store.join("logs/jobs")).expect("a folder");
    let log = store.join("logs/jobs/j2.log");
    symlink("/etc/hostname", &log).expect("a link");
    let said = told(&home, &["run", "touch late"]);
    assert!(said.contains("cannot be written") && said.ends_with("; j2 is cancelled\n"), "{said}");
    fs::remove_file(&log).expect("removed");
    home.ok(&["jobs", "limit", "4"]);
    home.ok(&["jobs", "wait", "j1"]);
    assert_eq!(home.json(&["jobs", "show", "j2", "--json"])["state"], "cancelled");
    assert!(!home.path().join("late").exists());
}

#[test]
fn who_cannot_write_the_output_of_a_job_says_so() {
    let home = Home::new();
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device"));
    let mut command = home.command(&["run", "echo begun; exec sleep 600"]);
    let output = command.stdout(full()).stderr(Stdio::piped()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let said = err(&output);
    assert!(said.starts_with("error: the output of j1 cannot be handed on: No space left on device"), "{said}");
    assert!(said.ends_with("; j1 is cancelled\n"), "{said}");
    assert_eq!(home.json(&["jobs", "show", "j1", "--json"])["state"], "cancelled");
}

#[test]
fn of_several_jobs_all_that_cannot_be_are_told() {
    let home = Home::new();
    let job = |what: &str| format!("{{{what}, \"steps\": [{{\"cmd\": \"true\"}}]}}");
    let text = format!("[{}, {}, {}]", job("\"dir\": \"not here\""), job("\"dir\": \".\""), job("\"at\": \"soon\""));
    fs::write(home.path().join("three.json"), text).expect("a file");
    let said = told(&home, &["run", "-b", "three.json"]);
    let parts: Vec<&str> = said.split("\n\n").collect();
    assert!(
        parts[0].starts_with("error: job 1: there is no folder `") && parts[0].contains("\nhint: mkdir -p"),
        "{said}"
    );
    assert!(parts[1].starts_with("error: job 3: `at`: "), "{said}");
    assert_eq!(parts.len(), 2, "{said}");
    let all: Vec<String> = (0..15).map(|n| job(&format!("\"dir\": \"none/{n}\""))).collect();
    fs::write(home.path().join("many.json"), format!("[{}]", all.join(","))).expect("a file");
    assert!(told(&home, &["run", "-b", "many.json"]).ends_with("\n\nerror: 5 more like these\n"));
    assert_eq!(home.json(&["jobs", "--json"]).as_array().map(Vec::len), Some(0));
}

#[test]
fn a_damaged_store_is_left_as_it_is_and_the_way_out_is_told() {
    let home = Home::new();
    home.ok(&["run", "true"]);
    let store = home.path().join(".local/state/agents/jobs.db");
    // All of it stands in there yet.
    fs::remove_file(store.with_file_name("jobs.db-wal")).expect("removed");
    fs::write(&store, "not a database, and long enough to be looked at ".repeat(100)).expect("written");
    let said = told(&home, &["run", "-b", "true"]);
    assert!(said.contains("jobs.db is damaged: ") && said.contains("\nhint: move it away"), "{said}");
    assert!(fs::read(&store).expect("there").starts_with(b"not a database"));
}
