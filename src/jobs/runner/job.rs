//! A job from claim to end: its steps in order, the first failure ends it.
use super::{
    agent::Talk,
    bounds,
    child::{self, Surroundings},
    ears::Ears,
    input,
    log::{self, Cap},
    pane::{Gone, Pane},
    tree::{LIGHT_AFTER, Tree, Verdict},
};
use crate::{
    jobs::within,
    model::{
        job::{Answer, Bytes, Exit, Job, JobCommand, JobState, ProcMark, StepSpec},
        name::printable,
        time::human,
    },
    store::jobs::{Claimed, Ending, JobStore, StepEnd},
    world::{clock, process::start_time},
};
use std::{
    cell::Cell,
    ffi::OsString,
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// Why a job ended whose session somebody ended.
pub const SESSION_ENDED: &str = "its tmux session was ended";

/// Longest pause before a step is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub struct Ran {
    pub ending: Ending,
    /// Nothing more is to be begun.
    pub going_down: bool,
    /// It still waits for an answer: another runner goes on waiting.
    pub paused: bool,
}

impl Ran {
    /// It was not begun.
    pub fn without_session(why: &str) -> Ran {
        let why = format!("its tmux session cannot be made: {}", printable(why.lines().next().unwrap_or_default()));
        Ran { ending: Ending { error: Some(why), ..Ending::of(JobState::Failed) }, going_down: false, paused: false }
    }
}

/// `pane`: its terminal, where it has one; it is gone afterwards.
/// `due`: what else may run is to be looked at once a step has begun.
pub fn run(store: &mut JobStore, ears: &Ears, claimed: &Claimed, pane: Option<Pane>, due: &Cell<bool>) -> Ran {
    let spec = &claimed.job.spec;
    // Who asked for an end while it was handed on told somebody else.
    let cancelled = spec.tmux && store.is_cancelled(claimed.job.id, claimed.epoch).unwrap_or(false);
    let mut tree = Tree {
        ears,
        due,
        pane,
        keys: None,
        id: claimed.job.id,
        epoch: claimed.epoch,
        grace: spec.stop_grace,
        deadline: spec.timeout.map(|limit| clock::boot().after(limit)),
        cap: None,
        most: None,
        group: None,
        holds: within::mark(store, claimed.job.id, spec).is_some(),
        runner_ended: false,
        verdict: cancelled.then_some(Verdict::Cancelled),
        peak_rss: 0,
        cpu_s: 0.0,
        heavy_until: Some(clock::boot().after(LIGHT_AFTER)),
    };
    let mut talk = None;
    let mut ending = match steps(store, &mut tree, claimed, &mut talk) {
        Ok(ending) => ending,
        Err(why) => Ending { error: Some(why), ..Ending::of(JobState::Failed) },
    };
    tree.end_rest(store, claimed.job.state == JobState::Paused);
    if let Some(group) = &tree.group {
        if ending.state == JobState::Failed && group.ran_out_of_memory() {
            ending.error = Some(bounds::out_of_memory(spec));
        }
        group.remove();
    }
    if let Some(pane) = tree.pane.take() {
        pane.end();
    }
    tree.cap.iter_mut().for_each(Cap::check_end);
    if let Some(talk) = talk {
        talk.over(store, &mut tree, ending.state);
    }
    tree.tell_progress(store);
    (ending.peak_rss, ending.cpu_s) = (Some(tree.peak_rss), Some(tree.cpu_s));
    let paused = ending.state == JobState::Paused;
    Ran { going_down: paused || tree.verdict == Some(Verdict::Down), paused, ending }
}

