//! The request log: what was asked, and which of the test's marks stood in the new part of the conversation.
use super::{Behaviour, Mode, http::Incoming};
use regex::Regex;
use serde_json::Value;
use std::{sync::LazyLock, time::SystemTime};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Anthropic,
    Responses,
    Chat,
    Gemini,
}

impl Protocol {
    /// `None`: not a request to a model.
    pub fn of(incoming: &Incoming) -> Option<Protocol> {
        if incoming.method != "POST" {
            return None;
        }
        let path = incoming.path.as_str();
        match path {
            _ if path.ends_with("/messages") => Some(Protocol::Anthropic),
            _ if path.ends_with("/responses") => Some(Protocol::Responses),
            _ if path.ends_with("/chat/completions") => Some(Protocol::Chat),
            _ if path.ends_with("enerateContent") => Some(Protocol::Gemini),
            _ => None,
        }
    }
    /// The field that holds the conversation.
    fn conversation(self) -> &'static str {
        match self {
            Protocol::Anthropic | Protocol::Chat => "messages",
            Protocol::Responses => "input",
            Protocol::Gemini => "contents",
        }
    }
}

/// One request to the model.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at: SystemTime,
    pub protocol: Protocol,
    pub path: String,
    /// As the request names it; else it is in the path.
    pub model: String,
    /// What the service did to everybody then.
    pub mode: Mode,
    /// What this request got.
    pub answer: Mode,
    /// What came after the model's last word, as JSON.
    pub news: String,
    /// All that was said to the model in this conversation, its own answers left out, as JSON.
    pub said: String,
    /// The conversation holds earlier answers.
    pub answered: bool,
    /// The new part is the result of a tool.
    pub tool_result: bool,
    /// Not the conversation itself: a title, a summary, a check.
    pub side: bool,
    /// The answer is wanted piece by piece.
    pub streams: bool,
    pub bytes: usize,
    /// Seconds from then until the usage limit that was told resets.
    pub reset_in: u64,
}

impl Asked {
    /// What this request gets. Most of what can happen spares side requests (titles, summaries): they are not the
    /// conversation, and their failure would only blur what is tested.
    pub(super) fn mode_of_answer(&self, behaviour: &Behaviour) -> Mode {
        match behaviour.mode {
            _ if behaviour.poisoned.as_ref().is_some_and(|mark| self.said.contains(mark)) => Mode::Poison,
            Mode::Poison if !self.answered => Mode::Say,
            Mode::Hang | Mode::Slow | Mode::Tool | Mode::Drop if self.side => Mode::Say,
            Mode::Tool if self.tool_result => behaviour.then,
            // Nothing of an answer in one piece can be missing.
            Mode::Drop if !self.streams => Mode::Say,
            mode => mode,
        }
    }

    pub fn read(protocol: Protocol, incoming: &Incoming, body: &Value, behaviour: &Behaviour) -> Asked {
        let empty = Vec::new();
        let items = body.get(protocol.conversation()).and_then(Value::as_array).unwrap_or(&empty);
        let last_answer = items.iter().rposition(is_answer);
        let new = last_answer.map_or(&items[..], |n| &items[n + 1..]);
        let people: Vec<&Value> = items.iter().filter(|i| !is_answer(i)).collect();
        let asked = Asked {
            at: SystemTime::now(),
            protocol,
            path: incoming.path.clone(),
            model: body.get("model").and_then(Value::as_str).unwrap_or_default().to_owned(),
            mode: behaviour.mode,
            answer: behaviour.mode,
            news: serde_json::to_string(new).unwrap_or_default(),
            said: serde_json::to_string(&people).unwrap_or_default(),
            answered: last_answer.is_some(),
            tool_result: new.last().is_some_and(is_tool_result),
            side: body.get("tools").and_then(Value::as_array).is_none_or(Vec::is_empty),
            streams: incoming.path.ends_with(":streamGenerateContent")
                || body.get("stream").and_then(Value::as_bool).unwrap_or(false),
            bytes: incoming.bytes,
            reset_in: behaviour.reset_in,
        };
        Asked { answer: asked.mode_of_answer(behaviour), ..asked }
    }
}

/// Every `TICK-<n>` and `MARK-<word>` in a text, as often as it stands there.
pub fn marks(text: &str) -> Vec<&str> {
    MARK.find_iter(text).map(|m| m.as_str()).collect()
}

static MARK: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "a constant pattern")]
    Regex::new(r"(?:TICK|MARK)-[A-Za-z0-9]+").unwrap()
});

fn is_answer(item: &Value) -> bool {
    let field = |name: &str| item.get(name).and_then(Value::as_str);
    matches!(field("role"), Some("assistant" | "model")) || matches!(field("type"), Some("function_call" | "reasoning"))
}

fn is_tool_result(item: &Value) -> bool {
    let has = |field: &str, key: &str, word: Option<&str>| {
        item.get(field).and_then(Value::as_array).is_some_and(|parts| {
            parts.iter().any(|p| match word {
                Some(w) => p.get(key).and_then(Value::as_str) == Some(w),
                None => p.get(key).is_some(),
            })
        })
    };
    item.get("role").and_then(Value::as_str) == Some("tool")
        || item.get("type").and_then(Value::as_str) == Some("function_call_output")
        || has("content", "type", Some("tool_result"))
        || has("parts", "functionResponse", None)
}
