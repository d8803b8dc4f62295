//! The agents' own session files as a channel: proof of texts, work that no screen shows, the conversation.
use super::{
    typing::{ms, send},
    world::*,
};
use crate::model::{
    action::Action,
    delivery::Stage,
    event::EventKind,
    own::{OwnObs, Whose},
    policy::{Agent, Prompt},
    transcript::Program,
};
use std::sync::Arc;

/// What the file of `p-a` says from now on.
fn own(w: &mut World, change: impl FnOnce(&mut OwnObs)) {
    let incarnation = w.state.units["p-a"].incarnation;
    let own = w.obs.own.entry("p-a".into()).or_default();
    own.incarnation = incarnation;
    change(own);
}

fn only_delivery(w: &World) -> i64 {
    *w.state.deliveries.keys().next().expect("a text")
}

#[test]
fn a_text_that_stands_in_the_session_file_has_arrived_and_gets_no_second_key() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    // The screen never changes, whatever is pressed.
    w.program("p-a").deaf = 100;
    send(&mut w, "hello");
    while w.program("p-a").presses == 0 {
        w.run(ms(50));
    }
    let id = only_delivery(&w);
    own(&mut w, |own| {
        own.arrived.insert(id);
    });
    w.run(secs(20));
    assert_eq!((w.program("p-a").presses, w.count(EventKind::Delivered)), (1, 1));
    assert!(w.said("delivered to a (it stands in its session file)"));
    assert_eq!(w.count(EventKind::Undelivered), 0);
}

#[test]
fn a_text_that_was_given_up_may_prove_to_have_arrived_for_a_minute() {
    for (late, delivered) in [(secs(30), 1), (secs(100), 0)] {
        let mut w = World::new(vec![agent("a")]);
        w.run(secs(1));
        own(&mut w, |_| {});
        w.program("p-a").deaf = 100;
        send(&mut w, "hello");
        while w.count(EventKind::Undelivered) == 0 {
            w.run(ms(50));
        }
        let id = only_delivery(&w);
        assert!(matches!(w.state.deliveries[&id].stage, Stage::Undelivered { .. }));
        let presses = w.program("p-a").presses;
        w.run(late);
        own(&mut w, |own| {
            own.arrived.insert(id);
        });
        w.run(secs(40));
        assert_eq!(w.count(EventKind::Delivered), delivered);
        assert_eq!(w.said("after all"), delivered == 1);
        assert!(w.state.deliveries.is_empty(), "told once, and forgotten");
        assert_eq!(w.program("p-a").presses, presses, "never typed again");
    }
}

#[test]
fn an_agent_without_a_file_forgets_at_once_what_is_over() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").deaf = 100;
    send(&mut w, "hello");
    w.run(secs(30));
    assert_eq!(w.count(EventKind::Undelivered), 1);
    assert!(w.state.deliveries.is_empty());
}

#[test]
fn work_that_only_the_session_file_shows_is_no_stall() {
    let mut w = World::new(vec![agent("a")]);
    for _ in 0..20 {
        w.run(secs(100));
        let now = w.now.wall;
        own(&mut w, |own| own.worked = Some(now));
    }
    assert_eq!(w.count(EventKind::Stalled), 0);
    w.run(secs(400));
    assert_eq!(w.count(EventKind::Stalled), 1, "and once it says nothing new, it stalls");
}

#[test]
fn work_of_an_earlier_start_or_of_the_future_counts_for_nothing() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(100));
    for _ in 0..4 {
        let now = w.now.wall;
        own(&mut w, |own| (own.worked, own.incarnation) = (Some(now), 77));
        w.run(secs(100));
    }
    assert_eq!(w.count(EventKind::Stalled), 1);
    let ahead = w.now.wall.after(secs(36_000));
    own(&mut w, |own| own.worked = Some(ahead));
    w.run(secs(400));
    assert_eq!(w.count(EventKind::Stalled), 2, "the wall clock was set back");
}

#[test]
fn the_conversation_it_was_in_goes_with_the_next_start() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(10));
    let whose = Whose { id: "11111111-2222".into(), program: Program::Claude, dir: "/p".into() };
    own(&mut w, |own| own.conversation = Some(whose.clone()));
    w.run(secs(20));
    w.exit("p-a", 1, Some(1), None);
    w.run(secs(20));
    let ordered = |w: &World| {
        let prepared = w.actions.iter().rev().find_map(|a| match a {
            Action::Prepare { conversation, .. } => Some(conversation.clone()),
            _ => None,
        });
        prepared.flatten().map(|c| c.whose)
    };
    assert_eq!((w.launches.len(), ordered(&w)), (2, Some(whose.clone())));
    assert!(w.state.units["p-a"].conversation.is_some(), "until it is seen in another one");
    // What is seen belongs to the start in which it was seen.
    let other = Whose { id: "33333333-4444".into(), ..whose.clone() };
    w.obs.own.entry("p-a".into()).or_default().conversation = Some(other.clone());
    w.run(secs(5));
    assert_eq!(w.state.units["p-a"].conversation.as_ref().unwrap().whose, whose);
    own(&mut w, |_| {});
    w.run(secs(5));
    assert_eq!(w.state.units["p-a"].conversation.as_ref().unwrap().whose, other);
}

/// It draws its input line before it takes the message of its command line, and drops what is typed in between.
#[test]
fn nothing_is_typed_before_the_first_message_was_taken() {
    for (shows, least, most) in [(Some(5), 5, 8), (None, 20, 25)] {
        let mut backend = backend();
        backend.bin = "claude".into();
        let mut w =
            World::new(vec![Agent { backend: Arc::new(backend), prompt: Prompt::Text("Work.".into()), ..agent("a") }]);
        w.run(ms(10));
        let started = w.now.boot;
        send(&mut w, "hello");
        while w.typed("p-a") == 0 {
            w.run(ms(100));
            let now = w.now.wall;
            if shows.is_some_and(|s| w.now.boot.since(started) >= secs(s)) {
                own(&mut w, |own| own.asked = Some(now));
            }
        }
        let waited = w.now.boot.since(started).as_secs();
        assert!((least..=most).contains(&waited), "{waited} s");
        w.run(secs(5));
        assert_eq!(w.count(EventKind::Delivered), 1);
    }
}
