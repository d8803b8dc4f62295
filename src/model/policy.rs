//! The checked fleet: what `agents.toml` asks for, with every default filled in and every path absolute.
pub use super::dialog::{DialogRule, OwnAnswer};
use super::host::HostRules;
use super::job_agent::BackendJob;
use super::job_rules::{JobRules, StoreRules};
pub use super::phases::{DoneFrom, Handoff, Loop, OnComplete, Phase};
pub use super::still::{Quiet, StallAction};
use super::{pattern, trouble::Remedies};
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// The whole configuration after checking.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Absolute, symlinks resolved: the fleet's identity.
    pub config_path: PathBuf,
    pub project_dir: PathBuf,
    pub log_dir: PathBuf,
    pub session_prefix: String,
    /// File order; disabled and faulty ones too. Names are unique: of two with one name the later counts.
    pub agents: Vec<Agent>,
    pub services: Vec<Service>,
    /// Every `[backend.NAME]`, used or not.
    pub backends: Vec<Arc<Backend>>,
    pub phases: Option<Loop>,
    pub watchdog: Watchdog,
    pub host: HostRules,
    pub errors: Remedies,
    pub tmux: Tmux,
    pub env: EnvRules,
    pub log: LogRules,
    pub jobs: JobRules,
    pub store: StoreRules,
    /// argv of the alert command; it gets the event as JSON on stdin.
    pub alert: Option<Vec<String>>,
    /// Faults that did not stop the load (an agent they disable says so in [`Agent::fault`]). One line each.
    pub warnings: Vec<String>,
}

/// Intervals, pauses and limits of the supervisor (`[watchdog]`).
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Watchdog {
    pub signal_interval: Duration,
    pub heavy_interval: Duration,
    pub limit_probe_fallback: Duration,
    /// Probes of an unreadable limit double up to this pause.
    pub limit_probe_max: Duration,
    pub limit_reset_slack: Duration,
    /// Between the agents of one account that were held until the same moment.
    pub limit_stagger: Duration,
    pub stall_grace: Duration,
    /// At most this many restarts per `restart_window`, then `gave-up`.
    pub restart_burst: u32,
    pub restart_window: Duration,
    /// First delay of the growing restart delay, and its cap.
    pub restart_delay: Duration,
    pub restart_delay_max: Duration,
    /// Pause between tries after `gave-up`; zero = never.
    pub gave_up_retry: Duration,
    /// At most this many restarts of the whole fleet per minute; more = pause and alert.
    pub storm_limit: u32,
    /// How long a stopped process tree has between TERM and KILL.
    pub stop_grace: Duration,
    /// An agent that runs this long after its start counts as started.
    pub start_grace: Duration,
    pub fetch_timeout: Duration,
    /// One rule answers at most so many dialogs of one agent per `dialog_window`; more are told.
    pub dialog_burst: u32,
    pub dialog_window: Duration,
    pub reload: Reload,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reload {
    /// A changed config acts on the next tick.
    #[default]
    Auto,
    /// A changed `bin`, `flags` or `command` waits for `agents restart` or `agents up`.
    Manual,
}

/// Which tmux server the fleet lives on (`[tmux]`).
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tmux {
    pub server: TmuxServer,
    /// Columns and rows of a new session.
    pub size: (u16, u16),
}

#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TmuxServer {
    /// A server of the fleet's own; the socket path is worked out from `log_dir`.
    #[default]
    Own,
    /// The user's server: `default`, or a name as for `tmux -L`.
    Named(String),
    /// An absolute socket path as for `tmux -S`.
    Socket(PathBuf),
}

/// Which variables of the caller of `up` reach the agents (`[env]`). Names, `*` at the end allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvRules {
    /// Empty = all.
    pub allow: Vec<String>,
    pub deny: Vec<String>,
}

