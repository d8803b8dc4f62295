//! A unit that cannot be handled is left alone, and the others are not.
use super::world::*;
use crate::{
    decide::looks,
    model::{
        event::EventKind,
        request::Verb,
        state::{Life, Wish},
        time::Now,
    },
};
use std::time::Duration;

fn two() -> World {
    let mut w = World::new(vec![agent("a"), agent("b")]);
    w.run(secs(20));
    w
}

/// The fault shows whenever `a` is handled.
fn run_broken(w: &mut World, d: Duration) {
    let end: Now = w.now.plus(d);
    while w.now.boot < end.boot {
        let quarantine = w.state.units["p-a"].quarantine.as_ref();
        if quarantine.is_none_or(|q| !q.on || q.until <= w.now.boot) {
            w.obs.broken = [("p-a".to_owned(), "index 3 of 2 (x.rs:1)".to_owned())].into();
        }
        w.tick();
        w.obs.broken.clear();
        w.now = w.now.plus(secs(1));
    }
}

#[test]
fn it_is_said_once_and_neither_healed_nor_typed_to() {
    let mut w = two();
    run_broken(&mut w, secs(3));
    w.program("p-b").reading.active = evidence("active_re");
    w.crash("p-a");
    w.crash("p-b");
    run_broken(&mut w, secs(4000));
    assert_eq!(w.count(EventKind::Quarantined), 1);
    assert!(w.said("index 3 of 2") && w.said("`agents up a` tries at once"));
    assert_eq!(w.launches.iter().filter(|(_, s)| s == "p-a").count(), 1, "left alone");
    assert_eq!(w.launches.iter().filter(|(_, s)| s == "p-b").count(), 2, "the others go on");
    assert!(w.state.units["p-a"].reason.contains("left alone"));
    assert!(!looks(&w.state, &w.policy, w.now, true).contains("p-a"));
    w.ask(Verb::Send { name: "a".into(), text: "x".into() });
    w.run(secs(1));
    assert!(w.state.deliveries.is_empty(), "refused");
}

#[test]
fn it_is_tried_again_with_growing_pauses_and_forgiven() {
    let mut w = two();
    let mut pauses = Vec::new();
    for _ in 0..7 {
        w.obs.broken = [("p-a".to_owned(), "odd (x.rs:1)".to_owned())].into();
        w.tick();
        w.obs.broken.clear();
        let until = w.state.units["p-a"].quarantine.as_ref().unwrap().until;
        pauses.push(until.since(w.now.boot).as_secs());
        w.run(until.since(w.now.boot) + secs(2));
        assert!(!w.state.units["p-a"].is_left_alone(), "tried again");
    }
    assert_eq!(pauses, [60, 120, 240, 480, 960, 1800, 1800]);
    w.crash("p-a");
    w.run(secs(601));
    assert!(matches!(w.life("p-a"), Life::Running { .. }), "on trial it is healed");
    assert_eq!(w.state.units["p-a"].quarantine, None);
    assert_eq!((w.count(EventKind::Quarantined), w.said("a can be handled again")), (2, true));
}

#[test]
fn a_person_may_try_at_once_and_may_stop_it() {
    let mut w = two();
    run_broken(&mut w, secs(2));
    w.crash("p-a");
    w.run(secs(5));
    assert!(w.state.units["p-a"].is_left_alone());
    w.up(&["a"]);
    w.run(secs(5));
    assert!(matches!(w.life("p-a"), Life::Running { .. }));
    run_broken(&mut w, secs(2));
    w.ask(Verb::Down { names: vec!["a".into()] });
    w.run(secs(30));
    assert_eq!((w.life("p-a"), w.state.units["p-a"].wish), (&Life::Absent, Wish::Stop));
}
