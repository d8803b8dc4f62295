//! Gemini CLI, `--output-format stream-json`.
use super::field::{number, text};
use crate::model::{
    agent_said::{Said, Scope, ToolCall},
    transcript::Tokens,
};
use serde_json::Value;

#[derive(Debug, Default)]
pub struct Gemini {
    /// The model has the word.
    speaking: bool,
    calls: u64,
}

impl Gemini {
    pub fn line(&mut self, line: &Value, out: &mut Vec<Said>) {
        match text(line, "/type") {
            "init" => out.push(Said::Session(text(line, "/session_id").to_owned())),
            "message" if text(line, "/role") == "assistant" => {
                self.speak(out);
                let piece = line.get("delta").and_then(Value::as_bool).unwrap_or(false);
                out.push(Said::Text { text: text(line, "/content").to_owned(), piece });
            }
            "message" => self.speaking = false,
            "tool_use" => {
                self.speak(out);
                out.push(Said::Tool(ToolCall::of(text(line, "/tool_name"), line.get("parameters"))));
            }
            "tool_result" => {
                self.speaking = false;
                let failed = text(line, "/status") == "error";
                let words = if failed { text(line, "/error/message") } else { text(line, "/output") };
                out.push(Said::Result { failed, text: words.to_owned() });
            }
            "error" => out.push(Said::Note(text(line, "/message").to_owned())),
            "result" => {
                if let Some(stats) = line.get("stats") {
                    out.push(Said::Used { of: Scope::Run, tokens: tokens(stats) });
                    out.push(Said::Usage(stats.clone()));
                }
                out.push(match text(line, "/status") {
                    "error" => Said::Failed(text(line, "/error/message").to_owned()),
                    _ => Said::Ended,
                });
            }
            _ => {}
        }
    }

    fn speak(&mut self, out: &mut Vec<Said>) {
        if !std::mem::replace(&mut self.speaking, true) {
            self.calls += 1;
            out.extend([Said::Call, Said::Rounds(self.calls)]);
        }
    }
}

/// Its own count of all input holds what was read from the cache.
fn tokens(stats: &Value) -> Tokens {
    let count = |pointer: &str| number(stats, pointer).unwrap_or(0);
    let cached = count("/cached");
    Tokens {
        input: count("/input_tokens").saturating_sub(cached),
        output: count("/output_tokens"),
        cache_read: cached,
        cache_write: 0,
    }
}
