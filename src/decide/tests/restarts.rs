//! Starting, dying, coming back (G1, G2), stopping, one-shots, storms.
use super::world::*;
use crate::{
    decide::restart::{Verdict, delay, verdict},
    model::{
        action::Action,
        event::EventKind,
        observation::ServerObs,
        policy::*,
        request::{Answer, Verb},
        state::{Life, Restarts},
        time::{Boot, Now},
    },
};

#[test]
fn g2_every_delay_of_the_schedule() {
    let rules = Watchdog { restart_burst: 100, restart_window: secs(1 << 20), ..watchdog() };
    let now = Now { boot: Boot(50_000_000), ..Now::default() };
    for (n, seconds) in [
        (1, 1.0),
        (2, 2.0),
        (3, 4.0),
        (4, 8.0),
        (5, 16.0),
        (6, 32.0),
        (7, 64.0),
        (8, 128.0),
        (9, 256.0),
        (10, 300.0),
        (40, 300.0),
    ] {
        let past = Restarts { recent: vec![Boot(49_000_000); n], total: n as u32, ..Restarts::default() };
        let Verdict::After(d) = verdict(&past, &rules, "p-a", now) else { panic!("{n}") };
        let exact = d.as_secs_f64();
        assert!((0.9 * seconds..=1.1 * seconds).contains(&exact), "restart {n}: {exact}");
    }
    assert_eq!(verdict(&Restarts::default(), &rules, "p-a", now), Verdict::After(secs(0)));
    assert_eq!(delay(31, &rules), secs(300));
}

#[test]
fn g1_a_crash_loop_gives_up_then_tries_slowly() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(1));
    assert_eq!(w.launches.len(), 1);
    for _ in 0..40 {
        if matches!(w.life("p-a"), Life::Running { .. }) {
            w.crash("p-a");
        }
        w.run(secs(20));
    }
    // The first start, five restarts, and nothing more until the slow retry.
    assert_eq!(w.launches.len(), 6);
    assert_eq!(w.count(EventKind::GaveUp), 1);
    assert!(matches!(w.life("p-a"), Life::GaveUp { .. }));
    let delays: Vec<f64> = w.launches.windows(2).map(|p| p[1].0.since(p[0].0).as_secs_f64()).collect();
    assert!(delays[0] <= 1.0 && delays.iter().all(|d| *d < 30.0), "{delays:?}");
    while w.launches.len() == 6 {
        w.run(secs(30));
        assert!(w.now.boot < Boot(4_000_000), "one try every half hour");
    }
    w.crash("p-a");
    w.run(secs(600));
    assert_eq!(w.launches.len(), 7);
    assert_eq!(w.events.iter().filter(|e| e.kind == EventKind::GaveUp && e.alert).count(), 1, "one alert");
    w.up(&["a"]);
    w.run(secs(1));
    assert_eq!(w.launches.len(), 8, "`up` clears it");
    assert!(!w.state.units["p-a"].restarts.gave_up);
}

#[test]
fn a_unit_that_ran_for_ten_minutes_restarts_at_once() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.active = evidence("active_re");
    for _ in 0..10 {
        w.run(secs(700));
        let before = w.now.boot;
        w.crash("p-a");
        w.run(secs(1));
        assert!(w.launches.last().unwrap().0.since(before) < secs(1));
    }
    assert_eq!(w.count(EventKind::GaveUp), 0);
}

#[test]
fn a_stopped_agent_stays_stopped_until_up() {
    let mut w = World::new(vec![agent("a"), agent("b")]);
    w.run(secs(1));
    w.ask(Verb::Down { names: vec!["a".into()] });
    w.run(secs(3600));
    assert!(matches!(w.life("p-a"), Life::Absent));
    assert!(matches!(w.life("p-b"), Life::Running { .. }));
    let before = w.launches.len();
    w.up(&["a"]);
    w.run(secs(1));
    assert_eq!(w.launches.len(), before + 1);
}

#[test]
fn a_paused_agent_is_neither_healed_nor_typed_to() {
    let mut a = agent("a");
    a.wake = Some(Wake { interval: secs(60), prompt_file: "/p/w.md".into() });
    let mut w = World::new(vec![a]);
    w.run(secs(1));
    w.ask(Verb::Pause { names: vec!["a".into()] });
    w.run(secs(600));
    assert_eq!(w.typed("p-a"), 0);
    w.crash("p-a");
    w.run(secs(600));
    assert_eq!(w.launches.len(), 1);
    w.ask(Verb::Resume { names: vec!["a".into()] });
    w.run(secs(60));
    assert_eq!(w.launches.len(), 2);
}

