//! What a captured pane says, once its text has been read. Made by `backends`.
use super::{
    dialog::Dialog,
    seen::ErrorSeen,
    time::{Boot, Wall},
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// When its screen was read.
    pub at: Boot,
    /// Hash of the whole visible text, title and cursor: two equal ones = nothing moved.
    pub screen: u64,
    /// Column and row of the cursor, from 0.
    #[serde(default)]
    pub cursor: (u16, u16),
    /// Hash of the words in it, title included, without clocks, counters and spinners: equal ones = nothing new is shown.
    #[serde(default)]
    pub still: u64,
    /// No visible character at all.
    pub blank: bool,
    pub active: Option<Evidence>,
    pub limit: Option<Evidence>,
    pub fatal: Option<Evidence>,
    pub waiting: Option<Evidence>,
    /// The dialog that `waiting` speaks of, if its choices can be read.
    #[serde(default)]
    pub dialog: Option<Dialog>,
    /// The turn is over, and something that it started goes on in the background.
    #[serde(default)]
    pub background: Option<Evidence>,
    /// The error that ended its last turn, by a preset's rules; a user's `fatal_re` has no class.
    #[serde(default)]
    pub error: Option<ErrorSeen>,
    /// No rule of the preset, and no pattern of the user, says what this is.
    #[serde(default)]
    pub unknown: bool,
    /// When the limit ends, as its banner says, without slack. May lie in the past.
    pub reset: Option<Wall>,
    /// The last `WAITING-UNTIL` marker that can be read.
    pub waiting_until: Option<Wall>,
    /// What stands in its input line, not sent yet.
    #[serde(default)]
    pub draft: Option<Draft>,
    /// The same is true of every turn that shows.
    #[serde(default)]
    pub all_failed: bool,
    /// Where the texts that are being delivered stand on this screen, by delivery id.
    pub ours: Vec<OursSeen>,
}

/// A text in the input line, up to the cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Printable, at most 200 characters.
    pub text: String,
    /// How many backspaces take it away; one too many does no harm.
    pub chars: usize,
    /// The delivery that it is, whole and with nothing else around it.
    pub ours: Option<i64>,
    /// The delivery of which it is the beginning: the rest may still be on its way through the program.
    #[serde(default)]
    pub begins: Option<i64>,
}

/// [`Evidence::source`] of what an agent's own session file says: its word about itself, and not its screen.
pub const TRANSCRIPT: &str = "transcript";

/// Which rule matched which line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// `pane`, `title`, `command`, `log`, [`TRANSCRIPT`], `hook`.
    pub source: String,
    /// The config key, `active_re`, …, or the rule of a preset, `claude/working/spinner`.
    pub rule: String,
    /// 0-based row of the capture.
    pub line: usize,
    /// The row, printable, at most 200 characters.
    pub text: String,
    /// The matched row also stands in the agent's own first message: no evidence for `fatal` and `limit`.
    pub quoted: bool,
}

/// A text of ours found on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OursSeen {
    pub delivery: i64,
    /// How often its first characters stand on the screen; 0 = not there.
    pub count: usize,
    /// Hash of everything from the last row that begins our text down to the bottom, cursor position included. The
    /// same value after a submit key means: the key changed nothing there.
    pub tail: u64,
    /// The end of the text stands on the row of the cursor or the row above it, or is the last text on the screen.
    pub at_cursor: bool,
    /// Something new stands below it in the conversation.
    #[serde(default)]
    pub answered: bool,
    /// Its turn came to nothing but an error, and the program has taken it out of its conversation.
    #[serde(default)]
    pub failed: bool,
}
