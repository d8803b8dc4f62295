//! One line of a Claude Code session file -> rows. Seen from 2.0 to 2.1.330.
//!
//! - `user`: a text, or the results of tools. What the program itself puts there (`isMeta`, summaries, `<command-name>`,
//!   `<local-command-…>`, texts whose `origin` is not a person) begins no turn.
//! - `assistant`: one block of an answer. All blocks of one answer carry its id and its usage: they count once.
//!   `isApiErrorMessage` is an error in an answer's clothes.
//! - `system`: `turn_duration` ends a turn (since 2.1; before, only the `stop_reason` of its last answer does).
//! - `cost-state` (since 2.1.330, when the program ends): what the session cost.
//! - `queue-operation`: a text that was typed during a turn. It comes again: as `user` when the turn is over, or as an
//!   `attachment` (`queued_command`) that goes into the turn, with the time at which it was typed.
use super::{
    argument,
    cause::{self, Facts},
    claude_line::{Counted, Line, Origin, Part},
    parse::{Taken, TextOr, hash},
};
use crate::model::{
    time::Wall,
    transcript::{End, Row, Tokens, Usage, What},
    zones::Zones,
};
use serde_json::Value;
use std::collections::VecDeque;

/// So many answers are remembered, to know one that stands in several lines: they stand close together.
const ANSWERS: usize = 64;
/// Stands in the place of a model's name where no model spoke.
const SYNTHETIC: &str = "<synthetic>";

#[derive(Debug, Default)]
pub struct Parser {
    model: String,
    /// A turn is under way.
    open: bool,
    /// Of the last row that has a time.
    at: Option<Wall>,
    /// What the session cost so far, as it was said last.
    cost: f64,
    /// Answers by the hash of their id, with what was counted for them.
    answers: VecDeque<(u64, Tokens)>,
}

impl Parser {
    pub fn line(&mut self, line: &str, zones: Zones, each: &mut dyn FnMut(Row)) -> Taken {
        let Ok(line) = serde_json::from_str::<Line>(line) else { return Taken::Broken };
        let at = line.timestamp.as_deref().and_then(Wall::parse_rfc3339);
        self.at = at.or(self.at);
        let mut row = |what| each(Row { at, what });
        match line.kind.as_str() {
            "user" => self.user(line, &mut row),
            "assistant" if line.is_api_error_message => self.failed(&line, at, zones, &mut row),
            "assistant" => self.assistant(line, &mut row),
            "system" => match line.subtype.as_deref() {
                Some("turn_duration") => self.end(End::Done, &mut row),
                Some("compact_boundary") => row(What::Note { text: "conversation compacted".into() }),
                Some("informational") => {
                    if let Some(Value::String(text)) = line.content {
                        row(What::Note { text });
                    }
                }
                _ => {}
            },
            "queue-operation" => {
                if let (Some("enqueue"), Some(Value::String(text))) = (line.operation.as_deref(), line.content) {
                    row(What::Queued { text });
                }
            }
            "attachment" => self.attachment(line, &mut row),
            "file-history-snapshot" | "mode" | "permission-mode" | "last-prompt" | "atis-latch" | "tools-used" => {}
            "cost-state" => {
                if let Some(what) = self.cost(&line) {
                    each(Row { at: self.at, what });
                }
            }
            request if request.starts_with("api-request") => {}
            _ => return Taken::Unknown,
        }
        Taken::Yes
    }

    fn end(&mut self, how: End, row: &mut dyn FnMut(What)) {
        if std::mem::take(&mut self.open) {
            row(What::Ended(how));
        }
    }

    fn user(&mut self, line: Line, row: &mut dyn FnMut(What)) {
        // A helper's conversation with the model is no part of this one.
        if line.is_meta || line.is_sidechain || line.is_compact_summary {
            return;
        }
        let Some(message) = line.message else { return };
        let person = is_person(line.origin);
        let mut texts = Vec::new();
        match message.content {
            TextOr::Text(text) => texts.push(text),
            TextOr::Parts(blocks) => {
                for block in blocks {
                    match block.kind.as_str() {
                        "text" => texts.extend(block.text),
                        "tool_result" => row(What::Returned {
                            id: block.tool_use_id.unwrap_or_default(),
                            text: result(block.content),
                            failed: block.is_error,
                        }),
                        _ => {}
                    }
                }
            }
        }
        if texts.is_empty() {
            return;
        }
        let text = texts.join("\n");
        if text.starts_with("[Request interrupted by user") {
            self.open = true;
            return self.end(End::Interrupted, row);
        }
        if let Some(command) = tagged(&text, "command-name") {
            let arguments = tagged(&text, "command-args").unwrap_or_default();
            return row(What::Note { text: format!("{command} {arguments}").trim_end().to_owned() });
        }
        if let Some(command) = tagged(&text, "bash-input") {
            return row(What::Note { text: format!("! {command}") });
        }
        if ["<local-command-", "<bash-stdout>", "<bash-stderr>", "<system-reminder>"]
            .iter()
            .any(|t| text.starts_with(t))
        {
            return;
        }
        if !person || text.starts_with("<task-notification>") {
            return row(What::Note { text });
        }
        self.open = true;
        row(What::Asked { text });
    }

