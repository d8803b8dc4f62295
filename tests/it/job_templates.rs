//! Templates of jobs: the `[[job]]` tables of a config, with values that nobody should trust.
use crate::job_verbs::{Home, err};
use agents::{
    config::{self, Source},
    jobs::file::{JOB_KEYS, STEP_KEYS, template::Templates},
};
use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt, path::Path, process::Output};

const HEAD: &str = "[defaults]\nsession_prefix = 'p-'\nlog_dir = '.agents'\n";

fn project(jobs: &str) -> Home {
    let home = Home::new();
    fs::write(home.path().join("agents.toml"), format!("{HEAD}{jobs}")).expect("a config");
    home
}

const DEPLOY: &str = "
[[job]]
name = 'deploy'
description = 'Copies {tag} to {host}'
params = ['host', 'tag=latest']
dir = 'sub'
env = { WHERE = 'to {host}' }
steps = [
  { desc = 'Tell {tag}', cmd = 'echo \"{host}\" {tag} \"$WHERE\" ${HOME:+home}' },
  { cmd = ['printf', '%s|', 'app-{tag}', '{host}', '{{host}}'] },
]
";

#[test]
fn a_template_runs_with_its_values_and_the_line_counts_more() {
    let home = project(DEPLOY);
    fs::create_dir_all(home.path().join("sub/deep")).expect("a folder");
    let mut command = home.command(&["run", "--template", "deploy", "host=a b"]);
    let output = command.current_dir(home.path().join("sub/deep")).output().expect("it starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a b latest to a b home\napp-latest|a b|{host}|", "{output:?}");
    let job = home.json(&["jobs", "show", "deploy", "--json"]);
    assert_eq!(
        (&job["description"], &job["steps"][0]["desc"]),
        (&"Copies latest to a b".into(), &"Tell latest".into())
    );
    assert!(job["dir"].as_str().expect("a folder").ends_with("/sub"), "{job}");
    let id =
        home.ok(&["run", "-b", "--hold", "--name", "night", "--dir", "/", "host=x", "tag=v2", "--template", "deploy"]);
    let job = home.json(&["jobs", "show", id.trim(), "--json"]);
    assert_eq!((&job["name"], &job["dir"], &job["state"]), (&"night".into(), &"/".into(), &"held".into()));
    assert_eq!(job["description"], "Copies v2 to x");
}

#[test]
fn templates_are_listed_with_their_parameters() {
    let home = project(DEPLOY);
    let row = "deploy host=… tag=latest   Copies {tag} to {host}\n";
    assert_eq!(home.ok(&["run", "--template"]), row);
    assert_eq!(home.ok(&["run", "--template", "?"]), row);
    let told = home.fails(2, &["run", "--template", "deplyo", "host=x"]);
    assert!(told.contains("there is no template `deplyo`") && told.contains("did you mean `deploy`?"), "{told}");
    assert!(told.contains("\n  deploy host=… tag=latest"), "{told}");
    assert_eq!(project("").ok(&["run", "--template"]), "no templates: a `[[job]]` in agents.toml is one\n");
    assert!(Home::new().fails(3, &["run", "--template", "x"]).contains("templates stand in it"));
}

#[test]
fn what_is_wrong_with_the_values_is_told_at_once_and_nothing_is_queued() {
    let home = project("[[job]]\nname = 'a'\nparams = ['host', 'port', 'tag=1']\nsteps = [{ cmd = 'true' }]\n");
    assert_eq!(
        home.fails(2, &["run", "--template", "a", "tga=2", "word", "tag=1", "tag=2"]),
        "error: template `a` has no parameter `tga`; did you mean `tag`?\n`word` is not NAME=VALUE\n`tag` is given twice\n\
         template `a` needs `host`, `port`\nhint: agents run --template a host=… port=… tag=1\n"
    );
    let long = format!("host={}", "x".repeat(200_000));
    let output = home.run(&["run", "--template", "a", "port=1", &long[..131_068]]);
    assert!(err(&output).contains("the value of `host` is too long for the system: 132 kB"), "{}", err(&output));
    assert!(home.fails(2, &["run", "--template", "a", "--", "true"]).contains("cannot be used with"));
    assert_eq!(home.ok(&["jobs"]), "no jobs\n");
}

