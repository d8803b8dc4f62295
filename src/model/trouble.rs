//! Errors that ended an agent's turn: what the config orders for each class, and what is remembered of one.
use super::{
    seen::ErrorClass,
    time::{Boot, Wall},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// Told at once; nothing is typed but a try, with pauses that grow up to [`Remedies::probe_max`].
    Hold,
    /// Asked to go on, with pauses that grow up to [`Remedies::nudge_max`].
    Nudge,
    /// Asked to go on once; if the same error comes again, a fresh session with a hand-over note.
    Fresh,
    Restart,
    /// Told, and left as it is.
    Alert,
}

/// `[errors]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remedies {
    pub auth: Remedy,
    pub overload: Remedy,
    pub network: Remedy,
    pub transcript: Remedy,
    pub context: Remedy,
    pub model: Remedy,
    pub other: Remedy,
    /// First and longest pause before an agent is asked to go on.
    pub nudge: Duration,
    pub nudge_max: Duration,
    /// The same for one that is held.
    pub probe: Duration,
    pub probe_max: Duration,
}

impl Remedies {
    pub fn of(&self, class: ErrorClass) -> Remedy {
        match class {
            ErrorClass::Auth => self.auth,
            ErrorClass::Overload => self.overload,
            ErrorClass::Network => self.network,
            ErrorClass::Transcript => self.transcript,
            ErrorClass::Context => self.context,
            ErrorClass::Model => self.model,
            ErrorClass::Other => self.other,
        }
    }
}

impl Default for Remedies {
    fn default() -> Self {
        Remedies {
            auth: Remedy::Hold,
            overload: Remedy::Nudge,
            network: Remedy::Nudge,
            transcript: Remedy::Fresh,
            context: Remedy::Fresh,
            model: Remedy::Nudge,
            other: Remedy::Nudge,
            nudge: Duration::from_secs(5),
            nudge_max: Duration::from_secs(300),
            probe: Duration::from_secs(15),
            probe_max: Duration::from_secs(900),
        }
    }
}

/// An agent's error that is being treated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub class: ErrorClass,
    /// As the screen said it.
    pub text: String,
    pub since: Wall,
    /// Next step.
    pub until: Boot,
    /// Length of the last pause.
    pub pause_ms: u64,
    /// How often it was asked to go on, and provably heard it.
    pub tries: u32,
    /// First look since which the screen does not show it any more.
    pub gone: Option<Boot>,
}

/// Several agents that fail alike within a short time: one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    pub class: ErrorClass,
    /// When the last one joined.
    pub last: Boot,
    pub names: Vec<String>,
    pub told: bool,
}
