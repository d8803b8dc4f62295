//! What one agent is doing, why, what happens next and when, and what stands in the way. Every face shows this.
//!
//! ```text
//! wish  life      seen       -> state
//! stop  absent               -> stopped
//! pause *                    -> paused
//! *     *         (a fault of ours) -> quarantined
//! run   starting             -> starting
//! run   running   working …  -> working idle waiting limited fatal unknown
//! run   running   (no pane)  -> exited
//! *     backoff gave-up done -> backoff gave-up done
//! ```
use super::{dialog, standstill, when};
use crate::model::{
    name::printable_cut,
    observation::PaneObs,
    policy::{Agent, Kind, Watch},
    reading::Evidence,
    seen::ErrorClass,
    state::{AfterEnd, FleetState, Hold, Life, Seen, UnitState, Wish},
    time::{Boot, Now, Wall, human},
    trouble::Trouble,
};
use serde::Serialize;

/// The states of `status`, in the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    Working,
    Idle,
    Waiting,
    Limited,
    Fatal,
    Exited,
    Unknown,
    Stopped,
    Starting,
    Backoff,
    GaveUp,
    Done,
    Paused,
    Quarantined,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Working => "working",
            Standing::Idle => "idle",
            Standing::Waiting => "waiting",
            Standing::Limited => "limited",
            Standing::Fatal => "fatal",
            Standing::Exited => "exited",
            Standing::Unknown => "unknown",
            Standing::Stopped => "stopped",
            Standing::Starting => "starting",
            Standing::Backoff => "backoff",
            Standing::GaveUp => "gave-up",
            Standing::Done => "done",
            Standing::Paused => "paused",
            Standing::Quarantined => "quarantined",
        }
    }
    /// A word of [`Standing::as_str`] back.
    pub fn from_word(word: &str) -> Option<Standing> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
    pub const ALL: [Standing; 14] = [
        Standing::Working,
        Standing::Idle,
        Standing::Waiting,
        Standing::Limited,
        Standing::Fatal,
        Standing::Exited,
        Standing::Unknown,
        Standing::Stopped,
        Standing::Starting,
        Standing::Backoff,
        Standing::GaveUp,
        Standing::Done,
        Standing::Paused,
        Standing::Quarantined,
    ];
}

/// How the words begin of a start that waits for the machine.
pub const NO_ROOM: &str = "no room on the machine";

/// Everything there is to say about one unit at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    pub standing: Standing,
    pub alive: bool,
    /// Short words for the table, after `RUNNING [cmd]` or `stopped`; empty = nothing to add.
    pub words: String,
    /// What the supervisor does next, and when. `None` = nothing without a new event.
    pub next: Option<Next>,
    /// What has to happen outside before it goes on, with what can be typed.
    pub blocker: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    pub action: &'static str,
    /// `None` = with the next pass.
    pub at: Option<Wall>,
}

/// What the outlook of a unit hangs on besides the unit itself.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    pub fleet: &'a FleetState,
    pub supervised: bool,
    pub stall_grace: std::time::Duration,
    pub now: Now,
}

/// Is there a living program in this pane?
pub fn alive(pane: Option<&PaneObs>) -> bool {
    pane.is_some_and(|p| !p.dead)
}

/// The outlook of an agent. `unit` is absent before its first start.
pub fn agent(agent: &Agent, unit: Option<&UnitState>, pane: Option<&PaneObs>, around: Around<'_>) -> Outlook {
    let watched = agent.enabled && agent.watch != Watch::None && agent.fault.is_none();
    let mut outlook = of_unit(&agent.name, watched, unit, pane, around);
    if outlook.standing == Standing::Stopped
        && let Some(fault) = &agent.fault
    {
        outlook.words = "config fault".into();
        outlook.blocker = Some(format!("{fault}; mend it (`agents check` shows where)"));
        outlook.next = None;
    }
    let stopped_by_hand = unit.is_some_and(|u| u.wish == Wish::Stop);
    if around.fleet.sequence_complete && agent.kind == Kind::Loop && !outlook.alive && !stopped_by_hand {
        outlook.standing = Standing::Stopped;
        outlook.words = "phase sequence complete".into();
        outlook.next = None;
    }
    if let Some(unit) = unit
        && outlook.alive
        && outlook.next.is_none()
        && matches!(outlook.standing, Standing::Idle | Standing::Working | Standing::Unknown)
    {
        let next = standstill::next(agent, unit, around.stall_grace, around.now);
        outlook.next = next.map(|(action, at)| Next { action, at }).or_else(|| wake(agent, unit, around));
    }
    if !outlook.alive && !agent.enabled && outlook.blocker.is_none() {
        outlook.blocker = Some(format!("disabled in the config; `agents up {}` starts it all the same", agent.name));
    }
    if outlook.next.is_some() && !around.supervised {
        outlook.next = None;
        outlook.blocker.get_or_insert_with(|| "no watchdog is running; `agents up watchdog` starts it".into());
    }
    outlook
}

