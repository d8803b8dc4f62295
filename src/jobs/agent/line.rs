//! Bytes -> lines, with bounded memory: of a line that is too long its beginning is kept, closed so that it still is
//! JSON. What counts stands in front; a tool's result of megabytes stands behind it.

/// Bytes of a line that are kept.
pub const LONGEST: usize = 256 * 1024;

/// Lines that come in parts.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
    /// More came than is kept.
    cut: bool,
}

impl Lines {
    /// Gives every line that is whole by now, without its end.
    pub fn feed(&mut self, bytes: &[u8], each: &mut impl FnMut(&[u8])) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            self.keep(&rest[..end]);
            self.finish(each);
            rest = &rest[end + 1..];
        }
        self.keep(rest);
    }

    /// Nothing follows: the last line needs no end.
    pub fn finish(&mut self, each: &mut impl FnMut(&[u8])) {
        let line = std::mem::take(&mut self.begun);
        let line = if std::mem::take(&mut self.cut) { closed(&line) } else { line };
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if !line.is_empty() {
            each(line);
        }
    }

    fn keep(&mut self, part: &[u8]) {
        let room = LONGEST.saturating_sub(self.begun.len());
        self.begun.extend_from_slice(&part[..part.len().min(room)]);
        self.cut |= part.len() > room;
    }
}

/// The beginning of a JSON text, with what is open in it closed at the last place where that is possible. What is no JSON
/// stays what it was.
fn closed(beginning: &[u8]) -> Vec<u8> {
    if !beginning.starts_with(b"{") {
        return beginning.to_vec();
    }
    let mut open: Vec<u8> = Vec::new();
    let (mut in_text, mut escaped) = (false, false);
    // A value ended here, or a text can be ended here; and what was open then.
    let mut safe = (0, Vec::new());
    let mut text_at = 0;
    // Where the last two escapes of this text begin.
    let mut escapes = [0; 2];
    for (at, byte) in beginning.iter().enumerate() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => (escaped, escapes) = (true, [escapes[1], at]),
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => (in_text, text_at, escapes) = (true, at, [at; 2]),
            b'{' | b'[' => {
                open.push(if *byte == b'{' { b'}' } else { b']' });
                safe = (at + 1, open.clone());
            }
            b'}' | b']' => {
                open.pop();
                safe = (at + 1, open.clone());
            }
            b',' => safe = (at, open.clone()),
            _ => {}
        }
    }
    // In a text that is a value, its beginning is kept: in front of it stands a colon.
    let before = beginning[..text_at].trim_ascii_end();
    let mut kept = if in_text && before.ends_with(b":") {
        [&beginning[..text_end(beginning, text_at, escapes)], b"\""].concat()
    } else {
        open = safe.1;
        beginning[..safe.0].to_vec()
    };
    open.reverse();
    kept.extend(open);
    kept
}

/// Where a text that begins at `from` and has no end can be ended: behind a whole character, and behind a whole escape.
fn text_end(bytes: &[u8], from: usize, [before, last]: [usize; 2]) -> usize {
    let mut end = std::str::from_utf8(&bytes[from..]).map_or_else(|e| from + e.valid_up_to(), |_| bytes.len());
    let is_whole = |escape: &[u8]| match escape {
        [b'\\', b'u', rest @ ..] => rest.len() >= 4,
        [b'\\', rest @ ..] => !rest.is_empty(),
        _ => true,
    };
    let mut escape = last;
    if !is_whole(&bytes[last..end.max(last)]) {
        (end, escape) = (last, before);
    }
    // The first half of a pair means nothing alone.
    let is_half =
        |escape: &[u8]| matches!(escape, [b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', ..]);
    if escape + 6 == end && is_half(&bytes[escape..end]) { escape } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn lines(parts: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        let mut each = |line: &[u8]| out.push(String::from_utf8_lossy(line).into_owned());
        parts.iter().for_each(|part| lines.feed(part, &mut each));
        lines.finish(&mut each);
        out
    }

    #[test]
    fn lines_that_come_in_parts_are_whole() {
        assert_eq!(lines(&[b"a\nb", b"c\r\n", b"\n", b"d"]), ["a", "bc", "d"]);
        let text = b"one\ntwo\nthree";
        for at in 0..text.len() {
            assert_eq!(lines(&[&text[..at], &text[at..]]), ["one", "two", "three"], "{at}");
        }
    }

    #[test]
    fn of_a_line_of_megabytes_the_beginning_is_json() {
        let content = json!("\\\"é\n".repeat(900_000));
        let begin = r#"{"type":"user","message":{"content":[{"type":"tool_result","content":"#;
        let text = format!("{begin}{content}}}]}}}}\nnext\n");
        let mut reader = Lines::default();
        let mut found = Vec::new();
        for part in text.as_bytes().chunks(4096) {
            reader.feed(part, &mut |line| found.push(line.to_vec()));
            assert!(reader.begun.capacity() <= 4 * LONGEST, "bounded");
        }
        assert_eq!(found.len(), 2);
        let read: Value = serde_json::from_slice(&found[0]).expect("JSON");
        assert_eq!(read["type"], "user");
        assert_eq!(read["message"]["content"][0]["type"], "tool_result");
        assert_eq!(found[1], b"next");
    }

    #[test]
    fn wherever_it_is_cut_it_is_json() {
        let text =
            r#"{"a":[1,2,{"b":"x\"y\\zé😀\u00e9\ud83d\ude00\\ud83d","c\"d":[true,null]}],"e":"tail\n","f":{"g":"h"}}"#;
        serde_json::from_str::<Value>(text).expect("JSON");
        for at in 1..text.len() {
            let read = closed(&text.as_bytes()[..at]);
            serde_json::from_slice::<Value>(&read).unwrap_or_else(|e| {
                panic!("{at}: {e}: {} of {}", String::from_utf8_lossy(&read), &text.as_bytes()[..at].escape_ascii())
            });
        }
        assert_eq!(closed(b"no json at all"), b"no json at all");
    }
}
