//! What an agent's own session file says, row by row, whichever program wrote it. Texts are as they stand in the file:
//! every byte of them is somebody else's.
use super::{seen::ErrorClass, time::Wall};
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// An agent CLI whose session files can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    Claude,
    Codex,
}

impl Program {
    pub const ALL: [Program; 2] = [Program::Claude, Program::Codex];

    pub fn as_str(self) -> &'static str {
        match self {
            Program::Claude => "claude",
            Program::Codex => "codex",
        }
    }

    /// By the name of a preset or of the program itself.
    pub fn named(name: &str) -> Option<Program> {
        Program::ALL.into_iter().find(|p| p.as_str() == name)
    }

    /// Which one a backend runs: as its preset says, else by the command's own name.
    pub fn of(preset: Option<&str>, bin: &str) -> Option<Program> {
        if let Some(preset) = preset {
            return Program::named(preset);
        }
        let word = bin.split_whitespace().find(|word| !word.contains('='))?;
        Program::named(word.trim_matches(['"', '\'']).rsplit('/').next()?)
    }
}

/// One row. `at`: when it happened, if the file says so; rows are in the order of the file, which is not always that of
/// their times.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub at: Option<Wall>,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A text of the user's: a turn begins, or goes on with it.
    Asked {
        text: String,
    },
    /// A text of the user's that waits for the end of the turn. It comes again, as `Asked`.
    Queued {
        text: String,
    },
    /// The model's words.
    Answered {
        text: String,
    },
    /// `argument`: what tells most about the call, any number of lines.
    Called {
        id: String,
        tool: String,
        argument: String,
    },
    Returned {
        id: String,
        text: String,
        failed: bool,
    },
    Failed(TurnError),
    Used(Usage),
    /// From here on, this model answers.
    Model {
        name: String,
    },
    /// A command of the program itself, or something that it did on its own.
    Note {
        text: String,
    },
    Ended(End),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Interrupted,
    /// A [`What::Failed`] stands before it.
    Failed,
}

/// The error that ended a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnError {
    pub class: Cause,
    pub text: String,
    /// When a limit is over, if it says so. May lie in the past.
    pub reset: Option<Wall>,
}

/// What kind of error: `limit`, or one of the classes that a screen knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// A usage limit of the plan.
    Limit,
    Error(ErrorClass),
}

impl Cause {
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Limit => "limit",
            Cause::Error(class) => class.as_str(),
        }
    }
}

/// What one answer of the model took, or what came to it since the last row about the same answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Hash of the answer's id, where the file has one: the same answer may stand in several files.
    pub message: Option<u64>,
    pub tokens: Tokens,
    /// Only where the file says it.
    pub cost_usd: Option<f64>,
}

/// The four do not overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Read for the first time.
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
}

impl Tokens {
    pub fn total(self) -> u64 {
        [self.output, self.cache_read, self.cache_write].into_iter().fold(self.input, u64::saturating_add)
    }

    pub fn is_zero(self) -> bool {
        self == Tokens::default()
    }

    /// What came on top of `earlier`, none of the four below zero.
    pub fn beyond(self, earlier: Tokens) -> Tokens {
        Tokens {
            input: self.input.saturating_sub(earlier.input),
            output: self.output.saturating_sub(earlier.output),
            cache_read: self.cache_read.saturating_sub(earlier.cache_read),
            cache_write: self.cache_write.saturating_sub(earlier.cache_write),
        }
    }
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, more: Tokens) {
        self.input = self.input.saturating_add(more.input);
        self.output = self.output.saturating_add(more.output);
        self.cache_read = self.cache_read.saturating_add(more.cache_read);
        self.cache_write = self.cache_write.saturating_add(more.cache_write);
    }
}
