//! A session made by one short process, for whoever keeps no connection to the server.
use super::{
    error::TmuxError,
    run,
    server::Server,
    session::{self, Created, NewSession},
};
use crate::world::process::{ProcId, is_ending};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Folder of the server of jobs, beside their store. Its configuration stands on the command line of that server, which
/// is how it is known from others.
pub const OF_JOBS: &str = "jobs.tmux";

/// Between two questions to a server that did not say anything.
const AGAIN: Duration = Duration::from_millis(20);

/// What ends a server right before it is asked was not its answer: it is asked again so often.
const TRIES: u32 = 5;

impl Server {
    /// The server on which the jobs of the store in `dir` have their sessions. See [`Server::own`].
    pub fn of_jobs(dir: &Path) -> Result<Server, TmuxError> {
        Server::own(&dir.join(OF_JOBS))
    }

    /// Makes a session, and the server if need be; its pipe is connected before the first byte is read. `env`: what the
    /// program finds beside the server's own environment. After [`TmuxError::is_unknown`] it may come yet.
    pub fn open_session(
        &self,
        new: &NewSession,
        env: &[(String, String)],
        deadline: Duration,
    ) -> Result<Created, TmuxError> {
        session::check_name(&new.name)?;
        let [program, _, ..] = &new.argv[..] else {
            return Err(TmuxError::Refused("a session needs a program with arguments".into()));
        };
        if let Some(dir) = self.socket_path().parent().filter(|dir| !dir.is_dir()) {
            return Err(TmuxError::Socket(format!("`{}` is not a directory", dir.display())));
        }
        if !Path::new(program).is_file() {
            return Err(TmuxError::Refused(format!("the program `{program}` is gone")));
        }
        let until = Instant::now() + deadline;
        let mut tries = 1;
        loop {
            match self.try_open(new, env, until.saturating_duration_since(Instant::now())) {
                // A server that had nothing to do any more was on its way out.
                Err(TmuxError::ServerDown(_)) if tries < TRIES => tries += 1,
                done => return done,
            }
        }
    }

    fn try_open(&self, new: &NewSession, env: &[(String, String)], left: Duration) -> Result<Created, TmuxError> {
        let at = format!("={}:", new.name);
        let mut command = self.command(true);
        command.args(["new-session", "-d", "-P", "-F", "#{session_id} #{pane_id} #{pane_pid}", "-s", &new.name]);
        command.arg("-x").arg(new.size.0.to_string()).arg("-y").arg(new.size.1.to_string());
        for (name, value) in env {
            command.arg("-e").arg(whole(&format!("{name}={value}")));
        }
        command.arg("--").args(new.argv.iter().map(|word| whole(word)));
        if let Some(pipe) = &new.pipe {
            command.args([";", "pipe-pane", "-t", &at, &whole(&session::pipe_command(pipe))]);
        }
        for [flag, option, value] in session::options(!self.is_own()) {
            command.args([";", "set-option", flag, "-t", &at, option, value]);
        }
        command.args([";", "set-option", "-s", "exit-empty", "off"]);
        let out = run::run(command, b"", left, "new session")?;
        let words = String::from_utf8_lossy(&out.stderr);
        match session::created(&String::from_utf8_lossy(&out.stdout)) {
            Some(created) => {
                let pipe_error = Some(words.trim().to_owned()).filter(|words| !words.is_empty());
                Ok(Created { pipe_error, ..created })
            }
            None => Err(self.told(&words, &new.name)),
        }
    }