/// The outlook of a service. It is supervised whenever there is a watchdog.
pub fn service(name: &str, unit: Option<&UnitState>, pane: Option<&PaneObs>, around: Around<'_>) -> Outlook {
    let mut outlook = of_unit(name, true, unit, pane, around);
    if !around.supervised {
        outlook.next = None;
    }
    outlook
}

fn of_unit(name: &str, watched: bool, unit: Option<&UnitState>, pane: Option<&PaneObs>, around: Around<'_>) -> Outlook {
    let alive = alive(pane);
    let now = around.now;
    let say = |standing, words: String, next, blocker| Outlook { standing, alive, words, next, blocker };
    let Some(unit) = unit else {
        return if alive {
            say(Standing::Unknown, "not started by this fleet".into(), None, None)
        } else {
            let next = watched.then_some(Next { action: "start", at: None });
            say(Standing::Stopped, String::new(), next, None)
        };
    };
    if unit.wish == Wish::Pause {
        let blocker = format!("paused by you; `agents resume {name}` goes on");
        return say(Standing::Paused, "paused".into(), None, Some(blocker));
    }
    if let Some(quarantine) = unit.quarantine.as_ref().filter(|q| q.on) {
        let blocker = format!(
            "`agents` itself has a fault here ({}): please report it; `agents up {name}` tries at once",
            quarantine.reason
        );
        let next = Next { action: "try-again", at: Some(now.wall_at(quarantine.until)) };
        return say(Standing::Quarantined, "left alone".into(), Some(next), Some(blocker));
    }
    match &unit.life {
        Life::Starting { deadline, .. } => {
            let next = Next { action: "check-start", at: Some(now.wall_at(*deadline)) };
            say(Standing::Starting, "starting".into(), Some(next), None)
        }
        Life::Backoff { until, room: Some(room) } if !alive => {
            let at = now.wall_at(*until);
            let words = format!("{NO_ROOM}, next look {}", when::until(at, now));
            let blocker = format!("{}; it starts by itself once there is room", room.why);
            say(Standing::Backoff, words, Some(Next { action: "look-for-room", at: Some(at) }), Some(blocker))
        }
        Life::Backoff { until, .. } if !alive => {
            let at = now.wall_at(*until);
            let at = around.fleet.storm_until.map_or(at, |storm| at.max(now.wall_at(storm)));
            let words = format!("backoff, next start {}", when::until(at, now));
            say(Standing::Backoff, words, Some(Next { action: "start", at: Some(at) }), None)
        }
        Life::GaveUp { retry } if !alive => {
            let next = retry.map(|r| Next { action: "retry", at: Some(now.wall_at(r)) });
            let words = match &next {
                Some(Next { at: Some(at), .. }) => format!("gave up, one more try {}", when::until(*at, now)),
                _ => "gave up".into(),
            };
            let blocker = format!("it ended too often; `agents logs {name}` shows why, `agents up {name}` tries again");
            say(Standing::GaveUp, words, next, Some(blocker))
        }
        Life::Done if !alive => say(Standing::Done, "done".into(), None, None),
        Life::Ending { then: AfterEnd::Stay, deadline } => {
            let next = alive.then(|| Next { action: "kill", at: Some(now.wall_at(*deadline)) });
            say(Standing::Stopped, if alive { "stopping".into() } else { String::new() }, next, None)
        }
        Life::Ending { .. } => {
            say(Standing::Starting, "restarting".into(), Some(Next { action: "start", at: None }), None)
        }
        _ if alive => running(name, unit, around),
        _ if unit.wish == Wish::Stop => {
            let blocker = format!("stopped by you; `agents up {name}` starts it");
            say(Standing::Stopped, String::new(), None, Some(blocker))
        }
        Life::Running { .. } => {
            let next = watched.then_some(Next { action: "restart", at: None });
            say(Standing::Exited, exit_words(unit), next, None)
        }
        _ if unit.last_exit.is_some() || (unit.wish == Wish::Run && unit.incarnation > 0) => {
            let next = watched.then_some(Next { action: "start", at: None });
            say(Standing::Exited, exit_words(unit), next, None)
        }
        _ => {
            let next = watched.then_some(Next { action: "start", at: None });
            say(Standing::Stopped, String::new(), next, None)
        }
    }
}

