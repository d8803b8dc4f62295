//! Adds to the reading of a screen what the session file knows and the screen does not show: the error that ended the
//! last turn, and when a limit is over. A screen that says more is believed.
use crate::model::{
    own::OwnObs,
    reading::{Evidence, Reading},
    seen::ErrorSeen,
    time::Wall,
    transcript::{Cause, Program},
};

/// Whether there is anything to add. `started`: of the start that the screen belongs to; older errors are over.
pub fn has_more(reading: &Reading, own: &OwnObs, started: Wall) -> bool {
    let failed = own.failed.as_ref().filter(|f| f.at >= started);
    let rests = reading.active.is_none() && reading.waiting.is_none() && !reading.blank && !reading.unknown;
    failed.filter(|_| rests).is_some_and(|failed| match failed.error.class {
        Cause::Limit => !shows_limit(reading) || (reading.reset.is_none() && failed.error.reset.is_some()),
        Cause::Error(_) => !shows_limit(reading) && reading.error.is_none() && reading.fatal.is_none(),
    })
}

/// To be asked only if [`has_more`].
pub fn add(reading: &mut Reading, own: &OwnObs, program: Program) {
    let Some(failed) = &own.failed else { return };
    let error = &failed.error;
    let evidence = || Evidence {
        source: "transcript".into(),
        rule: format!("{}/session-file/{}", program.as_str(), error.class.as_str()),
        line: 0,
        text: printable(&error.text),
        quoted: false,
    };
    match error.class {
        Cause::Limit => {
            if !shows_limit(reading) {
                reading.limit = Some(evidence());
            }
            reading.reset = reading.reset.or(error.reset);
        }
        Cause::Error(class) => {
            let evidence = evidence();
            reading.error = Some(ErrorSeen { class, text: evidence.text.clone(), retry_after: None });
            reading.fatal = Some(evidence);
        }
    }
}

fn shows_limit(reading: &Reading) -> bool {
    reading.limit.as_ref().is_some_and(|e| !e.quoted)
}

fn printable(text: &str) -> String {
    crate::model::name::printable(text).chars().take(200).collect()
}
