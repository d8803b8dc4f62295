//! What was said in a session, for as long as it may be asked for: proof that a text arrived, in little memory.
use super::parse::hash;
use crate::model::{
    time::Wall,
    transcript::{Row, What},
};
use std::collections::VecDeque;

/// So many texts are remembered.
const TEXTS: usize = 512;

#[derive(Clone, Debug, Default)]
pub struct Said {
    texts: VecDeque<Text>,
}

#[derive(Clone, Copy, Debug)]
struct Text {
    at: Wall,
    hash: u64,
    queued: bool,
    /// When it was put in line, if it was; else `at`.
    entered: Wall,
    /// In line, and taken since.
    taken: bool,
}

impl Said {
    pub fn take(&mut self, row: &Row) {
        let (text, queued) = match &row.what {
            What::Asked { text } => (text, false),
            What::Queued { text } => (text, true),
            _ => return,
        };
        // Without a time it can prove nothing.
        let Some(at) = row.at else { return };
        if self.texts.len() == TEXTS {
            self.texts.pop_front();
        }
        let hash = folded(text);
        let in_line = |t: &&mut Text| !queued && t.queued && !t.taken && t.hash == hash;
        let entered = self.texts.iter_mut().find(in_line).map_or(at, |t| {
            t.taken = true;
            t.at
        });
        self.texts.push_back(Text { at, hash, queued, entered, taken: false });
    }

    /// The session took exactly this text as the user's, and it was given it at `since` or later: one that waited in line
    /// counts from when it was put there. Blank space at both ends and the kind of line ends do not count.
    pub fn has_said(&self, text: &str, since: Wall) -> bool {
        let hash = folded(text);
        self.texts.iter().any(|t| !t.queued && t.entered >= since && t.hash == hash)
    }
}

/// A text as it is compared.
pub fn folded(text: &str) -> u64 {
    let text = text.trim();
    if text.contains('\r') { hash(&text.replace("\r\n", "\n").replace('\r', "\n")) } else { hash(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: i64, what: What) -> Row {
        Row { at: (at >= 0).then_some(Wall(at)), what }
    }

    #[test]
    fn only_this_text_and_only_since_then() {
        let mut said = Said::default();
        let asked = |text: &str| What::Asked { text: text.into() };
        said.take(&row(100, asked("do it\nnow")));
        said.take(&row(50, What::Answered { text: "do that".into() }));
        said.take(&row(200, What::Queued { text: "later".into() }));
        said.take(&row(-1, asked("without a time")));
        assert!(said.has_said("do it\r\nnow\n", Wall(100)));
        assert!(!said.has_said("do it\nnow", Wall(101)), "that was before");
        for other in ["do it", "do it\nnow!", "do that", "later", "without a time", ""] {
            assert!(!said.has_said(other, Wall(0)), "{other}");
        }
    }

    /// Twice the same words: the second may be typed before the first, which waited in line, is taken.
    #[test]
    fn a_text_from_the_line_is_no_proof_for_the_same_words_typed_later() {
        let mut said = Said::default();
        let text = || "go on".to_owned();
        said.take(&row(100, What::Queued { text: text() }));
        said.take(&row(300, What::Asked { text: text() }));
        assert!(said.has_said("go on", Wall(100)) && !said.has_said("go on", Wall(200)));
        said.take(&row(310, What::Asked { text: text() }));
        assert!(said.has_said("go on", Wall(200)), "said once more");
    }

    #[test]
    fn the_memory_has_an_end() {
        let mut said = Said::default();
        for i in 0..10_000 {
            said.take(&row(i, What::Asked { text: i.to_string() }));
        }
        assert_eq!(said.texts.len(), TEXTS);
        assert!(said.has_said("9999", Wall(0)) && !said.has_said("1", Wall(0)));
    }
}
