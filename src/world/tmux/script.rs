//! Several commands in one go: asked over a connection of our own where we speak the server's protocol, else by a tmux
//! process. As data on a socket or stdin: nobody else can read the marks in it, so nobody can forge what stands between
//! them.
use super::{error::TmuxError, quote, request, run, server::Server};
use crate::world::process::ProcId;
use std::time::{Duration, Instant};

/// One command's words.
pub(super) type Words = Vec<String>;

pub(super) fn words(words: &[&str]) -> Words {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// What `commands` print, in their order. Those that fail, for a pane that has vanished, print nothing. `speaks`: the
/// server, if it is known to speak our protocol. `doing`: for the words of an error.
pub(super) fn run(
    server: &Server,
    speaks: Option<ProcId>,
    mut commands: Vec<Words>,
    mark: &str,
    deadline: Duration,
    doing: &str,
) -> Result<String, TmuxError> {
    // Only the end mark tells that everything was tried.
    let end = format!("{mark} end");
    commands.push(words(&["display-message", "-p", &end]));
    let until = Instant::now() + deadline;
    if let Some(speaks) = speaks
        && let Some(printed) = request::run(server, speaks, &commands, &end, deadline, doing)?
    {
        return Ok(text(printed));
    }
    // One that fails ends a request, but not a file of commands.
    let lines: String = commands.iter().map(|words| line(words)).collect();
    let mut command = server.command(false);
    command.args(["source-file", "-"]);
    let left = until.saturating_duration_since(Instant::now());
    let out = run::run(command, lines.as_bytes(), left, doing)?;
    let mut printed = text(out.stdout);
    match printed.strip_suffix(&format!("{end}\n")).map(str::len) {
        Some(whole) => {
            printed.truncate(whole);
            Ok(printed)
        }
        None => {
            let words = String::from_utf8_lossy(&out.stderr);
            Err(TmuxError::from_text(&words, doing, &server.place(), &server.tmux.display().to_string()))
        }
    }
}

fn line(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quote::word(word)).collect();
    quoted.join(" ") + "\n"
}

/// As a rule all of it is valid, which is found out much faster than it is repaired.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}
