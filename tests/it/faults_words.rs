//! Faults of quoting and of size: every path, name and prompt arrives as it is.
use crate::fleet::{BASE, Fleet};
use std::{fs, path::Path, process::Command};

/// Every file below a folder.
fn files(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let each = entries.flatten().flat_map(|e| match e.file_type().is_ok_and(|t| t.is_dir()) {
        true => files(&e.path()),
        false => vec![e.file_name().to_string_lossy().into_owned()],
    });
    each.collect()
}

/// Three ways to hand over a prompt; the fake agent notes its arguments after `--`.
const THREE: &str = r#"
[backend.arg]
bin = "{fake} idle --"
supports_resume = true

[backend.exec]
bin = "{fake} idle -- {kickoff} {session} '{model}' \"{model}\""
prompt_delivery = "exec"

[backend.ping]
bin = "{fake} idle --"
attach = "{bin} {server} {dir}"
server = "s p"
prompt_delivery = "ping"
connect_delay = 0.1
"#;

/// The prompt that a typed `… with: `cat FILE` …` leads to, as a shell understands it.
fn followed(fleet: &Fleet, line: &str) -> String {
    let command = line.split('`').nth(1).unwrap_or_else(|| panic!("no command in {line}"));
    let mut shell = Command::new("sh");
    fleet
        .run({
            shell.args(["-c", command]).current_dir("/");
            shell
        })
        .ok()
        .out
}

#[test]
fn fault_10_quotes_and_dollars_in_paths_and_slots_run_nothing() {
    let model = r#"m'"$(touch pwned1)`touch pwned2`"#;
    let id = r#"i'"$(touch pwned3)"#;
    let prompt = r#"do '"$(touch pwned4)`touch pwned5` \n % ; |"#;
    let mut toml = format!("{BASE}{THREE}");
    for name in ["arg", "exec", "ping"] {
        toml += &format!(
            "[[agent]]\nname = \"{name}\"\nbackend = \"{name}\"\nresume = true\nmodel = '''{model}'''\nprompt = '''{prompt}'''\n"
        );
    }
    toml += "[[service]]\nname = \"web\"\ncommand = \"exec sleep 1000\"\n";
    let fleet = Fleet::in_folder("it's $(touch pwned) \"q\"", &toml);
    fleet.write(".agents/state/arg.id", id);
    fleet.up();
    fleet.wait("all run", |f| ["arg", "exec", "ping"].iter().all(|n| f.starts(n) == 1) && f.alive("web"));
    fleet.wait("the typed message arrives", |f| f.lines("ping").len() == 1);
    let got = |name: &str| fs::read_to_string(fleet.fake(name, "prompt.1")).unwrap_or_default();
    assert_eq!(got("arg"), format!("--resume {id} --model {model} {prompt}"));
    let kickoff = fleet.project.join(".agents/state/kickoff-t-exec.txt");
    assert_eq!(got("exec"), format!("{} t-exec {model} {model}", kickoff.display()));
    assert_eq!(got("ping"), format!("s p {}", fleet.project.display()));
    assert_eq!(followed(&fleet, &fleet.lines("ping")[0]), prompt);
    assert!(fleet.output("arg").contains("> "), "the log is where it belongs");
    assert!(fleet.alive("ping"));
    fleet.agents(&["down"]).ok();
    let pwned: Vec<String> = files(&fleet.root()).into_iter().filter(|f| f.contains("pwned")).collect();
    assert_eq!(pwned, [""; 0]);
}

#[test]
fn fault_13_a_prompt_of_200_kb_arrives_whole() {
    let long = "0123456789 abcdefghijklmnopqrstuvwxyz '\"$(x)\n".repeat(4600);
    let short = "x".repeat(90_000);
    assert!(long.len() > 200_000);
    let mut toml = format!("{BASE}{THREE}");
    for name in ["arg", "exec", "ping"] {
        toml += &format!("[[agent]]\nname = \"{name}\"\nbackend = \"{name}\"\nprompt_file = \"long.md\"\n");
    }
    toml += "[[agent]]\nname = \"inline\"\nbackend = \"arg\"\nprompt_file = \"short.md\"\n";
    let fleet = Fleet::with(&toml);
    fleet.write("long.md", &long);
    fleet.write("short.md", &short);
    fleet.up();
    fleet.wait("the typed message arrives", |f| f.lines("ping").len() == 1);
    let got = |name: &str| fs::read_to_string(fleet.fake(name, "prompt.1")).unwrap_or_default();
    fleet.wait("all run", |f| ["arg", "exec", "inline"].iter().all(|n| f.starts(n) == 1));
    assert_eq!(followed(&fleet, &got("arg")), long);
    assert_eq!(followed(&fleet, &fleet.lines("ping")[0]), long);
    let kickoff = got("exec").split(' ').next().map(fs::read_to_string);
    assert_eq!(kickoff.and_then(Result::ok), Some(long));
    assert_eq!(got("inline"), short);
    fleet.ticks(3);
    for name in ["arg", "exec", "ping", "inline"] {
        assert_eq!((fleet.starts(name), fleet.alive(name)), (1, true), "{name}");
    }
}
