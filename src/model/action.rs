//! What is to be done, as data. Saved before it is done; what became of it is an input of a later decision.
use super::{event::Event, own::Conversation, seen::ErrorClass, time::Wall};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Action {
    /// Read the prompt, make the directory, write the launch record: everything that can fail, before anything is ended.
    Prepare {
        session: String,
        incarnation: u64,
        model: Option<String>,
        backend: Option<String>,
        phase: usize,
        sweep: bool,
        /// Not resumed: its conversation was given up, for this reason.
        #[serde(default)]
        fresh: Option<ErrorClass>,
        /// The one it was in last, by its session file: resumed, or put aside.
        #[serde(default)]
        conversation: Option<Conversation>,
    },
    /// Start what was prepared. Skipped if its `Prepare` in the same decision failed.
    Launch {
        session: String,
        incarnation: u64,
    },
    /// End the process tree of this incarnation (TERM, after `grace_ms` KILL), then its session.
    /// Skipped if a `Prepare` for the same session in the same decision failed.
    End {
        session: String,
        incarnation: u64,
        grace_ms: u64,
    },
    /// Remove what is left of a session whose processes are gone.
    Clear {
        session: String,
    },
    /// Type a text; like the next two only while the pane's cursor, if it is given, stands at this column and row. A dialog
    /// that came up since the last look has moved it.
    Type {
        session: String,
        delivery: i64,
        text: String,
        #[serde(default)]
        cursor: Option<(u16, u16)>,
    },
    Press {
        session: String,
        delivery: i64,
        key: String,
        #[serde(default)]
        cursor: Option<(u16, u16)>,
    },
    /// Press one key in a dialog, if `row` (from 0) of the screen still reads as `text`.
    Choose {
        session: String,
        key: String,
        row: usize,
        text: String,
    },
    /// Take back what we typed earlier: the backspace key, `count` times.
    Erase {
        session: String,
        delivery: i64,
        count: usize,
        #[serde(default)]
        cursor: Option<(u16, u16)>,
    },
    /// Leave copy mode.
    LeaveMode {
        session: String,
    },
    /// Connect the log writer again.
    Repipe {
        session: String,
    },
    Alert {
        event: Event,
    },
    WritePhase {
        index: usize,
    },
    WriteSequenceComplete {
        text: String,
    },
    RemoveSequenceComplete,
    RemoveTrigger,
    Answer {
        request: i64,
        answer: super::request::Answer,
    },
}

impl Action {
    /// Ends a process or types: not done while nothing can be saved (G24).
    pub fn needs_intent(&self) -> bool {
        matches!(
            self,
            Action::End { .. }
                | Action::Type { .. }
                | Action::Press { .. }
                | Action::Choose { .. }
                | Action::Erase { .. }
        )
    }
    pub fn session(&self) -> Option<&str> {
        match self {
            Action::Prepare { session, .. }
            | Action::Launch { session, .. }
            | Action::End { session, .. }
            | Action::Clear { session }
            | Action::Type { session, .. }
            | Action::Press { session, .. }
            | Action::Choose { session, .. }
            | Action::Erase { session, .. }
            | Action::LeaveMode { session }
            | Action::Repipe { session } => Some(session),
            _ => None,
        }
    }
}

/// What became of an action, in the order in which things happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionResult {
    pub action: Action,
    pub at: Wall,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    Done,
    /// Launched: the pane and the shim's process.
    Launched {
        pane_id: String,
        session_id: String,
        pid: u32,
        pid_start: u64,
    },
    /// Prepared: the line for the log, and things worth saying (a directory was made).
    Prepared {
        log_line: String,
        notes: Vec<String>,
    },
    Failed {
        error: String,
    },
    /// No answer within the deadline: it may still happen. Look again.
    Unknown {
        error: String,
    },
}
