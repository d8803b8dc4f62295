//! One table of the file, read by the key table: unknown keys, types, defaults and ranges in one place.
use super::{
    duration::{self, DurationError},
    fault::{Class, word_hint},
    findings::{Findings, Reach},
    keys::{Default, Key, ROOT, Section, Type, sections},
    listed::listed,
    pattern, place, size,
    values::{number, shown_value, type_hint, type_name},
};
use crate::model::{name::printable_cut, nearest::nearest};
use regex::Regex;
use std::{
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A value and where it stands (for a default: the table's header).
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    pub value: T,
    pub span: Range<usize>,
}

/// Roots of relative paths.
#[derive(Clone, Copy)]
pub(super) struct Roots<'a> {
    pub project: &'a Path,
    pub home: Option<&'a Path>,
}

pub(super) struct Fields<'a, 'i> {
    section: &'static Section,
    own: &'a DeTable<'i>,
    /// `[defaults]`, and the keys that are not taken from it.
    under: Option<(&'a DeTable<'i>, &'static [&'static str])>,
    /// The table's header.
    pub span: Range<usize>,
    /// In messages: `` agent `api` ``, `[watchdog]`.
    pub subject: String,
    /// How far a wrong value in this table reaches.
    reach: Reach,
}

type Value<'a, 'i> = &'a Spanned<DeValue<'i>>;

