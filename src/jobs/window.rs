//! The session of a job with prompts. An agent program works without a terminal, so nothing of the job runs in it: the one
//! process there is a window, which shows what the job's log says, painted for people (`src/cli/window.rs`).
//!
//! ```text
//! agents __runner DIR                       runs the job as one without a session; its log gets every byte
//! tmux server ── agents __window DIR jN@E   reads the log as it grows, until the job is over
//! ```
//!
//! Nothing goes from the window to the runner but what anybody may ask of a job: its end. So whatever happens to it or to
//! the tmux server, the agent works on.
use super::handed;
use crate::{model::job::JobId, store::jobs::Habits};
use std::{ffi::OsString, path::PathBuf};

/// The hidden word of a window.
pub const WORD: &str = "__window";

/// What stands behind [`WORD`].
#[derive(Debug, PartialEq, Eq)]
pub struct Meant {
    pub dir: PathBuf,
    pub id: JobId,
    /// By which the runner held the job that made the session. It stands in the row as long as the session is the job's,
    /// whoever runs it by then.
    pub epoch: i64,
    pub habits: Option<Habits>,
}

impl Meant {
    /// The words behind the program's name. `dir`: as text, because tmux is told it.
    pub fn line(dir: String, id: JobId, epoch: i64, habits: Option<Habits>) -> Vec<String> {
        let mut line = vec![WORD.into(), dir, handed::word(id, epoch)];
        line.extend(habits.map(|habits| habits.word()));
        line
    }

    pub fn parse(rest: &[OsString]) -> Option<Meant> {
        let [dir, held, habits @ ..] = rest else { return None };
        let (id, epoch) = handed::parse(held.to_str()?)?;
        let habits = match habits {
            [] => None,
            [word] => Some(Habits::parse(word.to_str()?)?),
            _ => return None,
        };
        Some(Meant { dir: dir.into(), id, epoch, habits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_finds_on_its_line_what_was_written_there() {
        let habits = Habits::parse("8,1,2,3,full");
        assert!(habits.is_some());
        for habits in [None, habits] {
            let line = Meant::line("/a b".into(), JobId(7), 3, habits);
            let words: Vec<OsString> = line.iter().map(OsString::from).collect();
            assert_eq!(words[0], WORD);
            assert_eq!(Meant::parse(&words[1..]), Some(Meant { dir: "/a b".into(), id: JobId(7), epoch: 3, habits }));
            assert_eq!(Meant::parse(&words[1..2]), None);
        }
    }
}
