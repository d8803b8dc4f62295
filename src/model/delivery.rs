//! A text on its way into a terminal.
//!
//! ```text
//! queued --ready--> typing --shown--> submitting --changed--> delivered
//!    |                 |                   |
//!    |                 +--not shown--------+--unchanged x3--> undelivered
//!    +--expired / agent gone--> undelivered     crash while typing, text not seen--> unknown
//!                                                unknown, never submitted, seen in the input line--> submitting
//! ```
use super::time::{Boot, Wall};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Unique in the store, growing.
    pub id: i64,
    pub session: String,
    pub kind: DeliveryKind,
    /// What is typed. One line, unless the program takes bracketed paste.
    pub text: String,
    /// tmux key name pressed after it.
    pub submit_key: String,
    pub created: Wall,
    /// Incarnation it is meant for; `None` = whichever runs.
    pub incarnation: Option<u64>,
    /// Not before this moment (`connect_delay`).
    pub not_before: Boot,
    pub stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryKind {
    Kickoff,
    Probe,
    /// After an error that ended a turn.
    GoOn,
    /// To an agent that has stopped without a reason that is known: go on.
    Nudge,
    Wake,
    Claim,
    Review,
    Inbox,
    Send,
}

impl DeliveryKind {
    /// As it is written in events.
    pub fn word(self) -> &'static str {
        match self {
            DeliveryKind::Kickoff => "kickoff",
            DeliveryKind::Probe => "probe",
            DeliveryKind::GoOn => "go-on",
            DeliveryKind::Nudge => "nudge",
            DeliveryKind::Wake => "wake",
            DeliveryKind::Claim => "claim",
            DeliveryKind::Review => "review",
            DeliveryKind::Inbox => "inbox",
            DeliveryKind::Send => "send",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum Stage {
    /// Waits for the program to be ready.
    Queued {
        /// Screen hash and time of the last look; two equal ones = the screen is at rest.
        #[serde(default)]
        rest: Option<(u64, Boot)>,
        /// First moment since when nothing but unrest kept it from being typed.
        #[serde(default)]
        free_since: Option<Boot>,
        /// Next look at the screen.
        #[serde(default)]
        look: Boot,
    },
    /// The text was (or may have been) typed; look for it from `check` on, until `until`.
    /// `before` = how often its first characters stood on the screen before.
    Typing {
        since: Boot,
        check: Boot,
        until: Boot,
        before: usize,
        /// What stood there at the last look, from our text down: a program may show a text piece by piece.
        #[serde(default)]
        tail: Option<u64>,
    },
    /// The submit key was (or may have been) pressed `presses` times; `tail` is what stood there before.
    Submitting {
        /// The first press.
        #[serde(default)]
        since: Boot,
        presses: u32,
        tail: u64,
        check: Boot,
        /// First moment at which it was seen to be gone: a screen may be caught while it is drawn.
        #[serde(default)]
        gone: Option<Boot>,
    },
    Delivered {
        at: Wall,
    },
    Undelivered {
        at: Wall,
        reason: String,
    },
    /// Nobody can tell whether it arrived; it is never typed again.
    Unknown {
        at: Wall,
        reason: String,
    },
}

impl Stage {
    pub fn is_over(&self) -> bool {
        matches!(self, Stage::Delivered { .. } | Stage::Undelivered { .. } | Stage::Unknown { .. })
    }
    /// `outcome` in `agents send --json`.
    pub fn outcome(&self) -> &'static str {
        match self {
            Stage::Queued { .. } => "queued",
            Stage::Typing { .. } | Stage::Submitting { .. } => "sending",
            Stage::Delivered { .. } => "delivered",
            Stage::Undelivered { .. } => "undelivered",
            Stage::Unknown { .. } => "unknown",
        }
    }
}

/// The first characters of a text, by which it is found on a screen: at most 28, white space folded.
pub fn needle(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(28).collect()
}
