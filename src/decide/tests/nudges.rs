//! An idle agent is told once to go on, and restarted if nothing comes of it.
use super::world::*;
use crate::model::{
    action::Action,
    event::EventKind,
    policy::{Agent, StallAction},
    reading::Draft,
    state::Wish,
    time::{Boot, Wall},
};
use std::{sync::Arc, time::Duration};

fn nudged(name: &str) -> Agent {
    let mut backend = backend();
    backend.stall_action = StallAction::Nudge;
    Agent { backend: Arc::new(backend), ..agent(name) }
}

fn world() -> World {
    World::new(vec![nudged("a")])
}

/// It starts, is idle for long enough, and has been told.
fn told() -> World {
    let mut w = world();
    w.run(secs(400));
    assert_eq!((w.count(EventKind::Nudged), w.typed("p-a"), w.launches.len()), (1, 1, 1));
    assert_eq!(w.programs["p-a"].submitted.len(), 1);
    w
}

/// A turn that nobody saw while it ran.
fn answer(w: &mut World) {
    let program = w.program("p-a");
    program.answers = true;
    program.reading.still += 1;
}

#[test]
fn an_idle_agent_is_told_once_and_restarted_if_nothing_comes_of_it() {
    let mut w = world();
    w.run(secs(325));
    assert_eq!(w.count(EventKind::Nudged), 0, "the clock starts after the start");
    w.run(secs(10));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (1, 1));
    let text = w.programs["p-a"].submitted[0].clone();
    assert!(text.starts_with("watchdog nudge #1: "), "{text}");
    w.run(secs(290));
    assert_eq!(w.launches.len(), 1);
    w.run(secs(20));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (1, 2));
    assert!(w.said("nudge not answered for"));
    assert_eq!(w.typed("p-a"), 1);
}

#[test]
fn work_that_was_seen_is_an_answer() {
    let mut w = told();
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(60));
    w.program("p-a").reading.active = None;
    w.run(secs(290));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (1, 1));
    w.run(secs(40));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (2, 1), "idle anew, told anew");
}

#[test]
fn a_turn_too_short_to_be_seen_is_an_answer_too() {
    let mut w = told();
    answer(&mut w);
    w.run(secs(280));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (1, 1));
    // The next text is another one: nothing stands below it yet.
    w.program("p-a").answers = false;
    w.run(secs(60));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (2, 1));
    w.run(secs(320));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (2, 2));
}

#[test]
fn our_own_echo_and_a_repaint_are_no_answer() {
    let mut w = told();
    for i in 0..40 {
        // Drawn anew, with another clock: the same words.
        w.program("p-a").reading.screen = 100 + i;
        w.run(secs(10));
    }
    assert!(w.launches.len() >= 2);
    assert!(w.said("nudge not answered for"));
}

#[test]
fn a_nudge_that_is_not_proved_is_not_answered() {
    let mut w = world();
    w.program("p-a").blind = true;
    w.run(secs(350));
    assert_eq!((w.count(EventKind::Nudged), w.count(EventKind::Unknown)), (1, 1));
    // Whatever its screen says of it.
    answer(&mut w);
    w.run(secs(320));
    assert_eq!((w.launches.len(), w.typed("p-a")), (2, 1));
    assert!(w.said("nudge not proved for"));
    assert!(!w.events.iter().any(|e| e.kind == EventKind::Unknown && e.alert), "nobody is called for it");
}

#[test]
fn half_a_percent_is_nothing_and_two_percent_are_work() {
    let mut w = world();
    w.program("p-a").uses = (5, 1000);
    w.run(secs(340));
    assert_eq!(w.count(EventKind::Nudged), 1);
    w.run(secs(320));
    assert_eq!(w.launches.len(), 2);
    let mut w = world();
    w.program("p-a").uses = (20, 0);
    w.run(secs(7200));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (0, 1));
    let work = w.state.units["p-a"].sight.quiet_work.clone().expect("it is told");
    assert!(work.what.starts_with("CPU "), "{work:?}");
    // It is over, and nothing has come of it.
    w.program("p-a").uses = (0, 0);
    w.run(secs(310));
    assert_eq!(w.count(EventKind::Nudged), 1);
    assert_eq!(w.state.units["p-a"].sight.quiet_work, None);
    // Told, and at work below: not restarted.
    w.program("p-a").uses = (0, 1_000_000);
    w.run(secs(7200));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (1, 1));
}

#[test]
fn nobody_is_ended_on_the_word_of_the_screen_alone() {
    let mut w = world();
    w.program("p-a").unseen_tree = true;
    w.run(secs(7200));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (1, 1));
}

#[test]
fn a_marker_keeps_its_meaning_and_is_an_answer() {
    let mut w = world();
    w.program("p-a").reading.waiting_until = Some(Wall(w.now.wall.0 + 600_000));
    w.run(secs(600 + 170));
    assert_eq!(w.count(EventKind::Nudged), 0, "within the grace");
    w.run(secs(60));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (1, 1));
    assert!(w.said("past its WAITING-UNTIL"));
    w.program("p-a").reading.waiting_until = Some(Wall(w.now.wall.0 + 3_600_000));
    w.run(secs(3600));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (1, 1), "it waits on purpose");
    w.run(secs(3600));
    assert!(w.launches.len() > 1);
}