/// Rotation of `<session>.log`, and the record of decisions (`[log]`).
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LogRules {
    /// Bytes per session, older parts included.
    pub max_bytes: u64,
    /// Bytes of the record of decisions; 0: nothing is recorded.
    pub decisions: u64,
}

/// One `[[agent]]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Agent {
    pub name: String,
    pub session: String,
    pub kind: Kind,
    pub backend: Arc<Backend>,
    /// Empty = the backend's default.
    pub model: String,
    /// Its working folder; with a worktree, the folder of which it has a copy there.
    pub dir: PathBuf,
    /// Where its worktree stands, if it works in one of its own.
    pub worktree: Option<PathBuf>,
    pub enabled: bool,
    pub watch: Watch,
    pub role: Option<String>,
    pub prompt: Prompt,
    pub resume: bool,
    pub wake: Option<Wake>,
    pub account: Option<String>,
    /// Why this agent cannot run (an unknown backend, a bad regex, …); it is neither started nor stopped.
    pub fault: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    Persistent,
    Orchestrator,
    /// Takes its prompt from the phase, and stops when the phases are done.
    Loop,
    /// One-shot: done when it ends with 0.
    Task,
    #[serde(untagged)]
    Other(String),
}

impl Agent {
    /// The watchdog reads its screen.
    pub fn is_watched(&self) -> bool {
        self.enabled && self.watch != Watch::None && self.fault.is_none()
    }
}

impl Kind {
    pub fn as_str(&self) -> &str {
        match self {
            Kind::Persistent => "persistent",
            Kind::Orchestrator => "orchestrator",
            Kind::Loop => "loop",
            Kind::Task => "task",
            Kind::Other(word) => word,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub enum Watch {
    #[default]
    #[serde(rename = "none")]
    None,
    #[serde(rename = "heal")]
    Heal,
    #[serde(rename = "heal+stall")]
    HealStall,
}

impl Watch {
    pub fn as_str(self) -> &'static str {
        match self {
            Watch::None => "none",
            Watch::Heal => "heal",
            Watch::HealStall => "heal+stall",
        }
    }
}

/// Where the first message comes from.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prompt {
    #[default]
    Empty,
    Text(String),
    File(PathBuf),
    /// A loop agent: template (with `{phase_id} {plan} {status} {role}`) followed by the role's file.
    Role {
        template: Option<PathBuf>,
        role_file: PathBuf,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Wake {
    pub interval: Duration,
    pub prompt_file: PathBuf,
}

/// One `[backend.NAME]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Backend {
    pub name: String,
    /// Shell text.
    pub bin: String,
    pub delivery: PromptDelivery,
    /// Raw shell text.
    pub flags: String,
    /// Shell text with `{model}`.
    pub model_flag: String,
    pub supports_resume: bool,
    /// Shell text with `{id}`.
    pub resume_flag: String,
    pub remote_control: bool,
    /// Shell text with `{session}`.
    pub remote_control_flag: String,
    /// The program is asked to tell what it does, by hooks in a settings file of ours.
    pub hooks: bool,
    /// Shell text with `{bin} {server} {dir}`.
    pub attach: String,
    pub server: String,
    pub preamble: String,
    pub model_env: bool,
    /// The earliest moment at which a ping agent is typed to, after its start.
    pub connect_delay: Duration,
    /// tmux key name; `None` = the old defaults (`C-m` for the first message, `Enter` for the rest).
    pub submit_key: Option<String>,
    pub reader: Reader,
    pub stall_idle: Duration,
    pub stall_action: StallAction,
    /// A screen that works and shows nothing new for so long hangs; zero = never.
    pub hang_timeout: Duration,
    /// So much work without a commit is told; zero = never.
    pub no_progress: Duration,
    /// What `pane_current_command` must be, if it is the name of any backend's process.
    pub process_name: Option<String>,
    /// Nothing is decided by it.
    #[serde(skip)]
    pub job: BackendJob,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptDelivery {
    /// The prompt is the last argument.
    #[default]
    Arg,
    /// `bin` is the whole command, with `{kickoff} {session} {model}`.
    Exec,
    /// The prompt's file name is typed once the program is ready.
    Ping,
}

/// The agent CLIs whose screens are known, as `preset` names them.
pub const PRESETS: [&str; 4] = ["claude", "codex", "opencode", "gemini"];

/// How a backend's screen is read: the rules of a preset, and the user's own patterns beside them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Reader {
    /// One of [`PRESETS`].
    pub preset: Option<String>,
    /// Rules of the preset that are not used.
    pub preset_without: Vec<String>,
    /// A message whose turn ends with an error is taken out of its conversation: the preset knows.
    pub forgets_failed: bool,
    #[serde(with = "pattern::maybe")]
    pub idle: Option<Regex>,
    #[serde(with = "pattern::maybe")]
    pub active: Option<Regex>,
    #[serde(with = "pattern::maybe")]
    pub limit: Option<Regex>,
    #[serde(with = "pattern::maybe")]
    pub fatal: Option<Regex>,
    #[serde(with = "pattern::maybe")]
    pub waiting: Option<Regex>,
    pub title: TitleRules,
    /// Matched against the screen up to the cursor; group 1, or else all of the match, is what stands in the input line.
    #[serde(with = "pattern::maybe")]
    pub draft: Option<Regex>,
    /// What may be answered without a person, in file order.
    pub dialogs: Vec<DialogRule>,
    /// Activity only from the last 10 rows, or from a log that grew.
    pub footer_ui: bool,
    pub log_grace: Duration,
}

/// What the pane's title begins with, in each state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TitleRules {
    #[serde(with = "pattern::maybe")]
    pub active: Option<Regex>,
    #[serde(with = "pattern::maybe")]
    pub idle: Option<Regex>,
    #[serde(with = "pattern::maybe")]
    pub waiting: Option<Regex>,
}

/// One `[[service]]`.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Service {
    pub name: String,
    pub session: String,
    /// Shell text.
    pub command: String,
    pub dir: PathBuf,
    pub fault: Option<String>,
}

