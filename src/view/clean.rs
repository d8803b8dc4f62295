//! Raw pane bytes -> lines of plain text, byte by byte, so that a log of any size passes through.
//!
//! Not a terminal: there is no screen, only the line under the cursor. Colours and titles vanish; a carriage return,
//! backspace or column move overwrites; any other cursor move ends the line. Programs that repaint print the same rows
//! again and again: a row that was painted again is left out if it still says the same.
use crate::model::name::printable;
use std::collections::VecDeque;

/// Longest line kept, in characters; what goes beyond is cut off.
const MAX_LINE: usize = 16_384;
/// Rows a repaint may reach back over: a screen.
const SCREEN: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Text,
    Escape,
    /// `ESC [` … final byte.
    Control,
    /// OSC, DCS, PM, APC, SOS: up to BEL or ST.
    String,
    StringEscape,
    /// `ESC ( X` and its like: one more byte.
    Charset,
}

#[derive(Clone, Debug)]
pub struct Cleaner {
    within: Within,
    /// Parameter bytes of the control sequence so far.
    params: String,
    /// Bytes of a UTF-8 character that is not complete yet.
    partial: Vec<u8>,
    line: Vec<char>,
    column: usize,
    recent: VecDeque<String>,
    /// Rows that may be repaints of recent ones.
    repaint: usize,
    /// The last line given out, so that equal neighbours collapse.
    last: Option<String>,
    /// They do not: only rows that were painted again are left out.
    keeps_equal: bool,
}

impl Default for Cleaner {
    fn default() -> Self {
        Cleaner {
            within: Within::Text,
            params: String::new(),
            partial: Vec::new(),
            line: Vec::new(),
            column: 0,
            recent: VecDeque::new(),
            repaint: 0,
            last: None,
            keeps_equal: false,
        }
    }
}

impl Cleaner {
    /// For what most often prints line after line, and paints no screen: a line that is printed twice stands there twice.
    pub fn of_lines() -> Cleaner {
        Cleaner { keeps_equal: true, ..Cleaner::default() }
    }

    /// Takes the next bytes; gives every line that they completed, in order, without its newline.
    pub fn feed(&mut self, bytes: &[u8], out: &mut dyn FnMut(&str)) {
        for &byte in bytes {
            self.byte(byte, out);
        }
    }

    /// Gives the unfinished last line, if it has text.
    pub fn finish(&mut self, out: &mut dyn FnMut(&str)) {
        self.flush_partial();
        if self.line.iter().any(|c| !c.is_whitespace()) {
            self.end_line(out);
        }
    }

    fn byte(&mut self, byte: u8, out: &mut dyn FnMut(&str)) {
        match self.within {
            Within::Text => self.text(byte, out),
            Within::Escape => self.escape(byte, out),
            Within::Control => match byte {
                0x40..=0x7e => {
                    self.within = Within::Text;
                    self.control(byte, out);
                }
                // A sequence that was broken off.
                0x1b => self.within = Within::Escape,
                b'\n' => {
                    self.within = Within::Text;
                    self.text(byte, out);
                }
                _ if self.params.len() < 64 => self.params.push(byte as char),
                _ => {}
            },
            Within::String => match byte {
                0x07 => self.within = Within::Text,
                0x1b => self.within = Within::StringEscape,
                // A newline never belongs to a title: the string was cut off.
                b'\n' => {
                    self.within = Within::Text;
                    self.text(byte, out);
                }
                _ => {}
            },
            Within::StringEscape => {
                if byte == b'\\' {
                    self.within = Within::Text;
                } else {
                    self.within = Within::Escape;
                    self.escape(byte, out);
                }
            }
            Within::Charset => self.within = Within::Text,
        }
    }

