//! One limit for all that share an account.
use super::world::*;
use crate::model::{event::EventKind, policy::Agent, request::Verb, time::Wall};

fn on(name: &str, account: Option<&str>) -> Agent {
    Agent { account: account.map(str::to_owned), ..agent(name) }
}

/// `a` shows a banner that names a reset an hour ahead.
fn limited(agents: Vec<Agent>) -> World {
    let mut w = World::new(agents);
    w.run(secs(100));
    w.program("p-a").reading.limit = evidence("limit_re");
    w.program("p-a").reading.reset = Some(Wall(w.now.wall.0 + 3_600_000));
    w.run(secs(60));
    w
}

#[test]
fn nothing_is_typed_to_the_others_of_a_limited_account_until_the_reset() {
    let mut w = limited(vec![on("a", Some("team")), on("b", Some("team")), on("c", Some("other")), on("d", None)]);
    assert!(w.said("account team is limited (seen on a) — nothing is typed to b until"), "{:?}", w.events);
    for name in ["b", "c", "d"] {
        w.ask(Verb::Send { name: name.into(), text: format!("hello {name}") });
    }
    w.run(secs(600));
    let heard = |w: &World, n: &str| w.programs[&format!("p-{n}")].submitted.iter().any(|t| t.starts_with("hello"));
    assert!(!heard(&w, "b") && heard(&w, "c") && heard(&w, "d"));
    assert_eq!(w.launches.iter().filter(|(_, s)| s == "p-b").count(), 1, "it is not restarted for being idle");
    w.run(secs(3100));
    assert!(heard(&w, "b"), "{:?}", w.events);
    assert!(w.programs["p-b"].submitted.iter().all(|t| !t.starts_with("watchdog probe")), "it was not limited itself");
}

#[test]
fn one_that_worked_on_is_not_concerned() {
    let mut w = limited(vec![on("a", Some("team")), on("b", Some("team"))]);
    w.program("p-b").reading.active = evidence("active_re");
    w.run(secs(120));
    w.program("p-b").reading.active = None;
    w.ask(Verb::Send { name: "b".into(), text: "hello".into() });
    w.run(secs(60));
    assert_eq!(w.programs["p-b"].submitted, ["hello"]);
}

#[test]
fn a_limit_that_names_no_moment_holds_only_its_own() {
    let mut w = World::new(vec![on("a", Some("team")), on("b", Some("team"))]);
    w.program("p-a").reading.limit = evidence("limit_re");
    w.ask(Verb::Send { name: "b".into(), text: "hello".into() });
    w.run(secs(60));
    assert_eq!(w.programs["p-b"].submitted, ["hello"]);
}

#[test]
fn at_the_reset_they_come_one_after_the_other() {
    let names = ["a", "b", "c", "d"];
    let mut w = World::new(names.iter().map(|n| on(n, Some("team"))).collect());
    let reset = Wall(w.now.wall.0 + 3_600_000);
    for name in names {
        let reading = &mut w.program(&format!("p-{name}")).reading;
        (reading.limit, reading.reset) = (evidence("limit_re"), Some(reset));
    }
    w.run(secs(3800));
    let mut at: Vec<i64> =
        w.events.iter().filter(|e| e.text.starts_with("limit probe #1")).map(|e| (e.at.0 - reset.0) / 1000).collect();
    at.sort_unstable();
    assert_eq!(at.len(), 4);
    assert!(at[0] >= 45 && at.windows(2).all(|p| p[1] - p[0] >= 4) && at[3] <= 65, "{at:?}");
}

#[test]
fn those_held_only_with_their_account_come_back_one_after_the_other_too() {
    // `b` sees the limit; the others share its account, before and after it in the file.
    for goes_on_by_itself in [false, true] {
        let names = ["a", "b", "c", "d"];
        let mut w = World::new(names.iter().map(|n| on(n, Some("team"))).collect());
        w.run(secs(100));
        let reset = Wall(w.now.wall.0 + 3_600_000);
        let reading = &mut w.program("p-b").reading;
        (reading.limit, reading.reset) = (evidence("limit_re"), Some(reset));
        w.run(secs(60));
        for name in ["a", "c", "d"] {
            assert!(w.state.units[&format!("p-{name}")].account_hold.is_some(), "{name}");
            w.ask(Verb::Send { name: name.into(), text: "hello".into() });
        }
        w.run(secs(3541));
        if goes_on_by_itself {
            w.program("p-b").reading = Default::default();
        }
        w.run(secs(200));
        let first = |name: &str| {
            let heard = |e: &&crate::model::event::Event| {
                let probe = e.text.starts_with(&format!("limit probe #1 on {name}"));
                e.agent.as_deref() == Some(name) && (e.kind == EventKind::Delivered || probe)
            };
            w.events.iter().find(heard).map(|e| (e.at.0 - reset.0) / 1000)
        };
        let own: Vec<i64> = ["a", "c", "d"].iter().map(|n| first(n).expect(n)).collect();
        assert!(own[0] >= 45 && own[1] - own[0] >= 8 && own[2] - own[1] >= 4 && own[2] <= 75, "{own:?}");
        if !goes_on_by_itself {
            let limited = first("b").expect("b is probed");
            assert!(limited > own[0] && limited < own[1], "in its place in the file: {limited} {own:?}");
        }
    }
}

