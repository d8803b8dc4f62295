//! Nodes -> jobs and their steps.
use super::{
    Format, JobPart, command, name,
    node::{Node, Value},
    table::{Table, say},
};
use crate::{
    config::{Class, Findings},
    model::{
        job::{Bytes, JobCommand, StepSpec},
        name::printable_cut,
    },
};
use std::time::Duration;

pub const JOB: [&str; 20] = [
    "backend",
    "model",
    "name",
    "description",
    "steps",
    "dir",
    "env",
    "group",
    "priority",
    "timeout",
    "retries",
    "after",
    "at",
    "hold",
    "interactive",
    "tmux",
    "nice",
    "mem",
    "procs",
    "sandbox",
];
pub const STEP: [&str; 7] = ["desc", "cmd", "prompt", "timeout", "if", "retries", "pause"];

/// Most that is tried again; more is a slip of the keyboard.
const MOST_RETRIES: i64 = 1_000_000;
/// More than any machine has.
const MOST_PROCESSES: i64 = 10_000_000;

/// Those that could be read; with faults said, they are not all.
pub(super) fn jobs(
    document: &Node,
    format: Format,
    step_timeout: Option<Duration>,
    out: &mut Findings,
) -> Vec<JobPart> {
    let list = match &document.value {
        Value::List(items) => items,
        Value::Table(entries) => match entries.iter().find(|e| e.key == "job") {
            None => {
                // The span of a TOML document is all of it.
                return job(document, "the job".into(), &JOB, format, step_timeout, out).into_iter().collect();
            }
            Some(entry) => {
                for other in entries.iter().filter(|e| e.key != "job") {
                    let message = format!("`{}` stands beside a list of jobs", printable_cut(&other.key, 60));
                    let hint = "move it into one of the jobs";
                    say(out, Class::UnknownKey, other.key_span.clone(), message, hint);
                }
                let Value::List(items) = &entry.node.value else {
                    let message = format!("`job` is {}; a list of jobs is wanted", entry.node.value.type_name());
                    let hint = "write its header as `[[job]]`, or leave it out";
                    say(out, Class::WrongType, entry.node.span.clone(), message, hint);
                    return Vec::new();
                };
                items
            }
        },
        other => {
            let message = format!("this is {}; a job is wanted", other.type_name());
            let hint = "write `{\"steps\": [{\"cmd\": \"make\"}]}`";
            say(out, Class::WrongType, document.span.clone(), message, hint);
            return Vec::new();
        }
    };
    if list.is_empty() {
        let hint = "write `[{\"steps\": [{\"cmd\": \"make\"}]}]`";
        say(out, Class::MissingKey, document.span.clone(), "the list has no job".into(), hint);
    }
    let read = |(i, node)| job(node, format!("job {}", i + 1), &JOB, format, step_timeout, out);
    list.iter().enumerate().filter_map(read).collect()
}

/// `known`: the keys that it may have.
pub(super) fn job(
    node: &Node,
    subject: String,
    known: &[&str],
    format: Format,
    step_timeout: Option<Duration>,
    out: &mut Findings,
) -> Option<JobPart> {
    let mut table = Table::of(node, subject, format, out)?;
    table.check_keys(known, out);
    let name = job_name(&table, out);
    if let Some(name) = &name {
        table.subject = format!("job `{name}`");
    }
    Some(JobPart {
        name,
        description: table.filled(out, "description").map(|(text, _)| text.to_owned()),
        dir: table.filled(out, "dir").map(|(text, _)| text.to_owned()),
        env: table.env(out, "env"),
        group: group(&table, out),
        priority: table.whole(out, "priority", -1_000_000..=1_000_000),
        timeout: table.limit(out, "timeout").flatten(),
        retries: table.whole(out, "retries", 0..=MOST_RETRIES).map(|n| n as u32),
        after: table.words(out, "after").into_iter().map(|(word, _)| word.to_owned()).collect(),
        at: table.filled(out, "at").map(|(text, _)| text.to_owned()),
        hold: table.flag(out, "hold"),
        interactive: table.flag(out, "interactive"),
        tmux: table.find("tmux").map(|_| table.flag(out, "tmux")),
        nice: table.whole(out, "nice", 0..=19).map(|n| n as i32),
        mem: table.size(out, "mem"),
        procs: table.whole(out, "procs", 1..=MOST_PROCESSES).map(|n| n as u32),
        sandbox: table.flag(out, "sandbox"),
        backend: table.filled(out, "backend").map(|(text, _)| text.to_owned()),
        model: table.filled(out, "model").map(|(text, _)| text.to_owned()),
        steps: steps(&table, format, step_timeout, out),
        params: Vec::new(),
    })
}