impl<'a, 'i> Fields<'a, 'i> {
    pub fn new(section: &'static Section, own: &'a DeTable<'i>, span: Range<usize>, reach: Reach) -> Self {
        Fields { section, own, under: None, span, subject: section.header.to_owned(), reach }
    }
    /// Values that are not here are looked for in `table`, but for `except`.
    pub fn over(mut self, table: &'a DeTable<'i>, except: &'static [&'static str]) -> Self {
        self.under = Some((table, except));
        self
    }
    pub fn called(mut self, subject: String) -> Self {
        self.subject = subject;
        self
    }

    /// Says every key that the section does not have.
    pub fn check_keys(&self, out: &mut Findings) {
        for key in self.own.keys() {
            let name = key.get_ref().as_ref();
            if self.section.key(name).is_none() && !out.plenty() {
                let shown = printable_cut(name, 60);
                let (what, place) = match std::ptr::eq(self.section, &ROOT) {
                    true => ("table or key", String::new()),
                    false => ("key", format!(" in {}", self.subject)),
                };
                out.add(
                    Reach::None,
                    Class::UnknownKey,
                    key.span(),
                    format!("unknown {what} `{shown}`{place}"),
                    unknown_key_hint(self.section, name),
                );
            }
        }
    }

    pub fn find(&self, name: &str) -> Option<Value<'a, 'i>> {
        debug_assert!(self.section.key(name).is_some(), "`{name}` is not in the key table of {}", self.section.header);
        if let Some(value) = self.own.get(name) {
            return Some(value);
        }
        match self.under {
            Some((table, except)) if !except.contains(&name) => table.get(name),
            _ => None,
        }
    }
    /// Whose value it is, for messages: a wrong one that many agents inherit is said once.
    pub fn owner(&self, name: &str) -> &str {
        match self.under {
            Some((table, except))
                if !self.own.contains_key(name) && !except.contains(&name) && table.contains_key(name) =>
            {
                "[defaults]"
            }
            _ => &self.subject,
        }
    }
    /// The span of a value, else of the table.
    pub fn span_of(&self, name: &str) -> Range<usize> {
        self.find(name).map_or(self.span.clone(), |v| v.span())
    }

    pub fn bad(&self, out: &mut Findings, class: Class, span: Range<usize>, message: String, hint: impl Into<String>) {
        out.add(self.reach, class, span, message, hint);
    }

    pub fn wrong_type(&self, out: &mut Findings, name: &str, value: Value, wanted: &str) {
        let got = type_name(value.get_ref());
        let message = format!("`{name}` of {} is {got}; {wanted} is wanted", self.owner(name));
        self.bad(out, Class::WrongType, value.span(), message, type_hint(name, value.get_ref(), wanted));
    }

    /// Says that a required key is not there.
    pub fn missing(&self, out: &mut Findings, name: &str, hint: &str) {
        self.bad(out, Class::MissingKey, self.span.clone(), format!("{} has no `{name}`", self.subject), hint);
    }

    /// The default as text, if the key has one.
    fn default(&self, name: &str) -> Option<&'static str> {
        match self.section.key(name).map(|k| k.default) {
            Some(Default::Is(text)) => Some(text),
            _ => None,
        }
    }

    pub fn text(&self, out: &mut Findings, name: &str) -> Option<Found<String>> {
        let default = || self.default(name).map(|d| Found { value: d.to_owned(), span: self.span.clone() });
        let Some(value) = self.find(name) else { return default() };
        match value.get_ref() {
            DeValue::String(text) if text.contains('\0') => {
                let message = format!("`{name}` of {} contains a NUL character", self.owner(name));
                self.bad(out, Class::BadValue, value.span(), message, "take it out");
                default()
            }
            DeValue::String(text) => Some(Found { value: text.to_string(), span: value.span() }),
            _ => {
                self.wrong_type(out, name, value, "text in quotes");
                default()
            }
        }
    }

    /// Text, or empty.
    pub fn plain(&self, out: &mut Findings, name: &str) -> String {
        self.text(out, name).map(|t| t.value).unwrap_or_default()
    }

    pub fn bool(&self, out: &mut Findings, name: &str) -> bool {
        let default = self.default(name) == Some("true");
        match self.find(name) {
            None => default,
            Some(value) => match value.get_ref() {
                DeValue::Boolean(b) => *b,
                _ => {
                    self.wrong_type(out, name, value, "`true` or `false`");
                    default
                }
            },
        }
    }

    /// A word of a closed set; another one is said and `None` is given back.
    pub fn word(&self, out: &mut Findings, name: &str, instead: &str) -> Option<String> {
        let found = self.text(out, name)?;
        let Some(Key { of: Type::Word(known), .. }) = self.section.key(name) else { return Some(found.value) };
        if known.contains(&found.value.as_str()) {
            return Some(found.value);
        }
        let message = format!(
            "{} has unknown `{name}` `{}`, which is taken as `{instead}`",
            self.owner(name),
            printable_cut(&found.value, 60)
        );
        let hint = word_hint(&found.value, known, "the words are");
        out.add(Reach::None, Class::UnknownWord, found.span, message, hint);
        None
    }

    pub fn duration(&self, out: &mut Findings, name: &str) -> Duration {
        let default = self.default(name).and_then(|d| duration::parse_duration(d).ok()).unwrap_or_default();
        let Some(value) = self.find(name) else { return default };
        let read = match value.get_ref() {
            DeValue::String(text) => duration::parse_duration(text),
            DeValue::Integer(_) | DeValue::Float(_) => match number(value.get_ref()) {
                Some(seconds) => duration::from_seconds(seconds),
                None => duration::from_seconds(f64::INFINITY),
            },
            _ => {
                self.wrong_type(out, name, value, "a length of time");
                return default;
            }
        };
        let positive = matches!(self.section.key(name).map(|k| k.of), Some(Type::Interval));
        let read = match read {
            Ok(d) if positive && d < duration::SHORTEST_INTERVAL => Err(DurationError {
                message: if d.is_zero() { "is zero".into() } else { "is shorter than 10ms".into() },
                hint: format!("an interval is at least `10ms`; the default is {}", default.as_secs()),
            }),
            other => other,
        };
        match read {
            Ok(d) => d,
            Err(e) => {
                let shown = shown_value(value.get_ref());
                let message = format!("`{name}` of {} {}: `{shown}`", self.owner(name), e.message);
                self.bad(out, Class::BadValue, value.span(), message, e.hint);
                default
            }
        }
    }

    /// From 1 on, or from 0 where the key says so.
    pub fn count(&self, out: &mut Findings, name: &str) -> u32 {
        let default = self.default(name).and_then(|d| d.parse().ok()).unwrap_or(1);
        let Some(value) = self.find(name) else { return default };
        let DeValue::Integer(_) = value.get_ref() else {
            self.wrong_type(out, name, value, "a whole number");
            return default;
        };
        let least = if matches!(self.section.key(name).map(|k| k.of), Some(Type::Whole)) { 0 } else { 1 };
        match number(value.get_ref()) {
            Some(n) if (f64::from(least)..=1e9).contains(&n) => n as u32,
            _ => {
                let shown = shown_value(value.get_ref());
                let message = format!("`{name}` of {} is out of range: `{shown}`", self.owner(name));
                let usual = self.default(name).map(|d| format!("; the default is {d}")).unwrap_or_default();
                self.bad(out, Class::BadValue, value.span(), message, format!("write {least} or more{usual}"));
                default
            }
        }
    }

    /// Bytes.
    pub fn size(&self, out: &mut Findings, name: &str) -> u64 {
        let default = self.default(name).and_then(|d| size::parse_size(d).ok()).unwrap_or(u64::MAX);
        let Some(value) = self.find(name) else { return default };
        let read = match value.get_ref() {
            DeValue::String(text) => size::parse_size(text),
            DeValue::Integer(_) => match number(value.get_ref()) {
                Some(n) if (0.0..9e15).contains(&n) => Ok(n as u64),
                Some(n) if n < 0.0 => Err("is negative".into()),
                _ => Err("is too large".into()),
            },
            _ => {
                self.wrong_type(out, name, value, "a size");
                return default;
            }
        };
        match read {
            Ok(n) if n >= 1000 => return n,
            Ok(_) => {
                let message = format!("`{name}` of {} is less than 1kB", self.owner(name));
                self.bad(out, Class::BadValue, value.span(), message, "write bytes, or a size such as `100MB`");
            }
            Err(reason) => {
                let message = format!("`{name}` of {} {reason}: `{}`", self.owner(name), shown_value(value.get_ref()));
                self.bad(out, Class::BadValue, value.span(), message, "write bytes, or a size such as `100MB`");
            }
        }
        default
    }

    /// Bytes; 0 switches it off.
    pub fn size_or_none(&self, out: &mut Findings, name: &str) -> u64 {
        let off = self.find(name).is_some_and(|value| match value.get_ref() {
            DeValue::String(text) => text.trim() == "0",
            other => number(other) == Some(0.0),
        });
        if off { 0 } else { self.size(out, name) }
    }

    /// A list of texts, each with its place.
    pub fn texts(&self, out: &mut Findings, name: &str) -> Vec<Found<String>> {
        let Some(value) = self.find(name) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(out, name, value, "a list of texts");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) if !text.contains('\0') => {
                    texts.push(Found { value: text.to_string(), span: item.span() });
                }
                _ => self.wrong_type(out, name, item, "a list of texts"),
            }
        }
        texts
    }

    /// A pattern, compiled; a bad one is said, an empty one never matches. `multi_line`: `^` matches at every line.
    pub fn regex(&self, out: &mut Findings, name: &str, multi_line: bool) -> Option<Regex> {
        let text = self.text(out, name).filter(|t| !t.value.is_empty())?;
        match pattern::compile(&text.value, multi_line) {
            Ok(regex) => Some(regex),
            Err((reason, hint)) => {
                let message = format!("`{name}` of {} {reason}", self.owner(name));
                self.bad(out, Class::BadRegex, text.span, message, hint);
                None
            }
        }
    }

    /// An absolute path by the path rule. An empty text counts as not given, unless there is a default.
    pub fn path(&self, out: &mut Findings, name: &str, roots: Roots) -> Option<Found<PathBuf>> {
        let text = self.text(out, name)?;
        if text.value.is_empty() && self.default(name).is_none() {
            return None;
        }
        match place::place(&text.value, roots.project, roots.home) {
            Ok(value) => Some(Found { value, span: text.span }),
            Err(reason) => {
                let message = format!("`{name}` of {} {reason}", self.owner(name));
                self.bad(out, Class::BadValue, text.span, message, "write the whole path");
                None
            }
        }
    }

    /// A table below this one.
    pub fn table(&self, out: &mut Findings, name: &str) -> Option<(&'a DeTable<'i>, Range<usize>)> {
        let value = self.find(name)?;
        match value.get_ref() {
            DeValue::Table(table) => Some((table, value.span())),
            _ => {
                self.wrong_type(out, name, value, "a table");
                None
            }
        }
    }

    /// The tables of an array of tables.
    pub fn tables(&self, out: &mut Findings, name: &str) -> Vec<(&'a DeTable<'i>, Range<usize>)> {
        let Some(value) = self.find(name) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(out, name, value, "an array of tables");
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => tables.push((table, item.span())),
                _ => self.wrong_type(out, name, item, "an array of tables"),
            }
        }
        tables
    }
}

fn unknown_key_hint(section: &Section, name: &str) -> String {
    let known: Vec<&str> = section.keys.iter().map(|k| k.name).collect();
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let elsewhere: Vec<&str> = sections()
        .into_iter()
        .filter(|s| !std::ptr::eq(*s, section) && !std::ptr::eq(*s, &ROOT) && s.key(name).is_some())
        .map(|s| s.header)
        .collect();
    if elsewhere.is_empty() {
        format!("the keys are {}", listed(known))
    } else {
        format!("it belongs in {}", listed(elsewhere))
    }
}
