//! The settings file with which Claude Code is asked to tell what happens in it. It is named on the command line, where
//! it stands beside the user's own settings: their hooks run as well.
//!
//! A hook forks a shell and a program in the agent's tree, so there is none for each use of a tool. `PreCompact` is left
//! out, too: the program then shows the command of the hook on its screen; `SessionStart` tells of compacting as well.
use super::template::quote;
use serde_json::{Value, json};
use std::path::Path;

/// An event that a version does not know is a question on its first screen, and nobody is there to answer.
const EVENTS: [(&str, Version); 8] = [
    ("SessionStart", [0, 0, 0]),
    ("UserPromptSubmit", [0, 0, 0]),
    ("Stop", [0, 0, 0]),
    ("StopFailure", [2, 1, 78]),
    ("Notification", [0, 0, 0]),
    ("PermissionRequest", [2, 0, 77]),
    ("SessionEnd", [0, 0, 0]),
    ("SubagentStop", [0, 0, 0]),
];

/// Of Claude Code: `2.1.197`.
pub type Version = [u32; 3];

/// Seconds that it waits for a hook; ours takes some milliseconds.
const TIMEOUT: u32 = 5;

/// `2.1.197`, and nothing else.
pub fn version(text: &str) -> Option<Version> {
    let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

/// `argv`: our program and its words; `version`: of the program that will read this, if it is known.
pub fn settings(argv: &[&str], version: Option<Version>) -> String {
    // Whatever becomes of us, the agent sees nothing of it: an exit code of 2 would hold its turn up.
    let words: Vec<String> = argv.iter().map(|word| quote(word)).collect();
    let command = format!("{} >/dev/null 2>&1 || :", words.join(" "));
    let hook = json!([{ "hooks": [{ "type": "command", "command": command, "timeout": TIMEOUT }] }]);
    let known = |since: Version| since == [0, 0, 0] || version.is_some_and(|version| version >= since);
    let events = EVENTS.iter().filter(|(_, since)| known(*since));
    let hooks: serde_json::Map<String, Value> = events.map(|(event, _)| ((*event).to_owned(), hook.clone())).collect();
    json!({ "hooks": hooks }).to_string() + "\n"
}

/// What stands on the command line; the path itself comes by the environment.
pub const FLAG: &str = "--settings \"$AGENTS_HOOKS\"";
/// Where that path is.
pub const VARIABLE: &str = "AGENTS_HOOKS";

/// argv of the hook for the file to which it appends.
pub fn argv<'a>(program: &'a str, file: &'a Path) -> Option<[&'a str; 3]> {
    Some([program, "__hook", file.to_str()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(version: Option<Version>) -> Vec<String> {
        let settings: Value = serde_json::from_str(&settings(&["agents"], version)).expect("JSON");
        settings["hooks"].as_object().expect("hooks").keys().cloned().collect()
    }

    #[test]
    fn a_version_is_asked_only_for_what_it_knows() {
        let old = ["Notification", "SessionEnd", "SessionStart", "Stop", "SubagentStop", "UserPromptSubmit"];
        assert_eq!(events(None), old);
        assert_eq!(events(Some([2, 0, 76])), old);
        assert!(events(Some([2, 0, 77])).contains(&"PermissionRequest".to_owned()));
        assert!(!events(Some([2, 1, 77])).contains(&"StopFailure".to_owned()));
        assert_eq!(events(Some([2, 1, 78])).len(), EVENTS.len());
        assert_eq!(events(Some([3, 0, 0])).len(), EVENTS.len());
    }

    #[test]
    fn versions() {
        assert_eq!(version("2.1.197"), Some([2, 1, 197]));
        for other in ["", "2.1", "2.1.197.1", "v2.1.197", "2.1.x", "2.1.99999999999"] {
            assert_eq!(version(other), None, "{other}");
        }
    }

    /// What a real shell makes of it: the words come out as the data they were, and its own exit code never counts.
    #[test]
    fn awkward_paths_stay_data() {
        let dir = tempfile::tempdir().expect("a folder");
        let odd = dir.path().join("it's $(touch x) `id` \"q\" \\ $HOME;\n&é");
        std::fs::create_dir(&odd).expect("made");
        let (program, told) = (odd.join("my prog"), odd.join("told"));
        let script = "#!/bin/sh\nprintf '%s|' \"$@\" >\"$(dirname \"$0\")/told\"\necho shown; echo shown >&2\nexit 2\n";
        std::fs::write(&program, script).expect("written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&program, mode).expect("may run");
        let run = |program: &Path| {
            let program = program.to_str().expect("text");
            let settings = settings(&argv(program, &odd).expect("argv"), None);
            let settings: Value = serde_json::from_str(&settings).expect("JSON");
            let command = settings["hooks"]["Stop"][0]["hooks"][0]["command"].as_str().expect("a command").to_owned();
            std::process::Command::new("sh").args(["-c", &command]).current_dir(dir.path()).output().expect("run")
        };
        for program in [&program, &odd.join("missing")] {
            let out = run(program);
            assert!(out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(), "{out:?}");
        }
        assert_eq!(std::fs::read_to_string(told).expect("it ran"), format!("__hook|{}|", odd.display()));
        assert!(!dir.path().join("x").exists());
    }
}
