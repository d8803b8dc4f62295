//! What the "model" can do, and the refusals that all protocols share.
use super::{Turn, http::Connection, log::Protocol};
use serde_json::json;
use std::{io, time::Duration};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A short answer, then the end of the turn.
    Say,
    /// One word a second until the mode changes.
    Slow,
    /// Takes the request and never answers.
    Hang,
    /// Asks to run the tool command; answers shortly once it has the result.
    Tool,
    /// 429 with the service's own words for a used-up plan.
    Limit,
    /// 529 or 503.
    Overload,
    /// 401.
    Auth,
    /// 400 about the conversation.
    Bad,
    /// 400: the prompt is too long.
    Long,
    /// Cuts the connection in the middle of the answer.
    Drop,
    /// 400 for a conversation that has an answer already: only a fresh session helps.
    Poison,
}

impl Mode {
    pub const ALL: [(&'static str, Mode); 11] = [
        ("say", Mode::Say),
        ("slow", Mode::Slow),
        ("hang", Mode::Hang),
        ("tool", Mode::Tool),
        ("limit", Mode::Limit),
        ("overload", Mode::Overload),
        ("auth", Mode::Auth),
        ("bad", Mode::Bad),
        ("long", Mode::Long),
        ("drop", Mode::Drop),
        ("poison", Mode::Poison),
    ];

    pub fn from_word(word: &str) -> Option<Mode> {
        Mode::ALL.iter().find(|(name, _)| *name == word).map(|(_, mode)| *mode)
    }
}

impl Turn<'_> {
    /// Answers the request if the mode is a refusal. `Ok(true)`: answered, nothing more to send.
    pub(super) fn refuse(&self, to: &mut Connection) -> io::Result<bool> {
        let (status, kind, text) = match self.mode() {
            Mode::Hang => {
                while !to.is_closed() && self.hangs() {
                    self.wait_while(Mode::Hang, Duration::from_millis(500));
                }
                return Err(to.cut());
            }
            Mode::Limit => return self.limit(to).map(|()| true),
            Mode::Overload => {
                (if self.asked.protocol == Protocol::Anthropic { 529 } else { 503 }, "overloaded_error", "Overloaded")
            }
            Mode::Auth => (401, "authentication_error", "invalid x-api-key"),
            Mode::Long => (400, "invalid_request_error", "prompt is too long: 205000 tokens > 200000 maximum"),
            Mode::Bad | Mode::Poison => {
                (400, "invalid_request_error", "messages.1: `tool_use` ids were found without `tool_result` blocks")
            }
            Mode::Say | Mode::Slow | Mode::Tool | Mode::Drop => return Ok(false),
        };
        let body = match self.asked.protocol {
            Protocol::Gemini => {
                let word = match status {
                    400 => "INVALID_ARGUMENT",
                    401 => "UNAUTHENTICATED",
                    _ => "UNAVAILABLE",
                };
                json!({"error": {"code": status, "status": word, "message": text}})
            }
            _ => json!({"type": "error", "error": {"type": kind, "message": text}}),
        };
        to.json(status, &[], &body).map(|()| true)
    }

    fn limit(&self, to: &mut Connection) -> io::Result<()> {
        let wait = self.behaviour.reset_in;
        let reset = self.asked.at.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs()) + wait;
        match self.asked.protocol {
            Protocol::Anthropic => to.json(
                429,
                &[
                    ("anthropic-ratelimit-unified-status", "rejected".into()),
                    ("anthropic-ratelimit-unified-reset", reset.to_string()),
                    ("anthropic-ratelimit-unified-representative-claim", "five_hour".into()),
                    ("anthropic-ratelimit-unified-5h-status", "rejected".into()),
                    ("anthropic-ratelimit-unified-5h-reset", reset.to_string()),
                    ("anthropic-ratelimit-unified-overage-status", "rejected".into()),
                    ("retry-after", wait.to_string()),
                    ("x-should-retry", "false".into()),
                ],
                &json!({"type": "error", "error": {"type": "rate_limit_error",
                    "message": "This request would exceed your account's rate limit. Please try again later."}}),
            ),
            Protocol::Responses | Protocol::Chat => to.json(
                429,
                &self.behaviour.reset_at.map(|_| ("retry-after", wait.to_string())).into_iter().collect::<Vec<_>>(),
                &json!({"error": {"type": "usage_limit_reached", "message": "The usage limit has been reached",
                    "plan_type": "pro", "resets_at": reset, "resets_in_seconds": wait}}),
            ),
            Protocol::Gemini => {
                let quota = match self.behaviour.reset_at {
                    // Of an API key, a day; it names no moment, whatever the retry says.
                    None => json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{
                        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                        "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "250"}]}),
                    // Of a plan.
                    Some(_) => json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "QUOTA_EXHAUSTED",
                        "domain": "cloudcode-pa.googleapis.com", "metadata": {"model": "gemini-2.5-flash"}}),
                };
                to.json(
                    429,
                    &[],
                    &json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED",
                        "message": "You exceeded your current quota, please check your plan and billing details.",
                        "details": [
                            quota,
                            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{wait}s")}]}}),
                )
            }
        }
    }
}
