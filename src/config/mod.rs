//! Text of `agents.toml` -> [`Policy`], with every fault at once: where it stands, and a way out.
//!
//! Pure: no clock, environment, file or process. What the disk holds comes in as a [`Disk`].
//!
//! ```text
//! text --toml--> spanned tables --fields, by the key table--> values --agents, backends, …--> Policy
//!                                        \__ findings __________________________________________/ --> faults
//! ```
mod agents;
mod backend_keys;
mod backends;
mod changes;
mod dialogs;
mod disk;
mod duration;
mod errors;
mod fault;
mod fields;
mod findings;
mod ground;
mod hooks;
mod host;
mod job_keys;
mod jobs;
mod key;
mod keys;
mod listed;
mod load;
mod manual;
mod pattern;
mod phase_keys;
mod phases;
mod place;
mod schema;
mod services;
mod settings;
mod size;
mod template_keys;
mod values;

pub use changes::changed_commands;
pub use disk::{Disk, ListedDisk};
pub use duration::{DurationError, LONGEST, SHORTEST_INTERVAL, from_seconds, parse_duration};
pub use fault::{Class, Fault, Severity, word_hint};
pub use findings::{Findings, Reach};
pub use load::load;
pub use manual::key_table_markdown;
pub use schema::schema;
pub use size::parse_size;

use crate::model::policy::Policy;
use std::path::Path;

/// One config file.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Absolute, symlinks resolved.
    pub path: &'a Path,
    pub text: &'a str,
    /// For `~`.
    pub home: Option<&'a Path>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// `agents check`: every fault is an error.
    Check,
    /// `up`, `watchdog`: what the fleet can go on without is a warning, and a fault of one agent stops that agent only.
    Run,
}

/// A config that can be run, at least in part.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub policy: Policy,
    /// In file order.
    pub faults: Vec<Fault>,
}
