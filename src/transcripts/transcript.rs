//! One session file, read as it grows.
use super::{
    claude, codex,
    parse::Taken,
    said::Said,
    standing::Standing,
    tail::{Look, Skipped, Tail},
};
use crate::model::{
    time::Wall,
    transcript::{Program, Row},
    zones::Zones,
};
use std::{io, path::Path};

/// What is remembered of a file between two looks: a position, half a line, and what its last rows mean for the next
/// ones. Never the file.
#[derive(Debug)]
pub struct Transcript {
    tail: Tail,
    mind: Mind,
    zones: Zones,
}

#[derive(Debug)]
struct Mind {
    program: Program,
    parser: Parser,
    said: Said,
    standing: Standing,
}

#[derive(Debug)]
enum Parser {
    Claude(claude::Parser),
    Codex(codex::Parser),
}

impl Mind {
    fn new(program: Program) -> Mind {
        let parser = match program {
            Program::Claude => Parser::Claude(claude::Parser::default()),
            Program::Codex => Parser::Codex(codex::Parser::default()),
        };
        Mind { program, parser, said: Said::default(), standing: Standing::default() }
    }

    fn line(&mut self, line: &str, zones: Zones, each: &mut dyn FnMut(Row)) -> Taken {
        let (said, standing) = (&mut self.said, &mut self.standing);
        let mut row = |row: Row| {
            said.take(&row);
            standing.take(&row);
            each(row);
        };
        match &mut self.parser {
            Parser::Claude(parser) => parser.line(line, zones, &mut row),
            Parser::Codex(parser) => parser.line(line, zones, &mut row),
        }
    }
}

impl Transcript {
    /// Reads nothing yet. `zones`: what "resets 3pm" means where the program runs.
    pub fn new(program: Program, path: &Path, zones: Zones) -> Transcript {
        Transcript { tail: Tail::new(path), mind: Mind::new(program), zones }
    }

    pub fn path(&self) -> &Path {
        self.tail.path()
    }

    pub fn program(&self) -> Program {
        self.mind.program
    }

    /// Lines that meant nothing to us, so far.
    pub fn skipped(&self) -> Skipped {
        self.tail.skipped
    }

    /// Whether [`Transcript::read`] would find anything.
    pub fn is_behind(&self) -> bool {
        self.tail.is_behind()
    }

    /// Gives every row that was appended since the last call, in the order of the file. [`Look::anew`]: the file was
    /// replaced or cut, the rows are those of another file, and what was said before is forgotten.
    pub fn read(&mut self, each: &mut dyn FnMut(Row)) -> io::Result<Look> {
        let (mind, zones) = (std::cell::RefCell::new(&mut self.mind), self.zones);
        self.tail.read(
            &mut || {
                let mut mind = mind.borrow_mut();
                **mind = Mind::new(mind.program);
            },
            &mut |line, skipped| match mind.borrow_mut().line(line, zones, each) {
                Taken::Yes => {}
                Taken::Unknown => skipped.unknown += 1,
                Taken::Broken => skipped.broken += 1,
            },
        )
    }

    /// Takes one line that the caller read: for a look at a beginning.
    pub(super) fn one(&mut self, line: &str, each: &mut dyn FnMut(Row)) {
        self.mind.line(line, self.zones, each);
    }

    /// What was read so far has exactly this text as the user's, at `since` or later: it arrived.
    pub fn has_said(&self, text: &str, since: Wall) -> bool {
        self.mind.said.has_said(text, since)
    }

    /// How the conversation stands by what was read so far.
    pub fn standing(&self) -> &Standing {
        &self.mind.standing
    }
}