/// `Err`: why it could not even begin.
fn steps(store: &mut JobStore, tree: &mut Tree, claimed: &Claimed, talk: &mut Option<Talk>) -> Result<Ending, String> {
    let job = &claimed.job;
    let log = log::open(&job.log).map_err(|e| format!("its log `{}` cannot be written: {e}", shown(&job.log)))?;
    tree.cap = Cap::of(&job.log, &log, job.spec.log_cap).ok();
    *talk = Talk::of(claimed, tree);
    let dir = folder(store, claimed)?;
    std::fs::read_dir(&dir).map_err(|e| format!("its folder `{}`: {e}", shown(&dir)))?;
    let marks = marks(store, job, claimed.epoch);
    if tree.holds {
        within::make_known(store.dir()).map_err(|e| format!("its bounds cannot be kept: {e}"))?;
    }
    let held = bounds::hold(store, claimed, &dir, &log)?;
    (tree.most, tree.group) = (held.most, held.group.clone());
    let around = Surroundings {
        spec: &job.spec,
        env: &claimed.env,
        caller: claimed.caller.as_ref(),
        marks: &marks,
        dir: &dir,
        log: &log,
        held: &held,
        stdin: None,
    };
    let count = job.spec.steps.len();
    let mut exit = job.steps.iter().take(job.step).rev().find_map(|run| run.exit);
    let mut asked = job.state == JobState::Paused;
    let mut asks = asked || (job.spec.interactive && job.step == 0);
    let mut number = job.step;
    loop {
        if asks {
            match tree.ask(store, &job.spec, number, asked) {
                Some(Answer::Retry) => number = number.saturating_sub(1),
                Some(_) => {}
                None => return Ok(Ending { exit, ..Ending::of(unanswered(tree.verdict)) }),
            }
            asked = false;
        }
        let Some(step) = job.spec.steps.get(number) else { return Ok(Ending { exit, ..Ending::of(JobState::Done) }) };
        let mut tries = 0;
        loop {
            let ended = one(store, tree, &around, number, step, talk);
            exit = ended.exit.or(exit);
            let end = StepEnd { number, state: ended.state, exit: ended.exit, at: clock::wall() };
            if matches!(ended.state, JobState::Done | JobState::Skipped) {
                let own = step.pause && ended.state == JobState::Done;
                asks = own || (job.spec.interactive && number + 1 < count);
                number += 1;
                if number == count && !asks {
                    return Ok(Ending { exit, step: Some(end), ..Ending::of(JobState::Done) });
                }
                let _ = store.step_ended(tree.id, tree.epoch, end);
                break;
            }
            let again = matches!(ended.state, JobState::Failed | JobState::Timeout) && tries < step.retries;
            // The limit of a step is not that of the job.
            if again && matches!(tree.verdict, None | Some(Verdict::StepTimeout)) {
                tree.verdict = None;
                let pause = Duration::from_secs(1 << tries.min(6)).min(LONGEST_PAUSE);
                tries += 1;
                let _ = store.step_ended(tree.id, tree.epoch, end);
                if tree.pause(store, clock::boot().after(pause)) {
                    continue;
                }
            }
            let (state, error) = match tree.verdict {
                None | Some(Verdict::StepTimeout) => (ended.state, ended.error),
                Some(verdict) => said(verdict, job, step),
            };
            let error = match error {
                Some(error) if count > 1 => Some(format!("step {} of {count}: {error}", number + 1)),
                None if count > 1 && state == JobState::Failed => {
                    Some(format!("step {} of {count} failed", number + 1))
                }
                error => error,
            };
            return Ok(Ending { exit: ended.exit, error, step: Some(end), ..Ending::of(state) });
        }
    }
}

/// What becomes of a job to which an end came instead of an answer.
fn unanswered(verdict: Option<Verdict>) -> JobState {
    match verdict {
        Some(Verdict::Down | Verdict::Gone(Gone::WithServer)) => JobState::Paused,
        Some(Verdict::JobTimeout) => JobState::Timeout,
        _ => JobState::Cancelled,
    }
}

/// How one try of a step went.
struct Ended {
    state: JobState,
    exit: Option<Exit>,
    error: Option<String>,
}

fn one(
    store: &mut JobStore,
    tree: &mut Tree,
    around: &Surroundings,
    number: usize,
    step: &StepSpec,
    talk: &mut Option<Talk>,
) -> Ended {
    let mut limit = step.timeout.map(|limit| clock::boot().after(limit));
    if let Some(line) = step.only_if.as_ref().filter(|_| tree.verdict.is_none()) {
        let asked = JobCommand::Shell(Bytes(line.into()));
        match child::spawn(around, tree.pane.as_ref(), &asked) {
            Ok(pid) => {
                let exit = tree.wait_for(store, pid, limit);
                if tree.verdict.is_none() && exit != Some(Exit::Code(0)) {
                    return Ended { state: JobState::Skipped, exit: None, error: None };
                }
            }
            Err(e) => return cannot_run(&around.spec.shell.to_string_lossy(), &e),
        }
    }
    if let (Some(agent), JobCommand::Prompt(_)) = (&around.spec.agent, &step.command)
        && tree.verdict.is_none()
        && tree.wait_for_room(store, agent, around.dir) == Some(true)
    {
        // The step begins now.
        limit = step.timeout.map(|limit| clock::boot().after(limit));
    }
    if tree.verdict.is_none() {
        let started = match (talk.as_mut(), &step.command) {
            (Some(talk), JobCommand::Prompt(text)) => match talk.begin(tree, around, number, text) {
                Ok(started) => Some(started),
                Err(why) => return Ended { state: JobState::Failed, exit: None, error: Some(why) },
            },
            _ => None,
        };
        let command = started.as_ref().map_or(&step.command, |started| &started.command);
        let pid = {
            // Ours until the process has it: who writes it hears when nobody reads it any more.
            let input = around.spec.input.as_ref().filter(|_| number == 0).map(input::take_up);
            let input = match input.transpose() {
                Ok(input) => input,
                Err(why) => return Ended { state: JobState::Failed, exit: None, error: Some(why) },
            };
            let stdin = started.as_ref().and_then(|started| started.stdin.as_ref()).or(input.as_ref());
            match child::spawn(&Surroundings { stdin, ..*around }, tree.pane.as_ref(), command) {
                Ok(pid) => pid,
                Err(e) => return cannot_run(&program(around, command), &e),
            }
        };
        // A child of ours keeps its number until it is reaped, also one that has ended by now.
        let mark = start_time(pid).map(|start| ProcMark { pid, start });
        if let Some(mark) = mark {
            // Without it the job is found by the mark in its environment.
            let _ = store.started(tree.id, tree.epoch, number, mark, clock::wall());
        }
        let exit = tree.wait_for(store, pid, limit);
        let why = talk.as_mut().filter(|_| started.is_some()).and_then(|talk| talk.end(store, tree, exit));
        if tree.verdict.is_none() {
            let is_done = exit == Some(Exit::Code(0)) && why.is_none();
            let state = if is_done { JobState::Done } else { JobState::Failed };
            return Ended { state, exit, error: why };
        }
        let (state, error) = step_said(tree.verdict, step);
        return Ended { state, exit, error };
    }
    let (state, error) = step_said(tree.verdict, step);
    Ended { state, exit: None, error }
}

