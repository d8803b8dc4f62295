//! A state at a glance.
use crate::{
    model::job::{Exit, JobState},
    view::paint::Tint,
};

/// One character and a colour.
pub fn sign(state: JobState) -> (&'static str, Tint) {
    match state {
        JobState::Held => ("‖", Tint::Dim),
        JobState::Queued => ("·", Tint::Dim),
        JobState::Blocked => ("…", Tint::Dim),
        JobState::Running => ("⟳", Tint::Yellow),
        JobState::Paused => ("?", Tint::Yellow),
        JobState::Backoff => ("↻", Tint::Yellow),
        JobState::Done => ("✓", Tint::Green),
        JobState::Failed | JobState::Timeout => ("✗", Tint::Red),
        JobState::Interrupted => ("!", Tint::Red),
        JobState::Cancelled => ("■", Tint::Dim),
        JobState::Skipped => ("»", Tint::Dim),
    }
}

/// `0`, `SIGTERM`, `signal 40`.
pub fn exit_words(exit: Exit) -> String {
    let name = match exit {
        Exit::Code(code) => return code.to_string(),
        Exit::Signal(1) => "SIGHUP",
        Exit::Signal(2) => "SIGINT",
        Exit::Signal(3) => "SIGQUIT",
        Exit::Signal(4) => "SIGILL",
        Exit::Signal(6) => "SIGABRT",
        Exit::Signal(7) => "SIGBUS",
        Exit::Signal(8) => "SIGFPE",
        Exit::Signal(9) => "SIGKILL",
        Exit::Signal(11) => "SIGSEGV",
        Exit::Signal(13) => "SIGPIPE",
        Exit::Signal(14) => "SIGALRM",
        Exit::Signal(15) => "SIGTERM",
        Exit::Signal(24) => "SIGXCPU",
        Exit::Signal(n) => return format!("signal {n}"),
    };
    name.into()
}
