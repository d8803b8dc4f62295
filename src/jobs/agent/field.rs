//! Fields of a line, where they are as expected.
use crate::model::transcript::Tokens;
use serde_json::Value;

/// Empty, if there is no text.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub fn number(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer).and_then(Value::as_u64)
}

/// Input, output, read from the cache, written to it.
pub fn tokens_of(value: &Value, [input, output, read, write]: [&str; 4]) -> Tokens {
    let count = |pointer: &str| number(value, pointer).unwrap_or(0);
    Tokens { input: count(input), output: count(output), cache_read: count(read), cache_write: count(write) }
}