fn job_name(table: &Table, out: &mut Findings) -> Option<String> {
    let (word, node) = table.text(out, "name")?;
    let Some(why) = name::unusable(word) else { return Some(word.to_owned()) };
    let message = format!("`{}` cannot be a job's name: {why}", printable_cut(word, 60));
    say(out, Class::BadName, node.span.clone(), message, format!("for example `{}`", name::usable_form(word)));
    None
}

fn group(table: &Table, out: &mut Findings) -> Option<String> {
    let (word, node) = table.text(out, "group")?;
    let Some(why) = name::unusable_word(word) else { return Some(word.to_owned()) };
    let message = format!("`{}` cannot be a group's name: {why}", printable_cut(word, 60));
    say(out, Class::BadName, node.span.clone(), message, "letters, digits, `-`, `_`, `.`");
    None
}

fn steps(table: &Table, format: Format, timeout: Option<Duration>, out: &mut Findings) -> Vec<StepSpec> {
    let instead = if format == Format::Json { "[{\"cmd\": \"make\"}]" } else { "[{ cmd = \"make\" }]" };
    let Some(node) = table.find("steps") else {
        table.missing(out, "steps", instead);
        return Vec::new();
    };
    let Value::List(items) = &node.value else {
        let message = format!("`steps` of {} is {}; a list is wanted", table.subject, node.value.type_name());
        say(out, Class::WrongType, node.span.clone(), message, format!("write a list: `{instead}`"));
        return Vec::new();
    };
    if items.is_empty() {
        table.bad(out, "steps", node, "is empty", format!("a job has at least one step: `{instead}`"));
    }
    let read = |(i, item)| step(item, format!("step {} of {}", i + 1, table.subject), format, timeout, out);
    items.iter().enumerate().filter_map(read).collect()
}

fn step(
    node: &Node,
    subject: String,
    format: Format,
    timeout: Option<Duration>,
    out: &mut Findings,
) -> Option<StepSpec> {
    let table = Table::of(node, subject, format, out)?;
    table.check_keys(&STEP, out);
    let desc = table.text(out, "desc").map(|(text, _)| text.to_owned()).unwrap_or_default();
    let only_if = table.filled(out, "if").map(|(text, _)| text.to_owned());
    let retries = table.whole(out, "retries", 0..=MOST_RETRIES).unwrap_or_default() as u32;
    // Nobody knows how long an agent needs.
    let timeout = timeout.filter(|_| table.find("prompt").is_none());
    let timeout = table.limit(out, "timeout").unwrap_or(timeout);
    let pause = table.flag(out, "pause");
    Some(StepSpec { desc, command: command(&table, out)?, timeout, only_if, retries, pause })
}

fn prompt(table: &Table, node: &Node, out: &mut Findings) -> Option<JobCommand> {
    if table.find("cmd").is_some() {
        table.bad(out, "prompt", node, "stands beside a `cmd`", "a step has one of the two; write two steps");
        return None;
    }
    let (text, _) = table.text(out, "prompt")?;
    let read = JobCommand::Prompt(Bytes(text.into()));
    if let Some((why, hint)) = command::unusable(&read) {
        table.bad(out, "prompt", node, &why, hint);
        return None;
    }
    Some(read)
}

fn command(table: &Table, out: &mut Findings) -> Option<JobCommand> {
    if let Some(node) = table.find("prompt") {
        return prompt(table, node, out);
    }
    let Some(node) = table.find("cmd") else {
        table.missing(out, "cmd", "\"make\"");
        return None;
    };
    let bytes = |text: &str| Bytes(text.into());
    let read = match &node.value {
        Value::Text(line) => JobCommand::Shell(bytes(line)),
        Value::List(items) => {
            let mut words = Vec::new();
            for item in items {
                match &item.value {
                    Value::Text(word) => words.push(bytes(word)),
                    other => {
                        let message =
                            format!("`cmd` of {} contains {}; text is wanted", table.subject, other.type_name());
                        say(
                            out,
                            Class::WrongType,
                            item.span.clone(),
                            message,
                            format!("write `\"{}\"`", other.shown()),
                        );
                        return None;
                    }
                }
            }
            JobCommand::Argv(words)
        }
        other => {
            let message = format!(
                "`cmd` of {} is {}; a shell line, or a list of a program and its arguments, is wanted",
                table.subject,
                other.type_name()
            );
            say(out, Class::WrongType, node.span.clone(), message, "write `\"make test\"` or `[\"make\", \"test\"]`");
            return None;
        }
    };
    if let Some((why, hint)) = command::unusable(&read) {
        table.bad(out, "cmd", node, &why, hint);
        return None;
    }
    Some(read)
}
