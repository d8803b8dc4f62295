//! What an agent's own session file says of it: a channel beside its screen and its processes.
use super::{
    time::Wall,
    transcript::{Program, TurnError},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, path::PathBuf};

/// How its conversation stands, by the file as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnObs {
    /// The start in which it was seen to be in this conversation.
    pub incarnation: u64,
    /// The conversation, if the program itself says that it is in it; a guess is not good enough to resume.
    pub conversation: Option<Whose>,
    /// Newest row of a text that it was given.
    pub asked: Option<Wall>,
    /// Newest row that the model or a tool wrote. What we typed is none.
    pub worked: Option<Wall>,
    /// The error that ended the last turn, while nothing was asked since.
    pub failed: Option<Failed>,
    /// What it asks a person, by its hooks, while it was not told anything since. It may be answered: no hook tells that.
    pub asks: Option<Asks>,
    /// Texts on their way, or given up of late, that the conversation took; by delivery id.
    pub arrived: BTreeSet<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    pub at: Wall,
    pub error: TurnError,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asks {
    pub at: Wall,
    /// Printable, short.
    pub what: String,
}

/// A conversation can be taken up by its own program, and only in its own folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whose {
    /// The program's own name for it: what it is resumed by.
    pub id: String,
    pub program: Program,
    /// Where the program ran, without symbolic links.
    pub dir: PathBuf,
}

/// The conversation that an agent is in, or was in last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub whose: Whose,
    /// When it was seen first.
    pub since: Wall,
}
