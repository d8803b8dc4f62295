//! Dialogs that a rule answers, and all the ways in which none is answered.
use super::{menu::Menu, world::*};
use crate::model::{
    event::EventKind,
    request::Verb,
    state::{Seen, Wish},
};
use std::time::Duration;

fn trust(cursor: usize, answer: Option<usize>) -> Menu {
    let choices = ["Yes", "Yes, always", "Ask", "No"].map(String::from).to_vec();
    Menu { name: "trust".into(), choices, cursor, answer, ..Menu::default() }
}

fn with(menu: Menu) -> World {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").menu = Some(menu);
    w
}

fn keys(w: &mut World) -> String {
    w.program("p-a").keys.join(" ")
}

fn told(w: &World) -> Vec<String> {
    w.events.iter().filter(|e| e.kind == EventKind::Waiting).map(|e| e.text.clone()).collect()
}

#[test]
fn without_a_rule_no_key_is_pressed_and_a_person_is_told_at_once() {
    let mut w = with(trust(1, None));
    w.run(secs(600));
    assert_eq!(keys(&mut w), "");
    assert_eq!((told(&w).len(), w.count(EventKind::Answered)), (1, 0));
    assert!(w.events.iter().any(|e| e.kind == EventKind::Waiting && e.alert));
}

#[test]
fn a_rule_moves_the_cursor_row_by_row_and_confirms_once() {
    for (cursor, choice, wanted) in
        [(0, 3, "Down Down Down Enter"), (3, 1, "Up Up Enter"), (2, 2, "Enter"), (3, 0, "Up Up Up Enter")]
    {
        let mut w = with(trust(cursor, Some(choice)));
        w.run(secs(60));
        assert_eq!(keys(&mut w), wanted);
        assert_eq!((told(&w).len(), w.count(EventKind::Answered)), (0, 1), "{wanted}");
        let answered = w.events.iter().find(|e| e.kind == EventKind::Answered).unwrap();
        assert_eq!(answered.data["rule"], "dialogs.trust");
        assert_eq!(answered.data["keys"], wanted.split(' ').count());
        assert_eq!(w.count(EventKind::WaitingOver), 0, "nobody was waited for");
        assert!(w.state.units["p-a"].answering.is_none());
    }
}

#[test]
fn choices_side_by_side_take_the_other_arrows() {
    for (cursor, choice, wanted) in [(0, 2, "Right Right Enter"), (3, 2, "Left Enter")] {
        let mut w = with(Menu { across: true, ..trust(cursor, Some(choice)) });
        w.run(secs(60));
        assert_eq!((keys(&mut w).as_str(), w.count(EventKind::Answered)), (wanted, 1));
    }
}

/// Keys lie at least the time of two looks apart.
#[test]
fn before_each_key_the_dialog_was_seen_twice() {
    let mut w = with(trust(0, Some(1)));
    let mut last = (w.now.boot, 0);
    for _ in 0..20_000 {
        w.run(Duration::from_millis(5));
        let n = w.program("p-a").keys.len();
        if n > last.1 {
            assert!(n == 1 || w.now.boot.since(last.0) >= Duration::from_millis(150));
            last = (w.now.boot, n);
        }
    }
    assert_eq!(last.1, 2);
}

#[test]
fn a_slow_program_is_waited_for_and_gets_no_second_key() {
    let mut w = with(Menu { slow: Duration::from_millis(1500), ..trust(0, Some(2)) });
    w.run(secs(60));
    assert_eq!(keys(&mut w), "Down Down Enter");
    let mut w = with(Menu { slow: secs(20), ..trust(0, Some(2)) });
    w.run(secs(120));
    assert_eq!(keys(&mut w), "Down", "and no more, when it moves at last");
    assert!(told(&w)[0].contains("dialogs.trust: the cursor did not move"), "{:?}", told(&w));
}

