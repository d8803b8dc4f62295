//! A pattern of a preset. It is tried where a row begins with a sign of its own, and not at every byte of a screen, and
//! from the last row up where a match cannot be longer than a row: that halves the time of a reading. What it finds is what
//! the plain pattern finds.
use super::{
    rows::Rows,
    signs::{self, Signs},
    words,
};
use regex::{Captures, Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use std::ops::Range;

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
        let text = &rows.text[..part.end];
        let row = |at: usize| text[at..].split('\n').next().unwrap_or_default();
        let matched = |found: regex::Match, at: usize| at + found.start()..at + found.end();
        let last_in = |part: &str, at: usize| self.plain.find_iter(part).last().map(|found| matched(found, at));
        let tries = self.tries(rows, part.clone());
        let few = tries.as_ref().is_some_and(Tries::are_few);
        if !few && !self.may_be_in(&text[part.start..]) {
            return None;
        }
        match tries {
            Some(Tries { here, at }) if self.in_one_row => {
                at.rev().find_map(|at| Some(matched(here.find(row(at))?, at)))
            }
            Some(Tries { here, at }) if few => at.fold(None, |last: Option<Range<usize>>, at| {
                let is_free = last.as_ref().is_none_or(|last| last.end <= at);
                let found = if is_free { here.find(&text[at..]) } else { None };
                found.map(|found| matched(found, at)).or(last)
            }),
            _ if self.in_one_row => rows.within(part).rev().find_map(|(at, _)| last_in(row(at), at)),
            _ => last_in(&text[part.start..], part.start),
        }
    }

    /// Where its first match in this text begins.
    pub fn first(&self, text: &str) -> Option<usize> {
        self.may_be_in(text).then(|| self.plain.find(text)).flatten().map(|found| found.start())
    }

    /// Where the last row before byte `to` begins that it matches in; 0 without one.
    pub fn last_row(&self, rows: &Rows, to: usize) -> usize {
        let row = |at: usize| rows.text[at..to].split('\n').next().unwrap_or_default();
        let (signs, re) = self.rows.as_ref().map_or((&Signs::ALL, &self.plain), |rows| (&rows.signs, &rows.here));
        let begins = rows.within(0..to).rev().filter(|(_, sign)| signs.has(*sign));
        begins.map(|(at, _)| at).find(|at| re.is_match(row(*at))).unwrap_or(0)
    }

    /// What its group finds in a part of the screen, or all of it without a group.
    pub fn captured(&self, rows: &Rows, part: Range<usize>) -> Option<Range<usize>> {
        let text = &rows.text[..part.end];
        let group = |found: Captures, at: usize| {
            let group = found.get(1).or_else(|| found.get(0))?;
            Some(at + group.start()..at + group.end())
        };
        match self.tries(rows, part.clone()).filter(Tries::are_few) {
            Some(Tries { here, mut at }) => at.find_map(|at| group(here.captures(&text[at..])?, at)),
            None => group(self.plain.captures(&text[part.start..])?, part.start),
        }
    }

    /// `false`: a word that it needs is not there.
    fn may_be_in(&self, text: &str) -> bool {
        self.words.as_ref().is_none_or(|words| words.is_match(text))
    }

    /// Where a match in `part` can begin; `None`: anywhere.
    fn tries<'a>(
        &'a self,
        rows: &'a Rows,
        part: Range<usize>,
    ) -> Option<Tries<'a, impl DoubleEndedIterator<Item = usize> + Clone + 'a>> {
        let AtRows { signs, here } = self.rows.as_ref()?;
        let at = rows.within(part).filter(|(_, sign)| signs.has(*sign)).map(|(at, _)| at);
        Some(Tries { here, at })
    }
}

/// The bytes at which a pattern is to be tried.
struct Tries<'p, At> {
    here: &'p Regex,
    at: At,
}

impl<At: Iterator + Clone> Tries<'_, At> {
    fn are_few(&self) -> bool {
        self.at.clone().nth(MOST_TRIES).is_none()
    }
}