    fn text(&mut self, byte: u8, out: &mut dyn FnMut(&str)) {
        if byte >= 0x80 {
            self.partial.push(byte);
            match std::str::from_utf8(&self.partial) {
                Ok(text) => {
                    let c = text.chars().next();
                    self.partial.clear();
                    if let Some(c) = c {
                        self.put(c);
                    }
                }
                Err(e) if e.error_len().is_none() && self.partial.len() < 4 => {}
                Err(_) => self.flush_partial(),
            }
            return;
        }
        self.flush_partial();
        match byte {
            b'\n' => self.end_line(out),
            b'\r' => self.column = 0,
            0x08 => self.column = self.column.saturating_sub(1),
            b'\t' => self.move_to((self.column / 8 + 1) * 8),
            0x1b => self.within = Within::Escape,
            0x00..=0x1f | 0x7f => {}
            _ => self.put(byte as char),
        }
    }

    fn escape(&mut self, byte: u8, out: &mut dyn FnMut(&str)) {
        self.within = match byte {
            b'[' => {
                self.params.clear();
                Within::Control
            }
            b']' | b'P' | b'X' | b'^' | b'_' => Within::String,
            b'(' | b')' | b'*' | b'+' | b'#' | b'%' | b' ' => Within::Charset,
            0x1b => Within::Escape,
            b'\n' => {
                self.within = Within::Text;
                return self.text(byte, out);
            }
            b'D' | b'E' | b'M' => {
                self.leave_line(out);
                Within::Text
            }
            _ => Within::Text,
        };
    }

    fn control(&mut self, last: u8, out: &mut dyn FnMut(&str)) {
        let mut numbers = self.params.split([';', ':']).map(|p| p.parse::<usize>().ok());
        let first = numbers.next().flatten();
        let second = numbers.next().flatten();
        let count = first.unwrap_or(1).clamp(1, 1000);
        match last {
            b'C' => self.move_to(self.column + count),
            b'D' => self.column = self.column.saturating_sub(count),
            b'G' | b'`' => self.move_to(first.unwrap_or(1).saturating_sub(1)),
            b'K' => match first.unwrap_or(0) {
                0 => self.line.truncate(self.column),
                1 => self.line.iter_mut().take(self.column).for_each(|c| *c = ' '),
                _ => self.line.clear(),
            },
            b'P' => {
                let end = (self.column + count).min(self.line.len());
                if self.column < end {
                    self.line.drain(self.column..end);
                }
            }
            b'A' | b'F' => {
                self.leave_line(out);
                self.repaint = self.repaint.max(count + 1).min(SCREEN);
            }
            b'B' | b'E' => self.leave_line(out),
            b'H' | b'f' => {
                self.leave_line(out);
                self.repaint = SCREEN;
                self.move_to(second.unwrap_or(1).saturating_sub(1));
            }
            b'd' => {
                self.leave_line(out);
                self.repaint = SCREEN;
            }
            b'J' if first.unwrap_or(0) >= 2 => {
                self.leave_line(out);
                self.repaint = SCREEN;
            }
            b'h' | b'l' if self.params.starts_with('?') && self.params.contains("1049") => self.leave_line(out),
            _ => {}
        }
    }

    fn flush_partial(&mut self) {
        if !self.partial.is_empty() {
            let text = String::from_utf8_lossy(&self.partial).into_owned();
            self.partial.clear();
            text.chars().for_each(|c| self.put(c));
        }
    }

    fn put(&mut self, c: char) {
        if self.column >= MAX_LINE {
            return;
        }
        while self.line.len() < self.column {
            self.line.push(' ');
        }
        if self.column < self.line.len() {
            self.line[self.column] = c;
        } else {
            self.line.push(c);
        }
        self.column += 1;
    }

    fn move_to(&mut self, column: usize) {
        self.column = column.min(MAX_LINE);
    }

    /// The cursor goes to another row: what stood here is a line if it has text.
    fn leave_line(&mut self, out: &mut dyn FnMut(&str)) {
        self.flush_partial();
        if self.line.iter().any(|c| !c.is_whitespace()) {
            let column = self.column;
            self.end_line(out);
            self.column = column;
        } else {
            self.line.clear();
        }
    }

