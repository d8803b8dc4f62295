//! Several command lines in one go, by one process: `source-file -` reads one command a line, and one that fails does not
//! stop the next. As data on stdin: nobody else can read the marks in it, so nobody can forge what stands between them.
use super::{error::TmuxError, run, server::Server};
use std::time::Duration;

/// What the lines of `script` print, in their order. Lines that fail, for a pane that has vanished, print nothing.
/// `doing`: for the words of an error.
pub(super) fn run(
    server: &Server,
    mut script: String,
    mark: &str,
    deadline: Duration,
    doing: &str,
) -> Result<String, TmuxError> {
    // One line that fails makes it fail as a whole; only the end mark tells that everything was tried.
    script.push_str(&format!("display-message -p '{mark} end'\n"));
    let mut command = server.command(false);
    command.args(["source-file", "-"]);
    let out = run::run(command, script.as_bytes(), deadline, doing)?;
    // As a rule all of it is valid, which is found out much faster than it is repaired.
    let mut text = String::from_utf8(out.stdout).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
    match text.strip_suffix(&format!("{mark} end\n")).map(str::len) {
        Some(whole) => {
            text.truncate(whole);
            Ok(text)
        }
        None => {
            let words = String::from_utf8_lossy(&out.stderr);
            Err(TmuxError::from_text(&words, doing, &server.place(), &server.tmux.display().to_string()))
        }
    }
}
