//! The rows of a banner as one text: without frames and indentation, with plain blanks and signs.

/// So many rows of a banner are tried with a word that goes on over their end.
const ROWS: usize = 8;

/// The text as the app wrapped it, rows parted by `\n`; then once for each of the first row ends as if a word went on
/// over it.
pub fn readings(banner: &str) -> Vec<String> {
    let rows: Vec<String> = banner.lines().map(plain).filter(|row| !row.is_empty()).collect();
    let joined = |seam: usize| {
        let mut text = String::with_capacity(banner.len());
        for (i, row) in rows.iter().enumerate() {
            text.push_str(if i == 0 || i == seam { "" } else { "\n" });
            text.push_str(row);
        }
        text
    };
    // A word over a row end is looked for near the limit's own row only; the whole text is read once.
    let near = &rows[..rows.len().min(ROWS)];
    let mut texts = vec![joined(0)];
    texts.extend((1..near.len()).map(|seam| {
        let mut text = near[..seam].join("\n");
        text.push_str(&near[seam..].join("\n"));
        text
    }));
    texts
}

/// One row: frame and indentation gone, runs of blanks one blank, quotes and zero-width signs gone.
fn plain(row: &str) -> String {
    let framed = row.trim_matches(frame);
    let framed = framed.strip_prefix('|').and_then(|row| row.strip_suffix('|')).unwrap_or(framed);
    let mut text = String::with_capacity(framed.len());
    for c in framed.chars() {
        match c {
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            '\u{2010}'..='\u{2015}' | '\u{2212}' => text.push('-'),
            '"' | '\'' | '`' | '*' | '‘' | '’' | '“' | '”' | '«' | '»' => blank(&mut text),
            c if c.is_whitespace() => blank(&mut text),
            c => text.push(c),
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn blank(text: &mut String) {
    if !text.is_empty() && !text.ends_with(' ') {
        text.push(' ');
    }
}

/// Blanks, lines and blocks that boxes are drawn with, and the corner that marks a tool's answer.
fn frame(c: char) -> bool {
    c.is_whitespace() || ('\u{2500}'..='\u{259f}').contains(&c) || c == '⎿'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lose_what_is_not_text() {
        for (row, text) in [
            ("│   resets 3pm            │", "resets 3pm"),
            ("  ⎿  resets\u{202f}3pm  ", "resets 3pm"),
            ("| resets `3pm` |", "resets 3pm"),
            ("You’ve hit   “it”", "You ve hit it"),
            ("limit reached|", "limit reached|"),
            ("GMT−5", "GMT-5"),
            ("╭──────╮", ""),
        ] {
            assert_eq!(plain(row), text, "{row}");
        }
        assert_eq!(readings("a b\n │ c\n\nd"), ["a b\nc\nd", "a bc\nd", "a b\ncd"]);
        assert_eq!(readings(""), [""]);
    }

    #[test]
    fn many_rows_make_few_readings() {
        assert_eq!(readings(&"x\n".repeat(1000)).len(), ROWS);
    }
}
