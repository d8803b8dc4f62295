//! What the morning page lives on: how each agent spent its time, when a hold or a question ended, why it was started
//! again. Told when it changes, and the time once per quarter of an hour for the whole fleet: never once a tick.
use super::{Mind, unit::Spec};
use crate::model::{
    event::EventKind,
    name::printable_cut,
    policy::{Agent, Kind, Watch},
    state::{AfterEnd, Life, Seen, Wish},
    tally::{Asked, Doing, Slot},
    time::{Boot, Wall, human},
};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How much time one event tells of.
const SLOT: Duration = Duration::from_secs(900);
/// `looked` is not moved more often: most ticks change nothing.
const MARK: Duration = Duration::from_secs(30);
/// Longer without a look, and what happened meanwhile is not known: the machine slept, or nobody was there.
const UNSEEN: Duration = Duration::from_secs(180);
/// A question, as it is kept.
const LONGEST: usize = 200;

impl Mind<'_> {
    /// Why the next start of this session is a restart.
    pub(super) fn because(&mut self, session: &str, reason: &str) {
        let reason = printable_cut(reason, LONGEST);
        if let Some(unit) = self.state.units.get_mut(session)
            && unit.restart_reason.as_ref() != Some(&reason)
        {
            unit.restart_reason = Some(reason);
        }
    }

    /// A usage-limit hold has ended.
    pub(super) fn hold_over(&mut self, name: &str, since: Wall, until: Wall, how: &str) {
        let text = format!("limit lifted on {name} — {how}");
        let data = json!({ "since": since.rfc3339(), "until": until.rfc3339(), "how": how });
        self.tell_with(EventKind::LimitOver, Some(name), text, data, false);
    }

    /// For so long that anything may have happened.
    pub(super) fn nobody_looked(&self) -> bool {
        let unseen = UNSEEN.max(self.policy.watchdog.signal_interval * 3);
        self.state.fleet.looked.is_some_and(|at| self.now.boot.since(at) > unseen)
    }

    pub(super) fn tallies(&mut self) {
        let now = self.now;
        let last = self.state.fleet.looked;
        let gap = last.is_none() || self.nobody_looked();
        let taken_over = std::mem::take(&mut self.state.fleet.taken_over);
        if gap || last.is_none_or(|at| now.boot.since(at) >= MARK) {
            self.state.fleet.looked = Some(now.boot);
        }
        // Of what another process saw, its last look is known.
        let seen = if gap || taken_over { last.unwrap_or_default() } else { now.boot };
        if gap && !taken_over && last.is_some() {
            self.slept(seen);
        }
        let policy = self.policy;
        for agent in &policy.agents {
            self.tally(agent, seen);
            self.progress(agent);
        }
        let begun = self.state.fleet.slot.map(|slot| slot.boot);
        if gap || taken_over || begun.is_none_or(|at| now.boot.since(at) >= SLOT) {
            self.close_slot(last.map(|_| now.wall_at(seen)));
        }
    }

    /// One agent: what it did up to `seen`, and what began or ended since.
    fn tally(&mut self, agent: &Agent, seen: Boot) {
        let now = self.now;
        // What ended while nobody looked ended with the last look, for all that is known.
        let until = if seen.0 > 0 { now.wall_at(seen) } else { now.wall };
        let (doing, answering) = (self.doing(agent), self.is_answering(&agent.session));
        let Some(unit) = self.state.units.get_mut(&agent.session) else { return };
        let asks = matches!(unit.life, Life::Running { .. }) && unit.sight.state == Seen::Waiting && !answering;
        let tally = &mut unit.tally;
        if seen < now.boot {
            tally.count(seen);
            tally.counted = now.boot;
        }
        if tally.doing != doing {
            tally.count(now.boot);
            tally.doing = doing;
        }
        let held = unit.hold.as_ref().map(|hold| hold.since);
        let released = tally.held_since.filter(|since| held != Some(*since));
        if tally.held_since != held {
            tally.held_since = held;
        }
        let answered = if asks { None } else { tally.asked.take() };
        if asks && tally.asked.is_none() {
            let text = unit.sight.evidence.first().map(|e| printable_cut(&e.text, LONGEST)).unwrap_or_default();
            tally.asked = Some(Asked { since: now.wall, text });
        }
        let told = |e: &crate::model::event::Event| {
            e.kind == EventKind::LimitOver && e.agent.as_deref() == Some(agent.name.as_str())
        };
        if let Some(since) = released
            && !self.events.iter().any(told)
        {
            self.hold_over(&agent.name, since, until, "it is not held any more");
        }
        if let Some(asked) = answered {
            let length = human(Duration::from_millis((until.0 - asked.since.0).max(0) as u64));
            let text = format!("{} ({}) waits for nobody any more (after {length})", agent.name, agent.session);
            let data = json!({
                "since": asked.since.rfc3339(), "until": until.rfc3339(), "asked": asked.text,
            });
            self.tell_with(EventKind::WaitingOver, Some(&agent.name), text, data, false);
        }
    }

    fn doing(&self, agent: &Agent) -> Doing {
        let Some(unit) = self.state.units.get(&agent.session) else { return Doing::Off };
        if matches!(unit.wish, Wish::Stop | Wish::Pause) || unit.is_left_alone() {
            return Doing::Off;
        }
        let kept = self.is_kept_alive(Spec::Agent(agent));
        match &unit.life {
            Life::Ending { then: AfterEnd::Stay, .. } | Life::Done => Doing::Off,
            Life::Running { .. } if agent.watch == Watch::None || !agent.enabled => Doing::Unseen,
            Life::Running { .. } if agent.kind == Kind::Loop && self.is_sequence_over() => Doing::Off,
            Life::Running { .. } if unit.hold.is_some() => Doing::Limited,
            Life::Running { .. } => match unit.sight.state {
                Seen::Unknown | Seen::Exited => Doing::Unseen,
                Seen::Working => Doing::Working,
                Seen::Idle => Doing::Idle,
                Seen::Waiting => Doing::Waiting,
                Seen::Limited => Doing::Limited,
                Seen::Fatal => Doing::Down,
            },
            _ if kept => Doing::Down,
            _ => Doing::Off,
        }
    }

    /// Tells how the time up to `until` (as far as that is known) was spent, and begins anew.
    fn close_slot(&mut self, until: Option<Wall>) {
        let now = self.now;
        let slot = self.state.fleet.slot.replace(Slot { boot: now.boot, wall: now.wall });
        let (mut all, mut words) = (Map::new(), Vec::new());
        let policy = self.policy;
        for agent in &policy.agents {
            let Some(unit) = self.state.units.get_mut(&agent.session) else { continue };
            unit.tally.count(now.boot);
            let spent = std::mem::take(&mut unit.tally.spent);
            let total: u64 = spent.values().sum();
            if total < 1000 {
                continue;
            }
            let worked = spent.get(&Doing::Working).copied().unwrap_or(0);
            words.push(format!("{} {}%", agent.name, worked * 100 / total));
            let seconds = |(doing, ms): (Doing, u64)| (word(doing), Value::from((ms + 500) / 1000));
            all.insert(agent.name.clone(), spent.into_iter().map(seconds).collect::<Map<_, _>>().into());
        }
        let Some(slot) = slot.filter(|_| !all.is_empty()) else { return };
        let until = until.unwrap_or(slot.wall);
        let from = slot.wall.min(until);
        let length = human(Duration::from_millis((until.0 - from.0).max(0) as u64));
        let data = json!({ "from": from.rfc3339(), "until": until.rfc3339(), "agents": all });
        let text = format!("at work in the last {length}: {}", words.join(", "));
        self.tell_with(EventKind::Activity, None, text, data, false);
    }

    /// The machine slept, or this process was stopped.
    fn slept(&mut self, since: Boot) {
        let from = self.now.wall_at(since);
        let length = human(self.now.boot.since(since));
        let data = json!({ "gap": { "from": from.rfc3339(), "until": self.now.wall.rfc3339() } });
        let text = format!("nobody looked for {length}: the machine slept, or the watchdog was stopped");
        self.tell_with(EventKind::Watchdog, None, text, data, false);
    }
}

