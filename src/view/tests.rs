//! The renderers on hand-made fleets.
use super::{
    explain,
    outlook::Standing,
    paint::Paint,
    samples::{agent, policy},
    status::{Inputs, StatusView, Watchdog, status},
    table::{self, Look},
};
use crate::model::{
    host::NoRoom,
    observation::{ExitRecord, PaneObs, PhaseObs},
    reading::Evidence,
    state::*,
    time::{Boot, Now, Wall},
};
use std::{collections::BTreeMap, path::Path};

fn now() -> Now {
    Now { boot: Boot(1_000_000), wall: Wall(1_800_000_000_000), utc_offset_s: 0, ..Now::default() }
}

fn pane(command: &str) -> PaneObs {
    PaneObs {
        pane_id: "%1".into(),
        session_id: "$1".into(),
        pid: 42,
        pid_start: 7,
        dead: false,
        dead_status: None,
        in_mode: false,
        input_off: false,
        activity: 0,
        piped: true,
        command: command.into(),
        title: String::new(),
        incarnation: Some(1),
        started: None,
    }
}

fn unit(name: &str, life: Life, seen: Seen) -> UnitState {
    // What is not named here has its default, as in a stored row.
    let row = serde_json::json!({"name": name, "session": format!("p-{name}")});
    let mut unit: UnitState = serde_json::from_value(row).expect("a unit");
    unit.wish = Wish::Run;
    unit.life = life;
    unit.restarts.total = 3;
    unit.reason = "because".into();
    unit.since = Wall(now().wall.0 - 60_000);
    unit.sight.state = seen;
    unit
}

const RUNNING: Life = Life::Running { since: Boot(5) };

/// One agent `a` in that shape, with a watchdog or without.
fn view_of(unit: Option<UnitState>, pane_command: Option<&str>, supervised: bool) -> StatusView {
    let policy = policy(vec![agent("a")]);
    let mut state = State::default();
    if let Some(unit) = unit {
        state.units.insert(unit.session.clone(), unit);
    }
    let panes = pane_command.map(|c| ("p-a".to_owned(), pane(c))).into_iter().collect();
    let phase = PhaseObs { index: 0, done: false, source: String::new() };
    status(&Inputs {
        policy: &policy,
        state: &state,
        panes: &panes,
        watchdog: supervised.then(|| Watchdog { running: true, pid: Some(9), ..Watchdog::default() }),
        phase: Some(&phase),
        faults: &[],
        socket: Path::new("/s/tmux.sock"),
        now: now(),
    })
}

fn state_of(view: &StatusView) -> (Standing, String) {
    let text = table::status(view, now(), Look::default());
    let header = text.lines().find(|l| l.contains("AGENT")).unwrap_or_default();
    let at = header.find("STATE").unwrap_or_default();
    let end = header.find("SINCE").unwrap_or_default();
    let row = text.lines().find(|l| l.starts_with(" a ")).unwrap_or_default();
    let cell: String = row.chars().skip(at).take(end - at).collect();
    (view.agents[0].state, cell.trim().to_owned())
}

#[test]
fn the_table_of_a_fleet_that_never_ran() {
    let view = view_of(None, None, false);
    let text = table::status(&view, now(), Look::default());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], " phase: p1 [1/2] plan=plan.md (in progress)");
    let words = |l: &str| l.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(lines[1])[..6], ["AGENT", "KIND", "BACKEND", "MODEL", "WATCH", "STATE"]);
    assert_eq!(words(lines[2])[..6], ["a", "persistent", "claude", "model-p1", "heal+stall", "stopped"]);
    assert_eq!(words(lines[3])[..6], ["web", "service", "-", "-", "-", "stopped"]);
    assert_eq!(words(lines[4])[..6], ["watchdog", "service", "-", "-", "-", "stopped"]);
    assert_eq!(lines.len(), 5);
    assert!(lines[1..].iter().all(|l| l.starts_with(' ')));
}

