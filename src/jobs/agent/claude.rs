//! Claude Code, `-p --output-format stream-json --verbose`.
use super::field::{number, text, tokens_of};
use crate::model::agent_said::{Said, Scope, ToolCall};
use serde_json::Value;

#[derive(Debug, Default)]
pub struct Claude {
    /// Id of the answer that was told last: its parts come in lines of their own.
    answer: String,
}

impl Claude {
    pub fn line(&mut self, line: &Value, out: &mut Vec<Said>) {
        match text(line, "/type") {
            "system" => system(line, out),
            "assistant" => self.answer(line, out),
            "user" => {
                for block in blocks(line).filter(|block| text(block, "/type") == "tool_result") {
                    let failed = block.get("is_error").and_then(Value::as_bool).unwrap_or(false);
                    out.push(Said::Result { failed, text: words_of(block.get("content")) });
                }
            }
            "result" => result(line, out),
            _ => {}
        }
    }

    fn answer(&mut self, line: &Value, out: &mut Vec<Said>) {
        let id = text(line, "/message/id");
        // Not the model's, but the program's own words about an error. The run's result tells it again.
        if text(line, "/message/model") == "<synthetic>" {
            return;
        }
        if id != self.answer || id.is_empty() {
            id.clone_into(&mut self.answer);
            out.push(Said::Call);
        }
        if let Some(usage) = line.pointer("/message/usage") {
            out.push(Said::Used { of: Scope::Answer(id.to_owned()), tokens: tokens(usage) });
        }
        let helper = line.get("parent_tool_use_id").is_some_and(|id| !id.is_null());
        for block in blocks(line) {
            match text(block, "/type") {
                "tool_use" => out.push(Said::Tool(ToolCall::of(text(block, "/name"), block.get("input")))),
                // What a helper of its own says is for itself.
                "text" if !helper => {
                    out.push(Said::Text { text: text(block, "/text").to_owned(), piece: false });
                }
                _ => {}
            }
        }
    }
}

fn system(line: &Value, out: &mut Vec<Said>) {
    match text(line, "/subtype") {
        "init" => out.push(Said::Session(text(line, "/session_id").to_owned())),
        "api_retry" => {
            let status = number(line, "/error_status").map(|status| format!(" ({status})")).unwrap_or_default();
            let (attempt, most) = (number(line, "/attempt").unwrap_or(0), number(line, "/max_retries").unwrap_or(0));
            out.push(Said::Note(format!("tries again {attempt}/{most} after {}{status}", text(line, "/error"))));
        }
        _ => {}
    }
}

fn result(line: &Value, out: &mut Vec<Said>) {
    out.extend(number(line, "/num_turns").map(Said::Rounds));
    if let Some(usage) = line.get("usage") {
        out.push(Said::Used { of: Scope::Run, tokens: tokens(usage) });
        out.push(Said::Usage(usage.clone()));
    }
    let cost = line.get("total_cost_usd").and_then(Value::as_f64);
    out.extend(cost.map(|usd| Said::Cost { usd, more: false }));
    let failed = line.get("is_error").and_then(Value::as_bool).unwrap_or(false);
    if !failed && text(line, "/subtype").starts_with("success") {
        return out.push(Said::Ended);
    }
    let errors = line.get("errors").and_then(Value::as_array).into_iter().flatten();
    let errors: Vec<&str> = errors.filter_map(Value::as_str).collect();
    let words = match (text(line, "/result"), &errors[..]) {
        ("", []) => text(line, "/subtype").replace('_', " "),
        ("", errors) => errors.join("; "),
        (result, _) => result.to_owned(),
    };
    out.push(Said::Failed(words));
}

fn blocks(line: &Value) -> impl Iterator<Item = &Value> {
    line.pointer("/message/content").and_then(Value::as_array).into_iter().flatten()
}

/// Text, or a list of parts with text in them.
fn words_of(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(words)) => words.clone(),
        Some(Value::Array(parts)) => parts.iter().map(|part| text(part, "/text")).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

fn tokens(usage: &Value) -> crate::model::transcript::Tokens {
    let keys = ["/input_tokens", "/output_tokens", "/cache_read_input_tokens", "/cache_creation_input_tokens"];
    tokens_of(usage, keys)
}
