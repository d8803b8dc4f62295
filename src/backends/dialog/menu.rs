//! The list of choices on a screen: numbered, or plain rows under each other, one of them under the cursor.
use super::{super::fold::is_frame, known::KnownChoice};
use regex::Regex;
use std::{ops::Range, sync::LazyLock};

/// What marks the choice under the cursor. A `>` without a number is a shell's or a quotation's as well.
const CURSORS: [char; 5] = ['❯', '›', '●', '▶', '>'];
const LINES: [char; 2] = ['│', '┃'];
const BLANKS: [char; 2] = [' ', '\u{a0}'];

/// The more there is below, the less is it a dialog.
const MOST_BELOW: usize = 8;

#[derive(Debug, PartialEq, Eq)]
pub struct Menu {
    /// Screen rows from the first choice to the last, with what belongs to them.
    pub rows: Range<usize>,
    pub choices: Vec<Choice>,
    /// Index of the one under the cursor.
    pub cursor: usize,
    /// They stand side by side.
    pub across: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    pub row: usize,
    /// Without number, frame and check mark.
    pub text: String,
    /// With the rows that go on with it.
    pub whole: String,
}

impl Menu {
    /// The index of the one choice that fits.
    pub fn only(&self, fits: impl Fn(&Choice) -> bool) -> Option<usize> {
        let mut found = (0..self.choices.len()).filter(|i| fits(&self.choices[*i]));
        found.next().filter(|_| found.next().is_none())
    }
}

impl Choice {
    pub fn is(&self, known: &KnownChoice) -> bool {
        known.reads(&self.text) || known.reads(&self.whole)
    }
}

/// One row, cut where its parts begin.
struct Row<'t> {
    cursor: bool,
    number: Option<u32>,
    /// Column of the number, else of the text.
    column: usize,
    text_column: usize,
    /// With what closes the frame.
    rest: &'t str,
}

impl<'t> Row<'t> {
    fn text(&self) -> &'t str {
        self.rest.trim_end_matches(is_frame).trim_end_matches(['✔', '✓']).trim_end_matches(is_frame)
    }
}

/// The last list on the screen that has a cursor. `rows`: all of the screen, without blank ones at its end.
pub fn last(rows: &[&str]) -> Option<Menu> {
    let filled = |row: &&&str| !super::rows::is_blank(row);
    // Most rows are told from one with a cursor by their first sign.
    let may_be = |row: &str| row.trim_start_matches(is_frame).starts_with(CURSORS);
    let is_cursor = |row: &str| may_be(row) && cut(row).is_some_and(|r| r.cursor && (r.number.is_some() || sure(row)));
    let at = rows.iter().rposition(|row| is_cursor(row))?;
    if rows[at + 1..].iter().filter(filled).count() > MOST_BELOW * 3 {
        return None;
    }
    let menu = if cut(rows[at])?.number.is_some() { numbered(rows, at) } else { plain(rows, at) }?;
    let below = rows[menu.rows.end..].iter().filter(filled).count();
    (below <= MOST_BELOW && menu.choices.len() > 1).then_some(menu)
}

fn sure(row: &str) -> bool {
    row.trim_start_matches(is_frame).starts_with(['❯', '›', '●', '▶'])
}

/// `│ ❯ 1. Yes   │`: frame, cursor, number, text. Each row of a dialog is cut several times; by a pattern with groups it
/// took ten times as long, a fifth of the whole reading.
fn cut(row: &str) -> Option<Row<'_>> {
    let row_from = |text: &str| row.len() - text.len();
    let inner = row.trim_start_matches([BLANKS[0], BLANKS[1], LINES[0], LINES[1]]);
    // Of a row with nothing but a frame in it, the last line is the text.
    let inner = if begins(inner) { inner } else { &row[row[..row_from(inner)].rfind(LINES)?..] };
    let chosen = inner.strip_prefix(CURSORS).map(|rest| (rest, rest.trim_start_matches(BLANKS)));
    let chosen = chosen.filter(|(rest, text)| rest.len() > text.len() && begins(text)).map(|(_, text)| text);
    let (cursor, numbered) = (chosen.is_some(), chosen.unwrap_or(inner));
    let (number, text) = number(numbered).unwrap_or((None, numbered));
    let column = |text: &str| row[..row_from(text)].chars().count();
    Some(Row { cursor, number, column: column(numbered), text_column: column(text), rest: text })
}

/// A sign stands here.
fn begins(text: &str) -> bool {
    text.starts_with(|c: char| !c.is_whitespace())
}

/// `12. `: the number, unless it is written in other digits, and the text behind it.
fn number(text: &str) -> Option<(Option<u32>, &str)> {
    let rest = text.trim_start_matches(is_digit);
    let digits = &text[..text.len() - rest.len()];
    let after = rest.strip_prefix(['.', ')'])?;
    let text = after.trim_start_matches(' ');
    let fits = (1..=2).contains(&digits.chars().count()) && after.len() > text.len() && begins(text);
    fits.then(|| (digits.parse().ok(), text))
}

fn is_digit(c: char) -> bool {
    static DIGIT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d").expect("a constant pattern"));
    c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric() && DIGIT.is_match(c.encode_utf8(&mut [0; 4])))
}

