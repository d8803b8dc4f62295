//! Random trouble in virtual time: whatever happens, the promises hold. The seed of a failing run is printed by proptest
//! and shrunk to the shortest story.
use super::world::*;
use crate::model::{
    action::Action,
    host::HostObs,
    observation::ServerObs,
    policy::{StallAction, Wake},
    request::Verb,
    state::{Life, State, Wish},
};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

#[derive(Clone, Debug)]
enum Trouble {
    Wait(u64),
    Crash(usize),
    Screen(usize, Shown),
    Down(usize),
    Up(usize),
    Pause(usize),
    Resume(usize),
    Restart(usize),
    Send(usize),
    /// The supervisor is killed and comes back with what it had saved.
    Reborn,
    ServerDies,
    ServerHangs(u64),
    WallJump(i64),
    Deaf(usize, u32),
    FullDisk(bool),
    /// The machine is short of memory.
    NoRoom(bool),
    /// A fault of this program shows with this one, once.
    Broken(usize),
    /// Starts of this one cannot be prepared.
    Unprepared(usize, bool),
}

#[derive(Clone, Copy, Debug)]
enum Shown {
    Idle,
    Busy,
    Limited,
    Asking,
    Fatal,
}

const AGENTS: usize = 3;

fn trouble() -> impl Strategy<Value = Trouble> {
    let who = 0..AGENTS;
    let shown = prop_oneof![
        Just(Shown::Idle),
        Just(Shown::Busy),
        Just(Shown::Limited),
        Just(Shown::Asking),
        Just(Shown::Fatal)
    ];
    prop_oneof![
        4 => (1u64..400).prop_map(Trouble::Wait),
        3 => who.clone().prop_map(Trouble::Crash),
        4 => (who.clone(), shown).prop_map(|(w, s)| Trouble::Screen(w, s)),
        1 => who.clone().prop_map(Trouble::Down),
        2 => who.clone().prop_map(Trouble::Up),
        1 => who.clone().prop_map(Trouble::Pause),
        1 => who.clone().prop_map(Trouble::Resume),
        1 => who.clone().prop_map(Trouble::Restart),
        3 => who.clone().prop_map(Trouble::Send),
        2 => Just(Trouble::Reborn),
        1 => Just(Trouble::ServerDies),
        1 => (1u64..60).prop_map(Trouble::ServerHangs),
        1 => (-100_000_000i64..100_000_000).prop_map(Trouble::WallJump),
        1 => (who.clone(), 0u32..5).prop_map(|(w, n)| Trouble::Deaf(w, n)),
        2 => who.clone().prop_map(Trouble::Broken),
        1 => (who, any::<bool>()).prop_map(|(w, refused)| Trouble::Unprepared(w, refused)),
        1 => any::<bool>().prop_map(Trouble::FullDisk),
        2 => any::<bool>().prop_map(Trouble::NoRoom),
    ]
}

fn name(i: usize) -> String {
    format!("a{i}")
}

fn session(i: usize) -> String {
    format!("p-a{i}")
}

fn apply(w: &mut World, t: &Trouble, sent: &mut u32) {
    let names = |i: usize| vec![name(i)];
    match t {
        Trouble::Wait(s) => w.run(secs(*s)),
        Trouble::Crash(i) => {
            if w.obs.panes.contains_key(&session(*i)) {
                w.crash(&session(*i));
            }
        }
        Trouble::Screen(i, shown) => {
            let reading = &mut w.program(&session(*i)).reading;
            *reading = Default::default();
            match shown {
                Shown::Idle => {}
                Shown::Busy => reading.active = evidence("active_re"),
                Shown::Limited => reading.limit = evidence("limit_re"),
                Shown::Asking => reading.waiting = evidence("waiting_re"),
                Shown::Fatal => reading.fatal = evidence("fatal_re"),
            }
        }
        Trouble::Down(i) => w.ask(Verb::Down { names: names(*i) }),
        Trouble::Up(i) => w.up(&[&name(*i)]),
        Trouble::Pause(i) => w.ask(Verb::Pause { names: names(*i) }),
        Trouble::Resume(i) => w.ask(Verb::Resume { names: names(*i) }),
        Trouble::Restart(i) => w.ask(Verb::Restart { names: names(*i) }),
        Trouble::Send(i) => {
            *sent += 1;
            w.ask(Verb::Send { name: name(*i), text: format!("text number {sent}") });
        }
        Trouble::Reborn => {
            let text = serde_json::to_string(&w.state).unwrap();
            w.state = serde_json::from_str::<State>(&text).unwrap();
        }
        Trouble::ServerDies => {
            w.obs.server = ServerObs::Down;
            w.obs.panes.clear();
            w.tick();
            w.obs.server = ServerObs::Up { pid: 1000 + *sent };
            *sent += 1;
        }
        Trouble::ServerHangs(s) => {
            let (server, panes) = (w.obs.server, std::mem::take(&mut w.obs.panes));
            w.obs.server = ServerObs::Unresponsive;
            w.frozen = true;
            w.run(secs(*s));
            w.frozen = false;
            w.obs.server = server;
            w.obs.panes = panes;
        }
        Trouble::WallJump(ms) => w.now.wall.0 = (w.now.wall.0 + ms).max(0),
        Trouble::Deaf(i, n) => w.program(&session(*i)).deaf = *n,
        Trouble::FullDisk(full) => w.obs.store_failing = *full,
        Trouble::NoRoom(short) => w.obs.host = Some(memory(*short)),
        Trouble::Broken(i) => {
            w.obs.broken.insert(session(*i), "index 3 of 2 (x.rs:1)".into());
            w.tick();
            w.obs.broken.clear();
        }
        Trouble::Unprepared(i, refused) => w.refuse_session = refused.then(|| session(*i)),
    }
}

