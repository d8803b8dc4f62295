//! Errors that ended a turn, by class.
use super::world::*;
use crate::model::{
    action::Action,
    delivery::{DeliveryKind, Stage},
    event::EventKind,
    request::Verb,
    seen::{ErrorClass, ErrorSeen},
    trouble::Remedy,
};

fn error(class: ErrorClass) -> Option<ErrorSeen> {
    Some(ErrorSeen { class, text: "it said so".into(), retry_after: None })
}

fn fails(names: &[&str], class: ErrorClass) -> World {
    let mut w = World::new(names.iter().map(|n| agent(n)).collect());
    for name in names {
        let reading = &mut w.program(&format!("p-{name}")).reading;
        reading.error = error(class);
        if matches!(class, ErrorClass::Auth | ErrorClass::Transcript | ErrorClass::Context) {
            reading.fatal = evidence("claude/fatal/x");
        }
    }
    w
}

fn asked(w: &World, session: &str) -> usize {
    w.programs[session].submitted.iter().filter(|t| t.starts_with("watchdog: your last turn")).count()
}

/// Pauses between the tries of `a`, in seconds.
fn pauses(w: &World) -> Vec<i64> {
    let heard = |e: &&crate::model::event::Event| e.kind == EventKind::Delivered && e.text.starts_with("go-on");
    let at: Vec<i64> = w.events.iter().filter(heard).map(|e| e.at.0 / 1000).collect();
    at.windows(2).map(|p| p[1] - p[0]).collect()
}

#[test]
fn an_overload_is_asked_to_go_on_with_growing_pauses_and_nobody_is_killed() {
    let mut w = fails(&["a"], ErrorClass::Overload);
    w.run(secs(120));
    let early = pauses(&w);
    assert!(early.windows(2).all(|p| p[1] >= p[0]) && early[0] <= 11, "{early:?}");
    // While it lasts for two minutes, no pause was longer than half of that.
    assert!(early.iter().all(|p| *p <= 60), "{early:?}");
    w.run(secs(3 * 3600));
    assert!(pauses(&w).iter().all(|p| *p <= 335), "{:?}", pauses(&w));
    assert_eq!(w.launches.len(), 1);
    assert_eq!(w.count(EventKind::Error), 2, "told at first, and when it lasted");
    assert!(w.said("still at its error (overload) after 5 tries"));
    w.program("p-a").reading.error = None;
    w.run(secs(60));
    assert_eq!(w.count(EventKind::ErrorOver), 1);
    assert!(w.state.units["p-a"].trouble.is_none());
    let n = asked(&w, "p-a");
    w.run(secs(250));
    assert_eq!(asked(&w, "p-a"), n, "a healthy one is left in peace");
}

#[test]
fn its_own_retries_after_a_nudge_are_one_trouble() {
    let mut w = fails(&["a"], ErrorClass::Network);
    w.run(secs(60));
    for _ in 0..5 {
        w.program("p-a").reading.error = None;
        w.program("p-a").reading.active = evidence("active_re");
        w.run(secs(100));
        w.program("p-a").reading.error = error(ErrorClass::Network);
        w.program("p-a").reading.active = None;
        w.run(secs(100));
    }
    assert_eq!(w.count(EventKind::ErrorOver), 0);
    assert!(w.count(EventKind::Error) <= 2, "{:?}", w.events);
}

#[test]
fn a_lost_login_is_told_held_and_tried_up_to_every_15_minutes() {
    let mut w = fails(&["a"], ErrorClass::Auth);
    w.run(secs(6 * 3600));
    assert_eq!(w.launches.len(), 1, "a restart does not help");
    assert_eq!(w.count(EventKind::Error), 1, "told once");
    assert!(w.events.iter().any(|e| e.kind == EventKind::Error && e.alert));
    let pauses = pauses(&w);
    assert!((25..=40).contains(&pauses[0]), "{pauses:?}");
    assert!(pauses[6..].iter().all(|p| (800..=1000).contains(p)), "{pauses:?}");
}

