//! Which words can name a job or a group.
use crate::model::{job::JobId, name::printable};

/// Longest name, in bytes: it is part of file names.
pub const LONGEST: usize = 64;

/// Why a word cannot be a job's name; `None` if it can: letters, digits, `-`, `_`, `.`, and not like an id.
pub fn unusable(word: &str) -> Option<String> {
    if JobId::parse(word).is_some() {
        return Some("it looks like an id".into());
    }
    unusable_word(word)
}

/// The same for a group, which may look like an id.
pub fn unusable_word(word: &str) -> Option<String> {
    if word.is_empty() {
        return Some("it is empty".into());
    }
    if word.starts_with(['-', '.']) {
        return Some(format!("it starts with `{}`", &word[..1]));
    }
    if word.len() > LONGEST {
        return Some(format!("it is longer than {LONGEST} bytes"));
    }
    let bad = word.chars().find(|c| !(c.is_ascii_alphanumeric() || "-_.".contains(*c)))?;
    Some(match bad {
        ' ' => "it contains a blank".into(),
        c => format!("it contains `{}`", printable(&c.to_string())),
    })
}

/// The nearest usable name, for a hint and for names made of descriptions: `My job!` -> `My-job`.
pub fn usable_form(word: &str) -> String {
    let mut out = String::new();
    for c in word.chars() {
        let c = if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        if !(c == '-' && (out.is_empty() || out.ends_with('-'))) && !(c == '.' && out.is_empty()) {
            out.push(c);
        }
        if out.len() == LONGEST {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() || JobId::parse(out).is_some() {
        format!("job-{out}").trim_end_matches('-').into()
    } else {
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_words_that_are_no_ids() {
        for good in ["build", "a.b_c-1", "job", "J7", "7"] {
            assert_eq!(unusable(good), None, "{good}");
        }
        for (bad, why) in [
            ("", "it is empty"),
            ("j7", "it looks like an id"),
            ("-a", "it starts with `-`"),
            (".a", "it starts with `.`"),
            ("a b", "it contains a blank"),
            ("a/b", "it contains `/`"),
            ("a\u{1b}", "it contains `\\x1b`"),
        ] {
            assert_eq!(unusable(bad).as_deref(), Some(why), "{bad}");
        }
        assert!(unusable(&"x".repeat(65)).is_some());
        assert_eq!(unusable_word("j7"), None);
    }

    #[test]
    fn any_word_has_a_usable_form() {
        for (word, form) in
            [("My job!", "My-job"), ("../x", "x"), ("", "job"), ("j7", "job-j7"), ("日本", "job"), ("a//b", "a-b")]
        {
            assert_eq!(usable_form(word), form);
            assert_eq!(unusable(form), None);
        }
        assert_eq!(unusable(&usable_form(&"ab ".repeat(90))), None);
    }
}
