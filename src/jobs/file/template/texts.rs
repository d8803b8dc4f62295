//! The texts of a template that no shell and no program reads: folder, description, group, times, variables.
use super::{
    super::{
        node::{Entry, Node, Value},
        table::say,
    },
    Param, Values, known,
    words::{Piece, Strange, hint, pieces},
};
use crate::{
    config::{Class, Findings},
    model::name::printable_cut,
};

/// The same tree with the values in it. Its name and the commands are left as they are, the parameters left out.
pub(super) fn fill(node: &Node, params: &[Param], values: &Values, out: &mut Findings) -> Node {
    let Value::Table(entries) = &node.value else { return node.clone() };
    let mut filled = Vec::with_capacity(entries.len());
    for entry in entries {
        let read = match (entry.key.as_str(), &entry.node.value) {
            ("name" | "params", _) => entry.node.clone(),
            ("steps", Value::List(steps)) => {
                let steps = steps.iter().map(|step| step_filled(step, params, values, out)).collect();
                Node { span: entry.node.span.clone(), value: Value::List(steps) }
            }
            (key, _) => text(key, &entry.node, params, values, out),
        };
        filled.push(Entry { key: entry.key.clone(), key_span: entry.key_span.clone(), node: read });
    }
    Node { span: node.span.clone(), value: Value::Table(filled) }
}

fn step_filled(step: &Node, params: &[Param], values: &Values, out: &mut Findings) -> Node {
    let Value::Table(entries) = &step.value else { return step.clone() };
    let filled = entries.iter().map(|entry| {
        let node = match entry.key.as_str() {
            "cmd" | "if" => entry.node.clone(),
            key => text(key, &entry.node, params, values, out),
        };
        Entry { key: entry.key.clone(), key_span: entry.key_span.clone(), node }
    });
    Node { span: step.span.clone(), value: Value::Table(filled.collect()) }
}

fn text(key: &str, node: &Node, params: &[Param], values: &Values, out: &mut Findings) -> Node {
    let value = match &node.value {
        Value::Text(text) => one(key, text, node, params, values, out),
        Value::List(items) => Value::List(items.iter().map(|item| text(key, item, params, values, out)).collect()),
        Value::Table(entries) => Value::Table(
            entries
                .iter()
                .map(|entry| Entry {
                    key: entry.key.clone(),
                    key_span: entry.key_span.clone(),
                    node: text(key, &entry.node, params, values, out),
                })
                .collect(),
        ),
        other => other.clone(),
    };
    Node { span: node.span.clone(), value }
}

fn one(key: &str, text: &str, node: &Node, params: &[Param], values: &Values, out: &mut Findings) -> Value {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text, params, Strange::Any) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            // A size that nobody knows yet cannot be looked at.
            Piece::Param(number) if key == "mem" && values[number].is_none() => return Value::Null,
            Piece::Param(number) => match known(&values[number]).to_str() {
                Some(value) => filled.push_str(value),
                None => {
                    let message =
                        format!("the value of `{}` is not UTF-8, which `{key}` has to be", params[number].name);
                    say(out, Class::BadValue, node.span.clone(), message, "only a command takes any bytes");
                }
            },
            Piece::Unknown { word, near } => {
                let message = format!("`{key}` names the parameter `{}`, which there is not", printable_cut(word, 60));
                say(out, Class::UnknownWord, node.span.clone(), message, hint(word, near.as_deref(), params));
            }
        }
    }
    Value::Text(filled)
}
