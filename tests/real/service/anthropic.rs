//! Anthropic Messages, as Claude Code speaks it: `POST /v1/messages`.
use super::{Mode, Turn, http::Connection};
use serde_json::{Value, json};
use std::io;

pub fn answer(turn: &Turn, to: &mut Connection) -> io::Result<()> {
    if turn.refuse(to)? {
        return Ok(());
    }
    let model = turn.body.get("model").and_then(Value::as_str).unwrap_or("stub");
    let mut message = json!({"id": format!("msg_{}", turn.id), "type": "message", "role": "assistant", "model": model,
        "content": [], "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 100, "output_tokens": 1}});
    if !turn.asked.streams {
        message["content"] = json!([{"type": "text", "text": turn.behaviour.text}]);
        message["stop_reason"] = json!("end_turn");
        return to.json(200, &[], &message);
    }
    let send = |to: &mut Connection, data: Value| {
        let name = data["type"].as_str().map(str::to_owned);
        to.event(name.as_deref(), &data)
    };
    to.start_events()?;
    send(to, json!({"type": "message_start", "message": message}))?;
    let stop = if turn.mode() == Mode::Tool {
        let (name, input) = turn.call(|| {
            ("Bash".into(), json!({"command": turn.behaviour.tool_command, "description": "Run the command"}))
        });
        let input = input.to_string();
        send(
            to,
            json!({"type": "content_block_start", "index": 0, "content_block":
                {"type": "tool_use", "id": format!("toolu_{}", turn.id), "name": name, "input": {}}}),
        )?;
        send(
            to,
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": input}}),
        )?;
        "tool_use"
    } else {
        send(to, json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}))?;
        turn.words(to, |to, word| {
            send(to, json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}))
        })?;
        "end_turn"
    };
    send(to, json!({"type": "content_block_stop", "index": 0}))?;
    send(
        to,
        json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": 20}}),
    )?;
    send(to, json!({"type": "message_stop"}))?;
    to.end_events()
}
