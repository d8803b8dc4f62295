//! What the machine must have before something is started on it, and what it has.
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

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

// `max_load` was read from a range of numbers, so it is one.
impl Eq for HostRules {}

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

    /// What of memory and processor is missing, in words for people.
    pub fn lacks_power(&self, host: &HostObs) -> Option<String> {
        if let Some(free) = host.memory.filter(|free| *free < self.min_memory) {
            let asked = size(self.min_memory);
            return Some(format!("{} of memory available, `min_memory` of [host] is {asked}", size(free)));
        }
        let load = host.load.filter(|load| self.max_load > 0.0 && *load > self.max_load)?;
        Some(format!("a load of {load:.1} for each core, `max_load` of [host] is {}", self.max_load))
    }

    /// On which disk there is too little, in words for people.
    pub fn lacks_disk(&self, host: &HostObs, folders: &[&Path]) -> Option<String> {
        folders.iter().find_map(|folder| {
            let free = *host.disks.get(*folder).filter(|free| **free < self.min_disk)?;
            let asked = size(self.min_disk);
            Some(format!("{} free on the disk of {}, `min_disk` of [host] is {asked}", size(free), folder.display()))
        })
    }
}

/// `150 MB`, `1.2 GB`.
fn size(bytes: u64) -> String {
    match bytes {
        b if b >= 1_000_000_000 => format!("{:.1} GB", b as f64 / 1e9),
        b if b >= 1_000_000 => format!("{} MB", b / 1_000_000),
        b => format!("{} kB", b / 1_000),
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
