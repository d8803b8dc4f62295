//! Templates: the `[[job]]` tables of an `agents.toml`, each a job with parameters.
//!
//! ```toml
//! [[job]]
//! name = "deploy"
//! params = ["host", "tag=latest"]
//! steps = [{ cmd = "scp app-{tag} {host}:" }]
//! ```
//!
//! A value is data. In a shell line `{host}` becomes a quoted reference to the variable `AGENTS_PARAM_host`, in which the
//! value is handed on, so that no shell reads it as a command ([`shell`]); in a list of words it is a part of that word.
mod commands;
mod params;
mod shell;
mod texts;
mod words;

pub use params::Param;

use super::{
    Format, JobPart, job,
    node::{Entry, Node, Value},
    table::{Table, say},
    toml_text,
};
use crate::config::{Class, Fault, Findings, Source, Strictness};
use std::{
    ffi::{OsStr, OsString},
    time::Duration,
};

/// In the environment of a job, a parameter's value stands in a variable of this and its name.
pub const VARIABLE: &str = "AGENTS_PARAM_";

/// All templates of one config, in file order.
pub struct Templates<'s> {
    source: &'s Source<'s>,
    step_timeout: Option<Duration>,
    /// Those that have a name.
    pub list: Vec<Template>,
    /// What is wrong with them, in file order.
    pub faults: Vec<Fault>,
}

pub struct Template {
    /// Also of its jobs.
    pub name: String,
    pub description: Option<String>,
    pub params: Vec<Param>,
    /// A fault of another one does not matter to it.
    pub is_sound: bool,
    node: Node,
}

/// The values of a template's parameters, in their order. `None`: not known yet.
type Values = [Option<OsString>];

impl<'s> Templates<'s> {
    /// Reads the `[[job]]` tables of a config, and nothing else of it. `step_timeout` as for [`super::parse`].
    pub fn read(source: &'s Source<'s>, step_timeout: Option<Duration>) -> Templates<'s> {
        let mut out = Findings::new(source);
        let document = toml_text::parse(source.text, &mut out);
        let mut list: Vec<Template> = Vec::new();
        for (number, node) in items(document.as_ref(), &mut out).into_iter().enumerate() {
            let Some(read) = template(node, number + 1, step_timeout, &mut out) else { continue };
            if list.iter().any(|other| other.name == read.name) {
                let message = format!("two templates are named `{}`", read.name);
                say(&mut out, Class::Duplicate, node.span.start..node.span.start + 1, message, "rename one of them");
            }
            list.push(read);
        }
        Templates { source, step_timeout, list, faults: out.into_faults(Strictness::Check) }
    }

    /// The job of a template of this list with these values, one for each parameter. `Err`: with them it cannot be.
    pub fn job(&self, template: &Template, values: Vec<OsString>) -> Result<JobPart, Vec<Fault>> {
        let mut out = Findings::new(self.source);
        let values: Vec<Option<OsString>> = values.into_iter().map(Some).collect();
        let part = filled(&template.node, &template.params, &values, self.step_timeout, &mut out);
        let faults = out.into_faults(Strictness::Check);
        match part {
            Some(part) if faults.is_empty() => Ok(commands::fill(part, &template.params, &values)),
            _ => Err(faults),
        }
    }
}

/// The tables of `[[job]]`.
fn items<'n>(document: Option<&'n Node>, out: &mut Findings) -> Vec<&'n Node> {
    let Some(Node { value: Value::Table(entries), .. }) = document else { return Vec::new() };
    let Some(entry) = entries.iter().find(|entry| entry.key == "job") else { return Vec::new() };
    let Value::List(items) = &entry.node.value else {
        let message = format!("`job` is {}; a list of tables is wanted", entry.node.value.type_name());
        say(out, Class::WrongType, entry.node.span.clone(), message, "write its header as `[[job]]`");
        return Vec::new();
    };
    items.iter().collect()
}

/// Tells all that is wrong whatever the values may be.
fn template(node: &Node, number: usize, step_timeout: Option<Duration>, out: &mut Findings) -> Option<Template> {
    let before = out.mark();
    let table = Table::of(node, format!("template {number}"), Format::Toml, out)?;
    let params = params::read(&table, out);
    // What nobody has given a value for may be any: this one fits where a text is also a time or a name.
    let values: Vec<Option<OsString>> = params.iter().map(|param| param.default.clone().map(OsString::from)).collect();
    let part = filled(node, &params, &values, step_timeout, out);
    commands::check(node, &params, out);
    let name = match part.and_then(|part| part.name) {
        Some(name) => name,
        None => {
            if table.find("name").is_none() {
                table.missing(out, "name", "\"deploy\"");
            }
            return None;
        }
    };
    let description = table.text(out, "description").map(|(text, _)| text.to_owned());
    Some(Template { name, description, params, is_sound: out.mark() == before, node: node.clone() })
}

/// The job with all texts but its commands filled.
fn filled(
    node: &Node,
    params: &[Param],
    values: &Values,
    step_timeout: Option<Duration>,
    out: &mut Findings,
) -> Option<JobPart> {
    let known: Vec<&str> = super::JOB_KEYS.iter().copied().chain(["params"]).collect();
    let node = texts::fill(node, params, values, out);
    job::job(&node, "the template".into(), &known, Format::Toml, step_timeout, out)
}

/// A word for `agents run`, or for a listing: `host=… tag=latest`.
pub fn usage(params: &[Param]) -> String {
    let one = |param: &Param| format!("{}={}", param.name, param.default.as_deref().unwrap_or("…"));
    params.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn entries(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Table(entries) => entries,
        _ => &[],
    }
}

/// The variable of a parameter.
fn variable(param: &Param) -> String {
    format!("{VARIABLE}{}", param.name)
}

fn known(value: &Option<OsString>) -> &OsStr {
    value.as_deref().unwrap_or(OsStr::new("1"))
}

#[cfg(test)]
mod tests;
