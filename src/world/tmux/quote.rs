//! Words made safe for the four readers on the way: tmux's command parser, its formats, `sh`, and the terminal.

/// One argument for tmux's command parser (control mode, `source-file`), always on one line.
pub fn word(text: &str) -> String {
    if text.chars().any(|c| c.is_control()) {
        // Only double quotes know escapes; there `$`, `"` and `\` are special.
        let mut out = String::from("\"");
        for c in text.chars() {
            match c {
                '"' | '\\' | '$' => {
                    out.push('\\');
                    out.push(c);
                }
                c if (c as u32) < 0x80 && c.is_control() => out.push_str(&format!("\\{:03o}", c as u32)),
                c => out.push(c),
            }
        }
        out.push('"');
        out
    } else {
        sh(text)
    }
}

/// One argument for `sh`. Single quotes mean the same to tmux's parser.
pub fn sh(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A command line for `sh`, with `exec` in front so that no shell stays behind.
pub fn sh_exec(argv: &[String]) -> String {
    let words: Vec<String> = argv.iter().map(|a| sh(a)).collect();
    format!("exec {}", words.join(" "))
}

/// Text that has to come out unchanged of tmux's format expansion *and* strftime, both of which `pipe-pane` applies.
/// tmux keeps a run of `#` in front of `[` as it is (a style); everywhere else `##` means `#`.
pub fn through_format(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '#' => {
                let run = rest.len() - rest.trim_start_matches('#').len();
                let style = rest[run..].starts_with('[');
                out.push_str(&"#".repeat(if style { run } else { run * 2 }));
                rest = &rest[run..];
                continue;
            }
            '%' => out.push_str("%%"),
            c => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Text fit to be typed or pasted: CR LF becomes LF, every C0, C1 and DEL but newline and tab is dropped. Without
/// ESC nothing can end a bracketed paste early.
pub fn sanitize(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
        .collect()
}

/// Cuts into pieces of at most `max` bytes, between characters.
pub fn chunks(text: &str, max: usize) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while rest.len() > max {
        let mut at = max;
        while !rest.is_char_boundary(at) {
            at -= 1;
        }
        out.push(&rest[..at]);
        rest = &rest[at..];
    }
    if !rest.is_empty() {
        out.push(rest);
    }
    out
}

/// A pattern for tmux's search in a pane (`#{C/r:…}`) that fits a row of this text. Letters, digits and the signs of a
/// cursor stand for themselves, everything between them for anything of its kind: no character of the text means
/// anything to a format, to a command line or to the pattern.
pub fn row_pattern(text: &str) -> String {
    const OTHER: &str = "[^A-Za-z0-9]*";
    let mut out = String::from("^");
    let mut between = true;
    for c in text.chars() {
        let is_cursor = matches!(c, '❯' | '›' | '●' | '▶' | '>');
        if c.is_ascii_alphanumeric() || is_cursor {
            if between || is_cursor {
                out.push_str(OTHER);
            }
            out.push(c);
        }
        between = !c.is_ascii_alphanumeric();
    }
    out + OTHER + "$"
}

/// Whether `key` is the name of a key that may be pressed: `Enter`, `C-m`, `M-Left`, `F5`, `a`, …
pub fn is_key(key: &str) -> bool {
    const NAMED: [&str; 28] = [
        "Enter", "Escape", "Tab", "BTab", "Space", "BSpace", "Up", "Down", "Left", "Right", "Home", "End", "PageUp",
        "PageDown", "PgUp", "PgDn", "PPage", "NPage", "DC", "Delete", "IC", "Insert", "F1", "F2", "F3", "F4", "F5",
        "F6",
    ];
    let mut bare = key;
    while let Some(rest) = ["C-", "M-", "S-"].iter().find_map(|m| bare.strip_prefix(m)) {
        bare = rest;
    }
    NAMED.contains(&bare)
        || matches!(bare, "F7" | "F8" | "F9" | "F10" | "F11" | "F12")
        || (bare.len() == 1 && bare.chars().all(|c| c.is_ascii_graphic() && c != ';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_on_one_line() {
        assert_eq!(word("a;b $x ~ #{pid}"), "'a;b $x ~ #{pid}'");
        assert_eq!(word("it's"), "'it'\\''s'");
        assert_eq!(word("a\n$b\"\\"), "\"a\\012\\$b\\\"\\\\\"");
    }

    #[test]
    fn formats_are_doubled_except_styles() {
        assert_eq!(through_format("a#(touch x)%H"), "a##(touch x)%%H");
        assert_eq!(through_format("##[x#"), "##[x##");
    }

    #[test]
    fn nothing_that_steers_a_terminal_is_typed() {
        assert_eq!(sanitize("a\x1b[201~\x03b\r\nc\td\u{9b}e\x7f"), "a[201~b\nc\tde");
    }

    #[test]
    fn chunks_end_between_characters() {
        assert_eq!(chunks("aéé", 2), ["a", "é", "é"]);
        assert_eq!(chunks("", 2), Vec::<&str>::new());
    }

    #[test]
    fn only_keys_are_keys() {
        for key in ["Enter", "C-m", "C-M-Left", "F12", "a", "-"] {
            assert!(is_key(key), "{key}");
        }
        for word in ["", "Entr", "a b", ";", "é", "C-", "Enter;", "kill-server"] {
            assert!(!is_key(word), "{word}");
        }
    }
}
