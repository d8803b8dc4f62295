//! How jobs run where they say nothing of their own, and what is kept of them (`[jobs]`, `[store]`).
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The default is what holds outside of any project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobRules {
    /// Jobs of the default group at the same time. `None`: as many as there are cores, at least 4.
    pub slots: Option<u32>,
    /// Of the steps of a job file that name no time limit. `None`: no limit.
    pub step_timeout: Option<Duration>,
    /// Newest folders of their own that are kept.
    pub keep_dirs: u32,
    /// Newest jobs that are over and done, or skipped.
    pub keep_finished: u32,
    /// Newest jobs that failed, ran out of time, were cancelled or interrupted.
    pub keep_unfinished: u32,
    /// Between TERM and KILL.
    pub stop_grace: Duration,
    /// Bytes of one job's log.
    pub log_cap: u64,
}

impl Default for JobRules {
    fn default() -> JobRules {
        JobRules {
            slots: None,
            step_timeout: Some(Duration::from_secs(120)),
            keep_dirs: 20,
            keep_finished: 1000,
            keep_unfinished: 10,
            stop_grace: Duration::from_secs(10),
            log_cap: 100_000_000,
        }
    }
}

/// `[store]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreRules {
    pub durability: Durable,
}

/// What a job that was submitted survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durable {
    /// A power cut: it is on the disk before the answer.
    #[default]
    Full,
    /// The end of any program; the last moments before a power cut may be lost.
    Normal,
}
