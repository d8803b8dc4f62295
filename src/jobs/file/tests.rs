//! What job files say, and what is wrong with them.
use super::*;
use crate::model::job::{Bytes, JobCommand};

const STEP_TIMEOUT: Option<Duration> = Some(Duration::from_secs(120));

fn read(text: &str, format: Format) -> Result<Vec<JobPart>, String> {
    let path = Path::new(if format == Format::Json { "/p/job.json" } else { "/p/job.toml" });
    let source = Source { path, text, home: None };
    parse(&source, format, STEP_TIMEOUT)
        .map_err(|faults| faults.iter().map(Fault::one_line).collect::<Vec<_>>().join("\n"))
}

fn json(text: &str) -> Result<Vec<JobPart>, String> {
    read(text, Format::Json)
}

fn faults(text: &str) -> String {
    json(text).expect_err("faults").replace("/p/job.json:", "").replace("error: ", "")
}

fn shell(line: &str) -> JobCommand {
    JobCommand::Shell(Bytes(line.into()))
}

fn step(command: JobCommand) -> StepSpec {
    StepSpec { timeout: STEP_TIMEOUT, ..StepSpec::of(command) }
}

#[test]
fn a_job_of_two_steps() {
    let jobs = json(r#"{"name": "release", "steps": [{"desc": "Build", "cmd": "make"}, {"cmd": ["make", "te st"]}]}"#);
    let argv = JobCommand::Argv(vec![Bytes("make".into()), Bytes("te st".into())]);
    let steps = vec![StepSpec { desc: "Build".into(), ..step(shell("make")) }, step(argv)];
    assert_eq!(jobs, Ok(vec![JobPart { name: Some("release".into()), steps, ..JobPart::default() }]));
}

#[test]
fn every_key_in_both_formats() {
    let from_json = json(
        r#"[{"name": "a", "description": "All \u00e9\ud83d\ude00", "dir": "x", "env": {"CI": "1"}, "group": "g",
            "priority": -3, "timeout": "1h", "retries": 2, "after": ["j1", "b"], "at": "+10m", "hold": true,
            "interactive": true, "nice": 5, "mem": "2GB", "procs": 20, "sandbox": true,
            "steps": [{"desc": "d", "cmd": "c", "timeout": 1.5, "if": "test -e x", "retries": 1, "pause": true}]}]"#,
    );
    let from_toml = read(
        "[[job]]\nname = 'a'\ndescription = 'All é😀'\ndir = 'x'\nenv = { CI = '1' }\ngroup = 'g'\npriority = -3\n\
         timeout = '1h'\nretries = 2\nafter = ['j1', 'b']\nat = '+10m'\nhold = true\ninteractive = true\nnice = 5\n\
         mem = '2GB'\nprocs = 20\nsandbox = true\n[[job.steps]]\ndesc = 'd'\ncmd = 'c'\ntimeout = 1.5\nif = 'test -e x'\nretries = 1\npause = true\n",
        Format::Toml,
    );
    assert_eq!(from_json, from_toml);
    let job = &from_json.expect("one job")[0];
    assert_eq!((job.priority, job.retries, job.nice, job.mem), (Some(-3), Some(2), Some(5), Some(2_000_000_000)));
    assert_eq!((job.procs, job.sandbox), (Some(20), true));
    assert_eq!(job.timeout, Some(Duration::from_secs(3600)));
    assert_eq!((job.after.len(), job.hold, job.interactive), (2, true, true));
    assert_eq!(job.description.as_deref(), Some("All é😀"));
    let step = &job.steps[0];
    assert_eq!((step.timeout, step.retries, step.pause), (Some(Duration::from_millis(1500)), 1, true));
    assert_eq!(step.only_if.as_deref(), Some("test -e x"));
}