    /// Whether there is a session of exactly this name. Starts nothing.
    pub fn has_session(&self, name: &str, deadline: Duration) -> Result<bool, TmuxError> {
        match self.tell(name, &["has-session", "-t"], &[], "look for a session", deadline) {
            Ok(()) => Ok(true),
            Err(TmuxError::Gone(_) | TmuxError::ServerDown(_)) => Ok(false),
            Err(TmuxError::Socket(_)) if !self.socket_path().exists() => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Ends a session. One that is gone already is no error.
    pub fn close_session(&self, name: &str, deadline: Duration) -> Result<(), TmuxError> {
        match self.tell(name, &["kill-session", "-t"], &[], "end a session", deadline) {
            Err(TmuxError::Gone(_) | TmuxError::ServerDown(_)) => Ok(()),
            Err(TmuxError::Socket(_)) if !self.socket_path().exists() => Ok(()),
            done => done,
        }
    }

    /// Connects another reader to what a session's pane prints, in place of one that is gone.
    pub fn pipe_again(&self, name: &str, pipe: &[String], deadline: Duration) -> Result<(), TmuxError> {
        self.tell(name, &["pipe-pane", "-t"], &[&session::pipe_command(pipe)], "connect the log", deadline)
    }

    /// What stands at the right of the line below a session. `None`: what stands there by default. `text`: no `#` and no
    /// `%`, which tmux would read.
    pub fn set_note(&self, name: &str, text: Option<&str>, deadline: Duration) -> Result<(), TmuxError> {
        if text.is_some_and(|text| text.contains(['#', '%'])) {
            return Err(TmuxError::Refused("a note is plain text".into()));
        }
        match text {
            Some(text) => self.tell(name, &["set-option", "-t"], &["status-right", text], "note", deadline),
            None => self.tell(name, &["set-option", "-u", "-t"], &["status-right"], "note", deadline),
        }
    }

    /// `command`, the session, `rest`. Starts nothing.
    fn tell(
        &self,
        name: &str,
        command: &[&str],
        rest: &[&str],
        doing: &str,
        deadline: Duration,
    ) -> Result<(), TmuxError> {
        session::check_name(name)?;
        let mut process = self.command(false);
        process.args(command).arg(format!("={name}:")).args(rest.iter().map(|word| whole(word)));
        let out = run::run(process, b"", deadline, doing)?;
        if out.status.success() { Ok(()) } else { Err(self.told(&String::from_utf8_lossy(&out.stderr), name)) }
    }

    /// The server goes as soon as it has no session; at once if it has none now. The next [`Server::open_session`] takes
    /// that back.
    pub fn go_when_empty(&self, deadline: Duration) -> Result<(), TmuxError> {
        let mut command = self.command(false);
        command.args(["set-option", "-s", "exit-empty", "on"]);
        run::run(command, b"", deadline, "let the server go").map(drop)
    }

    /// Whether it is this process that answers here. A server that was told to end closes its sessions at once, and answers
    /// nobody any more, however long it waits for the last who look on.
    pub fn is_answered_by(&self, server: ProcId, deadline: Duration) -> bool {
        let until = Instant::now() + deadline;
        loop {
            let mut command = self.command(false);
            command.args(["display-message", "-p", "#{pid}"]);
            let Ok(said) = run::run(command, b"", deadline, "ask the server") else { return false };
            if said.status.success() {
                return said.stdout.trim_ascii() == server.pid.to_string().as_bytes();
            }
            // While a session is being taken apart it may fail without a word.
            if !said.stderr.is_empty() || is_ending(server) || Instant::now() >= until {
                return false;
            }
            std::thread::sleep(AGAIN);
        }
    }

    fn told(&self, words: &str, target: &str) -> TmuxError {
        TmuxError::from_text(words, target, &self.place(), &self.tmux.display().to_string())
    }
}

/// A word of the command line that tmux takes as one: a last `;` would end the command.
fn whole(word: &str) -> String {
    match word.strip_suffix(';') {
        Some(rest) => format!("{rest}\\;"),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_semicolon_stays_in_its_word() {
        assert_eq!(whole("a;b"), "a;b");
        assert_eq!(whole("/x/a;"), "/x/a\\;");
        assert_eq!(whole(";"), "\\;");
    }
}
