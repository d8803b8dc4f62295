//! `agents run --backend NAME 'PROMPT'`: the prompt, and the steps of its job.
use super::super::failure::Failure;
use crate::{
    jobs::{agent::prompt, file::JobPart},
    model::job::{Bytes, JobCommand, StepSpec},
};
use std::{ffi::OsString, io::Read, os::unix::ffi::OsStringExt};

/// More than any prompt may have.
const LARGEST: u64 = 16 << 20;
const MOST_PHASES: usize = 50;

/// The one word of the line; `-`: standard input.
pub fn prompt_of(line: &[OsString], argv: &[OsString]) -> Result<OsString, Failure> {
    match (line, argv) {
        ([word], []) if word == "-" => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().take(LARGEST).read_to_end(&mut bytes);
            read.map_err(|e| Failure::new(1, format!("the prompt cannot be read from standard input: {e}")))?;
            Ok(OsString::from_vec(bytes))
        }
        ([word], []) | ([], [word]) => Ok(word.clone()),
        ([], []) => Err(Failure::new(2, "no prompt").hint("agents run --backend claude 'fix the failing test'")),
        _ => Err(Failure::new(2, "several words: a prompt is one")
            .hint("put it into quotes: agents run --backend claude 'fix the failing test'")),
    }
}

/// One step, or one a phase.
pub fn part(backend: &str, task: OsString, phases: &[String]) -> Result<JobPart, Failure> {
    let phases: Vec<String> = phases.iter().map(|phase| phase.trim().to_owned()).collect();
    if phases.iter().any(String::is_empty) || phases.len() > MOST_PHASES {
        let text = format!("`--phases` takes up to {MOST_PHASES} names with commas between them");
        return Err(Failure::new(2, text).hint("agents run --backend claude --phases analyze,plan,build 'PROMPT'"));
    }
    let description = JobCommand::Prompt(Bytes(task.clone())).shown();
    // A fault of the task is told as such, not as one of what is made of it.
    if let Some((why, hint)) = crate::jobs::file::unusable_command(&JobCommand::Prompt(Bytes(task.clone()))) {
        return Err(Failure::new(1, format!("the prompt {why}")).hint(hint));
    }
    let step = |prompt: OsString| StepSpec::of(JobCommand::Prompt(Bytes(prompt)));
    let steps = match &phases[..] {
        [] => vec![step(task)],
        phases => {
            let prompts = prompt::of_phases(&task, phases).into_iter();
            prompts.zip(phases).map(|(text, phase)| StepSpec { desc: phase.clone(), ..step(text) }).collect()
        }
    };
    let (description, backend) = (Some(description), Some(backend.to_owned()));
    Ok(JobPart { steps, description, backend, ..JobPart::default() })
}
