//! A program with a menu on a real fleet, and a rule that answers it: which keys arrive.
use crate::{
    fleet::{BASE, Fleet},
    sandbox::{Sandbox, wait_until},
};
use agents::world::tmux::TmuxError;

const RULE: &str = "[[backend.fake.dialog]]\nname = \"colour\"\nre = 'Which colour\\?'\nchoice = \"Blue\"\n";

/// A fleet whose agent asks for a colour.
fn asking(rule: &str, environment: &str) -> Fleet {
    let f = Fleet::with(&format!("{BASE}waiting_re = 'Enter to confirm'\n{rule}[[agent]]\nname = \"a\"\n"));
    let menu = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake_menu.sh");
    f.script("a", &format!("exec {environment} sh '{menu}' 'Which colour?' Red Green Blue Yellow"));
    f.up();
    f
}

fn keys(f: &Fleet) -> String {
    let text = std::fs::read_to_string(f.fake("a", "keys")).unwrap_or_default();
    text.lines().collect::<Vec<_>>().join(" ")
}

fn told(f: &Fleet, kind: &str) -> Vec<String> {
    let events = f.events();
    let mine = events.iter().filter(|e| e["kind"] == kind && e["agent"] == "a");
    mine.filter_map(|e| e["text"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_dialog_is_answered_by_its_rule_row_by_row() {
    for (environment, wanted) in [("", "Down Down Enter"), ("MENU_CURSOR=4", "Up Enter"), ("MENU_CURSOR=3", "Enter")] {
        let f = asking(RULE, environment);
        f.wait("it is answered", |f| !told(f, "answered").is_empty());
        assert_eq!(keys(&f), wanted, "{environment}");
        assert!(f.output("a").contains("chosen: Blue"));
        f.ticks(4);
        assert_eq!((keys(&f).as_str(), told(&f, "waiting").len()), (wanted, 0));
        assert_eq!(told(&f, "answered").len(), 1);
        assert!(told(&f, "answered")[0].contains("a asked: Which colour? — answered `Blue` by dialog `colour`"));
        let report = f.agents(&["report"]).ok().out;
        assert!(report.contains("answered by rules") && report.contains("Which colour? → Blue"), "{report}");
    }
}

#[test]
fn without_a_rule_for_it_a_dialog_gets_no_key() {
    for rule in ["", &RULE.replace("colour", "size"), &RULE.replace("Blue", "Bl"), &RULE.replace("Which ", "")] {
        let f = asking(rule, "");
        f.wait("it is told", |f| told(f, "waiting").len() == 1);
        f.ticks(5);
        assert_eq!((keys(&f).as_str(), f.state("a").as_str()), ("", "waiting"), "{rule}");
        // A person answers.
        f.tmux(&["send-keys", "-t", "=t-a:", "Enter"]).ok();
        f.wait("it goes on", |f| f.output("a").contains("chosen: Red") && f.state("a") != "waiting");
        assert_eq!(keys(&f), "Enter");
    }
}

#[test]
fn a_menu_that_does_not_do_as_it_should_is_left_to_a_person() {
    for (environment, wanted, why) in [
        ("MENU_STEP=2", "Down", "the cursor moved elsewhere"),
        ("MENU_CURSOR=4 MENU_STEP=3", "Up", "the cursor moved elsewhere"),
        ("MENU_SLOW=8", "Down", "the cursor did not move"),
        ("MENU_CURSOR=3 MENU_DEAF=1", "Enter", "it stands there still after its answer"),
    ] {
        let f = asking(RULE, environment);
        f.wait("it is told", |f| told(f, "waiting").len() == 1);
        assert!(told(&f, "waiting")[0].contains(why), "{environment}: {:?}", told(&f, "waiting"));
        let explained = f.agents(&["explain", "a"]).ok().out;
        assert!(explained.contains("❯") && explained.contains(why), "{explained}");
        f.ticks(4);
        assert_eq!((keys(&f).as_str(), told(&f, "answered").len()), (wanted, 0), "{environment}");
    }
}

#[test]
fn a_slow_menu_and_one_that_vanishes() {
    let f = asking(RULE, "MENU_SLOW=1");
    f.wait("it is answered", |f| !told(f, "answered").is_empty());
    assert_eq!(keys(&f), "Down Down Enter");
    let f = asking(RULE, "MENU_VANISHES=1");
    f.wait("it is told", |f| f.said("nothing was confirmed") == 1);
    f.ticks(3);
    assert_eq!(keys(&f), "Down");
}

#[test]
fn a_menu_that_returns_for_ever_is_answered_a_few_times() {
    let f = asking(RULE, "MENU_CURSOR=3 MENU_RETURNS=9");
    f.config(&f.filled(&format!(
        "{}waiting_re = 'Enter to confirm'\n{RULE}[[agent]]\nname = \"a\"\n",
        BASE.replace("[watchdog]", "[watchdog]\ndialog_burst = 3\n")
    )));
    f.wait("a person is told", |f| told(f, "waiting").iter().any(|t| t.contains("it answered 3 times within 10 min")));
    f.ticks(4);
    assert_eq!(keys(&f), "Enter Enter Enter");
}

#[test]
fn no_key_while_somebody_scrolls_or_has_paused_it() {
    let f = asking("", "");
    f.wait("it asks", |f| f.state("a") == "waiting");
    f.tmux(&["copy-mode", "-t", "=t-a:"]).ok();
    f.config(&f.filled(&format!("{BASE}waiting_re = 'Enter to confirm'\n{RULE}[[agent]]\nname = \"a\"\n")));
    f.wait("the rule is known", |f| f.agents(&["explain", "a"]).out.contains("dialog `colour`"));
    f.ticks(5);
    assert_eq!(keys(&f), "");
    f.agents(&["pause", "a"]).ok();
    f.tmux(&["send-keys", "-t", "=t-a:", "-X", "cancel"]).ok();
    f.ticks(5);
    assert_eq!(keys(&f), "");
    f.agents(&["resume", "a"]).ok();
    f.wait("it is answered", |f| keys(f) == "Down Down Enter");
}

#[test]
fn a_question_without_a_list_is_answered_by_a_key() {
    let rules = "[[backend.fake.dialog]]\nname = \"go\"\nre = 'Go on\\? \\[y/n\\]'\nkey = \"y\"\n\
                 [[backend.fake.dialog]]\nname = \"sent\"\nre = 'Go on\\? \\[y/n\\] y'\nkey = \"Enter\"\n";
    let f = Fleet::with(&format!("{BASE}{rules}[[agent]]\nname = \"a\"\n"));
    f.script("a", "say Go on? [y/n] is asked below\ndialog Go on?\nidle");
    f.up();
    f.wait("it is answered", |f| f.lines("a") == ["y"]);
    f.ticks(4);
    assert_eq!(f.lines("a"), ["y"]);
}

/// tmux itself looks whether the row still stands there, in the step in which it sends the key.
#[test]
fn a_key_is_pressed_only_while_its_row_stands_where_it_stood() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let line = "printf 'Ok?\\n\\n \\342\\235\\257 1. Yes, #(touch x) {a,b} it'\"'\"'s $HOME\\n   2. No\\n'; exec cat";
    let made = client.new_session(&Sandbox::session("p-a", line)).expect("session");
    let text = |client: &mut agents::world::tmux::Client| {
        client.capture(&[&made.pane_id]).expect("capture").remove(&made.pane_id).map(|c| c.text).unwrap_or_default()
    };
    wait_until(5, "it asks", || text(&mut client).contains("2. No"));
    let yes = " ❯ 1. Yes, #(touch x) {a,b} it's $HOME";
    for (row, words) in [(1, yes), (3, yes), (2, " ❯ 1. No"), (2, " ❯ 1. Yes"), (3, "   2. No, never"), (3, " ❯ 2. No")]
    {
        let refused = client.press_at(&made.pane_id, "x", row, words);
        assert!(matches!(refused, Err(TmuxError::Refused(_))), "{row} {words}: {refused:?}");
    }
    client.press_at(&made.pane_id, "x", 2, yes).expect("the row stands there");
    client.press_at(&made.pane_id, "y", 3, "   2. No").expect("this one, too");
    wait_until(5, "both keys arrive", || text(&mut client).trim_end().ends_with("xy"));
    sandbox.tmux(&["copy-mode", "-t", "=p-a:"]);
    assert!(client.press_at(&made.pane_id, "z", 2, yes).is_err(), "copy mode");
}

const PERMISSION: &str = "preset = \"opencode\"\n[[backend.fake.dialog]]\nname = \"touch\"\n\
    re = '△ Permission required # Shell command \\$ touch \\w+'\nchoice = \"CHOICE\"\n";

/// OpenCode's choices stand side by side, and the marked one shows by its ground alone.
#[test]
fn choices_side_by_side_are_told_apart_by_their_colours() {
    for (cursor, choice, wanted) in
        [(1, "Allow once", "Enter"), (3, "allow once", "Left Left Enter"), (1, "Reject", "Right Right Enter")]
    {
        let rule = PERMISSION.replace("CHOICE", choice);
        let f = Fleet::with(&format!("{BASE}{rule}[[agent]]\nname = \"a\"\n"));
        let menu = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake_menu.sh");
        let choices = "'Allow once' 'Allow always' Reject";
        f.script("a", &format!("exec MENU_ACROSS=1 MENU_CURSOR={cursor} sh '{menu}' '$ touch made' {choices}"));
        f.up();
        f.wait("it is answered", |f| !told(f, "answered").is_empty());
        assert_eq!(keys(&f), wanted);
        let told = &told(&f, "answered")[0];
        assert!(
            told.to_lowercase()
                .contains(&format!("answered `{} by dialog `touch`", format!("{choice}`").to_lowercase())),
            "{told}"
        );
    }
}

/// The same words without a marked choice, and a rule for another command.
#[test]
fn without_a_marked_choice_or_a_rule_for_it_no_key_is_pressed() {
    for (across, question) in [("MENU_CURSOR=9", "$ touch made"), ("MENU_CURSOR=1", "$ touch made; rm -rf x")] {
        let rule = PERMISSION.replace("CHOICE", "Reject");
        let f = Fleet::with(&format!("{BASE}{rule}[[agent]]\nname = \"a\"\n"));
        let menu = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake_menu.sh");
        let choices = "'Allow once' 'Allow always' Reject";
        f.script("a", &format!("exec MENU_ACROSS=1 {across} sh '{menu}' '{question}' {choices}"));
        f.up();
        f.wait("it is told", |f| told(f, "waiting").len() == 1);
        f.ticks(4);
        assert_eq!((keys(&f).as_str(), told(&f, "answered").len()), ("", 0), "{across} {question}");
    }
}
