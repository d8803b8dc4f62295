//! Single TOML values: what they are, as numbers, and as they are shown.
use crate::model::name::printable_cut;
use toml::de::DeValue;

pub(super) fn type_name(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What to write instead.
pub(super) fn type_hint(name: &str, value: &DeValue, wanted: &str) -> String {
    let shown = shown_value(value);
    match (wanted, value) {
        ("text in quotes", DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_)) => {
            format!("write `{name} = \"{shown}\"`")
        }
        ("`true` or `false`", DeValue::String(text)) if text == "true" || text == "false" => {
            format!("write `{name} = {text}`, without quotes")
        }
        ("a list of texts", DeValue::String(_)) => format!("write `{name} = [\"{shown}\"]`"),
        ("an array of tables", DeValue::Table(_)) => format!("write its header as `[[{name}]]`"),
        ("a length of time", _) => format!("write `{name} = 90` or `{name} = \"5m\"`"),
        ("a whole number", DeValue::String(text)) if text.parse::<u32>().is_ok() => format!("write `{name} = {text}`"),
        ("text in quotes", _) => format!("write `{name} = \"…\"`"),
        ("`true` or `false`", _) => format!("write `{name} = true` or `{name} = false`"),
        ("a list of texts", _) => format!("write `{name} = [\"…\", \"…\"]`"),
        ("a table", _) => format!("write `{name} = {{ … }}`, or a header for it"),
        ("an array of tables", _) => format!("write a header `[[{name}]]` for each"),
        ("a size", _) => format!("write `{name} = \"100MB\"`"),
        _ => format!("write {wanted}"),
    }
}

/// A number as it can be compared; `None` if it is beyond all bounds.
pub(super) fn number(value: &DeValue) -> Option<f64> {
    match value {
        DeValue::Integer(n) => i128::from_str_radix(n.as_str(), n.radix()).ok().map(|n| n as f64),
        DeValue::Float(n) => n.as_str().parse().ok(),
        _ => None,
    }
}

/// A scalar as written, short.
pub(super) fn shown_value(value: &DeValue) -> String {
    match value {
        DeValue::String(text) => printable_cut(text, 60),
        DeValue::Integer(n) => printable_cut(&n.to_string(), 60),
        DeValue::Float(n) => printable_cut(n.as_str(), 60),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::Datetime(d) => d.to_string(),
        DeValue::Array(_) => "[…]".into(),
        DeValue::Table(_) => "{…}".into(),
    }
}
