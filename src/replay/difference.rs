//! Where two decisions differ, field by field.
use super::{delta::below, masking::masked};
use serde::Serialize;
use serde_json::Value;

/// One field. `None`: it is not there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// JSON pointer: `/state/units/p-api/life/life`, `/events/0/text`.
    pub field: String,
    pub recorded: Option<Value>,
    pub now: Option<Value>,
}

/// When two texts are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Word by word, but for words that one of them has masked.
    Words,
    /// Figures may differ, too: they tell the time of day of another time zone.
    Shape,
}

pub fn differences(recorded: &Value, now: &Value, strictness: Strictness) -> Vec<Difference> {
    let mut found = Vec::new();
    collect(String::new(), Some(recorded), Some(now), strictness, &mut found);
    found
}

fn collect(
    field: String,
    recorded: Option<&Value>,
    now: Option<&Value>,
    strictness: Strictness,
    found: &mut Vec<Difference>,
) {
    if recorded == now {
        return;
    }
    match (recorded, now) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let more = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(more) {
                collect(below(&field, key), a.get(key), b.get(key), strictness, found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for at in 0..a.len().max(b.len()) {
                collect(below(&field, &at.to_string()), a.get(at), b.get(at), strictness, found);
            }
        }
        (Some(Value::String(a)), Some(Value::String(b))) if alike(a, b, strictness) => {}
        _ => found.push(Difference { field, recorded: recorded.cloned(), now: now.cloned() }),
    }
}

fn alike(a: &str, b: &str, strictness: Strictness) -> bool {
    // A text that a person wrote is masked in one of them.
    holds_masked(a, b) || holds_masked(b, a) || strictness == Strictness::Shape && without_time(a) == without_time(b)
}

/// Where they differ, `a` has what masking leaves of `b`.
fn holds_masked(a: &str, b: &str) -> bool {
    let hidden = masked(b);
    hidden.len() == a.len()
        && a.chars().zip(b.chars()).zip(hidden.chars()).all(|((a, b), hidden)| a == b || a == hidden)
}

fn without_time(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let mut text: String = text.chars().map(plain).collect();
    for day in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] {
        text = text.replace(day, "day");
    }
    // The sign of an offset.
    text.replace("-00:00", "+00:00")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_field_that_differs_is_named() {
        let a = json!({"events": [{"text": "a"}, 1], "state": {"x/y": 1, "gone": null}, "same": [1]});
        let b = json!({"events": [{"text": "b"}], "state": {"x/y": 2}, "same": [1], "new": true});
        let found: Vec<String> = differences(&a, &b, Strictness::Words)
            .into_iter()
            .map(|d| format!("{} {:?} {:?}", d.field, d.recorded.map(|v| v.to_string()), d.now.map(|v| v.to_string())))
            .collect();
        let some = |text: &str| format!("{:?}", Some(text.to_owned()));
        assert_eq!(
            found,
            [
                format!("/events/0/text {} {}", some("\"a\""), some("\"b\"")),
                format!("/events/1 {} None", some("1")),
                format!("/state/gone {} None", some("null")),
                format!("/state/x~1y {} {}", some("1"), some("2")),
                format!("/new None {}", some("true")),
            ]
        );
    }

    #[test]
    fn a_masked_text_is_the_same_text() {
        let (a, b) = ("sent `yes 1` to api", "sent `xxx x` to api");
        assert!(alike(a, b, Strictness::Words) && alike(b, a, Strictness::Words));
        assert!(!alike(a, "sent `not 1` to api", Strictness::Words));
        assert!(!alike("until Mon 15:00", "until Mon 16:00", Strictness::Words));
        assert!(!alike("0 times", "3 times", Strictness::Words));
        assert!(alike("2026-11-23T23:00:00-05:00", "2026-11-24T04:00:00+00:00", Strictness::Shape));
        assert!(alike("until Mon 23:00", "until Tue 01:30", Strictness::Shape));
        assert!(!alike("until Mon 23:00", "after Tue 01:30", Strictness::Shape));
    }
}
