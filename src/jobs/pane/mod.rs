//! A job in a tmux session of its own, which `agents attach` shows.
//!
//! ```text
//! tmux server ── agents __pane DIR …             session leader; starts the runner, and waits for the end
//!      │            └─ agents __runner DIR …       runs this one job; claims others when its session is gone
//!      │                └─ $SHELL -c LINE            a step: group of its own, in the foreground of the terminal
//!      └─ pipe ──── agents __joblog LOG SIGN     appends what the pane prints to the job's log
//! ```
//!
//! The runner that claims such a job hands it on to the one in the pane (`runner/handing.rs`), and goes on claiming. The
//! epoch is the proof of whose the job is, as ever: the runner in the pane takes the job with the epoch that stands on its
//! line, and who does not wait for it any longer takes it back the same way.
//!
//! What leads the terminal's session is not the runner: its end would be the end of what runs in the foreground. So a step
//! outlives a runner that is killed, and the session lasts until nobody has its terminal open. The sign is a fifo that
//! the log's writer holds open: so the runner sees that all was written.
mod holder;
mod writer;

use crate::{
    model::job::JobId,
    store::jobs::JobStore,
    world::tmux::{Server, TmuxError},
};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Columns and rows of a new session, as those of agents are by default.
pub const SIZE: (u16, u16) = (200, 50);

/// How long any one call of tmux may take.
pub const DEADLINE: Duration = Duration::from_secs(10);

pub const HOLDER: &str = "__pane";
pub const WRITER: &str = "__joblog";

/// The hidden words [`HOLDER`] and [`WRITER`]. `None`: `words` do not begin with one.
pub fn main(words: &[OsString]) -> Option<ExitCode> {
    let (word, rest) = words.split_first()?;
    Some(match (word.to_str()?, rest) {
        (HOLDER, [_, ..]) => holder::run(rest),
        (WRITER, [log, sign]) => writer::run(Path::new(log), Path::new(sign)),
        (HOLDER | WRITER, _) => {
            eprintln!("error: `{}` is for agents itself", word.to_string_lossy());
            ExitCode::from(2)
        }
        _ => return None,
    })
}

/// `j7`, or `j7-NAME` as tmux keeps it.
pub fn session_name(id: JobId, name: &str) -> String {
    if name.is_empty() { id.to_string() } else { format!("{id}-{}", name.replace('.', "_")) }
}

/// Where the writer of the log says that it is there. Of one run of the job: no other has its epoch.
pub fn sign(server: &Server, id: JobId, epoch: i64) -> PathBuf {
    let dir = server.conf.as_deref().and_then(Path::parent).unwrap_or(Path::new("/"));
    dir.join(format!("{id}-{epoch}.sign"))
}

/// The writer's command line; its sign is made.
pub fn writer_line(log: &Path, sign: &Path) -> Result<Vec<String>, TmuxError> {
    let _ = std::fs::remove_file(sign);
    mknodat(CWD, sign, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .map_err(|e| TmuxError::Refused(format!("`{}` cannot be made: {e}", sign.display())))?;
    Ok(vec![program()?, WRITER.into(), text(log)?, text(sign)?])
}

/// This program, also after it was replaced on disk while it runs.
pub fn program() -> Result<String, TmuxError> {
    let path = std::env::current_exe().map_err(|e| TmuxError::Refused(format!("this program: {e}")))?;
    let path = text(&path)?;
    let path = path.strip_suffix(" (deleted)").unwrap_or(&path);
    if Path::new(path).is_file() {
        return Ok(path.to_owned());
    }
    Err(TmuxError::Refused(format!("the program `{path}` is gone")))
}

/// What tmux is told has to be text.
pub fn text(path: &Path) -> Result<String, TmuxError> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| TmuxError::Refused(format!("the path `{}` is not UTF-8", path.display())))
}

/// The tmux server of jobs is not kept for nothing: without a session it goes. Best effort: who has the next session takes
/// that back.
pub fn leave_server(store: &JobStore) {
    if store.has_sessions().is_ok_and(|some| !some)
        && let Ok(server) = Server::of_jobs(store.dir())
    {
        let _ = server.go_when_empty(DEADLINE);
    }
}

/// Whether there is a tmux to be found here, without asking it anything.
pub fn is_there() -> bool {
    Server::is_installed()
}

/// Why no session could be made by the tmux at hand.
pub fn usable() -> Result<(), TmuxError> {
    Server::at(crate::world::tmux::Address::Default).version().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_has_a_name_that_tmux_keeps() {
        for (name, session) in [("", "j7"), ("web", "j7-web"), ("a.b-c_9", "j7-a_b-c_9")] {
            let made = session_name(JobId(7), name);
            assert_eq!(made, session);
            assert_eq!(crate::model::name::unusable(&made), None);
        }
        assert_eq!(crate::model::name::unusable(&session_name(JobId(i64::MAX), &"x".repeat(64))), None);
        assert!(program().is_ok_and(|path| Path::new(&path).is_file()));
    }
}
