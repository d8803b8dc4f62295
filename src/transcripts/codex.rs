//! One line of a Codex rollout -> rows. Seen from 0.98 to 0.169.
//!
//! Texts stand there twice: as `response_item`, for the model, among much that nobody typed; and as an event, for people.
//! Texts are taken from events (`user_message`, `agent_message`; since 0.169 `item_completed`), calls and their results
//! from `response_item`. `token_count` is cumulative and comes several times for one answer.
use super::{
    argument,
    cause::{self, Facts},
    parse::{Taken, TextOr, or_default},
};
use crate::model::{
    time::Wall,
    transcript::{End, Row, Tokens, Usage, What},
    zones::Zones,
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default)]
pub struct Parser {
    model: String,
    open: bool,
    /// The last error of the turn, which may be told twice.
    failed: String,
    total: Tokens,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    kind: String,
    timestamp: Option<String>,
    payload: Option<Payload>,
}

/// Of all kinds of lines together.
#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    kind: String,
    message: Option<Value>,
    model: Option<Value>,
    item: Option<Item>,
    info: Option<Info>,
    error: Option<Value>,
    codex_error_info: Option<Value>,
    name: Option<String>,
    call_id: Option<String>,
    arguments: Option<Value>,
    input: Option<Value>,
    action: Option<Value>,
    output: Option<Value>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    kind: String,
    #[serde(default)]
    content: TextOr<Part>,
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
}

#[derive(Deserialize)]
struct Info {
    total_token_usage: Option<Counted>,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(default, deserialize_with = "or_default")]
    input_tokens: u64,
    #[serde(default, deserialize_with = "or_default")]
    cached_input_tokens: u64,
    #[serde(default, deserialize_with = "or_default")]
    cache_write_input_tokens: u64,
    #[serde(default, deserialize_with = "or_default")]
    output_tokens: u64,
}

impl Parser {
    pub fn line(&mut self, line: &str, zones: Zones, each: &mut dyn FnMut(Row)) -> Taken {
        let Ok(line) = serde_json::from_str::<Line>(line) else { return Taken::Broken };
        let at = line.timestamp.as_deref().and_then(Wall::parse_rfc3339);
        let mut row = |what| each(Row { at, what });
        match (line.kind.as_str(), line.payload) {
            ("event_msg", Some(event)) => return self.event(event, at, zones, &mut row),
            ("response_item", Some(item)) => tools(item, &mut row),
            ("turn_context", Some(context)) => {
                if let Some(name) = context.model.as_ref().and_then(Value::as_str).filter(|name| *name != self.model) {
                    self.model = name.to_owned();
                    row(What::Model { name: name.to_owned() });
                }
            }
            ("compacted", _) => row(What::Note { text: "conversation compacted".into() }),
            ("session_meta" | "world_state" | "token_usage_record" | "turn_context", _) => {}
            _ => return Taken::Unknown,
        }
        Taken::Yes
    }

    fn event(&mut self, event: Payload, at: Option<Wall>, zones: Zones, row: &mut dyn FnMut(What)) -> Taken {
        let message = || event.message.as_ref().and_then(Value::as_str).map(str::to_owned);
        match event.kind.as_str() {
            "user_message" => message().into_iter().for_each(|text| self.asked(text, row)),
            "agent_message" => message().into_iter().for_each(|text| row(What::Answered { text })),
            "item_completed" => match event.item {
                Some(item) if item.kind == "UserMessage" => self.asked(joined(item.content), row),
                Some(item) if item.kind == "AgentMessage" => row(What::Answered { text: joined(item.content) }),
                _ => {}
            },
            "token_count" => event.info.and_then(|i| i.total_token_usage).into_iter().for_each(|c| self.used(&c, row)),
            "task_started" | "turn_started" => self.open = true,
            "task_complete" | "turn_complete" => match &event.error {
                Some(error) if !error.is_null() => {
                    self.failed(error, &error["codex_error_info"], at, zones, row);
                    self.end(End::Failed, row);
                }
                _ if self.failed.is_empty() => self.end(End::Done, row),
                _ => self.end(End::Failed, row),
            },
            "turn_aborted" => {
                self.open = true;
                self.end(End::Interrupted, row);
            }
            "error" => {
                let text = event.message.unwrap_or_default();
                self.failed(&text, &event.codex_error_info.unwrap_or_default(), at, zones, row);
            }
            "agent_reasoning"
            | "agent_reasoning_section_break"
            | "thread_settings_applied"
            | "context_compacted"
            | "exec_command_end"
            | "patch_apply_end"
            | "web_search_end"
            | "mcp_tool_call_end"
            | "thread_name_updated" => {}
            _ => return Taken::Unknown,
        }
        Taken::Yes
    }

