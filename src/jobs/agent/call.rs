//! The command line of one run.
use crate::model::{
    job::Bytes,
    job_agent::{JobAgent, PROMPT, SESSION},
};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

/// What a run begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn<'a> {
    /// `session`: the name that we give the conversation, where the program takes one.
    Fresh { session: &'a str },
    /// The same conversation goes on.
    Resumed { session: &'a str },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub argv: Vec<Bytes>,
    /// The prompt goes there, and not on the command line.
    pub by_stdin: bool,
}

pub fn call(agent: &JobAgent, turn: Turn, prompt: &OsStr) -> Call {
    let (words, session) = match turn {
        Turn::Fresh { session } => (&agent.start, session),
        Turn::Resumed { session } => (&agent.resume, session),
    };
    let by_stdin = !words.iter().any(|word| holds(&word.0, PROMPT));
    let argv = words.iter().map(|word| Bytes(filled(&word.0, session.as_ref(), prompt))).collect();
    Call { argv, by_stdin }
}

fn holds(word: &OsStr, slot: &str) -> bool {
    word.as_bytes().windows(slot.len()).any(|part| part == slot.as_bytes())
}

/// One pass: what stands in a value is no slot.
fn filled(word: &OsStr, session: &OsStr, prompt: &OsStr) -> OsString {
    let mut out = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(PROMPT.as_bytes()) {
            out.extend_from_slice(prompt.as_bytes());
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix(SESSION.as_bytes()) {
            out.extend_from_slice(session.as_bytes());
            rest = behind;
        } else {
            out.push(*first);
            rest = behind;
        }
    }
    OsString::from_vec(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job_agent::Stream;

    #[test]
    fn slots_are_filled_once_and_never_read_again() {
        let list = |words: &[&str]| words.iter().map(|word| Bytes(word.into())).collect::<Vec<_>>();
        let agent = JobAgent {
            backend: "x".into(),
            stream: Stream::Text,
            start: list(&["x", "--say={prompt}", "{other}"]),
            resume: list(&["x", "-r", "{session}"]),
            model: None,
            host: Default::default(),
        };
        let hostile = OsString::from_vec(b"-x {session} $(id) \xff".to_vec());
        let fresh = call(&agent, Turn::Fresh { session: "s" }, &hostile);
        assert_eq!(fresh.argv[1].0.as_bytes(), b"--say=-x {session} $(id) \xff");
        assert_eq!((fresh.argv[2].clone(), fresh.by_stdin), (Bytes("{other}".into()), false));
        let resumed = call(&agent, Turn::Resumed { session: "{prompt}" }, &hostile);
        assert_eq!((resumed.argv, resumed.by_stdin), (list(&["x", "-r", "{prompt}"]), true));
    }
}
