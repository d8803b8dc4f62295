//! What a record must not tell: the texts that people send to their agents or have begun to write, and the commands they
//! run, which may hold keys. Letters and figures become `x`; the shape stays, as decisions may depend on it (length, spaces, line ends).
use crate::model::name::printable;
use serde_json::Value;
use std::collections::BTreeSet;

/// Keys of the config whose values are shell text or words of the user.
const COMMANDS: [&str; 11] = [
    "bin",
    "flags",
    "model_flag",
    "resume_flag",
    "remote_control_flag",
    "attach",
    "server",
    "preamble",
    "command",
    "alert",
    "prompt",
];
/// Deliveries whose text a person wrote, or in which such a text may be said again; all others are our own words.
const WRITTEN: [&str; 4] = ["send", "wake", "go-on", "probe"];
/// Shorter than this, a text found within another is a coincidence.
const TELLING: usize = 4;

/// The same shape without the words; as long in bytes and in characters.
pub fn masked(text: &str) -> String {
    let mask = |c: char| match (c.is_alphanumeric(), c.len_utf8()) {
        (false, _) => c,
        (_, 1) => 'x',
        (_, 2) => 'é',
        (_, 3) => '中',
        _ => '𝒙',
    };
    text.chars().map(mask).collect()
}

/// Masks values of one record. What it masked is remembered: it may stand again within other words.
#[derive(Default)]
pub struct Masking {
    secrets: BTreeSet<String>,
    /// Ids of the deliveries whose text a person wrote.
    written: BTreeSet<i64>,
}

impl Masking {
    /// A policy: every command.
    pub fn policy(&mut self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    match (key.as_str(), &value) {
                        // The word for none.
                        ("prompt", Value::String(_)) | ("tmux", _) => {}
                        (key, _) if COMMANDS.contains(&key) => self.all(value),
                        _ => self.policy(value),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| self.policy(value)),
            _ => {}
        }
    }

    /// Every string below.
    fn all(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => self.mask(text),
            Value::Array(list) => list.iter_mut().for_each(|value| self.all(value)),
            Value::Object(map) => map.values_mut().for_each(|value| self.all(value)),
            _ => {}
        }
    }

    fn mask(&mut self, text: &mut String) {
        let hidden = masked(text);
        if hidden != *text {
            self.secrets.insert(std::mem::replace(text, hidden));
        }
    }

    /// Of an observation, a state, or a part of one; states first, as they say which text is whose.
    pub fn written(&mut self, value: &mut Value) {
        let Value::Object(map) = value else {
            if let Value::Array(list) = value {
                list.iter_mut().for_each(|value| self.written(value));
            }
            return;
        };
        let word = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
        let is_text = map.contains_key("submit_key") || map.contains_key("begun");
        let is_delivery = is_text && WRITTEN.contains(&word("kind"));
        let types = word("do") == "type"
            && map.get("delivery").and_then(Value::as_i64).is_some_and(|id| self.written.contains(&id));
        if let (true, Some(id)) = (is_delivery, map.get("id").and_then(Value::as_i64)) {
            self.written.insert(id);
        }
        // What stands in an input line, be it ours or a person's.
        let is_draft = map.contains_key("chars") && map.contains_key("ours");
        let hidden: &[&str] = match () {
            () if is_delivery || is_draft || types || word("verb") == "send" => &["text"],
            () if map.contains_key("before") && map.contains_key("after") => &["before", "after"],
            () => &["wake_prompts"],
        };
        for (key, value) in map.iter_mut() {
            match hidden.contains(&key.as_str()) {
                true => self.all(value),
                false => self.written(value),
            }
        }
    }

    /// Words of ours in which something that was masked may be quoted: events, and actions that carry one.
    pub fn quoted(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                for secret in self.secrets.iter().filter(|s| s.chars().count() >= TELLING) {
                    for form in [secret.clone(), printable(secret)] {
                        if text.contains(&form) {
                            *text = text.replace(&form, &masked(&form));
                        }
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| self.quoted(value)),
            Value::Object(map) => map.values_mut().for_each(|value| self.quoted(value)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_shape_stays() {
        let text = "Grüße 7x,\n世界 ½-𝒜!";
        let hidden = masked(text);
        assert_eq!(hidden, "xxééx xx,\n中中 é-𝒙!");
        assert_eq!((hidden.len(), hidden.chars().count()), (text.len(), text.chars().count()));
        assert_eq!(masked(&hidden), hidden);
    }

    #[test]
    fn texts_of_people_are_masked_wherever_they_stand() {
        let delivery = |id: i64, kind: &str| json!({"id": id, "kind": kind, "text": "key 42!", "submit_key": "Enter"});
        let mut state = json!({"deliveries": {"1": delivery(1, "send"), "2": delivery(2, "nudge")},
            "units": {"t-a": {"leftover": {"delivery": delivery(3, "wake")},
                "taken": [{"delivery": 4, "kind": "send", "text": "key 42!", "begun": false}]}}});
        let mut masking = Masking::default();
        masking.written(&mut state);
        assert_eq!(state["deliveries"]["1"]["text"], "xxx xx!");
        assert_eq!(state["deliveries"]["2"]["text"], "key 42!", "our own words");
        assert_eq!(state["units"]["t-a"]["leftover"]["delivery"]["text"], "xxx xx!");
        assert_eq!(state["units"]["t-a"]["taken"][0]["text"], "xxx xx!");
        let mut obs = json!({"requests": [{"verb": {"verb": "send", "name": "a", "text": "hello"}}],
            "files": {"wake_prompts": {"t-a": {"Ok": "my plan"}}},
            "results": [{"action": {"do": "type", "delivery": 1, "text": "key 42!"}}, {"action": {"do": "type", "delivery": 2, "text": "go on"}}],
            "config": {"changed": {"commands": [{"key": "bin", "before": "a --key K1", "after": "b"}]}}});
        masking.written(&mut obs);
        let text = obs.to_string();
        for secret in ["hello", "plan", "42", "K1"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert!(text.contains("go on"));
        let mut events = json!([{"text": "bin: `a --key K1` -> `b`, sent: hello", "data": {"x": ["my plan"]}}]);
        masking.quoted(&mut events);
        assert_eq!(events, json!([{"text": "bin: `x --xxx xx` -> `b`, sent: xxxxx", "data": {"x": ["xx xxxx"]}}]));
    }

    #[test]
    fn commands_of_the_config_are_masked() {
        let mut policy = json!({"backends": [{"name": "claude", "bin": "claude --key sk-1", "delivery": "arg"}],
            "services": [{"name": "web", "command": "serve"}], "agents": [{"prompt": {"text": "do it"}}, {"prompt": "empty"}], "tmux": {"server": "own"},
            "alert": ["notify", "token"], "log_dir": "/p/logs"});
        Masking::default().policy(&mut policy);
        assert_eq!(policy["backends"][0]["bin"], "xxxxxx --xxx xx-x");
        assert_eq!(
            (&policy["services"][0]["command"], &policy["alert"]),
            (&json!("xxxxx"), &json!(["xxxxxx", "xxxxx"]))
        );
        assert_eq!((&policy["agents"][1]["prompt"], &policy["tmux"]["server"]), (&json!("empty"), &json!("own")));
        assert_eq!(
            (&policy["agents"][0]["prompt"], &policy["log_dir"]),
            (&json!({"text": "xx xx"}), &json!("/p/logs"))
        );
    }
}
