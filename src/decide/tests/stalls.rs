//! Stall, markers, fatal, mismatch.
use super::world::*;
use crate::model::{event::EventKind, policy::Watch, state::Life, time::Wall};

#[test]
fn idle_for_stall_idle_is_restarted_once_confirmed() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(320));
    assert_eq!(w.count(EventKind::Stalled), 0, "the clock starts after the start");
    w.run(secs(40));
    assert_eq!(w.count(EventKind::Stalled), 1);
    assert!(w.said("with no WAITING-UNTIL marker — kill + reboot"));
    assert_eq!(w.launches.len(), 2);
}

#[test]
fn fault_24_a_screen_that_moves_is_no_stall() {
    let mut w = World::new(vec![agent("a")]);
    for i in 0..20_000 {
        w.program("p-a").reading.screen = i;
        w.run(std::time::Duration::from_millis(100));
    }
    assert_eq!(w.count(EventKind::Stalled), 0);
}

#[test]
fn an_activity_between_restarts_the_clock() {
    let mut w = World::new(vec![agent("a")]);
    for _ in 0..10 {
        w.run(secs(200));
        w.program("p-a").reading.active = evidence("active_re");
        w.run(secs(60));
        w.program("p-a").reading.active = None;
    }
    assert_eq!(w.launches.len(), 1);
}

#[test]
fn fault_07_an_expired_marker_needs_idleness_and_is_no_storm() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.waiting_until = Some(Wall(w.now.wall.0 + 600_000));
    w.run(secs(600 + 170));
    assert_eq!(w.launches.len(), 1, "within the grace");
    w.run(secs(60));
    assert_eq!(w.count(EventKind::Stalled), 1);
    assert!(w.said("past its WAITING-UNTIL by"));
    // The same screen again after the restart: bounded by the budget, never every tick.
    w.run(secs(3600));
    assert!(w.launches.len() <= 7, "{}", w.launches.len());
}

#[test]
fn a_marker_in_the_future_keeps_an_idle_agent() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.waiting_until = Some(Wall(w.now.wall.0 + 86_400_000));
    w.run(secs(80_000));
    assert_eq!(w.launches.len(), 1);
}

#[test]
fn a_dialog_is_no_stall_and_told_once_each_time() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.waiting = evidence("waiting_re");
    w.run(secs(3600));
    assert_eq!((w.launches.len(), w.count(EventKind::Waiting)), (1, 1));
    w.program("p-a").reading.waiting = None;
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(60));
    w.program("p-a").reading.waiting = evidence("waiting_re");
    w.run(secs(60));
    assert_eq!(w.count(EventKind::Waiting), 2);
}

#[test]
fn fatal_needs_two_equal_looks_and_no_activity() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(301));
    w.program("p-a").reading.fatal = evidence("fatal_re");
    w.run(secs(600));
    assert_eq!(w.count(EventKind::Fatal), 0, "it works");
    w.program("p-a").reading.active = None;
    w.run(secs(301));
    assert_eq!(w.count(EventKind::Fatal), 1);
    assert_eq!(w.launches.len(), 2);
}

#[test]
fn a_fatal_screen_is_restarted_within_the_budget() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.fatal = evidence("fatal_re");
    w.policy.watchdog.heavy_interval = secs(1);
    w.policy.watchdog.signal_interval = secs(1);
    w.run(secs(590));
    assert!(w.launches.len() <= 6, "{}", w.launches.len());
    assert!(matches!(w.life("p-a"), Life::Running { .. }), "alive, and left alone");
}

#[test]
fn another_backend_s_program_is_a_mismatch_a_shell_is_not() {
    let mut other = super::world::backend();
    other.name = "codex".into();
    other.process_name = Some("codex".into());
    let mut w = World::new(vec![agent("a")]);
    w.policy.backends.push(std::sync::Arc::new(other));
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(10));
    w.obs.panes.get_mut("p-a").unwrap().command = "bash".into();
    w.run(secs(600));
    assert_eq!(w.count(EventKind::Mismatch), 0);
    w.obs.panes.get_mut("p-a").unwrap().command = "codex".into();
    w.run(secs(310));
    assert_eq!(w.count(EventKind::Mismatch), 1);
    assert!(w.said("is 'codex', expected claude — kill + restart"));
}

#[test]
fn watch_heal_never_stalls_and_watch_none_is_left_alone() {
    let mut heal = agent("h");
    heal.watch = Watch::Heal;
    let mut none = agent("n");
    none.watch = Watch::None;
    let mut w = World::new(vec![heal, none]);
    w.up(&["n"]);
    w.run(secs(7200));
    assert_eq!(w.launches.len(), 2);
    w.crash("p-n");
    w.run(secs(7200));
    assert_eq!(w.launches.len(), 2);
}
