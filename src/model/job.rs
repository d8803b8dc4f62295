//! A job: commands that run in order, beside the fleet or without one. What was asked for ([`JobSpec`]) never changes;
//! what became of it is in [`Job`].
use super::{bounds::Bounds, time::Wall};
pub use super::{
    bytes::Bytes,
    job_id::JobId,
    job_spec::{DEFAULT_GROUP, JobCommand, JobSpec, StepSpec},
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits for somebody to release it.
    Held,
    /// Waits for a free slot of its group, or for its time.
    Queued,
    /// Waits for the jobs that it comes after.
    Blocked,
    Running,
    /// Waits for an approval between two steps.
    Paused,
    /// Failed, and waits to be tried again.
    Backoff,
    Done,
    Failed,
    Timeout,
    Cancelled,
    /// Nobody saw how it ended: its runner died, or the machine went down.
    Interrupted,
    /// A job that it comes after did not succeed.
    Skipped,
}

impl JobState {
    pub const ALL: [JobState; 12] = [
        JobState::Held,
        JobState::Queued,
        JobState::Blocked,
        JobState::Running,
        JobState::Paused,
        JobState::Backoff,
        JobState::Done,
        JobState::Failed,
        JobState::Timeout,
        JobState::Cancelled,
        JobState::Interrupted,
        JobState::Skipped,
    ];

    pub fn word(self) -> &'static str {
        match self {
            JobState::Held => "held",
            JobState::Queued => "queued",
            JobState::Blocked => "blocked",
            JobState::Running => "running",
            JobState::Paused => "paused",
            JobState::Backoff => "backoff",
            JobState::Done => "done",
            JobState::Failed => "failed",
            JobState::Timeout => "timeout",
            JobState::Cancelled => "cancelled",
            JobState::Interrupted => "interrupted",
            JobState::Skipped => "skipped",
        }
    }

    pub fn parse(word: &str) -> Option<JobState> {
        JobState::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Nothing will happen to it any more, unless somebody asks.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            JobState::Done
                | JobState::Failed
                | JobState::Timeout
                | JobState::Cancelled
                | JobState::Interrupted
                | JobState::Skipped
        )
    }

    /// Over, and its work is not done: what `keep_unfinished` counts, and what `retry` and `resume` are for.
    pub fn is_unfinished(self) -> bool {
        matches!(self, JobState::Failed | JobState::Timeout | JobState::Cancelled | JobState::Interrupted)
    }
}

/// What somebody says to a job that waits for an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The next step.
    Continue,
    /// The step before once more.
    Retry,
    Cancel,
}

impl Answer {
    pub const ALL: [Answer; 3] = [Answer::Continue, Answer::Retry, Answer::Cancel];

    pub fn word(self) -> &'static str {
        match self {
            Answer::Continue => "continue",
            Answer::Retry => "retry",
            Answer::Cancel => "cancel",
        }
    }

    pub fn parse(word: &str) -> Option<Answer> {
        Answer::ALL.into_iter().find(|answer| answer.word() == word)
    }

    /// What a line means that somebody typed: the whole word, or one letter for it.
    pub fn meant(line: &str) -> Option<Answer> {
        match line.trim().to_lowercase().as_str() {
            "c" => Some(Answer::Continue),
            "r" => Some(Answer::Retry),
            "x" => Some(Answer::Cancel),
            word => Answer::parse(word),
        }
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRun {
    /// `Queued` until it begins.
    pub state: JobState,
    pub exit: Option<Exit>,
    pub started: Option<Wall>,
    pub ended: Option<Wall>,
    /// From 1.
    pub attempt: u32,
    /// The conversation that a prompt came into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// A process that is meant, and no other that has its number later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcMark {
    pub pid: u32,
    /// Clock ticks after boot at which it started.
    pub start: u64,
}

/// What the steps' output says of their progress (`::progress 3/10 text`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    pub rounds: u64,
    pub tool_calls: u64,
    pub model_calls: u64,
    pub done: Option<u64>,
    pub total: Option<u64>,
    pub text: String,
}

