//! `agents run FILE.json…`: the jobs of job files, all of them or none.
use super::{
    super::{
        at,
        failure::{Failure, complain},
    },
    given::{self, Given},
};
use crate::{
    config::{Fault, Source},
    jobs::{
        check,
        file::{self, Format, JobPart},
    },
    model::{
        job::{DEFAULT_GROUP, JobCommand, JobSpec},
        job_rules::JobRules,
        name::printable,
        time::Wall,
    },
    store::jobs::NewJob,
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// More is no job file.
const LARGEST: u64 = 64 << 20;

/// The words of the line, if they are job files: one that is there, or several that all look like it.
pub fn files(line: &[OsString]) -> Option<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = line.iter().map(PathBuf::from).collect();
    let all = paths.iter().all(|path| Format::of(path).is_some());
    let files = match &paths[..] {
        [] => false,
        [one] => all && one.is_file(),
        _ => all,
    };
    files.then_some(paths)
}

/// A line that looks like a job file which is not there: a slip, most often.
pub fn tell_missing(line: &[OsString]) {
    let [word] = line else { return };
    let text = word.to_string_lossy();
    let plain = !text.contains(|c: char| c.is_whitespace() || "|&;<>()$`\\\"'".contains(c));
    if plain && Format::of(Path::new(word)).is_some() {
        complain(&format!("warning: there is no job file `{text}`: it is taken as a line for the shell"));
    }
}

/// Every job of every file, in order. Of all the files all the faults.
pub fn read(files: &[PathBuf], rules: &JobRules) -> Result<Vec<JobPart>, Failure> {
    let (mut parts, mut faults) = (Vec::new(), Vec::new());
    for path in files {
        match one(path, rules) {
            Ok(found) => parts.extend(found),
            Err(told) => faults.extend(told),
        }
    }
    if faults.is_empty() {
        return Ok(parts);
    }
    faults.push("nothing was queued".into());
    Err(Failure::new(1, faults.join("\n\n")))
}

fn one(path: &Path, rules: &JobRules) -> Result<Vec<JobPart>, Vec<String>> {
    let shown = printable(&path.to_string_lossy());
    let unreadable = |why: &str| vec![format!("error: the job file `{shown}` cannot be read: {why}")];
    let bytes = crate::world::file::read(path, LARGEST).map_err(|e| unreadable(&e.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let line = 1 + e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
        unreadable(&format!("line {line} is not UTF-8"))
    })?;
    let source = Source { path, text: &text, home: None };
    let format = Format::of(path).unwrap_or(Format::Json);
    file::parse(&source, format, rules.step_timeout)
        .map_err(|faults| faults.iter().map(|fault: &Fault| fault.render(false)).collect())
}

/// What is submitted. What the line says counts for all jobs, and more than what a file says.
pub fn jobs(parts: &[JobPart], given: &Given, now: Wall) -> Result<Vec<NewJob>, Failure> {
    if given.name.is_some() && parts.len() > 1 {
        return Err(Failure::new(2, format!("`--name` for {} jobs", parts.len())).hint("write the names into the file"));
    }
    let several = parts.len() > 1;
    let (mut jobs, mut refused) = (Vec::with_capacity(parts.len()), Vec::new());
    for (i, part) in parts.iter().enumerate() {
        match job(part, several.then_some(i + 1), given, now) {
            Ok(job) => jobs.push(job),
            Err(failure) => refused.push(failure),
        }
    }
    if refused.is_empty() { Ok(jobs) } else { Err(Failure::all(refused)) }
}

