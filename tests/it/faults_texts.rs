//! Texts for agents: sent, queued, refused; wakes, pauses, restarts, and what runs at the end of a sequence.
use crate::fleet::{BASE, Fleet};
use serde_json::Value;
use std::time::{Duration, Instant};

const ONE: &str = "[[agent]]\nname = \"a\"\n";

fn for_seconds(f: &Fleet, seconds: f64) {
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    f.wait("time passes", |_| Instant::now() >= until);
}

/// Exit code, outcome and reason of a send.
#[track_caller]
fn send(f: &Fleet, words: &[&str]) -> (i32, String, String) {
    let said = f.agents(&[&["send", "--json"], words].concat());
    let answer: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {said:?}"));
    let word = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
    (said.code, word("outcome"), word("reason"))
}

#[test]
fn a_text_is_delivered_once_and_whole() {
    let f = Fleet::new(ONE);
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    let hard = "it's \"here\"; `touch x` $(touch x) #{pane_id} #(touch x) %s \\n grün — 漢字 -x ;";
    assert_eq!(send(&f, &["a", hard]), (0, "delivered".into(), String::new()));
    f.wait("it is read", |f| !f.lines("a").is_empty());
    assert_eq!(f.lines("a"), [hard]);
    // Several lines would be several messages: they go by file.
    let poem = "first\n\tsecond\nthird $(touch x)";
    f.write("poem.txt", poem);
    assert_eq!(send(&f, &["a", "--file", "poem.txt"]).1, "delivered");
    f.wait("it is read", |f| f.lines("a").len() == 2);
    let line = f.lines("a")[1].clone();
    let file = line.split('\'').nth(1).expect("a quoted file");
    assert_eq!(std::fs::read_to_string(file).expect("the message"), poem, "{line}");
    // A long line as well.
    f.write("long.txt", "long ".repeat(40_000));
    assert_eq!(send(&f, &["a", "--file", "long.txt"]).1, "delivered");
    f.wait("it is read", |f| f.lines("a").len() == 3);
    assert!(f.lines("a")[2].len() < 1000, "{:?}", f.lines("a")[2].len());
    assert!(!f.project.join("x").exists());
}

#[test]
fn a_text_for_a_busy_agent_waits_for_it() {
    let f = Fleet::new(ONE);
    f.script("a", "busy 1000\nidle");
    f.up();
    f.wait("it works", |f| f.alive("a") && f.state("a") == "working");
    let (code, outcome, reason) = send(&f, &["a", "when you can", "--timeout", "1s"]);
    assert_eq!((code, outcome.as_str()), (0, "queued"));
    assert!(reason.contains("working"), "{reason}");
    for_seconds(&f, 1.5);
    assert!(!f.fake("a", "bytes").exists(), "typed into a busy agent");
    f.tell("a", "clear\nidle");
    f.wait("it is read", |f| f.lines("a") == ["when you can"]);
}

#[test]
fn nothing_is_typed_into_a_dialog_or_a_limit() {
    let f = Fleet::with(&format!(
        "{}waiting_re = '\\[y/n\\]'\n{ONE}[[agent]]\nname = \"b\"\n",
        BASE.replace("stop_grace", "limit_probe_fallback = 600\nstop_grace")
    ));
    f.script("a", "dialog May I delete everything?\nclear\nidle");
    f.script("b", "say usage limit reached\nidle");
    f.write("wake.md", "wake up");
    f.up();
    f.wait("they are seen", |f| f.alive("a") && f.state("a") == "waiting" && f.state("b") == "limited");
    for name in ["a", "b"] {
        let (code, outcome, _) = send(&f, &[name, "hello", "--timeout", "0s"]);
        assert_eq!((code, outcome.as_str()), (0, "queued"), "{name}");
    }
    for_seconds(&f, 1.5);
    for name in ["a", "b"] {
        assert!(!f.fake(name, "bytes").exists(), "typed into {name}");
        f.tell(name, "clear\nidle");
    }
    f.wait("both are read", |f| f.lines("a") == ["hello"] && f.lines("b") == ["hello"]);
}

#[test]
fn a_text_that_cannot_arrive_is_said_to_be_undelivered() {
    let f = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"off\"\nenabled = false\n");
    f.script("a", "busy 1000\nidle");
    f.up();
    f.wait("it works", |f| f.alive("a") && f.state("a") == "working");
    let said = f.agents(&["send", "off", "hello"]);
    assert_eq!(said.code, 5, "{said:?}");
    assert!(said.err.contains("not running"), "{said:?}");
    assert_eq!(send(&f, &["a", "hello", "--timeout", "0s"]).1, "queued");
    f.agents(&["down", "a"]).ok();
    f.wait("it is said", |f| f.events().iter().any(|e| e["kind"] == "undelivered" && e["agent"] == "a"));
    f.script("a", "idle");
    f.agents(&["up", "a"]).ok();
    f.wait("it is back", |f| f.starts("a") == 2 && f.state("a") == "idle");
    f.ticks(3);
    assert_eq!(f.lines("a"), [] as [String; 0]);
}