#[test]
fn every_life_has_its_state_and_words() {
    let running = |seen| view_of(Some(unit("a", RUNNING, seen)), Some("claude"), true);
    assert_eq!(state_of(&running(Seen::Working)), (Standing::Working, "RUNNING [claude] · working".into()));
    assert_eq!(state_of(&running(Seen::Unknown)), (Standing::Unknown, "RUNNING [claude]".into()));
    assert_eq!(state_of(&running(Seen::Waiting)).0, Standing::Waiting);
    assert_eq!(state_of(&running(Seen::Limited)).0, Standing::Limited);
    assert_eq!(state_of(&running(Seen::Fatal)).0, Standing::Fatal);

    let absent = |life| view_of(Some(unit("a", life, Seen::Unknown)), None, true);
    assert_eq!(
        state_of(&absent(Life::Backoff { until: Boot(1_007_500), room: None })),
        (Standing::Backoff, "stopped · backoff, next start in 8s".into())
    );
    let room = NoRoom { why: "9 MB of memory".into(), counted: true, asked: false };
    let waits = absent(Life::Backoff { until: Boot(1_007_500), room: Some(room) });
    assert_eq!(state_of(&waits), (Standing::Backoff, "stopped · no room on the machine, next look in 8s".into()));
    assert_eq!(waits.agents[0].next_action.as_deref(), Some("look-for-room"));
    assert!(
        explain::text(&waits.agents[0], &waits, now(), Paint::Plain).contains("blocker   9 MB of memory; it starts by")
    );
    assert_eq!(state_of(&absent(Life::GaveUp { retry: None })), (Standing::GaveUp, "stopped · gave up".into()));
    assert_eq!(state_of(&absent(Life::Done)), (Standing::Done, "stopped · done".into()));
    assert_eq!(state_of(&absent(RUNNING)), (Standing::Exited, "stopped · gone".into()));
    let starting = Life::Starting { since: Boot(1), deadline: Boot(1_030_000) };
    assert_eq!(state_of(&absent(starting)).0, Standing::Starting);

    let mut paused = unit("a", RUNNING, Seen::Idle);
    paused.wish = Wish::Pause;
    assert_eq!(
        state_of(&view_of(Some(paused), Some("claude"), true)),
        (Standing::Paused, "RUNNING [claude] · paused".into())
    );
    let mut stopped = unit("a", Life::Absent, Seen::Unknown);
    stopped.wish = Wish::Stop;
    stopped.last_exit =
        Some(ExitRecord { incarnation: 1, code: None, signal: Some(15), at: Wall(0), error: None, tree_ended: true });
    assert_eq!(state_of(&view_of(Some(stopped), None, true)), (Standing::Stopped, "stopped".into()));
}

#[test]
fn a_dead_pane_is_not_running() {
    let mut dead = BTreeMap::new();
    dead.insert("p-a".to_owned(), PaneObs { dead: true, ..pane("claude") });
    let policy = policy(vec![agent("a")]);
    let mut state = State::default();
    state.units.insert("p-a".into(), unit("a", RUNNING, Seen::Working));
    let view = status(&Inputs {
        policy: &policy,
        state: &state,
        panes: &dead,
        watchdog: None,
        phase: None,
        faults: &[],
        socket: Path::new("/s"),
        now: now(),
    });
    assert!(!view.agents[0].alive);
    assert_eq!(view.agents[0].state, Standing::Exited);
}

#[test]
fn a_hold_names_the_moment_of_its_probe() {
    let mut held = unit("a", RUNNING, Seen::Limited);
    let until = Wall(now().wall.0 + 3_600_000);
    held.hold = Some(Hold {
        since: now().wall,
        until: Boot(now().boot.0 + 3_600_000),
        until_wall: until,
        reset: None,
        probes: 0,
        pause_ms: 0,
        gone: None,
    });
    let view = view_of(Some(held), Some("claude"), true);
    let clock = until.format_local("%H:%M:%S");
    assert_eq!(state_of(&view).1, format!("RUNNING [claude] · held until {clock}, then probe"));
    assert_eq!(view.agents[0].hold_until.as_deref(), Some(until.rfc3339().as_str()));
    assert_eq!(view.agents[0].next_action.as_deref(), Some("probe"));
    assert_eq!(view.agents[0].next_at, view.agents[0].hold_until);
}

#[test]
fn the_stall_check_is_foreseen() {
    let mut idle = unit("a", RUNNING, Seen::Idle);
    idle.sight.idle_since = Some(Boot(940_000));
    let view = view_of(Some(idle.clone()), Some("claude"), true);
    assert_eq!(state_of(&view).1, "RUNNING [claude] · idle for 60s");
    assert_eq!(view.agents[0].next_action.as_deref(), Some("restart-stalled"));
    assert_eq!(view.agents[0].next_at, Some(Wall(now().wall.0 + 240_000).rfc3339()));

    idle.sight.waiting_until = Some(Wall(now().wall.0 + 1_000));
    let view = view_of(Some(idle), Some("claude"), true);
    assert_eq!(view.agents[0].next_at, Some(Wall(now().wall.0 + 181_000).rfc3339()));
}

#[test]
fn without_a_watchdog_nothing_comes_next() {
    let view = view_of(Some(unit("a", RUNNING, Seen::Fatal)), Some("claude"), false);
    assert_eq!(view.agents[0].next_action, None);
    assert!(view.agents[0].outlook.blocker.as_deref().unwrap_or_default().contains("agents up watchdog"));
}