    fn asked(&mut self, text: String, row: &mut dyn FnMut(What)) {
        self.open = true;
        self.failed.clear();
        row(What::Asked { text });
    }

    fn end(&mut self, how: End, row: &mut dyn FnMut(What)) {
        self.failed.clear();
        if std::mem::take(&mut self.open) {
            row(What::Ended(how));
        }
    }

    /// `error`: a text, or an object with a `message`. `info`: a word, or an object whose key is the word and whose
    /// value may hold a status.
    fn failed(&mut self, error: &Value, info: &Value, at: Option<Wall>, zones: Zones, row: &mut dyn FnMut(What)) {
        let text = error.as_str().or_else(|| error["message"].as_str()).unwrap_or_default();
        if text == self.failed && !text.is_empty() {
            return;
        }
        let (word, status) = match info {
            Value::String(word) => (word.as_str(), None),
            Value::Object(map) => match map.iter().next() {
                Some((word, inside)) => (word.as_str(), inside["http_status_code"].as_u64()),
                None => ("", None),
            },
            _ => ("", None),
        };
        text.clone_into(&mut self.failed);
        row(What::Failed(cause::read(&Facts { word, status, text, details: "" }, at, zones)));
    }

    fn used(&mut self, counted: &Counted, row: &mut dyn FnMut(What)) {
        // Of the input, some came from the cache: ours do not overlap.
        let cached = counted.cached_input_tokens.saturating_add(counted.cache_write_input_tokens);
        let total = Tokens {
            input: counted.input_tokens.saturating_sub(cached),
            output: counted.output_tokens,
            cache_read: counted.cached_input_tokens,
            cache_write: counted.cache_write_input_tokens,
        };
        // A sum that shrank counts from nothing again.
        let before = if total.total() < self.total.total() { Tokens::default() } else { self.total };
        let tokens = total.beyond(before);
        self.total = total;
        if !tokens.is_zero() {
            row(What::Used(Usage { tokens, ..Usage::default() }));
        }
    }
}

fn tools(item: Payload, row: &mut dyn FnMut(What)) {
    let id = item.call_id.unwrap_or_default();
    match item.kind.as_str() {
        "function_call" | "custom_tool_call" => {
            let arguments = match item.arguments.or(item.input).unwrap_or_default() {
                // Arguments are JSON within a text; what is none is one text.
                Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
                other => other,
            };
            row(What::Called { id, tool: item.name.unwrap_or_default(), argument: argument::of(&arguments) });
        }
        "local_shell_call" => {
            row(What::Called { id, tool: "shell".into(), argument: argument::of(&item.action.unwrap_or_default()) });
        }
        "web_search_call" => {
            row(What::Called {
                id,
                tool: "web_search".into(),
                argument: argument::of(&item.action.unwrap_or_default()),
            });
        }
        "function_call_output" | "custom_tool_call_output" => {
            let (text, failed) = output(item.output.unwrap_or_default());
            row(What::Returned { id, text, failed });
        }
        _ => {}
    }
}

/// What a tool gave back, without the header that is for the model; whether it says that it failed.
fn output(value: Value) -> (String, bool) {
    let text = match value {
        Value::String(text) => text,
        Value::Array(parts) => parts.iter().filter_map(|p| p["text"].as_str()).collect::<Vec<_>>().join("\n"),
        Value::Null => String::new(),
        other => other["content"].as_str().map(str::to_owned).unwrap_or_else(|| other.to_string()),
    };
    // Some tools give JSON.
    if text.starts_with('{')
        && let Ok(inside) = serde_json::from_str::<Value>(&text)
        && let Some(shown) = inside["output"].as_str()
    {
        return (shown.to_owned(), inside["metadata"]["exit_code"].as_i64().is_some_and(|code| code != 0));
    }
    let Some((header, shown)) = text.split_once("Output:\n") else { return (text, false) };
    let code = ["Process exited with code ", "Exit code: "].iter().find_map(|words| {
        let (_, rest) = header.split_once(words)?;
        rest.lines().next()?.trim().parse::<i64>().ok()
    });
    match header.lines().count() <= 8 {
        true => (shown.to_owned(), code.is_some_and(|code| code != 0)),
        false => (text, false),
    }
}

fn joined(content: TextOr<Part>) -> String {
    match content {
        TextOr::Text(text) => text,
        TextOr::Parts(parts) => parts.into_iter().filter_map(|p| p.text).collect::<Vec<_>>().join("\n"),
    }
}
