//! A question with choices in place of the input line, as it was read, and what the config says to answer.
use super::time::Boot;
use regex::Regex;
use serde::{Deserialize, Serialize};

/// Made by `backends`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialog {
    /// As the preset calls it, or the user's own rule. `None`: nobody named it.
    pub name: Option<String>,
    /// Everything that it says above its choices, as one line, printable, at most 300 characters.
    pub asked: String,
    /// Top to bottom, or left to right, printable, without their numbers.
    pub choices: Vec<String>,
    /// Index of the choice under the cursor.
    pub cursor: Option<usize>,
    /// The choices stand side by side: Left and Right move the cursor.
    pub across: bool,
    /// Screen row, from 0, of the choice under the cursor; without choices that of the last filled row.
    pub row: usize,
    /// That row as it stands there, at most 500 characters.
    pub row_text: String,
    /// Hash of its name, question and choices, in full: the same dialog, wherever its cursor stands.
    pub id: u64,
    /// Hash of all rows from its first one down to the bottom of the screen, and of where they stand.
    pub shape: u64,
    /// What the config says to do.
    pub answer: Option<DialogAnswer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialogAnswer {
    /// As a person finds it in the config: `dialogs.trust-folder`, ``dialog `deploy` ``.
    pub rule: String,
    pub how: How,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The cursor goes there, then `key` is pressed.
    Choose { choice: usize, key: String },
    /// There is no list: this key answers.
    Press { key: String },
}

impl Dialog {
    /// The answer in words: the row that is chosen, or the key.
    pub fn chosen(&self) -> Option<String> {
        match &self.answer.as_ref()?.how {
            How::Choose { choice, .. } => self.choices.get(*choice).cloned(),
            How::Press { key } => Some(format!("key {key}")),
        }
    }
}

/// A dialog that is being answered by a rule, or that was given up. Saved before each key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answering {
    pub incarnation: u64,
    /// As it was when the answering began.
    pub dialog: Dialog,
    /// First seen.
    pub since: Boot,
    /// Keys pressed, or perhaps pressed, for it.
    pub keys: u32,
    /// Keys that were refused because the screen had changed.
    #[serde(default)]
    pub refused: u32,
    /// First look at which it was not there any more: a screen may be caught while it is drawn.
    #[serde(default)]
    pub gone: Option<Boot>,
    /// Next look.
    pub look: Boot,
    pub step: Step,
}

/// ```text
/// seen --two equal looks--> moving --cursor moved by one--> seen … --on the choice--> confirming --gone--> answered
///   \________________________\_____________________________________________________________\--> stopped
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Looked at until two looks are equal.
    Seen { at: Boot, shape: u64, cursor: Option<usize> },
    /// An arrow key was, or may have been, pressed once.
    Moving { from: usize, to: usize, until: Boot },
    /// The key that confirms was, or may have been, pressed once.
    Confirming { until: Boot },
    /// A person's matter, and why. No more keys while this dialog stands there.
    Stopped {
        reason: String,
        /// It was confirmed before: when it goes, it was answered.
        #[serde(default)]
        confirmed: bool,
    },
}

/// An answer that was given: how often one rule answers is limited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub rule: String,
    pub at: Boot,
}

/// A dialog that may be answered without a person.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DialogRule {
    /// A dialog and a choice that the preset knows, by their names.
    Named { dialog: String, choice: String },
    /// `[[backend.NAME.dialog]]`.
    Own {
        name: String,
        #[serde(with = "super::pattern")]
        re: Regex,
        answer: OwnAnswer,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnAnswer {
    /// The text of the choice's row; the pattern is for the whole question, as one line.
    Choice(String),
    /// A tmux key; the pattern is for the whole of the last row.
    Key(String),
}