#[test]
fn a_cursor_that_goes_elsewhere_is_a_persons_matter() {
    let mut w = with(Menu { step: 2, ..trust(0, Some(1)) });
    w.run(secs(60));
    assert_eq!(keys(&mut w), "Down");
    assert!(told(&w)[0].contains("moved elsewhere"), "{:?}", told(&w));
    // Somebody is at it.
    let mut w = with(trust(0, Some(3)));
    while w.program("p-a").keys.is_empty() {
        w.run(Duration::from_millis(50));
    }
    w.run(Duration::from_millis(250));
    w.program("p-a").menu.as_mut().unwrap().cursor = 0;
    w.run(secs(60));
    assert!(keys(&mut w).len() <= "Down Down".len(), "{}", keys(&mut w));
    assert_eq!(told(&w).len(), 1);
}

#[test]
fn a_dialog_that_stays_is_told_and_not_answered_again() {
    let mut w = with(Menu { deaf: 1, ..trust(2, Some(2)) });
    w.run(secs(600));
    assert_eq!(keys(&mut w), "Enter");
    assert!(told(&w)[0].contains("it stands there still after its answer"), "{:?}", told(&w));
    assert_eq!(w.count(EventKind::Answered), 0);
}

/// On a busy machine a CLI needed half a minute for the key: its answer was never told.
#[test]
fn a_dialog_that_goes_late_was_answered_all_the_same() {
    let mut w = with(Menu { deaf: 1, ..trust(2, Some(2)) });
    w.run(secs(120));
    assert_eq!((told(&w).len(), w.count(EventKind::Answered)), (1, 0));
    w.program("p-a").menu = None;
    w.run(secs(120));
    assert_eq!((keys(&mut w).as_str(), w.count(EventKind::Answered)), ("Enter", 1));
    assert_eq!(w.count(EventKind::WaitingOver), 1);
}

#[test]
fn a_dialog_that_vanishes_gets_no_key() {
    let mut w = with(trust(0, Some(3)));
    while w.program("p-a").keys.is_empty() {
        w.run(Duration::from_millis(20));
    }
    w.program("p-a").menu = None;
    w.run(secs(60));
    assert_eq!(keys(&mut w), "Down");
    assert!(w.said("nothing was confirmed") && w.count(EventKind::Answered) == 0);
}

/// A dialog that comes back, and comes back, is answered a few times and then told.
#[test]
fn a_dialog_that_returns_has_a_budget_of_answers() {
    let other = || Menu { name: "other".into(), ..trust(0, Some(0)) };
    let mut w = with(trust(0, Some(0)));
    for _ in 0..30 {
        w.run(secs(31));
        if w.program("p-a").menu.is_none() {
            w.program("p-a").menu = Some(trust(0, Some(0)));
        }
        w.now = w.now.plus(Duration::from_millis(1));
    }
    let times = w.program("p-a").keys.len();
    assert!((5..=10).contains(&times), "{times}: 5 in 10 minutes");
    assert!(told(&w)[0].contains("it answered 5 times within 10 min"), "{:?}", told(&w));
    // Another rule has a budget of its own.
    w.program("p-a").menu = Some(other());
    w.run(secs(60));
    assert!(w.program("p-a").menu.is_none());
}

#[test]
fn one_after_the_other() {
    let second = Menu { name: "second".into(), ..trust(1, Some(0)) };
    let mut w = with(Menu { next: Some(Box::new(second)), ..trust(0, Some(0)) });
    w.run(secs(60));
    assert_eq!(keys(&mut w), "Enter Up Enter");
    assert_eq!(w.count(EventKind::Answered), 2);
}

#[test]
fn the_menu_of_a_limit_is_answered_and_the_hold_stays() {
    let mut w = with(Menu { limit: true, ..trust(1, Some(0)) });
    w.program("p-a").reading.limit = evidence("limit");
    w.run(secs(60));
    assert_eq!(keys(&mut w), "Up Enter");
    assert!(w.state.units["p-a"].hold.is_some());
    assert_eq!(w.state.units["p-a"].sight.state, Seen::Limited);
    assert!(told(&w).is_empty());
}

