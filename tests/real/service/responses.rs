//! OpenAI Responses, as the Codex CLI speaks it: `POST /v1/responses`.
use super::{Mode, Turn, http::Connection};
use serde_json::{Value, json};
use std::io;

pub fn answer(turn: &Turn, to: &mut Connection) -> io::Result<()> {
    if turn.refuse(to)? {
        return Ok(());
    }
    let id = format!("resp_{}", turn.id);
    let mut serial = 0;
    let mut send = |to: &mut Connection, mut data: Value| {
        data["sequence_number"] = json!(serial);
        serial += 1;
        let name = data["type"].as_str().map(str::to_owned);
        to.event(name.as_deref(), &data)
    };
    to.start_events()?;
    send(
        to,
        json!({"type": "response.created",
            "response": {"id": id, "object": "response", "status": "in_progress", "output": []}}),
    )?;
    let item = if turn.mode() == Mode::Tool {
        tool_call(turn)
    } else {
        let mut item = json!({"type": "message", "id": format!("m_{}", turn.id), "role": "assistant",
            "status": "in_progress", "content": []});
        send(to, json!({"type": "response.output_item.added", "output_index": 0, "item": item}))?;
        let mut text = String::new();
        turn.words(to, |to, word| {
            text.push_str(word);
            send(
                to,
                json!({"type": "response.output_text.delta", "item_id": item["id"], "output_index": 0,
                    "content_index": 0, "delta": word}),
            )
        })?;
        item["status"] = json!("completed");
        item["content"] = json!([{"type": "output_text", "text": text, "annotations": []}]);
        item
    };
    send(to, json!({"type": "response.output_item.done", "output_index": 0, "item": item}))?;
    send(
        to,
        json!({"type": "response.completed", "response": {"id": id, "object": "response", "status": "completed",
            "output": [item], "usage": {"input_tokens": 100, "input_tokens_details": null, "output_tokens": 20,
            "output_tokens_details": null, "total_tokens": 120}}}),
    )?;
    to.end_events()
}

fn tool_call(turn: &Turn) -> Value {
    let (name, arguments) = turn.call(|| shell(turn));
    json!({"type": "function_call", "id": format!("fc_{}", turn.id), "call_id": format!("call_{}", turn.id),
        "name": name, "arguments": arguments.to_string(), "status": "completed"})
}

/// The shell tool has had several names; the request says which one this version offers.
fn shell(turn: &Turn) -> (String, Value) {
    let command = &turn.behaviour.tool_command;
    let offered: Vec<&str> = turn
        .body
        .get("tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|t| t.get("name").and_then(Value::as_str))
        .collect();
    let (name, arguments) = if offered.contains(&"exec_command") {
        (
            "exec_command",
            json!({"cmd": command, "sandbox_permissions": "require_escalated", "justification": "to run it"}),
        )
    } else if offered.contains(&"shell_command") {
        (
            "shell_command",
            json!({"command": command, "sandbox_permissions": "require_escalated", "justification": "to run it"}),
        )
    } else {
        ("shell", json!({"command": ["bash", "-lc", command]}))
    };
    (name.to_owned(), arguments)
}
