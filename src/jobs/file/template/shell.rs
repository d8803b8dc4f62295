//! A shell line in which `{name}` becomes a reference to the variable that holds the value, quoted for the place where it
//! stands: `"${X}"` bare, `${X}` in double quotes, `'"${X}"'` in single ones. What a shell puts in for a variable it does
//! not read as a command again. The quotes around it decide only whether it stays one word, so that a mistake here could
//! split a value, and never run it. Where a shell computes with what it put in (arithmetic, `[[`, subscripts), a value
//! could run commands after all: there, and where quoting has rules of its own, no placeholder may stand.
use super::{
    Param, variable,
    words::{Piece, Strange, at},
};
use crate::config::Class;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// There is no such parameter.
    Unknown { word: String, near: Option<String> },
    /// It cannot stand there.
    Place { name: String, place: &'static str },
}

impl Wrong {
    pub fn class(&self) -> Class {
        match self {
            Wrong::Unknown { .. } => Class::UnknownWord,
            Wrong::Place { .. } => Class::BadValue,
        }
    }
}

/// What a character stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum In {
    /// `(…)`, `$(…)`: as at the beginning.
    Parens,
    Double,
    Single,
    Comment,
    /// `$'…'`
    AnsiC,
    /// `${…}`
    Braces,
    Backticks,
    /// `((…))`, `$((…))`, with so many parentheses open.
    Arithmetic(u32),
    /// `$[…]`, `a[…]`
    Brackets,
    /// `[[ … ]]`
    Test,
}

impl In {
    /// Where nothing may be put.
    fn name(self) -> Option<&'static str> {
        match self {
            In::Parens | In::Double | In::Single | In::Comment => None,
            In::AnsiC => Some("in `$'…'`"),
            In::Braces => Some("in `${…}`"),
            In::Backticks => Some("between backticks (`$(…)` will do)"),
            In::Arithmetic(_) => Some("in arithmetic"),
            In::Brackets => Some("in a subscript"),
            In::Test => Some("in `[[ … ]]` (`[ … ]` will do)"),
        }
    }
}

pub(super) fn refer(line: &str, params: &[Param]) -> Result<String, Wrong> {
    let mut scanner =
        Scanner { out: String::with_capacity(line.len() + 32), within: Vec::new(), before: None, here: Here::No };
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let taken = match at(rest, scanner.before, params, Strange::Slip) {
            Some((Piece::Param(number), taken)) => {
                scanner.put(&params[number])?;
                taken
            }
            Some((Piece::Text(text), taken)) => {
                scanner.out.push_str(text);
                scanner.before = Some('}');
                taken
            }
            Some((Piece::Unknown { word, near }, _)) if scanner.within.last() != Some(&In::Comment) => {
                return Err(Wrong::Unknown { word: word.to_owned(), near });
            }
            _ => {
                let taken = scanner.step(c, rest);
                scanner.out.push_str(&rest[..taken]);
                scanner.before = rest[..taken].chars().next_back();
                taken
            }
        };
        rest = &rest[taken..];
    }
    Ok(scanner.out)
}

/// A text between `<<END` and `END`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Here {
    No,
    /// From the next line on.
    Next,
    Text,
}

struct Scanner {
    out: String,
    within: Vec<In>,
    /// The character before.
    before: Option<char>,
    here: Here,
}

impl Scanner {
    fn put(&mut self, param: &Param) -> Result<(), Wrong> {
        let place = self.within.iter().find_map(|within| within.name());
        let place = place.or((self.here == Here::Text).then_some("behind a `<<`"));
        if let Some(place) = place {
            return Err(Wrong::Place { name: param.name.clone(), place });
        }
        let reference = format!("${{{}}}", variable(param));
        match self.within.last() {
            Some(In::Double) => self.out.push_str(&reference),
            Some(In::Single) => self.out.push_str(&format!("'\"{reference}\"'")),
            Some(In::Comment) => self.out.push_str(&param.name),
            _ => self.out.push_str(&format!("\"{reference}\"")),
        }
        self.before = Some('}');
        Ok(())
    }

