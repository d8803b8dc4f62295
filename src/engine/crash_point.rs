//! Places at which a test may stop this program dead, or make it stumble. None of it is in a release build.
//!
//! `AGENTS_CRASH_AT` in our own environment: `decided:start` (or `saved:`, `done:`; and `type`, `submit`, `end`, `phase`,
//! `handoff`, `adopt`) kills us there. `panic:p-a` panics while session `p-a` is decided about, `panic:reading p-a` while
//! its screen is read, `panic:prepare p-a` while its start is prepared, `panic:tick` in every tick.
use crate::model::{
    action::Action,
    event::{Event, EventKind},
};
use std::sync::OnceLock;

/// The place that a test named.
fn named() -> Option<&'static str> {
    static AT: OnceLock<Option<String>> = OnceLock::new();
    if !cfg!(debug_assertions) {
        return None;
    }
    AT.get_or_init(|| std::env::var("AGENTS_CRASH_AT").ok()).as_deref()
}

/// The moment (`decided`, `saved`, `done`) at which we are to be killed, if this decision is what the test waits for.
pub fn coming(actions: &[Action], events: &[Event]) -> Option<&'static str> {
    let (moment, what) = named()?.split_once(':')?;
    let acts = |action: &Action| {
        what == match action {
            Action::Launch { .. } => "start",
            Action::Type { .. } => "type",
            Action::Press { .. } => "submit",
            Action::End { .. } => "end",
            Action::WritePhase { .. } => "phase",
            _ => return false,
        }
    };
    let tells = |event: &Event| {
        what == match event.kind {
            EventKind::Handoff => "handoff",
            EventKind::Adopted => "adopt",
            _ => return false,
        }
    };
    (actions.iter().any(acts) || events.iter().any(tells)).then_some(moment)
}

/// We are there: killed if it is the one that was coming.
pub fn reach(moment: &str, coming: Option<&str>) {
    if coming == Some(moment) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Panics if that is what the test named.
pub fn stumble(at: impl FnOnce() -> String) {
    if let Some(wanted) = named().and_then(|at| at.strip_prefix("panic:"))
        && wanted == at()
    {
        panic!("asked to stumble at `{wanted}`");
    }
}

/// [`stumble`] over any of these.
pub fn stumble_over<'a>(sessions: impl Iterator<Item = &'a String>) {
    if named().is_some() {
        sessions.for_each(|session| stumble(|| session.clone()));
    }
}
