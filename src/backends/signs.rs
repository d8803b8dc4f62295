//! With which signs the matches of a pattern begin. A screen has some forty rows, a preset some twenty patterns, and almost
//! every pattern begins at a row's beginning with a sign of its own (`●`, `✕ `, `  ⎿`): a look at the first sign of each row
//! tells where a pattern can hold at all.
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Of each row only the first sign that is no blank is looked at; a row without one has its end, `\n`.
pub type Slot = u8;

/// A set of signs. Several that are not ASCII share a slot, so that it answers "no" or "maybe".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs([u64; 4]);

/// One slot for each sign of ASCII; the others share 128, of which 128 in a row take each one.
fn slot(sign: char) -> Slot {
    let code = sign as u32;
    // So folded, a rule (`─`) is not a block (`▀`).
    if sign.is_ascii() { code as u8 } else { (code ^ code >> 7) as u8 | 0x80 }
}

/// The slot of the row that begins here.
pub fn first(text: &str) -> Slot {
    let blanks = text.bytes().take_while(|byte| *byte == b' ').count();
    text[blanks..].chars().next().map_or(b'\n', slot)
}

impl Signs {
    pub const ALL: Signs = Signs([u64::MAX; 4]);

    pub fn has(&self, slot: Slot) -> bool {
        self.0[usize::from(slot >> 6)] >> (slot & 63) & 1 == 1
    }

    pub fn meets(&self, other: &Signs) -> bool {
        self.0.iter().zip(other.0).any(|(one, other)| one & other != 0)
    }

    pub fn add(&mut self, slot: Slot) {
        self.0[usize::from(slot >> 6)] |= 1 << (slot & 63);
    }

    fn add_range(&mut self, from: char, to: char) {
        for ascii in (from..=to).take_while(char::is_ascii) {
            self.add(slot(ascii));
        }
        // So many hold 128 in a row, from a multiple of 128 on.
        for sign in (from.max('\u{80}')..=to).take(256) {
            self.add(slot(sign));
        }
    }

    /// `None`: a match may begin in the middle of a row, or have no sign in its first row.
    pub fn of(pattern: &Hir) -> Option<Signs> {
        let begins_rows = pattern.properties().look_set_prefix().contains(Look::StartLF);
        let mut signs = Signs::default();
        (begins_rows && !signs.begin(pattern)).then_some(signs)
    }

    /// Adds the signs with which a match of `part` may begin. Whether it may be over before the first one.
    fn begin(&mut self, part: &Hir) -> bool {
        match part.kind() {
            HirKind::Empty | HirKind::Look(_) => true,
            HirKind::Literal(literal) => {
                let text = String::from_utf8_lossy(&literal.0);
                let sign = text.trim_start_matches(' ').chars().next();
                sign.inspect(|sign| self.add(slot(*sign))).is_none()
            }
            HirKind::Class(Class::Unicode(class)) => {
                class.iter().for_each(|range| self.add_range(range.start(), range.end()));
                class.iter().any(|range| (range.start()..=range.end()).contains(&' '))
            }
            HirKind::Class(Class::Bytes(class)) => {
                class.iter().for_each(|range| self.add_range(range.start().into(), range.end().into()));
                class.iter().any(|range| (range.start()..=range.end()).contains(&b' '))
            }
            HirKind::Repetition(repeated) => self.begin(&repeated.sub) || repeated.min == 0,
            HirKind::Capture(group) => self.begin(&group.sub),
            HirKind::Concat(parts) => parts.iter().all(|part| self.begin(part)),
            // Each of them is looked at.
            HirKind::Alternation(either) => either.iter().filter(|part| self.begin(part)).count() > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_syntax::ParserBuilder;

    fn of(pattern: &str) -> Option<Signs> {
        Signs::of(&ParserBuilder::new().multi_line(true).build().parse(pattern).unwrap())
    }
    fn fits(pattern: &str, rows: &[&str]) -> Option<Vec<bool>> {
        let signs = of(pattern)?;
        Some(rows.iter().map(|row| signs.has(first(row))).collect())
    }

    #[test]
    fn the_first_sign_tells_where_a_pattern_may_hold() {
        let rows = ["● x", "  ⎿ x", "words", "", "   ", "· x", "\nx"];
        assert_eq!(fits("^(?:[●⏺] | {2}⎿)x", &rows), Some(vec![true, true, false, false, false, false, false]));
        let ascii_alone = fits("^ *[!-v]x", &["v", "  a", "w", "●", ""]);
        assert_eq!(ascii_alone, Some(vec![true, true, false, false, false]));
        assert_eq!(fits(r"^\s*(?:wo)?●", &rows), Some(vec![true, false, true, true, true, false, true]));
        assert_eq!(fits(r"^(·|(?:w|x)y)", &rows), Some(vec![false, false, true, false, false, true, false]));
    }

    #[test]
    fn a_pattern_that_may_begin_anywhere_has_none() {
        for anywhere in ["x", "^a|b", "", "^", "^ *", "^ *$", "^(?: {2}.*)?$", r"\Ax"] {
            assert_eq!(of(anywhere), None, "{anywhere}");
        }
    }

    #[test]
    fn a_long_range_of_signs_holds_them_all() {
        let signs = of("^[⠁-⣿a-c]").unwrap();
        assert!(['⠁', '⠋', '⣿', 'a', 'c'].into_iter().all(|c| signs.has(slot(c))));
        assert!(!signs.has(slot('d')) && !signs.has(slot(' ')));
    }
}
