//! TOML -> nodes.
use super::node::{Entry, Node, Value};
use crate::{
    config::{Class, Findings, Reach},
    model::name::printable_cut,
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// `None` if it is not TOML; that has been said.
pub(super) fn parse(text: &str, out: &mut Findings) -> Option<Node> {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        let message = format!("this is not TOML: {}", printable_cut(error.message(), 200));
        out.add(Reach::All, Class::Syntax, span, message, hint(error.message()));
    }
    errors.is_empty().then(|| Node { span: document.span(), value: table(document.get_ref()) })
}

fn hint(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "keep one of the two"
    } else if message.contains("must be quoted") {
        "put text in quotes: `cmd = \"make\"`"
    } else if message.contains("string") {
        "close the text with the quote it began with; in 'single quotes' a backslash stays as it is"
    } else {
        "a line is `key = value`, `[[steps]]`, `[[job]]` or `# comment`"
    }
}

fn table(table: &DeTable) -> Value {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue>)| {
        let key: &Spanned<std::borrow::Cow<str>> = key;
        Entry { key: key.get_ref().to_string(), key_span: key.span(), node: node(value) }
    };
    Value::Table(table.iter().map(entry).collect())
}

fn node(value: &Spanned<DeValue>) -> Node {
    let read = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(n) => {
            let value = i128::from_str_radix(n.as_str(), n.radix()).map_or(f64::INFINITY, |n| n as f64);
            Value::Number { value, whole: true }
        }
        DeValue::Float(n) => Value::Number { value: n.as_str().parse().unwrap_or(f64::NAN), whole: false },
        DeValue::Boolean(b) => Value::Bool(*b),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(items) => Value::List(items.iter().map(node).collect()),
        DeValue::Table(inner) => table(inner),
    };
    Node { span: value.span(), value: read }
}