    /// Takes note of what stands here; how many bytes it is.
    fn step(&mut self, c: char, rest: &str) -> usize {
        let one = c.len_utf8();
        let now = self.within.last().copied();
        match (now, c) {
            (Some(In::Single), '\'') | (Some(In::AnsiC), '\'') | (Some(In::Comment), '\n') => {
                self.within.pop();
                if c == '\n' {
                    self.new_line();
                }
                return one;
            }
            (Some(In::Single | In::Comment), _) => return one,
            (_, '\\') => return one + rest[one..].chars().next().map_or(0, char::len_utf8),
            (Some(In::AnsiC), _) => return one,
            _ => {}
        }
        if c == '$'
            && let Some(taken) = self.dollar(rest)
        {
            return taken;
        }
        match (now, c) {
            (Some(In::Double), '"')
            | (Some(In::Braces), '}')
            | (Some(In::Backticks), '`')
            | (Some(In::Parens), ')') => {
                self.within.pop();
            }
            (Some(In::Brackets), ']') => {
                self.within.pop();
            }
            // No subscript after all.
            (Some(In::Brackets), ' ' | '\n') if !self.out.ends_with("$[") => {
                self.within.pop();
            }
            (Some(In::Test), ']') if rest.starts_with("]]") => {
                self.within.pop();
                return 2;
            }
            (Some(In::Arithmetic(open)), '(' | ')') => {
                self.within.pop();
                let open = if c == '(' { open + 1 } else { open - 1 };
                if open > 0 {
                    self.within.push(In::Arithmetic(open));
                }
            }
            (_, '`') => self.within.push(In::Backticks),
            (Some(In::Double), _) => {}
            (_, '"') => self.within.push(In::Double),
            // In `"${x:-'}"` it is one character like another.
            (Some(In::Braces), '\'') if self.within.contains(&In::Double) => {}
            (_, '\'') => self.within.push(In::Single),
            (None | Some(In::Parens), _) => return self.plain(c, rest),
            _ => {}
        }
        one
    }

    /// `$(`, `${` and their like, in any place where they mean something.
    fn dollar(&mut self, rest: &str) -> Option<usize> {
        let in_quotes = self.within.last() == Some(&In::Double);
        let (within, taken) = match rest {
            r if r.starts_with("$((") => (In::Arithmetic(2), 3),
            r if r.starts_with("$(") => (In::Parens, 2),
            r if r.starts_with("${") => (In::Braces, 2),
            r if r.starts_with("$[") => (In::Brackets, 2),
            r if r.starts_with("$'") && !in_quotes => (In::AnsiC, 2),
            _ => return None,
        };
        self.within.push(within);
        Some(taken)
    }

    /// Where words are words.
    fn plain(&mut self, c: char, rest: &str) -> usize {
        let begins = self.before.is_none_or(|before| before.is_whitespace() || ";&|(".contains(before));
        match c {
            '(' if rest.starts_with("((") => {
                self.within.push(In::Arithmetic(2));
                return 2;
            }
            '(' => self.within.push(In::Parens),
            '#' if begins => self.within.push(In::Comment),
            '[' if begins && rest.starts_with("[[") => {
                self.within.push(In::Test);
                return 2;
            }
            '[' if self.before.is_some_and(|before| before.is_ascii_alphanumeric() || before == '_') => {
                self.within.push(In::Brackets);
            }
            '<' if rest.starts_with("<<<") => return 3,
            '<' if rest.starts_with("<<") => {
                self.here = if self.here == Here::Text { Here::Text } else { Here::Next };
                return 2;
            }
            '\n' => self.new_line(),
            _ => {}
        }
        c.len_utf8()
    }

    fn new_line(&mut self) {
        if self.here == Here::Next {
            self.here = Here::Text;
        }
    }
}
