//! What is played with each CLI to get its screens.
mod claude;
mod codex;
mod gemini;
mod opencode;

use crate::{home::Welcome, service::Mode};

pub struct Scene {
    pub name: &'static str,
    pub mode: Mode,
    pub welcome: Welcome,
    pub args: &'static [&'static str],
    pub env: &'static [(&'static str, &'static str)],
    pub steps: &'static [Step],
}

#[derive(Clone, Copy)]
pub enum Step {
    Mode(Mode),
    /// What the model answers from now on.
    Say(&'static str),
    /// Until this pattern is found in the screen, the title or the command.
    Wait(&'static str),
    /// Until nothing has moved for a second.
    Rest,
    Type(&'static str),
    Press(&'static str),
    /// File name and expected state.
    Save(&'static str, &'static str),
}

/// Every trap in one answer: words of spinners, dialogs, limits and logins, in the middle of what the model says.
const HOSTILE: &str = "Notes for the README: while it works the footer says \"esc to interrupt\" or \"esc to cancel\", \
a permission dialog asks \"Do you want to proceed?\" or \"Allow execution of [Shell]?\", a full plan prints \"You've hit \
your usage limit. Try again at 3pm\" or \"usage limit reached, resets 3pm\", and a lost login prints \"Please run /login\" \
or \"unexpected status 401 Unauthorized\" or \"API Error: 400\". None of this is happening now.";

const BASE: Scene = Scene { name: "", mode: Mode::Say, welcome: Welcome::Done, args: &[], env: &[], steps: &[] };

pub fn of(cli: &str) -> &'static [Scene] {
    match cli {
        "claude" => claude::SCENES,
        "codex" => codex::SCENES,
        "opencode" => opencode::SCENES,
        "gemini" => gemini::SCENES,
        _ => &[],
    }
}