#[test]
fn a_limit_that_is_lifted_before_its_reset_is_lifted_for_all() {
    let mut w = limited(vec![on("a", Some("team")), on("b", Some("team"))]);
    w.ask(Verb::Send { name: "b".into(), text: "hello".into() });
    w.run(secs(60));
    assert_eq!(w.typed("p-b"), 0);
    w.program("p-a").reading = Default::default();
    w.run(secs(60));
    assert_eq!(w.programs["p-b"].submitted, ["hello"]);
    assert_eq!(w.count(EventKind::LimitOver), 2, "{:?}", w.events);
}

#[test]
fn a_program_that_goes_on_by_itself_has_its_time_first() {
    let mut w = limited(vec![agent("a")]);
    w.program("p-a").reading.limit.as_mut().unwrap().text = "Continuing Automatically at 5pm".into();
    let mut w2 = limited(vec![agent("a")]);
    w2.run(secs(3650));
    assert_eq!(w2.typed("p-a"), 1);
    w = {
        let reset = w.program("p-a").reading.reset;
        let mut fresh = World::new(vec![agent("a")]);
        fresh.program("p-a").reading = w.program("p-a").reading.clone();
        fresh.program("p-a").reading.reset = reset;
        fresh
    };
    let ahead = (w.program("p-a").reading.reset.unwrap().0 - w.now.wall.0) as u64 / 1000;
    w.run(secs(ahead + 50));
    assert_eq!(w.typed("p-a"), 0);
    w.program("p-a").reading = Default::default();
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(60));
    assert_eq!((w.typed("p-a"), w.count(EventKind::LimitOver)), (0, 1));
}

#[test]
fn a_probe_that_meets_the_limit_again_is_the_same_hold() {
    let mut w = limited(vec![agent("a")]);
    w.program("p-a").reading.reset = None;
    for _ in 0..6 {
        w.run(secs(700));
        // The probe pushed the banner up and it tried; then the service refused it again.
        w.program("p-a").reading.limit = None;
        w.program("p-a").reading.active = evidence("active_re");
        w.run(secs(5));
        w.program("p-a").reading.limit = evidence("limit_re");
        w.program("p-a").reading.active = None;
    }
    assert_eq!((w.count(EventKind::Limited), w.count(EventKind::LimitOver)), (1, 0), "told once");
}

#[test]
fn what_waits_does_not_keep_the_probe_from_being_typed() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.limit = evidence("limit_re");
    w.run(secs(30));
    w.ask(Verb::Send { name: "a".into(), text: "hello".into() });
    w.run(secs(3600));
    assert!(w.programs["p-a"].submitted.iter().filter(|t| t.starts_with("watchdog probe")).count() >= 3);
}

#[test]
fn one_that_leaves_the_account_is_held_no_more() {
    let mut w = limited(vec![on("a", Some("team")), on("b", Some("team"))]);
    assert!(w.state.units["p-b"].account_hold.is_some());
    w.policy.agents[1].account = None;
    w.ask(Verb::Send { name: "b".into(), text: "hello".into() });
    w.run(secs(60));
    assert_eq!(w.programs["p-b"].submitted, ["hello"]);
}

#[test]
fn who_was_held_first_does_not_matter_for_the_turn() {
    let mut w = World::new(vec![on("a", Some("team")), on("b", Some("team"))]);
    w.run(secs(30));
    let reset = Wall(w.now.wall.0 + 3_600_000);
    for name in ["p-b", "p-a"] {
        let reading = &mut w.program(name).reading;
        (reading.limit, reading.reset) = (evidence("limit_re"), Some(reset));
        w.run(secs(60));
    }
    let until = |w: &World, s: &str| w.state.units[s].hold.as_ref().unwrap().until;
    assert!(until(&w, "p-b").since(until(&w, "p-a")) >= secs(4), "one after the other");
}

#[test]
fn a_probe_that_is_being_proved_does_not_make_the_mind_spin() {
    let mut w = limited(vec![agent("a")]);
    w.program("p-a").reading.limit = None;
    w.program("p-a").reading.active = evidence("active_re");
    let now = w.now.boot;
    let hold = w.state.units.get_mut("p-a").and_then(|u| u.hold.as_mut()).unwrap();
    (hold.probes, hold.until, hold.gone) = (1, now, Some(now));
    w.now = w.now.plus(secs(1));
    let decision = w.tick();
    assert!(w.state.units["p-a"].hold.is_some(), "its pause is over, and it is not proved yet");
    assert!(decision.wake_at.since(w.now.boot) > secs(1), "{:?}", decision.wake_at.since(w.now.boot));
}
