//! A session's rows as a person reads them: when, who, what. Everything in them is somebody else's text: it is made
//! printable, one line at a time.
use super::paint::{Paint, Tint};
use crate::model::{
    name::{printable, printable_cut},
    time::{Wall, human},
    transcript::{End, Row, What},
};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets::NOTHING};
use std::time::Duration;

/// How to show it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Columns of the terminal; `None` = nothing is wrapped.
    pub width: Option<u16>,
    pub paint: Paint,
}

/// Lines that are shown of a result, and of a text of the user's.
const OF_A_RESULT: usize = 3;
const OF_A_PROMPT: usize = 40;
/// Characters that are shown of a call, and of one line of a result.
const OF_A_LINE: usize = 200;
const CLOCK: usize = 8;
const WHO: usize = 6;

/// Remembers what a row needs of those before it: the day that was named last, and when something was asked last.
#[derive(Debug, Default)]
pub struct Page {
    look: Look,
    day: String,
    asked: Option<Wall>,
}

/// One row as text: what it looks like, and what a pattern is matched against.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// `2026-11-21`; empty = not known.
    day: String,
    pub lines: Vec<String>,
    pub plain: String,
    /// An error, or a tool that failed.
    pub trouble: bool,
}

struct Shown {
    who: &'static str,
    tint: Option<Tint>,
    text: Vec<String>,
}

impl Page {
    pub fn new(look: Look) -> Page {
        Page { look, ..Page::default() }
    }

    /// `None`: nothing that a person wants to see.
    pub fn entry(&mut self, row: &Row) -> Option<Entry> {
        let shown = self.shown(row)?;
        let plain = shown.text.join("\n");
        let trouble = matches!(shown.who, "error" | "failed");
        let day = row.at.map(|at| at.format_local("%Y-%m-%d")).unwrap_or_default();
        Some(Entry { day, lines: self.lay_out(row.at, &shown), plain, trouble })
    }

    /// What to print in front of an entry that is printed now: its day, if it is another one than that of the last.
    pub fn heading(&mut self, entry: &Entry) -> Option<String> {
        if entry.day.is_empty() || entry.day == self.day {
            return None;
        }
        self.day.clone_from(&entry.day);
        Some(self.look.paint.tint(Tint::Dim, &format!("--- {}", entry.day)))
    }

    fn shown(&mut self, row: &Row) -> Option<Shown> {
        let one = |text: &str| vec![printable_cut(&folded(text), OF_A_LINE)];
        let (who, tint, text) = match &row.what {
            What::Asked { text } => {
                self.asked = row.at.or(self.asked);
                ("user", Some(Tint::Bold), cut(text, OF_A_PROMPT, usize::MAX))
            }
            What::Queued { text } => ("queued", Some(Tint::Dim), one(text)),
            What::Answered { text } => ("agent", None, cut(text, usize::MAX, usize::MAX)),
            What::Called { tool, argument, .. } => ("tool", Some(Tint::Dim), one(&format!("{tool} {argument}"))),
            What::Returned { text, failed: false, .. } => {
                ("result", Some(Tint::Dim), cut(text, OF_A_RESULT, OF_A_LINE))
            }
            What::Returned { text, .. } => ("failed", Some(Tint::Yellow), cut(text, OF_A_RESULT, OF_A_LINE)),
            What::Failed(error) => {
                let until =
                    error.reset.map(|at| format!(" until {}", at.format_local("%b %-d %H:%M"))).unwrap_or_default();
                let mut text = cut(&error.text, OF_A_RESULT, OF_A_LINE);
                let first = text.first_mut()?;
                *first = format!("{}{until}: {first}", error.class.as_str());
                ("error", Some(Tint::Red), text)
            }
            What::Model { name } => ("model", Some(Tint::Dim), one(name)),
            What::Note { text } => ("note", Some(Tint::Dim), one(text)),
            What::Ended(how) => {
                let took = self.asked.take().zip(row.at).map(|(from, to)| (to.0 - from.0).max(0) as u64);
                let took = took.map(|ms| format!(" after {}", human(Duration::from_millis(ms)))).unwrap_or_default();
                match how {
                    End::Done => ("end", Some(Tint::Dim), vec![format!("done{took}")]),
                    End::Interrupted => ("end", Some(Tint::Yellow), vec![format!("interrupted{took}")]),
                    End::Failed => return None,
                }
            }
            What::Used(_) => return None,
        };
        (!text.is_empty()).then_some(Shown { who, tint, text })
    }

    fn lay_out(&self, at: Option<Wall>, shown: &Shown) -> Vec<String> {
        let clock = at.map_or_else(|| "-".into(), |at| at.format_local("%H:%M:%S"));
        let indent = " ".repeat(CLOCK + WHO + 4);
        let mut lines = Vec::new();
        let room = self.look.width.map(|w| usize::from(w).saturating_sub(indent.len()).max(20));
        for text in shown.text.iter().flat_map(|text| wrapped(text, room)) {
            let text = match shown.tint {
                Some(tint) if !text.is_empty() => self.look.paint.tint(tint, &text),
                _ => text,
            };
            lines.push(match lines.is_empty() {
                true => format!("{clock:CLOCK$}  {:WHO$}  {text}", shown.who),
                false if text.is_empty() => text,
                false => format!("{indent}{text}"),
            });
        }
        lines
    }
}

