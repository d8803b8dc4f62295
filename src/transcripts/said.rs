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
    newest: Option<Wall>,
}

#[derive(Clone, Copy, Debug)]
struct Text {
    at: Wall,
    hash: u64,
    queued: bool,
}

impl Said {
    pub fn take(&mut self, row: &Row) {
        // Times go back and forth within a file.
        self.newest = self.newest.max(row.at);
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
        self.texts.push_back(Text { at, hash: folded(text), queued });
    }

    /// The session took exactly this text as the user's, at `since` or later. Blank space at both ends and the kind of
    /// line ends do not count.
    pub fn has_said(&self, text: &str, since: Wall) -> bool {
        self.any(text, since, false)
    }

    /// The program put exactly this text in line, at `since` or later; it may have taken it since.
    pub fn has_queued(&self, text: &str, since: Wall) -> bool {
        self.any(text, since, true)
    }

    fn any(&self, text: &str, since: Wall, queued: bool) -> bool {
        let hash = folded(text);
        self.texts.iter().any(|t| t.queued == queued && t.at >= since && t.hash == hash)
    }

    /// A row is that new.
    pub fn appended_since(&self, since: Wall) -> bool {
        self.newest.is_some_and(|at| at >= since)
    }

    /// The time of the newest row.
    pub fn newest(&self) -> Option<Wall> {
        self.newest
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
        assert!(!said.appended_since(Wall(0)));
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
        assert!(said.has_queued("later", Wall(0)) && !said.has_queued("do it\nnow", Wall(0)));
        assert!(said.appended_since(Wall(200)) && !said.appended_since(Wall(201)));
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