#[test]
fn no_time_limit_can_be_asked_for_and_null_is_nothing() {
    for none in ["0", "\"none\"", "\"0s\""] {
        let text = format!(r#"{{"name": null, "steps": [{{"cmd": "x", "timeout": {none}, "if": null}}]}}"#);
        let jobs = json(&text).expect(none);
        assert_eq!((jobs[0].steps[0].timeout, jobs[0].name.as_ref()), (None, None), "{none}");
    }
}

#[test]
fn all_faults_of_a_file_are_told_at_once() {
    let text = r#"[
  {"nam": "x", "steps": []},
  {"name": "j7", "group": "a b", "retries": -1, "hold": "yes",
   "steps": [
     {"desc": "no command"},
     {"cmd": "", "timout": 5},
     {"cmd": 7, "timeout": "soon"},
     {"cmd": ["", "x"]},
     {"cmd": ["a", 1]},
     "make"
   ]},
  {"steps": {"cmd": "x"}},
  5
]"#;
    let told = faults(text);
    let expected = "\
2:4: unknown key `nam` in job 1 (hint: did you mean `name`?)
2:25: `steps` of job 1 is empty (hint: a job has at least one step: `[{\"cmd\": \"make\"}]`)
3:12: `j7` cannot be a job's name: it looks like an id (hint: for example `job-j7`)
3:27: `a b` cannot be a group's name: it contains a blank (hint: letters, digits, `-`, `_`, `.`)
3:45: `retries` of job 2 is out of range: `-1` (hint: write 0 to 1000000)
3:57: `hold` of job 2 is text; `true` or `false` is wanted (hint: write `\"hold\": true`)
5:6: step 1 of job 2 has no `cmd` (hint: write `\"cmd\": \"make\"`)
6:14: `cmd` of step 2 of job 2 is empty (hint: write a shell line, or a list of a program and its arguments)
6:18: unknown key `timout` in step 2 of job 2 (hint: did you mean `timeout`?)
7:14: `cmd` of step 3 of job 2 is a whole number; a shell line, or a list of a program and its arguments, is wanted (hint: write `\"make test\"` or `[\"make\", \"test\"]`)
7:28: `timeout` of step 3 of job 2 is not a length of time: `soon` (hint: write seconds (`90`, `0.5`) or a number with a unit: `500ms`, `90s`, `5m`, `1h30m`, `1d`)
8:14: `cmd` of step 4 of job 2 names no program (hint: write a shell line, or a list of a program and its arguments)
9:20: `cmd` of step 5 of job 2 contains a whole number; text is wanted (hint: write `\"1\"`)
10:6: step 6 of job 2 is text; a table is wanted (hint: write `{\"cmd\": \"make\"}`)
12:13: `steps` of job 3 is a table; a list is wanted (hint: write a list: `[{\"cmd\": \"make\"}]`)
13:3: job 4 is a whole number; a table is wanted (hint: write `{\"cmd\": \"make\"}`)";
    assert_eq!(told, expected);
}

#[test]
fn a_fault_is_shown_with_its_line_and_a_caret() {
    let source = Source { path: Path::new("/p/job.json"), text: "{\"steps\": [\n  {\"cmdd\": \"make\"}]}", home: None };
    let faults = parse(&source, Format::Json, None).expect_err("a fault");
    let shown = faults[1].render(false);
    assert!(shown.starts_with("error: unknown key `cmdd` in step 1 of the job\n"), "{shown}");
    assert!(shown.contains("2 |   {\"cmdd\": \"make\"}]}\n  |    ^^^^^^"), "{shown}");
    assert!(shown.contains("hint: did you mean `cmd`?"), "{shown}");
}

#[test]
fn what_is_not_json_is_told_where() {
    for (text, told) in [
        ("", "1:1: this is not JSON: the file is empty"),
        ("\u{feff} \n", "2:1: this is not JSON: the file is empty"),
        ("hello", "1:1: this is not JSON: `h` stands where a value is wanted"),
        ("{", "1:2: this is not JSON: it ends where a key is wanted"),
        ("{\"a\" 1}", "1:6: this is not JSON: `1` stands where `:` is wanted"),
        ("{'a': 1}", "1:2: this is not JSON: text stands in double quotes"),
        ("{\"steps\": [1 2]}", "1:14: this is not JSON: `2` stands where `,` or the end is wanted"),
        ("{\"steps\": [1, ]}", "1:13: this is not JSON: a `,` stands after the last item"),
        ("{\"a\": 1,}", "1:8: this is not JSON: a `,` stands after the last item"),
        ("// x\n{}", "1:1: this is not JSON: JSON has no comments"),
        ("{\"a\": \"x\n\"}", "1:7: this is not JSON: a text does not end on its line"),
        ("{\"a\": \"\\x\"}", "1:8: this is not JSON: `\\x` is no escape"),
        ("{\"a\": \"\\ud800x\"}", "1:8: this is not JSON: `\\ud800` is no escape"),
        ("{\"a\": \"\\ud800\\u0041\"}", "1:8: this is not JSON: `\\ud800\\u0041` is no escape"),
        ("{\"a\": \"\\", "1:9: this is not JSON: it ends in the middle of a text"),
        ("{\"a\": \"\t\"}", "1:8: this is not JSON: a text contains the control character ` `"),
        ("{\"a\": 01}", "1:7: this is not JSON: `01` is not a number"),
        ("{\"a\": 1-}", "1:7: this is not JSON: `1-` is not a number"),
        ("[] []", "1:4: this is not JSON: something follows the end"),
        ("{\"a\": nul}", "1:7: this is not JSON: `n` stands where a value is wanted"),
    ] {
        let found = faults(text);
        assert_eq!(found.split(" (hint: ").next(), Some(told), "{text:?}");
        assert!(found.contains("(hint: "), "{found}");
    }
    let deep = faults(&"[".repeat(1_000_000));
    assert!(deep.contains("nested too deeply"), "{deep}");
}

