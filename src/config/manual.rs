//! The key table as the README shows it.
use super::keys::{Default, Key, Section, Type, sections};

/// One Markdown table per section, with type, default and meaning of every key. The README contains exactly this.
pub fn key_table_markdown() -> String {
    let mut out = String::new();
    for section in sections().into_iter().skip(1) {
        heading(section, &mut out);
        out.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
        for key in section.keys {
            let default = default(key);
            out.push_str(&format!(
                "| `{}` | {} | {default} | {} |\n",
                key.name,
                type_word(&key.of),
                key.doc.replace('|', "\\|")
            ));
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn heading(section: &Section, out: &mut String) {
    out.push_str(&format!("### `{}`\n\n", section.header));
    if !section.doc.is_empty() {
        out.push_str(&format!("{}\n\n", section.doc));
    }
}

fn type_word(of: &Type) -> String {
    let words = |words: &[&str]| words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
    match of {
        Type::Text => "text".into(),
        Type::Path => "path".into(),
        Type::Bool => "true or false".into(),
        Type::Duration => "time".into(),
        Type::Interval => "time, not 0".into(),
        Type::Count => "number".into(),
        Type::Whole => "number, or 0".into(),
        Type::Size => "size".into(),
        Type::Room => "size, or 0".into(),
        Type::Integer => "whole number".into(),
        Type::Number => "number, or 0".into(),
        Type::Dimensions => "columns x rows".into(),
        Type::Regex => "pattern".into(),
        Type::Word(known) => words(known),
        Type::OpenWord(known) => format!("{}, …", words(known)),
        Type::Texts => "list of texts".into(),
        Type::TextOrTexts => "text, or list of texts".into(),
        Type::TextMap => "texts by name".into(),
        Type::Table(_) => "table".into(),
        Type::List(_) | Type::Named(_) => "tables".into(),
    }
}

fn default(key: &Key) -> String {
    match key.default {
        Default::Required => "required".into(),
        Default::None => "–".into(),
        Default::Is(text) => format!("`{text}`"),
        Default::List(items) => {
            format!("`[{}]`", items.iter().map(|i| format!("\"{i}\"")).collect::<Vec<_>>().join(", "))
        }
        Default::Words(words) => words.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_row() {
        let text = key_table_markdown();
        for section in sections().into_iter().skip(1) {
            assert!(text.contains(&format!("### `{}`\n", section.header)));
            for key in section.keys {
                assert!(text.contains(&format!("| `{}` |", key.name)), "{}", key.name);
                assert!(!key.doc.is_empty());
            }
        }
        assert!(text.contains("| `signal_interval` | time, not 0 | `30` |"));
    }
}
