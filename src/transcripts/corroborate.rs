//! Adds to the reading of a screen what the session file and the hooks know and the screen does not show: the error that
//! ended the last turn, when a limit is over, and, where nobody can name the screen, that it asks something. A screen that
//! says more is believed.
use crate::model::{
    name::printable_cut,
    own::OwnObs,
    reading::{Evidence, Reading, TRANSCRIPT},
    seen::ErrorSeen,
    time::Wall,
    transcript::{Cause, Program},
};

/// Whether there is anything to add. `started`: of the start that the screen belongs to; older errors are over.
pub fn has_more(reading: &Reading, own: &OwnObs, started: Wall) -> bool {
    if reading.unknown && reading.waiting.is_none() {
        return own.asks.as_ref().is_some_and(|asks| asks.at >= started);
    }
    let failed = own.failed.as_ref().filter(|f| f.at >= started);
    let rests = reading.active.is_none() && reading.waiting.is_none() && !reading.blank;
    failed.filter(|_| rests).is_some_and(|failed| match failed.error.class {
        Cause::Limit => !shows_limit(reading) || (reading.reset.is_none() && failed.error.reset.is_some()),
        Cause::Error(_) => !shows_limit(reading) && reading.error.is_none() && reading.fatal.is_none(),
    })
}

/// To be asked only if [`has_more`].
pub fn add(reading: &mut Reading, own: &OwnObs, program: Program) {
    if reading.unknown {
        reading.waiting = own.asks.as_ref().map(|asks| Evidence {
            source: "hook".into(),
            rule: format!("{}/hook/asks", program.as_str()),
            line: 0,
            text: printable_cut(&asks.what, 200),
            quoted: false,
        });
        return;
    }
    let Some(failed) = &own.failed else { return };
    let error = &failed.error;
    let evidence = || Evidence {
        source: TRANSCRIPT.into(),
        rule: format!("{}/session-file/{}", program.as_str(), error.class.as_str()),
        line: 0,
        text: printable_cut(&error.text, 200),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        own::{Asks, Failed},
        seen::ErrorClass,
        transcript::TurnError,
    };

    const STARTED: Wall = Wall(1000);

    fn failed(class: Cause, reset: Option<Wall>) -> OwnObs {
        let error = TurnError { class, text: "it\x1b[2J failed".into(), reset };
        OwnObs { failed: Some(Failed { at: Wall(2000), error }), ..OwnObs::default() }
    }

    fn evidence(quoted: bool) -> Option<Evidence> {
        Some(Evidence { source: "pane".into(), rule: "r".into(), line: 3, text: "t".into(), quoted })
    }

    fn told(reading: &Reading, own: &OwnObs) -> Option<Reading> {
        has_more(reading, own, STARTED).then(|| {
            let mut more = reading.clone();
            add(&mut more, own, Program::Claude);
            more
        })
    }

    #[test]
    fn an_error_that_the_screen_does_not_show() {
        let own = failed(Cause::Error(ErrorClass::Overload), None);
        let more = told(&Reading::default(), &own).expect("more");
        assert_eq!(more.error.map(|e| e.class), Some(ErrorClass::Overload));
        let evidence = more.fatal.expect("evidence");
        assert_eq!((evidence.source.as_str(), evidence.rule.as_str()), ("transcript", "claude/session-file/overload"));
        assert!(!evidence.text.contains('\x1b'), "somebody else's bytes");
    }

    #[test]
    fn a_limit_and_its_reset() {
        let own = failed(Cause::Limit, Some(Wall(9000)));
        let more = told(&Reading::default(), &own).expect("more");
        assert_eq!((more.limit.is_some(), more.reset), (true, Some(Wall(9000))));
        let banner = Reading { limit: evidence(false), ..Reading::default() };
        let more = told(&banner, &own).expect("its reset");
        assert_eq!((&more.limit, more.reset), (&banner.limit, Some(Wall(9000))), "the screen's own words stay");
        let says = Reading { limit: evidence(false), reset: Some(Wall(5)), ..Reading::default() };
        assert_eq!(told(&says, &own), None, "the screen is believed");
        let quoted = Reading { limit: evidence(true), ..Reading::default() };
        assert!(told(&quoted, &own).is_some_and(|more| shows_limit(&more)));
    }

    #[test]
    fn nothing_is_added_to_a_screen_that_says_otherwise() {
        let own = failed(Cause::Error(ErrorClass::Overload), None);
        for reading in [
            Reading { active: evidence(false), ..Reading::default() },
            Reading { waiting: evidence(false), ..Reading::default() },
            Reading { fatal: evidence(false), ..Reading::default() },
            Reading { limit: evidence(false), ..Reading::default() },
            Reading { blank: true, ..Reading::default() },
            Reading { unknown: true, ..Reading::default() },
        ] {
            assert_eq!(told(&reading, &own), None, "{reading:?}");
        }
        let asks = |at| OwnObs { asks: Some(Asks { at, what: "leave to use Bash".into() }), ..OwnObs::default() };
        let unknown = Reading { unknown: true, ..Reading::default() };
        let more = told(&unknown, &asks(Wall(2000))).and_then(|more| more.waiting).expect("it asks");
        assert_eq!((more.source.as_str(), more.text.as_str()), ("hook", "leave to use Bash"));
        assert_eq!(told(&unknown, &asks(Wall(999))), None);
        assert_eq!(told(&Reading::default(), &asks(Wall(2000))), None, "it may be answered by now");
        let of_before = OwnObs { failed: own.failed.map(|f| Failed { at: Wall(999), ..f }), ..OwnObs::default() };
        assert_eq!(told(&Reading::default(), &of_before), None, "an error of an earlier start is over");
        assert_eq!(told(&Reading::default(), &OwnObs::default()), None);
    }
}
