//! What is remembered from one decision to the next, and across restarts of the supervisor.
use super::{
    delivery::{Delivery, DeliveryKind},
    dialog::{Answered, Answering, Dialog},
    host::NoRoom,
    observation::{ExitRecord, PaneObs, ServerObs},
    own::Conversation,
    seen::ErrorClass,
    tally::{Slot, Tally},
    time::{Boot, Wall},
    trouble::{Trouble, Wave},
};
pub use super::{
    seen::Seen,
    still::{Nudged, QuietWork, Spin, TreeLook},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The fleet's memory. `units` are saved one row each, `deliveries` one row each, the rest as one row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Agents and services, by session name.
    #[serde(default)]
    pub units: BTreeMap<String, UnitState>,
    /// Texts that are not over yet, by id.
    #[serde(default)]
    pub deliveries: BTreeMap<i64, Delivery>,
    #[serde(default)]
    pub fleet: FleetState,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FleetState {
    pub next_delivery: i64,
    /// Phase index as last decided; the file is written from it and people may edit the file.
    pub phase: usize,
    /// The index file is still to be written with `phase`.
    pub phase_pending: bool,
    pub sequence_complete: bool,
    /// The marker file was there.
    pub sequence_seen: bool,
    pub handoff: HandoffState,
    /// Next periodic passes.
    #[serde(skip)]
    pub next_signal: Option<Boot>,
    #[serde(skip)]
    pub next_heavy: Option<Boot>,
    pub server: ServerObs,
    pub server_lost: Option<Wall>,
    /// Starts by the watchdog in the last minute, for the storm limit.
    pub recent_restarts: Vec<Boot>,
    pub storm_until: Option<Boot>,
    pub wave: Option<Wave>,
    /// One alert each.
    pub alerted: BTreeSet<String>,
    pub config_faults: Vec<String>,
    /// Names seen in the config, to tell added from removed ones.
    pub known: BTreeSet<String>,
    /// Since when the agents' tallies are not told yet.
    pub slot: Option<Slot>,
    /// Last moment at which somebody is known to have looked; exact to half a minute.
    #[serde(skip)]
    pub looked: Option<Boot>,
    /// Another supervisor goes on with this memory, and has not decided yet.
    #[serde(skip)]
    pub taken_over: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HandoffState {
    /// ref -> sha up to which every commit was handled. Empty = never looked.
    pub heads: BTreeMap<String, String>,
    pub seen_once: bool,
    /// Newest handled commits, so that a force push does not ping twice.
    pub handled: Vec<String>,
    /// Inbox file -> md5 last pinged for.
    pub inboxes: BTreeMap<String, String>,
    pub last_error: Option<String>,
}

/// One agent or service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitState {
    pub name: String,
    pub session: String,
    #[serde(default)]
    pub service: bool,
    #[serde(default)]
    pub wish: Wish,
    #[serde(default)]
    pub life: Life,
    /// Grows with every start; never used twice.
    #[serde(default)]
    pub incarnation: u64,
    /// The pane as last seen.
    #[serde(default)]
    pub pane: Option<PaneObs>,
    #[serde(default)]
    pub restarts: Restarts,
    #[serde(default)]
    pub last_exit: Option<ExitRecord>,
    /// Why it is in its state, for people.
    #[serde(default)]
    pub reason: String,
    /// When `life` (or the activity shown with it) last changed.
    #[serde(default)]
    pub since: Wall,
    /// Model and backend asked for by the caller of `up`, for the start that is under way only.
    #[serde(default)]
    pub start_model: Option<String>,
    #[serde(default)]
    pub start_backend: Option<String>,
    #[serde(default)]
    pub sight: Sight,
    #[serde(default)]
    pub hold: Option<Hold>,
    /// Another agent of its account is limited.
    #[serde(default)]
    pub account_hold: Option<AccountHold>,
    #[serde(default)]
    pub trouble: Option<Trouble>,
    /// Its next start is a fresh session: why its conversation was given up.
    #[serde(default)]
    pub fresh: Option<ErrorClass>,
    /// By its own session file, while it ran.
    #[serde(default)]
    pub conversation: Option<Conversation>,
    /// A text of ours that may still stand in the input line.
    #[serde(default)]
    pub leftover: Option<Leftover>,
    /// Texts that the program took and was not seen to be done with.
    #[serde(default)]
    pub taken: Vec<Taken>,
    /// What it was told last, oldest first: kept of a program that forgets it when its turn fails.
    #[serde(default)]
    pub said: Vec<Taken>,
    /// A dialog that a rule of the config answers.
    #[serde(default)]
    pub answering: Option<Answering>,
    /// The answers of late.
    #[serde(default)]
    pub answered: Vec<Answered>,
    /// Next wake pass.
    #[serde(default)]
    pub wake_due: Option<Boot>,
    /// This supervisor asked it to end; one that was not asked is asked before it is killed.
    #[serde(skip)]
    pub end_asked: bool,
    /// An ordered restart failed in its preparation: not tried again before.
    #[serde(default)]
    pub no_force_until: Option<Boot>,
    /// One alert each: `waiting`, `gave-up`, `hold`, …
    #[serde(default)]
    pub alerted: BTreeSet<String>,
    /// Backend as of the last start; a change of config does not change what runs.
    #[serde(default)]
    pub started_with: Option<String>,
    /// A phase began in which it was not started yet.
    #[serde(default)]
    pub owed: Option<Owed>,
    /// Why its next start is a restart; told with that start.
    #[serde(default)]
    pub restart_reason: Option<String>,
    #[serde(default)]
    pub tally: Tally,
    /// It could not be handled lately.
    #[serde(default)]
    pub quarantine: Option<Quarantine>,
}

impl UnitState {
    /// Nothing is decided about it, nothing is typed into it, and it is neither started nor ended.
    pub fn is_left_alone(&self) -> bool {
        self.quarantine.as_ref().is_some_and(|q| q.on)
    }
}

/// A text that a program has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    pub delivery: i64,
    /// As it was typed: what comes below it is its answer.
    pub text: String,
    pub kind: DeliveryKind,
    pub at: Boot,
    /// It was seen to work since.
    pub begun: bool,
}

