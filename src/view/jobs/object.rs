//! One job as data: exactly the object of `jobs show --json`.
use crate::model::{
    job::{Bytes, Exit, Job, JobCommand, JobState, StepRun, StepSpec},
    time::{Stamper, Wall},
};
use serde::Serialize;

/// Texts are as they were given; a painting makes them safe.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JobView {
    pub v: u32,
    pub id: String,
    pub name: Option<String>,
    pub group: String,
    pub state: JobState,
    pub description: String,
    pub steps: Vec<StepView>,
    /// Index of the step that runs, or is next.
    pub step: usize,
    pub attempt: u32,
    /// RFC 3339, as all times.
    pub created: String,
    pub started: Option<String>,
    pub ended: Option<String>,
    pub exit: Option<i32>,
    pub signal: Option<i32>,
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
    /// Ids that it comes after.
    pub after: Vec<String>,
    /// Does not start before.
    pub wake: Option<String>,
    /// Seconds; of the whole job.
    pub timeout: Option<f64>,
    pub limits: LimitsView,
    /// What its sandbox enforces, once it has begun. `None`: it has none, or has not begun.
    pub sandbox: Option<SandboxView>,
    /// For the table; their facts stand in the fields above.
    #[serde(skip)]
    pub times: Times,
}

/// When: created, started, ended, next try.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    pub created: Wall,
    pub started: Option<Wall>,
    pub ended: Option<Wall>,
    pub wake: Option<Wall>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepView {
    pub desc: Option<String>,
    pub cmd: CmdView,
    /// What an agent is told, in place of a command.
    pub prompt: Option<String>,
    pub state: JobState,
    pub exit: Option<i32>,
    pub signal: Option<i32>,
    pub started: Option<String>,
    pub ended: Option<String>,
    #[serde(skip)]
    pub ran: Option<(Wall, Option<Wall>)>,
}

/// As in a job file: a shell line, or a program and its arguments.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CmdView {
    Shell(String),
    Argv(Vec<String>),
    /// A prompt stands in its place.
    None,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProgressView {
    pub rounds: Option<u64>,
    pub tool_calls: Option<u64>,
    pub model_calls: Option<u64>,
    pub done: Option<u64>,
    pub total: Option<u64>,
    pub text: Option<String>,
    /// As it was said, for the table and the page.
    #[serde(skip)]
    said: String,
}

impl ProgressView {
    pub fn words(&self) -> &str {
        &self.said
    }
}

/// What was asked for, and how it is enforced.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LimitsView {
    pub nice: Option<i32>,
    /// Bytes.
    pub mem: Option<u64>,
    pub procs: Option<u32>,
    /// In words, once it has begun.
    pub held: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SandboxView {
    pub enforced: Vec<String>,
    pub not_enforced: Vec<String>,
    /// In lines, for the page.
    #[serde(skip)]
    said: Vec<String>,
}

impl SandboxView {
    pub fn lines(&self) -> &[String] {
        &self.said
    }
}

pub fn view(job: &Job) -> JobView {
    with(job, &mut Stamper::default())
}

pub fn views(jobs: &[Job]) -> Vec<JobView> {
    let mut stamper = Stamper::default();
    jobs.iter().map(|job| with(job, &mut stamper)).collect()
}

fn with(job: &Job, stamper: &mut Stamper) -> JobView {
    let mut stamp = |wall: Wall| stamper.rfc3339(wall);
    let spec = &job.spec;
    let (exit, signal) = split(job.exit);
    let live = job.state == JobState::Running;
    JobView {
        v: 1,
        id: job.id.to_string(),
        name: given(&spec.name),
        group: spec.group.clone(),
        state: job.state,
        description: spec.description.clone(),
        steps: spec.steps.iter().enumerate().map(|(i, s)| step(s, job.steps.get(i), &mut stamp)).collect(),
        step: job.step,
        attempt: job.attempt,
        created: stamp(job.created),
        started: job.started.map(&mut stamp),
        ended: job.ended.map(&mut stamp),
        exit,
        signal,
        error: job.error.clone(),
        dir: job.run_dir.as_ref().unwrap_or(&spec.dir).to_string_lossy().into_owned(),
        log: job.log.to_string_lossy().into_owned(),
        session: job.session.clone(),
        pid: job.child.filter(|_| live).map(|c| c.pid),
        backend: spec.agent.as_ref().map(|agent| agent.backend.clone()),
        model: spec.agent.as_ref().and_then(|agent| agent.model.clone()),
        agent_session: job.agent_session.clone(),
        progress: progress(job),
        last_event: job.last_event.clone(),
        files_changed: job.files_changed,
        cost_usd: job.cost_usd,
        usage: job.usage.clone(),
        peak_rss: job.peak_rss,
        cpu_s: job.cpu_s,
        priority: spec.priority,
        retries: spec.retries,
        after: spec.after.iter().map(ToString::to_string).collect(),
        wake: job.wake.map(&mut stamp),
        timeout: spec.timeout.map(|t| t.as_secs_f64()),
        limits: limits(job),
        sandbox: sandbox(job),
        times: Times { created: job.created, started: job.started, ended: job.ended, wake: job.wake },
    }
}

