//! Events as log lines and as JSON.
use crate::model::{event::Event, name::printable, time::Wall};
use serde_json::{Value, json};

/// `[agents HH:MM:SS] text` in local time, always one line, safe for a terminal.
pub fn log_line(at: Wall, text: &str) -> String {
    format!("[agents {}] {}", at.format_local("%H:%M:%S"), printable(text))
}

/// One event as `agents events` shows it. The day is named where the log line alone would be ambiguous.
pub fn line(event: &Event, with_day: bool) -> String {
    let text = log_line(event.at, &event.text);
    if with_day { format!("{} {text}", event.at.format_local("%Y-%m-%d")) } else { text }
}

/// One object of `agents events --json`; `seq` is null until the event is stored.
pub fn json(event: &Event) -> Value {
    json!({
        "v": 1,
        "seq": (event.seq > 0).then_some(event.seq),
        "at": event.at.rfc3339(),
        "kind": event.kind,
        "agent": event.agent,
        "job": null,
        "task": null,
        "text": event.text,
        "data": event.data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::EventKind;

    #[test]
    fn a_newline_in_a_text_forges_no_line() {
        let line = log_line(Wall(0), "starting x\n[agents 00:00:00] \x1b]0;owned\x07");
        assert_eq!(line.lines().count(), 1);
        assert!(!line.contains('\x1b'), "{line}");
    }

    #[test]
    fn json_has_the_contract_fields() {
        let event = Event {
            seq: 7,
            at: Wall(0),
            kind: EventKind::GaveUp,
            agent: Some("a".into()),
            text: "a\nb".into(),
            data: Value::Null,
            alert: true,
        };
        let v = json(&event);
        assert_eq!(v["v"], 1);
        assert_eq!(v["kind"], "gave-up");
        assert_eq!(v["agent"], "a");
        assert_eq!(v["data"], Value::Null);
        assert!(Wall::parse_rfc3339(v["at"].as_str().unwrap_or_default()).is_some());
        assert_eq!(v.to_string().lines().count(), 1);
    }
}