    fn end_line(&mut self, out: &mut dyn FnMut(&str)) {
        let raw: String = self.line.drain(..).collect();
        self.column = 0;
        let text = printable(raw.trim_end());
        let painted_again = self.repaint > 0;
        self.repaint = self.repaint.saturating_sub(1);
        if painted_again && !text.is_empty() && self.recent.contains(&text) {
            return;
        }
        if !self.keeps_equal && self.last.as_deref() == Some(&text) {
            return;
        }
        out(&text);
        if !text.is_empty() {
            if self.recent.len() == SCREEN {
                self.recent.pop_front();
            }
            self.recent.push_back(text.clone());
        }
        self.last = Some(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clean(bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut cleaner = Cleaner::default();
        cleaner.feed(bytes, &mut |l| lines.push(l.to_owned()));
        cleaner.finish(&mut |l| lines.push(l.to_owned()));
        lines
    }

    #[test]
    fn colours_titles_and_charsets_vanish() {
        assert_eq!(clean(b"\x1b]0;title\x07\x1b[1;31mred\x1b[0m \x1b(Bplain\r\n"), ["red plain"]);
        assert_eq!(clean(b"a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b\n"), ["alinkb"]);
        assert_eq!(clean(b"\x1bP+q544e\x1b\\ok\n"), ["ok"]);
    }

    #[test]
    fn of_lines_none_is_lost_that_was_not_painted_again() {
        let mut lines = Vec::new();
        let mut cleaner = Cleaner::of_lines();
        cleaner.feed(b"y\ny\n\n\ny\nrow\nz\n\x1b[2Arow\nz\nz\n", &mut |line| lines.push(line.to_owned()));
        assert_eq!(lines, ["y", "y", "", "", "y", "row", "z"]);
        assert_eq!(clean(b"y\ny\n"), ["y"]);
    }

    #[test]
    fn a_progress_line_keeps_its_last_word() {
        assert_eq!(clean(b"10%\r50%\r100% done\n"), ["100% done"]);
        assert_eq!(clean(b"abc\x08\x08X\n"), ["aXc"]);
        assert_eq!(clean(b"long text\r\x1b[Kshort\n"), ["short"]);
    }

    #[test]
    fn blanks_painted_by_cursor_moves_stay_blanks() {
        assert_eq!(clean(b"two\x1b[1Cwords\n"), ["two words"]);
        assert_eq!(clean(b"\x1b[5;3Hhere\x1b[6;1Hthere"), ["  here", "there"]);
    }

    #[test]
    fn equal_neighbours_collapse() {
        assert_eq!(clean(b"a\na\n\n\n\nb\na\n"), ["a", "", "b", "a"]);
    }

    #[test]
    fn a_repaint_shows_only_what_changed() {
        let mut screen = Vec::new();
        for second in 0..3 {
            screen.extend_from_slice(format!("header\r\nbody\r\ntime {second}\r\n\x1b[3A").as_bytes());
        }
        assert_eq!(clean(&screen), ["header", "body", "time 0", "time 1", "time 2"]);
    }

    #[test]
    fn real_lines_that_repeat_later_are_kept() {
        assert_eq!(clean(b"ok\nrun\nok\n"), ["ok", "run", "ok"]);
    }

    #[test]
    fn broken_utf8_and_split_characters() {
        let mut lines = Vec::new();
        let mut cleaner = Cleaner::default();
        for byte in "grün — 日本\n".bytes() {
            cleaner.feed(&[byte], &mut |l| lines.push(l.to_owned()));
        }
        cleaner.feed(b"a\xffb\xe6\n", &mut |l| lines.push(l.to_owned()));
        assert_eq!(lines, ["grün — 日本", "a\u{fffd}b\u{fffd}"]);
    }

    proptest! {
        #[test]
        fn no_control_character_gets_through(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for line in clean(&bytes) {
                prop_assert!(!line.chars().any(|c| c.is_control()), "{line:?}");
            }
        }

        #[test]
        fn it_does_not_matter_how_bytes_arrive(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..300) {
            let cut = cut.min(bytes.len());
            let mut lines = Vec::new();
            let mut cleaner = Cleaner::default();
            cleaner.feed(&bytes[..cut], &mut |l| lines.push(l.to_owned()));
            cleaner.feed(&bytes[cut..], &mut |l| lines.push(l.to_owned()));
            cleaner.finish(&mut |l| lines.push(l.to_owned()));
            prop_assert_eq!(lines, clean(&bytes));
        }
    }
}
