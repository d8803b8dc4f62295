//! The user's regular expressions. They were written for Python's `re`; what differs here is said with a way out.
use regex::{Regex, RegexBuilder};

/// Longest pattern, in bytes. Real ones have a few hundred.
const LONGEST: usize = 64 * 1024;
/// Cap on the compiled form, so that a small pattern with large repetitions is refused rather than swallowing memory.
const COMPILED: usize = 8 << 20;

/// Message and hint.
pub(super) type PatternError = (String, String);

/// Case-insensitive. `multi_line`: `^` and `$` match at every line.
pub(super) fn compile(text: &str, multi_line: bool) -> Result<Regex, PatternError> {
    if text.len() > LONGEST {
        return Err((
            format!("is {} bytes long, more than {LONGEST}", text.len()),
            "match a few telling words instead of whole screens".into(),
        ));
    }
    let text = from_python(text)?;
    let built = RegexBuilder::new(&text).case_insensitive(true).multi_line(multi_line).size_limit(COMPILED).build();
    built.map_err(|e| match e {
        regex::Error::CompiledTooBig(_) => {
            ("is too big once compiled".into(), "lower its repetition counts: `.{1,10000}` can be `.*`".into())
        }
        e => explain(&e.to_string()),
    })
}

/// The same pattern as the regex crate writes it: a `{` that counts nothing, and a `[` within a class, are plain
/// characters in Python. `Err`: what has no equal.
fn from_python(text: &str) -> Result<String, PatternError> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    let mut class = false;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match c {
            '\\' => {
                let escaped = rest[1..].chars().next();
                match escaped {
                    Some('Z') if !class => {
                        return Err(no_equal("`\\Z`", "write `\\z` for the end of the text"));
                    }
                    Some(d @ '1'..='9') if !class => {
                        return Err(no_equal(&format!("the back-reference `\\{d}`"), WRITE_OUT));
                    }
                    _ => {}
                }
                taken += escaped.map_or(0, char::len_utf8);
                // `\x{…}`, `\p{…}`: the braces belong to the escape.
                if matches!(escaped, Some('x' | 'u' | 'U' | 'p' | 'P')) && rest[taken..].starts_with('{') {
                    taken += rest[taken..].find('}').map_or(1, |end| end + 1);
                }
                out.push_str(&rest[..taken]);
            }
            '[' if !class => {
                class = true;
                // A `]` right at the start of a class is a plain character.
                for open in ['^', ']'] {
                    taken += if rest[taken..].starts_with(open) { 1 } else { 0 };
                }
                out.push_str(&rest[..taken]);
            }
            '[' if !rest.starts_with("[:") => out.push_str("\\["),
            ']' => {
                class = false;
                out.push(c);
            }
            '{' if !class && !counts(rest) => out.push_str("\\{"),
            '{' if !class && rest.starts_with("{,") => {
                out.push_str("{0,");
                taken = 2;
            }
            '(' if !class => {
                refuse_group(rest)?;
                out.push(c);
            }
            c => out.push(c),
        }
        rest = &rest[taken..];
    }
    Ok(out)
}

const WRITE_OUT: &str = "write the repeated part out, or match it more loosely";

fn no_equal(what: &str, hint: &str) -> PatternError {
    (format!("uses {what}, which is not known here"), hint.to_owned())
}

/// Is this `{` a repetition: `{3}`, `{3,}`, `{,3}`, `{1,3}`?
fn counts(rest: &str) -> bool {
    let Some(inner) = rest[1..].split_once('}').map(|(inner, _)| inner) else { return false };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    match inner.split_once(',') {
        None => !inner.is_empty() && digits(inner),
        Some((from, to)) => digits(from) && digits(to) && !(from.is_empty() && to.is_empty()),
    }
}

fn refuse_group(rest: &str) -> Result<(), PatternError> {
    if let Some(open) = ["(?=", "(?!", "(?<=", "(?<!"].into_iter().find(|open| rest.starts_with(open)) {
        return Err(no_equal(
            &format!("look-around `{open}…)`"),
            "match the words you want instead of excluding others",
        ));
    }
    if rest.starts_with("(?P=") {
        return Err(no_equal("the back-reference `(?P=…)`", WRITE_OUT));
    }
    if ["(?#", "(?>", "(?("].iter().any(|open| rest.starts_with(open)) {
        return Err(no_equal(&format!("`{}…)`", &rest[..3]), "write it without this group"));
    }
    Ok(())
}

/// The regex crate's message is a drawing of several lines; its last one says what is wrong.
fn explain(drawing: &str) -> PatternError {
    let last = drawing.lines().rev().find_map(|l| l.trim().strip_prefix("error: ")).unwrap_or("it cannot be read");
    let hint = if last.contains("repetition quantifier") || last.contains("repetition operator") {
        "for a plain `{`, `*`, `+` or `?` write `\\{`, `\\*`, `\\+` or `\\?`"
    } else if last.contains("unclosed group") || last.contains("unopened group") {
        "close every `(`; for a plain parenthesis write `\\(` or `\\)`"
    } else if last.contains("unclosed character class") {
        "close every `[`; for a plain bracket write `\\[`"
    } else if last.contains("escape") {
        "for a plain backslash write `\\\\`; TOML's 'single quotes' keep backslashes as they are"
    } else {
        "try it on a line of the screen with `grep -iE`"
    };
    (format!("cannot be read: {}", crate::model::name::printable_cut(last, 160)), hint.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_ones_ignore_case() {
        assert!(compile(r"esc to interrupt|Running tool|\u00b7 \d+", false).unwrap().is_match("ESC TO INTERRUPT"));
        assert!(compile(r"(?P<who>you)", false).is_ok());
        assert!(compile(r"[(?=]\\Z\[", false).is_ok());
        for (pattern, text) in [
            ("a{b}", "a{b}"),
            ("{kickoff", "{kickoff"),
            ("x{", "x{"),
            ("^[[]x]$", "[x]"),
            ("^[^]]$", "["),
            ("[]x]", "]"),
            (r"^\x{41}\p{Lu}$", "AA"),
            ("^a{,2}$", "aa"),
            ("[[:digit:]]{2}", "12"),
        ] {
            assert!(compile(pattern, false).unwrap().is_match(text), "{pattern}");
        }
        assert!(compile("^claim", true).unwrap().is_match("x\nClaim: y"));
        assert!(!compile("^claim", false).unwrap().is_match("x\nclaim"));
    }

    #[test]
    fn bad_ones_say_why() {
        for (pattern, part) in [
            ("(", "unclosed group"),
            ("[a", "unclosed character class"),
            ("a{5,2}", "repetition"),
            ("(?=a)", "look-around `(?=…)`"),
            ("(?<!a)b", "look-around `(?<!…)`"),
            (r"(a)\1", r"back-reference `\1`"),
            (r"a\Z", r"`\Z`"),
            ("(?P=n)", "back-reference"),
            ("(?>a)", "`(?>…)`"),
            (r"(\w{1000}){1000}", "too big"),
        ] {
            let (message, hint) = compile(pattern, false).unwrap_err();
            assert!(message.contains(part), "{pattern}: {message}");
            assert!(!hint.is_empty());
        }
        assert!(compile(&"a".repeat(10_000_000), false).unwrap_err().0.contains("bytes long"));
    }
}
