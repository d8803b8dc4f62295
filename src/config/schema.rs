//! The key table as a JSON schema (draft-07: what TOML editors understand).
use super::keys::{Default, Key, ROOT, Section, Type};
use serde_json::{Map, Value, json};

/// For `agents schema`; an editor uses it through a first line `#:schema ./agents.schema.json`.
pub fn schema() -> Value {
    let mut schema = section(&ROOT);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("agents.toml");
    schema
}

fn section(section: &Section) -> Value {
    let mut properties = Map::new();
    for key in section.keys {
        properties.insert(key.name.to_owned(), property(key));
    }
    let required: Vec<&str> = section
        .keys
        .iter()
        // An agent may have its backend, and a service its command, from [defaults].
        .filter(|k| {
            matches!(k.default, Default::Required)
                && !matches!((section.header, k.name), ("[[agent]]", "backend") | ("[[service]]", "command"))
        })
        .map(|k| k.name)
        .collect();
    let mut out = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        out["required"] = json!(required);
    }
    if section.header == "[backend.NAME]" {
        // For jobs alone, one of the two is enough.
        out["anyOf"] = json!([{ "required": ["bin"] }, { "required": ["job_command"] }]);
    }
    if !section.doc.is_empty() {
        out["description"] = json!(section.doc);
    }
    out
}

fn property(key: &Key) -> Value {
    let mut out = shape(&key.of);
    out["description"] = json!(key.doc);
    match key.default {
        Default::Is(text) => {
            out["default"] = match key.of {
                Type::Bool => json!(text == "true"),
                Type::Duration | Type::Interval | Type::Count | Type::Whole | Type::Integer | Type::Number => {
                    json!(text.parse::<u64>().unwrap_or_default())
                }
                _ => json!(text),
            };
        }
        Default::List(items) => out["default"] = json!(items),
        Default::Required | Default::None | Default::Words(_) => {}
    }
    out
}

fn shape(of: &Type) -> Value {
    match of {
        Type::Text | Type::Path => json!({ "type": "string" }),
        Type::Regex => json!({ "type": "string" }),
        Type::Bool => json!({ "type": "boolean" }),
        Type::Duration => {
            json!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": DURATION }] })
        }
        Type::Interval => {
            json!({ "anyOf": [{ "type": "number", "exclusiveMinimum": 0 }, { "type": "string", "pattern": DURATION }] })
        }
        Type::Count => json!({ "type": "integer", "minimum": 1 }),
        Type::Whole => json!({ "type": "integer", "minimum": 0 }),
        Type::Size => json!({ "anyOf": [
            { "type": "integer", "minimum": 1000 },
            { "type": "string", "pattern": "^\\s*\\d+\\s*([kKmMgGtT]?[bB]|[kKmMgG]i[bB])?\\s*$" }
        ] }),
        Type::Room => json!({ "anyOf": [{ "const": 0 }, shape(&Type::Size)] }),
        Type::Integer => json!({ "type": "integer" }),
        Type::Number => json!({ "type": "number", "minimum": 0 }),
        Type::Dimensions => json!({ "type": "string", "pattern": "^\\s*\\d+\\s*[xX]\\s*\\d+\\s*$" }),
        Type::Word(words) => json!({ "type": "string", "enum": words }),
        Type::OpenWord(words) => json!({ "anyOf": [{ "type": "string", "enum": words }, { "type": "string" }] }),
        Type::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Type::TextOrTexts => json!({ "anyOf": [{ "type": "string" }, shape(&Type::Texts)] }),
        Type::TextMap => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Type::Table(s) => section(s),
        Type::List(s) => json!({ "type": "array", "items": section(s) }),
        Type::Named(s) => json!({ "type": "object", "additionalProperties": section(s) }),
    }
}

const DURATION: &str = "^\\s*(\\d*\\.?\\d+|(\\d*\\.?\\d+\\s*(ms|s|m|h|d|w)\\s*)+)\\s*$";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_has_every_section_and_closed_tables() {
        let schema = schema();
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        let agent = &schema["properties"]["agent"]["items"];
        assert_eq!(agent["required"], json!(["name"]));
        assert_eq!(agent["additionalProperties"], false);
        assert_eq!(agent["properties"]["watch"]["enum"], json!(["none", "heal", "heal+stall"]));
        let either = json!([{ "required": ["bin"] }, { "required": ["job_command"] }]);
        assert_eq!(schema["properties"]["backend"]["additionalProperties"]["anyOf"], either);
        assert_eq!(schema["properties"]["watchdog"]["properties"]["signal_interval"]["default"], 30);
        assert_eq!(schema["required"], json!(["defaults"]));
        assert_eq!(schema["properties"]["loop"]["properties"]["phases"]["default"], json!([]));
    }
}