#[test]
fn what_goes_on_in_the_background_is_no_stall() {
    let mut w = world();
    w.program("p-a").reading.background = evidence("claude/idle/background");
    w.run(secs(7200));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (0, 1));
    w.program("p-a").reading.background = None;
    w.run(secs(340));
    assert_eq!(w.count(EventKind::Nudged), 1);
}

#[test]
fn held_asking_paused_and_drafting_agents_are_left_alone() {
    let mut w = world();
    w.program("p-a").reading.waiting = evidence("waiting_re");
    w.run(secs(3600));
    w.program("p-a").reading.waiting = None;
    w.run(secs(60));
    let ask = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
    w.ask(crate::model::request::Verb::Pause { names: ask(&["a"]) });
    w.run(secs(3600));
    assert_eq!(w.state.units["p-a"].wish, Wish::Pause);
    w.ask(crate::model::request::Verb::Resume { names: ask(&["a"]) });
    w.run(secs(60));
    w.program("p-a").reading.limit = evidence("limit_re");
    w.run(secs(200));
    assert!(w.state.units["p-a"].hold.is_some());
    w.run(secs(3600));
    assert_eq!((w.count(EventKind::Nudged), w.launches.len()), (0, 1));
    w.program("p-a").reading.limit = None;
    w.run(secs(60));
    let typed = w.typed("p-a");
    // A person's words stand in its input line: it is not typed behind them, and nobody ends what they began.
    w.program("p-a").reading.draft = Some(Draft { text: "I was about".into(), chars: 11, ours: None, begins: None });
    w.run(secs(7200));
    assert_eq!((w.typed("p-a"), w.launches.len()), (typed, 1));
    assert!(w.said("has an unsent text in its input line"));
}

#[test]
fn a_person_who_sets_it_to_work_takes_the_nudge_back() {
    let mut w = world();
    w.program("p-a").reading.draft = Some(Draft { text: "go".into(), chars: 2, ours: None, begins: None });
    w.run(secs(340));
    assert_eq!(w.count(EventKind::Nudged), 1);
    w.program("p-a").reading.draft = None;
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(120));
    w.program("p-a").reading.active = None;
    w.run(secs(120));
    assert_eq!((w.typed("p-a"), w.launches.len()), (0, 1));
}

/// Whoever goes on with what is saved, at whatever moment, types it once.
#[test]
fn g19_a_supervisor_that_comes_back_nudges_nobody_twice() {
    let mut reference = world();
    reference.run(secs(305));
    for step in 0..40 {
        let mut w = world();
        w.run(secs(305) + Duration::from_millis(150 * step));
        let saved = serde_json::to_string(&w.state).unwrap();
        w.state = serde_json::from_str(&saved).unwrap();
        w.run(secs(60));
        assert_eq!(w.programs["p-a"].submitted.len(), 1, "at step {step}");
        w.run(secs(200));
        let saved = serde_json::to_string(&w.state).unwrap();
        w.state = serde_json::from_str(&saved).unwrap();
        w.run(secs(90));
        assert_eq!((w.launches.len(), w.typed("p-a")), (2, 1), "at step {step}");
    }
}

#[test]
fn a_night_in_which_nobody_looked_ends_nobody() {
    let mut w = told();
    w.now = w.now.plus(secs(8 * 3600));
    w.run(secs(250));
    assert_eq!(w.launches.len(), 1);
    w.run(secs(100));
    assert_eq!(w.launches.len(), 2);
}

#[test]
fn a_fleet_at_rest_is_not_looked_at_more_often() {
    let mut w = World::new((0..5).map(|i| nudged(&format!("a{i}"))).collect());
    for program in ["p-a0", "p-a1", "p-a2", "p-a3", "p-a4"] {
        w.program(program).uses = (20, 0);
    }
    w.run(secs(400));
    let mut ticks = 0;
    let until = w.now.after(secs(3000));
    while w.now.boot < until {
        let next = w.tick().wake_at.max(Boot(w.now.boot.0 + 1));
        w.now = w.now.plus(next.since(w.now.boot));
        ticks += 1;
    }
    // A hundred passes, and one for each look at the processes of each.
    assert!(ticks < 100 + 5 * 20 + 20, "{ticks}");
    assert!(!w.actions.iter().any(|a| matches!(a, Action::Type { .. })));
}

#[test]
fn a_restart_that_may_not_be_is_tried_again_slowly() {
    let mut w = told();
    w.state.fleet.storm_until = Some(w.now.after(secs(3600)));
    w.refuse_prepare = true;
    let mut ticks = 0;
    let until = w.now.after(secs(1800));
    while w.now.boot < until {
        let next = w.tick().wake_at.max(Boot(w.now.boot.0 + 1));
        w.now = w.now.plus(next.since(w.now.boot));
        ticks += 1;
    }
    assert!(ticks < 200, "{ticks}");
}
