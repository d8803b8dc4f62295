//! A pattern of a preset. It is tried where a row begins with a sign of its own, and not at every byte of a screen: that
//! halves the time of a reading. What it finds is what the plain pattern finds.
use super::{
    rows::Rows,
    signs::{self, Signs},
};
use regex::{Captures, Regex, RegexBuilder};
use std::ops::Range;

/// Where more rows begin with its signs, one search through all of them is faster; and tries that each read a long box to
/// its end would take a time that grows with the square of it.
const MOST_TRIES: usize = 8;

#[derive(Debug)]
pub struct Pattern {
    text: String,
    /// It may match anywhere.
    plain: Regex,
    /// `None`: its matches do not begin rows.
    rows: Option<AtRows>,
}

#[derive(Debug)]
struct AtRows {
    signs: Signs,
    /// The same pattern, from the first byte on or not at all.
    here: Regex,
}

impl Pattern {
    pub fn new(text: &str) -> Result<Pattern, String> {
        // A word's end by Unicode's rules cannot be found by tables where a screen is not all ASCII, and none is.
        let ascii = text.replace(r"\b", r"(?-u:\b)");
        let build =
            |pattern: &str| RegexBuilder::new(pattern).multi_line(true).build().map_err(|e| format!("{text}: {e}"));
        let signs = Signs::of(&ascii).map_err(|e| format!("{text}: {e}"))?;
        let rows = match signs {
            Some(signs) => Some(AtRows { signs, here: build(&format!(r"\A(?:{ascii})"))? }),
            None => None,
        };
        Ok(Pattern { text: text.to_owned(), plain: build(&ascii)?, rows })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn plain(&self) -> &Regex {
        &self.plain
    }

    /// Whether it matches in this one row.
    pub fn is_in(&self, row: &str) -> bool {
        match &self.rows {
            Some(rows) => rows.signs.has(signs::first(row)) && rows.here.is_match(row),
            None => self.plain.is_match(row),
        }
    }

    /// Its last match in a part of the screen, of those that do not overlap.
    pub fn last(&self, rows: &Rows, part: Range<usize>) -> Option<Range<usize>> {
        let text = &rows.text[..part.end];
        let Some((tries, here)) = self.tries(rows, &part) else {
            let found = self.plain.find_iter(&text[part.start..]).last()?;
            return Some(part.start + found.start()..part.start + found.end());
        };
        let mut last: Option<Range<usize>> = None;
        for at in tries {
            if last.as_ref().is_none_or(|last| last.end <= at) {
                last = here.find(&text[at..]).map(|found| at..at + found.end()).or(last);
            }
        }
        last
    }

    /// Where the last row before byte `to` begins that it matches in; 0 without one.
    pub fn last_row(&self, rows: &Rows, to: usize) -> usize {
        let text = |at: usize| rows.text[at..to].split('\n').next().unwrap_or_default();
        let found = match &self.rows {
            Some(AtRows { signs, here }) => rows.beginning(signs, 0..to).rev().find(|at| here.is_match(text(*at))),
            None => rows.beginning(&Signs::ALL, 0..to).rev().find(|at| self.plain.is_match(text(*at))),
        };
        found.unwrap_or(0)
    }

    /// What its group finds in a part of the screen, or all of it without a group.
    pub fn captured(&self, rows: &Rows, part: Range<usize>) -> Option<Range<usize>> {
        let text = &rows.text[..part.end];
        let group = |found: Captures, at: usize| {
            let group = found.get(1).or_else(|| found.get(0))?;
            Some(at + group.start()..at + group.end())
        };
        match self.tries(rows, &part) {
            Some((mut tries, here)) => tries.find_map(|at| group(here.captures(&text[at..])?, at)),
            None => group(self.plain.captures(&text[part.start..])?, part.start),
        }
    }

    /// The bytes where a match in `part` can begin, and the pattern to be tried there; `None` where it has to be searched.
    fn tries<'a>(
        &'a self,
        rows: &'a Rows,
        part: &Range<usize>,
    ) -> Option<(impl Iterator<Item = usize> + 'a, &'a Regex)> {
        let AtRows { signs, here } = self.rows.as_ref()?;
        // A part begins a row for the pattern, wherever it begins.
        let begin = part.start;
        let is_try = signs.has(signs::first(&rows.text[begin..]));
        let tries = is_try.then_some(begin).into_iter().chain(rows.beginning(signs, begin + 1..part.end));
        (tries.clone().nth(MOST_TRIES).is_none()).then_some((tries, here))
    }
}