    fn attachment(&mut self, line: Line, row: &mut dyn FnMut(What)) {
        let Some(attachment) = line.attachment.filter(|a| a.kind == "queued_command" && !line.is_sidechain) else {
            return;
        };
        let text = result(attachment.prompt);
        if !text.is_empty() && is_person(attachment.origin) {
            self.open = true;
            row(What::Asked { text });
        }
    }

    fn assistant(&mut self, line: Line, row: &mut dyn FnMut(What)) {
        let Some(message) = line.message else { return };
        let spoke = message.model.as_deref().is_some_and(|m| m != SYNTHETIC);
        if let Some(name) = message.model.as_ref().filter(|name| spoke && !line.is_sidechain && **name != self.model) {
            self.model.clone_from(name);
            row(What::Model { name: name.clone() });
        }
        let ends =
            matches!(message.stop_reason.as_deref(), Some("end_turn" | "stop_sequence" | "max_tokens" | "refusal"));
        let mut last_is_text = false;
        if !line.is_sidechain {
            let blocks = match message.content {
                TextOr::Text(text) => {
                    last_is_text = true;
                    row(What::Answered { text });
                    Vec::new()
                }
                TextOr::Parts(blocks) => blocks,
            };
            for block in blocks {
                last_is_text = block.kind == "text";
                match (block.kind.as_str(), block.text) {
                    ("text", Some(text)) => row(What::Answered { text }),
                    ("tool_use" | "server_tool_use", _) => row(What::Called {
                        id: block.id.unwrap_or_default(),
                        tool: block.name.unwrap_or_default(),
                        argument: argument::of(&block.input.unwrap_or_default()),
                    }),
                    _ => {}
                }
            }
        }
        if let (true, Some(usage)) = (spoke, message.usage) {
            self.used(message.id.as_deref(), usage, row);
        }
        if ends && last_is_text && spoke {
            self.end(End::Done, row);
        }
    }

    /// The sum of the session until now. It has no time of its own.
    fn cost(&mut self, line: &Line) -> Option<What> {
        let total = line.total_cost.filter(|c| c.is_finite() && *c >= 0.0 && !line.has_unknown_model_cost)?;
        // One that shrank counts from nothing again.
        let more = if total < self.cost { total } else { total - self.cost };
        self.cost = total;
        Some(What::Used(Usage { cost_usd: Some(more), ..Usage::default() }))
    }

    fn used(&mut self, id: Option<&str>, counted: Counted, row: &mut dyn FnMut(What)) {
        let tokens = Tokens {
            input: counted.input_tokens,
            output: counted.output_tokens,
            cache_read: counted.cache_read_input_tokens,
            cache_write: counted.cache_creation_input_tokens,
        };
        let Some(message) = id.map(hash) else {
            return row(What::Used(Usage { tokens, ..Usage::default() }));
        };
        let fresh = match self.answers.iter_mut().find(|(known, _)| *known == message) {
            // A later line of the same answer knows more of its output.
            Some((_, counted)) => {
                let more = tokens.beyond(*counted);
                *counted += more;
                more
            }
            None => {
                if self.answers.len() == ANSWERS {
                    self.answers.pop_front();
                }
                self.answers.push_back((message, tokens));
                tokens
            }
        };
        if !fresh.is_zero() {
            row(What::Used(Usage { message: Some(message), tokens: fresh, cost_usd: None }));
        }
    }