/// A unit whose program lives.
fn running(name: &str, unit: &UnitState, around: Around<'_>) -> Outlook {
    let now = around.now;
    let say = |standing, words: String, next, blocker| Outlook { standing, alive: true, words, next, blocker };
    let asks = unit.sight.evidence.first().filter(|_| unit.sight.state == Seen::Waiting);
    let asked = || asks.map(|e| printable_cut(&e.text, 80)).unwrap_or_default();
    let answering = asks.and_then(|_| dialog::answering(unit));
    if let Some(words) = answering {
        let standing = if unit.hold.is_some() { Standing::Limited } else { Standing::Waiting };
        return say(standing, format!("{words}: {}", asked()), Some(Next { action: "answer", at: None }), None);
    }
    if let Some(hold) = &unit.hold
        && asks.is_some()
    {
        // No probe is typed into a menu.
        let reset = hold.reset.map(|at| format!(", resets {}", when::clock(at, now))).unwrap_or_default();
        let words = format!("limited{reset}; asks: {}", asked());
        let blocker = format!("a menu is open at its usage limit; answer it with `agents attach {name}`");
        return say(Standing::Limited, words, None, Some(blocker));
    }
    if let Some(hold) = &unit.hold {
        let next = Next { action: "probe", at: Some(hold.until_wall) };
        return say(Standing::Limited, hold_words(hold, now), Some(next), None);
    }
    if let Some(held) = &unit.account_hold {
        let next = Next { action: "resume", at: Some(held.until_wall) };
        let words = format!("its account is limited until {} (seen on {})", when::clock(held.until_wall, now), held.by);
        return say(Standing::Limited, words, Some(next), None);
    }
    if let Some(trouble) = unit.trouble.as_ref().filter(|t| t.gone.is_none()) {
        return troubled(name, unit, trouble, around);
    }
    match unit.sight.state {
        _ if unit.service => say(Standing::Working, String::new(), None, None),
        Seen::Working => say(Standing::Working, format!("working{}", standstill::words(unit, now)), None, None),
        Seen::Idle => {
            let mut words = match unit.sight.idle_since {
                Some(since) => format!("idle for {}", human(now.boot.since(since))),
                None => "idle".into(),
            };
            if let Some(until) = unit.sight.waiting_until {
                words.push_str(&format!(", waiting until {}", when::clock(until, now)));
            }
            words.push_str(&standstill::words(unit, now));
            let draft = unit.sight.draft_since.is_some();
            let blocker = draft.then(|| {
                words.push_str(", an unsent text stands in its input line");
                format!("what is to be typed waits until the text in its input line is sent or cleared: `agents attach {name}`")
            });
            say(Standing::Idle, words, None, blocker)
        }
        Seen::Waiting => {
            let blocker = format!("it asks a question; answer it with `agents attach {name}`");
            let words = match asked() {
                row if row.is_empty() => "waiting for an answer".into(),
                row => format!("waiting for an answer: {row}"),
            };
            say(Standing::Waiting, words, None, Some(blocker))
        }
        Seen::Limited => say(Standing::Limited, "limited".into(), None, None),
        Seen::Fatal => {
            say(Standing::Fatal, "fatal error on its screen".into(), Some(Next { action: "restart", at: None }), None)
        }
        Seen::Unknown | Seen::Exited => say(Standing::Unknown, String::new(), None, None),
    }
}

/// An error stands on the screen of one that lives.
fn troubled(name: &str, unit: &UnitState, trouble: &Trouble, around: Around<'_>) -> Outlook {
    let standing = if unit.sight.state == Seen::Fatal { Standing::Fatal } else { Standing::Idle };
    let class = trouble.class.as_str();
    let at = (trouble.until != Boot(u64::MAX)).then(|| around.now.wall_at(trouble.until));
    let mut words = format!("stopped at an error ({class})");
    if trouble.tries > 0 {
        words.push_str(&format!(", asked {} times to go on", trouble.tries));
    }
    let blocker = match trouble.class {
        ErrorClass::Auth => Some(format!("it needs a login or a key: `agents attach {name}`")),
        _ if at.is_none() => Some(format!("it is left as it is; `agents attach {name}` shows it")),
        _ => None,
    };
    let next = at.map(|at| Next { action: "try-again", at: Some(at) });
    Outlook { standing, alive: true, words, next, blocker }
}

fn hold_words(hold: &Hold, now: Now) -> String {
    format!("held until {}, then probe", when::clock(hold.until_wall, now))
}

/// How the last run ended. What is known of an older run says nothing about it.
fn exit_words(unit: &UnitState) -> String {
    let exit = unit.last_exit.as_ref().filter(|e| e.incarnation == unit.incarnation);
    match exit.map(|e| (&e.error, e.code, e.signal)) {
        Some((Some(error), ..)) => printable_cut(error, 120),
        Some((_, _, Some(signal))) => format!("ended by signal {signal}"),
        Some((_, Some(code), _)) => format!("exited with {code}"),
        _ if matches!(unit.life, Life::Absent) && !unit.reason.is_empty() => printable_cut(&unit.reason, 120),
        _ => "gone".into(),
    }
}

fn wake(agent: &Agent, unit: &UnitState, around: Around<'_>) -> Option<Next> {
    agent.wake.as_ref()?;
    Some(Next { action: "wake", at: Some(around.now.wall_at(unit.wake_due?)) })
}

/// The state that a piece of evidence speaks for, by the config key or the rule that matched.
pub fn evidence_state(evidence: &Evidence) -> &str {
    match evidence.rule.as_str() {
        "active_re" | "title_active_re" => "working",
        "limit_re" => "limited",
        "fatal_re" => "fatal",
        "waiting_re" | "title_waiting_re" => "waiting",
        "idle_re" | "title_idle_re" => "idle",
        // `claude/working/spinner`: a rule of a preset.
        rule => rule.split('/').nth(1).unwrap_or("unknown"),
    }
}
