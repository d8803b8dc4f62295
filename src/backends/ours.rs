//! Finds a text that we typed on the screen, whatever the program wrapped or framed it with.
use super::fold::is_frame;
use crate::model::{delivery::needle, reading::OursSeen};
use std::hash::{DefaultHasher, Hash, Hasher};

/// For each `(delivery, text)`: how often its first characters stand there, and what stands from the last one down.
pub fn find(text: &str, cursor: (u16, u16), ours: &[(i64, String)]) -> Vec<OursSeen> {
    if ours.is_empty() {
        return Vec::new();
    }
    let mut folded = String::new();
    let mut rows = Vec::new();
    for (row, line) in text.lines().enumerate() {
        for c in line.chars().filter(|c| !is_frame(*c)) {
            folded.push(c);
            rows.resize(folded.len(), row);
        }
    }
    ours.iter().map(|(delivery, text_of)| seen(*delivery, text_of, text, &folded, &rows, cursor)).collect()
}

fn seen(delivery: i64, sent: &str, text: &str, folded: &str, rows: &[usize], cursor: (u16, u16)) -> OursSeen {
    let squeeze = |s: &str| s.chars().filter(|c| !is_frame(*c)).collect::<String>();
    let start = squeeze(&needle(sent));
    let hits: Vec<usize> =
        if start.is_empty() { Vec::new() } else { folded.match_indices(&start).map(|(i, _)| i).collect() };
    let Some(&last) = hits.last() else {
        return OursSeen { delivery, count: 0, tail: 0, at_cursor: false };
    };
    let first_row = rows[last];
    let whole = squeeze(sent);
    let end = (last + whole.len()).min(folded.len());
    let end_row = rows[end.saturating_sub(1)];
    let cursor_row = cursor.1 as usize;
    let mut hasher = DefaultHasher::new();
    for line in text.lines().skip(first_row) {
        line.trim_end().hash(&mut hasher);
    }
    cursor.hash(&mut hasher);
    OursSeen {
        delivery,
        count: hits.len(),
        tail: hasher.finish(),
        at_cursor: cursor_row == end_row || cursor_row == end_row + 1 || end == folded.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_when_wrapped_framed_and_repeated() {
        let sent = "watchdog ping: the other loop pushed a gate CLAIM commit.".to_string();
        let text = "watchdog ping: the other loop pushed\na gate CLAIM commit.\nok\n│ > watchdog ping: the other │\n│   loop pushed a gate CLAIM │\n│ commit.                    │";
        let s = &find(text, (10, 5), &[(7, sent)])[0];
        assert_eq!((s.delivery, s.count, s.at_cursor), (7, 2, true));
    }

    #[test]
    fn the_tail_changes_when_the_cursor_moves_on() {
        let sent = [(1, "hello world".to_string())];
        let before = find("$ hello world", (13, 0), &sent);
        let after = find("$ hello world", (0, 1), &sent);
        assert_ne!(before[0].tail, after[0].tail);
        assert_eq!(find("nothing", (0, 0), &sent)[0].count, 0);
    }
}