impl Policy {
    pub fn agent(&self, name: &str) -> Option<&Agent> {
        self.agents.iter().find(|a| a.name == name)
    }
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|s| s.name == name)
    }
    /// The model of a start in that phase: the phase's for the agent's role, else the one that was asked for, else the
    /// agent's own. `None` = the backend's default.
    pub fn model_for<'a>(&'a self, agent: &'a Agent, phase: usize, asked: Option<&'a str>) -> Option<&'a str> {
        let of_phase = || self.phases.as_ref()?.phases.get(phase)?.models.get(agent.role.as_ref()?);
        let words = [of_phase().map(String::as_str), asked, Some(agent.model.as_str())];
        words.into_iter().flatten().find(|m| !m.is_empty())
    }
    /// The backend an agent was started with: its own, or the one asked for by the caller of `up`.
    pub fn backend_of<'a>(&'a self, agent: &'a Agent, asked: Option<&str>) -> &'a Arc<Backend> {
        let named = asked.filter(|name| *name != agent.backend.name);
        named.and_then(|name| self.backends.iter().find(|b| b.name == name)).unwrap_or(&agent.backend)
    }
    pub fn watchdog_session(&self) -> String {
        format!("{}watchdog", self.session_prefix)
    }
    pub fn state_dir(&self) -> PathBuf {
        self.log_dir.join("state")
    }
    /// Enabled agents that the watchdog looks after, in file order.
    pub fn watched(&self) -> impl Iterator<Item = &Agent> {
        self.agents.iter().filter(|a| a.is_watched())
    }
    pub fn has_loops(&self) -> bool {
        self.agents.iter().any(|a| a.enabled && a.kind == Kind::Loop)
    }
    /// Every `process_name` of any backend.
    pub fn process_names(&self) -> impl Iterator<Item = &str> {
        self.backends.iter().filter_map(|b| b.process_name.as_deref())
    }
}
