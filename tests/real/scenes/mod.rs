//! What is played with each CLI to get its screens.
mod claude;
mod codex;
mod gemini;
mod moments;
mod opencode;
pub mod traps;

use crate::{home::Welcome, service::Mode};

pub struct Scene {
    pub name: &'static str,
    pub mode: Mode,
    pub welcome: Welcome,
    pub args: &'static [&'static str],
    pub env: &'static [(&'static str, &'static str)],
    /// Typed at a shell's prompt, and the shell is there when the CLI is not.
    pub in_shell: bool,
    /// Drawn only by a version later than the pinned one.
    pub later: bool,
    pub steps: &'static [Step],
}

#[derive(Clone, Copy)]
pub enum Step {
    Mode(Mode),
    /// What the model answers from now on.
    Say(&'static str),
    /// Until this pattern is found in the screen, the title or the command.
    Wait(&'static str),
    /// Until this pattern is found no more.
    Gone(&'static str),
    /// Until nothing has moved for a second.
    Rest,
    Type(&'static str),
    /// All at once, as from a clipboard.
    Paste(&'static str),
    Press(&'static str),
    /// `tool` asks to run this shell command.
    Tool(&'static str),
    /// What follows the tool's result.
    Then(Mode),
    /// `tool` asks for this tool, with these arguments as JSON; `{project}` is the folder.
    Call(&'static str, &'static str),
    /// Seconds until a usage limit resets.
    Reset(u64),
    /// `kill -9` of the CLI.
    Kill,
    /// File name and expected state.
    Save(&'static str, &'static str),
    /// As `Save`, with the colours.
    Coloured(&'static str, &'static str),
    /// As `Save`, with the class of the error that ended the turn.
    Fail(&'static str, &'static str, &'static str),
    /// A usage limit whose screen says when it resets.
    Limited(&'static str),
    /// For `hostile/`: file name, the true state, and what could mislead here.
    Trap(&'static str, &'static str, &'static str),
}

/// Every trap in one answer: words of spinners, dialogs, limits and logins, in the middle of what the model says.
const HOSTILE: &str = "Notes for the README: while it works the footer says \"esc to interrupt\" or \"esc to cancel\", \
a permission dialog asks \"Do you want to proceed?\" or \"Allow execution of [Shell]?\", a full plan prints \"You've hit \
your usage limit. Try again at 3pm\" or \"usage limit reached, resets 3pm\", and a lost login prints \"Please run /login\" \
or \"unexpected status 401 Unauthorized\" or \"API Error: 400\". None of this is happening now.";

const BASE: Scene = Scene {
    name: "",
    mode: Mode::Say,
    welcome: Welcome::Done,
    args: &[],
    env: &[],
    in_shell: false,
    later: false,
    steps: &[],
};

/// All scenes of a CLI: the ones everybody looks at, those with more moments, and those with traps.
pub fn of(cli: &str) -> Vec<&'static Scene> {
    let groups: [&[Scene]; 4] = match cli {
        "claude" => [claude::SCENES, moments::claude::SCENES, moments::claude_tools::SCENES, traps::claude::SCENES],
        "codex" => [codex::SCENES, moments::codex::SCENES, traps::codex::SCENES, &[]],
        "opencode" => [opencode::SCENES, moments::opencode::SCENES, traps::opencode::SCENES, &[]],
        "gemini" => [gemini::SCENES, moments::gemini::SCENES, traps::gemini::SCENES, &[]],
        _ => [&[], &[], &[], &[]],
    };
    groups.into_iter().flatten().collect()
}

/// Is this one of the scenes that whoever writes the rules looks at?
pub fn is_shown(cli: &str, scene: &str) -> bool {
    let shown = match cli {
        "claude" => claude::SCENES,
        "codex" => codex::SCENES,
        "opencode" => opencode::SCENES,
        _ => gemini::SCENES,
    };
    shown.iter().any(|s| s.name == scene)
}
