//! What stands in an input line, unsent: found by the user's pattern, or, without one, by a text of ours at the cursor.
use super::{
    fold::{is_frame, squeeze},
    pattern::Pattern,
    rows::Rows,
};
use crate::model::{name::printable_cut, reading::Draft};
use regex::Regex;
use std::ops::Range;

/// A long text may have been scrolled up in its input line: so many of its last characters must be seen.
const ENOUGH: usize = 60;

/// What tells where a draft stands.
#[derive(Clone, Copy)]
pub enum Drafts<'p> {
    /// `draft_re`.
    Own(&'p Regex),
    Preset(&'p Pattern),
}

impl Drafts<'_> {
    /// The draft in what stands before byte `end`.
    fn before(self, rows: &Rows, end: usize) -> Option<Range<usize>> {
        match self {
            Drafts::Own(re) => {
                let found = re.captures(&rows.text[..end])?;
                Some(found.get(1).or_else(|| found.get(0))?.range())
            }
            Drafts::Preset(pattern) => pattern.captured(rows, 0..end),
        }
    }
}

pub fn find(rows: &Rows, cursor: (u16, u16), drafts: Option<Drafts>, ours: &[(i64, String)]) -> Option<Draft> {
    let end = before_cursor(rows, cursor);
    let Some(drafts) = drafts else {
        let left = &rows.text[..end];
        let (id, sent) = ours.iter().find(|(_, sent)| ends_at_cursor(left, sent))?;
        let (text, chars) = (printable_cut(sent, 200), sent.chars().count());
        return Some(Draft { text, chars, ours: Some(*id), begins: None });
    };
    let draft = &rows.text[drafts.before(rows, end)?];
    let squeezed = squeeze(draft);
    if squeezed.is_empty() {
        return None;
    }
    let mine = ours.iter().find(|(_, sent)| is_whole(&squeezed, sent));
    let partial = ours.iter().find(|(_, sent)| is_beginning(&squeezed, sent)).filter(|_| mine.is_none());
    let words = draft.split(is_frame).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    let (text, chars) = (printable_cut(&words, 200), draft.chars().count());
    Some(Draft { text, chars, ours: mine.map(|(id, _)| *id), begins: partial.map(|(id, _)| *id) })
}

/// The screen up to the end of what stands in the input line, else up to the cursor.
pub fn up_to<'t>(rows: &Rows<'t>, cursor: (u16, u16), drafts: Option<Drafts>) -> &'t str {
    let end = before_cursor(rows, cursor);
    &rows.text[..drafts.and_then(|d| d.before(rows, end)).map_or(end, |draft| draft.end)]
}

/// The byte at which the cursor stands.
fn before_cursor(rows: &Rows, (column, row): (u16, u16)) -> usize {
    let Some(at) = rows.start(row.into()) else { return rows.text.len() };
    let row = rows.get(row.into());
    at + row.char_indices().nth(column.into()).map_or(row.len(), |(i, _)| i)
}

/// What some programs show in place of a long text, just before the cursor: its place in the squeezed text.
pub fn placeholder(squeezed: &str) -> Option<usize> {
    let at = squeezed.strip_suffix(']')?.rfind("[Pasted")?;
    (squeezed[at..].chars().count() <= 40 && !squeezed[at..squeezed.len() - 1].contains(']')).then_some(at)
}

fn is_whole(draft: &str, sent: &str) -> bool {
    let whole = squeeze(sent);
    let counted = || {
        let digits = draft.strip_suffix("chars]").filter(|_| placeholder(draft) == Some(0))?;
        let digits = digits.trim_start_matches(|c: char| !c.is_ascii_digit());
        digits.parse().ok().map(|n: usize| n == sent.chars().count())
    };
    draft == whole || (draft.chars().count() >= ENOUGH && whole.ends_with(draft)) || counted().unwrap_or_default()
}

