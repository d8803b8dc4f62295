//! What the machine must have before something is started on it, and what it has.
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// `[host]`. What is 0 is not asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostRules {
    /// Bytes of available memory.
    pub min_memory: u64,
    /// Bytes free where the logs are, and where the agent works.
    pub min_disk: u64,
    /// Load average of the last minute, for each core.
    pub max_load: f64,
    /// Pause before the next look, while something waits.
    pub retry: Duration,
}

impl Default for HostRules {
    /// Nothing is asked for.
    fn default() -> HostRules {
        HostRules { min_memory: 0, min_disk: 0, max_load: 0.0, retry: Duration::from_secs(15) }
    }
}

impl HostRules {
    pub fn asks_nothing(&self) -> bool {
        self.min_memory == 0 && self.min_disk == 0 && self.max_load <= 0.0
    }
}

/// The machine at one moment. What could not be found out is absent, and holds nobody up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostObs {
    /// Bytes that could be had without swapping, within the limits that this program runs under.
    pub memory: Option<u64>,
    /// Load average of the last minute, for each core.
    pub load: Option<f64>,
    /// Folder -> bytes free on its disk.
    pub disks: BTreeMap<PathBuf, u64>,
}

/// A start that waits for the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoRoom {
    /// What is missing, for people.
    pub why: String,
    /// The start draws on the restart budget.
    pub counted: bool,
    /// Somebody asked for it: it is started even if the watchdog would not keep it alive.
    pub asked: bool,
}
