//! The shape of a line of a Claude Code session file: of all kinds of lines together, and only what is used.
use super::parse::{TextOr, or_default};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
    pub timestamp: Option<String>,
    pub message: Option<Message>,
    #[serde(default, deserialize_with = "or_default")]
    pub is_meta: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub is_sidechain: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub is_compact_summary: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub is_api_error_message: bool,
    pub api_error_status: Option<Value>,
    pub error: Option<Value>,
    pub error_details: Option<Value>,
    pub origin: Option<Origin>,
    pub subtype: Option<String>,
    pub operation: Option<String>,
    pub content: Option<Value>,
    pub attachment: Option<Attachment>,
    #[serde(rename = "totalCostUSD")]
    pub total_cost: Option<f64>,
    #[serde(default, deserialize_with = "or_default")]
    pub has_unknown_model_cost: bool,
}

#[derive(Deserialize)]
pub struct Origin {
    pub kind: Option<String>,
}

#[derive(Deserialize)]
pub struct Attachment {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
    pub prompt: Option<TextOr<Part>>,
    pub origin: Option<Origin>,
}

#[derive(Deserialize)]
pub struct Message {
    pub id: Option<String>,
    pub model: Option<String>,
    #[serde(default)]
    pub content: TextOr<Block>,
    pub usage: Option<Counted>,
    pub stop_reason: Option<String>,
}

#[derive(Deserialize)]
pub struct Block {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
    pub text: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
    pub input: Option<Value>,
    pub tool_use_id: Option<String>,
    pub content: Option<TextOr<Part>>,
    #[serde(default, deserialize_with = "or_default")]
    pub is_error: bool,
}

#[derive(Deserialize)]
pub struct Part {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
    pub text: Option<String>,
}

#[derive(Deserialize)]
pub struct Counted {
    #[serde(default, deserialize_with = "or_default")]
    pub input_tokens: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub output_tokens: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub cache_read_input_tokens: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub cache_creation_input_tokens: u64,
}