#[test]
fn faults_of_templates_stand_in_check_and_stop_nothing_else() {
    let home = project(
        "[[job]]\nname = 'a'\nparams = ['tag']\nsteps = [{ cmd = 'echo {tga} $(( 1 ))' }, { cmd = 'echo $(( {tag} ))' }]\n\
         timout = 3\n[[job]]\nname = 'b'\ndir = '.'\nsteps = [{ cmd = 'echo of b' }]\n",
    );
    let output = home.run(&["check"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{told}");
    for part in
        ["did you mean `{tag}`?", "stands in arithmetic", "did you mean `timeout`?", "agents.toml:7:", "3 errors"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(home.fails(3, &["run", "--template", "a", "tag=1"]).contains("unknown key `timout`"));
    assert_eq!(home.ok(&["run", "echo here"]), "here\n");
    assert_eq!(home.ok(&["run", "--template", "b"]), "of b\n");
    let output = home.run(&["run", "--template"]);
    assert_eq!(output.stdout, b"a tag=\xe2\x80\xa6\nb\n");
    assert!(
        err(&output).contains("warning: template `a` has faults\nhint: `agents check` tells them"),
        "{}",
        err(&output)
    );
    let whole = project(DEPLOY);
    assert!(whole.ok(&["check"]).ends_with("(0 agents, 0 services, 1 template)\n"));
    // What is no TOML is told once.
    let broken = project("[[job]\nname = 'a'\n");
    let told = String::from_utf8_lossy(&broken.run(&["check"]).stdout).into_owned();
    assert_eq!(told.matches("this is not TOML").count(), 1, "{told}");
}

/// Every value comes out as it went in, through all quotes, and nothing of it is run.
#[test]
fn a_value_is_data_in_every_shell() {
    let jobs = "[[job]]\nname = 'say'\nparams = ['x']\ndir = '.'\nsteps = [\n\
        { if = '''test -n {x}''', cmd = '''n() { printf '%s\\0' \"$#\" \"$@\"; }; n {x} \"{x}\" '{x}' a{x} \"$(printf %s {x})\" > out''' },\n\
        { cmd = ['sh', '-c', 'printf \"%s\\0\" \"$1\" >> out', 'sh', '{x}'] },\n]\n";
    let home = project(jobs);
    let long = "x".repeat(100_000);
    let values: [&[u8]; 15] = [
        b"plain",
        b"two words",
        b"$(touch pwned)",
        b"`touch pwned`",
        b"; touch pwned;",
        b"'; touch pwned; '",
        b"\"; touch pwned; \"",
        b"\n touch pwned\n #",
        b"${HOME} $HOME ~ * ? [a-z]",
        b"-rf",
        b"a[$(touch pwned)]",
        b"\\ \\\\ \\' \\\"",
        b"{x} {{x}} AGENTS_PARAM_x",
        b"\xff\xfe not UTF-8",
        long.as_bytes(),
    ];
    let shells: Vec<&str> = ["/bin/sh", "/bin/bash", "/usr/bin/bash", "/bin/zsh", "/usr/bin/zsh"]
        .into_iter()
        .filter(|s| Path::new(s).exists())
        .collect();
    assert!(shells.len() > 1);
    for shell in shells {
        for value in values {
            let word = OsString::from_vec([b"x=", value].concat());
            let mut command = home.command(&["run", "--template", "say"]);
            let output: Output = command.arg(word).env("SHELL", shell).output().expect("it starts");
            let shown = String::from_utf8_lossy(&value[..value.len().min(60)]).into_owned();
            assert_eq!(output.status.code(), Some(0), "{shell} {shown}: {}", err(&output));
            let said = fs::read(home.path().join("out")).expect("its words");
            // `$(…)` drops newlines at the end, of which none of the values has any.
            let expected = [b"5", value, value, value, &[b"a", value].concat()[..], value, value, b""].join(&0);
            assert!(said == expected, "{shell} {shown}: {}", String::from_utf8_lossy(&said[..said.len().min(300)]));
            assert!(!home.path().join("pwned").exists(), "{shell} {shown}");
        }
    }
}

#[test]
fn the_environment_of_the_line_does_not_reach_a_parameter() {
    let home = project("[[job]]\nname = 'a'\nparams = ['x=file']\ndir = '.'\nsteps = [{ cmd = 'echo {x}' }]\n");
    assert_eq!(home.ok(&["run", "--env", "AGENTS_PARAM_x=line", "--template", "a"]), "file\n");
    let mut command = home.command(&["run", "--template", "a"]);
    let output = command.env("AGENTS_PARAM_x", "around").output().expect("it starts");
    assert_eq!(output.stdout, b"file\n");
}

#[test]
fn the_key_table_has_the_keys_that_are_read() {
    let schema = config::schema();
    let keys = |at: &str| {
        let table = schema.pointer(at).and_then(|p| p.as_object()).expect("a table");
        let mut keys: Vec<String> = table.keys().cloned().collect();
        keys.sort_unstable();
        keys
    };
    let mut job: Vec<String> = JOB_KEYS.iter().chain(&["params"]).map(ToString::to_string).collect();
    job.sort_unstable();
    assert_eq!(keys("/properties/job/items/properties"), job);
    let mut step: Vec<String> = STEP_KEYS.iter().map(ToString::to_string).collect();
    step.sort_unstable();
    assert_eq!(keys("/properties/job/items/properties/steps/items/properties"), step);
}

/// As they are, and with every key that is commented out.
#[test]
fn the_templates_of_the_example_and_of_the_manual_have_no_fault() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = fs::read_to_string(root.join("agents.example.toml")).expect("the example");
    let all: String = example
        .lines()
        .map(|line| {
            let bare =
                line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '['));
            format!("{}\n", bare.filter(|rest| rest.contains('=') || rest.starts_with('[')).unwrap_or(line))
        })
        .collect();
    let manual = fs::read_to_string(root.join("README.md")).expect("the manual");
    let blocks = manual.split("```toml fragment\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let texts: Vec<String> = [example, all].into_iter().chain(blocks.map(str::to_owned)).collect();
    let mut seen = 0;
    for text in texts {
        let source = Source { path: Path::new("agents.toml"), text: &text, home: None };
        let found = Templates::read(&source, None);
        assert!(found.faults.is_empty(), "{}", found.faults[0].render(false));
        seen += found.list.len();
    }
    assert!(seen >= 3, "{seen}");
}
