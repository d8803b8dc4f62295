//! The commands of a template: what a shell reads gets references, a list of words the values themselves.
use super::{
    super::{
        JobPart,
        node::{Node, Value},
        table::say,
    },
    Param, Values, entries, known, shell, variable,
    words::{Piece, Strange, hint, pieces},
};
use crate::{
    config::{Class, Findings},
    model::{
        job::{Bytes, JobCommand},
        name::printable_cut,
    },
};
use std::ffi::OsString;

/// Says which placeholders cannot stand where they do.
pub(super) fn check(template: &Node, params: &[Param], out: &mut Findings) {
    let steps = entries(template).iter().find(|entry| entry.key == "steps").map(|entry| &entry.node.value);
    let Some(Value::List(steps)) = steps else { return };
    for entry in steps.iter().flat_map(entries) {
        match (entry.key.as_str(), &entry.node.value) {
            ("cmd" | "if", Value::Text(line)) => {
                if let Err(wrong) = shell::refer(line, params) {
                    let (message, hint) = told(&entry.key, &wrong, params);
                    say(out, wrong.class(), entry.node.span.clone(), message, hint);
                }
            }
            ("cmd", Value::List(words)) => words.iter().for_each(|word| text("cmd", word, params, out)),
            ("prompt", Value::Text(_)) => text("prompt", &entry.node, params, out),
            _ => {}
        }
    }
}

/// A text that no shell reads.
fn text(key: &str, node: &Node, params: &[Param], out: &mut Findings) {
    let Value::Text(text) = &node.value else { return };
    for piece in pieces(text, params, Strange::Slip) {
        let Piece::Unknown { word, near } = piece else { continue };
        let wrong = shell::Wrong::Unknown { word: word.to_owned(), near };
        let (message, hint) = told(key, &wrong, params);
        say(out, Class::UnknownWord, node.span.clone(), message, hint);
    }
}

fn told(key: &str, wrong: &shell::Wrong, params: &[Param]) -> (String, String) {
    match wrong {
        shell::Wrong::Unknown { word, near } => (
            format!("`{key}` names the parameter `{}`, which there is not", printable_cut(word, 60)),
            hint(word, near.as_deref(), params),
        ),
        shell::Wrong::Place { name, place } => (
            format!("`{{{name}}}` of `{key}` stands {place}, where the shell would read a value as more than text"),
            format!("put it into a variable before: `x={{{name}}}; …`, and look at it there"),
        ),
    }
}

/// The values in a text that no shell reads.
fn put_in(word: &mut Bytes, params: &[Param], values: &Values) {
    let Some(text) = word.0.to_str() else { return };
    let mut filled = OsString::new();
    for piece in pieces(text, params, Strange::Slip) {
        match piece {
            Piece::Text(text) => filled.push(text),
            Piece::Param(number) => filled.push(known(&values[number])),
            Piece::Unknown { .. } => {}
        }
    }
    *word = Bytes(filled);
}

/// A job of which [`check`] had nothing to say: its commands with the values, and the variables that hold them.
pub(super) fn fill(mut part: JobPart, params: &[Param], values: &Values) -> JobPart {
    for step in &mut part.steps {
        match &mut step.command {
            JobCommand::Shell(line) => {
                let referred = line.0.to_str().and_then(|text| shell::refer(text, params).ok());
                *line = Bytes(referred.map_or_else(|| line.0.clone(), OsString::from));
            }
            JobCommand::Argv(words) => words.iter_mut().for_each(|word| put_in(word, params, values)),
            JobCommand::Prompt(text) => put_in(text, params, values),
        }
        step.only_if = step.only_if.take().map(|line| shell::refer(&line, params).unwrap_or(line));
    }
    part.params =
        params.iter().zip(values).map(|(param, value)| (variable(param).into(), known(value).into())).collect();
    part
}
