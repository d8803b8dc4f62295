//! What stands below the terminal of a job that waits for an answer: where it stands, what can be said, and what was typed
//! so far. It is short enough for 80 columns, and whatever tmux would make something else of is not in it.
use crate::model::{job::StepSpec, name::printable_cut};

/// Of the line below a terminal.
const COLUMNS: usize = 80;
/// Longest line that is kept: a longer one is no answer.
const LONGEST: usize = 64;
/// Characters of it that are shown, the newest ones.
const SHOWN: usize = 12;
/// Fewer of a step's words tell nothing.
const LEAST: usize = 8;

/// A line that is being typed.
#[derive(Default)]
pub struct Line {
    text: String,
    within: Within,
}

/// Where in the bytes of a key that is no letter.
#[derive(Default)]
enum Within {
    #[default]
    Text,
    /// Behind ESC.
    Escape,
    /// Behind `ESC [`.
    Sequence,
    /// Behind `ESC O`.
    Last,
}

impl Line {
    /// `Some`: the line that this key completes.
    pub fn key(&mut self, key: u8) -> Option<String> {
        self.within = match (&self.within, key) {
            (_, 0x1b) => Within::Escape,
            (Within::Escape, b'[') => Within::Sequence,
            (Within::Escape, b'O') => Within::Last,
            (Within::Sequence, 0x20..=0x3f) => Within::Sequence,
            (Within::Text, _) => return self.letter(key),
            _ => Within::Text,
        };
        None
    }

    fn letter(&mut self, key: u8) -> Option<String> {
        match key {
            b'\r' | b'\n' => return Some(std::mem::take(&mut self.text)),
            0x08 | 0x7f => drop(self.text.pop()),
            // ctrl-C, ctrl-U, ctrl-W.
            0x03 | 0x15 | 0x17 => self.text.clear(),
            b'\t' => self.push(' '),
            b' '..=b'~' => self.push(char::from(key)),
            // Of any other letter one sign: no answer has such.
            0xc0.. => self.push('?'),
            _ => {}
        }
        None
    }

    fn push(&mut self, letter: char) {
        if self.text.len() < LONGEST {
            self.text.push(letter);
        }
    }
}

/// What is asked.
pub struct Asked<'a> {
    pub steps: &'a [StepSpec],
    /// Of the step that is next.
    pub next: usize,
    /// Of the session, which stands at the left.
    pub session: &'a str,
}

impl Asked<'_> {
    /// `refused`: why the last line was no answer; empty: it was, or there is none.
    pub fn note(&self, line: &Line, refused: &str) -> String {
        let retry = if self.next == 0 { "" } else { "r retry, " };
        let skipped = line.text.chars().count().saturating_sub(SHOWN);
        let typed: String = line.text.chars().skip(skipped).collect();
        let cut = if skipped > 0 { "…" } else { "" };
        let asks = plain(&format!("c continue, {retry}x cancel, Enter: {cut}{typed}_"));
        // Beside the name in its brackets.
        let left = self.session.chars().count() + 3;
        let room = COLUMNS.saturating_sub(left + asks.chars().count() + 2);
        let head = if refused.is_empty() { self.place(room) } else { plain(&printable_cut(refused, room)) };
        if head.is_empty() { asks } else { format!("{head}; {asks}") }
    }

    /// In `room` characters; as much as there is room for.
    fn place(&self, room: usize) -> String {
        let count = self.steps.len();
        let next = self.steps.get(self.next).map_or_else(|| "the end".into(), |step| plain(&step.shown()));
        let wordy = match self.next {
            0 => ["before its first step".to_owned(), "not begun".into()],
            after => [format!("after step {after} of {count}"), format!("after {after} of {count}")],
        };
        let fits = |text: &String| text.chars().count() <= room;
        let whole = wordy.map(|place| format!("{place}, next: {next}"));
        whole.into_iter().find(fits).unwrap_or_else(|| match room.saturating_sub("next: ".len()) {
            0..LEAST => String::new(),
            rest => format!("next: {}", printable_cut(&next, rest)),
        })
    }
}

/// What a word looks like among others: cut, and safe for a line below a terminal.
pub fn word(text: &str) -> String {
    plain(&printable_cut(text.trim(), SHOWN))
}