/// White space folded: what is shown in one line.
fn folded(text: &str) -> String {
    // No more than can be shown: a call may hold a whole file.
    let beginning: String = text.chars().take(OF_A_LINE * 4).collect();
    let cut = beginning.len() < text.len();
    let mut words = beginning.split_whitespace().collect::<Vec<_>>().join(" ");
    if cut {
        words.push('…');
    }
    words
}

/// The first lines of a text, and how many more there are. Blank lines at both ends go.
fn cut(text: &str, lines: usize, line: usize) -> Vec<String> {
    let mut all = text.trim_end().lines().skip_while(|l| l.trim().is_empty()).peekable();
    let mut shown: Vec<String> = Vec::new();
    while shown.len() < lines && all.peek().is_some() {
        shown.extend(all.next().map(|l| shorten(l.trim_end(), line)));
    }
    match all.count() {
        0 => {}
        1 => shown.push("… 1 more line".into()),
        more => shown.push(format!("… {more} more lines")),
    }
    shown
}

fn shorten(line: &str, most: usize) -> String {
    if most == usize::MAX { printable(line) } else { printable_cut(line, most) }
}

/// One printable line as rows that fit.
fn wrapped(text: &str, room: Option<usize>) -> Vec<String> {
    let Some(room) = room.filter(|room| text.len() > *room) else { return vec![text.to_owned()] };
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    let room = u16::try_from(room).unwrap_or(u16::MAX);
    table.set_width(room).add_row([text]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0)).set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(room)));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        seen::ErrorClass,
        transcript::{Cause, Tokens, TurnError, Usage},
    };

    fn lines(look: Look, rows: &[What]) -> Vec<String> {
        let mut page = Page::new(look);
        let rows = rows.iter().map(|what| Row { at: Some(Wall(0)), what: what.clone() });
        rows.filter_map(|row| page.entry(&row)).flat_map(|e| e.lines).map(|l| l.chars().skip(10).collect()).collect()
    }

    #[test]
    fn results_are_cut_and_errors_marked() {
        let text = |n: usize| (0..n).map(|i| format!("line {i}")).collect::<Vec<_>>().join("\n");
        let returned = |failed| What::Returned { id: String::new(), text: text(5), failed };
        let called =
            What::Called { id: String::new(), tool: "Bash".into(), argument: format!("a\n  b {}", "x".repeat(900)) };
        let error = TurnError { class: Cause::Error(ErrorClass::Auth), text: "no".into(), reset: None };
        let rows = [
            returned(false),
            returned(true),
            called,
            What::Failed(error),
            What::Used(Usage { tokens: Tokens::default(), ..Usage::default() }),
        ];
        let lines = lines(Look::default(), &rows);
        assert_eq!(lines[0], "result  line 0");
        assert_eq!(lines[3], "        … 2 more lines");
        assert_eq!(lines[4], "failed  line 0");
        assert!(lines[8].starts_with("tool    Bash a b xxx") && lines[8].ends_with('…'), "{}", lines[8]);
        assert_eq!(lines[9], "error   auth: no");
        assert_eq!(lines.len(), 10);
    }

    #[test]
    fn a_day_is_named_once() {
        let mut page = Page::new(Look::default());
        let days = [0, 1000, 200_000_000].map(|ms| {
            let entry = page.entry(&Row { at: Some(Wall(ms)), what: What::Note { text: "x".into() } });
            entry.and_then(|e| page.heading(&e))
        });
        assert!(days[0].as_ref().is_some_and(|d| d.starts_with("--- 19")), "{days:?}");
        assert!(days[1].is_none() && days[2].is_some(), "{days:?}");
    }

    #[test]
    fn nothing_in_it_reaches_the_terminal() {
        let evil = "a\x1b[2Jb\u{9b}31m\x07\u{202e}c\r\nd\x08\u{2066}";
        let rows = [
            What::Asked { text: evil.into() },
            What::Answered { text: evil.into() },
            What::Called { id: String::new(), tool: evil.into(), argument: evil.into() },
            What::Returned { id: String::new(), text: evil.into(), failed: true },
            What::Failed(TurnError { class: Cause::Limit, text: evil.into(), reset: None }),
            What::Model { name: evil.into() },
            What::Note { text: evil.into() },
            What::Queued { text: evil.into() },
        ];
        for width in [None, Some(30)] {
            let shown = lines(Look { width, paint: Paint::Plain }, &rows).join("");
            let bad = shown.chars().find(|c| c.is_control() || ('\u{202a}'..='\u{2069}').contains(c));
            assert_eq!(bad, None, "{shown}");
        }
    }

    #[test]
    fn rows_fit_the_terminal() {
        let text = format!("{} {}", "word ".repeat(30), "漢".repeat(60));
        let look = Look { width: Some(60), paint: Paint::Plain };
        let mut page = Page::new(look);
        let entry = page.entry(&Row { at: Some(Wall(0)), what: What::Answered { text } }).expect("shown");
        assert!(entry.lines.len() > 4, "{entry:?}");
        for line in &entry.lines {
            let columns: usize = line.chars().map(|c| if c == '漢' { 2 } else { 1 }).sum();
            assert!(columns <= 60, "{columns}: {line}");
        }
    }
}
