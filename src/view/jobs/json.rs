//! One job as data: exactly the object of `jobs show --json`, and a line of `jobs list --json`.
//!
//! Written by hand and in one go: a program asks for thousands of them at a time, and a general
//! serializer with an object in between takes several times as long as reading the rows.
use super::json_text::{Json, indented};
use crate::model::{
    job::{Exit, JobState, Progress, StepRun},
    job_seen::JobSeen,
    spec_seen::{CommandSeen, StepAsked},
    time::Wall,
};

/// An array, a job a line.
#[derive(Debug, Default)]
pub struct JsonArray {
    json: Json,
    begun: bool,
}

impl JsonArray {
    /// Appends it. What there is of the text, from which the beginning may be taken away.
    pub fn push(&mut self, job: &JobSeen) -> &mut Vec<u8> {
        self.json.raw(if self.begun { ",\n" } else { "[\n" });
        self.begun = true;
        self::job(&mut self.json, job);
        &mut self.json.out
    }

    /// What there is of the text, up to its end, with a newline.
    pub fn end(mut self) -> Vec<u8> {
        self.json.raw(if self.begun { "\n]\n" } else { "[]\n" });
        self.json.out
    }
}

/// One object for people's eyes, a field a line, with a newline at its end.
pub fn json_object(job: &JobSeen) -> Vec<u8> {
    let mut json = Json::default();
    self::job(&mut json, job);
    let mut out = indented(&json.out);
    out.push(b'\n');
    out
}

