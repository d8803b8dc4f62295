//! Parts of a screen by its rows.
use super::{
    fold::is_frame,
    signs::{self, Signs, Slot},
};
use std::{iter, ops::Range};

/// A banner, with the reset time and the words that belong to it, takes at most so many rows.
pub const BANNER: usize = 4;

/// A screen that was cut into rows once.
pub struct Rows<'t> {
    pub text: &'t str,
    /// Where each begins, and with which sign.
    starts: Vec<(usize, Slot)>,
    /// All of these signs.
    pub signs: Signs,
}

impl<'t> Rows<'t> {
    pub fn of(text: &'t str) -> Rows<'t> {
        let mut starts = Vec::with_capacity(64);
        let mut signs = Signs::default();
        let mut at = 0;
        for row in text.split('\n') {
            let sign = signs::first(row);
            starts.push((at, sign));
            signs.add(sign);
            at += row.len() + 1;
        }
        Rows { text, starts, signs }
    }

    /// 0-based row at a byte.
    pub fn at(&self, byte: usize) -> usize {
        self.from(byte + 1) - 1
    }

    /// Where the row begins.
    pub fn start(&self, row: usize) -> Option<usize> {
        self.starts.get(row).map(|(at, _)| *at)
    }

    /// The row's text; none below the last one.
    pub fn get(&self, row: usize) -> &'t str {
        self.below(row, 1)
    }

    /// `n` rows from `row` on.
    pub fn below(&self, row: usize, n: usize) -> &'t str {
        let end = self.start(row + n).map_or(self.text.len(), |next| next - 1);
        self.start(row).map_or("", |start| &self.text[start..end])
    }

    /// The first row that begins at this byte or behind it.
    fn from(&self, byte: usize) -> usize {
        self.starts.partition_point(|(at, _)| *at < byte)
    }

    /// The rows in a part of the screen, and with which sign each begins. The part itself begins one.
    pub fn within(&self, part: Range<usize>) -> impl DoubleEndedIterator<Item = (Range<usize>, Slot)> + Clone {
        let from = self.from(part.start + 1);
        let to = self.from(part.end).max(from);
        let end = move |row: usize| self.start(row + 1).map_or(part.end, |next| part.end.min(next - 1));
        let begin = (part.start..end(from - 1), signs::first(&self.text[part.start..part.end]));
        iter::once(begin).chain((from..to).map(move |row| (self.starts[row].0..end(row), self.starts[row].1)))
    }

    /// Where the last `n` rows begin, those not counted in which nothing but a frame stands.
    pub fn last_filled(&self, n: usize) -> usize {
        // Most rows begin with a letter, and none of these is blank.
        let is_filled =
            |(row, (_, sign)): &(usize, &(usize, Slot))| sign.is_ascii_graphic() || !is_blank(self.get(*row));
        self.starts.iter().enumerate().rev().filter(is_filled).nth(n - 1).map_or(0, |(_, (at, _))| *at)
    }
}

/// The last `n` rows of a text without blank rows at its end.
pub fn last(text: &str, n: usize) -> &str {
    match text.rmatch_indices('\n').nth(n - 1) {
        Some((at, _)) => &text[at + 1..],
        None => text,
    }
}

/// Nothing but a frame, or nothing.
pub fn is_blank(row: &str) -> bool {
    // Blanks and lines are skipped by their bytes, in half of the time.
    let mut rest = row.as_bytes();
    while let [b' ', more @ ..] | [0xe2, 0x94 | 0x95, _, more @ ..] = rest {
        rest = more;
    }
    row[row.len() - rest.len()..].chars().all(is_frame)
}

/// Rows as one line, without their frames.
pub fn one_line(rows: &str) -> String {
    rows.lines().map(|row| row.trim_matches(is_frame)).filter(|row| !row.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The last rows that stand together, as one line.
pub fn last_paragraph(rows: &str) -> String {
    let is_blank = |row: &&str| is_blank(row);
    let mut last: Vec<&str> = rows.lines().rev().skip_while(is_blank).take_while(|row| !is_blank(row)).collect();
    last.reverse();
    one_line(&last.join("\n"))
}
