//! Whether a screen shows anything new: its words, without what moves while nothing happens. Spinners, dots, clocks and
//! seconds move by themselves; a count of tokens, of attempts (`#3`), of parts (`4/10`) does not.

/// Equal ones show the same. Only letters count, and such numbers.
pub fn hash(text: &str, title: &str) -> u64 {
    let mut words = Words { hash: 0x9e37_79b9_7f4a_7c15, chunk: 0, filled: 0 };
    words.take(title.as_bytes());
    words.take(text.as_bytes());
    words.finish()
}

/// What Claude Code and Codex show below a spinner, and change after some minutes.
const TIP: &[u8] = b"Tip: ";
const TIP_ROWS: usize = 4;

/// How many bytes a tip takes, with the rows on which it goes on.
fn tip(text: &[u8]) -> usize {
    let mut rows = text.split_inclusive(|b| *b == b'\n');
    let first = rows.next().map_or(0, <[u8]>::len);
    let more = |row: &&[u8]| row.starts_with(b"    ") && row.iter().any(u8::is_ascii_alphabetic);
    first + rows.take(TIP_ROWS - 1).take_while(more).map(<[u8]>::len).sum::<usize>()
}

/// Takes eight bytes at a time: every changed pane of a fleet goes through here.
struct Words {
    hash: u64,
    chunk: u64,
    filled: u32,
}

impl Words {
    fn take(&mut self, text: &[u8]) {
        let mut at = 0;
        let mut row_begins = true;
        while let Some(&byte) = text.get(at) {
            if row_begins && byte == b'T' && text[at..].starts_with(TIP) {
                at += tip(&text[at..]);
                continue;
            }
            row_begins = byte == b'\n' || (row_begins && !byte.is_ascii_alphanumeric());
            at += match byte {
                b'a'..=b'z' | b'A'..=b'Z' => {
                    self.push(byte);
                    1
                }
                b'0'..=b'9' => self.number(&text[at..], at > 0 && matches!(text[at - 1], b'/' | b'#')),
                // What is drawn: punctuation, arrows, frames, blocks, braille, dingbats.
                0xe2 => 3,
                0xc2 => 2,
                // Pictures, moons and clocks among them.
                0xf0 if text.get(at + 1) == Some(&0x9f) => 4,
                0x80.. => {
                    self.push(byte);
                    1
                }
                _ => 1,
            };
        }
    }

    /// How many bytes the number takes, with the unit of a length of time behind it.
    fn number(&mut self, text: &[u8], counts: bool) -> usize {
        let length = text.iter().take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b':')).count();
        let rest = &text[length..];
        let scaled = rest.strip_prefix(b"k").or_else(|| rest.strip_prefix(b"M")).unwrap_or(rest);
        let tokens = scaled.strip_prefix(b" ").unwrap_or(scaled).starts_with(b"token");
        if counts || tokens || (rest.first() == Some(&b'/') && rest.get(1).is_some_and(u8::is_ascii_digit)) {
            text[..length].iter().for_each(|b| self.push(*b));
            return length;
        }
        let is_unit = matches!(rest.first(), Some(b'h' | b'm' | b's'));
        length + usize::from(is_unit && !rest.get(1).is_some_and(u8::is_ascii_alphanumeric))
    }

    fn push(&mut self, byte: u8) {
        self.chunk = self.chunk << 8 | u64::from(byte);
        self.filled += 1;
        if self.filled == 8 {
            self.mix();
        }
    }

    fn mix(&mut self) {
        self.hash = (self.hash ^ self.chunk).wrapping_mul(0x2545_f491_4f6c_dd1d).rotate_left(29);
        (self.chunk, self.filled) = (0, 0);
    }

    fn finish(mut self) -> u64 {
        self.mix();
        self.hash ^ self.hash >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        hash(a, "") == hash(b, "")
    }

    #[test]
    fn what_moves_by_itself_is_not_seen() {
        for (a, b) in [
            ("✻ Scurrying… (59s)", "✢ Scurrying… (1m 0s)"),
            ("• Working (4s • esc to interrupt)", "◦ Working (1h 2m 3s • esc to interrupt)"),
            ("⠦ Thinking... (esc to cancel, 7s)   |", "⠏ Thinking.. (esc to cancel, 1m 7s) |"),
            ("⬝⬝■■■■  esc interrupt", "■■⬝⬝⬝⬝  esc interrupt"),
            ("busy\n  ⎿ \u{a0}Tip: one\n     and more\n────", "busy\n  ⎿ \u{a0}Tip: another\n────"),
            ("busy\n  └ Tip: one", "busy"),
            ("12:59:59 | load", "13:00:00 / load"),
            ("🌒 busy", "🌓 busy"),
            ("one two", "one\n  │ two │"),
        ] {
            assert!(same(a, b), "{a} / {b}");
        }
        assert_eq!(hash("x", "⠐ Claude Code"), hash("x", "⠂ Claude Code"));
    }

    #[test]
    fn words_and_tokens_are() {
        for (a, b) in [
            ("✻ Scurrying… (5s · ↓ 9 tokens)", "✻ Scurrying… (5s · ↓ 12 tokens)"),
            ("(5s · ↑ 1.2k tokens)", "(5s · ↑ 1.3k tokens)"),
            ("Retrying in 4s · attempt 4/10", "Retrying in 4s · attempt 5/10"),
            ("[retrying in 2s attempt #1]", "[retrying in 2s attempt #2]"),
            ("ok 12/99", "ok 12/100"),
            ("  ⎿  Tip: one\n\n● said", "  ⎿  Tip: one\n\n● other"),
            ("said Tip: one", "said Tip: two"),
            ("all is well", "all is wells"),
            ("all is well", "well all is"),
            ("", "a"),
            ("ä", "ö"),
            ("日本", "日木"),
        ] {
            assert!(!same(a, b), "{a} / {b}");
        }
        assert_ne!(hash("", "one"), hash("", "two"));
    }
}
