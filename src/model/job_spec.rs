//! What somebody asks for: a job's steps, and what holds for all of them.
use super::{bytes::Bytes, job_agent::JobAgent, job_id::JobId, job_input::JobInput, name::printable_cut, time::Wall};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};

/// The group of jobs that name none. Its limit follows from the machine until somebody sets one.
pub const DEFAULT_GROUP: &str = "default";

/// What a step runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobCommand {
    /// One line for the job's shell.
    Shell(Bytes),
    /// A program and its arguments, seen by no shell.
    Argv(Vec<Bytes>),
    /// A text for the job's agent. All prompts of a job come into one conversation.
    Prompt(Bytes),
}

impl JobCommand {
    /// In one line for people.
    pub fn shown(&self) -> String {
        let text = match self {
            JobCommand::Shell(line) | JobCommand::Prompt(line) => line.0.to_string_lossy().into_owned(),
            JobCommand::Argv(words) => words.iter().map(|w| w.0.to_string_lossy()).collect::<Vec<_>>().join(" "),
        };
        printable_cut(text.trim(), 200)
    }
}

/// One step of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSpec {
    /// Empty: the command says it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub desc: String,
    pub command: JobCommand,
    /// The step is ended after this. `None`: no limit.
    #[serde(default, skip_serializing_if = "is_default")]
    pub timeout: Option<Duration>,
    /// A line for the job's shell: the step is left out where it fails.
    #[serde(default, skip_serializing_if = "is_default")]
    pub only_if: Option<String>,
    /// How often it is tried again after a failure, the pauses as for jobs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retries: u32,
    /// Ask somebody after this step, unless it was left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pause: bool,
}

impl StepSpec {
    /// No more than the command.
    pub fn of(command: JobCommand) -> StepSpec {
        StepSpec { desc: String::new(), command, timeout: None, only_if: None, retries: 0, pause: false }
    }

    /// What it does, in one line for people.
    pub fn shown(&self) -> String {
        if self.desc.is_empty() { self.command.shown() } else { printable_cut(&self.desc, 200) }
    }
}

/// What somebody asked for. Never changes. What is not written is as in the default: a row is short, and one of an older
/// version can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobSpec {
    /// Letters, digits, `-`, `_`, `.`; not like an id. Empty: none given.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// One line for people.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    #[serde(skip_serializing_if = "is_default_group")]
    pub group: String,
    /// Higher goes first; equal ones by age.
    #[serde(skip_serializing_if = "is_default")]
    pub priority: i64,
    /// Absolute.
    pub dir: PathBuf,
    /// Absolute; runs the shell lines.
    pub shell: PathBuf,
    /// Never empty.
    pub steps: Vec<StepSpec>,
    /// Of the whole job. `None`: no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: Option<Duration>,
    /// How often the job is tried again after a failure: after 1 s, doubling to 60 s.
    #[serde(skip_serializing_if = "is_default")]
    pub retries: u32,
    /// Comes after the success of all of these.
    #[serde(skip_serializing_if = "is_default")]
    pub after: Vec<JobId>,
    /// Does not start before.
    #[serde(skip_serializing_if = "is_default")]
    pub not_before: Option<Wall>,
    /// Waits for `release`.
    #[serde(skip_serializing_if = "is_default")]
    pub hold: bool,
    /// Asks before the first step and after each but the last.
    #[serde(skip_serializing_if = "is_default")]
    pub interactive: bool,
    /// Runs in a folder of its own below `jobs/`, made when it starts.
    #[serde(skip_serializing_if = "is_default")]
    pub own_dir: bool,
    /// Between TERM and KILL.
    #[serde(skip_serializing_if = "is_default_grace")]
    pub stop_grace: Duration,
    /// Beyond this many bytes the log keeps its beginning and its newest part.
    #[serde(skip_serializing_if = "is_default_cap")]
    pub log_cap: u64,
    /// Niceness, 0 to 19. `None`: that of the caller.
    #[serde(skip_serializing_if = "is_default")]
    pub nice: Option<i32>,
    /// Bytes, of all its processes together or, where the machine cannot do that, of address space for each. `None`: no
    /// limit.
    #[serde(skip_serializing_if = "is_default")]
    pub mem: Option<u64>,
    /// Processes at the same time. `None`: no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub procs: Option<u32>,
    /// Runs in a tmux session of its own, if there can be one.
    #[serde(skip_serializing_if = "is_default")]
    pub tmux: bool,
    /// It does not run without that.
    #[serde(skip_serializing_if = "is_default")]
    pub tmux_asked: bool,
    /// Who gets the prompts of its steps.
    #[serde(skip_serializing_if = "is_default")]
    pub agent: Option<JobAgent>,
    /// Its processes may write nowhere but in its folder and the temporary one, as far as the machine can see to that.
    #[serde(skip_serializing_if = "is_default")]
    pub sandbox: bool,
    /// What its first step reads. `None`: nothing, or its terminal. It can be read once.
    #[serde(skip_serializing_if = "is_default")]
    pub input: Option<JobInput>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_default_group(group: &str) -> bool {
    group == DEFAULT_GROUP
}

fn is_default_grace(grace: &Duration) -> bool {
    *grace == STOP_GRACE
}

fn is_default_cap(cap: &u64) -> bool {
    *cap == LOG_CAP
}

/// As in the default.
pub const STOP_GRACE: Duration = Duration::from_secs(10);
pub const LOG_CAP: u64 = 100_000_000;

/// What holds where nothing is said. Without steps. Part of the format: rows rely on it for what they do not say.
impl Default for JobSpec {
    fn default() -> JobSpec {
        JobSpec {
            name: String::new(),
            description: String::new(),
            group: DEFAULT_GROUP.into(),
            priority: 0,
            dir: "/".into(),
            shell: "/bin/sh".into(),
            steps: Vec::new(),
            timeout: None,
            retries: 0,
            after: Vec::new(),
            not_before: None,
            hold: false,
            interactive: false,
            own_dir: false,
            stop_grace: STOP_GRACE,
            log_cap: LOG_CAP,
            nice: None,
            mem: None,
            procs: None,
            tmux: false,
            tmux_asked: false,
            agent: None,
            sandbox: false,
            input: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_always_is_not_written_and_read_all_the_same() {
        let steps = vec![StepSpec::of(JobCommand::Shell(Bytes("true".into())))];
        let plain = JobSpec { dir: "/p".into(), steps, ..JobSpec::default() };
        let text = serde_json::to_string(&plain).expect("json");
        assert_eq!(text, r#"{"dir":"/p","shell":"/bin/sh","steps":[{"command":{"shell":"true"}}]}"#);
        assert_eq!(serde_json::from_str::<JobSpec>(&text).expect("back"), plain);
        let odd = JobSpec {
            group: String::new(),
            stop_grace: Duration::ZERO,
            log_cap: 0,
            nice: Some(0),
            timeout: Some(Duration::ZERO),
            ..plain
        };
        let text = serde_json::to_string(&odd).expect("json");
        assert_eq!(serde_json::from_str::<JobSpec>(&text).expect("back"), odd);
    }
}
