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
use std::{ops::Range, sync::OnceLock};

/// So many tries take no longer than to look for the words that a pattern needs.
const TRIES_AT_ONCE: usize = 4;
/// Where more rows begin with its signs, one search through all of them is faster; and tries that each read a long box to
/// its end would take a time that grows with the square of it.
const MOST_TRIES: usize = 16;

#[derive(Debug)]
pub struct Pattern {
    /// It may match anywhere.
    plain: Built,
    /// `None`: its matches do not begin rows, or with any sign.
    rows: Option<AtRows>,
    /// Every match holds one of some words.
    words: Option<Built>,
    /// No match is longer than a row.
    in_one_row: bool,
}

#[derive(Debug)]
struct AtRows {
    signs: Signs,
    /// The same pattern, from the first byte on or not at all.
    here: Built,
}

/// Built when it is first asked for: most commands need none of a preset's patterns, and a fleet does not need them all.
#[derive(Debug)]
struct Built {
    text: String,
    regex: OnceLock<Regex>,
}

impl Built {
    fn of(text: String) -> Built {
        Built { text, regex: OnceLock::new() }
    }

    fn get(&self) -> &Regex {
        // The presets ship with the program, and a test builds each pattern.
        let build = || RegexBuilder::new(&self.text).multi_line(true).build();
        self.regex.get_or_init(|| build().unwrap_or_else(|e| panic!("pattern `{}`: {e}", self.text)))
    }
}

impl Pattern {
    pub fn new(text: &str) -> Result<Pattern, String> {
        // A word's end by Unicode's rules cannot be found by tables where a screen is not all ASCII, and none is.
        let text = text.replace(r"\b", r"(?-u:\b)");
        let parsed = ParserBuilder::new().multi_line(true).build().parse(&text).map_err(|e| format!("{text}: {e}"))?;
        let here = || Built::of(format!(r"\A(?:{text})"));
        let any_of = |words: Vec<String>| words.iter().map(|word| regex::escape(word)).collect::<Vec<_>>().join("|");
        Ok(Pattern {
            rows: Signs::of(&parsed).map(|signs| AtRows { signs, here: here() }),
            words: words::needed(&parsed).map(|words| Built::of(any_of(words))),
            in_one_row: words::in_one_row(&parsed),
            plain: Built::of(text),
        })
    }

    /// As it was written, but for ends of words.
    pub fn as_str(&self) -> &str {
        &self.plain.text
    }

    pub fn plain(&self) -> &Regex {
        self.plain.get()
    }

    /// Whether it matches in this one row.
    pub fn is_in(&self, row: &str) -> bool {
        match &self.rows {
            Some(rows) => rows.signs.has(signs::first(row)) && rows.here.get().is_match(row),
            None => self.plain().is_match(row),
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
            self.plain().find_iter(&text[part.clone()]).last().map(|found| matched(found, part.start))
        };
        match tries {
            Some(Tries { here, rows }) if self.in_one_row => {
                rows.rev().find_map(|row| Some(matched(here.get().find(&text[row.clone()])?, row.start)))
            }
            Some(Tries { here, rows }) if few => rows.fold(None, |last: Option<Range<usize>>, row| {
                let is_free = last.as_ref().is_none_or(|last| last.end <= row.start);
                let found = if is_free { here.get().find(&text[row.start..part.end]) } else { None };
                found.map(|found| matched(found, row.start)).or(last)
            }),
            _ if self.in_one_row => rows.within(part).rev().find_map(|(row, _)| last_in(row)),
            _ => last_in(part),
        }
    }

    /// Where its first match in this text begins.
    pub fn first(&self, text: &str) -> Option<usize> {
        self.may_be_in(text).then(|| self.plain().find(text)).flatten().map(|found| found.start())
    }

