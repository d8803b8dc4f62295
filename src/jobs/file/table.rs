//! One table of a job file: unknown keys, types and ranges in one place.
use super::{
    Format,
    node::{Entry, Node, Value},
};
use crate::{
    config::{Class, Findings, Reach, from_seconds, parse_duration, parse_size, word_hint},
    model::name::printable_cut,
};
use std::{ops::Range, time::Duration};

pub(super) struct Table<'a> {
    entries: &'a [Entry],
    pub span: Range<usize>,
    /// In messages: `` job `release` ``, `step 2 of …`.
    pub subject: String,
    format: Format,
}

impl<'a> Table<'a> {
    /// `None` if it is no table; that has been said.
    pub fn of(node: &'a Node, subject: String, format: Format, out: &mut Findings) -> Option<Table<'a>> {
        let Value::Table(entries) = &node.value else {
            let message = format!("{subject} is {}; a table is wanted", node.value.type_name());
            say(out, Class::WrongType, node.span.clone(), message, example("cmd", "\"make\"", format, true));
            return None;
        };
        Some(Table { entries, span: node.span.clone(), subject, format })
    }

    pub fn check_keys(&self, known: &[&str], out: &mut Findings) {
        for entry in self.entries.iter().filter(|e| !known.contains(&e.key.as_str())) {
            let message = format!("unknown key `{}` in {}", printable_cut(&entry.key, 60), self.subject);
            let hint = word_hint(&entry.key, known, "the keys are");
            say(out, Class::UnknownKey, entry.key_span.clone(), message, hint);
        }
    }

    /// `null` counts as not given.
    pub fn find(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|e| e.key == key).map(|e| &e.node).filter(|n| n.value != Value::Null)
    }

    pub fn bad(&self, out: &mut Findings, key: &str, node: &Node, why: &str, hint: impl Into<String>) {
        let message = format!("`{key}` of {} {why}", self.subject);
        say(out, Class::BadValue, node.span.clone(), message, hint);
    }

    fn wrong(&self, out: &mut Findings, key: &str, node: &Node, wanted: &str, instead: &str) {
        let message = format!("`{key}` of {} is {}; {wanted} is wanted", self.subject, node.value.type_name());
        say(out, Class::WrongType, node.span.clone(), message, example(key, instead, self.format, false));
    }

    pub fn missing(&self, out: &mut Findings, key: &str, instead: &str) {
        let message = format!("{} has no `{key}`", self.subject);
        let hint = example(key, instead, self.format, false);
        // The whole of a large table would be underlined: its beginning is enough.
        say(out, Class::MissingKey, self.span.start..self.span.start + 1, message, hint);
    }

    pub fn text(&self, out: &mut Findings, key: &str) -> Option<(&'a str, &'a Node)> {
        let node = self.find(key)?;
        match &node.value {
            Value::Text(text) if text.contains('\0') => {
                self.bad(out, key, node, "contains a NUL character", "take it out");
                None
            }
            Value::Text(text) => Some((text, node)),
            _ => {
                self.wrong(out, key, node, "text", "\"…\"");
                None
            }
        }
    }

    /// Text that says something.
    pub fn filled(&self, out: &mut Findings, key: &str) -> Option<(&'a str, &'a Node)> {
        let (text, node) = self.text(out, key)?;
        if text.trim().is_empty() {
            self.bad(out, key, node, "is empty", format!("leave `{key}` out, or say something"));
            return None;
        }
        Some((text, node))
    }

    pub fn flag(&self, out: &mut Findings, key: &str) -> bool {
        match self.find(key).map(|n| (n, &n.value)) {
            None => false,
            Some((_, Value::Bool(on))) => *on,
            Some((node, _)) => {
                self.wrong(out, key, node, "`true` or `false`", "true");
                false
            }
        }
    }

    pub fn whole(&self, out: &mut Findings, key: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let node = self.find(key)?;
        let Value::Number { value, whole: true } = node.value else {
            self.wrong(out, key, node, "a whole number", &(*range.start()).max(0).to_string());
            return None;
        };
        if value < *range.start() as f64 || value > *range.end() as f64 {
            let why = format!("is out of range: `{}`", node.value.shown());
            self.bad(out, key, node, &why, format!("write {} to {}", range.start(), range.end()));
            return None;
        }
        Some(value as i64)
    }