#[test]
fn a_one_shot_is_done_with_0_and_restarted_with_1() {
    let mut task = agent("t");
    task.kind = Kind::Task;
    let mut w = World::new(vec![task]);
    w.run(secs(1));
    w.crash("p-t");
    w.run(secs(1));
    assert_eq!(w.launches.len(), 2);
    w.exit("p-t", 2, Some(0), None);
    w.run(secs(7200));
    assert_eq!(w.launches.len(), 2);
    assert_eq!(*w.life("p-t"), Life::Done);
    w.up(&["t"]);
    w.run(secs(1));
    assert_eq!(w.launches.len(), 3);
}

#[test]
fn g10_a_storm_pauses_every_restart_and_alerts_once() {
    let names: Vec<String> = (0..30).map(|i| format!("a{i}")).collect();
    let mut w = World::new(names.iter().map(|n| agent(n)).collect());
    w.run(secs(1));
    assert_eq!(w.launches.len(), 30, "a first start is no restart");
    for n in &names {
        w.program(&format!("p-{n}")).reading.active = evidence("active_re");
        w.crash(&format!("p-{n}"));
    }
    w.run(secs(50));
    assert_eq!(w.launches.len(), 40);
    assert_eq!(w.count(EventKind::Storm), 1);
    w.run(secs(600));
    assert_eq!(w.launches.len(), 60, "all are back in the end");
}

#[test]
fn g20_the_death_of_the_server_is_one_incident_and_not_counted() {
    let names: Vec<String> = (0..20).map(|i| format!("a{i}")).collect();
    let mut w = World::new(names.iter().map(|n| agent(n)).collect());
    w.run(secs(1));
    w.obs.server = ServerObs::Down;
    w.obs.panes.clear();
    w.obs.lingering = names.iter().take(3).map(|n| format!("p-{n}")).collect();
    w.tick();
    assert_eq!(w.count(EventKind::ServerLost), 1);
    w.obs.server = ServerObs::Up { pid: 8 };
    w.tick();
    assert_eq!(w.launches.len(), 37, "those whose processes still live wait");
    w.obs.lingering.clear();
    w.run(secs(2));
    assert_eq!(w.launches.len(), 40);
    assert_eq!(w.count(EventKind::ServerLost), 1);
    assert!(w.state.units.values().all(|u| u.restarts.total == 0));
}

#[test]
fn a_server_that_does_not_answer_is_no_death() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.obs.server = ServerObs::Unresponsive;
    let panes = std::mem::take(&mut w.obs.panes);
    w.run(secs(600));
    assert_eq!(w.launches.len(), 1);
    w.obs.server = ServerObs::Up { pid: 7 };
    w.obs.panes = panes;
    w.run(secs(600));
    assert_eq!(w.count(EventKind::Gone), 0);
}

#[test]
fn fault_16_nothing_is_started_while_the_server_does_not_answer() {
    let mut w = World::new(vec![agent("a"), agent("b")]);
    w.run(secs(1));
    w.obs.server = ServerObs::Unresponsive;
    w.tick();
    w.obs.panes.clear();
    w.exit("p-a", 1, Some(1), None);
    w.exit("p-b", 1, None, Some(15));
    w.ask(Verb::Restart { names: vec!["b".into()] });
    w.run(secs(60));
    assert_eq!(w.launches.len(), 2, "{:?}", w.launches);
    w.obs.server = ServerObs::Up { pid: 7 };
    w.run(secs(5));
    assert_eq!(w.launches.len(), 4, "both are started once it answers: {:?}", w.launches);
}

#[test]
fn fault_16_a_start_is_refused_while_the_server_does_not_answer() {
    let mut w = World::new(vec![agent("a"), agent("b")]);
    w.run(secs(1));
    w.ask(Verb::Down { names: vec!["b".into()] });
    w.run(secs(20));
    w.obs.server = ServerObs::Unresponsive;
    w.run(secs(1));
    let answer = |w: &mut World| {
        w.run(secs(1));
        match w.actions.iter().rev().find(|a| matches!(a, Action::Answer { .. })) {
            Some(Action::Answer { answer, .. }) => answer.clone(),
            other => panic!("{other:?}"),
        }
    };
    w.up(&["a", "b"]);
    let denied = answer(&mut w);
    assert!(matches!(&denied, Answer::Denied { text } if text.contains("does not answer")), "{denied:?}");
    w.up(&["a"]);
    assert!(matches!(answer(&mut w), Answer::Accepted { .. }), "it runs");
    w.obs.server = ServerObs::Up { pid: 7 };
    w.run(secs(60));
    assert_eq!(w.launches.len(), 2, "what was refused is not done later: {:?}", w.launches);
}

#[test]
fn a_server_that_ends_between_down_and_up_is_nobodys_loss() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.ask(Verb::Down { names: vec!["a".into()] });
    w.run(secs(20));
    w.obs.server = ServerObs::Up { pid: 99 };
    w.up(&["a"]);
    w.run(secs(20));
    assert_eq!(w.count(EventKind::ServerLost), 0);
    assert_eq!(w.launches.len(), 2);
}

