//! What the real CLIs printed, and what was read of it. The streams stand under `tests/streams/`, one file a run.
use super::*;
use crate::model::{
    agent_said::ToolCall,
    job::{Job, JobId, JobSpec, Progress},
};

macro_rules! stream {
    ($name:literal) => {
        include_str!(concat!("../../../tests/streams/", $name, ".jsonl"))
    };
}

fn of(name: &str) -> Stream {
    name.split('-').next().and_then(Stream::named).expect("a CLI")
}

/// In pieces of so many bytes.
fn said(stream: Stream, text: &[u8], piece: usize) -> Vec<Said> {
    let (mut reader, mut out) = (Reader::of(stream), Vec::new());
    text.chunks(piece.max(1)).for_each(|part| reader.feed(part, &mut out));
    reader.end(&mut out);
    out
}

fn tally(stream: Stream, text: &str) -> Tally {
    let mut tally = Tally::default();
    add(&mut tally, stream, text, false);
    tally
}

fn add(tally: &mut Tally, stream: Stream, text: &str, resumed: bool) {
    tally.begin(stream, resumed);
    said(stream, text.as_bytes(), 4096).iter().for_each(|said| tally.hear(said));
}

/// Rounds, calls of the model, calls of tools; tokens in and out.
fn counts(tally: &Tally) -> ([u64; 3], [u64; 2]) {
    let Progress { rounds, model_calls, tool_calls, .. } = tally.progress;
    let usage = tally.usage().unwrap_or_default();
    let tokens = |key: &str| usage.get(key).and_then(Value::as_u64).unwrap_or(0);
    ([rounds, model_calls, tool_calls], [tokens("input_tokens"), tokens("output_tokens")])
}

const ALL: [(&str, &str); 18] = [
    ("claude-say", stream!("claude-say")),
    ("claude-tool", stream!("claude-tool")),
    ("claude-limit", stream!("claude-limit")),
    ("claude-retries", stream!("claude-retries")),
    ("claude-unknown-session", stream!("claude-unknown-session")),
    ("codex-say", stream!("codex-say")),
    ("codex-tool", stream!("codex-tool")),
    ("codex-limit", stream!("codex-limit")),
    ("codex-auth", stream!("codex-auth")),
    ("codex-resumed", stream!("codex-resumed")),
    ("opencode-say", stream!("opencode-say")),
    ("opencode-tool", stream!("opencode-tool")),
    ("opencode-refused", stream!("opencode-refused")),
    ("opencode-auth", stream!("opencode-auth")),
    ("gemini-say", stream!("gemini-say")),
    ("gemini-tool", stream!("gemini-tool")),
    ("gemini-limit", stream!("gemini-limit")),
    ("gemini-auth", stream!("gemini-auth")),
];

#[test]
fn every_stream_is_the_same_in_parts_of_any_size() {
    for (name, text) in ALL {
        let whole = said(of(name), text.as_bytes(), text.len());
        assert!(!whole.is_empty(), "{name}");
        for piece in [1, 7, 100] {
            assert_eq!(said(of(name), text.as_bytes(), piece), whole, "{name}: {piece}");
        }
    }
}

#[test]
fn every_run_names_its_conversation_and_how_it_ended() {
    for (name, text) in ALL {
        let tally = tally(of(name), text);
        // It ends before it has one.
        assert_eq!(tally.session.is_some(), name != "claude-unknown-session", "{name}: {tally:?}");
        let expected = match name {
            "claude-limit" => {
                "API Error: Request rejected (429) · This request would exceed your account's rate limit. Please try again later."
            }
            "claude-unknown-session" => "No conversation found with session ID: 00000000-0000-4000-8000-000000000000",
            "codex-limit" => {
                "You’ve hit your usage limit. Visit https://chatgpt.com/settings/usage to purchase more credits or try again at 8:40 AM."
            }
            "codex-auth" => {
                "unexpected status 401 Unauthorized: invalid x-api-key, url: http://127.0.0.1:1/v1/responses"
            }
            "opencode-auth" => "invalid x-api-key",
            "opencode-refused" => "The user rejected permission to use this specific tool call.",
            "gemini-limit" => {
                "[API Error: You have exhausted your daily quota on this model.] Please wait and try again later. To increase your limits, request a quota increase through AI Studio, or switch to another /auth method"
            }
            "gemini-auth" => {
                "[API Error: {\"error\":{\"code\":401,\"message\":\"invalid x-api-key\",\"status\":\"UNAUTHENTICATED\"}}]"
            }
            _ => "",
        };
        assert_eq!(tally.error().unwrap_or_default(), expected, "{name}");
    }
}

