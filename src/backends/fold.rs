//! Text folded for comparison: terminals wrap, indent and draw boxes around what was said.

/// Letters and digits in lower case, single blanks between words; everything else is dropped.
pub fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars() {
        if c.is_alphanumeric() {
            if gap && !out.is_empty() {
                out.push(' ');
            }
            gap = false;
            out.extend(c.to_lowercase());
        } else {
            gap = true;
        }
    }
    out
}

/// Whether `row` only repeats a part of `said` (already folded). A row without words repeats nothing.
pub fn says(said: &str, row: &str) -> bool {
    if said.is_empty() {
        return false;
    }
    let row = words(row);
    !row.is_empty() && said.contains(&row)
}

/// A text without what a terminal puts in between.
pub fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !is_frame(*c)).collect()
}

/// Characters that a terminal draws around text, and blanks: dropped when looking for our own text.
pub fn is_frame(c: char) -> bool {
    // Most that are asked for are plain blanks.
    c == ' ' || ('\u{2500}'..='\u{259f}').contains(&c) || c.is_whitespace()
}
