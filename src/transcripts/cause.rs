//! An error that ended a turn -> its class. The program's own words for it come first, then the status, then the text.
//!
//! | what is there | class |
//! |---|---|
//! | "not your usage limit", "temporarily limiting" | `overload`, whatever else it says |
//! | `rate_limit` and no status but 429, with words of a limit or both of them; `usage_limit…` | `limit` |
//! | "prompt is too long" and its like | `context` |
//! | 400 about the conversation itself (`tool_use` ids, thinking blocks) | `transcript` |
//! | 401, 403, "authentication", "/login" | `auth` |
//! | 404, "model … not …", "unavailable", "safeguards" | `model` |
//! | 408, 429 alone, 5xx, "overloaded" | `overload` |
//! | "disconnected", "connection", "timed out", "network" | `network` |
use crate::{
    backends::reset_time,
    model::{
        seen::ErrorClass,
        time::{Now, Wall, utc_offset_at},
        transcript::{Cause, TurnError},
        zones::Zones,
    },
};

/// What a row says about an error.
pub struct Facts<'a> {
    /// The program's own word for it: `rate_limit`, `usage_limit_exceeded`, …; empty = none.
    pub word: &'a str,
    /// HTTP status.
    pub status: Option<u64>,
    pub text: &'a str,
    /// Where the service's own words stand, if beside the text; not shown.
    pub details: &'a str,
}

/// `at`: when it was written; "resets 3pm" is meant from there.
pub fn read(facts: &Facts, at: Option<Wall>, zones: Zones) -> TurnError {
    let class = class(facts);
    let now = at.map(|wall| {
        let utc_offset_s = zones.utc_offset_at(wall.0).unwrap_or_else(|| utc_offset_at(wall));
        Now { wall, utc_offset_s, zones, ..Now::default() }
    });
    let reset = (class == Cause::Limit).then(|| reset_time::parse(facts.text, now?)).flatten();
    TurnError { class, text: facts.text.to_owned(), reset }
}

fn class(facts: &Facts) -> Cause {
    let text = format!("{} {}", facts.text, facts.details).to_lowercase().replace('’', "'");
    let word = facts.word.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| text.contains(w));
    let named = |words: &[&str]| words.iter().any(|w| word.contains(w));
    let status = facts.status.unwrap_or(0);
    let error = Cause::Error;
    if says(&["not your usage limit", "temporarily limiting"]) {
        return error(ErrorClass::Overload);
    }
    let limit_words =
        ["hit your", "usage limit", "limit reached", "session limit", "weekly limit", "out of extra usage"];
    let plan = named(&["rate_limit"]) && (status == 429 || (status == 0 && says(&limit_words)));
    if named(&["usage_limit", "quota_exceeded"]) || plan {
        return Cause::Limit;
    }
    if named(&["context_window"])
        || says(&[
            "prompt is too long",
            "conversation too long",
            "exceed context limit",
            "context limit reached",
            "context window",
            "context length",
        ])
    {
        return error(ErrorClass::Context);
    }
    if named(&["authentication", "unauthorized", "oauth"])
        || matches!(status, 401 | 403)
        || says(&[
            "/login",
            "invalid api key",
            "401 unauthorized",
            "403 forbidden",
            "authentication_error",
            "token has expired",
        ])
    {
        return error(ErrorClass::Auth);
    }
    let of_conversation =
        ["`tool_use` ids", "tool_use_id", "tool_result` block", "thinking blocks", "`thinking`", "redacted_thinking"];
    if says(&of_conversation) {
        return error(ErrorClass::Transcript);
    }
    if named(&["model_not_found"])
        || status == 404
        || says(&["currently unavailable", "safeguards", "issue with the selected model", "model is not supported"])
    {
        return error(ErrorClass::Model);
    }
    if named(&["overloaded", "server_error", "internal_server", "rate_limit"])
        || matches!(status, 408 | 429 | 500..=599)
        || says(&["overloaded", "529 ", "503 service", "502 bad gateway", "at capacity"])
    {
        return error(ErrorClass::Overload);
    }
    if named(&["stream_disconnected", "connection_failed"])
        || says(&[
            "disconnected",
            "connection error",
            "connection reset",
            "connection closed",
            "unable to connect",
            "timed out",
            "network error",
            "socket",
            "econn",
            "enotfound",
            "fetch failed",
        ])
    {
        return error(ErrorClass::Network);
    }
    error(ErrorClass::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(word: &str, status: u64, text: &str) -> &'static str {
        class(&Facts { word, status: (status > 0).then_some(status), text, details: "" }).as_str()
    }

    #[test]
    fn what_the_programs_write() {
        assert_eq!(of("rate_limit", 429, "You've hit your limit · resets 7:12pm (UTC)"), "limit");
        assert_eq!(of("rate_limit", 0, "You've hit your limit · resets 7:19pm (UTC)"), "limit", "2.0 has no status");
        assert_eq!(of("usage_limit_exceeded", 0, "You’ve hit your usage limit. … try again at 7:12 PM."), "limit");
        assert_eq!(of("server_error", 529, "API Error: 529 Overloaded."), "overload");
        assert_eq!(of("authentication_failed", 401, "Not logged in · Please run /login"), "auth");
        assert_eq!(of("http_connection_failed", 401, "unexpected status 401 Unauthorized: invalid x-api-key"), "auth");
        assert_eq!(of("other", 0, "stream disconnected before completion: Transport error: network error"), "network");
        assert_eq!(of("invalid_request", 400, "Prompt is too long"), "context");
        assert_eq!(of("other", 0, "{\"error\":{\"message\":\"prompt is too long: 205000 tokens\"}}"), "context");
        assert_eq!(of("unknown", 400, "API Error: 400 messages.1: `tool_use` ids were found without"), "transcript");
        assert_eq!(of("", 0, "something else"), "other");
    }

    #[test]
    fn a_busy_service_is_no_limit() {
        let busy = "API Error: Server is temporarily limiting requests (not your usage limit) · Rate limited";
        assert_eq!(of("rate_limit", 429, busy), "overload");
        assert_eq!(of("", 429, "Too many requests"), "overload", "429 alone");
        assert_eq!(of("rate_limit", 0, "Rate limited"), "overload", "the word alone");
        assert_eq!(of("rate_limit", 529, "Overloaded"), "overload");
    }

    #[test]
    fn a_reset_is_meant_from_when_it_was_written() {
        let at = Wall::parse_rfc3339("2026-11-21T16:12:20Z");
        let facts = Facts {
            word: "rate_limit",
            status: Some(429),
            text: "You've hit your limit · resets 7:12pm (UTC)",
            details: "",
        };
        let error = read(&facts, at, Zones::default());
        assert_eq!(error.reset, Wall::parse_rfc3339("2026-11-21T19:12:00Z"));
        assert_eq!(read(&facts, None, Zones::default()).reset, None, "nobody knows which day");
    }
}