/// As it stands in the event.
fn word(doing: Doing) -> String {
    serde_json::to_value(doing).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A restart of a live program in a few words, alike for alike ones.
pub(super) fn why(kind: EventKind, text: &str) -> &str {
    match kind {
        EventKind::Mismatch => "another backend's program ran in it",
        EventKind::Fatal => "fatal error on its screen",
        EventKind::Stalled => "stalled",
        EventKind::FreshSession => "its conversation could not go on",
        EventKind::Hung => "hung",
        EventKind::Stopped => "a new phase began",
        EventKind::Restarting => "asked for",
        _ => text,
    }
}

impl Mind<'_> {
    /// Commits that were seen, with whose they are. Their subjects are others' words: agents read events, too.
    pub(super) fn tell_commits(&mut self, commits: &[(&str, Option<String>)]) {
        let Some((last, _)) = commits.last() else { return };
        commits.iter().for_each(|(_, by)| self.progressed(by.as_deref()));
        let short = |sha: &str, n: usize| sha.chars().take(n).collect::<String>();
        let list: Vec<Value> = commits.iter().map(|(sha, by)| json!({ "sha": short(sha, 12), "by": by })).collect();
        let text = match commits.len() {
            1 => format!("1 new commit: {}", short(last, 7)),
            n => format!("{n} new commits, the last {}", short(last, 7)),
        };
        self.tell_with(EventKind::Commits, None, text, json!({ "commits": list }), false);
    }
}
