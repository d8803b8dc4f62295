//! Steering by hand: `curl -d '{"mode": "tool", "tool_command": "date"}' URL/control`; `curl URL/control` shows the log.
use super::{
    Mode, Shared,
    http::{Connection, Incoming},
    lock, log,
};
use serde_json::{Value, json};
use std::{io, time::Duration};

impl Shared {
    pub(super) fn control(&self, to: &mut Connection, incoming: &Incoming) -> io::Result<()> {
        if let Some(wish) = &incoming.body {
            let word = |key: &str| wish.get(key).and_then(Value::as_str);
            let number = |key: &str| wish.get(key).and_then(Value::as_u64);
            if word("mode").is_some_and(|m| Mode::from_word(m).is_none()) {
                return to.json(400, &[], &json!({"modes": Mode::ALL.map(|(name, _)| name)}));
            }
            let mut behaviour = lock(&self.behaviour);
            behaviour.mode = word("mode").and_then(Mode::from_word).unwrap_or(behaviour.mode);
            behaviour.reset_in = number("reset_in").unwrap_or(behaviour.reset_in);
            behaviour.pace = number("pace_ms").map_or(behaviour.pace, Duration::from_millis);
            if let Some(call) = wish.get("call").and_then(Value::as_array) {
                // `["name", {arguments}]`; an empty list: the CLI's shell.
                let name = call.first().and_then(Value::as_str).map(str::to_owned);
                behaviour.call = name.zip(call.get(1).cloned());
            }
            for (key, field) in [("text", 0), ("tool_command", 1)] {
                if let Some(text) = word(key) {
                    *(if field == 0 { &mut behaviour.text } else { &mut behaviour.tool_command }) = text.to_owned();
                }
            }
            self.changed.notify_all();
        }
        let log: Vec<Value> = lock(&self.log)
            .iter()
            .map(|a| {
                json!({"path": a.path, "mode": format!("{:?}", a.mode), "marks": log::marks(&a.news), "all_marks": log::marks(&a.said),
                    "answered": a.answered, "tool_result": a.tool_result, "side": a.side, "bytes": a.bytes})
            })
            .collect();
        to.json(200, &[], &json!({"mode": format!("{:?}", lock(&self.behaviour).mode), "log": log}))
    }
}
