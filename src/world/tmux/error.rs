//! What can go wrong between us and a tmux server.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TmuxError {
    #[error("cannot run `{0}`\nhint: install tmux 3.2 or newer")]
    NoTmux(String),
    #[error("the tmux at hand is `{found}`, too old\nhint: install tmux 3.2 or newer")]
    TooOld { found: String },
    /// Nobody listens on the socket.
    #[error("no tmux server at {0}")]
    ServerDown(String),
    /// No answer in time: what was asked may still happen. Look again before repeating it.
    #[error("tmux gave no answer within {ms} ms ({doing}); what was asked may still happen")]
    Deadline { doing: String, ms: u64 },
    #[error("session `{0}` exists already")]
    Duplicate(String),
    /// tmux, or a check of ours, said no. Nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// The target is gone.
    #[error("tmux target `{0}` is gone")]
    Gone(String),
    /// An answer that cannot be understood; nothing may be concluded from it.
    #[error("unexpected answer of tmux: {0}")]
    Protocol(String),
    #[error(
        "the running tmux server and `{0}` are of different versions: {1}\nhint: stop the fleet with the old tmux first (`agents down`), then start it again"
    )]
    Mismatch(String, String),
    #[error("tmux socket: {0}")]
    Socket(String),
    #[error("{what}: {detail}")]
    Io { what: String, detail: String },
}

impl TmuxError {
    pub(super) fn io(what: impl Into<String>, e: impl std::fmt::Display) -> TmuxError {
        TmuxError::Io { what: what.into(), detail: e.to_string() }
    }

    /// Reads what tmux printed as an error. `target` is what the command was about, `place` the server's address.
    pub(super) fn from_text(text: &str, target: &str, place: &str, tmux: &str) -> TmuxError {
        let line = text.trim();
        let has = |needle: &str| line.contains(needle);
        if has("no server running")
            || has("error connecting to")
            || has("server exited")
            || has("lost server")
            || has("failed to connect to server")
        {
            TmuxError::ServerDown(place.to_owned())
        } else if has("protocol version mismatch") {
            TmuxError::Mismatch(tmux.to_owned(), line.to_owned())
        } else if has("duplicate session") {
            TmuxError::Duplicate(target.to_owned())
        } else if has("can't find") || has("no such session") || has("no sessions") || has("no current target") {
            TmuxError::Gone(target.to_owned())
        } else if has("File name too long") || has("unsafe permissions") || has("No such file or directory") {
            TmuxError::Socket(line.to_owned())
        } else if line.is_empty() {
            TmuxError::Protocol("an error without words".into())
        } else {
            TmuxError::Refused(format!("tmux: {}", crate::model::name::printable_cut(line, 300)))
        }
    }

    /// What was asked may or may not have happened.
    pub fn is_unknown(&self) -> bool {
        matches!(self, TmuxError::Deadline { .. } | TmuxError::Protocol(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_become_kinds() {
        let read = |text: &str| TmuxError::from_text(text, "w1", "/s", "tmux");
        assert_eq!(read("no server running on /s"), TmuxError::ServerDown("/s".into()));
        assert_eq!(read("error connecting to /s (Connection refused)\n"), TmuxError::ServerDown("/s".into()));
        assert_eq!(read("duplicate session: w1"), TmuxError::Duplicate("w1".into()));
        assert_eq!(read("can't find pane: %9"), TmuxError::Gone("w1".into()));
        assert!(matches!(read("protocol version mismatch (client 8, server 7)"), TmuxError::Mismatch(..)));
        assert_eq!(read("size too small"), TmuxError::Refused("tmux: size too small".into()));
    }
}
