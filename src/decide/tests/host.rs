//! Starts on a machine that has no room.
use super::world::*;
use crate::{
    decide::starts_near,
    model::{
        event::EventKind,
        host::{HostObs, HostRules},
        observation::{ExitRecord, Observation},
        policy::{Agent, Watch},
        request::Verb,
        state::{Life, Wish},
        time::Wall,
    },
};
use std::time::Duration;

const MB: u64 = 1_000_000;

fn world(agents: Vec<Agent>, memory: u64) -> World {
    let mut w = World::new(agents);
    w.policy.host = HostRules { min_memory: 200 * MB, min_disk: 100 * MB, max_load: 4.0, retry: secs(15) };
    w.obs.host = Some(has(memory, 500));
    w
}

/// Millions of bytes of memory, and on the disk of the logs.
fn has(memory: u64, disk: u64) -> HostObs {
    HostObs {
        memory: Some(memory * if memory < 1000 { MB } else { 1 }),
        load: Some(1.0),
        disks: [("/p/.agents".into(), disk * MB)].into(),
    }
}

fn told(w: &World, kind: EventKind) -> Vec<(String, bool)> {
    w.events.iter().filter(|e| e.kind == kind).map(|e| (e.text.clone(), e.alert)).collect()
}

fn waits(w: &World, session: &str) -> bool {
    matches!(w.life(session), Life::Backoff { room: Some(_), .. })
}

#[test]
fn a_start_waits_for_memory_says_so_once_and_goes_on_by_itself() {
    let mut w = world(vec![agent("a"), agent("b")], 150);
    w.run(secs(120));
    assert!(w.launches.is_empty() && waits(&w, "p-a") && waits(&w, "p-b"));
    let low = told(&w, EventKind::HostLow);
    assert_eq!(low.len(), 2, "{low:?}");
    assert_eq!(
        low[0].0,
        "a (p-a) waits: 150 MB of memory available, `min_memory` of [host] is 200 MB — it starts as soon as there is room"
    );
    assert_eq!([low[0].1, low[1].1], [true, false], "one alert, however many wait");
    assert!(w.state.units["p-a"].reason.starts_with("no room: 150 MB"));
    w.obs.host = Some(has(300, 500));
    w.run(secs(16));
    assert_eq!(w.launches.len(), 2);
    assert_eq!(told(&w, EventKind::HostOk).len(), 2);
    assert!(w.state.fleet.alerted.is_empty(), "the next time it is told again");
    assert_eq!(w.state.units["p-a"].restarts.total, 0, "a first start is no restart");
}

#[test]
fn a_restart_waits_too_and_what_runs_is_left_alone() {
    let mut w = world(vec![agent("a"), agent("b")], 300);
    w.run(secs(30));
    assert_eq!(w.launches.len(), 2);
    w.obs.host = Some(HostObs { load: Some(9.5), ..has(300, 500) });
    w.crash("p-a");
    w.run(secs(40));
    assert_eq!(w.launches.len(), 2);
    assert!(waits(&w, "p-a") && matches!(w.life("p-b"), Life::Running { .. }));
    assert!(told(&w, EventKind::HostLow)[0].0.contains("a load of 9.5 for each core, `max_load` of [host] is 4"));
    w.obs.host = Some(has(300, 500));
    w.run(secs(20));
    assert_eq!(w.launches.len(), 3);
    assert_eq!((w.state.units["p-a"].restarts.total, w.state.units["p-a"].restarts.recent.len()), (1, 1));
}

#[test]
fn a_full_disk_holds_what_is_new_and_not_what_ran() {
    let mut w = world(vec![agent("a"), agent("b")], 300);
    w.ask(Verb::Down { names: vec!["b".into()] });
    w.run(secs(30));
    w.obs.host = Some(has(300, 20));
    w.crash("p-a");
    w.up(&["b"]);
    w.run(secs(30));
    assert!(matches!(w.life("p-a"), Life::Running { .. }) && waits(&w, "p-b"), "{:?}", w.life("p-a"));
    assert!(told(&w, EventKind::HostLow)[0].0.contains("20 MB free on the disk of /p/.agents, `min_disk` of [host]"));
}

#[test]
fn who_was_asked_for_is_not_forgotten_and_who_was_stopped_is() {
    let unwatched = Agent { watch: Watch::None, ..agent("a") };
    let mut w = world(vec![unwatched], 150);
    w.supervised = false;
    w.up(&["a"]);
    w.tick();
    assert!(waits(&w, "p-a"));
    // A watchdog takes over.
    w.supervised = true;
    w.run(secs(60));
    assert!(w.launches.is_empty() && waits(&w, "p-a"));
    // Who asks again is answered again, without another alert.
    w.up(&["a"]);
    w.tick();
    assert_eq!(told(&w, EventKind::HostLow).iter().map(|(_, alert)| *alert).collect::<Vec<_>>(), [true, false]);
    w.ask(Verb::Pause { names: vec!["a".into()] });
    w.obs.host = Some(has(300, 500));
    w.run(secs(60));
    assert!(w.launches.is_empty() && waits(&w, "p-a"), "a paused one is not started");
    w.ask(Verb::Resume { names: vec!["a".into()] });
    w.run(secs(16));
    assert_eq!(w.launches.len(), 1);

    let mut w = world(vec![agent("a")], 150);
    w.run(secs(20));
    w.ask(Verb::Down { names: vec!["a".into()] });
    w.obs.host = Some(has(300, 500));
    w.run(secs(60));
    assert!(w.launches.is_empty() && *w.life("p-a") == Life::Absent && w.state.units["p-a"].wish == Wish::Stop);
}

#[test]
fn what_cannot_be_found_out_holds_nobody_up() {
    let mut w = world(vec![agent("a")], 0);
    w.obs.host = Some(HostObs::default());
    w.run(secs(5));
    assert_eq!(w.launches.len(), 1);
}

#[test]
fn the_machine_is_looked_at_only_when_a_start_is_near() {
    let mut w = world(vec![agent("a"), agent("b")], 300);
    let near = |w: &World, obs: &Observation| starts_near(obs, &w.state, &w.policy, w.now).len();
    assert_eq!(near(&w, &w.obs), 1, "nobody was ever started, both in one folder");
    w.run(secs(60));
    assert_eq!(near(&w, &w.obs), 0, "all run");
    assert_eq!(near(&w, &Observation::default()), 0, "nothing was looked at");
    let mut gone = w.obs.clone();
    gone.panes.remove("p-b");
    assert_eq!(near(&w, &gone), 1);
    let mut exit = w.obs.clone();
    let record = ExitRecord { incarnation: 1, code: Some(1), signal: None, at: Wall(0), error: None, tree_ended: true };
    exit.exits.insert("p-a".into(), record);
    assert_eq!(near(&w, &exit), 1);
    w.ask(Verb::Down { names: vec!["a".into(), "b".into()] });
    w.run(Duration::from_secs(60));
    assert_eq!(near(&w, &w.obs), 0, "what was stopped stays stopped");
}
