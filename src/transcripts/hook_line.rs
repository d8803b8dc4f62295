//! What Claude Code tells a hook -> the one line that is kept of it -> what it means. Seen from 2.0.77 to 2.1.330.
//!
//! Both ways trust nothing: a hook's input repeats what an agent said, and the file of lines lies where the agent can
//! write. What is too long is cut, what is no line of ours is no row. The user's text is kept as a hash alone.
use super::{
    cause::{self, Facts},
    parse::Taken,
    said::folded,
};
use crate::model::{
    name::{printable, printable_cut},
    time::Wall,
    transcript::TurnError,
    zones::Zones,
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use std::path::{Path, PathBuf};

/// Characters of a word: an id, a tool's name, a reason.
const WORD: usize = 80;
/// Characters of a message.
const MESSAGE: usize = 200;
/// Bytes of a path.
const PATH: usize = 4096;

/// Something that an agent's program told by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookRow {
    /// By the clock of the hook, if the agent did not write the line itself.
    pub at: Wall,
    /// Incarnation of the agent that told it.
    pub run: u64,
    pub session_id: String,
    /// Absolute.
    pub transcript_path: PathBuf,
    /// It happened to a helper within the session.
    pub helper: bool,
    pub event: HookEvent,
}

/// All texts are printable and short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookEvent {
    /// `startup`, `resume`, `clear`, or `compact`: a conversation was compacted.
    SessionStart {
        source: String,
    },
    /// A text of the user's, as [`folded`], and its length in bytes. One that waits in line is told when its turn comes;
    /// if it goes into the turn under way, not at all (2.1.197), or already when it is put in line (2.1.330). 2.0 does
    /// not tell the text that stands on its command line.
    Prompt {
        folded: u64,
        length: usize,
    },
    /// A turn ended; before 2.1.78 also with an error. `again`: a hook of somebody else's had sent it back to work
    /// before. `background`: so many shells and helpers go on (since 2.1; else 0).
    Stop {
        again: bool,
        background: usize,
    },
    /// A turn ended with an error (since 2.1.78), perhaps only that of a [helper](HookRow::helper). One that a person interrupts is not told at all.
    StopFailure {
        error: String,
        message: String,
    },
    Notification {
        kind: Notice,
        message: String,
    },
    /// A person is about to be asked for leave.
    Permission {
        tool: String,
    },
    /// The program ends, or turns to another session: `clear`, `logout`, `prompt_input_exit`, `other`.
    SessionEnd {
        reason: String,
    },
    /// A helper within the session is done; compacting is one, too.
    SubagentStop,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It has waited some seconds for leave to do something.
    Permission,
    /// It has waited some seconds for another answer of a person's, or for leave in the auto mode of 2.1.330.
    Input,
    /// It has waited a minute for input.
    Idle,
    Other(String),
}

impl HookRow {
    /// The error that ended a turn, classed as one in a session file is.
    pub fn failure(&self, zones: Zones) -> Option<TurnError> {
        let HookEvent::StopFailure { error, message } = &self.event else { return None };
        let facts = Facts { word: error, status: None, text: message, details: "" };
        Some(cause::read(&facts, Some(self.at), zones))
    }
}

/// A hook's input, as far as it is used.
#[derive(Deserialize)]
struct Input {
    hook_event_name: String,
    session_id: String,
    transcript_path: String,
    cwd: Option<String>,
    agent_id: Option<IgnoredAny>,
    prompt: Option<String>,
    notification_type: Option<String>,
    message: Option<String>,
    last_assistant_message: Option<String>,
    tool_name: Option<String>,
    error: Option<String>,
    reason: Option<String>,
    source: Option<String>,
    stop_hook_active: Option<bool>,
    background_tasks: Option<Vec<IgnoredAny>>,
}

