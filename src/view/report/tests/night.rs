//! Nights, made by hand.
use super::super::{Inputs, Report, Usage, compile, page::page};
use crate::{
    model::{
        event::{Event, EventKind},
        policy::{Agent, Policy},
        state::{Life, State, UnitState, Wish},
        tally::Asked,
        time::{Boot, Now, Wall},
    },
    view::{
        paint::Paint,
        samples::{agent, policy},
        status::{self, Watchdog},
        table::Look,
    },
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

pub const HOUR: i64 = 3_600;
/// When the night begins.
pub const DUSK: i64 = 1_781_550_000;

/// Seconds into the night.
pub fn at(s: i64) -> Wall {
    Wall((DUSK + s) * 1000)
}

/// Ten hours, by default with nobody in it.
pub struct Night {
    pub policy: Policy,
    pub state: State,
    pub events: Vec<Event>,
    pub texts: BTreeMap<i64, String>,
    pub usage: BTreeMap<String, Usage>,
    pub since: Wall,
    pub born: Option<Wall>,
    pub beat: Option<Wall>,
    pub running: bool,
    pub now: Now,
}

impl Night {
    pub fn new(names: &[&str]) -> Night {
        let now = Now { boot: Boot(100_000_000), wall: at(10 * HOUR), ..Now::default() };
        let agents: Vec<Agent> = names.iter().map(|name| agent(name)).collect();
        let mut policy = policy(agents);
        policy.services.clear();
        let mut state = State::default();
        for name in names {
            let session = format!("p-{name}");
            let unit = UnitState {
                name: name.to_string(),
                session: session.clone(),
                wish: Wish::Run,
                life: Life::Running { since: Boot(0) },
                incarnation: 1,
                since: now.wall,
                ..UnitState::default()
            };
            state.units.insert(session, unit);
        }
        let watchdog = Some(now.wall);
        Night {
            policy,
            state,
            events: Vec::new(),
            texts: BTreeMap::new(),
            usage: BTreeMap::new(),
            since: at(0),
            born: None,
            beat: watchdog,
            running: true,
            now,
        }
    }

    pub fn event(&mut self, s: i64, kind: EventKind, agent: &str, text: &str, data: Value) -> &mut Self {
        let seq = self.events.len() as i64 + 1;
        let agent = (!agent.is_empty()).then(|| agent.to_owned());
        let alert =
            matches!(kind, EventKind::Waiting | EventKind::Limited | EventKind::GaveUp | EventKind::Undelivered);
        self.events.push(Event { seq, at: at(s), kind, agent, text: text.into(), data, alert });
        self
    }

    pub fn slot(&mut self, from: i64, until: i64, agents: Value) -> &mut Self {
        let data = json!({ "from": at(from).rfc3339(), "until": at(until).rfc3339(), "agents": agents });
        self.event(until, EventKind::Activity, "", "at work", data)
    }

    pub fn limited(&mut self, s: i64, agent: &str) -> &mut Self {
        let text = format!("limit hit on {agent} — reset unparsable; flat 5-min probe loop (no reboots)");
        self.event(s, EventKind::Limited, agent, &text, json!({ "banner": "5-hour limit reached ∙ resets 3am" }))
    }

    pub fn lifted(&mut self, s: i64, agent: &str, since: Option<i64>) -> &mut Self {
        let data = since.map_or(Value::Null, |s| json!({ "since": at(s).rfc3339() }));
        self.event(s, EventKind::LimitOver, agent, "limit lifted", data)
    }

    pub fn restart(&mut self, s: i64, agent: &str, reason: &str) -> &mut Self {
        self.event(s, EventKind::Started, agent, "starting", json!({ "restart": reason }))
    }

    pub fn watchdog(&mut self, s: i64, data: Value) -> &mut Self {
        self.event(s, EventKind::Watchdog, "", "watchdog", data)
    }

    pub fn unit(&mut self, name: &str) -> &mut UnitState {
        self.state.units.get_mut(&format!("p-{name}")).unwrap()
    }

    pub fn report(&self) -> Report {
        let panes = self.state.units.iter().filter_map(|(s, u)| match u.life {
            Life::Running { .. } => Some((s.clone(), crate::model::observation::PaneObs::default())),
            _ => None,
        });
        let view = status::status(&status::Inputs {
            policy: &self.policy,
            state: &self.state,
            panes: &panes.collect(),
            watchdog: self.running.then(|| Watchdog { running: true, pid: Some(1), ..Watchdog::default() }),
            phase: None,
            faults: &[],
            socket: Path::new("/s"),
            now: self.now,
        });
        compile(&Inputs {
            policy: &self.policy,
            state: &self.state,
            view: &view,
            events: &self.events,
            born: self.born,
            texts: &self.texts,
            usage: &self.usage,
            since: self.since,
            beat: self.beat,
            now: self.now,
        })
    }

    pub fn page(&self, width: u16) -> String {
        page(&self.report(), Look { width: Some(width), paint: Paint::Plain, detailed: false })
    }
}

/// A night as it comes: printed with `--nocapture`.
pub fn realistic() -> Night {
    let names =
        ["builder", "adversary", "frontend", "backend-api", "docs", "tests", "infra", "research", "mobile", "qa"];
    let mut night = Night::new(&names);
    night.watchdog(-60, json!({ "up": true }));
    for slot in 0..40 {
        let mut agents = serde_json::Map::new();
        for (i, name) in names.iter().enumerate() {
            let idle = 20 * i as i64;
            let spent = match (i, slot) {
                (2, 12..) => json!({ "waiting": 900 }),
                (3 | 7, 8..=15) => json!({ "limited": 900 }),
                (6, 20..) => json!({ "down": 900 }),
                _ => json!({ "working": 900 - idle, "idle": idle }),
            };
            agents.insert(name.to_string(), spent);
        }
        night.slot(slot * 900, slot * 900 + 900, agents.into());
    }
    for name in ["backend-api", "research"] {
        night.limited(2 * HOUR, name).lifted(4 * HOUR, name, Some(2 * HOUR));
    }
    let asked = "Do you want to make this edit to package.json? ❯ 1. Yes";
    night.event(3 * HOUR, EventKind::Waiting, "frontend", "frontend waits", json!({ "asked": asked }));
    night.unit("frontend").tally.asked = Some(Asked { since: at(3 * HOUR), text: asked.into() });
    night.unit("frontend").sight.state = crate::model::state::Seen::Waiting;
    for s in [5 * HOUR - 900, 5 * HOUR - 300, 5 * HOUR - 100, 5 * HOUR - 10] {
        night.restart(s, "infra", "exit code 1");
    }
    let gave_up = "infra (p-infra) gave up after 5 restarts (exit code 1) — one try every 30m 0s; `agents up infra` starts it now";
    night.event(5 * HOUR, EventKind::GaveUp, "infra", gave_up, Value::Null);
    let unit = night.unit("infra");
    (unit.life, unit.reason) = (Life::GaveUp { retry: None }, "exit code 1".into());
    for name in names.iter().filter(|n| !["frontend", "infra"].contains(n)) {
        night.unit(name).sight.state = crate::model::state::Seen::Working;
    }
    night.event(6 * HOUR, EventKind::ServerLost, "", "the tmux server is gone — restarting the fleet", Value::Null);
    for name in names.iter().filter(|n| **n != "infra") {
        night.restart(6 * HOUR + 2, name, "its tmux server died");
    }
    night.watchdog(7 * HOUR, json!({ "up": true, "seen": at(7 * HOUR - 3).rfc3339() }));
    night.restart(8 * HOUR, "docs", "stalled");
    night.event(
        9 * HOUR,
        EventKind::Undelivered,
        "docs",
        "send #14 not delivered to docs: the program was restarted",
        json!({ "delivery": 14, "kind": "send" }),
    );
    night.texts.insert(
        14,
        "please also mention the new --since flag in the manual, and add an example of a whole night to it".into(),
    );
    night.event(
        4 * HOUR,
        EventKind::Waiting,
        "qa",
        "qa waits",
        json!({ "asked": "Trust this folder? ❯ 1. Yes, proceed" }),
    );
    night.event(
        4 * HOUR + 300,
        EventKind::WaitingOver,
        "qa",
        "over",
        json!({ "since": at(4 * HOUR).rfc3339(), "asked": "Trust this folder? ❯ 1. Yes, proceed" }),
    );
    night.event(3 * HOUR, EventKind::Phase, "", "PHASE p1 DONE", json!({ "from": "p1", "to": "p2" }));
    night
}