#[test]
fn fault_02_a_restart_that_cannot_be_prepared_ends_nothing() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.refuse_prepare = true;
    w.ask(Verb::Restart { names: vec!["a".into()] });
    w.run(secs(5));
    assert!(matches!(w.life("p-a"), Life::Running { .. }));
    assert!(w.obs.panes.contains_key("p-a"));
    assert!(w.said("it is left as it is"));
}

#[test]
fn an_unsupervised_pass_touches_only_what_it_was_asked_for() {
    let mut w = World::new(vec![agent("a"), agent("b")]);
    w.supervised = false;
    w.up(&["a"]);
    w.run(secs(60));
    assert_eq!(w.launches.len(), 1);
    w.crash("p-a");
    w.run(secs(60));
    assert_eq!(w.launches.len(), 1);
}

#[test]
fn g26_a_clock_that_jumps_restarts_nobody() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(60));
    for jump in [86_400_000i64, -2 * 86_400_000] {
        w.now.wall.0 += jump;
        w.run(secs(600));
    }
    assert_eq!(w.launches.len(), 1);
}

#[test]
fn after_a_suspend_there_is_one_tick_and_no_storm() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(60));
    w.now = w.now.plus(secs(8 * 3600));
    let d = w.tick();
    assert!(d.actions.is_empty());
    assert!(d.wake_at > w.now.boot);
}

#[test]
fn a_removed_agent_is_stopped_and_forgotten() {
    let mut w = World::new(vec![agent("a"), agent("b")]);
    w.run(secs(1));
    w.policy.agents.pop();
    w.run(secs(60));
    assert!(!w.obs.panes.contains_key("p-b"));
    assert!(!w.state.units.contains_key("p-b"));
    assert!(w.said("no longer in the config"));
    assert!(matches!(w.life("p-a"), Life::Running { .. }));
}

#[test]
fn g19_a_start_that_a_killed_engine_never_sent_is_sent_once() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    assert_eq!(w.launches.len(), 1);
    let pane = w.obs.panes.remove("p-a");
    // As the engine finds it when it takes over.
    let taken_over = |w: &World| Life::Starting { since: w.now.boot, deadline: w.now.after(secs(1)) };
    w.state.units.get_mut("p-a").unwrap().life = taken_over(&w);
    w.run(secs(5));
    assert_eq!((w.launches.len(), w.count(EventKind::LaunchFailed)), (2, 0));
    assert!(matches!(w.life("p-a"), Life::Running { .. }));
    assert_eq!(w.state.units["p-a"].restarts.total, 0, "it is nobody's fault");
    // One that was sent is simply seen.
    assert!(pane.is_some());
    w.state.units.get_mut("p-a").unwrap().life = taken_over(&w);
    w.run(secs(5));
    assert_eq!(w.launches.len(), 2);
}

#[test]
fn a_pane_whose_program_is_over_is_not_adopted() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    let pane = w.obs.panes["p-a"].clone();
    let incarnation = w.state.units["p-a"].incarnation;
    w.ask(Verb::Down { names: vec!["a".into()] });
    w.run(secs(5));
    assert!(matches!(w.life("p-a"), Life::Absent));
    // tmux is not as fast as the record of the end.
    w.exit("p-a", incarnation, Some(0), None);
    w.obs.panes.insert("p-a".into(), crate::model::observation::PaneObs { incarnation: Some(incarnation), ..pane });
    w.run(secs(2));
    assert!(matches!(w.life("p-a"), Life::Absent), "{:?}", w.life("p-a"));
    assert_eq!(w.launches.len(), 1);
}

#[test]
fn a_fault_is_told_once_and_forgotten_once_it_is_mended() {
    let mut w = World::new(vec![agent("a"), agent("b")]);
    let alerts = |w: &World| w.events.iter().filter(|e| e.text.contains("is disabled")).count();
    w.policy.agents[0].fault = Some("no prompt".into());
    w.policy.warnings = vec!["a key nobody knows".into()];
    w.run(secs(100));
    assert_eq!((alerts(&w), w.state.fleet.alerted.len()), (1, 2));
    w.policy.agents[0].fault = None;
    w.run(secs(100));
    assert_eq!(w.state.fleet.alerted.len(), 1);
    w.policy.agents[0].fault = Some("no prompt".into());
    w.run(secs(100));
    assert_eq!(alerts(&w), 2, "it came again");
    w.policy.agents.remove(0);
    w.policy.warnings.clear();
    w.run(secs(100));
    assert!(w.state.fleet.alerted.is_empty(), "gone with its agent: {:?}", w.state.fleet.alerted);
}
