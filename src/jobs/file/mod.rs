//! Job files: text of a `.json` or `.toml` file -> jobs, or every fault at once, with its line, a caret and a hint.
//!
//! Pure. One job, or a list of them (a JSON array; `[[job]]` in TOML):
//!
//! ```json
//! {"name": "release", "steps": [{"desc": "Build", "cmd": "make"}, {"desc": "Test", "cmd": ["make", "test"]}]}
//! ```
mod command;
mod job;
mod json;
pub mod name;
mod node;
mod table;
pub mod template;
mod toml_text;

pub use command::unusable as unusable_command;
pub use job::{JOB as JOB_KEYS, STEP as STEP_KEYS};

use crate::{
    config::{Fault, Findings, Source, Strictness},
    model::job::StepSpec,
};
use std::{ffi::OsString, path::Path, time::Duration};

/// What a job file says of one job. What it does not say is for the caller to fill in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobPart {
    pub name: Option<String>,
    pub description: Option<String>,
    /// As written: relative to where somebody submits it.
    pub dir: Option<String>,
    pub env: Vec<(String, String)>,
    pub group: Option<String>,
    pub priority: Option<i64>,
    pub timeout: Option<Duration>,
    pub retries: Option<u32>,
    /// Ids or names.
    pub after: Vec<String>,
    /// As `--at` takes it.
    pub at: Option<String>,
    pub hold: bool,
    pub interactive: bool,
    /// `None`: by what is there.
    pub tmux: Option<bool>,
    pub nice: Option<i32>,
    /// Bytes.
    pub mem: Option<u64>,
    pub procs: Option<u32>,
    pub sandbox: bool,
    /// Who gets its prompts.
    pub backend: Option<String>,
    /// Which model it takes.
    pub model: Option<String>,
    /// Never empty.
    pub steps: Vec<StepSpec>,
    /// Variables of its environment that nothing changes: the parameters of a template.
    pub params: Vec<(OsString, OsString)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Toml,
}

impl Format {
    /// By the file's ending; `None`: it is no job file.
    pub fn of(path: &Path) -> Option<Format> {
        let ending = path.extension()?.to_str()?;
        match ending.to_ascii_lowercase().as_str() {
            "json" => Some(Format::Json),
            "toml" => Some(Format::Toml),
            _ => None,
        }
    }
}

/// Reads one file. `step_timeout` is for steps that name none; `None`: no limit. A file without a job is a fault.
pub fn parse(source: &Source, format: Format, step_timeout: Option<Duration>) -> Result<Vec<JobPart>, Vec<Fault>> {
    let mut out = Findings::new(source);
    let document = match format {
        Format::Json => json::parse(source.text, &mut out),
        Format::Toml => toml_text::parse(source.text, &mut out),
    };
    let jobs = document.map(|document| job::jobs(&document, format, step_timeout, &mut out)).unwrap_or_default();
    let faults = out.into_faults(Strictness::Check);
    if faults.is_empty() { Ok(jobs) } else { Err(faults) }
}

#[cfg(test)]
mod tests;