/// `number`: which of several.
pub fn job(part: &JobPart, number: Option<usize>, given: &Given, now: Wall) -> Result<NewJob, Failure> {
    let name = given.name.clone().or_else(|| part.name.clone()).unwrap_or_default();
    let about = |failure: Failure| match (part.name.is_some(), number) {
        (true, _) => failure.about(&format!("job `{}`", printable(&name))),
        (false, Some(number)) => failure.about(&format!("job {number}")),
        (false, None) => failure,
    };
    let at = match (given.not_before, &part.at) {
        (Some(at), _) => Some(at),
        (None, Some(text)) => {
            Some(at::coming(text, now).map_err(|why| about(Failure::new(1, format!("`at`: {why}"))))?)
        }
        (None, None) => None,
    };
    let own_dir = given.dir.is_none() && part.dir.is_none();
    let dir = given.dir.clone().or_else(|| part.dir.as_ref().map(|dir| settled(given.here.join(dir))));
    let dir = dir.unwrap_or_else(|| given.here.clone());
    let mut env =
        if part.env.is_empty() && part.params.is_empty() { given.env.clone() } else { with_own(part, given).into() };
    let has_prompt = part.steps.iter().any(|step| matches!(step.command, JobCommand::Prompt(_)));
    for (flag, is_given) in [("--backend", given.backend.is_some()), ("--model", given.model.is_some())] {
        if is_given && !has_prompt {
            return Err(about(Failure::new(2, format!("`{flag}` for a job without a prompt"))));
        }
    }
    let backend = given.backend.as_ref().or(part.backend.as_ref()).filter(|_| has_prompt);
    if backend.is_some() {
        let own: Vec<OsString> = part.env.iter().map(|(name, _)| name.into()).collect();
        env = given.backends.env(&env, &[&given.named_env[..], &own].concat()).into();
    }
    let model = given.model.as_ref().or(part.model.as_ref()).map(String::as_str);
    let agent = backend.map(|name| given.backends.agent(name, model, &env)).transpose().map_err(about)?;
    let description = match (&part.description, &part.steps[..]) {
        (Some(description), _) => description.clone(),
        (None, [step]) if step.desc.is_empty() => step.command.shown(),
        (None, _) => String::new(),
    };
    let interactive = given.interactive || part.interactive;
    let session = given.sessions.wanted(part.tmux, interactive).map_err(about)?;
    let spec = JobSpec {
        name: name.clone(),
        description,
        group: given.group.clone().or_else(|| part.group.clone()).unwrap_or_else(|| DEFAULT_GROUP.into()),
        priority: given.priority.or(part.priority).unwrap_or(0),
        dir,
        shell: given.shell.clone(),
        steps: part.steps.clone(),
        timeout: given.timeout.or(part.timeout).filter(|limit| !limit.is_zero()),
        retries: given.retries.or(part.retries).unwrap_or(0),
        not_before: at,
        hold: given.hold || part.hold,
        interactive,
        tmux: session.tmux,
        tmux_asked: session.asked,
        own_dir,
        stop_grace: given.rules.stop_grace,
        log_cap: given.rules.log_cap,
        nice: given.nice.or(part.nice),
        mem: given.mem.or(part.mem),
        procs: given.procs.or(part.procs),
        sandbox: given.sandbox || part.sandbox,
        agent,
        ..JobSpec::default()
    };
    check::job(&spec, &env).map_err(|refused| about(given::refused(refused)))?;
    Ok(NewJob { spec, env, caller: Some(given.caller.clone()), after_batch: Vec::new() })
}

/// As it is now, whatever a link on the way means later. A folder that is not there is refused with its own name.
pub fn settled(dir: PathBuf) -> PathBuf {
    dir.canonicalize().unwrap_or(dir)
}

/// The environment with what the file says of it; what the line says comes first.
fn with_own(part: &JobPart, given: &Given) -> Vec<(OsString, OsString)> {
    let mut env = (*given.env).clone();
    for (name, value) in &part.env {
        if !given.named_env.iter().any(|named| named == name.as_str()) {
            env.retain(|(other, _)| other != name.as_str());
            env.push((name.into(), value.into()));
        }
    }
    env.retain(|(name, _)| part.params.iter().all(|(param, _)| name != param));
    env.extend(part.params.iter().cloned());
    env
}
