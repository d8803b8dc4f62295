//! First messages, and everything else the watchdog says: fixed texts from `prompts/`, with slots.
use crate::model::{
    policy::{Kind, Phase},
    seen::ErrorClass,
};
use std::path::Path;

const READ_KICKOFF: &str = include_str!("../../prompts/read-kickoff.md");
const PROBE_PERSISTENT: &str = include_str!("../../prompts/probe-persistent.md");
const PROBE_LOOP: &str = include_str!("../../prompts/probe-loop.md");
const FORGOTTEN: &str = include_str!("../../prompts/forgotten.md");
const FORGOTTEN_KICKOFF: &str = include_str!("../../prompts/forgotten-kickoff.md");
const AFTER_ERROR: &str = include_str!("../../prompts/after-error.md");
const HAND_OVER: &str = include_str!("../../prompts/hand-over.md");
const NUDGE_PERSISTENT: &str = include_str!("../../prompts/nudge-persistent.md");
const NUDGE_LOOP: &str = include_str!("../../prompts/nudge-loop.md");
const CLAIM: &str = include_str!("../../prompts/claim.md");
const REVIEW: &str = include_str!("../../prompts/review.md");
const INBOX: &str = include_str!("../../prompts/inbox.md");

/// A loop agent's first message: the template with the phase filled in, then the role's own text.
pub fn loop_prompt(template: &str, role_text: &str, phase: &Phase, role: &str) -> String {
    let filled = template
        .replace("{phase_id}", &phase.id)
        .replace("{plan}", phase.plan.as_deref().unwrap_or(""))
        .replace("{status}", &phase.status)
        .replace("{role}", role);
    filled + role_text
}

/// What is typed instead of a whole prompt.
pub fn read_kickoff(file: &Path) -> String {
    with_file(READ_KICKOFF, file)
}

/// To a program that may have forgotten its first message.
pub fn forgotten_kickoff(file: &Path) -> String {
    with_file(FORGOTTEN_KICKOFF, file)
}

/// To a program that may have forgotten what it was told last; oldest first.
pub fn forgotten(messages: &[&str]) -> String {
    let quoted: Vec<String> = messages.iter().map(|text| format!("«{}»", one_line(text))).collect();
    one_line(FORGOTTEN).replace("{messages}", &quoted.join(" "))
}

fn with_file(text: &str, file: &Path) -> String {
    let path = file.to_string_lossy();
    one_line(text).replace("{file}", &path).replace("{quoted_file}", &format!("'{}'", path.replace('\'', r"'\''")))
}

/// What a limited agent is asked when its window may be over.
pub fn probe(kind: &Kind) -> String {
    match kind {
        Kind::Persistent | Kind::Orchestrator => one_line(PROBE_PERSISTENT),
        _ => one_line(PROBE_LOOP),
    }
}

/// What an agent is told whose turn ended with an error.
pub fn after_error() -> String {
    one_line(AFTER_ERROR)
}

/// What stands before the first message of a session that takes the place of one that cannot go on.
///
/// It names the class only: the error's own words come from a screen.
pub fn hand_over(class: ErrorClass) -> String {
    let why = match class {
        ErrorClass::Context => "it had grown too long",
        ErrorClass::Transcript => "the service refused its transcript",
        ErrorClass::Auth => "the service refused its login",
        ErrorClass::Overload | ErrorClass::Network | ErrorClass::Model | ErrorClass::Other => "it ended with an error",
    };
    HAND_OVER.replace("{why}", why)
}

/// What an agent is told that has stopped without a reason that is known.
pub fn go_on(kind: &Kind) -> String {
    match kind {
        Kind::Persistent | Kind::Orchestrator => one_line(NUDGE_PERSISTENT),
        _ => one_line(NUDGE_LOOP),
    }
}

pub fn claim() -> String {
    one_line(CLAIM)
}

pub fn review() -> String {
    one_line(REVIEW)
}

pub fn inbox(subdir: &str, file: &str) -> String {
    one_line(INBOX).replace("{subdir}", subdir).replace("{file}", file)
}

/// All white space folded to single blanks: what is typed is one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is typed instead of a text of several lines.
pub fn read_message(file: &Path) -> String {
    let path = file.to_string_lossy();
    let quoted = format!("'{}'", path.replace('\'', r"'\''"));
    format!("There is a message for you in {path} — read it now with: `cat {quoted}` — then act on it.")
}
