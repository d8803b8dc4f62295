//! Memory on disk. State goes through [`Store`]; one machine runs on SQLite, more machines may later share another engine.
//!
//! Writers hold a [`Claim`]: `(owner, epoch)`. Every save on a claim checks both in the same transaction, so that a
//! supervisor that lost its claim cannot overwrite its successor ([`StoreError::Fenced`]).
pub mod jobs;
pub mod memory;
pub mod sqlite;

use crate::model::{
    delivery::Delivery,
    event::Event,
    request::{Answer, Request, Verb},
    state::{FleetState, State, UnitState},
    time::Wall,
};
use std::collections::BTreeMap;

/// Fencing token: random owner per process incarnation, and an epoch that only grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub resource: String,
    pub owner: String,
    pub epoch: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("another supervisor took over `{resource}` (epoch {epoch} is over)")]
    Fenced { resource: String, epoch: i64 },
    /// The file was written by a newer program; it was not touched.
    #[error(
        "{path} has format {found}, this program knows up to {known}: use the newer program, or move the file away"
    )]
    Newer { path: String, found: i64, known: i64 },
    /// No space left: nothing was written.
    #[error("no space left to write {path}")]
    Full { path: String },
    /// Our caller's limit of the size of a file: nothing was written.
    #[error("{path} cannot grow: a file may hold {bytes} bytes here")]
    FileLimit { path: String, bytes: u64 },
    #[error("{path} is damaged: {detail}")]
    Corrupt { path: String, detail: String },
    #[error("{path}: {detail}")]
    Other { path: String, detail: String },
}

/// What can be done about a [`StoreError::FileLimit`].
pub const LIFT_FILE_LIMIT: &str =
    "`ulimit -S -f $(ulimit -H -f)` lifts it as far as this shell may; `ulimit -H -f` tells how far that is";

/// What one decision changes. Written in one transaction. A session in both lists is forgotten and written anew.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub units: Vec<UnitState>,
    /// Sessions to forget.
    pub removed_units: Vec<String>,
    pub deliveries: Vec<Delivery>,
    pub fleet: Option<FleetState>,
    pub events: Vec<Event>,
    pub answers: Vec<(i64, Answer)>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
            && self.removed_units.is_empty()
            && self.deliveries.is_empty()
            && self.fleet.is_none()
            && self.events.is_empty()
            && self.answers.is_empty()
    }
}

/// Whether a save must have reached the disk before it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// `synchronous=FULL`: intents (starts, ends, typing).
    Full,
    /// `synchronous=NORMAL`: observations.
    Normal,
}

#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    pub agent: Option<String>,
    pub since: Option<Wall>,
}

/// One fleet's memory. A store may be opened by several processes at once; only one holds the engine's claim.
pub trait Store: Send {
    /// Takes `resource` for `owner`: the epoch grows by one, whoever held it before is fenced.
    fn claim(&mut self, resource: &str, owner: &str) -> Result<Claim, StoreError>;
    /// Everything remembered. Deliveries that are over are left out. An empty store gives the default state.
    fn load(&self) -> Result<State, StoreError>;
    /// All of `changes`, or nothing. Events get their `seq` here. A request keeps its first answer.
    fn save(&mut self, claim: &Claim, changes: &Changes, durability: Durability) -> Result<(), StoreError>;

    /// Newest `limit` events that pass the filter, oldest first.
    fn last_events(&self, filter: &EventFilter, limit: usize) -> Result<Vec<Event>, StoreError>;
    /// Events after `seq`, oldest first.
    fn events_after(&self, seq: i64, filter: &EventFilter, limit: usize) -> Result<Vec<Event>, StoreError>;

    /// Leaves a request for the engine. Needs no claim.
    fn ask(&mut self, verb: &Verb, at: Wall) -> Result<i64, StoreError>;
    /// Requests without an answer, oldest first.
    fn requests(&self) -> Result<Vec<Request>, StoreError>;
    fn answer(&self, request: i64) -> Result<Option<Answer>, StoreError>;

    fn delivery(&self, id: i64) -> Result<Option<Delivery>, StoreError>;
    /// Newest first; also those that are over.
    fn deliveries(&self, session: Option<&str>, limit: usize) -> Result<Vec<Delivery>, StoreError>;

    /// Small values: the last good config, the boot id with its clocks, …
    fn get(&self, key: &str) -> Result<Option<String>, StoreError>;
    fn put(&mut self, values: &BTreeMap<String, String>) -> Result<(), StoreError>;

    /// What went wrong without making a call fail (a row that cannot be read, a backup that could not be made), one
    /// line each, since the last call of this method.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
}
