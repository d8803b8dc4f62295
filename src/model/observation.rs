//! What was seen: the input of one decision. Pane text never gets this far; it ends in a [`Reading`].
use super::{
    host::HostObs,
    reading::Reading,
    request::Request,
    time::{Boot, Wall},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything one decision may look at. A part that was not looked at this time is `None` or absent, which never
/// means "gone".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observation {
    /// A supervisor looks: what died is started again. False in the single passes of a verb, which touch only what they
    /// were asked for.
    pub supervised: bool,
    pub server: ServerObs,
    /// Sessions on the fleet's server, by session name as we know it. Complete whenever `server` is [`ServerObs::Up`].
    pub panes: BTreeMap<String, PaneObs>,
    /// Names of the fleet's sessions that exist, with or without a pane of ours.
    pub occupied: std::collections::BTreeSet<String>,
    /// Ends recorded by our shim, not yet taken over into the state.
    pub exits: BTreeMap<String, ExitRecord>,
    /// Sessions whose recorded first process still lives although their pane is gone.
    pub lingering: std::collections::BTreeSet<String>,
    /// Sessions whose log writer has ended, whatever tmux says of it.
    pub logless: std::collections::BTreeSet<String>,
    /// Sessions, among those in which a text is being typed, whose program has not read all of it.
    pub unread: std::collections::BTreeSet<String>,
    /// Sessions, among the same, whose program was not seen to come to rest since the last look: it may have read a key
    /// and not acted on it yet.
    pub unsettled: std::collections::BTreeSet<String>,
    /// What the process trees of those sessions used for which the decision wants to know it.
    pub usage: BTreeMap<String, TreeUse>,
    /// Readings of the panes captured for this decision.
    pub readings: BTreeMap<String, std::sync::Arc<Reading>>,
    /// What the agents' own session files say, by session. Not all agents have one that can be read.
    pub own: BTreeMap<String, super::own::OwnObs>,
    /// The machine, looked at because something may be started.
    pub host: Option<HostObs>,
    pub git: Option<GitObs>,
    pub phase: Option<PhaseObs>,
    pub files: FilesObs,
    /// What became of the actions of earlier decisions.
    pub results: Vec<super::action::ActionResult>,
    pub requests: Vec<Request>,
    /// A changed configuration, or a fault in it.
    pub config: Option<ConfigObs>,
    /// Free disk space is too low to save a decision: nothing may be typed or killed (G24).
    pub store_failing: bool,
    /// Units whose handling went wrong in this program: session name, and what went wrong where. They are left alone.
    pub broken: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerObs {
    /// Not looked at.
    #[default]
    Unknown,
    Up {
        pid: u32,
    },
    /// Nobody listens on the socket.
    Down,
    /// No answer within the deadline: what was asked may still happen later.
    Unresponsive,
}

/// One session's own pane (the one we started; else the first pane of its first window).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaneObs {
    /// `%12`
    pub pane_id: String,
    /// `$3`
    pub session_id: String,
    /// The pane's first process: our shim, where we started it.
    pub pid: u32,
    /// Start time of that process in clock ticks since boot (`/proc/PID/stat` field 22); 0 if it is gone.
    pub pid_start: u64,
    pub dead: bool,
    pub dead_status: Option<i32>,
    pub in_mode: bool,
    pub input_off: bool,
    /// `window_activity`, epoch seconds.
    pub activity: i64,
    /// A reader is connected by `pipe-pane`.
    pub piped: bool,
    /// Basename of the foreground process, made printable.
    pub command: String,
    /// Pane title, made printable.
    pub title: String,
    /// Incarnation in the shim's record, if our shim runs here.
    pub incarnation: Option<u64>,
    /// When the main process of the pane started, by the shim's record.
    pub started: Option<Wall>,
}

/// What a process tree used so far. Two of them make a rate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeUse {
    /// Processor time in ms, with that of members that ended and were waited for by another one.
    pub cpu_ms: u64,
    /// Bytes read and written by system calls and from disk, counted likewise; 0 where the kernel does not say.
    pub io_bytes: u64,
    /// Living members: pid, and when it started (ms since boot, exact to 10 ms).
    pub processes: BTreeMap<u32, Boot>,
}

/// How one incarnation ended, as its shim saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    pub incarnation: u64,
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub at: Wall,
    /// Why there was no program at all: command not found, working directory unreachable, …
    #[serde(default)]
    pub error: Option<String>,
    /// Every process of the tree is gone.
    #[serde(default)]
    pub tree_ended: bool,
}

/// What the git thread found, against the positions it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GitObs {
    /// ref name -> sha, of the remote's branches, or of the local ones where there is no remote.
    pub heads: BTreeMap<String, String>,
    /// Commits reachable from `heads` and from none of the remembered positions, oldest first, at most
    /// [`GitObs::MAX_COMMITS`]. Empty on first sight.
    pub commits: Vec<CommitObs>,
    /// Inbox file name -> md5 of its content (hex); a file that is gone or blank is absent.
    pub inboxes: BTreeMap<String, String>,
    /// Why the repository could not be read or fetched; the other fields are then what could be read.
    pub error: Option<String>,
    /// The repository itself is gone (not merely unreachable).
    pub repo_gone: bool,
}

impl GitObs {
    pub const MAX_COMMITS: usize = 500;
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitObs {
    pub sha: String,
    /// First line; bytes that are not UTF-8 replaced; cut to 4096 characters. Untrusted.
    pub subject: String,
}

/// The current phase's status file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseObs {
    /// Phase this was read for.
    pub index: usize,
    pub done: bool,
    /// Where it was read, for people: `origin/main:machine-docs/STATUS.md`.
    pub source: String,
}

/// Files that people and agents leave in `log_dir`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilesObs {
    /// Content of `state/phase-idx`: absent or not a number = `None`.
    pub phase_index: Option<i64>,
    pub sequence_complete: bool,
    pub trigger: bool,
    /// Session -> text of the wake prompt, for wakes that are due; `Err` = the file that cannot be read.
    pub wake_prompts: BTreeMap<String, Result<String, String>>,
    /// Session -> time of the last commit in its folder's repository, where somebody wants to know.
    pub committed: BTreeMap<String, Wall>,
    /// Session -> time of the last write to its log.
    pub log_written: BTreeMap<String, Wall>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigObs {
    /// A new policy is in force. `commands` are the changes of what gets executed, for the event and the alert.
    Changed { commands: Vec<CommandChange> },
    /// The file is broken or gone; the last good policy stays in force.
    Broken { faults: Vec<String> },
    /// It was broken and reads again as before.
    Mended,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandChange {
    /// `backend claude`, `service web`, …
    pub subject: String,
    pub key: String,
    pub before: String,
    pub after: String,
}

/// A look at a pane again, when it is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookAt {
    pub session: String,
    pub due: Boot,
}