    /// Where the last row before byte `to` begins that it matches in; 0 without one.
    pub fn last_row(&self, rows: &Rows, to: usize) -> usize {
        let (signs, re) = self.rows.as_ref().map_or((&Signs::ALL, &self.plain), |own| (&own.signs, &own.here));
        let mut rows_up = rows.within(0..to).rev();
        let found = rows_up.find(|(row, sign)| signs.has(*sign) && re.get().is_match(&rows.text[row.clone()]));
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
            Some(mut tries) => tries.rows.find_map(|row| group(tries.here.get(), row.start)),
            None => group(self.plain(), part.start),
        }
    }

    /// `false`: a word that it needs is not there.
    fn may_be_in(&self, text: &str) -> bool {
        self.words.as_ref().is_none_or(|words| words.get().is_match(text))
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
    here: &'p Built,
    rows: Rows,
}

impl<Rows: Iterator + Clone> Tries<'_, Rows> {
    fn at_most(&self, n: usize) -> bool {
        self.rows.clone().nth(n).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backends::preset, model::policy::PRESETS};
    use std::{fs, path::Path};

    /// The screens that were recorded of this CLI.
    fn recorded(cli: &str) -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/panes").join(cli);
        let files = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
        files.filter(|p| p.extension().is_some_and(|e| e == "txt")).map(|p| fs::read_to_string(p).unwrap()).collect()
    }

    fn patterns(cli: &str) -> Vec<&'static Pattern> {
        let preset = preset::named(cli).unwrap_or(preset::generic());
        let parts = [&preset.composer, &preset.below, &preset.item, &preset.background, &preset.draft];
        let more = [&preset.dialog_top, &preset.dialog_foot, &preset.dialog_bar];
        let rules = preset.rules.iter().map(|rule| &rule.re).filter(|re| !re.as_str().is_empty());
        rules.chain(&preset.stale).chain(parts.into_iter().chain(more).flatten()).collect()
    }

    /// Every pattern of a preset on a third of the screens of its CLI, whole, cut at a row, and with its rows turned around.
    #[test]
    fn what_it_finds_is_what_the_plain_pattern_finds() {
        for cli in PRESETS {
            let (patterns, screens) = (patterns(cli), recorded(cli));
            for (i, screen) in screens.iter().map(|screen| screen.trim_end()).enumerate().step_by(3) {
                let turned: Vec<&str> = screen.split('\n').rev().collect();
                for text in [screen, &turned.join("\n")] {
                    let rows = Rows::of(text);
                    let cut = rows.start(i % 20 + 3).unwrap_or(0);
                    for pattern in &patterns {
                        for part in [0..text.len(), 0..cut, cut.saturating_sub(1)..text.len()] {
                            let plain = pattern.plain().find_iter(&text[part.clone()]).last();
                            let plain = plain.map(|found| part.start + found.start()..part.start + found.end());
                            assert_eq!(
                                pattern.last(&rows, part.clone()),
                                plain,
                                "{} in {part:?} of {text}",
                                pattern.as_str()
                            );
                        }
                        let above = &text[..cut.saturating_sub(1)];
                        let up = above.rsplit('\n').position(|row| pattern.plain().is_match(row));
                        let last_row = up.and_then(|n| rows.start(rows.at(above.len()) - n)).unwrap_or(0);
                        assert_eq!(pattern.last_row(&rows, cut), last_row, "{} in {text}", pattern.as_str());
                        let group = pattern.plain().captures(&text[..cut]);
                        let group = group.and_then(|found| Some(found.get(1).or_else(|| found.get(0))?.range()));
                        assert_eq!(pattern.captured(&rows, 0..cut), group, "{} in {text}", pattern.as_str());
                    }
                }
            }
        }
    }

    #[test]
    fn every_pattern_of_a_preset_can_be_built() {
        for pattern in PRESETS.into_iter().chain(["generic"]).flat_map(patterns) {
            let own = pattern.rows.as_ref().map(|own| own.here.get().as_str().len());
            let words = pattern.words.as_ref().map(|words| words.get().as_str().len());
            assert!(pattern.plain().as_str().len() + own.unwrap_or(0) + words.unwrap_or(0) > 0);
        }
        for cli in PRESETS {
            let preset = preset::named(cli);
            let dialogs = preset.iter().flat_map(|preset| &preset.dialogs);
            assert!(dialogs.map(|known| known.asks.plain().as_str()).all(|text| !text.is_empty()), "{cli}");
        }
    }
}
