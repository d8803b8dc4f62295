//! The agent program of a job: how it is run without a terminal, and what its output looks like.
use super::{bytes::Bytes, host::HostRules};
use serde::{Deserialize, Serialize};

/// What a program prints while it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// `claude --output-format stream-json`.
    Claude,
    /// `codex exec --json`.
    Codex,
    /// `opencode run --format json`.
    Opencode,
    /// `gemini --output-format stream-json`.
    Gemini,
    /// Words for people: nothing is read from it.
    Text,
}

impl Stream {
    pub const WORDS: [&str; 5] = ["claude", "codex", "opencode", "gemini", "text"];

    /// One of [`Stream::WORDS`].
    pub fn named(word: &str) -> Option<Stream> {
        [Stream::Claude, Stream::Codex, Stream::Opencode, Stream::Gemini, Stream::Text]
            .into_iter()
            .zip(Stream::WORDS)
            .find_map(|(stream, name)| (name == word).then_some(stream))
    }
}

/// All that a runner, which reads no config, needs to know of a backend. Words of the two command lines may contain
/// `{prompt}` and `{session}`; without `{prompt}` the program reads it from its standard input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobAgent {
    /// The backend's name.
    pub backend: String,
    pub stream: Stream,
    /// Begins a conversation. With [`Stream::Text`], `{session}` is a name that we give it.
    pub start: Vec<Bytes>,
    /// Goes on with one. Empty: it cannot.
    #[serde(default)]
    pub resume: Vec<Bytes>,
    /// The model that somebody asked for; the lines name it. `None`: the program's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the machine must have before it is started.
    #[serde(default, skip_serializing_if = "HostRules::asks_nothing")]
    pub host: HostRules,
}

pub const PROMPT: &str = "{prompt}";
pub const SESSION: &str = "{session}";
/// In what a backend says of its command line, and not in a [`JobAgent`].
pub const MODEL: &str = "{model}";

impl JobAgent {
    /// Whether a second prompt can come into the same conversation.
    pub fn goes_on(&self) -> bool {
        !self.resume.is_empty()
    }
}

/// How a preset's program is run without a terminal. In both lists the word `{flags}` stands for the backend's own flags;
/// the program itself comes first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobLines {
    pub start: Vec<String>,
    pub resume: Vec<String>,
    /// Flags that only mean something in a terminal.
    #[serde(default)]
    pub without: Vec<String>,
    pub stream: Stream,
}

/// What a `[backend.NAME]` says of jobs (`job_command`, `job_resume`, `job_flags`, `job_output`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackendJob {
    /// Empty: as the preset says.
    pub command: Vec<String>,
    pub resume: Vec<String>,
    /// Shell text. `None`: the backend's own.
    pub flags: Option<String>,
    /// Of `command`. `None`: text.
    pub output: Option<Stream>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_has_its_word() {
        for word in Stream::WORDS {
            let stream = Stream::named(word).expect("a stream");
            assert_eq!(serde_json::to_string(&stream).expect("json"), format!("\"{word}\""));
        }
        assert_eq!(Stream::named("vim"), None);
    }
}