#[test]
fn pings_wait_until_the_error_is_over_and_a_person_may_speak() {
    let mut w = fails(&["a"], ErrorClass::Auth);
    w.run(secs(60));
    let now = w.now.boot;
    let fleet = &mut w.state.fleet;
    fleet.next_delivery += 1;
    let id = fleet.next_delivery;
    w.ask(Verb::Send { name: "a".into(), text: "I logged in again".into() });
    w.run(secs(1));
    let send = w.state.deliveries.values().find(|d| d.kind == DeliveryKind::Send).cloned().expect("it waits");
    let stage = Stage::Queued { rest: None, free_since: None, look: now };
    let ping = crate::model::delivery::Delivery {
        id,
        kind: DeliveryKind::Claim,
        text: "ping".into(),
        not_before: now,
        stage,
        ..send
    };
    w.state.deliveries.insert(id, ping);
    w.run(secs(600));
    let said = &w.programs["p-a"].submitted;
    assert!(said.contains(&"I logged in again".to_owned()), "{said:?}");
    assert!(!said.contains(&"ping".to_owned()) && asked(&w, "p-a") > 2, "{said:?}");
    w.program("p-a").reading = Default::default();
    w.run(secs(60));
    assert_eq!(w.programs["p-a"].submitted.last().map(String::as_str), Some("ping"));
}

#[test]
fn a_poisoned_conversation_gets_one_more_chance_and_then_a_fresh_session() {
    for class in [ErrorClass::Transcript, ErrorClass::Context] {
        let mut w = fails(&["a"], class);
        w.run(secs(41));
        assert_eq!((asked(&w, "p-a"), w.launches.len()), (1, 1), "{class:?}");
        w.run(secs(10));
        assert_eq!(w.count(EventKind::FreshSession), 1);
        let fresh = |a: &&Action| matches!(a, Action::Prepare { fresh: Some(c), .. } if *c == class);
        assert!(w.actions.iter().any(|a| fresh(&a)));
        assert_eq!(w.launches.len(), 2);
        w.program("p-a").reading = Default::default();
        w.run(secs(200));
        assert_eq!((w.launches.len(), w.count(EventKind::FreshSession)), (2, 1));
        assert!(w.state.units["p-a"].fresh.is_none());
    }
}

#[test]
fn a_fresh_session_that_was_put_off_is_not_wanted_any_more_once_the_error_is_gone() {
    let mut w = fails(&["a"], ErrorClass::Transcript);
    w.run(secs(41));
    w.refuse_prepare = true;
    w.run(secs(10));
    assert_eq!(w.state.units["p-a"].fresh, Some(ErrorClass::Transcript), "{:?}", w.events);
    assert_eq!(w.launches.len(), 1, "it could not be prepared");
    // A person helped it: its conversation goes on.
    w.program("p-a").reading = Default::default();
    w.run(secs(60));
    assert_eq!((&w.state.units["p-a"].fresh, &w.state.units["p-a"].trouble), (&None, &None));
    w.refuse_prepare = false;
    w.actions.clear();
    w.crash("p-a");
    w.run(secs(60));
    let started = |a: &&Action| matches!(a, Action::Prepare { fresh: None, .. });
    assert_eq!(w.actions.iter().filter(started).count(), 1, "it is started again in its conversation");
}

#[test]
fn a_nudge_that_nobody_heard_is_no_proof_against_a_conversation() {
    let mut w = fails(&["a"], ErrorClass::Transcript);
    w.program("p-a").blind = true;
    w.run(secs(3600));
    assert_eq!(w.count(EventKind::FreshSession), 0);
    assert_eq!(w.launches.len(), 1);
}

#[test]
fn many_that_fail_alike_are_one_incident() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let mut w = fails(&names, ErrorClass::Auth);
    w.run(secs(300));
    let alerts: Vec<&str> = w.events.iter().filter(|e| e.alert).map(|e| e.text.as_str()).collect();
    assert_eq!(alerts.len(), 3, "two alone, then one for all: {alerts:?}");
    assert!(alerts[2].contains("agents fail alike (auth)"), "{alerts:?}");
    assert!(names.iter().all(|n| asked(&w, &format!("p-{n}")) > 1));
}

#[test]
fn the_config_says_what_is_done() {
    let mut w = fails(&["a"], ErrorClass::Overload);
    w.policy.errors.overload = Remedy::Alert;
    w.run(secs(250));
    assert_eq!((w.typed("p-a"), w.launches.len()), (0, 1));
    assert!(w.events.iter().any(|e| e.kind == EventKind::Error && e.alert));
    let mut w = fails(&["a"], ErrorClass::Auth);
    w.policy.errors.auth = Remedy::Restart;
    w.run(secs(60));
    assert_eq!(w.count(EventKind::Fatal), 1, "{:?}", w.events);
    assert_eq!(w.launches.len(), 2);
}

