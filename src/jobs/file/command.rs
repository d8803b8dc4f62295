//! What can be run at all: the system takes commands of a limited length.
use crate::model::job::JobCommand;
use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

/// Bytes of one argument, as Linux counts them; a shell line is one.
const LONGEST_ARGUMENT: usize = 128 * 1024 - 1;
/// Bytes of all arguments together. The environment needs the rest of what the system takes.
const LONGEST_COMMAND: usize = 1024 * 1024;
/// Bytes of a prompt. It does not go on the command line.
const LONGEST_PROMPT: usize = 1024 * 1024;

/// Why a command cannot run, and what to do; `None` if it may.
pub fn unusable(command: &JobCommand) -> Option<(String, &'static str)> {
    let words: Vec<&OsStr> = match command {
        JobCommand::Shell(line) => vec![&line.0],
        JobCommand::Argv(words) => words.iter().map(|w| w.0.as_os_str()).collect(),
        JobCommand::Prompt(prompt) => return unusable_prompt(&prompt.0),
    };
    let empty = match command {
        JobCommand::Shell(line) => line.0.as_bytes().iter().all(u8::is_ascii_whitespace),
        JobCommand::Argv(words) => words.first().is_none_or(|program| program.0.is_empty()),
        JobCommand::Prompt(_) => false,
    };
    if empty {
        let why = if words.len() > 1 { "names no program" } else { "is empty" };
        return Some((why.into(), "write a shell line, or a list of a program and its arguments"));
    }
    if words.iter().any(|w| w.as_bytes().contains(&0)) {
        return Some(("contains a NUL character".into(), "take it out"));
    }
    let total: usize = words.iter().map(|w| w.len() + 1).sum();
    if words.iter().any(|w| w.len() > LONGEST_ARGUMENT) || total > LONGEST_COMMAND {
        let why = format!("is too long for the system: {} kB", total.div_ceil(1000));
        return Some((why, "write it to a script, and run that"));
    }
    None
}

fn unusable_prompt(prompt: &OsStr) -> Option<(String, &'static str)> {
    let bytes = prompt.as_bytes();
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Some(("is empty".into(), "say what the agent is to do"));
    }
    if bytes.contains(&0) {
        return Some(("contains a NUL character".into(), "take it out"));
    }
    if bytes.len() > LONGEST_PROMPT {
        let why = format!("is too long: {} kB", bytes.len().div_ceil(1000));
        return Some((why, "write it to a file, and tell the agent to read that"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::Bytes;

    #[test]
    fn what_the_system_cannot_start_is_refused() {
        let line = |text: String| unusable(&JobCommand::Shell(Bytes(text.into()))).map(|(why, _)| why);
        let argv = |words: &[&str]| {
            unusable(&JobCommand::Argv(words.iter().map(|w| Bytes(w.into())).collect())).map(|(why, _)| why)
        };
        assert_eq!(line("true".into()), None);
        assert_eq!(line(" \t\n".into()).as_deref(), Some("is empty"));
        assert_eq!(line("x".repeat(LONGEST_ARGUMENT)), None);
        assert_eq!(line("x".repeat(10_000_000)).as_deref(), Some("is too long for the system: 10001 kB"));
        assert_eq!(argv(&[]).as_deref(), Some("is empty"));
        assert_eq!(argv(&["", "x"]).as_deref(), Some("names no program"));
        assert_eq!(argv(&["echo", ""]), None);
        assert_eq!(argv(&["echo", "a\0b"]).as_deref(), Some("contains a NUL character"));
        assert!(argv(&["x".repeat(100_000).as_str(); 12]).is_some());
    }
}
