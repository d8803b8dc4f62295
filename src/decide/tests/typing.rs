//! Texts into terminals: once, seen, and never into a pane that is not free.
use super::world::*;
use crate::model::{
    action::Action,
    event::EventKind,
    policy::{Agent, PromptDelivery, Wake, Watch},
    request::Verb,
    state::Life,
};
use std::{sync::Arc, time::Duration};

pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn ping_agent(name: &str) -> Agent {
    let mut a = agent(name);
    let mut b = backend();
    b.delivery = PromptDelivery::Ping;
    a.backend = Arc::new(b);
    a
}

/// Not restarted for being idle.
fn healed(name: &str) -> Agent {
    Agent { watch: Watch::Heal, ..agent(name) }
}

pub(super) fn send(w: &mut World, text: &str) {
    w.ask(Verb::Send { name: "a".into(), text: text.into() });
}

#[test]
fn a_ping_agent_gets_its_first_message_after_the_connect_delay() {
    let mut w = World::new(vec![ping_agent("a")]);
    w.program("p-a").reading.screen = 5;
    w.run(secs(11));
    assert_eq!(w.typed("p-a"), 0);
    w.run(secs(5));
    let p = w.program("p-a");
    assert_eq!((p.submitted.len(), p.presses), (1, 1));
    assert!(p.submitted[0].starts_with("Your full kickoff prompt is in "));
    assert!(w.actions.iter().any(|a| matches!(a, Action::Press { key, .. } if key == "C-m")));
}

#[test]
fn fault_04_slow_agents_do_not_hold_up_the_others() {
    let mut agents: Vec<_> = (0..5).map(|i| ping_agent(&format!("slow{i}"))).collect();
    agents.push(agent("quick"));
    let mut w = World::new(agents);
    w.run(secs(1));
    let before = w.now.boot;
    w.crash("p-quick");
    w.tick();
    assert!(w.launches.last().unwrap().0.since(before) < secs(1));
    w.run(secs(20));
    assert_eq!((0..5).map(|i| w.program(&format!("p-slow{i}")).submitted.len()).sum::<usize>(), 5);
}

#[test]
fn nothing_is_typed_into_a_busy_limited_or_asking_pane() {
    for rule in ["active", "waiting", "limit"] {
        let mut w = World::new(vec![agent("a")]);
        w.run(secs(1));
        let reading = &mut w.program("p-a").reading;
        match rule {
            "active" => reading.active = evidence("x"),
            "waiting" => reading.waiting = evidence("x"),
            _ => reading.limit = evidence("x"),
        }
        send(&mut w, "hello");
        w.run(secs(200));
        assert!(!w.program("p-a").submitted.contains(&"hello".to_string()), "{rule}");
        w.program("p-a").reading = Default::default();
        w.run(secs(40));
        assert_eq!(w.program("p-a").submitted.iter().filter(|t| *t == "hello").count(), 1, "{rule}");
    }
}

#[test]
fn what_was_said_before_or_during_a_restart_goes_to_the_next_program() {
    let mut w = World::new(vec![healed("a")]);
    w.run(secs(1));
    w.program("p-a").reading.active = evidence("x");
    send(&mut w, "while it was busy");
    w.run(secs(5));
    w.crash("p-a");
    w.run(secs(3));
    w.crash("p-a");
    w.run(ms(100));
    assert!(matches!(w.life("p-a"), Life::Backoff { .. }), "{:?}", w.life("p-a"));
    send(&mut w, "while it was away");
    w.run(ms(100));
    assert_eq!(w.typed("p-a"), 0);
    w.program("p-a").reading.active = None;
    w.run(secs(60));
    assert_eq!(w.program("p-a").submitted, ["while it was busy", "while it was away"]);
    assert_eq!((w.typed("p-a"), w.count(EventKind::Undelivered)), (2, 0));
}

#[test]
fn a_first_message_comes_before_what_waited_through_the_restart() {
    let mut w = World::new(vec![ping_agent("a")]);
    w.run(secs(60));
    w.program("p-a").reading.active = evidence("x");
    send(&mut w, "hello");
    w.run(secs(5));
    w.crash("p-a");
    w.run(ms(100));
    w.program("p-a").reading.active = None;
    w.run(secs(120));
    let said = &w.program("p-a").submitted;
    assert_eq!((said.len(), said[2].as_str()), (3, "hello"), "{said:?}");
    assert!(said[1].starts_with("Your full kickoff prompt is in "), "{said:?}");
}