    fn failed(&mut self, line: &Line, at: Option<Wall>, zones: Zones, row: &mut dyn FnMut(What)) {
        if line.is_sidechain {
            return;
        }
        let text = match line.message.as_ref().map(|m| &m.content) {
            Some(TextOr::Text(text)) => text.clone(),
            Some(TextOr::Parts(blocks)) => {
                blocks.iter().filter_map(|b| b.text.as_deref()).collect::<Vec<_>>().join("\n")
            }
            None => String::new(),
        };
        let facts = Facts {
            word: line.error.as_ref().and_then(Value::as_str).unwrap_or_default(),
            status: line.api_error_status.as_ref().and_then(Value::as_u64),
            text: &text,
            details: line.error_details.as_ref().and_then(Value::as_str).unwrap_or_default(),
        };
        row(What::Failed(cause::read(&facts, at, zones)));
        self.open = true;
        self.end(End::Failed, row);
    }
}

/// Programs before 2.1 do not say who it was.
fn is_person(origin: Option<Origin>) -> bool {
    origin.and_then(|o| o.kind).is_none_or(|kind| kind == "human")
}

fn result(content: Option<TextOr<Part>>) -> String {
    match content {
        None => String::new(),
        Some(TextOr::Text(text)) => text,
        Some(TextOr::Parts(parts)) => {
            let shown = |p: Part| p.text.unwrap_or_else(|| format!("({})", p.kind));
            parts.into_iter().map(shown).collect::<Vec<_>>().join("\n")
        }
    }
}

/// What stands between `<name>` and `</name>`, if the text begins with a tag.
fn tagged<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    if !text.starts_with('<') {
        return None;
    }
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inside, _)| inside.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(lines: &[Value]) -> Vec<What> {
        let mut parser = Parser::default();
        let mut rows = Vec::new();
        for line in lines {
            assert_eq!(
                parser.line(&line.to_string(), Zones::default(), &mut |row| rows.push(row.what)),
                Taken::Yes,
                "{line}"
            );
        }
        rows
    }

    fn user(content: &str, more: Value) -> Value {
        let mut line = json!({"type": "user", "message": {"content": content}});
        more.as_object().into_iter().flatten().for_each(|(key, value)| line[key] = value.clone());
        line
    }

    #[test]
    fn what_the_program_says_itself_begins_no_turn() {
        let note = |text: &str| What::Note { text: text.into() };
        let told = rows(&[
            user("x", json!({"isMeta": true})),
            user("x", json!({"isSidechain": true})),
            user("x", json!({"isCompactSummary": true})),
            user("<local-command-stdout>x</local-command-stdout>", json!({})),
            user("<command-name>/model</command-name>\n<command-args>opus</command-args>", json!({})),
            user("<bash-input>ls</bash-input>", json!({})),
            user("a job is over", json!({"origin": {"kind": "task-notification"}})),
        ]);
        assert_eq!(told, [note("/model opus"), note("! ls"), note("a job is over")]);
    }

    #[test]
    fn a_later_line_of_an_answer_counts_what_is_new_in_it() {
        let answer = |id: &str, output: u64| {
            json!({"type": "assistant", "message": {"id": id, "model": "m", "content": [], "usage":
                {"input_tokens": 7, "output_tokens": output, "cache_read_input_tokens": 100}}})
        };
        let told = rows(&[answer("a", 3), answer("a", 3), answer("b", 1), answer("a", 50), answer("a", 2)]);
        let outputs: Vec<(u64, u64)> = told
            .iter()
            .filter_map(|what| if let What::Used(u) = what { Some((u.tokens.input, u.tokens.output)) } else { None })
            .collect();
        assert_eq!(outputs, [(7, 3), (7, 1), (0, 47)]);
    }

    #[test]
    fn a_turn_ends_once() {
        let answer = json!({"type": "assistant", "message": {"id": "a", "model": "m", "stop_reason": "end_turn",
            "content": [{"type": "text", "text": "done"}]}});
        let over = json!({"type": "system", "subtype": "turn_duration"});
        let told = rows(&[user("go", json!({})), answer, over.clone(), over]);
        assert_eq!(told.iter().filter(|what| **what == What::Ended(End::Done)).count(), 1, "{told:?}");
    }

    #[test]
    fn what_a_session_cost_is_a_sum() {
        let cost = |usd: f64, unknown: bool| json!({"type": "cost-state", "totalCostUSD": usd, "hasUnknownModelCost": unknown});
        let told = rows(&[cost(0.5, false), cost(2.0, false), cost(9.0, true), cost(0.25, false)]);
        let costs: Vec<Option<f64>> =
            told.iter().filter_map(|what| if let What::Used(u) = what { Some(u.cost_usd) } else { None }).collect();
        assert_eq!(costs, [Some(0.5), Some(1.5), Some(0.25)]);
    }
}
