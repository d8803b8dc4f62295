//! The engine's mailbox: what other threads tell it.
use crate::model::observation::{GitObs, PhaseObs};

/// What wakes the engine before its deadline.
#[derive(Debug)]
pub enum Wakeup {
    /// The first process of this session's pane ended.
    Exit(String),
    /// Somebody left a request.
    Poke,
    /// Sessions came or went, or the connection to tmux broke.
    Tmux,
    Git(GitObs),
    Phase(PhaseObs),
    /// TERM or INT.
    Stop,
}