fn step_said(verdict: Option<Verdict>, step: &StepSpec) -> (JobState, Option<String>) {
    match verdict {
        Some(Verdict::StepTimeout) => (JobState::Timeout, step.timeout.map(longer)),
        Some(Verdict::JobTimeout) => (JobState::Timeout, None),
        Some(Verdict::Cancelled) => (JobState::Cancelled, None),
        Some(Verdict::Down) => (JobState::Interrupted, None),
        Some(Verdict::Gone(Gone::ByHand)) => (JobState::Cancelled, Some(SESSION_ENDED.into())),
        Some(Verdict::Gone(Gone::WithServer)) => (JobState::Interrupted, Some("its tmux server was killed".into())),
        Some(Verdict::TooMany) | None => (JobState::Failed, None),
    }
}

fn said(verdict: Verdict, job: &Job, step: &StepSpec) -> (JobState, Option<String>) {
    match verdict {
        Verdict::JobTimeout => (JobState::Timeout, job.spec.timeout.map(longer)),
        Verdict::Down => (JobState::Interrupted, Some("its runner was told to end".into())),
        Verdict::TooMany => {
            (JobState::Failed, job.spec.procs.map(|most| format!("it had more than {most} processes at the same time")))
        }
        other => step_said(Some(other), step),
    }
}

fn longer(limit: Duration) -> String {
    let limit = if limit.subsec_millis() == 0 { human(limit) } else { format!("{limit:?}") };
    format!("it ran longer than {limit}")
}

fn cannot_run(what: &str, error: &io::Error) -> Ended {
    let error_text = format!("cannot run `{}`: {error}", printable(what));
    Ended { state: JobState::Failed, exit: Some(Exit::Code(child::code_of(error))), error: Some(error_text) }
}

fn program(around: &Surroundings, command: &JobCommand) -> String {
    match command {
        JobCommand::Shell(_) => around.spec.shell.to_string_lossy().into_owned(),
        JobCommand::Argv(words) => words.first().map(|word| word.0.to_string_lossy().into_owned()).unwrap_or_default(),
        JobCommand::Prompt(_) => "the agent".into(),
    }
}

fn marks(store: &JobStore, job: &Job, epoch: i64) -> Vec<(OsString, OsString)> {
    let mut marks = vec![
        ("AGENTS_JOB".into(), job.id.to_string().into()),
        ("AGENTS_JOB_EPOCH".into(), epoch.to_string().into()),
        ("AGENTS_JOBS".into(), store.dir().into()),
    ];
    marks.extend(within::mark(store, job.id, &job.spec).map(|word| (within::HELD.into(), word)));
    marks
}

/// Where it runs: the folder that was asked for, or one of its own, `jobs/NAME-YYYYmmdd_HHMMSS`.
fn folder(store: &mut JobStore, claimed: &Claimed) -> Result<PathBuf, String> {
    let job = &claimed.job;
    if !job.spec.own_dir {
        return Ok(job.spec.dir.clone());
    }
    if let Some(dir) = job.run_dir.clone().filter(|dir| claimed.goes_on && dir.is_dir()) {
        return Ok(dir);
    }
    let name = if job.spec.name.is_empty() { job.id.to_string() } else { job.spec.name.clone() };
    let stem = format!("jobs/{name}-{}", clock::wall().format_local("%Y%m%d_%H%M%S"));
    let make = |name: &str| {
        let dir = store.dir().join(name);
        DirBuilder::new().recursive(true).mode(0o700).create(store.dir().join("jobs"))?;
        DirBuilder::new().mode(0o700).create(&dir).map(|()| dir)
    };
    // Two of the same name in one second.
    let other = format!("{stem}-{}", job.id);
    let (name, dir) = match make(&stem) {
        Ok(dir) => (stem.clone(), Ok(dir)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => (other.clone(), make(&other)),
        Err(e) => (stem.clone(), Err(e)),
    };
    let dir = dir.map_err(|e| format!("its folder `{}` cannot be made: {e}", printable(&name)))?;
    let _ = store.set_run_dir(job.id, claimed.epoch, &name);
    Ok(dir)
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}
