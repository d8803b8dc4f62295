//! A capture with its colours, for the one thing that some programs show by nothing else: which choice is marked.

/// What lies behind each sign of a screen.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Colours {
    /// By row: from which sign on, which ground.
    rows: Vec<Vec<(usize, String)>>,
}

/// As terminals keep it while they print.
#[derive(Clone, Default)]
struct Pen {
    front: String,
    back: String,
    reversed: bool,
}

impl Colours {
    /// The text of a capture (`capture-pane -e`) without its escape sequences, and the grounds that they told.
    pub fn split(raw: &str) -> (String, Colours) {
        let (mut text, mut rows, mut pen) = (String::with_capacity(raw.len()), Vec::new(), Pen::default());
        // A ground goes on from row to row.
        for row in raw.split_inclusive('\n') {
            let (mut runs, mut column) = (vec![(0, pen.ground())], 0);
            let mut rest = row;
            while let Some(sign) = rest.chars().next() {
                rest = &rest[sign.len_utf8()..];
                match sign {
                    '\x1b' => {
                        let (sequence, after) = rest.split_at(sequence(rest));
                        rest = after;
                        if let Some(parameters) = sequence.strip_prefix('[').and_then(|s| s.strip_suffix('m')) {
                            pen.set(parameters);
                            runs.push((column, pen.ground()));
                        }
                    }
                    // They switch to line drawing and back.
                    '\x0e' | '\x0f' => {}
                    sign => {
                        column += 1;
                        text.push(sign);
                    }
                }
            }
            rows.push(runs);
        }
        (text, Colours { rows })
    }

    /// The ground of a sign, both from 0; the parameters that set it, empty for the terminal's own.
    pub fn ground(&self, row: usize, column: usize) -> &str {
        let runs = self.rows.get(row).map_or(&[][..], Vec::as_slice);
        runs.iter().rev().find(|(from, _)| *from <= column).map_or("", |(_, ground)| ground)
    }

    /// The columns of a row from which on there may be another ground.
    pub fn borders(&self, row: usize) -> impl Iterator<Item = usize> {
        self.rows.get(row).into_iter().flatten().map(|(from, _)| *from)
    }
}

impl Pen {
    fn ground(&self) -> String {
        if self.reversed { format!("7;{}", self.front) } else { self.back.clone() }
    }

    fn set(&mut self, parameters: &str) {
        let mut all = parameters.split([';', ':']);
        while let Some(one) = all.next() {
            match one.parse().unwrap_or(0) {
                0 => *self = Pen::default(),
                7 => self.reversed = true,
                27 => self.reversed = false,
                30..=37 | 90..=97 => self.front = one.to_owned(),
                40..=47 | 100..=107 => self.back = one.to_owned(),
                39 => self.front.clear(),
                49 => self.back.clear(),
                n @ (38 | 48) => {
                    let kind = all.next().unwrap_or_default();
                    let more = if kind == "5" { 1 } else { 3 };
                    let colour: Vec<&str> = all.by_ref().take(more).collect();
                    let place = if n == 38 { &mut self.front } else { &mut self.back };
                    *place = format!("{n};{kind};{}", colour.join(";"));
                }
                _ => {}
            }
        }
    }
}

/// How many bytes of what stands behind an escape belong to it.
fn sequence(rest: &str) -> usize {
    let end = match rest.as_bytes().first() {
        Some(b'[') => rest[1..].find(|c: char| ('@'..='~').contains(&c)).map(|at| at + 2),
        // A link or a title: up to BEL, or to ESC and a backslash.
        Some(b']') => {
            let ends = [rest.find('\x07').map(|at| at + 1), rest.find("\x1b\\").map(|at| at + 2)];
            ends.into_iter().flatten().min()
        }
        Some(_) => rest.chars().next().map(char::len_utf8),
        None => None,
    };
    end.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn grounds_are_told_by_sign_and_go_on_from_row_to_row() {
        let raw = "a\x1b[48;5;215m b\x1b[38;5;1mc\x1b[49md\n\x1b[44me\nf\x1b[0;7;31mg\x1b[27mh";
        let (text, colours) = Colours::split(raw);
        assert_eq!(text, "a bcd\ne\nfgh");
        let row = |row, n| (0..n).map(|i| colours.ground(row, i)).collect::<Vec<_>>();
        assert_eq!(row(0, 5), ["", "48;5;215", "48;5;215", "48;5;215", ""]);
        assert_eq!((row(1, 1), row(2, 3)), (vec!["44"], vec!["44", "7;31", ""]));
    }

    #[test]
    fn links_titles_and_line_drawing_leave_their_text() {
        let raw = "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x0eq\x0f \x1b]0;t\x07end\x1b";
        assert_eq!(Colours::split(raw).0, "link q end");
    }

    proptest! {
        #[test]
        fn any_capture_is_split(raw in "(?:\x1b\\[[0-9;:]{0,6}m|[a-z\u{2503}\n \x1b\\]\x07]){0,60}") {
            let (text, colours) = Colours::split(&raw);
            prop_assert!(!text.contains('\x1b'));
            for (i, row) in text.lines().enumerate() {
                colours.ground(i, row.chars().count());
            }
        }
    }
}