/// Of one that asks for 100 bytes.
fn memory(short: bool) -> HostObs {
    HostObs { memory: Some(if short { 99 } else { 100 }), ..HostObs::default() }
}

fn check(w: &World, from: usize) -> Result<(), TestCaseError> {
    let mut submitted = BTreeMap::new();
    for p in w.programs.values() {
        for text in &p.submitted {
            *submitted.entry(text.clone()).or_insert(0u32) += 1;
        }
    }
    for (text, n) in submitted.iter().filter(|(t, _)| t.starts_with("text number")) {
        prop_assert_eq!(*n, 1, "submitted twice: {}", text);
    }
    for action in &w.actions[from..] {
        let room = w.obs.host != Some(memory(true));
        prop_assert!(room || !matches!(action, Action::Launch { .. }), "started without room: {:?}", action);
        if let Action::Type { session, text, .. } = action {
            let reading = &w.programs[session].reading;
            prop_assert!(
                reading.active.is_none() && reading.waiting.is_none(),
                "typed into a busy or asking pane: {}",
                text
            );
            prop_assert!(
                reading.limit.is_none() || text.starts_with("watchdog probe"),
                "typed into a limited pane: {}",
                text
            );
            prop_assert!(!w.obs.store_failing, "typed while nothing can be saved");
        }
    }
    Ok(())
}

/// 64; a quarter of `PROPTEST_CASES` in a long hunt.
fn cases() -> u32 {
    ProptestConfig::default().cases / 4
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// At most one live program per agent (the world refuses a second), each text submitted once, nothing typed where it
    /// must not be, a stopped agent stays stopped, restarts stay within the budget, and nobody spins.
    #[test]
    fn promises_hold_in_any_trouble(story in prop::collection::vec(trouble(), 1..60)) {
        let mut agents: Vec<_> = (0..AGENTS).map(|i| agent(&name(i))).collect();
        // Two of them are told to go on before they are restarted, and may hang.
        for agent in &mut agents[1..] {
            let backend = std::sync::Arc::make_mut(&mut agent.backend);
            backend.stall_action = StallAction::Nudge;
            backend.hang_timeout = secs(200);
            backend.no_progress = secs(100);
        }
        agents[0].wake = Some(Wake { interval: secs(120), prompt_file: "/p/w.md".into() });
        let mut w = World::new(agents);
        w.policy.host.min_memory = 100;
        w.run(secs(1));
        let mut sent = 0;
        for t in &story {
            let seen = w.actions.len();
            let stopped: Vec<String> = (0..AGENTS)
                .map(session)
                .filter(|s| w.state.units.get(s).is_some_and(|u| u.wish == Wish::Stop && !w.obs.panes.contains_key(s)))
                .collect();
            apply(&mut w, t, &mut sent);
            w.run(Duration::from_millis(400));
            check(&w, seen)?;
            let asked = matches!(t, Trouble::Up(_) | Trouble::Restart(_));
            for s in stopped.iter().filter(|_| !asked) {
                prop_assert!(!w.actions[seen..].iter().any(|a| matches!(a, Action::Launch { session, .. } if session == s)), "a stopped agent started: {}", s);
            }
        }
        // Nobody asked for more than the budget in any window.
        for i in 0..AGENTS {
            let counted = &w.state.units[&session(i)].restarts.recent;
            prop_assert!(counted.len() <= w.policy.watchdog.restart_burst as usize + 1, "{:?}", counted);
        }
        // When the trouble is over, the fleet comes back.
        w.obs.store_failing = false;
        w.refuse_session = None;
        w.obs.host = Some(memory(false));
        for i in 0..AGENTS {
            w.program(&session(i)).reading = Default::default();
            w.program(&session(i)).reading.active = evidence("active_re");
            w.program(&session(i)).deaf = 0;
        }
        w.up(&["a0", "a1", "a2"]);
        w.run(secs(120));
        for i in 0..AGENTS {
            let up = matches!(w.life(&session(i)), Life::Running { .. });
            prop_assert!(up, "{} is {:?}", session(i), w.life(&session(i)));
        }
    }
}
