//! OpenCode, `run --format json`.
use super::field::{text, tokens_of};
use crate::model::agent_said::{Said, Scope, ToolCall};
use serde_json::Value;

#[derive(Debug, Default)]
pub struct Opencode {
    session: String,
    steps: u64,
    /// Why it stopped, if the step that ended last is followed by another one; and the last words of a tool that failed.
    unfinished: Option<String>,
    failure: String,
}

impl Opencode {
    pub fn line(&mut self, line: &Value, out: &mut Vec<Said>) {
        let session = text(line, "/sessionID");
        if !session.is_empty() && session != self.session {
            session.clone_into(&mut self.session);
            out.push(Said::Session(session.to_owned()));
        }
        match text(line, "/type") {
            "step_start" => {
                self.unfinished = None;
                self.steps += 1;
                out.extend([Said::Call, Said::Rounds(self.steps)]);
            }
            "text" => out.push(Said::Text { text: text(line, "/part/text").to_owned(), piece: false }),
            "tool_use" => self.tool(line, out),
            "step_finish" => self.step(line, out),
            "error" => {
                let (words, name) = (text(line, "/error/data/message"), text(line, "/error/name"));
                self.unfinished = None;
                out.push(Said::Failed(if words.is_empty() { name } else { words }.to_owned()));
            }
            _ => {}
        }
    }

    fn tool(&mut self, line: &Value, out: &mut Vec<Said>) {
        out.push(Said::Tool(ToolCall::of(text(line, "/part/tool"), line.pointer("/part/state/input"))));
        let failed = text(line, "/part/state/status") == "error";
        let words = text(line, if failed { "/part/state/error" } else { "/part/state/output" });
        self.failure = if failed { words.to_owned() } else { String::new() };
        out.push(Said::Result { failed, text: words.to_owned() });
    }

    fn step(&mut self, line: &Value, out: &mut Vec<Said>) {
        if let Some(tokens) = line.pointer("/part/tokens") {
            let mut count = tokens_of(tokens, ["/input", "/output", "/cache/read", "/cache/write"]);
            count.output += tokens.get("reasoning").and_then(Value::as_u64).unwrap_or(0);
            out.push(Said::Used { of: Scope::More, tokens: count });
            out.push(Said::Usage(tokens.clone()));
        }
        let cost = line.pointer("/part/cost").and_then(Value::as_f64);
        out.extend(cost.map(|usd| Said::Cost { usd, more: true }));
        match text(line, "/part/reason") {
            // The results of its tools go to the model next, unless a person is needed who is not there.
            "tool-calls" => self.unfinished = Some(self.failure.clone()),
            _ => out.push(Said::Ended),
        }
    }

    /// Nothing follows.
    pub fn end(&mut self, out: &mut Vec<Said>) {
        match self.unfinished.take() {
            Some(failure) if failure.is_empty() => {
                out.push(Said::Failed("it stopped in the middle of its work".into()))
            }
            Some(failure) => out.push(Said::Failed(failure)),
            None => {}
        }
    }
}
