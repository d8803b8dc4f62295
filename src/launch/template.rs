//! `{slots}` in shell templates: the value is escaped for the quoting that stands around the slot, so that a model name
//! or a path can never end a quote and become a command.

/// What quoting is in force at a place of a shell text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Quoting {
    Bare,
    Single,
    Double,
}

/// Replaces every known `{name}`; unknown ones stay as they are.
pub fn fill(template: &str, slots: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    let mut scanner = Scanner::default();
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        if c == '{'
            && let Some((name, value)) =
                slots.iter().find(|(name, _)| rest[1..].strip_prefix(*name).is_some_and(|after| after.starts_with('}')))
        {
            out.push_str(&escape(value, scanner.quoting()));
            rest = &rest[name.len() + 2..];
            continue;
        }
        let taken = scanner.step(rest);
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

/// A value as one shell word: quoted only if it needs to be.
pub fn quote(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

fn escape(value: &str, quoting: Quoting) -> String {
    match quoting {
        Quoting::Bare => quote(value),
        Quoting::Single => value.replace('\'', r"'\''"),
        Quoting::Double => {
            let mut out = String::with_capacity(value.len());
            for c in value.chars() {
                if matches!(c, '"' | '$' | '`' | '\\') {
                    out.push('\\');
                }
                out.push(c);
            }
            out
        }
    }
}

/// Follows quotes, backslashes and `$( … )` through a shell text.
#[derive(Default)]
struct Scanner {
    /// Innermost last; empty = bare.
    stack: Vec<Level>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Single,
    Double,
    /// `$(` or `(`
    Paren,
}

impl Scanner {
    fn quoting(&self) -> Quoting {
        match self.stack.last() {
            Some(Level::Single) => Quoting::Single,
            Some(Level::Double) => Quoting::Double,
            _ => Quoting::Bare,
        }
    }

    /// Takes one step; gives the number of bytes it covers.
    fn step(&mut self, rest: &str) -> usize {
        let c = rest.chars().next().unwrap_or_default();
        let one = c.len_utf8();
        match (self.stack.last(), c) {
            (Some(Level::Single), '\'') => drop(self.stack.pop()),
            (Some(Level::Single), _) => {}
            (_, '\\') => return one + rest[one..].chars().next().map_or(0, char::len_utf8),
            (Some(Level::Double), '"') => drop(self.stack.pop()),
            (Some(Level::Double), '$') if rest.starts_with("$(") => {
                self.stack.push(Level::Paren);
                return 2;
            }
            (Some(Level::Double), _) => {}
            (_, '"') => self.stack.push(Level::Double),
            (_, '\'') => self.stack.push(Level::Single),
            (_, '(') => self.stack.push(Level::Paren),
            (Some(Level::Paren), ')') => drop(self.stack.pop()),
            _ => {}
        }
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = "it's $(touch x) `id` \"q\" \\ end";

    /// What a real shell makes of it: every slot must come out as the data it was.
    fn run(template: &str, value: &str) -> String {
        let script = fill(template, &[("v", value)]);
        let out = std::process::Command::new("sh").arg("-c").arg(&script).output().unwrap();
        assert!(out.status.success(), "{script}");
        String::from_utf8(out.stdout).unwrap()
    }

    #[test]
    fn a_value_stays_data_in_every_quoting() {
        for template in [
            "printf %s {v}",
            "printf %s '{v}'",
            "printf %s \"{v}\"",
            "printf %s \"$(printf %s {v})\"",
            "printf %s \"$(printf %s '{v}')\"",
            "printf %s \"$(printf %s \"{v}\")\"",
            "(printf %s '{v}')",
            "printf %s '{v}' # \\' {unknown}",
        ] {
            assert_eq!(run(template, EVIL), EVIL, "{template}");
        }
        assert!(!std::path::Path::new("x").exists());
    }

    #[test]
    fn unknown_slots_and_plain_values_stay_as_they_are() {
        assert_eq!(fill("a {b} {v} --model '{v}'", &[("v", "opus-4")]), "a {b} opus-4 --model 'opus-4'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
    }

    proptest::proptest! {
        #[test]
        fn any_value_survives_a_shell(value in "[^\0]{0,40}") {
            proptest::prop_assert_eq!(run("printf %s \"$(printf %s '{v}')x\"", &value), format!("{}x", value.trim_end_matches('\n')));
        }
    }
}