#[test]
fn what_was_said_to_an_agent_that_is_restarted_goes_to_the_next_program() {
    let f = Fleet::new(ONE);
    f.script("a", "busy 1000\nidle");
    f.up();
    f.wait("it works", |f| f.alive("a") && f.state("a") == "working");
    assert_eq!(send(&f, &["a", "hello", "--timeout", "0s"]).1, "queued");
    f.script("a", "idle");
    f.kill("a");
    f.wait("it is read", |f| f.lines("a") == ["hello"]);
    f.ticks(3);
    assert_eq!((f.starts("a"), f.lines("a").len()), (2, 1));
    assert!(f.events().iter().all(|e| e["kind"] != "undelivered"), "{:?}", f.events());
}

#[test]
fn enters_that_are_swallowed_are_pressed_again_and_no_more() {
    let f = Fleet::new(ONE);
    f.script("a", "swallow 1\nidle");
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    assert_eq!(send(&f, &["a", "knock knock"]).1, "delivered");
    f.wait("it is read", |f| f.lines("a") == ["knock knock"]);
    for_seconds(&f, 2.0);
    let bytes = std::fs::read(f.fake("a", "bytes")).expect("bytes");
    assert_eq!(bytes, b"knock knock\n\n");
}

#[test]
fn a_paused_agent_is_left_alone() {
    let f = Fleet::new(&format!("{ONE}wake = {{ interval = 0.4, prompt_file = \"wake.md\" }}\n"));
    f.write("wake.md", "wake up");
    f.up();
    f.wait("it is woken", |f| !f.lines("a").is_empty());
    f.agents(&["pause", "a"]).ok();
    assert_eq!(f.state("a"), "paused");
    assert_eq!(f.agents(&["send", "a", "hello"]).code, 5);
    for_seconds(&f, 1.2);
    let count = f.lines("a").len();
    f.agents(&["restart", "watchdog"]).ok();
    f.kill("a");
    for_seconds(&f, 2.0);
    assert_eq!((f.starts("a"), f.lines("a").len()), (1, count), "{}", f.log());
    assert_eq!(f.state("a"), "paused");
    f.agents(&["resume", "a"]).ok();
    f.wait("it is healed and woken", |f| f.starts("a") == 2 && f.lines("a").len() > count);
}

#[test]
fn a_stopped_agent_stays_stopped_and_a_spent_one_is_revived() {
    let base = BASE.replace("stop_grace", "restart_burst = 1\nstop_grace");
    let f = Fleet::with(&format!("{base}{ONE}[[agent]]\nname = \"b\"\n"));
    f.script("b", "exit 3");
    f.up();
    f.wait("b gives up", |f| f.state("b") == "gave-up" && f.alive("a"));
    let count = f.starts("b");
    assert_eq!(f.row("b")["last_exit"]["code"], 3, "{}", f.row("b"));
    f.agents(&["down", "a"]).ok();
    f.agents(&["restart", "watchdog"]).ok();
    for_seconds(&f, 1.5);
    assert_eq!((f.state("a").as_str(), f.starts("a"), f.starts("b")), ("stopped", 1, count));
    f.script("b", "idle");
    f.agents(&["up", "b"]).ok();
    f.wait("b lives", |f| f.starts("b") == count + 1 && f.state("b") == "idle");
    f.up();
    f.wait("a lives", |f| f.starts("a") == 2 && f.alive("a"));
    f.agents(&["restart", "a", "b"]).ok();
    f.wait("both are new", |f| f.starts("a") == 3 && f.starts("b") == count + 2);
}

#[test]
fn the_trigger_file_launches_the_last_agent_once() {
    let f = Fleet::new(
        "[[agent]]\nname = \"l\"\nkind = \"loop\"\nrole = \"l\"\n[[agent]]\nname = \"report\"\nenabled = false\n\
         [loop]\nphases = [{ id = \"one\", status = \"S.md\" }]\n[loop.on_complete]\nrun = \"report\"\n",
    );
    f.write("prompts/l.md", "work");
    f.script("report", "sleep 0.3\nexit 0");
    f.up();
    f.wait("the loop runs", |f| f.starts("l") == 1 && f.alive("l"));
    f.write(".agents/.run-on-complete", "");
    f.write("S.md", "## DONE\n");
    f.wait("it is launched, and done", |f| f.starts("report") == 1 && f.state("report") == "done");
    assert!(!f.project.join(".agents/.run-on-complete").exists());
    assert_eq!(f.said("on_complete: launching task agent 'report'"), 1, "{}", f.log());
    f.agents(&["restart", "watchdog"]).ok();
    for_seconds(&f, 1.0);
    assert_eq!((f.starts("report"), f.starts("l")), (1, 1), "{}", f.log());
}
