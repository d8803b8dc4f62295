//! JSON -> nodes. A parser of its own, because every value has to know where it stands.
use super::node::{Entry, Node, Value};
use crate::{
    config::{Class, Findings, Reach},
    model::name::printable,
};
use std::{collections::HashSet, ops::Range};

/// Deeper nesting is no job file, and would only cost stack.
const DEEPEST: usize = 64;

/// `None` if it is not JSON; that has been said.
pub(super) fn parse(text: &str, out: &mut Findings) -> Option<Node> {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut reader = Reader { text, at: start, twice: Vec::new() };
    let read = reader.document();
    for span in reader.twice {
        let message = format!("the key `{}` stands twice", printable(text[span.clone()].trim_matches('"')));
        out.add(Reach::All, Class::Duplicate, span, message, "keep one of the two");
    }
    match read {
        Ok(node) => Some(node),
        Err(fault) => {
            let message = format!("this is not JSON: {}", fault.message);
            out.add(Reach::All, Class::Syntax, fault.span, message, fault.hint);
            None
        }
    }
}

struct Trouble {
    span: Range<usize>,
    message: String,
    hint: &'static str,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// Keys that stood in their table before.
    twice: Vec<Range<usize>>,
}

type Read<T> = Result<T, Trouble>;

impl Reader<'_> {
    fn document(&mut self) -> Read<Node> {
        self.blank();
        if self.peek().is_none() {
            return self.here("the file is empty", "write `{\"steps\": [{\"cmd\": \"make\"}]}`");
        }
        let node = self.value(0)?;
        self.blank();
        match self.peek() {
            None => Ok(node),
            Some(_) => self.here("something follows the end", "several jobs are a list: `[{…}, {…}]`"),
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn blank(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn eat(&mut self, word: &str) -> bool {
        let there = self.text[self.at..].starts_with(word);
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn here<T>(&self, message: impl Into<String>, hint: &'static str) -> Read<T> {
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        Err(Trouble { span: self.at..end, message: message.into(), hint })
    }

    /// What stands where something else is wanted.
    fn unexpected<T>(&self, wanted: &str, hint: &'static str) -> Read<T> {
        match self.peek() {
            None => self.here(format!("it ends where {wanted} is wanted"), "close what was opened: `]` or `}`"),
            Some('/' | '#') => self.here("JSON has no comments", "take it out, or write the file as TOML"),
            Some('\'') => self.here("text stands in double quotes", "write `\"text\"`"),
            Some(c) => self.here(format!("`{}` stands where {wanted} is wanted", printable(&c.to_string())), hint),
        }
    }

    fn value(&mut self, depth: usize) -> Read<Node> {
        let start = self.at;
        if depth > DEEPEST {
            return self.here("it is nested too deeply", "a job is a table with a list of `steps`");
        }
        let value = match self.peek() {
            Some('{') => self.table(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Value::Text(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            _ if self.eat("true") => Value::Bool(true),
            _ if self.eat("false") => Value::Bool(false),
            _ if self.eat("null") => Value::Null,
            _ => return self.unexpected("a value", "text stands in double quotes: `\"text\"`"),
        };
        Ok(Node { span: start..self.at, value })
    }

    fn list(&mut self, depth: usize) -> Read<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.blank();
        if self.eat("]") {
            return Ok(Value::List(items));
        }
        loop {
            self.blank();
            items.push(self.value(depth + 1)?);
            if !self.more("]")? {
                return Ok(Value::List(items));
            }
        }
    }

    /// After an item: does another one follow?
    fn more(&mut self, end: &'static str) -> Read<bool> {
        self.blank();
        let comma = self.at;
        if self.eat(end) {
            return Ok(false);
        }
        if !self.eat(",") {
            return self.unexpected("`,` or the end", "put a `,` between two items");
        }
        self.blank();
        if self.text[self.at..].starts_with(end) {
            self.at = comma;
            return self.here("a `,` stands after the last item", "take it out");
        }
        Ok(true)
    }

    fn table(&mut self, depth: usize) -> Read<Value> {
        self.at += 1;
        let (mut entries, mut seen) = (Vec::new(), HashSet::new());
        self.blank();
        if self.eat("}") {
            return Ok(Value::Table(entries));
        }
        loop {
            self.blank();
            let start = self.at;
            if self.peek() != Some('"') {
                return self.unexpected("a key", "keys stand in double quotes: `\"steps\": […]`");
            }
            let key = self.string()?;
            let key_span = start..self.at;
            self.blank();
            if !self.eat(":") {
                return self.unexpected("`:`", "a key and its value: `\"cmd\": \"make\"`");
            }
            self.blank();
            let node = self.value(depth + 1)?;
            if seen.insert(key.clone()) {
                entries.push(Entry { key, key_span, node });
            } else {
                self.twice.push(key_span);
            }
            if !self.more("}")? {
                return Ok(Value::Table(entries));
            }
        }
    }

    fn number(&mut self) -> Read<Value> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).unwrap_or(rest.len());
        let word = &rest[..length];
        let digits = word.trim_start_matches('-');
        let leading_zero = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
        let sound = !(leading_zero || digits.starts_with('.') || word.ends_with('.'));
        match word.parse::<f64>() {
            Ok(value) if sound => {
                self.at += length;
                Ok(Value::Number { value, whole: !word.contains(['.', 'e', 'E']) })
            }
            _ => {
                let span = self.at..self.at + length.max(1);
                let message = format!("`{}` is not a number", printable(word));
                Err(Trouble { span, message, hint: "text stands in double quotes: `\"text\"`" })
            }
        }
    }

    /// From its first quote to its last.
    fn string(&mut self) -> Read<String> {
        let open = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some('"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some('\\') => out.push(self.escape()?),
                None | Some('\n' | '\r') => {
                    let (span, message) = (open..self.at, "a text does not end on its line".to_owned());
                    return Err(Trouble { span, message, hint: "close it with `\"`; write a new line as `\\n`" });
                }
                Some(c) => {
                    let shown = printable(&c.to_string());
                    return self.here(
                        format!("a text contains the control character `{shown}`"),
                        "write it as `\\t` or `\\u001b`",
                    );
                }
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let start = self.at;
        self.at += 1;
        let Some(letter) = self.peek() else {
            return self.here("it ends in the middle of a text", "close the text with `\"`");
        };
        self.at += letter.len_utf8();
        let simple = match letter {
            '"' | '\\' | '/' => Some(letter),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.unicode(),
            _ => None,
        };
        simple.ok_or_else(|| {
            let end = self.at;
            let message = format!("`{}` is no escape", printable(&self.text[start..end]));
            Trouble { span: start..end, message, hint: "a backslash itself is `\\\\`" }
        })
    }

    /// The digits behind `\u`; two of these where the character needs them.
    fn unicode(&mut self) -> Option<char> {
        let first = self.four()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        let second = self.eat("\\u").then(|| self.four())??;
        let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + low)
    }

    fn four(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}
