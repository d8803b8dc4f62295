//! The JSON that is written by hand, beside what a serializer writes of the same.
use super::{
    JsonArray, json_object,
    tests::{job as any_job, running},
};
use crate::model::{
    bounds::Bounds,
    host::HostRules,
    job::{Bytes, Exit, Job, JobCommand, JobId, JobState, ProcMark, Progress, StepRun, StepSpec},
    job_agent::{JobAgent, Stream},
    job_seen::JobSeen,
    time::Wall,
};
use proptest::{collection::vec, option, prelude::*};
use serde::Serialize;
use std::{ffi::OsString, os::unix::ffi::OsStringExt, path::PathBuf, time::Duration};

/// In the order of the contract.
#[derive(Serialize)]
struct Plain {
    v: u32,
    id: String,
    name: Option<String>,
    group: String,
    state: JobState,
    description: String,
    steps: Vec<PlainStep>,
    step: usize,
    attempt: u32,
    created: String,
    started: Option<String>,
    ended: Option<String>,
    exit: Option<i32>,
    signal: Option<i32>,
    error: Option<String>,
    dir: String,
    log: String,
    session: Option<String>,
    pid: Option<u32>,
    backend: Option<String>,
    model: Option<String>,
    agent_session: Option<String>,
    progress: PlainProgress,
    last_event: Option<String>,
    files_changed: Option<u64>,
    cost_usd: Option<f64>,
    usage: Option<serde_json::Value>,
    peak_rss: Option<u64>,
    cpu_s: Option<f64>,
    priority: i64,
    retries: u32,
    after: Vec<String>,
    wake: Option<String>,
    timeout: Option<f64>,
    limits: PlainLimits,
    sandbox: Option<PlainSandbox>,
}

