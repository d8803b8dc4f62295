//! A job as it is shown to programs: borrowed from a row of the store or from a [`Job`], and nothing of it is copied that
//! stands there as it is shown. A list of thousands is a matter of copies.
use super::{
    bounds::Bounds,
    job::{Exit, Job, JobId, JobState, Progress, StepRun},
    spec_seen::SpecSeen,
    time::Wall,
};
use std::borrow::Cow;

/// Texts are as they were given; bytes that are no text are replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSeen<'a> {
    pub id: JobId,
    pub spec: SpecSeen<'a>,
    pub state: JobState,
    /// One per step of the spec.
    pub steps: Cow<'a, [StepRun]>,
    pub step: usize,
    pub attempt: u32,
    pub created: Wall,
    pub started: Option<Wall>,
    pub ended: Option<Wall>,
    pub exit: Option<Exit>,
    pub error: Option<&'a str>,
    pub log: Cow<'a, str>,
    /// The folder that it runs in, where that is one of its own.
    pub run_dir: Option<Cow<'a, str>>,
    pub wake: Option<Wall>,
    /// The process of the step that runs: of one that is over the number may be another's.
    pub pid: Option<u32>,
    pub session: Option<&'a str>,
    pub progress: Cow<'a, Progress>,
    pub last_event: Option<&'a str>,
    pub agent_session: Option<&'a str>,
    pub files_changed: Option<u64>,
    pub cost_usd: Option<f64>,
    pub usage: Option<Cow<'a, serde_json::Value>>,
    pub peak_rss: Option<u64>,
    pub cpu_s: Option<f64>,
    pub bounds: Option<Cow<'a, Bounds>>,
}

impl<'a> JobSeen<'a> {
    pub fn of(job: &'a Job) -> JobSeen<'a> {
        JobSeen {
            id: job.id,
            spec: SpecSeen::of(&job.spec),
            state: job.state,
            steps: job.steps[..].into(),
            step: job.step,
            attempt: job.attempt,
            created: job.created,
            started: job.started,
            ended: job.ended,
            exit: job.exit,
            error: job.error.as_deref(),
            log: job.log.to_string_lossy(),
            run_dir: job.run_dir.as_ref().map(|dir| dir.to_string_lossy()),
            wake: job.wake,
            pid: job.child.filter(|_| job.state == JobState::Running).map(|child| child.pid),
            session: job.session.as_deref(),
            progress: Cow::Borrowed(&job.progress),
            last_event: job.last_event.as_deref(),
            agent_session: job.agent_session.as_deref(),
            files_changed: job.files_changed,
            cost_usd: job.cost_usd,
            usage: job.usage.as_ref().map(Cow::Borrowed),
            peak_rss: job.peak_rss,
            cpu_s: job.cpu_s,
            bounds: job.bounds.as_ref().map(Cow::Borrowed),
        }
    }

    /// Where it runs.
    pub fn dir(&self) -> &str {
        self.run_dir.as_deref().unwrap_or(&self.spec.dir)
    }

    /// Rounds, calls of tools and of models: known once something has counted.
    pub fn counts(&self) -> [Option<u64>; 3] {
        let Progress { rounds, tool_calls, model_calls, .. } = *self.progress;
        // Whoever counts answers of a model counts the rest as well.
        [rounds, tool_calls, model_calls].map(|n| (n > 0 || model_calls > 0).then_some(n))
    }

    /// What its sandbox enforces, if it has one and has begun.
    pub fn sandbox(&self) -> Option<&Bounds> {
        self.bounds.as_deref().filter(|_| self.spec.sandbox)
    }
}