#[test]
fn no_key_into_a_pane_that_is_shut_paused_unsaved_or_typed_into() {
    for what in ["mode", "input", "store", "pause", "typing"] {
        let mut w = World::new(vec![agent("a")]);
        w.run(secs(1));
        if what == "typing" {
            // It shows nothing of what is typed: the delivery stays on its way for a while.
            w.program("p-a").blind = true;
            super::typing::send(&mut w, "hello");
            while w.typed("p-a") == 0 {
                w.run(Duration::from_millis(20));
            }
        }
        w.program("p-a").menu = Some(trust(0, Some(1)));
        match what {
            "mode" => w.obs.panes.get_mut("p-a").unwrap().in_mode = true,
            "input" => w.obs.panes.get_mut("p-a").unwrap().input_off = true,
            "store" => w.obs.store_failing = true,
            "pause" => w.ask(Verb::Pause { names: vec!["a".into()] }),
            _ => {}
        }
        w.run(secs(if what == "typing" { 5 } else { 45 }));
        assert_eq!(keys(&mut w), "", "{what}");
        match what {
            "mode" => w.obs.panes.get_mut("p-a").unwrap().in_mode = false,
            "input" => w.obs.panes.get_mut("p-a").unwrap().input_off = false,
            "store" => w.obs.store_failing = false,
            "pause" => {
                assert_eq!(w.state.units["p-a"].wish, Wish::Pause);
                w.ask(Verb::Resume { names: vec!["a".into()] });
            }
            _ => {}
        }
        w.run(secs(60));
        assert_eq!(keys(&mut w), "Down Enter", "{what}");
        assert!(told(&w).is_empty(), "{what}");
    }
}

#[test]
fn what_cannot_be_answered_for_a_minute_is_told_and_answered_later_all_the_same() {
    let mut w = with(trust(0, Some(1)));
    w.obs.panes.get_mut("p-a").unwrap().in_mode = true;
    w.run(secs(150));
    assert_eq!((keys(&mut w).as_str(), told(&w).len()), ("", 1));
    w.obs.panes.get_mut("p-a").unwrap().in_mode = false;
    w.run(secs(60));
    assert_eq!((keys(&mut w).as_str(), told(&w).len()), ("Down Enter", 1));
    let mut w = with(Menu { restless: true, ..trust(0, Some(1)) });
    w.run(secs(150));
    assert_eq!((keys(&mut w).as_str(), told(&w).len()), ("", 1), "no two looks are equal");
}

#[test]
fn a_key_that_was_refused_was_not_pressed() {
    let mut w = with(Menu { refuses: true, ..trust(0, Some(1)) });
    w.run(secs(60));
    assert_eq!(keys(&mut w), "Down Down Enter", "the first one did not arrive");
    assert_eq!(w.count(EventKind::Answered), 1);
}

/// The supervisor is killed between saving and pressing, and after pressing: in neither case is a key pressed twice.
#[test]
fn g19_killed_at_a_dialog_it_presses_nothing_twice() {
    for lost in [true, false] {
        for at in 0..3 {
            let mut w = with(trust(0, Some(2)));
            while w.program("p-a").keys.len() <= at {
                w.run(Duration::from_millis(20));
            }
            if lost {
                // As if it had died before the key was sent; what it had saved is all that is known.
                let menu = w.program("p-a").menu.get_or_insert_with(|| trust(2, Some(2)));
                menu.forget_keys();
            }
            let state = serde_json::to_string(&w.state).unwrap();
            w.state = serde_json::from_str(&state).unwrap();
            w.run(secs(120));
            let pressed = keys(&mut w);
            match lost {
                true => assert_eq!(pressed, ["Down", "Down Down", "Down Down Enter"][at]),
                false => assert_eq!(pressed, "Down Down Enter"),
            }
            assert_eq!(told(&w).len(), usize::from(lost), "{pressed}");
        }
    }
}

#[test]
fn a_text_waits_until_the_dialog_is_answered() {
    let mut w = with(trust(0, Some(1)));
    super::typing::send(&mut w, "hello");
    w.run(secs(60));
    let p = w.program("p-a");
    assert_eq!((p.keys.join(" ").as_str(), p.submitted.iter().filter(|t| *t == "hello").count()), ("Down Enter", 1));
}
