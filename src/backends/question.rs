//! What a dialog asks, for people: the row that matched is often only the hint at its foot.
use super::fold::is_frame;
use crate::model::{name::printable_cut, reading::Evidence};

/// A question stands at most this many rows above the row that matched.
const ROWS: usize = 12;

/// The same evidence, worded as the question and the choice under the cursor, if they can be told.
pub fn worded(text: &str, evidence: Evidence) -> Evidence {
    let from = (evidence.line + 1).saturating_sub(ROWS);
    // The choice may stand below the row that matched.
    let rows: Vec<&str> = text.lines().skip(from).take(ROWS + 4).collect();
    let Some(at) = rows.iter().rposition(|row| is_choice(row.trim_start_matches(is_frame))) else { return evidence };
    let choice = rows[at].trim_matches(is_frame);
    let mut above = rows[..at].iter().rev().map(|row| row.trim_matches(is_frame));
    let words = match above.find(|row| row.ends_with('?') && row.contains(' ')) {
        Some(question) => format!("{question} {choice}"),
        None => choice.to_owned(),
    };
    Evidence { text: printable_cut(&words, 200), ..evidence }
}

/// `❯ 1. Yes`
fn is_choice(row: &str) -> bool {
    let number = row.strip_prefix(['❯', '›', '●']).map(str::trim_start);
    number.is_some_and(|rest| {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        digits.len() < rest.len() && digits.starts_with(['.', ')'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str, line: usize) -> String {
        let row = text.lines().nth(line).unwrap_or_default().trim().to_owned();
        let evidence = Evidence { source: "pane".into(), rule: "waiting_re".into(), line, text: row, quoted: false };
        worded(text, evidence).text
    }

    #[test]
    fn the_question_and_the_choice_under_the_cursor() {
        let menu = "  What do you want to do?\n\n  ❯ 1. Stop and wait for limit to reset\n    2. Upgrade your plan\n\n  Enter to confirm · Esc to cancel";
        assert_eq!(asked(menu, 5), "What do you want to do? ❯ 1. Stop and wait for limit to reset");
        let boxed = "│ Allow execution of [Shell]?    │\n│                        │\n│ ● 1. Allow once     │";
        assert_eq!(asked(boxed, 0), "Allow execution of [Shell]? ● 1. Allow once");
    }

    #[test]
    fn anything_else_is_told_as_it_stands() {
        assert_eq!(asked("Really?\nDelete all of it [y/n]", 1), "Delete all of it [y/n]");
        assert_eq!(asked("△ Permission required\n\nAllow once  Reject", 0), "△ Permission required");
    }
}