fn job(json: &mut Json, job: &JobSeen) {
    let spec = &job.spec;
    json.raw(r#"{"v":1,"id":"j"#);
    json.int(job.id.0);
    json.raw(r#"","name":"#);
    json.given(&spec.name);
    json.raw(r#","group":"#);
    json.text(&spec.group);
    state(json, job.state);
    json.raw(r#","description":"#);
    json.text(&spec.description);
    json.raw(r#","steps":"#);
    json.list(spec.steps.iter().enumerate(), |json, (i, spec)| step(json, spec, job.steps.get(i)));
    json.raw(r#","step":"#);
    json.count(job.step as u64);
    json.raw(r#","attempt":"#);
    json.count(job.attempt.into());
    json.raw(r#","created":"#);
    json.time(job.created);
    times(json, job.started, job.ended);
    exit(json, job.exit);
    json.raw(r#","error":"#);
    json.maybe(job.error, Json::text);
    json.raw(r#","dir":"#);
    json.text(job.dir());
    json.raw(r#","log":"#);
    json.text(&job.log);
    json.raw(r#","session":"#);
    json.maybe(job.session, Json::text);
    json.raw(r#","pid":"#);
    json.maybe(job.pid.map(u64::from), Json::count);
    json.raw(r#","backend":"#);
    json.maybe(spec.agent.as_ref().map(|agent| agent.backend.as_str()), Json::text);
    json.raw(r#","model":"#);
    json.maybe(spec.agent.as_ref().and_then(|agent| agent.model.as_deref()), Json::text);
    json.raw(r#","agent_session":"#);
    json.maybe(job.agent_session, Json::text);
    progress(json, job);
    json.raw(r#","last_event":"#);
    json.maybe(job.last_event, Json::text);
    json.raw(r#","files_changed":"#);
    json.maybe(job.files_changed, Json::count);
    json.raw(r#","cost_usd":"#);
    json.maybe(job.cost_usd, Json::real);
    json.raw(r#","usage":"#);
    json.maybe(job.usage.as_ref(), |json, usage| json.safely(&usage.to_string()));
    json.raw(r#","peak_rss":"#);
    json.maybe(job.peak_rss, Json::count);
    json.raw(r#","cpu_s":"#);
    json.maybe(job.cpu_s, Json::real);
    json.raw(r#","priority":"#);
    json.int(spec.priority);
    json.raw(r#","retries":"#);
    json.count(spec.retries.into());
    json.raw(r#","after":"#);
    json.list(spec.after.iter(), |json, id| {
        json.raw("\"j");
        json.int(id.0);
        json.raw("\"");
    });
    json.raw(r#","wake":"#);
    json.maybe(job.wake, Json::time);
    json.raw(r#","timeout":"#);
    json.maybe(spec.timeout.map(|timeout| timeout.as_secs_f64()), Json::real);
    limits(json, job);
    json.raw("}");
}

fn step(json: &mut Json, spec: &StepAsked, run: Option<&StepRun>) {
    json.raw(r#"{"desc":"#);
    json.given(&spec.desc);
    json.raw(r#","cmd":"#);
    match &spec.command {
        CommandSeen::Shell(line) => json.text(&line.0),
        CommandSeen::Argv(words) => json.list(words.iter(), |json, word| json.text(&word.0)),
        CommandSeen::Prompt(_) => json.raw("null"),
    }
    json.raw(r#","prompt":"#);
    match &spec.command {
        CommandSeen::Prompt(prompt) => json.text(&prompt.0),
        CommandSeen::Shell(_) | CommandSeen::Argv(_) => json.raw("null"),
    }
    state(json, run.map_or(JobState::Queued, |run| run.state));
    exit(json, run.and_then(|run| run.exit));
    times(json, run.and_then(|run| run.started), run.and_then(|run| run.ended));
    json.raw("}");
}

fn state(json: &mut Json, state: JobState) {
    json.raw(r#","state":""#);
    json.raw(state.word());
    json.raw("\"");
}

fn exit(json: &mut Json, exit: Option<Exit>) {
    match exit {
        None => json.raw(r#","exit":null,"signal":null"#),
        Some(Exit::Code(code)) => {
            json.raw(r#","exit":"#);
            json.int(code.into());
            json.raw(r#","signal":null"#);
        }
        Some(Exit::Signal(signal)) => {
            json.raw(r#","exit":null,"signal":"#);
            json.int(signal.into());
        }
    }
}

fn times(json: &mut Json, started: Option<Wall>, ended: Option<Wall>) {
    json.raw(r#","started":"#);
    json.maybe(started, Json::time);
    json.raw(r#","ended":"#);
    json.maybe(ended, Json::time);
}

/// What most jobs say of their progress, and what holds most of them in.
const NO_PROGRESS: &str =
    r#","progress":{"rounds":null,"tool_calls":null,"model_calls":null,"done":null,"total":null,"text":null}"#;
const NO_LIMITS: &str = r#","limits":{"nice":null,"mem":null,"procs":null,"held":[]},"sandbox":null"#;

fn progress(json: &mut Json, job: &JobSeen) {
    let progress = &*job.progress;
    if *progress == Progress::default() {
        return json.raw(NO_PROGRESS);
    }
    let [rounds, tool_calls, model_calls] = job.counts();
    json.raw(r#","progress":{"rounds":"#);
    json.maybe(rounds, Json::count);
    json.raw(r#","tool_calls":"#);
    json.maybe(tool_calls, Json::count);
    json.raw(r#","model_calls":"#);
    json.maybe(model_calls, Json::count);
    json.raw(r#","done":"#);
    json.maybe(progress.done, Json::count);
    json.raw(r#","total":"#);
    json.maybe(progress.total, Json::count);
    json.raw(r#","text":"#);
    json.given(&progress.text);
    json.raw("}");
}

/// What was asked for, and how it is enforced.
fn limits(json: &mut Json, job: &JobSeen) {
    let spec = &job.spec;
    if let (None, None, None, None) = (spec.nice, spec.mem, spec.procs, &job.bounds) {
        return json.raw(NO_LIMITS);
    }
    json.raw(r#","limits":{"nice":"#);
    json.maybe(spec.nice.map(i64::from), Json::int);
    json.raw(r#","mem":"#);
    json.maybe(spec.mem, Json::count);
    json.raw(r#","procs":"#);
    json.maybe(spec.procs.map(u64::from), Json::count);
    json.raw(r#","held":"#);
    json.list(job.bounds.iter().flat_map(|bounds| bounds.limits.iter()), |json, line| json.text(line));
    json.raw(r#"},"sandbox":"#);
    json.maybe(job.sandbox(), |json, bounds| {
        json.raw(r#"{"enforced":"#);
        json.list(bounds.enforced.iter(), |json, line| json.text(line));
        json.raw(r#","not_enforced":"#);
        json.list(bounds.open.iter(), |json, line| json.text(line));
        json.raw("}");
    });
}
