//! A spinner that turns over a screen that shows nothing new.
use super::world::*;
use crate::model::{
    event::EventKind,
    policy::{Agent, Watch},
    state::Life,
    time::Boot,
};
use std::{sync::Arc, time::Duration};

fn hangs(name: &str) -> Agent {
    let mut backend = backend();
    backend.hang_timeout = secs(300);
    Agent { backend: Arc::new(backend), watch: Watch::Heal, ..agent(name) }
}

/// It works, and its screen has just changed.
fn world() -> World {
    let mut w = World::new(vec![hangs("a")]);
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(60));
    w.program("p-a").reading.still = 7;
    w.run(secs(90));
    w
}

#[test]
fn a_still_spinner_over_idle_processes_is_restarted_within_its_time() {
    let mut w = world();
    for i in 0..200 {
        // The glyph and the seconds move.
        w.program("p-a").reading.screen = i;
        w.run(secs(1));
    }
    assert_eq!(w.count(EventKind::Hung), 0);
    for i in 0..60 {
        w.program("p-a").reading.screen = 1000 + i;
        w.run(secs(1));
    }
    assert_eq!((w.count(EventKind::Hung), w.launches.len()), (1, 2));
    assert!(w.said("shows nothing new for 5m"), "{:?}", w.events.last());
    let started = w.events.iter().rfind(|e| e.kind == EventKind::Started).unwrap();
    assert_eq!(started.data["restart"], "hung");
}

#[test]
fn a_screen_that_says_something_new_now_and_then_does_not_hang() {
    let mut w = world();
    for i in 0..60 {
        w.program("p-a").reading.still = 100 + i;
        w.run(secs(200));
    }
    assert_eq!(w.count(EventKind::Hung), 0);
}

#[test]
fn one_torn_look_does_not_start_the_clock_again() {
    let mut w = world();
    w.run(secs(120));
    w.program("p-a").reading.still = 8;
    w.tick();
    w.now = w.now.plus(Duration::from_millis(1));
    w.program("p-a").reading.still = 7;
    w.run(secs(150));
    assert_eq!(w.count(EventKind::Hung), 1);
}

#[test]
fn processes_that_work_are_no_hang_and_told() {
    for uses in [(20, 0), (0, 1_000_000)] {
        let mut w = world();
        w.program("p-a").uses = uses;
        w.run(secs(7200));
        assert_eq!((w.count(EventKind::Hung), w.launches.len()), (0, 1));
        assert!(w.state.units["p-a"].sight.quiet_work.is_some());
        w.program("p-a").uses = (0, 0);
        w.run(secs(320));
        assert_eq!(w.count(EventKind::Hung), 1);
    }
}

#[test]
fn a_preset_is_allowed_what_its_spinner_takes() {
    let mut w = world();
    let mut backend = (*w.policy.agents[0].backend).clone();
    backend.reader.preset = Some("claude".into());
    w.policy.agents[0].backend = Arc::new(backend);
    w.program("p-a").uses = (200, 2000);
    w.run(secs(300));
    assert_eq!(w.count(EventKind::Hung), 1);
}

#[test]
fn a_tool_that_waits_is_given_longer() {
    let mut w = world();
    let began = w.state.units["p-a"].sight.spin.as_ref().unwrap().began;
    w.program("p-a").children.insert(5, began.after(secs(30)));
    w.run(secs(1500));
    assert_eq!(w.count(EventKind::Hung), 0);
    w.run(secs(400));
    assert_eq!(w.count(EventKind::Hung), 1);
}

#[test]
fn helpers_that_were_there_before_are_no_tool() {
    let mut w = world();
    w.program("p-a").children.insert(5, Boot(1_000));
    w.run(secs(300));
    assert_eq!(w.count(EventKind::Hung), 1);
}

#[test]
fn without_a_look_at_the_processes_nobody_is_ended() {
    let mut w = world();
    w.program("p-a").unseen_tree = true;
    w.run(secs(7200));
    assert_eq!((w.count(EventKind::Hung), w.launches.len()), (0, 1));
}

#[test]
fn off_is_off_and_a_question_is_no_hang() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(7200));
    assert_eq!((w.count(EventKind::Hung), w.launches.len()), (0, 1));
    let mut w = world();
    w.program("p-a").reading.waiting = evidence("waiting_re");
    w.run(secs(7200));
    assert_eq!((w.count(EventKind::Hung), w.launches.len()), (0, 1));
}

#[test]
fn the_clock_survives_a_restart_of_the_watchdog_and_not_a_night() {
    let mut w = world();
    w.run(secs(180));
    w.state = serde_json::from_str(&serde_json::to_string(&w.state).unwrap()).unwrap();
    w.run(secs(60));
    assert_eq!(w.count(EventKind::Hung), 1);
    let mut w = world();
    w.run(secs(100));
    w.now = w.now.plus(secs(8 * 3600));
    w.run(secs(250));
    assert_eq!(w.count(EventKind::Hung), 0, "nobody saw it");
    w.run(secs(100));
    assert_eq!(w.count(EventKind::Hung), 1);
    assert!(matches!(w.life("p-a"), Life::Running { .. }));
}