/// Without the signs that begin something in a format of tmux, and without letters of a width that terminals do not agree
/// about.
fn plain(text: &str) -> String {
    let is_plain = |c: char| matches!(c, ' '..='~' | '\u{c0}'..='\u{24f}' | '…') && !matches!(c, '#' | '%');
    text.chars().map(|c| if is_plain(c) { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::{Bytes, JobCommand};

    fn typed(keys: &[u8]) -> (Vec<String>, String) {
        let mut line = Line::default();
        let lines = keys.iter().filter_map(|key| line.key(*key)).collect();
        (lines, line.text)
    }

    fn step(desc: &str, line: &str) -> StepSpec {
        StepSpec { desc: desc.into(), ..StepSpec::of(JobCommand::Shell(Bytes(line.into()))) }
    }

    #[test]
    fn a_line_is_edited_and_keys_that_are_no_letters_are_none() {
        for (keys, lines, left) in [
            (&b"c\rre\ntry"[..], &["c", "re"][..], "try"),
            (b"conx\x7f\x08\x7f\x7f\x7f\x7fx\r", &["x"], ""),
            (b"abc\x15d e\x17f\x03x", &[], "x"),
            // Arrows, F1, F5, alt-c, a paste in brackets; a key that is cut off takes the next one with it.
            (b"\x1b[A\x1b[1;5Cc\x1bOPc\x1b[15~\x1bcc\r", &["ccc"], ""),
            (b"\x1b[200~c\x1b[201~\r\x1b\rc\r", &["c", "c"], ""),
            ("\u{e4}\u{20ac}c\x00\x01\x1f".as_bytes(), &[], "??c"),
        ] {
            assert_eq!(typed(keys), (lines.iter().map(|line| (*line).to_owned()).collect(), left.into()), "{keys:?}");
        }
        let (lines, _) = typed(&[&b"c".repeat(1000)[..], b"\x7f".repeat(1000).as_slice(), b"x\r"].concat());
        assert_eq!(lines, ["x"]);
        let (lines, _) = typed(&[b" ".repeat(100).as_slice(), b"c\r"].concat());
        assert_eq!(lines[0].trim(), "", "what is beyond the longest line is not typed");
    }

    #[test]
    fn a_note_fits_a_line_of_80_columns_and_says_as_much_as_it_can() {
        let steps = [step("", "cargo build --release"), step("Test", "x"), step("deploy #(touch x) %H \u{1b}[2J", "y")];
        let note = |next, session: &str, keys: &[u8], refused: &str| {
            let mut line = Line::default();
            keys.iter().for_each(|key| drop(line.key(*key)));
            let note = Asked { steps: &steps, next, session }.note(&line, refused);
            assert!(!note.contains(['#', '%', '\u{1b}']), "{note}");
            let columns = session.len() + 3 + note.chars().count();
            assert!(columns <= 80 || session.len() > 20, "{columns}: {note}");
            note
        };
        let all = "c continue, r retry, x cancel, Enter: ";
        assert_eq!(note(1, "j7", b"", ""), format!("after step 1 of 3, next: Test; {all}_"));
        assert_eq!(note(1, "j7", b"retr", ""), format!("after step 1 of 3, next: Test; {all}retr_"));
        assert_eq!(note(1, "j7", b"continue", ""), format!("after 1 of 3, next: Test; {all}continue_"));
        assert_eq!(note(0, "j7", b"", ""), "not begun, next: cargo build --release; c continue, x cancel, Enter: _");
        assert_eq!(note(2, "j7", b"", ""), format!("next: deploy ?(touch x) ?H \\x1b[2J; {all}_"));
        assert_eq!(note(3, "j7", b"", ""), format!("after step 3 of 3, next: the end; {all}_"));
        assert_eq!(note(2, "j12-release-app", b"c", ""), format!("next: deploy ?(touc…; {all}c_"));
        assert_eq!(note(2, &"x".repeat(40), b"c", ""), format!("{all}c_"));
        let hostile = note(1, "j7", b"#(touch y)%H;\\;", "");
        assert_eq!(hostile, format!("next: Test; {all}…ouch y)?H;\\;_"));
        let refused = format!("`{}` is no answer", word("\u{202e}what#{pid}ever"));
        assert_eq!(note(1, "j7", b"", &refused), format!("`\\u{{202e}}wha…` is no answer; {all}_"));
    }
}
