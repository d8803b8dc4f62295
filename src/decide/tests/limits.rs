//! The usage-limit hold.
use super::world::*;
use crate::model::{event::EventKind, state::Life, time::Wall};

fn limited() -> World {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.limit = evidence("limit_re");
    w
}

#[test]
fn held_until_the_banner_s_reset_and_the_slack_then_probed() {
    let mut w = limited();
    let reset = Wall(w.now.wall.0 + 3_600_000);
    w.program("p-a").reading.reset = Some(reset);
    w.run(secs(3_500));
    assert_eq!(w.typed("p-a"), 0);
    assert_eq!(w.count(EventKind::Limited), 1);
    w.run(secs(100 + 45 + 5));
    assert_eq!(w.typed("p-a"), 1);
    assert!(w.program("p-a").submitted[0].starts_with("watchdog probe: if the quota window has reset, RESUME now"));
    w.program("p-a").reading.limit = None;
    w.run(secs(60));
    assert!(w.said("limit lifted on a"));
    assert!(w.state.units["p-a"].hold.is_none());
}

#[test]
fn the_reset_that_a_menu_named_holds_after_the_menu_was_answered() {
    let mut w = limited();
    let reset = Wall(w.now.wall.0 + 3_600_000);
    w.program("p-a").reading.reset = Some(reset);
    w.run(secs(60));
    // The menu closes; what it leaves behind comes a moment later and names no reset.
    w.program("p-a").reading = Default::default();
    w.run(secs(3));
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(3));
    w.program("p-a").reading.active = None;
    w.program("p-a").reading.limit = evidence("limit_re");
    w.run(secs(3_400));
    assert_eq!(
        (w.typed("p-a"), w.count(EventKind::Limited), w.count(EventKind::LimitOver)),
        (0, 1, 0),
        "{:?}",
        w.events
    );
    w.run(secs(200));
    assert_eq!(w.typed("p-a"), 1, "probed after the reset that the menu had named");
    // One whose banner stays away is past its limit before that.
    let mut w = limited();
    w.program("p-a").reading.reset = Some(reset);
    w.run(secs(60));
    w.program("p-a").reading = Default::default();
    w.run(secs(60));
    assert_eq!(w.count(EventKind::LimitOver), 1);
}

#[test]
fn a_reset_that_is_named_only_at_a_later_look_counts() {
    let mut w = limited();
    w.run(secs(5));
    let reset = Wall(w.now.wall.0 + 3_600_000);
    w.program("p-a").reading.reset = Some(reset);
    w.run(secs(120));
    w.program("p-a").reading.reset = None;
    w.run(secs(3_480));
    assert_eq!(w.typed("p-a"), 0);
    w.run(secs(60));
    assert_eq!((w.typed("p-a"), w.count(EventKind::Limited)), (1, 1));
}

#[test]
fn fault_03_probes_go_on_for_ever_with_a_growing_pause() {
    let mut w = limited();
    w.run(secs(24 * 3600));
    let probes: Vec<_> =
        w.events.iter().filter(|e| e.text.starts_with("limit probe #")).map(|e| e.at.0 / 1000).collect();
    assert!((90..=100).contains(&probes.len()), "{}", probes.len());
    let pauses: Vec<i64> = probes.windows(2).map(|p| p[1] - p[0]).collect();
    assert!((295..=310).contains(&pauses[0]), "{pauses:?}");
    assert!((595..=615).contains(&pauses[1]), "{pauses:?}");
    assert!(pauses[2..].iter().all(|p| (895..=920).contains(p)), "{pauses:?}");
    assert_eq!(w.launches.len(), 1, "never rebooted");
    assert!(w.said("WARNING: a still limited after 3 probes"));
    assert_eq!(w.program("p-a").submitted.len(), probes.len());
}

#[test]
fn g28_every_hold_wakes_up_in_bounded_time() {
    for ahead in [-3_600_000i64, -1, 0, 1, 60_000, 6 * 3_600_000, 7 * 3_600_000, 400 * 86_400_000] {
        let mut w = limited();
        let reset = Wall(w.now.wall.0 + ahead);
        w.program("p-a").reading.reset = Some(reset);
        w.run(secs(30));
        let hold = w.state.units["p-a"].hold.clone().unwrap();
        let wait = hold.until.since(w.now.boot);
        assert!(wait <= secs(6 * 3600 + 120), "{ahead}: {wait:?}");
    }
}

#[test]
fn fault_25_words_of_our_own_prompt_hold_nobody() {
    let mut w = limited();
    w.program("p-a").reading.limit.as_mut().unwrap().quoted = true;
    w.program("p-a").reading.fatal = evidence("fatal_re");
    w.program("p-a").reading.fatal.as_mut().unwrap().quoted = true;
    w.program("p-a").reading.active = None;
    w.run(secs(250));
    assert_eq!(w.count(EventKind::Limited), 0);
    assert_eq!(w.launches.len(), 1);
}

#[test]
fn a_held_agent_is_not_stalled_not_healed_and_hears_nothing_but_the_probe() {
    let mut w = limited();
    w.program("p-a").reading.fatal = evidence("fatal_re");
    w.run(secs(30));
    w.ask(crate::model::request::Verb::Send { name: "a".into(), text: "hello".into() });
    w.run(secs(3600));
    assert_eq!(w.launches.len(), 1);
    assert!(w.program("p-a").submitted.iter().all(|t| t.starts_with("watchdog probe")));
    w.program("p-a").reading = Default::default();
    w.run(secs(60));
    assert_eq!(w.program("p-a").submitted.last().unwrap(), "hello");
}

#[test]
fn a_probe_waits_behind_a_dialog_and_does_not_pile_up() {
    let mut w = limited();
    w.run(secs(30));
    w.program("p-a").reading.waiting = evidence("waiting_re");
    w.run(secs(7200));
    assert_eq!(w.typed("p-a"), 0);
    assert_eq!(w.state.deliveries.len(), 1);
    assert_eq!(w.count(EventKind::Waiting), 1, "told once");
    assert!(matches!(w.life("p-a"), Life::Running { .. }));
}
