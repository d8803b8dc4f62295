//! OpenAI Chat Completions, as OpenCode (and many others) speak it: `POST /v1/chat/completions`.
use super::{Mode, Turn, http::Connection};
use serde_json::{Value, json};
use std::io;

const TOOL_NAMES: [&str; 3] = ["bash", "shell", "run_shell_command"];

pub fn answer(turn: &Turn, to: &mut Connection) -> io::Result<()> {
    if turn.refuse(to)? {
        return Ok(());
    }
    let id = format!("chatcmpl-{}", turn.id);
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120});
    if !turn.asked.streams {
        let message = json!({"role": "assistant", "content": turn.behaviour.text});
        return to.json(
            200,
            &[],
            &json!({"id": id, "object": "chat.completion", "created": 0, "model": "stub", "usage": usage,
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}),
        );
    }
    let chunk = |delta: Value, finish: Option<&str>| {
        json!({"id": id, "object": "chat.completion.chunk", "created": 0, "model": "stub",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    to.start_events()?;
    if turn.mode() == Mode::Tool {
        let (name, arguments) = turn.call(|| {
            let arguments = json!({"command": turn.behaviour.tool_command, "description": "Run the command"});
            (shell_tool(turn.body), arguments)
        });
        let call = json!({"index": 0, "id": format!("call_{}", turn.id), "type": "function",
            "function": {"name": name, "arguments": arguments.to_string()}});
        to.event(None, &chunk(json!({"role": "assistant", "tool_calls": [call]}), None))?;
        to.event(None, &chunk(json!({}), Some("tool_calls")))?;
    } else {
        to.event(None, &chunk(json!({"role": "assistant", "content": ""}), None))?;
        turn.words(to, |to, word| to.event(None, &chunk(json!({"content": word}), None)))?;
        to.event(None, &chunk(json!({}), Some("stop")))?;
    }
    to.event(
        None,
        &json!({"id": id, "object": "chat.completion.chunk", "created": 0, "model": "stub", "choices": [], "usage": usage}),
    )?;
    to.event(None, &json!("[DONE]"))?;
    to.end_events()
}

fn shell_tool(body: &Value) -> String {
    let offered: Vec<&str> = body
        .get("tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|t| t.pointer("/function/name").and_then(Value::as_str))
        .collect();
    TOOL_NAMES.into_iter().find(|n| offered.contains(n)).unwrap_or("bash").to_owned()
}
