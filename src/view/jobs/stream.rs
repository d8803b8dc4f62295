//! What an agent says while it works on a job, as quiet lines for people: its words as they are, a line for each tool, and
//! what went wrong. Results of tools that went well are not shown. Everything in it is somebody else's text: it is made
//! printable, one line at a time.
use crate::{
    model::{
        agent_said::Said,
        name::{printable, printable_cut},
    },
    view::paint::{Paint, Tint},
};

/// Characters of a line about what went wrong.
const LINE: usize = 300;
/// Characters of a text that comes in pieces and has no line end for so long.
const LONGEST: usize = 8 * 1024;

/// One line, and whether it is about trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub trouble: bool,
}

#[derive(Debug, Default)]
pub struct Painter {
    paint: Paint,
    session: String,
    /// A line of the model's that has no end yet.
    begun: String,
}

impl Painter {
    pub fn new(paint: Paint) -> Painter {
        Painter { paint, ..Painter::default() }
    }

    pub fn lines(&mut self, said: &Said, out: &mut Vec<Line>) {
        if let Said::Text { text, piece: true } = said {
            return self.piece(text, out);
        }
        match said {
            // Counts are for the job's page.
            Said::Call | Said::Rounds(_) | Said::Used { .. } | Said::Cost { .. } | Said::Usage(_) => return,
            _ => self.flush(out),
        }
        let dim = |text: &str| plain(self.paint.tint(Tint::Dim, text));
        match said {
            Said::Session(name) if *name != self.session => {
                self.session.clone_from(name);
                out.push(dim(&format!("--- conversation {}", printable_cut(name, LINE))));
            }
            Said::Text { text, .. } => out.extend(text.trim_end().lines().map(of_line)),
            Said::Tool(call) => out.push(dim(&format!("> {}", call.words()))),
            Said::Result { failed: true, text } => {
                let text = format!("  failed: {}", one_line(text));
                out.push(Line { text: self.paint.tint(Tint::Yellow, &text), trouble: true });
            }
            Said::Note(text) => out.push(dim(&format!("! {}", one_line(text)))),
            Said::Failed(text) => {
                let text = format!("error: {}", one_line(text));
                out.push(Line { text: self.paint.tint(Tint::Red, &text), trouble: true });
            }
            // Where in a program it went wrong is for its authors.
            Said::Plain(line) if line.starts_with("    at ") => {}
            Said::Plain(line) => out.push(of_line(line)),
            _ => {}
        }
    }

    /// What has no end yet, as a line: nothing follows, or somebody waits.
    pub fn flush(&mut self, out: &mut Vec<Line>) {
        if !self.begun.is_empty() {
            out.push(of_line(&std::mem::take(&mut self.begun)));
        }
    }

    fn piece(&mut self, text: &str, out: &mut Vec<Line>) {
        for part in text.split_inclusive('\n') {
            self.begun.push_str(part);
            if part.ends_with('\n') || self.begun.len() > LONGEST {
                let line = std::mem::take(&mut self.begun);
                out.push(of_line(&line));
            }
        }
    }
}

fn plain(text: String) -> Line {
    Line { text, trouble: false }
}

fn of_line(line: &str) -> Line {
    plain(printable(&line.trim_end().replace('\t', "    ")))
}

fn one_line(text: &str) -> String {
    let beginning: String = text.chars().take(LINE * 4).collect();
    printable_cut(&beginning.split_whitespace().collect::<Vec<_>>().join(" "), LINE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agent_said::ToolCall;

    fn painted(all: &[Said]) -> Vec<String> {
        let (mut painter, mut out) = (Painter::new(Paint::Plain), Vec::new());
        all.iter().for_each(|said| painter.lines(said, &mut out));
        painter.flush(&mut out);
        out.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn words_are_lines_and_tools_are_one_each() {
        let piece = |text: &str| Said::Text { text: text.into(), piece: true };
        let all = [
            Said::Session("s".into()),
            Said::Call,
            Said::Text { text: "I look.\n\nThen I mend.\n".into(), piece: false },
            Said::Tool(ToolCall { name: "Edit".into(), argument: Some(("file".into(), "a.go".into())) }),
            Said::Result { failed: false, text: "long".into() },
            Said::Result { failed: true, text: "no\nsuch file".into() },
            piece("All "),
            Said::Call,
            piece("done.\nSo "),
            piece("it is"),
            Said::Session("s".into()),
            Said::Failed("limit reached".into()),
            Said::Plain("warning of the program".into()),
        ];
        assert_eq!(
            painted(&all),
            [
                "--- conversation s",
                "I look.",
                "",
                "Then I mend.",
                "> Edit(file='a.go')",
                "  failed: no such file",
                "All done.",
                "So it is",
                "error: limit reached",
                "warning of the program"
            ]
        );
    }

    #[test]
    fn nothing_in_it_reaches_the_terminal() {
        let evil = "a\x1b[2Jb\u{9b}31m\x07\u{202e}c\r\nd\x08\u{2066}".to_owned();
        let all = [
            Said::Session(evil.clone()),
            Said::Text { text: evil.clone(), piece: false },
            Said::Text { text: evil.clone(), piece: true },
            Said::Tool(ToolCall { name: evil.clone(), argument: Some((evil.clone(), evil.clone())) }),
            Said::Result { failed: true, text: evil.clone() },
            Said::Note(evil.clone()),
            Said::Failed(evil.clone()),
            Said::Plain(evil),
        ];
        let shown = painted(&all).join("");
        assert!(
            shown.chars().all(|c| !c.is_control() && !('\u{2066}'..='\u{2069}').contains(&c) && c != '\u{202e}'),
            "{shown:?}"
        );
    }
}