#[test]
fn an_error_under_a_spinner_or_a_dialog_is_none() {
    for (active, waiting) in [(evidence("active_re"), None), (None, evidence("waiting_re"))] {
        let mut w = fails(&["a"], ErrorClass::Transcript);
        w.program("p-a").reading.active = active;
        w.program("p-a").reading.waiting = waiting;
        w.run(secs(1800));
        assert_eq!((w.count(EventKind::Error), w.typed("p-a"), w.launches.len()), (0, 0, 1));
    }
}

#[test]
fn g28_every_error_is_looked_at_again_in_bounded_time() {
    for class in [ErrorClass::Auth, ErrorClass::Overload, ErrorClass::Model, ErrorClass::Other] {
        let mut w = fails(&["a"], class);
        w.program("p-a").reading.error.as_mut().unwrap().retry_after = Some(u64::MAX / 2000);
        w.run(secs(60));
        let until = w.state.units["p-a"].trouble.as_ref().unwrap().until;
        assert!(until.since(w.now.boot) <= secs(1000), "{class:?}");
    }
}

#[test]
fn an_unknown_screen_gets_nothing_but_an_alert() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(60));
    w.program("p-a").reading.unknown = true;
    w.ask(Verb::Send { name: "a".into(), text: "hello".into() });
    w.run(secs(590));
    assert_eq!(w.count(EventKind::UnknownScreen), 0);
    w.run(secs(7200));
    assert_eq!((w.typed("p-a"), w.launches.len(), w.count(EventKind::UnknownScreen)), (0, 1, 1));
    w.program("p-a").reading.unknown = false;
    w.run(secs(60));
    assert_eq!(w.programs["p-a"].submitted, ["hello"]);
}

/// A turn of Gemini CLI that ended with a 401, and the message that began it was gone from its conversation: asked to go
/// on, it knew nothing of it.
#[test]
fn what_a_program_forgets_at_an_error_is_told_again() {
    let mut w = World::new(vec![agent("a"), agent("b")]);
    let forgets = |a: &mut crate::model::policy::Agent| {
        std::sync::Arc::make_mut(&mut a.backend).reader.forgets_failed = true;
    };
    w.policy.agents.iter_mut().for_each(forgets);
    w.run(secs(5));
    let fails = |w: &mut World, error: Option<ErrorSeen>| {
        for (session, forgets) in [("p-a", true), ("p-b", false)] {
            let program = w.program(session);
            program.forgets = forgets && error.is_some();
            program.reading.all_failed = program.forgets;
            program.reading.error = error.clone();
        }
        w.run(secs(60));
    };
    let told = |w: &World, session: &str| w.programs[session].submitted.last().cloned().unwrap_or_default();
    // At first it knows nothing but its first message.
    fails(&mut w, error(ErrorClass::Overload));
    assert!(told(&w, "p-a").contains("kickoff-p-a.txt"), "{}", told(&w, "p-a"));
    assert!(!told(&w, "p-b").contains("kickoff"), "it was answered: {}", told(&w, "p-b"));
    fails(&mut w, None);
    for (text, again) in [("mend the till", "«mend the till»"), ("sweep the shop", "«sweep the shop»")] {
        for name in ["a", "b"] {
            w.ask(Verb::Send { name: name.into(), text: text.into() });
        }
        // It fails at once: the error is there before it is known that the text arrived.
        while !w.program("p-a").composer.contains(text) {
            w.run(std::time::Duration::from_millis(50));
        }
        fails(&mut w, error(ErrorClass::Overload));
        let (a, b) = (told(&w, "p-a"), told(&w, "p-b"));
        assert!(a.starts_with("watchdog: your last turn") && a.contains(again), "{a}");
        assert!(!a.contains("kickoff") && a.matches('«').count() == 1, "only what it was told last: {a}");
        assert!(b.starts_with("watchdog: your last turn") && !b.contains(text), "a tool ran: {b}");
        fails(&mut w, None);
    }
    // What it is told while it fails is forgotten as well.
    fails(&mut w, error(ErrorClass::Overload));
    w.ask(Verb::Send { name: "a".into(), text: "and the yard".into() });
    w.run(secs(600));
    let a = told(&w, "p-a");
    assert!(a.contains("«sweep the shop» «and the yard»"), "{a}");
}
