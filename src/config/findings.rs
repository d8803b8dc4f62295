//! Collects what is wrong while the config is walked, and decides at the end how bad each thing is.
use super::{
    Source, Strictness,
    fault::{Class, Fault, Severity},
};
use std::ops::Range;

/// How far a finding reaches when the fleet is to run; `check` takes all of them as errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nothing can run.
    All,
    /// The agent or service it was found in cannot run.
    One,
    /// Said once; everything runs.
    None,
}

/// What was found so far, in one file.
pub struct Findings<'s> {
    source: &'s Source<'s>,
    found: Vec<Finding>,
}

struct Finding {
    reach: Reach,
    class: Class,
    span: Range<usize>,
    message: String,
    hint: Option<String>,
}

impl<'s> Findings<'s> {
    pub fn new(source: &'s Source<'s>) -> Self {
        Findings { source, found: Vec::new() }
    }

    pub fn add(&mut self, reach: Reach, class: Class, span: Range<usize>, message: String, hint: impl Into<String>) {
        let hint = hint.into();
        let hint = (!hint.is_empty()).then_some(hint);
        self.found.push(Finding { reach, class, span, message, hint });
    }

    /// Enough for any reader: what is only said need not be added any more.
    pub fn plenty(&self) -> bool {
        self.found.len() >= 1_000
    }

    /// A place to ask [`Findings::first_since`] about later.
    pub fn mark(&self) -> usize {
        self.found.len()
    }

    /// The first finding since `mark` that stops the unit it was found in.
    pub fn first_since(&self, mark: usize) -> Option<String> {
        self.found.iter().skip(mark).find(|f| f.reach != Reach::None).map(|f| f.message.clone())
    }

    pub fn fatal(&self) -> bool {
        self.found.iter().any(|f| f.reach == Reach::All)
    }

    /// In file order, each once. With a syntax error, only what cannot be a result of it.
    pub fn into_faults(mut self, strictness: Strictness) -> Vec<Fault> {
        let broken: Vec<usize> =
            self.found.iter().filter(|f| f.class == Class::Syntax).map(|f| self.line_start(f.span.start)).collect();
        if !broken.is_empty() {
            let text = self.source.text;
            self.found.retain(|f| {
                let start = line_start(text, f.span.start);
                f.class == Class::Syntax || (!f.class.follows_from_syntax() && !broken.contains(&start))
            });
        }
        self.found.sort_by(|a, b| (a.span.start, a.span.end, &a.message).cmp(&(b.span.start, b.span.end, &b.message)));
        self.found.dedup_by(|a, b| a.span == b.span && a.message == b.message);
        let lines = LineIndex::new(self.source.text);
        self.found.iter().map(|f| self.fault(f, strictness, &lines)).collect()
    }

    fn line_start(&self, at: usize) -> usize {
        line_start(self.source.text, at)
    }

    fn fault(&self, finding: &Finding, strictness: Strictness, lines: &LineIndex) -> Fault {
        let text = self.source.text;
        let severity = match (strictness, finding.reach) {
            (Strictness::Run, Reach::None) => Severity::Warning,
            _ => Severity::Error,
        };
        let at = floor_boundary(text, finding.span.start);
        let (line, start) = lines.of(at);
        let rest = &text[start..];
        let mut shown = rest.split('\n').next().unwrap_or_default();
        shown = shown.strip_suffix('\r').unwrap_or(shown);
        let end = floor_boundary(text, finding.span.end).clamp(at, (start + shown.len()).max(at));
        let skipped = if start == 0 && shown.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let chars = |to: usize| text.get(start + skipped..to).map_or(0, |s| s.chars().count());
        let column = 1 + chars(at);
        let left_out = if column > WIDEST { column - LEAD } else { 0 };
        Fault {
            severity,
            class: finding.class,
            message: finding.message.clone(),
            hint: finding.hint.clone(),
            file: self.source.path.to_path_buf(),
            line,
            column,
            end_column: (1 + chars(end)).max(column + 1),
            source: shown[skipped..].chars().skip(left_out).take(WIDEST).collect(),
            skipped: left_out,
        }
    }
}

/// Most characters of a line that a fault carries along, and how many of them stand before a fault that is far right.
const WIDEST: usize = 1_000;
const LEAD: usize = 100;

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn line_start(text: &str, at: usize) -> usize {
    text[..floor_boundary(text, at)].rfind('\n').map_or(0, |n| n + 1)
}

/// Byte offsets at which lines start.
struct LineIndex(Vec<usize>);

impl LineIndex {
    fn new(text: &str) -> LineIndex {
        LineIndex(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }
    /// 1-based number and start of the line that contains `at`.
    fn of(&self, at: usize) -> (usize, usize) {
        let number = self.0.partition_point(|start| *start <= at).max(1);
        (number, self.0[number - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn one(text: &str, span: Range<usize>) -> Fault {
        let source = Source { path: Path::new("/a.toml"), text, home: None };
        let mut findings = Findings::new(&source);
        findings.add(Reach::All, Class::BadValue, span, "x".into(), "");
        findings.into_faults(Strictness::Check).remove(0)
    }

    #[test]
    fn columns_count_characters() {
        let f = one("a = 1\r\n\té日 = 2\r\n", 13..14);
        assert_eq!((f.line, f.column, f.source.as_str()), (2, 4, "\té日 = 2"));
        let f = one("\u{feff}ab = 1", 3..5);
        assert_eq!((f.line, f.column, f.end_column, f.source.as_str()), (1, 1, 3, "ab = 1"));
        let f = one("a\n", 2..2);
        assert_eq!((f.line, f.column, f.end_column), (2, 1, 2));
        let f = one("", 0..0);
        assert_eq!((f.line, f.column), (1, 1));
        let f = one("a = \"\"\"\nx\"\"\"", 4..12);
        assert_eq!((f.line, f.column, f.end_column), (1, 5, 8));
        assert_eq!(one("é", 1..99).column, 1);
    }
}