#[derive(Serialize)]
struct PlainStep {
    desc: Option<String>,
    cmd: Option<PlainCommand>,
    prompt: Option<String>,
    state: JobState,
    exit: Option<i32>,
    signal: Option<i32>,
    started: Option<String>,
    ended: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PlainCommand {
    Shell(String),
    Argv(Vec<String>),
}

#[derive(Serialize)]
struct PlainProgress {
    rounds: Option<u64>,
    tool_calls: Option<u64>,
    model_calls: Option<u64>,
    done: Option<u64>,
    total: Option<u64>,
    text: Option<String>,
}

#[derive(Serialize)]
struct PlainLimits {
    nice: Option<i32>,
    mem: Option<u64>,
    procs: Option<u32>,
    held: Vec<String>,
}

#[derive(Serialize)]
struct PlainSandbox {
    enforced: Vec<String>,
    not_enforced: Vec<String>,
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn code(exit: Option<Exit>) -> Option<i32> {
    exit.and_then(|exit| if let Exit::Code(code) = exit { Some(code) } else { None })
}

fn signal(exit: Option<Exit>) -> Option<i32> {
    exit.and_then(|exit| if let Exit::Signal(signal) = exit { Some(signal) } else { None })
}

fn plain(job: &Job) -> Plain {
    let spec = &job.spec;
    let steps = spec.steps.iter().enumerate().map(|(i, spec)| plain_step(spec, job.steps.get(i)));
    let Progress { rounds, tool_calls, model_calls, done, total, ref text } = job.progress;
    let counted = |n: u64| if model_calls > 0 || n > 0 { Some(n) } else { None };
    let bounds = job.bounds.clone();
    Plain {
        v: 1,
        id: job.id.to_string(),
        name: given(&spec.name),
        group: spec.group.clone(),
        state: job.state,
        description: spec.description.clone(),
        steps: steps.collect(),
        step: job.step,
        attempt: job.attempt,
        created: job.created.rfc3339(),
        started: job.started.map(Wall::rfc3339),
        ended: job.ended.map(Wall::rfc3339),
        exit: code(job.exit),
        signal: signal(job.exit),
        error: job.error.clone(),
        dir: job.run_dir.as_ref().unwrap_or(&spec.dir).to_string_lossy().into(),
        log: job.log.to_string_lossy().into(),
        session: job.session.clone(),
        pid: job.child.filter(|_| job.state == JobState::Running).map(|child| child.pid),
        backend: spec.agent.as_ref().map(|agent| agent.backend.clone()),
        model: spec.agent.as_ref().and_then(|agent| agent.model.clone()),
        agent_session: job.agent_session.clone(),
        progress: PlainProgress {
            rounds: counted(rounds),
            tool_calls: counted(tool_calls),
            model_calls: counted(model_calls),
            done,
            total,
            text: given(text),
        },
        last_event: job.last_event.clone(),
        files_changed: job.files_changed,
        cost_usd: job.cost_usd,
        usage: job.usage.clone(),
        peak_rss: job.peak_rss,
        cpu_s: job.cpu_s,
        priority: spec.priority,
        retries: spec.retries,
        after: spec.after.iter().map(JobId::to_string).collect(),
        wake: job.wake.map(Wall::rfc3339),
        timeout: spec.timeout.map(|timeout| timeout.as_secs_f64()),
        limits: PlainLimits {
            nice: spec.nice,
            mem: spec.mem,
            procs: spec.procs,
            held: bounds.clone().map(|bounds| bounds.limits).unwrap_or_default(),
        },
        sandbox: bounds
            .filter(|_| spec.sandbox)
            .map(|bounds| PlainSandbox { enforced: bounds.enforced, not_enforced: bounds.open }),
    }
}

fn plain_step(spec: &StepSpec, run: Option<&StepRun>) -> PlainStep {
    let text = |bytes: &Bytes| bytes.0.to_string_lossy().into_owned();
    let (cmd, prompt) = match &spec.command {
        JobCommand::Shell(line) => (Some(PlainCommand::Shell(text(line))), None),
        JobCommand::Argv(words) => (Some(PlainCommand::Argv(words.iter().map(text).collect())), None),
        JobCommand::Prompt(prompt) => (None, Some(text(prompt))),
    };
    PlainStep {
        desc: given(&spec.desc),
        cmd,
        prompt,
        state: run.map_or(JobState::Queued, |run| run.state),
        exit: code(run.and_then(|run| run.exit)),
        signal: signal(run.and_then(|run| run.exit)),
        started: run.and_then(|run| run.started).map(Wall::rfc3339),
        ended: run.and_then(|run| run.ended).map(Wall::rfc3339),
    }
}

/// Nothing that steers a terminal stands in it as it is.
fn safe(json: &str) -> String {
    let mut out = String::new();
    for c in json.chars() {
        match c as u32 {
            0x7f..=0x9f | 0x200b | 0x200e | 0x200f | 0x2028..=0x202e | 0x2066..=0x2069 | 0xfeff => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            _ => out.push(c),
        }
    }
    out
}

fn text() -> impl Strategy<Value = String> {
    let odd = "[\\x00-\\x20\"\\\\/a-z\\x7e-\\xa1\u{200a}-\u{2010}\u{2027}-\u{202f}\u{2065}-\u{206a}\u{feff}\u{ff00}é😀]{0,12}";
    prop_oneof![Just(String::new()), "[a-z /.-]{1,20}", odd, ".{0,8}"]
}

fn bytes() -> impl Strategy<Value = Bytes> {
    let odd = vec(prop_oneof![any::<u8>(), Just(0xc2), Just(0xe2), Just(0x80), Just(b'"')], 0..12);
    prop_oneof![text().prop_map(|text| Bytes(text.into())), odd.prop_map(|raw| Bytes(OsString::from_vec(raw)))]
}

fn path() -> impl Strategy<Value = PathBuf> {
    bytes().prop_map(|bytes| PathBuf::from(bytes.0))
}

fn state() -> impl Strategy<Value = JobState> {
    (0..JobState::ALL.len()).prop_map(|which| JobState::ALL[which])
}

fn wall() -> impl Strategy<Value = Wall> {
    prop_oneof![1_700_000_000_000..1_900_000_000_000_i64, -10_000_000_000..10_000_000_000_i64].prop_map(Wall)
}

fn exit() -> impl Strategy<Value = Option<Exit>> {
    option::of(prop_oneof![any::<i32>().prop_map(Exit::Code), any::<i32>().prop_map(Exit::Signal)])
}

fn real() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), 0.0..100.0, Just(0.0), Just(f64::NAN)]
}

fn steps() -> impl Strategy<Value = (Vec<StepSpec>, Vec<StepRun>)> {
    let command = prop_oneof![
        bytes().prop_map(JobCommand::Shell),
        vec(bytes(), 0..3).prop_map(JobCommand::Argv),
        bytes().prop_map(JobCommand::Prompt),
    ];
    let spec = (text(), command).prop_map(|(desc, command)| StepSpec { desc, ..StepSpec::of(command) });
    let run = (state(), exit(), option::of(wall()), option::of(wall()), any::<u32>());
    let run = run.prop_map(|(state, exit, started, ended, attempt)| StepRun {
        state,
        exit,
        started,
        ended,
        attempt,
        session: None,
    });
    (vec(spec, 0..3), vec(run, 0..3))
}

