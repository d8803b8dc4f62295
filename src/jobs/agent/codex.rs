//! Codex, `exec --json`.
use super::field::{text, tokens_of};
use crate::model::{
    agent_said::{Said, Scope, ToolCall},
    transcript::Tokens,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Calls that are under way at the same time; of more, one could be counted twice.
const MOST: usize = 1000;

#[derive(Debug, Default)]
pub struct Codex {
    /// Items that began and are not over.
    open: BTreeSet<String>,
    /// The model has the word.
    speaking: bool,
    turns: u64,
}

impl Codex {
    pub fn line(&mut self, line: &Value, out: &mut Vec<Said>) {
        match text(line, "/type") {
            "thread.started" => out.push(Said::Session(text(line, "/thread_id").to_owned())),
            "turn.started" => {
                self.speaking = false;
                self.turns += 1;
                out.push(Said::Rounds(self.turns));
            }
            "item.started" => self.item(line, false, out),
            "item.completed" => self.item(line, true, out),
            "turn.completed" => {
                if let Some(usage) = line.get("usage") {
                    out.push(Said::Used { of: Scope::Conversation, tokens: tokens(usage) });
                    out.push(Said::Usage(usage.clone()));
                }
                out.push(Said::Ended);
            }
            "turn.failed" => out.push(Said::Failed(text(line, "/error/message").to_owned())),
            // It goes on trying; what ends the turn is told as its failure.
            "error" => out.push(Said::Note(text(line, "/message").to_owned())),
            _ => {}
        }
    }

    fn item(&mut self, line: &Value, over: bool, out: &mut Vec<Said>) {
        let Some(item) = line.get("item") else { return };
        let (kind, id) = (text(item, "/type"), text(item, "/id"));
        match kind {
            "agent_message" if over => {
                self.speak(out);
                out.push(Said::Text { text: text(item, "/text").to_owned(), piece: false });
            }
            "reasoning" => self.speak(out),
            "error" => out.push(Said::Note(text(item, "/message").to_owned())),
            "agent_message" | "todo_list" | "" => {}
            _ => {
                // Some are told when they begin and when they are over, others only then.
                if !self.open.remove(id) {
                    self.begin(kind, item, out);
                }
                if !over && self.open.len() < MOST {
                    self.open.insert(id.to_owned());
                }
                if over {
                    self.speaking = false;
                    let failed = text(item, "/status") == "failed" || text(item, "/status") == "declined";
                    out.push(Said::Result { failed, text: text(item, "/aggregated_output").to_owned() });
                }
            }
        }
    }

    fn begin(&mut self, kind: &str, item: &Value, out: &mut Vec<Said>) {
        self.speak(out);
        let call = match kind {
            "file_change" => ToolCall::of(kind, item.pointer("/changes/0")),
            "mcp_tool_call" => ToolCall::of(text(item, "/tool"), item.get("arguments")),
            _ => {
                let known = ["command", "query", "tool", "prompt"];
                let named = known.iter().find_map(|key| Some(json!({*key: item.get(*key)?.as_str()?})));
                ToolCall::of(kind, named.as_ref())
            }
        };
        out.push(Said::Tool(call));
    }

    fn speak(&mut self, out: &mut Vec<Said>) {
        if !std::mem::replace(&mut self.speaking, true) {
            out.push(Said::Call);
        }
    }
}

/// Its own count of all input holds what was read from the cache, and written to it.
pub fn tokens(usage: &Value) -> Tokens {
    let keys = ["/input_tokens", "/output_tokens", "/cached_input_tokens", "/cache_write_input_tokens"];
    let told = tokens_of(usage, keys);
    Tokens { input: told.input.saturating_sub(told.cache_read).saturating_sub(told.cache_write), ..told }
}
