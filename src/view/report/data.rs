//! The report as data: exactly the object of `report --json`. Times are RFC 3339, lengths seconds, unknown is `null`.
use crate::model::time::Wall;
use serde::{Serialize, Serializer};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub v: u32,
    #[serde(serialize_with = "moment")]
    pub since: Wall,
    #[serde(serialize_with = "moment")]
    pub until: Wall,
    pub fleet: FleetLine,
    pub phase: Option<PhaseLine>,
    /// Phases that ended in this time, oldest first.
    pub phases_done: Vec<PhaseDone>,
    #[serde(serialize_with = "maybe")]
    pub sequence_complete: Option<Wall>,
    pub totals: Totals,
    /// What a person has to look at, the most urgent first.
    pub needs: Vec<Need>,
    /// In the order of the config.
    pub agents: Vec<AgentReport>,
    /// Services that were restarted.
    pub services: Vec<ServiceReport>,
    pub incidents: Vec<Told>,
    /// Times in which no watchdog looked, oldest first, none overlapping.
    pub gaps: Vec<Gap>,
    /// Alerts that are in no other list.
    pub alerts: Vec<Told>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FleetLine {
    pub config: String,
    pub project_dir: String,
    pub session_prefix: String,
    pub watchdog: bool,
    pub faults: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseLine {
    /// 0-based.
    pub index: usize,
    pub count: usize,
    pub id: String,
    pub done: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseDone {
    #[serde(serialize_with = "moment")]
    pub at: Wall,
    pub id: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    pub worked_s: u64,
    pub could_work_s: u64,
    pub share: Option<f64>,
    pub turns: Option<u64>,
    pub tokens: Option<u64>,
    pub cost_usd: Option<f64>,
    /// All that were seen, whoever made them. `null`: nobody looks at the repository.
    pub commits: Option<u64>,
    pub holds: usize,
    pub held_s: u64,
    pub restarts: usize,
    pub waits: usize,
    pub waited_s: u64,
    /// Dialogs that rules of the config answered.
    pub answers: usize,
    pub undelivered: usize,
}

/// What the programs' own session files say of one agent. `None` = not known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    pub turns: Option<u64>,
    pub tokens: Option<u64>,
    pub cost_usd: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentReport {
    pub name: String,
    /// Now, in the words of `status`.
    pub state: String,
    /// `null`, as the next ones: its screen was not read in this time.
    pub worked_s: Option<u64>,
    /// Time in which neither a usage limit, nor an open question, nor you kept it from working, and somebody looked.
    pub could_work_s: Option<u64>,
    pub share: Option<f64>,
    /// The rest of `could_work_s`: at rest, or not running.
    pub idle_s: Option<u64>,
    pub down_s: Option<u64>,
    pub turns: Option<u64>,
    pub tokens: Option<u64>,
    pub cost_usd: Option<f64>,
    /// `null` where nobody can tell whose a commit is.
    pub commits: Option<u64>,
    /// Overlapping holds count once.
    pub held_s: u64,
    pub holds: Vec<Hold>,
    pub restarts: Vec<Restart>,
    #[serde(serialize_with = "moments")]
    pub gave_up: Vec<Wall>,
    pub waited_s: u64,
    pub waits: Vec<Wait>,
    pub answers: Vec<Answer>,
    pub undelivered: Vec<Undelivered>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServiceReport {
    pub name: String,
    pub state: String,
    pub restarts: Vec<Restart>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hold {
    #[serde(serialize_with = "moment")]
    pub from: Wall,
    /// `null`: still in force.
    #[serde(serialize_with = "maybe")]
    pub until: Option<Wall>,
    /// What its screen said.
    pub reason: String,
    pub account: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Restart {
    #[serde(serialize_with = "moment")]
    pub at: Wall,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wait {
    #[serde(serialize_with = "moment")]
    pub from: Wall,
    /// `null`: it waits still.
    #[serde(serialize_with = "maybe")]
    pub until: Option<Wall>,
    pub asked: String,
}

/// A dialog that a rule of the config answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    #[serde(serialize_with = "moment")]
    pub at: Wall,
    pub asked: String,
    pub choice: String,
    pub rule: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Undelivered {
    pub id: i64,
    #[serde(serialize_with = "moment")]
    pub at: Wall,
    /// `send`, `kickoff`, `claim`, …
    pub kind: String,
    /// `undelivered`, or `unknown`: it may have arrived.
    pub outcome: String,
    /// Its beginning; `null` once the store has forgotten it.
    pub text: Option<String>,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Need {
    /// `waiting gave-up quarantined fault host draft undelivered watchdog config`
    pub kind: String,
    pub agent: Option<String>,
    #[serde(serialize_with = "maybe")]
    pub since: Option<Wall>,
    pub text: String,
    /// What can be typed.
    pub hint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    #[serde(serialize_with = "moment")]
    pub at: Wall,
    pub kind: String,
    pub agent: Option<String>,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gap {
    #[serde(serialize_with = "moment")]
    pub from: Wall,
    /// `null`: nobody looks now either.
    #[serde(serialize_with = "maybe")]
    pub until: Option<Wall>,
    pub reason: String,
}

fn moment<S: Serializer>(at: &Wall, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&at.rfc3339())
}

fn maybe<S: Serializer>(at: &Option<Wall>, s: S) -> Result<S::Ok, S::Error> {
    at.map(Wall::rfc3339).serialize(s)
}

fn moments<S: Serializer>(all: &[Wall], s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(all.iter().map(|at| at.rfc3339()))
}
