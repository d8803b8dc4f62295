//! What a job says to its agent beside the user's own words: fixed texts from `prompts/`, with slots.
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

const GO_ON: &str = include_str!("../../../prompts/job-go-on.md");
const FIRST: &str = include_str!("../../../prompts/job-phase-first.md");
const NEXT: &str = include_str!("../../../prompts/job-phase.md");

/// To an agent that was cut off, in the same conversation.
pub fn go_on() -> String {
    one_line(GO_ON)
}

/// The prompt of each phase. The task stands in the first one, and the conversation goes on.
pub fn of_phases(task: &OsStr, phases: &[String]) -> Vec<OsString> {
    let count = phases.len().to_string();
    let filled = |template: &str, number: usize, phase: &str| {
        let slots = [
            ("{phases}", phases.join(", ")),
            ("{number}", number.to_string()),
            ("{count}", count.clone()),
            ("{phase}", phase.to_owned()),
        ];
        slots.iter().fold(template.to_owned(), |text, (slot, value)| text.replace(slot, value))
    };
    let prompt = |(i, phase): (usize, &String)| match (i, FIRST.split_once("{prompt}")) {
        (0, Some((before, after))) => {
            let (before, after) = (filled(before, 1, phase), filled(after, 1, phase));
            // Of the template every paragraph is a line; the task stays as it is.
            let after = after.split("\n\n").map(one_line).collect::<Vec<_>>().join("\n\n");
            OsString::from_vec([before.as_bytes(), task.as_bytes(), after.as_bytes()].concat())
        }
        _ => one_line(&filled(NEXT, i + 1, phase)).into(),
    };
    phases.iter().enumerate().map(prompt).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_task_stands_in_the_first_phase_as_it_was_given() {
        let phases = ["look".to_owned(), "build".to_owned()];
        let prompts = of_phases(OsStr::new("- fix {phase}\n\n  and {count}"), &phases);
        let shown: Vec<_> = prompts.iter().map(|p| p.to_string_lossy()).collect();
        assert!(
            shown[0].starts_with("- fix {phase}\n\n  and {count}\n\nThis is done in phases: look, build."),
            "{shown:?}"
        );
        assert!(shown[0].contains("phase 1 of 2 now: look."), "{shown:?}");
        assert_eq!(shown[1], "Now the phase 2 of 2 of the same task: build. Begin with what the phases before found.");
        assert!(!go_on().contains(['{', '\n']));
    }
}
