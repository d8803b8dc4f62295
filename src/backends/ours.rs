//! Finds a text that we typed on the screen, whatever the program wrapped or framed it with.
use super::{
    draft::placeholder,
    fold::{is_frame, squeeze},
    verdict::Conversation,
};
use crate::model::{delivery::needle, reading::OursSeen};
use std::hash::{DefaultHasher, Hash, Hasher};

/// For each `(delivery, text)`: how often its first characters stand there, and what stands from the last one down.
/// `typed` is the screen up to the end of what stands in the input line.
pub(super) fn find(
    text: &str,
    cursor: (u16, u16),
    typed: &str,
    conversation: &Conversation,
    ours: &[(i64, String)],
) -> Vec<OursSeen> {
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
    let stand_in = placeholder(&squeeze(typed));
    let screen = Screen { text, folded, rows, cursor, conversation, stand_in };
    ours.iter().map(|(delivery, text_of)| screen.seen(*delivery, text_of)).collect()
}

struct Screen<'a> {
    text: &'a str,
    folded: String,
    /// Row of each byte of `folded`.
    rows: Vec<usize>,
    cursor: (u16, u16),
    conversation: &'a Conversation<'a>,
    /// Where in `folded` the program shows `[Pasted …]` in place of what stands before the cursor.
    stand_in: Option<usize>,
}

impl Screen<'_> {
    fn seen(&self, delivery: i64, sent: &str) -> OursSeen {
        let Screen { folded, rows, cursor, .. } = self;
        let start = squeeze(&needle(sent));
        let hits: Vec<usize> =
            if start.is_empty() { Vec::new() } else { folded.match_indices(&start).map(|(i, _)| i).collect() };
        if let Some(at) = self.stand_in {
            let (count, tail) = (hits.len() + 1, self.tail(rows[at]));
            return OursSeen { delivery, count, tail, at_cursor: true, answered: false, failed: false };
        }
        let Some(&last) = hits.last() else {
            return OursSeen { delivery, count: 0, tail: 0, at_cursor: false, answered: false, failed: false };
        };
        let end = (last + squeeze(sent).len()).min(folded.len());
        let end_row = rows[end.saturating_sub(1)];
        let cursor_row = cursor.1 as usize;
        let at_cursor = cursor_row == end_row || cursor_row == end_row + 1 || end == folded.len();
        let answered = self.is_answered(end_row);
        let failed = self.is_failed(end_row);
        OursSeen { delivery, count: hits.len(), tail: self.tail(rows[last]), at_cursor, answered, failed }
    }

    /// Below `row`, where our text ends, the conversation goes on.
    fn is_answered(&self, row: usize) -> bool {
        let Conversation { end, item, .. } = self.conversation;
        let mut below = self.text.lines().take(*end).skip(row + 1);
        below.any(|row| item.map_or_else(|| row.contains(char::is_alphanumeric), |item| item.is_in(row)))
    }

    fn is_failed(&self, row: usize) -> bool {
        let Conversation { end, item: Some(item), forgets: Some(forgets) } = self.conversation else { return false };
        let below: Vec<&str> = self.text.lines().take(*end).skip(row + 1).collect();
        forgets.is_next(&below, item)
    }

    /// Hash of everything from `row` down, and of the cursor.
    fn tail(&self, row: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        for line in self.text.lines().skip(row) {
            line.trim_end().hash(&mut hasher);
        }
        self.cursor.hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Conversation = Conversation { end: 0, item: None, forgets: None };

    #[test]
    fn found_when_wrapped_framed_and_repeated() {
        let sent = "watchdog ping: the other loop pushed a gate CLAIM commit.".to_string();
        let text = "watchdog ping: the other loop pushed\na gate CLAIM commit.\nok\n│ > watchdog ping: the other │\n│   loop pushed a gate CLAIM │\n│ commit.                    │";
        let s = &find(text, (10, 5), text, &NONE, &[(7, sent)])[0];
        assert_eq!((s.delivery, s.count, s.at_cursor), (7, 2, true));
    }

    #[test]
    fn the_tail_changes_when_the_cursor_moves_on() {
        let sent = [(1, "hello world".to_string())];
        let before = find("$ hello world", (13, 0), "$ hello world", &NONE, &sent);
        let after = find("$ hello world", (0, 1), "", &NONE, &sent);
        assert_ne!(before[0].tail, after[0].tail);
        assert_eq!(find("nothing", (0, 0), "", &NONE, &sent)[0].count, 0);
    }

    #[test]
    fn a_text_that_is_shown_as_pasted_counts_as_shown() {
        let sent = [(1, "please look at this? And more".to_string())];
        let before = "❯ please look at this? And more\n● Done.\n────\n❯ \n────";
        let after = "❯ please look at this? And more\n● Done.\n────\n❯ [Pasted text #1]\n────";
        assert_eq!(find(before, (2, 3), "❯ ", &NONE, &sent)[0].count, 1);
        let seen = &find(after, (18, 3), after.trim_end_matches("\n────"), &NONE, &sent)[0];
        assert_eq!((seen.count, seen.at_cursor), (2, true));
        assert_ne!(seen.tail, find(before, (2, 3), "❯ ", &NONE, &sent)[0].tail);
    }
}