/// Numbers from 1 on in one column; what stands deeper goes on with the choice above it.
fn numbered(rows: &[&str], at: usize) -> Option<Menu> {
    let here = cut(rows[at])?;
    let (column, text_column) = (here.column, here.text_column);
    let is_choice = |i: usize| cut(rows[i]).filter(|r| r.number.is_some() && r.column == column);
    let goes_on = |row: &str| cut(row).is_some_and(|r| !r.cursor && r.column >= text_column.saturating_sub(1));
    let mut above = (0..=at).rev().take_while(|i| is_choice(*i).is_some() || goes_on(rows[*i]));
    let first = above.find(|i| is_choice(*i).is_some_and(|r| r.number == Some(1)))?;
    let mut choices: Vec<Choice> = Vec::new();
    let (mut cursor, mut end) = (None, first);
    for (i, row) in rows.iter().enumerate().skip(first) {
        if let Some(r) = is_choice(i) {
            if r.number != Some(choices.len() as u32 + 1) || (r.cursor && cursor.is_some()) {
                return None;
            }
            cursor = cursor.or(r.cursor.then_some(choices.len()));
            let text = r.text().to_owned();
            choices.push(Choice { row: i, whole: text.clone(), text });
        } else if goes_on(row)
            && let Some(last) = choices.last_mut()
        {
            last.whole.push(' ');
            last.whole.push_str(row.trim_matches(is_frame));
        } else {
            break;
        }
        end = i + 1;
    }
    Some(Menu { rows: first..end, choices, cursor: cursor?, across: false })
}

/// Rows whose texts stand in one column, without a blank row between them.
fn plain(rows: &[&str], at: usize) -> Option<Menu> {
    let column = cut(rows[at])?.text_column;
    let fits = |i: &usize| {
        cut(rows[*i]).is_some_and(|r| r.number.is_none() && r.text_column == column && !r.text().is_empty())
    };
    let first = (0..=at).rev().take_while(fits).last()?;
    let choices: Vec<Choice> = (first..rows.len())
        .take_while(fits)
        .filter_map(|row| {
            let text = cut(rows[row])?.text().to_owned();
            Some(Choice { row, whole: text.clone(), text })
        })
        .collect();
    if choices.iter().filter(|c| cut(rows[c.row]).is_some_and(|r| r.cursor)).count() != 1 {
        return None;
    }
    Some(Menu { rows: first..first + choices.len(), cursor: at - first, choices, across: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What [`cut`] means.
    static ROW: LazyLock<Regex> = LazyLock::new(|| {
        let text = r"^[ \x{a0}│┃]*(?P<cursor>[❯›●▶>][ \x{a0}]+)?(?:(?P<number>\d{1,2})[.)] +)?(?P<text>\S.*)$";
        Regex::new(text).expect("a constant pattern")
    });

    proptest! {
        #[test]
        fn a_row_is_cut_as_the_pattern_says(row in "(?:[ \u{a0}\t│┃❯>.)✔x1-3٣½]| {2}|│ |❯ |1\\. ){0,12}") {
            let by_pattern = ROW.captures(&row).map(|found| {
                let (text, number) = (found.name("text").unwrap(), found.name("number"));
                let column = |m: regex::Match| row[..m.start()].chars().count();
                let number_of = number.and_then(|n| n.as_str().parse::<u32>().ok());
                (found.name("cursor").is_some(), number_of, column(number.unwrap_or(text)), column(text))
            });
            let by_hand = cut(&row).map(|r| (r.cursor, r.number, r.column, r.text_column));
            prop_assert_eq!(by_hand, by_pattern);
        }
    }

    fn read(text: &str) -> Option<(Vec<String>, usize)> {
        let rows: Vec<&str> = text.lines().collect();
        last(&rows).map(|m| (m.choices.into_iter().map(|c| c.text).collect(), m.cursor))
    }

    #[test]
    fn numbered_lists_of_all_kinds() {
        let claude = " Do you want to proceed?\n   1. Yes\n ❯ 2. No ✔\n\n Esc to cancel";
        assert_eq!(read(claude), Some((vec!["Yes".into(), "No".into()], 1)));
        let gemini = "│ Which?   │\n│ ● 1.  Left   │\n│       Bread and tea  │\n│   2.  Right  │\n╰────╯";
        assert_eq!(read(gemini), Some((vec!["Left".into(), "Right".into()], 0)));
        let codex = "> 1. Sign in\n     Usage included\n  2. Another way\n\n  Press enter to continue";
        assert_eq!(read(codex), Some((vec!["Sign in".into(), "Another way".into()], 0)));
    }

    #[test]
    fn plain_lists_have_one_column_and_one_cursor() {
        let text =
            "What do you want to do?\n\n❯ Adjust monthly spend limit\n  Wait for limit to reset\n\nEnter to confirm";
        assert_eq!(read(text), Some((vec!["Adjust monthly spend limit".into(), "Wait for limit to reset".into()], 0)));
        assert_eq!(read("> quoted\n  more"), None, "a quotation");
        assert_eq!(read("❯ a draft alone"), None);
    }

    #[test]
    fn what_is_not_whole_is_no_list() {
        assert_eq!(read(" ❯ 2. No\n   3. Maybe"), None, "its beginning was scrolled away");
        assert_eq!(read(" ❯ 1. Yes\n ❯ 2. No"), None, "two cursors");
        assert_eq!(read("   1. Yes\n   2. No"), None, "no cursor");
        assert_eq!(read("   1. Yes\n ❯ 3. No"), None);
        let page = "one row of a long page\n".repeat(30);
        assert_eq!(read(&format!(" ❯ 1. Yes\n   2. No\n{page}")), None, "printed long ago");
    }
}
