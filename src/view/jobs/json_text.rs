//! JSON as text, piece by piece: whoever writes it says what stands where.
use crate::model::time::{Stamper, Wall};

/// Nothing in it steers a terminal that shows it.
#[derive(Debug, Default)]
pub struct Json {
    pub out: Vec<u8>,
    stamper: Stamper,
}

impl Json {
    pub fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Json, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.raw("null"),
        }
    }

    pub fn list<T>(&mut self, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Json, T)) {
        self.raw("[");
        for (i, item) in items.enumerate() {
            if i > 0 {
                self.raw(",");
            }
            write(self, item);
        }
        self.raw("]");
    }

    /// JSON as it is.
    pub fn raw(&mut self, json: &str) {
        self.out.extend_from_slice(json.as_bytes());
    }

    pub fn int(&mut self, number: i64) {
        if number < 0 {
            self.raw("-");
        }
        self.count(number.unsigned_abs());
    }

    pub fn count(&mut self, mut number: u64) {
        // As many digits as the largest one has.
        let mut digits = [b'0'; 20];
        let mut from = digits.len();
        while from == digits.len() || number > 0 {
            from -= 1;
            digits[from] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.out.extend_from_slice(&digits[from..]);
    }

    pub fn real(&mut self, number: f64) {
        // What is no number is null.
        self.maybe(serde_json::Number::from_f64(number), |json, number| json.raw(&number.to_string()));
    }

    pub fn time(&mut self, at: Wall) {
        self.raw("\"");
        self.stamper.write(at, &mut self.out);
        self.raw("\"");
    }

    /// Of text that is not there, nothing.
    pub fn given(&mut self, text: &str) {
        self.maybe((!text.is_empty()).then_some(text), Json::text);
    }

    pub fn text(&mut self, text: &str) {
        self.raw("\"");
        self.escaped(text, true);
        self.raw("\"");
    }

    /// JSON that a serializer wrote.
    pub fn safely(&mut self, json: &str) {
        self.escaped(json, false);
    }

    /// Characters that steer a terminal could stand in JSON as they are, and only within texts: there an escape says the
    /// same. `is_text`: so are those that JSON does not have within a text.
    fn escaped(&mut self, text: &str, is_text: bool) {
        let bytes = text.as_bytes();
        let (mut done, mut at) = (0, 0);
        while let Some(plain) = bytes[at..].iter().position(|byte| WHAT[usize::from(*byte)] != PLAIN) {
            at += plain;
            let what = WHAT[usize::from(bytes[at])];
            // The byte begins a character: none of those that go on with one is anything but plain.
            let Some(c) = text[at..].chars().next() else { break };
            let meant = if what == LOOK { steers(c) } else { is_text };
            if meant {
                self.raw(&text[done..at]);
                match what {
                    LOOK | CONTROL => self.raw(&format!("\\u{:04x}", c as u32)),
                    short => self.out.extend_from_slice(&[b'\\', short]),
                }
                done = at + c.len_utf8();
            }
            at += c.len_utf8();
        }
        self.raw(&text[done..]);
    }
}

const PLAIN: u8 = 0;
/// Its character may steer a terminal.
const LOOK: u8 = 1;
/// Written as its number.
const CONTROL: u8 = 2;

/// What a byte of a text asks for: one of the above, or what stands for it behind a backslash.
const WHAT: [u8; 256] = {
    let mut what = [PLAIN; 256];
    let mut control = 0;
    while control < 0x20 {
        what[control] = CONTROL;
        control += 1;
    }
    what[0x08] = b'b';
    what[0x09] = b't';
    what[0x0a] = b'n';
    what[0x0c] = b'f';
    what[0x0d] = b'r';
    what[b'"' as usize] = b'"';
    what[b'\\' as usize] = b'\\';
    // DEL, and the first bytes of those that `steers` knows.
    what[0x7f] = LOOK;
    what[0xc2] = LOOK;
    what[0xe2] = LOOK;
    what[0xef] = LOOK;
    what
};

fn steers(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// With a field or an item a line, as people read it. `json`: without a blank between its parts.
pub fn indented(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let mut depth = 0;
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    };
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        let end = if byte == b'"' { end_of_text(json, at) } else { at + 1 };
        let is_empty = matches!((byte, json.get(end)), (b'{', Some(b'}')) | (b'[', Some(b']')));
        let end = if is_empty { end + 1 } else { end };
        if matches!(byte, b'}' | b']') {
            depth -= 1;
            line(&mut out, depth);
        }
        out.extend_from_slice(&json[at..end]);
        match byte {
            b'{' | b'[' if !is_empty => {
                depth += 1;
                line(&mut out, depth);
            }
            b',' => line(&mut out, depth),
            b':' => out.push(b' '),
            _ => {}
        }
        at = end;
    }
    out
}

/// Behind the quotation mark that ends the text which begins at `at`.
fn end_of_text(json: &[u8], at: usize) -> usize {
    let mut escaped = false;
    let end = json[at + 1..].iter().position(|byte| match byte {
        b'\\' => {
            escaped = !escaped;
            false
        }
        b'"' => !std::mem::take(&mut escaped),
        _ => {
            escaped = false;
            false
        }
    });
    end.map_or(json.len(), |length| at + length + 2)
}