/// A restart that has to come although it could not be prepared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Owed {
    /// Next try.
    pub until: Boot,
    /// Length of the last pause; 0 before the first failure.
    pub pause_ms: u64,
    /// Why it failed, as it was said.
    pub error: String,
}

/// A unit whose handling ran into a mistake of this program is left alone, and tried again after a growing pause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quarantine {
    /// What went wrong, and where.
    pub reason: String,
    /// Left alone now; else on trial.
    pub on: bool,
    /// End of the pause; of the trial, if it is not `on`.
    pub until: Boot,
    /// Length of the last pause.
    pub pause_ms: u64,
}

/// What the user wants of a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// Nobody asked yet: a watched agent is started by the watchdog, an unwatched one only by `up`.
    #[default]
    None,
    Run,
    /// Stays stopped until the next `up` that covers it.
    Stop,
    /// No healing, no typing.
    Pause,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "life", rename_all = "kebab-case")]
pub enum Life {
    /// No session.
    #[default]
    Absent,
    /// Launch ordered at `since`; not yet seen.
    Starting {
        since: Boot,
        deadline: Boot,
    },
    Running {
        since: Boot,
    },
    /// Starts again at `until`; with `room`, looks then whether the machine has any.
    Backoff {
        until: Boot,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<NoRoom>,
    },
    /// The restart budget is spent; one try at `retry` (`None` = never).
    GaveUp {
        retry: Option<Boot>,
    },
    /// Its tree is being ended; then `then`.
    Ending {
        deadline: Boot,
        then: AfterEnd,
    },
    /// One-shot that ended with 0.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterEnd {
    Stay,
    /// Launch the prepared incarnation. `counted`: it draws on the restart budget.
    Relaunch {
        counted: bool,
    },
    /// It ended by itself or somebody removed its session: restarted by G1 and G2.
    Died,
    /// Its tmux server died: restarted at once, and not counted.
    Lost,
}

/// Start history, for the growing delay (G2) and the budget (G1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Restarts {
    /// Since the unit was made known; shown as RESTARTS.
    pub total: u32,
    /// Moments of counted restarts within the window.
    pub recent: Vec<Boot>,
    /// The budget was spent: single tries until it runs for a whole window, or `up` clears it.
    pub gave_up: bool,
    /// Last start of any kind.
    pub last_start: Option<Boot>,
}

/// What the screen said, over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sight {
    pub state: Seen,
    /// First moment of idleness without a break.
    pub idle_since: Option<Boot>,
    /// An order that needs a second, equal capture: what, screen hash, first seen.
    pub suspect: Option<Suspect>,
    pub evidence: Vec<super::reading::Evidence>,
    /// The dialog it waits at.
    pub dialog: Option<Dialog>,
    pub waiting_until: Option<Wall>,
    pub spin: Option<Spin>,
    pub nudged: Option<Nudged>,
    /// The first of two looks at its process tree, and when the next one is due.
    pub tree: Option<TreeLook>,
    pub tree_due: Option<Boot>,
    pub quiet_work: Option<QuietWork>,
    /// Since when a text waits because something that is not ours stands in the input line.
    pub draft_since: Option<Boot>,
    /// The text that waits because the pane is in copy mode, and since when.
    pub scrolled: Option<(i64, Boot)>,
}

/// A text that was typed, and whose delivery is over without proof that it left the input line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    pub delivery: Delivery,
    /// The program whose input line it was typed into.
    pub incarnation: u64,
    /// The submit key was pressed for it: not again. If it stands there, it is taken back.
    pub pressed: bool,
    /// How often it was taken back.
    #[serde(default)]
    pub erased: u32,
    /// Screen hash and time of the last look that showed it.
    #[serde(skip)]
    pub rest: Option<(u64, Boot)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    pub what: SuspectKind,
    pub screen: u64,
    pub at: Boot,
    /// Looks so far whose screens differed.
    pub tries: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuspectKind {
    Fatal,
    Mismatch,
    Stall,
    Waiting,
    Error,
}

/// A usage-limit hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub since: Wall,
    /// Next probe.
    pub until: Boot,
    /// The same as wall time, for people and for `limited-<session>.json`.
    pub until_wall: Wall,
    /// The reset the banner named, if it could be read.
    #[serde(default)]
    pub reset: Option<Wall>,
    #[serde(default)]
    pub probes: u32,
    /// Pause after an unreadable probe: doubles up to `limit_probe_max`.
    pub pause_ms: u64,
    /// After a probe: first look since which the banner is gone.
    #[serde(default)]
    pub gone: Option<Boot>,
}

/// Nothing is typed to an agent while its account is known to be limited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountHold {
    /// The agent whose banner said so.
    pub by: String,
    pub until: Boot,
    pub until_wall: Wall,
}
