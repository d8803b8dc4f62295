//! Shell text that is no more than words -> the words, without a shell: quotes, backslashes, `$NAME`, a leading `~/`.

/// Why a text needs a shell: the part of it that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedsShell(pub String);

/// `variable`: the environment. A variable that is not set is empty; what it holds is part of its word.
pub fn words(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<String>, NeedsShell> {
    let mut words = Vec::new();
    // `None`: between two words.
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    let mut quote = None;
    let needs = |part: &str| Err(NeedsShell(part.to_owned()));
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some('"'), '\\') => match chars.peek() {
                Some('"' | '\\' | '$' | '`') => word.get_or_insert_default().extend(chars.next()),
                Some('\n') => drop(chars.next()),
                _ => word.get_or_insert_default().push('\\'),
            },
            (None, '\\') => match chars.next() {
                Some('\n') => {}
                Some(next) => word.get_or_insert_default().push(next),
                None => return needs("\\"),
            },
            (_, '$') => {
                let braced = chars.next_if_eq(&'{').is_some();
                let mut name = String::new();
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                let closed = !braced || chars.next() == Some('}');
                if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !closed {
                    return needs("$");
                }
                word.get_or_insert_default().push_str(&variable(&name).unwrap_or_default());
            }
            (_, '`') => return needs("`"),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, c) if c.is_whitespace() && c != '\n' => words.extend(word.take()),
            (None, '~') if word.is_none() => match chars.peek() {
                None | Some('/' | ' ') => word = Some(variable("HOME").unwrap_or_else(|| "~".into())),
                Some(_) => return needs("~"),
            },
            (None, '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '*' | '?') => return needs(&c.to_string()),
            (None, '#') if word.is_none() => return needs("#"),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(open) = quote {
        return needs(&open.to_string());
    }
    words.extend(word);
    match words.first() {
        // A variable in front of the command.
        Some(first) if is_assignment(first) => needs(first),
        _ => Ok(words),
    }
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Result<Vec<String>, NeedsShell> {
        words(text, &|name| match name {
            "HOME" => Some("/h".into()),
            "V" => Some("a b".into()),
            _ => None,
        })
    }

    #[test]
    fn words_are_those_of_a_shell() {
        for (text, expected) in [
            ("", &[][..]),
            ("claude", &["claude"]),
            ("  a\t 'b c'  \"d \\\" e\" f\\ g ", &["a", "b c", "d \" e", "f g"]),
            ("~/bin/x --a='' \"\" $HOME/y \"${V}z\" '$V'", &["/h/bin/x", "--a=", "", "/h/y", "a bz", "$V"]),
            ("a~b --c=~ x#y [z]", &["a~b", "--c=~", "x#y", "[z]"]),
            ("x $UNSET.y", &["x", ".y"]),
        ] {
            assert_eq!(split(text).expect(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_a_shell_can_do_is_told() {
        for (text, part) in [
            ("a | b", "|"),
            ("a; b", ";"),
            ("a && b", "&"),
            ("x $(id)", "$"),
            ("x `id`", "`"),
            ("x \"`id`\"", "`"),
            ("x \"$(id)\"", "$"),
            ("x > y", ">"),
            ("x *.md", "*"),
            ("x ~root/y", "~"),
            ("A=1 x", "A=1"),
            ("x 'y", "'"),
            ("x # y", "#"),
            ("a\nb", "\n"),
            ("x ${V:-w}", "$"),
        ] {
            assert_eq!(split(text), Err(NeedsShell(part.into())), "{text}");
        }
    }
}