#[test]
fn no_text_makes_the_reader_stumble() {
    let sound =
        r#"[{"name": "a", "env": {"B": "é😀"}, "steps": [{"cmd": ["x", "\u00e9\ud83d\ude00"], "timeout": 1.5e1}]}]"#;
    assert!(json(sound).is_ok());
    for (at, c) in sound.char_indices() {
        // Cut off, one character gone, one replaced: an answer, whatever it is.
        let rest = &sound[at + c.len_utf8()..];
        let texts = [sound[..at].to_owned(), format!("{}{rest}", &sound[..at]), format!("{}\u{0}{rest}", &sound[..at])];
        for text in texts {
            for format in [Format::Json, Format::Toml] {
                if let Err(told) = read(&text, format) {
                    assert!(!told.is_empty());
                }
            }
        }
    }
}

#[test]
fn a_list_without_jobs_and_other_shapes_are_faults() {
    for (text, told) in [
        ("[]", "1:1: the list has no job"),
        ("5", "1:1: this is a whole number; a job is wanted"),
        ("{}", "1:1: the job has no `steps`"),
        ("{\"job\": {}}", "1:9: `job` is a table; a list of jobs is wanted"),
        ("{\"name\": \"x\", \"job\": [{\"steps\": [{\"cmd\": \"x\"}]}]}", "1:2: `name` stands beside a list of jobs"),
        ("{\"steps\": [{\"cmd\": \"x\"}], \"steps\": 1}", "1:27: the key `steps` stands twice"),
        (
            "{\"steps\": [{\"cmd\": \"x\"}], \"env\": {\"A\": 1}}",
            "1:40: `A` in `env` of the job is a whole number; text is wanted",
        ),
        (
            "{\"steps\": [{\"cmd\": \"x\"}], \"env\": {\"A=\": \"1\"}}",
            "1:35: `A=` in `env` of the job is not a variable's name",
        ),
        ("{\"steps\": [{\"cmd\": \"x\\u0000\"}]}", "1:20: `cmd` of step 1 of the job contains a NUL character"),
        ("{\"steps\": [{\"cmd\": \"x\", \"if\": \" \"}]}", "1:31: `if` of step 1 of the job is empty"),
        ("{\"steps\": [{\"cmd\": \"x\"}], \"mem\": \"2\"}", "1:34: `mem` of the job is less than 1MB"),
    ] {
        assert_eq!(faults(text).split(" (hint: ").next(), Some(told), "{text}");
    }
}

#[test]
fn a_command_of_ten_megabytes_is_refused_in_few_words() {
    let text = format!("{{\"steps\": [{{\"cmd\": \"{}\"}}]}}", "x".repeat(10_000_000));
    let told = faults(&text);
    assert!(
        told.starts_with("1:20: `cmd` of step 1 of the job is too long for the system: 10001 kB"),
        "{}",
        &told[..99]
    );
    assert!(told.len() < 300);
}

#[test]
fn what_is_not_toml_is_told_too() {
    let told = read("steps = [{ cmd = 'x' }", Format::Toml).expect_err("a fault");
    assert!(told.starts_with("/p/job.toml:1:") && told.contains("this is not TOML"), "{told}");
    let told = read("steps = 1\nstep = 2", Format::Toml).expect_err("faults");
    assert!(told.contains("a list is wanted") && told.contains("did you mean `steps`?"), "{told}");
    let told = read("[[job]]\nname = 2026-01-01", Format::Toml).expect_err("faults");
    assert!(told.contains("`name` of job 1 is a date; text is wanted (hint: write `name = \"…\"`)"), "{told}");
}

#[test]
fn a_job_file_is_known_by_its_ending() {
    for (path, format) in
        [("a.json", Some(Format::Json)), ("x/B.TOML", Some(Format::Toml)), ("a.yaml", None), ("json", None)]
    {
        assert_eq!(Format::of(Path::new(path)), format);
    }
}
