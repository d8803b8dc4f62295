//! Which names tmux keeps as they are: `my.proj` becomes `my_proj`, `#(cmd)` runs, `a;` breaks a command line.

/// Longest session name (prefix and name together).
pub const MAX_SESSION: usize = 96;

/// Why a word cannot be (part of) a session name; `None` if it can: `[A-Za-z0-9_-]`, not starting with `-`, not empty.
pub fn unusable(word: &str) -> Option<String> {
    if word.is_empty() {
        return Some("it is empty".into());
    }
    if word.starts_with('-') {
        return Some("it starts with `-`".into());
    }
    if word.len() > MAX_SESSION {
        return Some(format!("it is longer than {MAX_SESSION} bytes"));
    }
    let bad = word.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '_' || *c == '-'))?;
    Some(match bad {
        '.' | ':' => format!("tmux turns `{bad}` into `_`"),
        ' ' => "it contains a blank".into(),
        c => format!("it contains `{}`", printable(&c.to_string())),
    })
}

/// The nearest usable name, for a hint: `my.proj` -> `my-proj`.
pub fn usable_form(word: &str) -> String {
    let mapped: String =
        word.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '-' }).collect();
    let trimmed = mapped.trim_matches('-');
    if trimmed.is_empty() { "agent".into() } else { trimmed.chars().take(MAX_SESSION).collect() }
}

/// Outside text made safe for a terminal, a log line or a message: control, C1, DEL and bidi characters become
/// visible escapes (`\x1b`, `\u{202e}`). Newlines are escaped too, so that one text stays one line.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push(' '),
            c if (c as u32) < 0x20 || (0x7f..=0x9f).contains(&(c as u32)) => {
                out.push_str(&format!("\\x{:02x}", c as u32))
            }
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                out.push_str(&format!("\\u{{{:x}}}", c as u32))
            }
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// [`printable`], cut to `max` characters with `…` at the end when something is missing.
pub fn printable_cut(text: &str, max: usize) -> String {
    let shown = printable(text);
    if shown.chars().count() <= max {
        return shown;
    }
    let mut cut: String = shown.chars().take(max.saturating_sub(1)).collect();
    cut.push('…');
    cut
}