fn limits(job: &Job) -> LimitsView {
    let held = job.bounds.as_ref().map(|bounds| bounds.limits.clone()).unwrap_or_default();
    LimitsView { nice: job.spec.nice, mem: job.spec.mem, procs: job.spec.procs, held }
}

fn sandbox(job: &Job) -> Option<SandboxView> {
    let bounds = job.bounds.as_ref().filter(|_| job.spec.sandbox)?;
    Some(SandboxView { enforced: bounds.enforced.clone(), not_enforced: bounds.open.clone(), said: bounds.sandbox() })
}

fn step(spec: &StepSpec, run: Option<&StepRun>, stamp: &mut impl FnMut(Wall) -> String) -> StepView {
    let (exit, signal) = split(run.and_then(|r| r.exit));
    StepView {
        desc: given(&spec.desc),
        cmd: match &spec.command {
            JobCommand::Shell(line) => CmdView::Shell(text(line)),
            JobCommand::Argv(words) => CmdView::Argv(words.iter().map(text).collect()),
            JobCommand::Prompt(_) => CmdView::None,
        },
        prompt: match &spec.command {
            JobCommand::Prompt(prompt) => Some(text(prompt)),
            _ => None,
        },
        state: run.map_or(JobState::Queued, |r| r.state),
        exit,
        signal,
        started: run.and_then(|r| r.started).map(&mut *stamp),
        ended: run.and_then(|r| r.ended).map(&mut *stamp),
        ran: run.and_then(|r| Some((r.started?, r.ended))),
    }
}

/// Counts are known once something has counted.
fn progress(job: &Job) -> ProgressView {
    let progress = &job.progress;
    // Whoever counts answers of a model counts the rest as well.
    let counts = progress.model_calls > 0;
    let counted = |n: u64| (n > 0 || counts).then_some(n);
    ProgressView {
        rounds: counted(progress.rounds),
        tool_calls: counted(progress.tool_calls),
        model_calls: counted(progress.model_calls),
        done: progress.done,
        total: progress.total,
        text: given(&progress.text),
        said: progress.words(),
    }
}

fn text(bytes: &Bytes) -> String {
    bytes.0.to_string_lossy().into_owned()
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn split(exit: Option<Exit>) -> (Option<i32>, Option<i32>) {
    match exit {
        None => (None, None),
        Some(Exit::Code(code)) => (Some(code), None),
        Some(Exit::Signal(signal)) => (None, Some(signal)),
    }
}

impl JobView {
    /// Its name, its description, or its first command: something that a person knows it by.
    pub fn title(&self) -> String {
        match (&self.name, self.description.as_str()) {
            (Some(name), "") => name.clone(),
            (Some(name), description) if name == description => name.clone(),
            (Some(name), description) => format!("{name}: {description}"),
            (None, "") => self.steps.first().map(StepView::title).unwrap_or_default(),
            (None, description) => description.to_owned(),
        }
    }

    pub fn exit(&self) -> Option<Exit> {
        self.exit.map(Exit::Code).or(self.signal.map(Exit::Signal))
    }
}

/// No more of a prompt than a line can show.
fn folded(prompt: &str) -> String {
    let beginning: String = prompt.chars().take(1000).collect();
    beginning.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl StepView {
    /// What it is called, else its command.
    pub fn title(&self) -> String {
        self.desc.clone().unwrap_or_else(|| self.command())
    }

    /// Its command, or its prompt.
    pub fn command(&self) -> String {
        match &self.cmd {
            CmdView::Shell(line) => line.clone(),
            CmdView::Argv(words) => words.join(" "),
            CmdView::None => folded(self.prompt.as_deref().unwrap_or_default()),
        }
    }
}

/// One object, with a newline at its end.
pub fn json_object(job: &JobView) -> Result<String, serde_json::Error> {
    Ok(safe(serde_json::to_string_pretty(job)?) + "\n")
}

/// An array with a job a line.
pub fn json_array(jobs: &[JobView]) -> Result<String, serde_json::Error> {
    let mut out = String::with_capacity(2 + jobs.len() * 1024);
    out.push('[');
    for (i, job) in jobs.iter().enumerate() {
        out.push_str(if i == 0 { "\n" } else { ",\n" });
        out.push_str(&serde_json::to_string(job)?);
    }
    out.push_str(if jobs.is_empty() { "]\n" } else { "\n]\n" });
    Ok(safe(out))
}

/// Characters that steer a terminal can stand in JSON as they are, and only within texts: there an escape says the same.
fn safe(json: String) -> String {
    let steers = |c: char| {
        matches!(c, '\u{7f}'..='\u{9f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if json.is_ascii() && !json.contains('\u{7f}') || !json.contains(steers) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if steers(c) { out.push_str(&format!("\\u{:04x}", c as u32)) } else { out.push(c) }
    }
    out
}
