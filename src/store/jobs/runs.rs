//! What became of a job's steps, as it is stored: JSON.
//!
//! Every row that is looked at has it, and nearly every one exactly as [`StepRun`] is written today. That form is read
//! here word for word, in a fraction of the time that reading any JSON takes; whatever is otherwise goes the general way.
use crate::model::{
    job::{Exit, JobState, StepRun},
    time::Wall,
};

/// What was written of the steps so far; what is missing up to the number `at_least` has not begun.
pub fn runs(text: Option<&str>, at_least: usize) -> serde_json::Result<Vec<StepRun>> {
    let mut steps = match text {
        Some(text) => as_always(text).map_or_else(|| serde_json::from_str(text), Ok)?,
        None => Vec::new(),
    };
    if steps.len() < at_least {
        let fresh =
            StepRun { state: JobState::Queued, exit: None, started: None, ended: None, attempt: 0, session: None };
        steps.resize(at_least, fresh);
    }
    Ok(steps)
}

/// `[{"state":"done","exit":{"code":0},"started":1800000000000,"ended":1800000000005,"attempt":1}]`
fn as_always(text: &str) -> Option<Vec<StepRun>> {
    let mut rest = text.strip_prefix('[')?;
    let mut steps = Vec::with_capacity(1);
    loop {
        let (word, after) = rest.strip_prefix(r#"{"state":""#)?.split_once('"')?;
        let state = JobState::parse(word)?;
        let (exit, after) = exit(after.strip_prefix(r#","exit":"#)?)?;
        let (started, after) = time(after.strip_prefix(r#","started":"#)?)?;
        let (ended, after) = time(after.strip_prefix(r#","ended":"#)?)?;
        let (attempt, after) = number(after.strip_prefix(r#","attempt":"#)?)?;
        steps.push(StepRun { state, exit, started, ended, attempt: attempt.try_into().ok()?, session: None });
        rest = match after.strip_prefix('}')? {
            "]" => return Some(steps),
            more => more.strip_prefix(',')?,
        };
    }
}

fn exit(text: &str) -> Option<(Option<Exit>, &str)> {
    if let Some(rest) = text.strip_prefix("null") {
        return Some((None, rest));
    }
    let (make, rest): (fn(i32) -> Exit, _) = match text.strip_prefix(r#"{"code":"#) {
        Some(rest) => (Exit::Code, rest),
        None => (Exit::Signal, text.strip_prefix(r#"{"signal":"#)?),
    };
    let (value, rest) = number(rest)?;
    Some((Some(make(value.try_into().ok()?)), rest.strip_prefix('}')?))
}

fn time(text: &str) -> Option<(Option<Wall>, &str)> {
    if let Some(rest) = text.strip_prefix("null") {
        return Some((None, rest));
    }
    number(text).map(|(value, rest)| (Some(Wall(value)), rest))
}

/// Digits alone, as they are written; and what stands behind them.
fn number(text: &str) -> Option<(i64, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(length)?;
    let is_as_written = length == 1 || !digits.starts_with('0');
    is_as_written.then(|| digits.parse().ok()).flatten().map(|value| (value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, option, prelude::*, sample::Index};

    fn any_run() -> impl Strategy<Value = StepRun> {
        let state = (0..JobState::ALL.len()).prop_map(|which| JobState::ALL[which]);
        let exit = option::of(prop_oneof![(0..256).prop_map(Exit::Code), (0..65).prop_map(Exit::Signal)]);
        let wall = || option::of((0..i64::MAX).prop_map(Wall));
        (state, exit, wall(), wall(), any::<u32>()).prop_map(|(state, exit, started, ended, attempt)| StepRun {
            state,
            exit,
            started,
            ended,
            attempt,
            session: None,
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_word_for_word(steps in vec(any_run(), 1..4)) {
            let text = serde_json::to_string(&steps).expect("json");
            prop_assert_eq!(as_always(&text), Some(steps.clone()), "the general way: {}", text);
            prop_assert_eq!(runs(Some(&text), 0).expect("read"), steps);
        }

        #[test]
        fn what_is_not_quite_so_is_never_read_otherwise(
            steps in vec(any_run(), 1..3), at in any::<Index>(), cut in 0..9_usize,
            with in prop_oneof![Just(""), Just("0"), Just("-"), Just("null"), Just(" "), Just(","), Just("1e3"), Just("\"")],
        ) {
            let text = serde_json::to_string(&steps).expect("json");
            let at = at.index(text.len());
            let odd = format!("{}{with}{}", &text[..at], &text[(at + cut).min(text.len())..]);
            if let Some(read) = as_always(&odd) {
                prop_assert_eq!(serde_json::from_str::<Vec<StepRun>>(&odd).ok(), Some(read), "{}", odd);
            }
        }
    }

    #[test]
    fn what_is_missing_has_not_begun_and_what_is_more_is_kept() {
        let run =
            |text: Option<&str>| runs(text, 2).map(|steps| steps.iter().map(|step| step.state).collect::<Vec<_>>());
        let queued = JobState::Queued;
        assert_eq!(run(None).expect("nothing"), [queued; 2]);
        let agent = r#"[{"state":"done","exit":null,"started":1,"ended":null,"attempt":1,"session":"s"}]"#;
        assert_eq!(run(Some(agent)).expect("a conversation"), [JobState::Done, queued]);
        assert_eq!(runs(Some(agent), 0).expect("read")[0].session.as_deref(), Some("s"));
        let odd = agent.replace("null", "{\"code\":-1}");
        assert!(run(Some(&odd)).is_err(), "an exit is no time");
        assert!(run(Some("{")).is_err() && run(Some("[]")).is_ok());
    }
}
