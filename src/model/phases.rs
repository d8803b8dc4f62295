//! The phases that loop agents work through, as the config has them.
use super::pattern;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `[loop]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Loop {
    /// Not empty.
    pub phases: Vec<Phase>,
    /// `<log_dir>/state/<state_file>`.
    pub state_file: PathBuf,
    pub auto_advance: bool,
    pub done_marker: String,
    pub done_from: DoneFrom,
    pub handoff: Option<Handoff>,
    /// Repository that holds the status files: the hand-off's, else the project.
    pub repo: PathBuf,
    pub state_subdir: String,
    pub on_complete: Option<OnComplete>,
}

#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Phase {
    pub id: String,
    pub plan: Option<String>,
    pub status: String,
    /// role -> model
    pub models: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoneFrom {
    /// The pushed branch if there is a remote, else the working tree.
    #[default]
    Auto,
    WorkingTree,
    /// A ref of the repository, for example `origin/main`.
    Ref(String),
}

/// `[loop.handoff]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Handoff {
    #[serde(with = "pattern")]
    pub claim: Regex,
    #[serde(with = "pattern")]
    pub review: Regex,
    /// Agent (or session suffix) that hears of a claim.
    pub claim_pings: String,
    pub review_pings: String,
    /// File names; the first belongs to `claim_pings`, the second to `review_pings`.
    pub inboxes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OnComplete {
    pub run: Option<String>,
    pub trigger_file: PathBuf,
    /// Launch without waiting for the trigger file.
    pub always: bool,
}
