//! A dialog on an agent's screen, and who answers it.
use crate::model::{
    dialog::{Answering, Dialog, Step},
    name::{printable, printable_cut},
    state::UnitState,
};
use serde::Serialize;

/// `dialog` of an agent in `status --json` and `explain --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DialogView {
    /// `null`: neither a preset nor the config names it.
    pub name: Option<String>,
    pub asked: String,
    pub choices: Vec<String>,
    /// Index of the choice under the cursor.
    pub cursor: Option<usize>,
    /// The rule of the config that is for it, and what it chooses.
    pub rule: Option<String>,
    pub choice: Option<String>,
    /// Why the rule does not answer it.
    pub stopped: Option<String>,
}

/// The dialog that a unit stands at.
pub fn of(unit: &UnitState) -> Option<DialogView> {
    let dialog = unit.sight.dialog.as_ref()?;
    Some(DialogView { stopped: stopped(unit).map(printable), ..of_reading(dialog) })
}

pub fn of_reading(dialog: &Dialog) -> DialogView {
    DialogView {
        name: dialog.name.as_deref().map(printable),
        asked: printable(&dialog.asked),
        choices: dialog.choices.iter().map(|c| printable(c)).collect(),
        cursor: dialog.cursor,
        rule: dialog.answer.as_ref().map(|a| printable(&a.rule)),
        choice: dialog.chosen().map(|c| printable(&c)),
        stopped: None,
    }
}

/// What a rule is about to answer: nobody else is needed.
pub fn answering(unit: &UnitState) -> Option<String> {
    let a = unit.answering.as_ref().filter(|a| !matches!(a.step, Step::Stopped { .. }))?;
    let rule = &a.dialog.answer.as_ref()?.rule;
    Some(format!("answers `{}` by {rule}", printable_cut(&a.dialog.chosen().unwrap_or_default(), 60)))
}

fn stopped(unit: &UnitState) -> Option<&str> {
    match unit.answering.as_ref() {
        Some(Answering { step: Step::Stopped { reason, .. }, .. }) => Some(reason),
        _ => None,
    }
}

/// For `explain` and `detect`: its name and question, one row for each choice, and what answers it.
pub fn rows(dialog: &DialogView) -> Vec<String> {
    let name = dialog.name.as_deref().unwrap_or("without a name");
    let mut rows = vec![format!("{name}: {}", dialog.asked)];
    for (i, choice) in dialog.choices.iter().enumerate() {
        let cursor = if dialog.cursor == Some(i) { "❯" } else { " " };
        rows.push(format!("{cursor} {choice}"));
    }
    rows.push(match (&dialog.rule, &dialog.choice, &dialog.stopped) {
        (Some(rule), _, Some(why)) => format!("{rule} does not answer it: {why}"),
        (Some(rule), Some(choice), None) => format!("{rule} answers `{choice}`"),
        _ => "no rule answers it".into(),
    });
    rows
}