fn is_beginning(draft: &str, sent: &str) -> bool {
    let whole = squeeze(sent);
    whole.len() > draft.len() && whole.starts_with(draft)
}

/// The cursor stands right behind the last character of `sent`.
fn ends_at_cursor(left: &str, sent: &str) -> bool {
    let whole = squeeze(sent);
    let tail = match whole.char_indices().rev().nth(ENOUGH - 1) {
        Some((at, _)) => &whole[at..],
        None => whole.as_str(),
    };
    let last_row = left.rsplit('\n').next().unwrap_or_default();
    !tail.is_empty() && last_row.chars().next_back() == whole.chars().next_back() && squeeze(left).ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAUDE: &str = r"(?m)^❯[ \u{a0}](\S[^\n]*(?:\n(?: {2}[^\n]*)?)*)\z";

    fn with(pattern: &str, text: &str, cursor: (u16, u16), sent: &str) -> Option<Draft> {
        find(&Rows::of(text), cursor, Some(Drafts::Own(&Regex::new(pattern).unwrap())), &[(7, sent.to_owned())])
    }

    #[test]
    fn a_placeholder_behind_the_cursor_is_no_draft() {
        assert_eq!(with(CLAUDE, "● Done.\n────\n❯\u{a0}Try \"fix\"\n────", (2, 2), "x"), None);
        assert_eq!(with(CLAUDE, "❯ said before\n\n● Done.\n────\n❯\u{a0}\n────", (2, 4), "x"), None);
    }

    #[test]
    fn ours_is_told_from_a_persons() {
        let text = "● Done.\n────\n❯\u{a0}pull and verify the\n  gate\n────";
        assert_eq!(with(CLAUDE, text, (6, 3), "pull and verify the gate").unwrap().ours, Some(7));
        let other = with(CLAUDE, text, (6, 3), "and verify the gate").unwrap();
        assert_eq!((other.ours, other.text.as_str()), (None, "pull and verify the gate"));
        assert_eq!(other.chars, 26);
    }

    #[test]
    fn a_beginning_of_ours_is_told_from_the_whole() {
        let codex = r"(?m)^› (\S[^\n]*(?:\n(?: {2}[^\n]*)?)*)\z";
        let sent = "pull and verify the gate";
        let part = with(codex, "› pull and ver\n\n  footer", (14, 0), sent).unwrap();
        assert_eq!((part.ours, part.begins), (None, Some(7)));
        let whole = with(codex, "› pull and verify the gate", (26, 0), sent).unwrap();
        assert_eq!((whole.ours, whole.begins), (Some(7), None));
        let more = with(codex, "› pull and verify the gate now", (30, 0), sent).unwrap();
        assert_eq!((more.ours, more.begins), (None, None));
    }

    #[test]
    fn a_counted_placeholder_is_ours_if_the_number_fits() {
        let sent = "x".repeat(3104);
        let text = "› [Pasted Content 3104 chars]";
        let codex = r"(?m)^› (\S[^\n]*(?:\n(?: {2}[^\n]*)?)*)\z";
        assert_eq!(with(codex, text, (29, 0), &sent).unwrap().ours, Some(7));
        assert_eq!(with(codex, text, (29, 0), "short").unwrap().ours, None);
        assert_eq!(with(codex, "› [Pasted text #1]", (18, 0), &sent).unwrap().ours, None);
    }

    #[test]
    fn without_a_pattern_only_our_own_text_at_the_cursor_counts() {
        let ours = [(3, "hello world".to_owned())];
        let find = |text, cursor| find(&Rows::of(text), cursor, None, &ours);
        assert_eq!(find("$ hello world", (13, 0)).unwrap().ours, Some(3));
        assert_eq!(find("$ hello world\n$ ", (2, 1)), None);
        assert_eq!(find("hello world\n", (0, 1)), None, "sent to a program without a prompt");
        assert_eq!(find("$ a draft", (9, 0)), None);
    }
}
