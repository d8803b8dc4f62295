//! Messages that a program takes out of its conversation because their turn failed.
use super::pattern::Pattern;

/// How that looks, in a preset.
#[derive(Debug)]
pub struct Forgets {
    /// A row that begins the error with which such a turn ends.
    pub error: Pattern,
    /// A row of something that was done in the turn, which then stays in the conversation with its message.
    pub did: Pattern,
    /// A row with which a message begins.
    pub message: Pattern,
}

impl Forgets {
    /// The first message whose turn is in `rows` came to nothing but an error. `item`: a row that begins something new.
    pub fn is_next(&self, rows: &[&str], item: &Pattern) -> bool {
        let turn = rows.split(|row| self.message.is_in(row)).next().unwrap_or_default();
        self.is_failed(turn, item) == Some(true)
    }

    /// There is a turn in `rows`, and each one came to nothing but an error.
    pub fn is_each(&self, rows: &[&str], item: &Pattern) -> bool {
        let turns = rows.split(|row| self.message.is_in(row));
        let mut failed = turns.filter_map(|turn| self.is_failed(turn, item)).peekable();
        failed.peek().is_some() && failed.all(|failed| failed)
    }

    /// `None`: nothing came of it yet.
    fn is_failed(&self, turn: &[&str], item: &Pattern) -> Option<bool> {
        let last = turn.iter().rev().find(|row| item.is_in(row))?;
        Some(self.error.is_in(last) && !turn.iter().any(|row| self.did.is_in(row)))
    }
}

#[cfg(test)]
mod tests {
    use crate::backends::preset;

    /// What was said first, and whether everything that was said, is gone from the conversation.
    fn read(screen: &str) -> (bool, bool) {
        let gemini = preset::named("gemini").unwrap();
        let (forgets, item) = (gemini.forgets.as_ref().unwrap(), gemini.item.as_ref().unwrap());
        let rows: Vec<&str> = screen.lines().collect();
        let first = rows.iter().position(|row| row.starts_with(" > ")).map_or(0, |n| n + 1);
        (forgets.is_next(&rows[first..], item), forgets.is_each(&rows, item))
    }

    const A: &str = "▄▄▄▄▄▄▄▄▄▄\n > look after it\n▀▀▀▀▀▀▀▀▀▀\n";
    const B: &str = " > go on\n\n";
    const ERROR: &str = "✕ [API Error: terminated]\n\nℹ This request failed. Press F12\n\n";

    #[test]
    fn only_an_error_is_nothing_done() {
        let screen = |parts: &[&str]| read(&parts.concat());
        assert_eq!(screen(&[A, ERROR]), (true, true));
        assert_eq!(screen(&[A, "✦ All done. The\n", ERROR]), (true, true), "cut off in the middle");
        assert_eq!(screen(&[A, "╭────╮\n│ ✓  Shell ls │\n╰────╯\n", ERROR]), (false, false), "a tool ran");
        assert_eq!(screen(&[A, ERROR, "✦ All done.\n"]), (false, false), "it tried again by itself");
        assert_eq!(screen(&[A, "✦ All done.\n", B, ERROR]), (false, false));
        assert_eq!(screen(&[A, ERROR, B, "✦ All done.\n"]), (true, false));
        assert_eq!(screen(&[A, ERROR, B, ERROR]), (true, true));
        assert_eq!(screen(&[A]), (false, false), "nothing came of it yet");
        assert_eq!(screen(&[A, ERROR, B]), (true, true));
    }
}
