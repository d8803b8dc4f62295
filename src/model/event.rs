//! Things that happened, for the log, `agents events` and alerts.
use super::time::Wall;
use serde::{Deserialize, Serialize};

/// One row of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// 0 until stored.
    #[serde(default)]
    pub seq: i64,
    pub at: Wall,
    pub kind: EventKind,
    /// Agent or service name.
    pub agent: Option<String>,
    /// The log line, printable, one line, with today's wording where there was one.
    pub text: String,
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub data: serde_json::Value,
    /// Tell it through `[alert] command` as well.
    #[serde(default)]
    pub alert: bool,
}

/// `kind` in `events --json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    Started,
    Adopted,
    Exited,
    Gone,
    Mismatch,
    Dead,
    Fatal,
    Stalled,
    Nudged,
    Hung,
    NoProgress,
    Restarting,
    Backoff,
    HostLow,
    HostOk,
    GaveUp,
    Storm,
    Done,
    Stopped,
    Paused,
    Resumed,
    Waiting,
    WaitingOver,
    Answered,
    Limited,
    Probe,
    LimitOver,
    Error,
    ErrorOver,
    FreshSession,
    UnknownScreen,
    Woken,
    Handoff,
    Commits,
    Delivered,
    Undelivered,
    Unknown,
    Phase,
    SequenceComplete,
    OnComplete,
    ConfigChanged,
    ConfigBroken,
    ConfigMended,
    CommandChanged,
    ServerLost,
    ServerBack,
    Git,
    Store,
    Watchdog,
    Activity,
    LaunchFailed,
    DirMade,
    LogGap,
    Quarantined,
    InternalError,
    Warning,
}

impl EventKind {
    pub fn as_str(self) -> String {
        serde_json::to_value(self).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    }
}