#[test]
fn what_was_said_to_an_agent_that_is_removed_from_the_config_is_told_to_be_undelivered() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").reading.active = evidence("x");
    send(&mut w, "hello");
    w.run(secs(5));
    w.policy.agents.clear();
    w.run(secs(60));
    assert_eq!((w.typed("p-a"), w.count(EventKind::Undelivered)), (0, 1));
    assert!(w.state.deliveries.is_empty());
}

#[test]
fn what_was_said_to_a_program_that_does_not_come_back_is_told_to_be_undelivered() {
    let mut w = World::new(vec![Agent { watch: Watch::None, ..agent("a") }]);
    w.up(&["a"]);
    w.run(secs(1));
    w.program("p-a").reading.active = evidence("x");
    send(&mut w, "hello");
    w.run(secs(5));
    w.crash("p-a");
    w.run(secs(60));
    assert_eq!((w.typed("p-a"), w.count(EventKind::Undelivered)), (0, 1));
    assert!(w.state.deliveries.is_empty());
}

#[test]
fn a_text_that_never_shows_is_not_submitted_and_never_typed_again() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").blind = true;
    send(&mut w, "hello");
    w.run(secs(200));
    assert_eq!((w.typed("p-a"), w.program("p-a").presses), (1, 0));
    assert_eq!(w.count(EventKind::Unknown), 1);
}

#[test]
fn a_dialog_that_opens_while_we_type_gets_no_key() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    send(&mut w, "hello");
    while w.typed("p-a") == 0 {
        w.run(ms(50));
    }
    w.program("p-a").reading.waiting = evidence("x");
    w.run(secs(250));
    assert_eq!(w.program("p-a").presses, 0);
    w.program("p-a").reading.waiting = None;
    w.run(secs(20));
    assert_eq!((w.program("p-a").presses, w.program("p-a").submitted.len()), (1, 1));
}

#[test]
fn texts_keep_their_order_and_never_mix() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    for i in 0..5 {
        send(&mut w, &format!("message {i}"));
    }
    w.run(secs(60));
    let expected: Vec<String> = (0..5).map(|i| format!("message {i}")).collect();
    assert_eq!(w.program("p-a").submitted, expected);
}

#[test]
fn g19_a_supervisor_that_comes_back_types_nothing_twice() {
    // Killed after every single pass: what it remembers is the state alone.
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    send(&mut w, "hello");
    for _ in 0..400 {
        w.tick();
        w.state.fleet.next_signal = None;
        w.state.fleet.next_heavy = None;
        let text = serde_json::to_string(&w.state).unwrap();
        w.state = serde_json::from_str(&text).unwrap();
        w.now = w.now.plus(std::time::Duration::from_millis(70));
    }
    assert_eq!((w.typed("p-a"), w.program("p-a").submitted.len()), (1, 1));
}

#[test]
fn a_wake_waits_for_the_agent_and_comes_once_an_interval() {
    let mut a = agent("a");
    a.watch = Watch::Heal;
    a.wake = Some(Wake { interval: secs(600), prompt_file: "/p/w.md".into() });
    let mut w = World::new(vec![a]);
    w.run(secs(590));
    assert_eq!(w.typed("p-a"), 0);
    w.program("p-a").reading.active = evidence("x");
    w.run(secs(500));
    assert_eq!(w.typed("p-a"), 0);
    w.program("p-a").reading.active = None;
    w.run(secs(60));
    assert_eq!(w.program("p-a").submitted, ["wake up and look"]);
    w.run(secs(1200));
    assert_eq!(w.program("p-a").submitted.len(), 3);
}

#[test]
fn g24_nothing_is_typed_while_nothing_can_be_saved() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.obs.store_failing = true;
    send(&mut w, "hello");
    w.run(secs(60));
    assert_eq!(w.typed("p-a"), 0);
    w.crash("p-a");
    w.run(secs(1));
    assert_eq!(w.launches.len(), 2, "but who dies is started");
}

