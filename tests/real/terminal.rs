//! A private tmux server with one pane, for looking at a CLI without the product in between.
use crate::home;
use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

pub struct Terminal {
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

/// One look at the pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    pub text: String,
    pub title: String,
    pub command: String,
    /// Column and row, from 0.
    pub cursor: (u16, u16),
    /// Exit code of the pane's program once it has ended; 128 + n for signal n.
    pub dead: Option<i32>,
}

impl Terminal {
    /// Starts `argv` in `dir` with `env` and nothing of ours.
    pub fn start(argv: &[String], dir: &Path, env: &[(String, String)], size: Size) -> io::Result<Terminal> {
        let folder = tempfile::tempdir()?;
        let terminal = Terminal { socket: folder.path().join("tmux"), _folder: folder };
        let mut words: Vec<String> = ["-f", "/dev/null", "new-session", "-d", "-s", "real"].map(String::from).to_vec();
        words.extend(["-x".into(), size.columns.to_string(), "-y".into(), size.rows.to_string(), "-c".into()]);
        words.push(dir.display().to_string());
        words.push("--".into());
        words.push("env".into());
        words.extend(["-u", "TMUX", "-u", "TMUX_PANE"].map(String::from));
        words.extend(env.iter().map(|(k, v)| format!("{k}={v}")));
        words.extend_from_slice(argv);
        words.extend([";", "set-option", "-g", "remain-on-exit", "on"].map(String::from));
        terminal.tmux(&words)?;
        Ok(terminal)
    }

    fn tmux<S: AsRef<std::ffi::OsStr>>(&self, words: &[S]) -> io::Result<String> {
        let mut command = Command::new("tmux");
        command.arg("-u").arg("-S").arg(&self.socket).args(words).stdin(Stdio::null());
        let out = home::neutral(&mut command).output()?;
        if !out.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&out.stderr).trim().to_owned()));
        }
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    }

    pub fn look(&self) -> io::Result<Look> {
        let facts = "#{pane_dead}|#{pane_dead_status}|#{pane_dead_signal}|#{cursor_x}|#{cursor_y}|#{pane_current_command}|#{pane_title}";
        let capture = [";", "capture-pane", "-p", "-t", "=real:"];
        let both = self.tmux(&[&["display-message", "-p", "-t", "=real:", facts][..], &capture[..]].concat())?;
        let (facts, text) = both.split_once('\n').unwrap_or((&both, ""));
        let text = text.to_owned();
        let mut facts = facts.splitn(7, '|');
        let mut number = || facts.next().and_then(|n| n.parse::<i32>().ok());
        let (is_dead, status, signal) = (number() == Some(1), number(), number());
        let dead = is_dead.then(|| signal.map_or(status.unwrap_or(0), |s| 128 + s));
        let cursor = (number().unwrap_or(0) as u16, number().unwrap_or(0) as u16);
        let command = facts.next().unwrap_or_default().to_owned();
        let title = facts.next().unwrap_or_default().to_owned();
        Ok(Look { text, title, command, cursor, dead })
    }

    /// The screen with its escape sequences.
    pub fn coloured(&self) -> io::Result<String> {
        self.tmux(&["capture-pane", "-p", "-e", "-t", "=real:"])
    }

    /// Looks until `seen` says yes. The error holds the last screen.
    pub fn wait(&self, what: &str, at_most: Duration, mut seen: impl FnMut(&Look) -> bool) -> io::Result<Look> {
        let until = Instant::now() + at_most;
        loop {
            let look = self.look()?;
            if seen(&look) {
                return Ok(look);
            }
            if Instant::now() > until {
                let Look { text, title, .. } = look;
                return Err(io::Error::other(format!(
                    "no {what} after {at_most:?}; title `{title}`, screen:\n{}",
                    text.trim_end()
                )));
            }
            std::thread::sleep(Duration::from_millis(80));
        }
    }

    pub fn type_text(&self, text: &str) -> io::Result<()> {
        self.tmux(&["send-keys", "-t", "=real:", "-l", "--", text]).map(drop)
    }

    /// As a terminal pastes: bracketed where the program asked for it.
    pub fn paste(&self, text: &str) -> io::Result<()> {
        self.tmux(&["set-buffer", "--", text])?;
        self.tmux(&["paste-buffer", "-p", "-r", "-d", "-t", "=real:"]).map(drop)
    }

    pub fn press(&self, key: &str) -> io::Result<()> {
        self.tmux(&["send-keys", "-t", "=real:", key]).map(drop)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
    }
}
