//! One job as people see it: what the row, the page and the screen are painted of.
use crate::model::{
    bounds::{self, Bounds},
    job::{Bytes, Exit, Job, JobCommand, JobId, JobState, StepRun, StepSpec},
    job_seen::JobSeen,
    time::Wall,
};
use std::time::Duration;

/// Texts are as they were given; a painting makes them safe.
#[derive(Clone, Debug, PartialEq)]
pub struct JobView {
    pub id: String,
    pub name: Option<String>,
    pub group: String,
    pub state: JobState,
    pub description: String,
    pub steps: Vec<StepView>,
    /// Index of the step that runs, or is next.
    pub step: usize,
    pub attempt: u32,
    pub times: Times,
    pub exit: Option<Exit>,
    pub error: Option<String>,
    pub dir: String,
    pub log: String,
    pub session: Option<String>,
    /// The process of the step that runs.
    pub pid: Option<u32>,
    pub backend: Option<String>,
    pub model: Option<String>,
    pub agent_session: Option<String>,
    pub progress: ProgressView,
    pub last_event: Option<String>,
    pub files_changed: Option<u64>,
    pub cost_usd: Option<f64>,
    pub usage: Option<serde_json::Value>,
    /// Bytes.
    pub peak_rss: Option<u64>,
    pub cpu_s: Option<f64>,
    pub priority: i64,
    pub retries: u32,
    /// Comes after these.
    pub after: Vec<JobId>,
    /// Of the whole job.
    pub timeout: Option<Duration>,
    /// How its limits hold, in lines, once it has begun.
    pub held: Vec<String>,
    /// What its sandbox enforces, in lines, once it has begun. Empty: it has none, or has not begun.
    pub sandbox: Vec<String>,
    /// The job in whose bounds it runs, beside its own.
    pub within: Option<String>,
}

/// When: created, started, ended, next try.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    pub created: Wall,
    pub started: Option<Wall>,
    pub ended: Option<Wall>,
    pub wake: Option<Wall>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StepView {
    pub desc: Option<String>,
    /// Its command, or the beginning of its prompt.
    pub command: String,
    pub state: JobState,
    pub exit: Option<Exit>,
    pub ran: Option<(Wall, Option<Wall>)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ProgressView {
    pub rounds: Option<u64>,
    pub tool_calls: Option<u64>,
    pub model_calls: Option<u64>,
    pub done: Option<u64>,
    pub total: Option<u64>,
    /// As it was said.
    said: String,
}

impl ProgressView {
    pub fn words(&self) -> &str {
        &self.said
    }
}

pub fn views(jobs: &[Job]) -> Vec<JobView> {
    jobs.iter().map(view).collect()
}

pub fn view(job: &Job) -> JobView {
    let (spec, seen) = (&job.spec, JobSeen::of(job));
    JobView {
        id: job.id.to_string(),
        name: given(&spec.name),
        group: spec.group.clone(),
        state: job.state,
        description: spec.description.clone(),
        steps: spec.steps.iter().enumerate().map(|(i, s)| step(s, job.steps.get(i))).collect(),
        step: job.step,
        attempt: job.attempt,
        times: Times { created: job.created, started: job.started, ended: job.ended, wake: job.wake },
        exit: job.exit,
        error: job.error.clone(),
        dir: seen.dir().to_owned(),
        log: seen.log.to_string(),
        session: job.session.clone(),
        pid: seen.pid,
        backend: spec.agent.as_ref().map(|agent| agent.backend.clone()),
        model: spec.agent.as_ref().and_then(|agent| agent.model.clone()),
        agent_session: job.agent_session.clone(),
        progress: progress(&seen),
        last_event: job.last_event.clone(),
        files_changed: job.files_changed,
        cost_usd: job.cost_usd,
        usage: job.usage.clone(),
        peak_rss: job.peak_rss,
        cpu_s: job.cpu_s,
        priority: spec.priority,
        retries: spec.retries,
        after: spec.after.clone(),
        timeout: spec.timeout,
        held: job.bounds.as_ref().map(|bounds| bounds.limits.clone()).unwrap_or_default(),
        sandbox: seen.sandbox().map(Bounds::sandbox).unwrap_or_default(),
        within: job.within.map(bounds::whose),
    }
}

fn step(spec: &StepSpec, run: Option<&StepRun>) -> StepView {
    StepView {
        desc: given(&spec.desc),
        command: match &spec.command {
            JobCommand::Shell(line) => text(line),
            JobCommand::Argv(words) => words.iter().map(text).collect::<Vec<_>>().join(" "),
            JobCommand::Prompt(prompt) => folded(&text(prompt)),
        },
        state: run.map_or(JobState::Queued, |r| r.state),
        exit: run.and_then(|r| r.exit),
        ran: run.and_then(|r| Some((r.started?, r.ended))),
    }
}

fn progress(job: &JobSeen) -> ProgressView {
    let [rounds, tool_calls, model_calls] = job.counts();
    let progress = &job.progress;
    ProgressView { rounds, tool_calls, model_calls, done: progress.done, total: progress.total, said: progress.words() }
}

fn text(bytes: &Bytes) -> String {
    bytes.0.to_string_lossy().into_owned()
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// No more of a prompt than a line can show.
fn folded(prompt: &str) -> String {
    let beginning: String = prompt.chars().take(1000).collect();
    beginning.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl StepView {
    /// What it is called, else its command.
    pub fn title(&self) -> &str {
        self.desc.as_deref().unwrap_or(&self.command)
    }
}

impl JobView {
    /// Its name, its description, or its first command: something that a person knows it by.
    pub fn title(&self) -> String {
        match (&self.name, self.description.as_str()) {
            (Some(name), "") => name.clone(),
            (Some(name), description) if name == description => name.clone(),
            (Some(name), description) => format!("{name}: {description}"),
            (None, "") => self.steps.first().map(StepView::title).unwrap_or_default().to_owned(),
            (None, description) => description.to_owned(),
        }
    }
}
