//! A fault of the config as a reader needs it: what, where, and a way out.
use super::listed::listed;
use crate::model::nearest::nearest;
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::path::PathBuf;

/// One fault, with the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub severity: Severity,
    pub class: Class,
    /// Lower case, one line, printable, the user's words in backticks.
    pub message: String,
    pub hint: Option<String>,
    pub file: PathBuf,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// One past the last character, on the same line; at least `column + 1`.
    pub end_column: usize,
    /// The line, without its end; of a very long one the part around the fault.
    pub source: String,
    /// Characters of the line left out before `source`.
    pub skipped: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something cannot run.
    Error,
    /// Everything runs, though perhaps not as meant.
    Warning,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// What kind of fault: `class` in `check --json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    Syntax,
    UnknownKey,
    MissingKey,
    WrongType,
    UnknownWord,
    BadValue,
    BadRegex,
    BadName,
    Duplicate,
    UnknownBackend,
    UnknownAgent,
    MissingFile,
}

impl Class {
    /// May it be nothing but the result of a line that could not be parsed?
    pub(super) fn follows_from_syntax(self) -> bool {
        !matches!(
            self,
            Class::Syntax
                | Class::UnknownKey
                | Class::WrongType
                | Class::UnknownWord
                | Class::BadValue
                | Class::BadRegex
        )
    }
}

impl Fault {
    /// `agents.toml:12:11: error: … (hint: …)`.
    pub fn one_line(&self) -> String {
        self.line_of(&format!("{}: ", self.severity.as_str()))
    }

    /// The same for whoever says already how bad it is: `agents.toml:12:11: … (hint: …)`.
    pub fn note(&self) -> String {
        self.line_of("")
    }

    fn line_of(&self, severity: &str) -> String {
        let file = crate::model::name::printable(&self.file.to_string_lossy());
        let mut out = format!("{file}:{}:{}: {severity}{}", self.line, self.column, self.message);
        if let Some(hint) = &self.hint {
            out.push_str(&format!(" (hint: {hint})"));
        }
        out
    }

    /// Several lines, with the line of the file and a caret; no newline at the end.
    pub fn render(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let (source, mark) = self.marked();
        let file = crate::model::name::printable(&self.file.to_string_lossy());
        let snippet = Snippet::source(source).line_start(self.line).annotation(AnnotationKind::Primary.span(mark));
        let title = level.primary_title(self.message.as_str());
        let mut group = if self.skipped == 0 {
            title.element(snippet.path(file))
        } else {
            title.element(Origin::path(file).line(self.line).char_column(self.column)).element(snippet)
        };
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// The source line and the byte range to mark in it.
    fn marked(&self) -> (String, std::ops::Range<usize>) {
        let mut line = self.source.clone();
        let byte = |column: usize| {
            let before = column - 1 - self.skipped.min(column - 1);
            line.char_indices().nth(before).map_or(line.len(), |(at, _)| at)
        };
        let (start, end) = (byte(self.column), byte(self.end_column));
        if start >= line.len() {
            // The end of the line or file: something to point at.
            line.push(' ');
        }
        let end = end.max(start + 1).min(line.len());
        (line, start..end)
    }
}

/// `severity class message hint file line column end_column`.
impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(8))?;
        map.serialize_entry("severity", &self.severity)?;
        map.serialize_entry("class", &self.class)?;
        map.serialize_entry("message", &self.message)?;
        map.serialize_entry("hint", &self.hint)?;
        map.serialize_entry("file", &self.file.to_string_lossy())?;
        map.serialize_entry("line", &self.line)?;
        map.serialize_entry("column", &self.column)?;
        map.serialize_entry("end_column", &self.end_column)?;
        map.end()
    }
}

/// "did you mean `x`?", else the words there are.
pub fn word_hint(word: &str, known: &[&str], what: &str) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{what} {}", listed(known.iter().copied())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(source: &str, column: usize, end_column: usize) -> Fault {
        Fault {
            severity: Severity::Error,
            class: Class::UnknownBackend,
            message: "agent `api` names unknown backend `cladue`".into(),
            hint: Some("did you mean `claude`?".into()),
            file: "/p/agents.toml".into(),
            line: 12,
            column,
            end_column,
            source: source.into(),
            skipped: 0,
        }
    }

    #[test]
    fn one_line_and_json() {
        let fault = fault("backend = \"cladue\"", 11, 19);
        assert_eq!(
            fault.one_line(),
            "/p/agents.toml:12:11: error: agent `api` names unknown backend `cladue` (hint: did you mean `claude`?)"
        );
        let json = serde_json::to_value(&fault).unwrap();
        assert_eq!(json["class"], "unknown-backend");
        assert_eq!(json["severity"], "error");
        assert_eq!((json["line"].as_u64(), json["column"].as_u64()), (Some(12), Some(11)));
    }

    #[test]
    fn rendered_with_a_caret() {
        let shown = fault("backend = \"cladue\"", 11, 19).render(false);
        assert!(shown.starts_with("error: agent `api` names unknown backend `cladue`\n"), "{shown}");
        assert!(shown.contains("--> /p/agents.toml:12:11"), "{shown}");
        assert!(shown.contains("12 | backend = \"cladue\"\n   |           ^^^^^^^^"), "{shown}");
        assert!(shown.contains("hint: did you mean `claude`?"), "{shown}");
        assert!(!shown.ends_with('\n'));
        assert!(fault("backend = \"cladue\"", 11, 19).render(true).contains("\u{1b}["));
    }

    #[test]
    fn hard_lines_do_not_break_the_drawing() {
        for (line, column, end) in [("", 1, 2), ("é\t\u{202e}x\u{1b}[31m", 3, 9), ("abc", 4, 5), ("日本語", 2, 3)] {
            let shown = fault(line, column, end).render(false);
            assert!(shown.contains(&format!("--> /p/agents.toml:12:{column}")), "{shown}");
            assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
        }
        let far = Fault { skipped: 4_990, ..fault("éxxxxxxxxxxx", 5_000, 5_001) };
        let shown = far.render(false);
        assert!(shown.contains("--> /p/agents.toml:12:5000"), "{shown}");
        assert!(shown.contains("12 | éxxxxxxxxxxx\n   |          ^"), "{shown}");
    }
}