    /// Seconds or `"5m"`. `Some(None)`: `0` or `"none"`, no limit.
    pub fn limit(&self, out: &mut Findings, key: &str) -> Option<Option<Duration>> {
        let node = self.find(key)?;
        let read = match &node.value {
            Value::Text(text) if text == "none" => return Some(None),
            Value::Text(text) => parse_duration(text),
            Value::Number { value, .. } => from_seconds(*value),
            _ => {
                self.wrong(out, key, node, "a length of time", "\"5m\"");
                return None;
            }
        };
        match read {
            Ok(limit) => Some((!limit.is_zero()).then_some(limit)),
            Err(error) => {
                let why = format!("{}: `{}`", error.message, node.value.shown());
                self.bad(out, key, node, &why, error.hint);
                None
            }
        }
    }

    /// Bytes.
    pub fn size(&self, out: &mut Findings, key: &str) -> Option<u64> {
        let node = self.find(key)?;
        let read = match &node.value {
            Value::Text(text) => parse_size(text),
            Value::Number { value, whole: true } if (1.0..9e15).contains(value) => Ok(*value as u64),
            Value::Number { .. } => Err("is out of range".into()),
            _ => {
                self.wrong(out, key, node, "a size", "\"2GB\"");
                return None;
            }
        };
        match read {
            Ok(size) if size >= 1_000_000 => Some(size),
            Ok(_) => {
                self.bad(out, key, node, "is less than 1MB", "write a size such as `2GB`");
                None
            }
            Err(why) => {
                let why = format!("{why}: `{}`", node.value.shown());
                self.bad(out, key, node, &why, "write a size such as `2GB`");
                None
            }
        }
    }

    /// A list of texts, or one text alone.
    pub fn words(&self, out: &mut Findings, key: &str) -> Vec<(&'a str, &'a Node)> {
        let Some(node) = self.find(key) else { return Vec::new() };
        let items: Vec<&Node> = match &node.value {
            Value::List(items) => items.iter().collect(),
            Value::Text(_) => vec![node],
            _ => Vec::new(),
        };
        let read: Vec<_> = items
            .iter()
            .filter_map(|item| match &item.value {
                Value::Text(text) if !text.contains('\0') => Some((text.as_str(), *item)),
                _ => None,
            })
            .collect();
        if read.len() != items.len() || !matches!(node.value, Value::List(_) | Value::Text(_)) {
            self.wrong(out, key, node, "text, or a list of texts", "[\"…\", \"…\"]");
            return Vec::new();
        }
        read
    }

    /// Variables and their values.
    pub fn env(&self, out: &mut Findings, key: &str) -> Vec<(String, String)> {
        let Some(node) = self.find(key) else { return Vec::new() };
        let Value::Table(entries) = &node.value else {
            let instead = if self.format == Format::Json { "{\"CI\": \"1\"}" } else { "{ CI = \"1\" }" };
            self.wrong(out, key, node, "a table of texts", instead);
            return Vec::new();
        };
        let mut read = Vec::new();
        for entry in entries {
            let shown = printable_cut(&entry.key, 60);
            if entry.key.is_empty() || entry.key.contains(['=', '\0']) {
                let message = format!("`{shown}` in `{key}` of {} is not a variable's name", self.subject);
                say(out, Class::BadValue, entry.key_span.clone(), message, "letters, digits and `_`".to_owned());
                continue;
            }
            match &entry.node.value {
                Value::Text(text) if !text.contains('\0') => read.push((entry.key.clone(), text.clone())),
                value => {
                    let message = format!(
                        "`{shown}` in `{key}` of {} is {}; text is wanted",
                        self.subject,
                        match value {
                            Value::Text(_) => "text with a NUL character",
                            other => other.type_name(),
                        }
                    );
                    let hint = example(&shown, &format!("\"{}\"", value.shown()), self.format, false);
                    say(out, Class::WrongType, entry.node.span.clone(), message, hint);
                }
            }
        }
        read
    }
}

/// A finding, unless there are enough for any reader.
pub(super) fn say(out: &mut Findings, class: Class, span: Range<usize>, message: String, hint: impl Into<String>) {
    if !out.plenty() {
        out.add(Reach::All, class, span, message, hint);
    }
}

/// How a key and its value are written: `"cmd": "make"`, `cmd = "make"`.
fn example(key: &str, value: &str, format: Format, table: bool) -> String {
    match (format, table) {
        (Format::Json, false) => format!("write `\"{key}\": {value}`"),
        (Format::Json, true) => format!("write `{{\"{key}\": {value}}}`"),
        (Format::Toml, false) => format!("write `{key} = {value}`"),
        (Format::Toml, true) => format!("write `{{ {key} = {value} }}`"),
    }
}
