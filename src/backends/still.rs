//! Whether a screen shows anything new: its words, without what moves while nothing happens. Spinners, dots, clocks and
//! seconds move by themselves; a count of tokens, of attempts (`#3`), of parts (`4/10`) does not.

/// Equal ones show the same. Only letters count, and such numbers.
pub fn hash(text: &str, title: &str) -> u64 {
    let mut words = Vec::with_capacity(text.len() + title.len() + 8);
    keep(title.as_bytes(), &mut words);
    keep(text.as_bytes(), &mut words);
    let mut hash = 0x9e37_79b9_7f4a_7c15 ^ words.len() as u64;
    // Filled up with zeros, no rest is left.
    words.resize(words.len().next_multiple_of(8), 0);
    for eight in words.as_chunks::<8>().0 {
        hash = (hash ^ u64::from_le_bytes(*eight)).wrapping_mul(0x2545_f491_4f6c_dd1d).rotate_left(29);
    }
    hash ^ hash >> 32
}

/// What Claude Code and Codex show below a spinner, and change after some minutes.
const TIP: &[u8] = b"Tip: ";
const TIP_ROWS: usize = 4;

/// Adds what counts of `text`. Every changed pane of a fleet goes through here: words are taken by eight bytes, without a
/// branch for each, which takes two thirds of the time (and half of it where boxes are drawn).
fn keep(text: &[u8], words: &mut Vec<u8>) {
    let mut filled = words.len();
    // `plain` writes eight bytes, whatever it keeps.
    words.resize(filled + text.len() + 8, 0);
    let mut at = 0;
    loop {
        while let Some(eight) = text[at..].first_chunk::<8>() {
            if eight == b"        " {
                at += 8;
                continue;
            }
            let (taken, kept) = plain(eight, &mut words[filled..]);
            at += taken;
            filled += kept;
            if taken < 8 {
                break;
            }
        }
        let Some(&byte) = text.get(at) else { break };
        let (taken, kept) = match byte {
            b'T' if text[at..].starts_with(TIP) && begins_row(&text[..at]) => (tip(&text[at..]), 0),
            b'0'..=b'9' => number(&text[at..], at > 0 && matches!(text[at - 1], b'/' | b'#')),
            // What is drawn: punctuation, arrows, frames, blocks, braille, dingbats.
            0xe2 => (3 * text[at..].chunks(3).take_while(|sign| sign[0] == 0xe2).count(), 0),
            0xc2 => (2, 0),
            // Pictures, moons and clocks among them.
            0xf0 if text.get(at + 1) == Some(&0x9f) => (4, 0),
            _ => (1, usize::from(byte.is_ascii_alphabetic() || !byte.is_ascii())),
        };
        words[filled..filled + kept].copy_from_slice(&text[at..at + kept]);
        filled += kept;
        at += taken;
    }
    words.truncate(filled);
}

/// Copies the letters of ASCII up to the first byte that is a digit, a `T` or not ASCII. How many bytes it looked at, and
/// how many it kept. Each byte of a `u64` is asked at once; its highest bit is the answer.
fn plain(eight: &[u8; 8], words: &mut [u8]) -> (usize, usize) {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = 0x80 * ONES;
    let Some(words) = words.first_chunk_mut::<8>() else { return (0, 0) };
    let bytes = u64::from_le_bytes(*eight);
    // Seven bits plus what is missing from a limit to 128: none is carried into the next byte.
    let ascii = bytes & !HIGH;
    let no_digit = (ascii ^ (u64::from(b'0') * ONES)) + (128 - 10) * ONES;
    let no_tip = (ascii ^ (u64::from(b'T') * ONES)) + (128 - 1) * ONES;
    let special = (bytes | !no_digit | !no_tip) & HIGH;
    let lower = ascii | (0x20 * ONES);
    let from_a = lower + (128 - u64::from(b'a')) * ONES;
    let behind_z = lower + (127 - u64::from(b'z')) * ONES;
    // The bits below the lowest one of `special` are those of the bytes before it.
    let before = special.wrapping_sub(1) & !special;
    let letters = from_a & !behind_z & HIGH & before;
    // In each byte, how many letters there are up to it.
    let counts = (letters >> 7).wrapping_mul(ONES);
    words[0] = eight[0];
    for i in 1..8 {
        words[(counts >> (8 * (i - 1))) as usize & 7] = eight[i];
    }
    ((special.trailing_zeros() / 8) as usize, (counts >> 56) as usize)
}

/// Nothing but signs stands in front of it.
fn begins_row(before: &[u8]) -> bool {
    let row = before.iter().rev().take_while(|b| **b != b'\n');
    !row.into_iter().any(u8::is_ascii_alphanumeric)
}

/// How many bytes a tip takes, with the rows on which it goes on.
fn tip(text: &[u8]) -> usize {
    let mut rows = text.split_inclusive(|b| *b == b'\n');
    let first = rows.next().map_or(0, <[u8]>::len);
    let more = |row: &&[u8]| row.starts_with(b"    ") && row.iter().any(u8::is_ascii_alphabetic);
    first + rows.take(TIP_ROWS - 1).take_while(more).map(<[u8]>::len).sum::<usize>()
}

/// How many bytes the number takes, with the unit of a length of time behind it, and how many of them count.
fn number(text: &[u8], counts: bool) -> (usize, usize) {
    let length = text.iter().take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b':')).count();
    let rest = &text[length..];
    let scaled = rest.strip_prefix(b"k").or_else(|| rest.strip_prefix(b"M")).unwrap_or(rest);
    let tokens = scaled.strip_prefix(b" ").unwrap_or(scaled).starts_with(b"token");
    if counts || tokens || (rest.first() == Some(&b'/') && rest.get(1).is_some_and(u8::is_ascii_digit)) {
        return (length, length);
    }
    let is_unit = matches!(rest.first(), Some(b'h' | b'm' | b's'));
    (length + usize::from(is_unit && !rest.get(1).is_some_and(u8::is_ascii_alphanumeric)), 0)
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
    fn eight_bytes_at_once_are_what_each_of_them_is() {
        let bytes = (0..=255).flat_map(|byte: u8| (0..8).map(move |at| (byte, at)));
        for (byte, at) in bytes {
            let mut eight = *b"a [z`{@A";
            eight[at] = byte;
            let stops = |b: &u8| b.is_ascii_digit() || *b == b'T' || !b.is_ascii();
            let before = &eight[..eight.iter().position(stops).unwrap_or(8)];
            let letters: Vec<u8> = before.iter().copied().filter(u8::is_ascii_alphabetic).collect();
            let mut words = [0; 8];
            let (taken, kept) = plain(&eight, &mut words);
            assert_eq!((taken, &words[..kept]), (before.len(), &letters[..]), "{eight:?}");
        }
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
