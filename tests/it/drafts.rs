//! What stands in an input line when we want to type: a person's draft, and what was left of a text of ours.
use crate::fleet::{BASE, Fleet};
use serde_json::Value;

const ONE: &str = "[[agent]]\nname = \"a\"\n";
const DRAFT_RE: &str = "draft_re = '(?m)^> (.+)\\z'\n";

fn fleet(more: &str) -> Fleet {
    Fleet::with(&format!("{BASE}{DRAFT_RE}{ONE}{more}"))
}

fn send(f: &Fleet, words: &[&str]) -> (String, String) {
    let said = f.agents(&[&["send", "--json"], words].concat());
    let answer: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {said:?}"));
    let word = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
    (word("outcome"), word("reason"))
}

fn type_by_hand(f: &Fleet, text: &str) {
    f.tmux(&["send-keys", "-t", "=t-a:", "-l", "--", text]).ok();
    f.wait("it is drawn", |f| f.tmux(&["capture-pane", "-p", "-t", "=t-a:"]).out.contains(text));
}

#[test]
fn a_persons_draft_is_left_alone_and_the_text_waits() {
    let f = fleet("");
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    type_by_hand(&f, "I was just about to");
    let (outcome, _) = send(&f, &["a", "hello", "--timeout", "0s"]);
    assert_eq!(outcome, "queued");
    f.wait("status says it", |f| f.agents(&["status"]).out.contains("unsent text"));
    f.ticks(5);
    let (outcome, reason) = send(&f, &["a", "and this", "--timeout", "0s"]);
    assert_eq!((outcome.as_str(), reason.contains("unsent text")), ("queued", true), "{reason}");
    assert_eq!(f.lines("a"), [] as [String; 0]);
    f.tmux(&["send-keys", "-t", "=t-a:", "-l", "--", " say so"]).ok();
    f.tmux(&["send-keys", "-t", "=t-a:", "Enter"]).ok();
    f.wait("all three", |f| f.lines("a") == ["I was just about to say so", "hello", "and this"]);
    f.wait("status is clean", |f| !f.agents(&["status"]).out.contains("unsent text"));
}

#[test]
fn a_text_that_was_left_behind_is_taken_back_before_the_next() {
    for draft_re in [DRAFT_RE, ""] {
        let f = Fleet::with(&format!("{BASE}{draft_re}{ONE}"));
        f.script("a", "swallow 3\nidle");
        f.up();
        f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
        let (outcome, reason) = send(&f, &["a", "knock, knock"]);
        assert_eq!((outcome.as_str(), reason.contains("stands in the input line")), ("undelivered", true), "{reason}");
        assert_eq!(send(&f, &["a", "who is there"]).0, "delivered");
        f.wait("it is read", |f| f.lines("a") == ["who is there"]);
    }
}

#[test]
fn a_text_that_shows_too_late_is_sent_once_and_the_next_one_after_it() {
    let f = fleet("");
    f.script("a", "put > \nsleep\n");
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    // It reads nothing for a while: what is typed waits in the terminal, unseen.
    let (outcome, reason) = send(&f, &["a", "are you there", "--timeout", "10s"]);
    assert_eq!((outcome.as_str(), reason.contains("not proved yet")), ("unknown", true), "{reason}");
    f.tell("a", "clear\nidle");
    f.wait("it is read after all", |f| f.lines("a") == ["are you there"]);
    f.wait("and proved", |f| f.events().iter().any(|e| e["kind"] == "delivered"));
    assert_eq!(send(&f, &["a", "good"]).0, "delivered");
    f.wait("in order", |f| f.lines("a") == ["are you there", "good"]);
    let bytes = std::fs::read(f.fake("a", "bytes")).expect("bytes");
    assert_eq!(bytes, b"are you there\ngood\n");
}