impl Progress {
    /// `3/10 linking`: what was said. Empty if nothing was.
    pub fn words(&self) -> String {
        let counts = match (self.done, self.total) {
            (Some(done), Some(total)) => format!("{done}/{total}"),
            (Some(done), None) => done.to_string(),
            _ => String::new(),
        };
        let space = if counts.is_empty() || self.text.is_empty() { "" } else { " " };
        format!("{counts}{space}{}", self.text)
    }
}

/// A job, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: JobId,
    pub spec: JobSpec,
    pub state: JobState,
    /// One per step of the spec.
    pub steps: Vec<StepRun>,
    /// Index of the step that runs, or is next.
    pub step: usize,
    /// From 1; `retry` counts on.
    pub attempt: u32,
    pub created: Wall,
    pub started: Option<Wall>,
    pub ended: Option<Wall>,
    /// Of the last step that ran.
    pub exit: Option<Exit>,
    /// Why it is as it is, in words for people: why it failed, was skipped, was interrupted.
    pub error: Option<String>,
    /// Absolute.
    pub log: PathBuf,
    /// The folder that it runs in, where that is one of its own.
    pub run_dir: Option<PathBuf>,
    /// In `Backoff`, and with `not_before`: does not start before.
    pub wake: Option<Wall>,
    /// Who looks after it.
    pub runner: Option<ProcMark>,
    /// The process of the step that runs.
    pub child: Option<ProcMark>,
    /// The tmux session that it runs in, while it does.
    pub session: Option<String>,
    pub progress: Progress,
    pub last_event: Option<String>,
    /// The agent CLI's own name of the conversation: what it resumes.
    pub agent_session: Option<String>,
    /// By git, between its start and its end.
    pub files_changed: Option<u64>,
    pub cost_usd: Option<f64>,
    /// Tokens, as the agent CLI counts them.
    pub usage: Option<serde_json::Value>,
    /// Bytes.
    pub peak_rss: Option<u64>,
    pub cpu_s: Option<f64>,
    /// What holds it in, since it ran first. `None`: nothing was asked for.
    pub bounds: Option<Bounds>,
    /// It was submitted within the bounds of a job, and runs in them alone ([`crate::model::bounds::whose`]).
    pub within: Option<i64>,
}

/// Which of a job's pauses: the step that is next, when the one before it ended, and how many tries there were.
pub type Pause = (usize, Option<Wall>, u32);

impl Job {
    /// As nothing has become of it yet: queued, at the beginning of time, without steps and without a log.
    pub fn of(id: JobId, spec: JobSpec) -> Job {
        Job {
            id,
            spec,
            state: JobState::Queued,
            steps: Vec::new(),
            step: 0,
            attempt: 1,
            created: Wall(0),
            started: None,
            ended: None,
            exit: None,
            error: None,
            log: PathBuf::new(),
            run_dir: None,
            wake: None,
            runner: None,
            child: None,
            session: None,
            progress: Progress::default(),
            last_event: None,
            agent_session: None,
            files_changed: None,
            cost_usd: None,
            usage: None,
            peak_rss: None,
            cpu_s: None,
            bounds: None,
            within: None,
        }
    }

    /// `None`: it does not wait for an answer.
    pub fn pause(&self) -> Option<Pause> {
        let before = self.step.checked_sub(1).and_then(|step| self.steps.get(step)).and_then(|run| run.ended);
        let tries = self.steps.iter().map(|run| run.attempt).sum();
        (self.state == JobState::Paused).then_some((self.step, before, tries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_word_of_its_own() {
        for state in JobState::ALL {
            assert_eq!(JobState::parse(state.word()), Some(state));
            assert!(!state.is_unfinished() || state.is_over());
        }
    }

    #[test]
    fn an_answer_is_a_word_or_its_letter_and_nothing_like_it() {
        for (lines, answer) in [
            (["c", " C \n", "continue"], Some(Answer::Continue)),
            (["r", "R", "retry\r"], Some(Answer::Retry)),
            (["x", "\tx", "Cancel"], Some(Answer::Cancel)),
            (["", "cc", "cont"], None),
        ] {
            assert_eq!(lines.map(Answer::meant), [answer; 3], "{lines:?}");
        }
    }
}
