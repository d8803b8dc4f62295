//! Ending a server, or one session of it, without a connection: what a verb does last.
use super::{error::TmuxError, run, server::Server, session};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(5);

impl Server {
    /// Ends the server. One that is not there is as good as ended.
    pub fn kill(&self) -> Result<(), TmuxError> {
        self.order(&["kill-server"], "kill server")
    }

    /// Ends one session, by its exact name. One that is not there is as good as ended.
    pub fn kill_session(&self, name: &str) -> Result<(), TmuxError> {
        session::check_name(name)?;
        self.order(&["kill-session", "-t", &format!("={name}:")], name)
    }

    fn order(&self, words: &[&str], target: &str) -> Result<(), TmuxError> {
        let mut command = self.command(false);
        command.args(words);
        let out = run::run(command, b"", DEADLINE, target)?;
        if out.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&out.stderr);
        match TmuxError::from_text(&said, target, &self.place(), &self.tmux.display().to_string()) {
            TmuxError::ServerDown(_) | TmuxError::Gone(_) => Ok(()),
            e => Err(e),
        }
    }
}
