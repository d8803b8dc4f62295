//! `params = ["host", "tag=latest"]`: names, each with its default if it has one, as they are given on the line.
use super::super::{
    node::Value,
    table::{Table, say},
};
use crate::{
    config::{Class, Findings},
    model::name::printable_cut,
};

/// Longest name: it is part of a variable's.
const LONGEST: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    pub name: String,
    /// `None`: a value has to be given.
    pub default: Option<String>,
}

pub(super) fn read(table: &Table, out: &mut Findings) -> Vec<Param> {
    let Some(node) = table.find("params") else { return Vec::new() };
    let Value::List(items) = &node.value else {
        let message = format!("`params` of {} is {}; a list of texts is wanted", table.subject, node.value.type_name());
        say(out, Class::WrongType, node.span.clone(), message, instead(&node.value));
        return Vec::new();
    };
    let mut params: Vec<Param> = Vec::new();
    for item in items {
        let Value::Text(text) = &item.value else {
            let message = format!("`params` of {} contains {}; text is wanted", table.subject, item.value.type_name());
            let hint = "write `\"name\"`, or `\"name=default\"`";
            say(out, Class::WrongType, item.span.clone(), message, hint);
            continue;
        };
        let (name, default) = match text.split_once('=') {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (text.as_str(), None),
        };
        let shown = printable_cut(name, 60);
        if !is_name(name) {
            let message = format!("`{shown}` cannot be a parameter's name");
            let hint = "letters, digits and `_`, not a digit first: `\"tag\"`, or `\"tag=latest\"`";
            say(out, Class::BadName, item.span.clone(), message, hint);
        } else if text.contains('\0') {
            let message = format!("the default of parameter `{shown}` contains a NUL character");
            say(out, Class::BadValue, item.span.clone(), message, "take it out");
        } else if params.iter().any(|param| param.name == name) {
            let message = format!("two parameters are named `{shown}`");
            say(out, Class::Duplicate, item.span.clone(), message, "rename one of them");
        } else {
            params.push(Param { name: name.to_owned(), default });
        }
    }
    params
}

/// What somebody meant who wrote a table, or one text.
fn instead(value: &Value) -> String {
    let list: Vec<String> = match value {
        Value::Table(entries) => {
            entries.iter().map(|e| format!("\"{}={}\"", printable_cut(&e.key, 40), e.node.value.shown())).collect()
        }
        Value::Text(_) => vec![format!("\"{}\"", value.shown())],
        _ => vec!["\"host\"".into(), "\"tag=latest\"".into()],
    };
    format!("write `params = [{}]`: names, and defaults behind a `=`", list.join(", "))
}

fn is_name(word: &str) -> bool {
    let plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    plain && !word.is_empty() && word.len() <= LONGEST && !word.as_bytes()[0].is_ascii_digit()
}