#[test]
fn what_was_done_is_counted() {
    for (name, rounds, tokens, event) in [
        ("claude-say", [1, 1, 0], [100, 20], None),
        ("claude-tool", [2, 2, 1], [200, 40], Some("Bash(command='echo changed >> a.txt')")),
        (
            "codex-say",
            [1, 1, 0],
            [100, 20],
            Some(
                "Model metadata for `stub` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.",
            ),
        ),
        (
            "codex-tool",
            [1, 2, 1],
            [200, 40],
            Some("command_execution(command='/bin/bash -lc 'echo changed >> a.txt'')"),
        ),
        ("opencode-say", [1, 1, 0], [100, 20], None),
        ("opencode-tool", [2, 2, 1], [200, 40], Some("bash(command='echo changed >> a.txt')")),
        ("gemini-say", [1, 1, 0], [100, 20], None),
        ("gemini-tool", [2, 2, 1], [200, 40], Some("run_shell_command(command='echo changed >> a.txt')")),
    ] {
        let text = ALL.iter().find(|(other, _)| *other == name).map(|(_, text)| *text).expect("a stream");
        let tally = tally(of(name), text);
        assert_eq!(counts(&tally), (rounds, tokens), "{name}");
        assert_eq!(tally.last_event.as_deref(), event, "{name}");
    }
}

#[test]
fn a_second_run_of_a_conversation_comes_on_top() {
    let mut claude = tally(Stream::Claude, stream!("claude-tool"));
    assert_eq!(claude.cost_usd, Some(0.002));
    add(&mut claude, Stream::Claude, stream!("claude-say"), true);
    assert_eq!((counts(&claude), claude.cost_usd), (([3, 3, 1], [300, 60]), Some(0.003)));
    // Its own count is that of the whole conversation.
    let mut codex = tally(Stream::Codex, stream!("codex-say"));
    add(&mut codex, Stream::Codex, stream!("codex-resumed"), true);
    assert_eq!(counts(&codex), ([2, 2, 0], [200, 40]));
    // And so it is after the runner was killed in between.
    let mut job = Job { usage: codex.usage(), ..Job::of(JobId(1), JobSpec::default()) };
    job.progress = codex.progress.clone();
    let mut taken = Tally::of(&job);
    add(&mut taken, Stream::Codex, stream!("codex-resumed"), true);
    assert_eq!(counts(&taken), ([3, 3, 0], [200, 40]));
    let mut fresh = tally(Stream::Codex, stream!("codex-say"));
    add(&mut fresh, Stream::Codex, stream!("codex-say"), false);
    assert_eq!(counts(&fresh), ([2, 2, 0], [200, 40]));
}

#[test]
fn tokens_of_a_run_that_was_cut_off_are_those_that_were_told() {
    let text = stream!("claude-tool");
    let cut = &text[..text.find("{\"type\":\"result\"").expect("a result")];
    let tally = tally(Stream::Claude, cut);
    assert_eq!(counts(&tally), ([2, 2, 1], [200, 2]));
}

#[test]
fn a_result_of_megabytes_and_lines_that_nobody_knows_do_no_harm() {
    // In the order in which the model's service writes it.
    let begin = r#"{"type":"assistant","message":{"id":"m1","role":"assistant","content":[{"type":"tool_use","id":"t1","name":"Write","input":{"file_path":"big.txt","content":"#;
    let big = format!("{begin}{}}}}}]}}}}", serde_json::json!("x\n".repeat(3_000_000)));
    let text = format!(
        "warning: not of the stream\n{{\"type\":\"new_kind\",\"a\":1}}\n{{broken\n[1]\n\n{big}\n{}",
        stream!("claude-say")
    );
    let tally = tally(Stream::Claude, &text);
    assert_eq!(tally.progress.tool_calls, 1);
    assert_eq!(tally.last_event.as_deref(), Some("Write(file='big.txt')"));
    assert_eq!(tally.error(), None);
}

#[test]
fn no_line_makes_a_reader_stumble() {
    let odd = ["null", "1", "\"x\"", "[]", "{}", "{\"a\":null}", "-1", "[[\"a\"]]", "true"];
    for (name, text) in ALL {
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).expect("a recorded line");
            for key in value.as_object().expect("an object").keys() {
                for other in odd {
                    let mut changed = value.clone();
                    changed[key] = serde_json::from_str(other).expect("a value");
                    let mut tally = Tally::default();
                    said(of(name), changed.to_string().as_bytes(), 4096).iter().for_each(|said| tally.hear(said));
                }
            }
        }
    }
}

#[test]
fn a_program_that_said_nothing_in_its_stream_is_told_by_its_last_words() {
    let words = |text: &str| tally(Stream::Gemini, text).last_words().map(str::to_owned);
    let text = "Ripgrep is not available.\nError resuming session: Invalid session identifier \"x\".\n  Searched in /home/me\n";
    assert_eq!(words(text).as_deref(), Some("Error resuming session: Invalid session identifier \"x\"."));
    assert_eq!(words("one\ntwo\n").as_deref(), Some("two"));
    assert_eq!(words(&format!("{}at stack\n", stream!("gemini-say"))), None);
}

#[test]
fn text_is_shown_and_not_read() {
    let out = said(Stream::Text, b"one\n{\"type\":\"system\"}\n", 3);
    assert_eq!(out, [Said::Plain("one".into()), Said::Plain("{\"type\":\"system\"}".into())]);
    assert_eq!(ToolCall::of("x", None).words(), "x()");
}
