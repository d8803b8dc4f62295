//! A pattern of a preset. It is tried where a row begins with a sign of its own, and not at every byte of a screen, and
//! from the last row up where a match cannot be longer than a row: that halves the time of a reading. What it finds is what
//! the plain pattern finds.
use super::{
    rows::Rows,
    signs::{self, Signs},
    words,
};
use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use std::ops::Range;

/// So many tries take no longer than to look for the words that a pattern needs.
const TRIES_AT_ONCE: usize = 4;
/// Where more rows begin with its signs, one search through all of them is faster; and tries that each read a long box to
/// its end would take a time that grows with the square of it.
const MOST_TRIES: usize = 16;

#[derive(Debug)]
pub struct Pattern {
    text: String,
    /// It may match anywhere.
    plain: Regex,
    /// `None`: its matches do not begin rows, or with any sign.
    rows: Option<AtRows>,
    /// Every match holds one of some words.
    words: Option<Regex>,
    /// No match is longer than a row.
    in_one_row: bool,
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
        let parsed = ParserBuilder::new().multi_line(true).build().parse(&ascii).map_err(|e| format!("{text}: {e}"))?;
        let rows = match Signs::of(&parsed) {
            Some(signs) => Some(AtRows { signs, here: build(&format!(r"\A(?:{ascii})"))? }),
            None => None,
        };
        let any_of = |words: Vec<String>| words.iter().map(|word| regex::escape(word)).collect::<Vec<_>>().join("|");
        Ok(Pattern {
            text: text.to_owned(),
            plain: build(&ascii)?,
            rows,
            words: words::needed(&parsed).map(|words| build(&any_of(words))).transpose()?,
            in_one_row: words::in_one_row(&parsed),
        })
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

    /// `false`: it matches in no part of the screen that begins where a row does.
    pub fn may_be_on(&self, rows: &Rows) -> bool {
        match &self.rows {
            Some(own) => own.signs.meets(&rows.signs),
            None => self.may_be_in(rows.text),
        }
    }

    /// Its last match in a part of the screen, of those that do not overlap.
    pub fn last(&self, rows: &Rows, part: Range<usize>) -> Option<Range<usize>> {
        let text = rows.text;
        let matched = |found: regex::Match, at: usize| at + found.start()..at + found.end();
        let tries = self.tries(rows, part.clone());
        let at_most = |n: usize| tries.as_ref().is_some_and(|tries| tries.at_most(n));
        if !at_most(TRIES_AT_ONCE) && !self.may_be_in(&text[part.clone()]) {
            return None;
        }
        let few = at_most(MOST_TRIES);
        let last_in = |part: Range<usize>| {
            self.plain.find_iter(&text[part.clone()]).last().map(|found| matched(found, part.start))
        };
        match tries {
            Some(Tries { here, rows }) if self.in_one_row => {
                rows.rev().find_map(|row| Some(matched(here.find(&text[row.clone()])?, row.start)))
            }
            Some(Tries { here, rows }) if few => rows.fold(None, |last: Option<Range<usize>>, row| {
                let is_free = last.as_ref().is_none_or(|last| last.end <= row.start);
                let found = if is_free { here.find(&text[row.start..part.end]) } else { None };
                found.map(|found| matched(found, row.start)).or(last)
            }),
            _ if self.in_one_row => rows.within(part).rev().find_map(|(row, _)| last_in(row)),
            _ => last_in(part),
        }
    }

    /// Where its first match in this text begins.
    pub fn first(&self, text: &str) -> Option<usize> {
        self.may_be_in(text).then(|| self.plain.find(text)).flatten().map(|found| found.start())
    }

    /// Where the last row before byte `to` begins that it matches in; 0 without one.
    pub fn last_row(&self, rows: &Rows, to: usize) -> usize {
        let (signs, re) = self.rows.as_ref().map_or((&Signs::ALL, &self.plain), |own| (&own.signs, &own.here));
        let mut rows_up = rows.within(0..to).rev();
        let found = rows_up.find(|(row, sign)| signs.has(*sign) && re.is_match(&rows.text[row.clone()]));
        found.map_or(0, |(row, _)| row.start)
    }

    /// What its group finds in a part of the screen, or all of it without a group.
    pub fn captured(&self, rows: &Rows, part: Range<usize>) -> Option<Range<usize>> {
        let group = |re: &Regex, at: usize| {
            let found = re.captures(&rows.text[at..part.end])?;
            let group = found.get(1).or_else(|| found.get(0))?;
            Some(at + group.start()..at + group.end())
        };
        match self.tries(rows, part.clone()).filter(|tries| tries.at_most(MOST_TRIES)) {
            Some(mut tries) => tries.rows.find_map(|row| group(tries.here, row.start)),
            None => group(&self.plain, part.start),
        }
    }

    /// `false`: a word that it needs is not there.
    fn may_be_in(&self, text: &str) -> bool {
        self.words.as_ref().is_none_or(|words| words.is_match(text))
    }

    /// The rows with which a match in `part` can begin; `None`: it can anywhere.
    fn tries<'a>(
        &'a self,
        rows: &'a Rows,
        part: Range<usize>,
    ) -> Option<Tries<'a, impl DoubleEndedIterator<Item = Range<usize>> + Clone + 'a>> {
        let AtRows { signs, here } = self.rows.as_ref()?;
        let rows = rows.within(part).filter(|(_, sign)| signs.has(*sign)).map(|(row, _)| row);
        Some(Tries { here, rows })
    }
}

/// The rows with which a match can begin, and what is tried there.
struct Tries<'p, Rows> {
    here: &'p Regex,
    rows: Rows,
}

impl<Rows: Iterator + Clone> Tries<'_, Rows> {
    fn at_most(&self, n: usize) -> bool {
        self.rows.clone().nth(n).is_none()
    }
}
