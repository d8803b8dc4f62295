//! Words of which every match of a pattern holds one. Where none stands, the pattern need not be tried: a dialog's hints are
//! found ten times as fast as the rows around them.
use regex_syntax::hir::{Class, Hir, HirKind, Look, LookSet};

/// Shorter ones stand everywhere.
const SHORTEST: usize = 4;
/// More are searched no faster than the pattern.
const MOST: usize = 32;

/// The longest that can be told, if any can.
pub fn needed(part: &Hir) -> Option<Vec<String>> {
    let found = any_of(part)?;
    (found.len() <= MOST && shortest(&found) >= SHORTEST).then_some(found)
}

fn shortest(words: &[String]) -> usize {
    words.iter().map(String::len).min().unwrap_or(0)
}

fn any_of(part: &Hir) -> Option<Vec<String>> {
    match part.kind() {
        HirKind::Literal(_) => repeated(part).map(|(word, _)| vec![word]),
        HirKind::Repetition(again) if again.min > 0 => any_of(&again.sub),
        HirKind::Capture(group) => any_of(&group.sub),
        HirKind::Concat(parts) => {
            let mut found: Vec<Vec<String>> = parts.iter().filter_map(any_of).collect();
            // Words that stand together are one: ` {12,}esc` holds twelve blanks and `esc`.
            let mut together = String::new();
            for part in parts {
                let (word, is_all) = repeated(part).unwrap_or_default();
                together.push_str(&word);
                found.push(vec![together.clone()]);
                if !is_all {
                    together = word;
                }
            }
            found.into_iter().max_by_key(|words| shortest(words))
        }
        HirKind::Alternation(either) => {
            let all: Option<Vec<Vec<String>>> = either.iter().map(any_of).collect();
            all.map(|all| all.concat())
        }
        _ => None,
    }
}

/// A word as often as it stands there at least, and whether that is all.
fn repeated(part: &Hir) -> Option<(String, bool)> {
    match part.kind() {
        HirKind::Literal(literal) => Some((str::from_utf8(&literal.0).ok()?.to_owned(), true)),
        HirKind::Repetition(again) if again.min > 0 => {
            let (word, is_all) = repeated(&again.sub)?;
            (is_all && again.min < 100).then(|| (word.repeat(again.min as usize), again.max == Some(again.min)))
        }
        _ => None,
    }
}

/// No match goes over a row's end, asks what stands in another row, or is empty: so it is in one of the rows.
pub fn in_one_row(part: &Hir) -> bool {
    let of_rows = [Look::StartLF, Look::EndLF, Look::WordAscii, Look::WordAsciiNegate];
    let others = part.properties().look_set().subtract(of_rows.into_iter().fold(LookSet::empty(), LookSet::insert));
    others.is_empty() && !takes_row_end(part) && part.properties().minimum_len() > Some(0)
}

fn takes_row_end(part: &Hir) -> bool {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Unicode(class)) => class.iter().any(|r| (r.start()..=r.end()).contains(&'\n')),
        HirKind::Class(Class::Bytes(class)) => class.iter().any(|r| (r.start()..=r.end()).contains(&b'\n')),
        HirKind::Repetition(repeated) => takes_row_end(&repeated.sub),
        HirKind::Capture(group) => takes_row_end(&group.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(takes_row_end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_syntax::ParserBuilder;

    fn hir(pattern: &str) -> Hir {
        ParserBuilder::new().multi_line(true).build().parse(pattern).unwrap()
    }

    #[test]
    fn the_longest_words_that_a_match_cannot_be_without() {
        let needed = |pattern| super::needed(&hir(pattern)).map(|words| words.join("|"));
        assert_eq!(needed(r"^ *(?:one|two words)[\s\S]*?● x"), Some("● x".into()));
        assert_eq!(needed(r"^[ │]*(?:Usage limit|[^\n]*?daily quota)x?"), Some("Usage limit|daily quota".into()));
        assert_eq!(needed(r"^ {5,}\S(?:x\S)? {4,}esc *$"), Some("    esc".into()));
        assert_eq!(needed("one{2} (?:two){1,}x?three"), Some("onee two".into()));
        assert_eq!(needed("a{0,3}(?:[Tt]ime out)+"), Some("ime out".into()));
        assert_eq!(needed("one word|[a-z]+"), None);
        assert_eq!(needed("(?:one word)?"), None);
        assert_eq!(needed("one"), None, "too short");
    }

    #[test]
    fn a_pattern_that_may_see_another_row() {
        let in_one_row = |pattern| super::in_one_row(&hir(pattern));
        assert!(in_one_row(r"^ {2}[^\n]*(?-u:\b)x$|\S.*y"));
        for over in [r"a\s", "a\nb", "[^x]*", r"a\z", r"\Aa", r"(?s:.)", "^a?$"] {
            assert!(!in_one_row(over), "{over}");
        }
    }
}