#[test]
fn a_text_that_stands_in_the_input_line_undelivered_is_taken_back_before_the_next() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").deaf = 3;
    send(&mut w, "hello");
    w.run(secs(10));
    assert_eq!(w.count(EventKind::Undelivered), 1);
    send(&mut w, "again");
    w.run(secs(20));
    let p = w.program("p-a");
    assert_eq!((p.submitted.clone(), p.erased, p.composer.as_str()), (vec!["again".to_string()], 1, ""));
}

#[test]
fn a_text_that_shows_too_late_is_submitted_once_and_nothing_is_typed_behind_it() {
    for no_draft_re in [false, true] {
        let mut w = World::new(vec![agent("a")]);
        w.run(secs(1));
        w.program("p-a").no_draft_re = no_draft_re;
        w.program("p-a").blind = true;
        send(&mut w, "hello");
        w.run(secs(20));
        assert_eq!((w.count(EventKind::Unknown), w.program("p-a").presses), (1, 0));
        w.program("p-a").blind = false;
        send(&mut w, "again");
        w.run(secs(60));
        assert_eq!(w.program("p-a").submitted, ["hello", "again"]);
        assert_eq!((w.count(EventKind::Delivered), w.program("p-a").erased), (2, 0));
    }
}

#[test]
fn a_late_text_whose_submit_key_does_nothing_is_taken_back_and_not_sent_again() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").blind = true;
    send(&mut w, "hello");
    w.run(secs(20));
    w.program("p-a").blind = false;
    w.program("p-a").deaf = 3;
    w.run(secs(200));
    send(&mut w, "again");
    w.run(secs(60));
    let p = w.program("p-a");
    assert_eq!((p.submitted.clone(), p.erased), (vec!["again".to_string()], 1));
}

#[test]
fn a_persons_draft_is_left_alone_and_told_once() {
    let mut w = World::new(vec![healed("a")]);
    w.run(secs(1));
    w.program("p-a").composer = "my own thoughts".into();
    send(&mut w, "hello");
    w.run(secs(50));
    assert_eq!(w.count(EventKind::Waiting), 0);
    w.run(secs(500));
    assert_eq!((w.count(EventKind::Waiting), w.typed("p-a"), w.program("p-a").presses), (1, 0, 0));
    w.program("p-a").composer.clear();
    w.run(secs(20));
    assert_eq!(w.program("p-a").submitted, ["hello"]);
    assert!(w.state.units["p-a"].alerted.is_empty());
}

#[test]
fn a_text_of_ours_that_cannot_be_taken_back_becomes_a_persons_matter() {
    let mut w = World::new(vec![healed("a")]);
    w.run(secs(1));
    w.program("p-a").deaf = 3;
    send(&mut w, "hello");
    w.run(secs(10));
    w.frozen = true;
    send(&mut w, "again");
    w.run(secs(400));
    assert_eq!(w.count(EventKind::Waiting), 1);
    w.frozen = false;
    w.program("p-a").composer.clear();
    w.run(secs(30));
    assert_eq!(w.program("p-a").submitted, ["again"]);
}

#[test]
fn what_was_left_in_a_dead_programs_input_line_is_forgotten() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").deaf = 3;
    send(&mut w, "hello");
    w.run(secs(10));
    assert!(w.state.units["p-a"].leftover.is_some());
    w.crash("p-a");
    w.run(secs(60));
    assert!(w.state.units["p-a"].leftover.is_none());
}

#[test]
fn a_pane_that_was_left_in_copy_mode_is_taken_out_of_it_after_a_while() {
    let mut w = World::new(vec![healed("a")]);
    w.run(secs(1));
    w.obs.panes.get_mut("p-a").unwrap().in_mode = true;
    w.run(secs(3600));
    let leaves = |w: &World| w.actions.iter().filter(|a| matches!(a, Action::LeaveMode { .. })).count();
    assert_eq!(leaves(&w), 0, "as long as nothing is to be typed it may stay");
    send(&mut w, "go on");
    w.run(secs(290));
    assert_eq!((w.typed("p-a"), leaves(&w)), (0, 0));
    w.run(secs(30));
    assert_eq!((w.typed("p-a"), leaves(&w)), (1, 1));
    assert!(w.said("a (p-a) was left in copy mode for 5 min while #1 waited"));
    // Somebody who looks again gets the whole time again.
    w.obs.panes.get_mut("p-a").unwrap().in_mode = true;
    send(&mut w, "and on");
    w.run(secs(290));
    assert_eq!((w.typed("p-a"), leaves(&w)), (1, 1));
}