/// What is kept.
#[derive(Serialize, Deserialize)]
struct Line {
    v: u32,
    at: String,
    run: u64,
    event: String,
    session_id: String,
    transcript_path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cwd: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    helper: bool,
    #[serde(flatten)]
    more: More,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct More {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// [`folded`], in hexadecimal digits: other readers of JSON know no such large numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_hook_active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    background_tasks: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The line for one input, without its end. `None`: it is no input of an event that is kept.
pub fn line(input: &[u8], at: Wall, run: u64) -> Option<String> {
    let input: Input = serde_json::from_slice(input).ok()?;
    let word = |text: Option<String>| text.map(|t| printable_cut(&t, WORD));
    let text = |text: Option<String>| text.map(|t| printable_cut(&t, MESSAGE));
    let more = match input.hook_event_name.as_str() {
        "SessionStart" => More { source: word(input.source), ..More::default() },
        "UserPromptSubmit" => {
            let prompt = input.prompt?;
            let hash = Some(format!("{:016x}", folded(&prompt)));
            More { prompt: hash, prompt_length: Some(prompt.len()), ..More::default() }
        }
        "Stop" => {
            let background_tasks = input.background_tasks.map(|tasks| tasks.len());
            More { stop_hook_active: input.stop_hook_active, background_tasks, ..More::default() }
        }
        "StopFailure" => {
            More { error: word(input.error), message: text(input.last_assistant_message), ..More::default() }
        }
        "Notification" => {
            More { notification_type: word(input.notification_type), message: text(input.message), ..More::default() }
        }
        "PermissionRequest" => More { tool: word(input.tool_name), ..More::default() },
        "SessionEnd" => More { reason: word(input.reason), ..More::default() },
        "SubagentStop" => More::default(),
        _ => return None,
    };
    let line = Line {
        v: 1,
        at: at.rfc3339(),
        run,
        event: input.hook_event_name,
        session_id: id(input.session_id)?,
        transcript_path: path(input.transcript_path)?,
        cwd: input.cwd.and_then(path),
        helper: input.agent_id.is_some(),
        more,
    };
    serde_json::to_string(&line).ok()
}

fn id(text: String) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    ((8..=WORD).contains(&text.len()) && text.chars().all(plain)).then_some(text)
}

fn path(text: String) -> Option<String> {
    (text.len() <= PATH && Path::new(&text).is_absolute() && printable(&text) == text).then_some(text)
}

/// What a line means, if it is one of ours.
pub(super) fn row(line: &str) -> Result<HookRow, Taken> {
    let Line { v: 1, at, run, event, session_id, transcript_path, cwd: _, helper, more } =
        serde_json::from_str(line).map_err(|_| Taken::Broken)?
    else {
        return Err(Taken::Unknown);
    };
    let word = |text: Option<String>| printable_cut(&text.unwrap_or_default(), WORD);
    let text = |text: Option<String>| printable_cut(&text.unwrap_or_default(), MESSAGE);
    let event = match event.as_str() {
        "SessionStart" => HookEvent::SessionStart { source: word(more.source) },
        "UserPromptSubmit" => {
            let hash = more.prompt.filter(|hash| hash.len() == 16);
            let folded = hash.and_then(|hash| u64::from_str_radix(&hash, 16).ok()).ok_or(Taken::Broken)?;
            HookEvent::Prompt { folded, length: more.prompt_length.ok_or(Taken::Broken)? }
        }
        "Stop" => HookEvent::Stop {
            again: more.stop_hook_active.unwrap_or_default(),
            background: more.background_tasks.unwrap_or_default(),
        },
        "StopFailure" => HookEvent::StopFailure { error: word(more.error), message: text(more.message) },
        "Notification" => {
            let kind = match word(more.notification_type) {
                kind if kind == "permission_prompt" => Notice::Permission,
                kind if kind == "agent_needs_input" || kind == "elicitation_dialog" => Notice::Input,
                kind if kind == "idle_prompt" => Notice::Idle,
                other => Notice::Other(other),
            };
            HookEvent::Notification { kind, message: text(more.message) }
        }
        "PermissionRequest" => HookEvent::Permission { tool: word(more.tool) },
        "SessionEnd" => HookEvent::SessionEnd { reason: word(more.reason) },
        "SubagentStop" => HookEvent::SubagentStop,
        _ => return Err(Taken::Unknown),
    };
    let at = (at.len() <= WORD).then(|| Wall::parse_rfc3339(&at)).flatten().ok_or(Taken::Broken)?;
    let session_id = id(session_id).ok_or(Taken::Broken)?;
    let transcript_path = path(transcript_path).ok_or(Taken::Broken)?.into();
    Ok(HookRow { at, run, session_id, transcript_path, helper, event })
}