#[test]
fn the_json_has_the_contracts_fields() {
    let view = view_of(Some(unit("a", RUNNING, Seen::Working)), Some("claude"), true);
    let v = serde_json::to_value(&view).unwrap_or_default();
    type Words = std::collections::BTreeSet<String>;
    let keys = |v: &serde_json::Value| v.as_object().map(|o| o.keys().cloned().collect::<Words>()).unwrap_or_default();
    let expect = |words: &str| words.split_whitespace().map(str::to_owned).collect::<Words>();
    assert_eq!(
        keys(&v),
        expect("v config project_dir session_prefix tmux_socket faults watchdog phase agents services")
    );
    let watchdog = "running pid since last_tick tick_ms guardian restarts last_end last_end_at next_start";
    assert_eq!(keys(&v["watchdog"]), expect(watchdog));
    assert_eq!(keys(&v["phase"]), expect("index count id plan status done"));
    assert_eq!(
        keys(&v["agents"][0]),
        expect(
            "name kind role backend model account session worktree conversation enabled watch alive pid command state since reason dialog \
             evidence error restarts last_exit hold_until next_action next_at"
        )
    );
    assert_eq!(keys(&v["services"][0]), expect("name session alive pid state restarts last_exit"));
    assert_eq!(v["agents"][0]["state"], "working");
    assert_eq!(v["agents"][0]["pid"], 42);
    assert_eq!(v["agents"][0]["restarts"], 3);
}

#[test]
fn outside_text_reaches_no_terminal_raw() {
    let mut bad = unit("a", RUNNING, Seen::Fatal);
    bad.reason = "\x1b]0;x\x07 reason".into();
    bad.sight.evidence = vec![Evidence {
        source: "pane".into(),
        rule: "fatal_re".into(),
        line: 3,
        text: "\x1b[2J gone \u{202e}".into(),
        quoted: false,
    }];
    let view = view_of(Some(bad), Some("\x1b[31mevil"), true);
    let look = Look { detailed: true, ..Look::default() };
    for text in [
        table::status(&view, now(), look),
        explain::text(&view.agents[0], &view, now(), Paint::Plain),
        serde_json::to_string(&view).unwrap_or_default(),
    ] {
        assert!(!text.contains(['\x1b', '\x07', '\u{202e}']), "{text:?}");
    }
    assert_eq!(view.agents[0].error.as_ref().map(|e| e.text.contains("gone")), Some(true));
}

#[test]
fn a_narrow_terminal_wraps_and_colour_adds_no_width() {
    let view = view_of(Some(unit("a", RUNNING, Seen::Waiting)), Some("claude"), true);
    let narrow = Look { width: Some(70), ..Look::default() };
    let text = table::status(&view, now(), narrow);
    assert!(text.lines().all(|l| l.chars().count() <= 70), "{text}");
    let header = text.lines().nth(1).unwrap_or_default();
    let words: Vec<&str> = header.split_whitespace().collect();
    assert_eq!(
        words,
        ["AGENT", "KIND", "BACKEND", "MODEL", "WATCH", "STATE"],
        "the least important columns go first: {text}"
    );
    let mut long = view.clone();
    long.agents[0].name = "n".repeat(60);
    assert!(table::status(&long, now(), narrow).contains(&format!(" {}  claude", "n".repeat(33))), "not the state");
    let colour = Look { paint: Paint::Colour, ..Look::default() };
    let painted = table::status(&view, now(), colour);
    assert!(painted.contains("\x1b[33mRUNNING\x1b[0m [claude]"), "{painted:?}");
}

#[test]
fn explain_says_state_evidence_next_and_blocker() {
    let view = view_of(Some(unit("a", RUNNING, Seen::Waiting)), Some("claude"), true);
    let text = explain::text(&view.agents[0], &view, now(), Paint::Plain);
    assert!(text.starts_with("a: waiting for 60s"), "{text}");
    assert!(text.contains("  why       because\n"), "{text}");
    assert!(text.contains("  blocker   it asks a question; answer it with `agents attach a`\n"), "{text}");
    let v = serde_json::to_value(explain::explanation(&view.agents[0])).unwrap_or_default();
    assert_eq!(v["state"], "waiting");
    assert_eq!(v["next_action"], serde_json::Value::Null);
}

#[test]
fn how_the_last_run_ended_is_said_but_not_that_of_an_older_one() {
    let mut ended = unit("a", Life::Absent, Seen::Unknown);
    ended.incarnation = 2;
    ended.reason = "could not be started: no such folder".into();
    let exit = |incarnation| {
        Some(ExitRecord { incarnation, code: Some(3), signal: None, at: Wall(0), error: None, tree_ended: true })
    };
    ended.last_exit = exit(2);
    assert_eq!(
        state_of(&view_of(Some(ended.clone()), None, true)),
        (Standing::Exited, "stopped · exited with 3".into())
    );
    ended.last_exit = exit(1);
    let text = "stopped · could not be started: no such folder";
    assert_eq!(state_of(&view_of(Some(ended.clone()), None, true)), (Standing::Exited, text.into()));
    ended.life = RUNNING;
    assert_eq!(state_of(&view_of(Some(ended), None, true)), (Standing::Exited, "stopped · gone".into()));
}
