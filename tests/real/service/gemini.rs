//! Gemini, as the Gemini CLI speaks it: `POST /v1beta/models/<model>:generateContent` and `:streamGenerateContent`.
use super::{Mode, Turn, http::Connection};
use serde_json::{Value, json};
use std::io;

pub fn answer(turn: &Turn, to: &mut Connection) -> io::Result<()> {
    if turn.refuse(to)? {
        return Ok(());
    }
    if !turn.asked.streams {
        return to.json(200, &[], &part(json!({"text": turn.behaviour.text}), Some("STOP")));
    }
    to.start_events()?;
    if turn.mode() == Mode::Tool {
        let (name, arguments) = turn.call(|| {
            let arguments = json!({"command": turn.behaviour.tool_command, "description": "Run the command"});
            ("run_shell_command".into(), arguments)
        });
        to.event(None, &part(json!({"functionCall": {"name": name, "args": arguments}}), Some("STOP")))?;
    } else {
        turn.words(to, |to, word| to.event(None, &part(json!({"text": word}), None)))?;
        to.event(None, &part(json!({"text": ""}), Some("STOP")))?;
    }
    to.end_events()
}

fn part(content: Value, finish: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": [content]}, "index": 0});
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    json!({"candidates": [candidate], "modelVersion": "stub",
        "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120}})
}
