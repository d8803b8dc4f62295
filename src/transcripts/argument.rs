//! What tells most about a call of a tool: the command, the file, the pattern; else all of its arguments.
use serde_json::Value;

/// The one argument that counts, by name, the most telling first.
const TELLING: [&str; 14] = [
    "command",
    "cmd",
    "file_path",
    "notebook_path",
    "path",
    "pattern",
    "url",
    "query",
    "skill",
    "description",
    "prompt",
    "input",
    "action",
    "plan",
];

pub fn of(arguments: &Value) -> String {
    match arguments {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(map) if map.is_empty() => String::new(),
        Value::Object(map) => TELLING
            .iter()
            .find_map(|name| map.get(*name).map(words).filter(|w| !w.is_empty()))
            .unwrap_or_else(|| arguments.to_string()),
        other => other.to_string(),
    }
}

/// A list of words is a command: of `bash -lc TEXT` only the text counts.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let words: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            match words[..] {
                [_, flag, text] if ["-lc", "-c"].contains(&flag) => text.to_owned(),
                _ if words.len() == list.len() => words.join(" "),
                _ => value.to_string(),
            }
        }
        Value::Null => String::new(),
        Value::Object(_) => of(value),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_telling_one() {
        assert_eq!(of(&json!({"description": "List files", "command": "ls -l\nwc"})), "ls -l\nwc");
        assert_eq!(of(&json!({"command": ["bash", "-lc", "ls"], "workdir": "/"})), "ls");
        assert_eq!(of(&json!({"command": ["ls", "-l"]})), "ls -l");
        assert_eq!(of(&json!({"file_path": "/a/b", "content": "x"})), "/a/b");
        assert_eq!(of(&json!({"todos": [1, 2]})), "{\"todos\":[1,2]}");
        assert_eq!(of(&json!({})), "");
        assert_eq!(of(&json!("*** Begin Patch")), "*** Begin Patch");
    }
}