fn bounds() -> impl Strategy<Value = Option<Bounds>> {
    let lines = || vec(text(), 0..3);
    option::of((lines(), lines(), lines()).prop_map(|(enforced, open, limits)| Bounds { enforced, open, limits }))
}

fn progress() -> impl Strategy<Value = Progress> {
    let parts = (0..3_u64, 0..3_u64, 0..3_u64, option::of(any::<u64>()), option::of(any::<u64>()), text());
    parts.prop_map(|(rounds, tool_calls, model_calls, done, total, text)| Progress {
        rounds,
        tool_calls,
        model_calls,
        done,
        total,
        text,
    })
}

fn agent() -> impl Strategy<Value = Option<JobAgent>> {
    let agent = |(backend, model)| JobAgent {
        backend,
        stream: Stream::Text,
        start: Vec::new(),
        resume: Vec::new(),
        model,
        host: HostRules::default(),
    };
    option::of((text(), option::of(text())).prop_map(agent))
}

prop_compose! {
    fn asked()(
        (name, group, description) in (text(), text(), text()),
        (dir, agent, sandbox) in (path(), agent(), any::<bool>()),
        (priority, retries, after) in (any::<i64>(), any::<u32>(), vec(any::<i64>(), 0..3)),
        timeout in option::of(any::<u32>()),
        (nice, mem, procs) in (option::of(any::<i32>()), option::of(any::<u64>()), option::of(any::<u32>())),
    ) -> Job {
        let mut job = any_job(1, JobState::Queued, &[]);
        job.spec.name = name;
        job.spec.group = group;
        job.spec.description = description;
        job.spec.dir = dir;
        job.spec.agent = agent;
        job.spec.sandbox = sandbox;
        job.spec.priority = priority;
        job.spec.retries = retries;
        job.spec.after = after.into_iter().map(JobId).collect();
        job.spec.timeout = timeout.map(|ms| Duration::from_millis(ms.into()));
        job.spec.nice = nice;
        job.spec.mem = mem;
        job.spec.procs = procs;
        job
    }
}

prop_compose! {
    fn job()(
        mut job in asked(),
        (id, state, steps, step, attempt) in (any::<i64>(), state(), steps(), any::<usize>(), any::<u32>()),
        (created, started, ended, wake) in (wall(), option::of(wall()), option::of(wall()), option::of(wall())),
        (exit, error, log, run_dir) in (exit(), option::of(text()), path(), option::of(path())),
        (child, session, last_event) in (option::of(any::<u32>()), option::of(text()), option::of(text())),
        (agent_session, files_changed, peak_rss) in (option::of(text()), option::of(any::<u64>()), option::of(any::<u64>())),
        (cost_usd, cpu_s, usage) in (option::of(real()), option::of(real()), option::of((text(), text(), any::<i64>()))),
        (progress, bounds) in (progress(), bounds()),
    ) -> Job {
        (job.spec.steps, job.steps) = steps;
        let usage = usage.map(|(key, text, n)| serde_json::json!({ key: text, "n": [n, {}, [], null, {"a": [[]]}] }));
        let child = child.map(|pid| ProcMark { pid, start: 1 });
        Job {
            id: JobId(id), state, step, attempt, created, started, ended, wake, exit, error, log, run_dir, child, session,
            last_event, agent_session, files_changed, peak_rss, cost_usd, cpu_s, usage, progress, bounds,
            ..job
        }
    }
}

fn lines(jobs: &[Job]) -> String {
    let lines: Vec<String> = jobs.iter().map(|job| safe(&serde_json::to_string(&plain(job)).expect("json"))).collect();
    if lines.is_empty() { "[]\n".into() } else { format!("[\n{}\n]\n", lines.join(",\n")) }
}

fn written(jobs: &[Job]) -> String {
    let mut array = JsonArray::default();
    for job in jobs {
        array.push(&JobSeen::of(job));
    }
    String::from_utf8(array.end()).expect("UTF-8")
}

#[test]
fn a_list_is_an_array_of_any_length() {
    for jobs in [vec![], vec![running()], vec![running(), any_job(7, JobState::Done, &[("", "true")])]] {
        assert_eq!(written(&jobs), lines(&jobs));
    }
}

proptest! {
    #[test]
    fn what_is_written_by_hand_is_what_a_serializer_writes(jobs in vec(job(), 0..4)) {
        prop_assert_eq!(written(&jobs), lines(&jobs));
        for job in &jobs {
            let pretty = safe(&serde_json::to_string_pretty(&plain(job)).expect("json")) + "\n";
            prop_assert_eq!(String::from_utf8(json_object(&JobSeen::of(job))).expect("UTF-8"), pretty);
        }
    }
}
