//! What a person would call the state of an agent's screen, and the error that ended its turn.
use serde::{Deserialize, Serialize};

/// One captured screen, judged as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seen {
    /// A turn or a tool runs; the program's own retries are work, too.
    Working,
    /// Ready for input.
    Idle,
    /// Blocked on a person: a permission, a login, a menu.
    Waiting,
    /// A usage limit or quota holds it up.
    Limited,
    /// The session cannot go on without a restart or a new login.
    Fatal,
    /// Back at a shell, or gone.
    Exited,
    /// Nothing of the above can be proved.
    #[default]
    Unknown,
}

impl Seen {
    pub fn as_str(self) -> &'static str {
        match self {
            Seen::Working => "working",
            Seen::Idle => "idle",
            Seen::Waiting => "waiting",
            Seen::Limited => "limited",
            Seen::Fatal => "fatal",
            Seen::Exited => "exited",
            Seen::Unknown => "unknown",
        }
    }
}

/// What helps against an error depends on its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorClass {
    /// A new login or key: neither a nudge nor a restart helps.
    Auth,
    /// The service is too busy: later.
    Overload,
    Network,
    /// Every further turn of this conversation fails: a fresh session.
    Transcript,
    /// The conversation is too long: a fresh session.
    Context,
    /// The model is not there, or refuses this text.
    Model,
    Other,
}

impl ErrorClass {
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorClass::Auth => "auth",
            ErrorClass::Overload => "overload",
            ErrorClass::Network => "network",
            ErrorClass::Transcript => "transcript",
            ErrorClass::Context => "context",
            ErrorClass::Model => "model",
            ErrorClass::Other => "other",
        }
    }
}

/// The error that ended the last turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorSeen {
    pub class: ErrorClass,
    /// As it stands there, printable, at most 200 characters.
    pub text: String,
    /// Seconds, if it says how long to wait.
    pub retry_after: Option<u64>,
}
