//! What is remembered of an agent that stands still, and how little a process tree does that does nothing.
use super::{
    observation::TreeUse,
    time::{Boot, Wall},
};
use serde::{Deserialize, Serialize};

/// What is done to an agent that is idle for too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StallAction {
    /// Told to go on; restarted if that changes nothing.
    Nudge,
    #[default]
    Restart,
}

/// A screen that says that work is under way, and that shows the same since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spin {
    /// Since when it works without a break.
    pub began: Boot,
    /// [`super::reading::Reading::still`] of that screen.
    pub still: u64,
    pub since: Boot,
    /// First of the looks in a row that showed something else: one alone may have been caught in a repaint.
    #[serde(skip)]
    pub other: Option<Boot>,
}

/// The one text that tells a stalled agent to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nudged {
    pub delivery: i64,
    /// What was typed: it is looked for on the screen.
    pub text: String,
    /// [`super::reading::Reading::still`] before it was typed.
    pub before: u64,
    /// Since when it is delivered or given up.
    #[serde(default)]
    pub over: Option<Boot>,
    /// It was delivered; else nobody saw it, and it counts as not answered.
    #[serde(default)]
    pub proved: bool,
}

/// The first of two looks at a process tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeLook {
    pub at: Boot,
    pub usage: TreeUse,
}

/// It looks as if nothing happened, but its processes are at work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietWork {
    pub since: Wall,
    /// `CPU 45 % of a core`
    pub what: String,
}

/// How much a process tree may use and still count as doing nothing.
///
/// Measured with the pinned versions against a service that takes a request and never answers, at 120x40, over ten
/// minutes; CPU in % of a core, IO in kB/s. What draws a spinner is no work, and takes more than one would think:
///
/// | | idle CPU | idle IO | hung CPU | hung IO | streaming CPU | streaming IO |
/// |---|---|---|---|---|---|---|
/// | claude 2.1.197 | 0.2-0.5 | 0.1 | 17-20 | 2 | 16-19 | 2 |
/// | codex 0.169.0 | 0.1-0.3 | 0.6-9 | 5-6 | 4-18 | 1 | 51-75 |
/// | opencode 1.18.33 | 2.5-4.1 | 0.2 | 31-33 | 7 | 37-40 | 7 |
/// | gemini 0.61.0 | 0 | 0 | 16-20 | 37 | 25-27 | 37-48 |
///
/// So a spinner's tree can only rule out that something else works there: a build, a test, a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Thousandths of a core, at an input line at rest.
    pub idle_cpu: u64,
    /// The same under a spinner.
    pub spinner_cpu: u64,
    /// Bytes a second, read and written.
    pub io: u64,
}

impl Quiet {
    pub fn of(preset: Option<&str>) -> Quiet {
        let quiet = |idle_cpu, spinner_cpu, io_kib: u64| Quiet { idle_cpu, spinner_cpu, io: io_kib * 1024 };
        match preset {
            Some("claude") => quiet(10, 400, 32),
            Some("codex") => quiet(10, 150, 64),
            Some("opencode") => quiet(80, 650, 32),
            Some("gemini") => quiet(10, 400, 128),
            // Under 1 % of a core is nothing.
            _ => quiet(10, 10, 16),
        }
    }
}
