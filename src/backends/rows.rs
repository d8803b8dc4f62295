//! Parts of a screen by its rows.
use super::fold::is_frame;

/// A banner, with the reset time and the words that belong to it, takes at most so many rows.
pub const BANNER: usize = 4;

/// The last `n` rows of a text without blank rows at its end.
pub fn last(text: &str, n: usize) -> &str {
    match text.rmatch_indices('\n').nth(n - 1) {
        Some((at, _)) => &text[at + 1..],
        None => text,
    }
}

/// Where the last `n` rows begin, those not counted in which nothing but a frame stands.
pub fn last_filled(text: &str, n: usize) -> usize {
    let mut at = text.len();
    let mut left = n;
    for row in text.rsplit('\n') {
        if left == 0 {
            break;
        }
        at -= row.len() + usize::from(at != text.len());
        left -= usize::from(!is_blank(row));
    }
    at
}

/// Nothing but a frame, or nothing.
pub fn is_blank(row: &str) -> bool {
    row.chars().all(is_frame)
}

/// 0-based row at a byte.
pub fn row_of(text: &str, at: usize) -> usize {
    // Counted in bytes of a chunk, which takes a quarter of the time.
    let breaks = |chunk: &[u8]| chunk.iter().map(|b| u8::from(*b == b'\n')).sum::<u8>();
    text.as_bytes()[..at].chunks(255).map(|chunk| usize::from(breaks(chunk))).sum()
}

/// `n` rows from row `line` on.
pub fn below(text: &str, line: usize, n: usize) -> String {
    text.lines().skip(line).take(n).collect::<Vec<_>>().join("\n")
}

/// Rows as one line, without their frames.
pub fn one_line(rows: &str) -> String {
    rows.lines().map(|row| row.trim_matches(is_frame)).filter(|row| !row.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The last rows that stand together, as one line.
pub fn last_paragraph(rows: &str) -> String {
    let is_blank = |row: &&str| is_blank(row);
    let mut last: Vec<&str> = rows.lines().rev().skip_while(is_blank).take_while(|row| !is_blank(row)).collect();
    last.reverse();
    one_line(&last.join("\n"))
}
