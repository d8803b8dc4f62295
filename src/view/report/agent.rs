//! One agent's row: its time, holds, restarts, questions and texts, from its events and its memory.
use super::{
    data::{AgentReport, Answer, Hold, Restart, Undelivered, Usage, Wait},
    spans::{Span, Window, seconds},
};
use crate::{
    model::{
        event::{Event, EventKind},
        name::printable_cut,
        state::UnitState,
        tally::{Doing, Slot},
        time::{Boot, Now, Wall},
    },
    view::{outlook::Standing, status::AgentView},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Characters of a prompt that are shown.
const BEGINNING: usize = 100;
/// Characters of what a screen said.
const SAID: usize = 200;

/// What one agent's report is made of.
pub struct Of<'a> {
    pub view: &'a AgentView,
    pub unit: Option<&'a UnitState>,
    /// Of the whole fleet.
    pub events: &'a [Event],
    pub texts: &'a BTreeMap<i64, String>,
    pub usage: Usage,
    pub window: Window,
    /// The stretch that no event tells of yet, and up to when somebody looked.
    pub slot: Option<Slot>,
    pub seen: Option<Boot>,
    pub now: Now,
    /// It is one whose commits can be told.
    pub commits: bool,
}

impl Of<'_> {
    pub fn report(&self) -> AgentReport {
        let time = self.time();
        let spent = |doing: Doing| time.get(&doing).copied().unwrap_or(0.0);
        let could = spent(Doing::Working) + spent(Doing::Idle) + spent(Doing::Down);
        // Who was held the whole night could not work for a second: that is known, too.
        let known = could + spent(Doing::Waiting) + spent(Doing::Limited) > 0.0;
        let known = |s: f64| known.then_some(s.round() as u64);
        let (holds, waits) = (self.holds(), self.waits());
        AgentReport {
            name: self.view.name.clone(),
            state: self.view.state.as_str().to_owned(),
            worked_s: known(spent(Doing::Working)),
            could_work_s: known(could),
            share: (could > 0.0).then(|| rounded(spent(Doing::Working) / could)),
            idle_s: known(spent(Doing::Idle)),
            down_s: known(spent(Doing::Down)),
            turns: self.usage.turns,
            tokens: self.usage.tokens,
            cost_usd: self.usage.cost_usd,
            commits: self.commits.then(|| self.commits()),
            held_s: seconds(holds.iter().filter_map(|h| self.within(h.from, h.until)).collect()),
            holds,
            restarts: restarts(self.events, &self.view.name, self.window),
            gave_up: self.of(EventKind::GaveUp).map(|e| e.at).filter(|at| self.window.holds(*at)).collect(),
            waited_s: seconds(waits.iter().filter_map(|w| self.within(w.from, w.until)).collect()),
            waits,
            answers: self.answers(),
            undelivered: self.undelivered(),
        }
    }

    fn own(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|e| e.agent.as_deref() == Some(self.view.name.as_str()))
    }

    fn of(&self, kind: EventKind) -> impl Iterator<Item = &Event> {
        self.own().filter(move |e| e.kind == kind)
    }

    fn within(&self, from: Wall, until: Option<Wall>) -> Option<Span> {
        self.window.cut((from, until.unwrap_or(self.window.until)))
    }

    /// The last moment at which somebody looked.
    fn looked(&self) -> Wall {
        self.seen.map_or(self.now.wall, |at| self.now.wall_at(at))
    }

    /// Seconds spent in each way, within the window.
    fn time(&self) -> BTreeMap<Doing, f64> {
        let mut all: BTreeMap<Doing, f64> = BTreeMap::new();
        for event in self.events.iter().filter(|e| e.kind == EventKind::Activity) {
            let (Some(from), Some(until)) = (moment(&event.data["from"]), moment(&event.data["until"])) else {
                continue;
            };
            let part = self.window.part((from, until));
            let Some(spent) = event.data["agents"][&self.view.name].as_object().filter(|_| part > 0.0) else {
                continue;
            };
            for (word, seconds) in spent {
                // A word of a newer program is no time that this one knows of.
                let Ok(doing) = serde_json::from_value(Value::from(word.as_str())) else { continue };
                *all.entry(doing).or_default() += seconds.as_f64().unwrap_or(0.0) * part;
            }
        }
        if let (Some(unit), Some(slot), Some(seen)) = (self.unit, self.slot, self.seen) {
            let mut tally = unit.tally.clone();
            tally.count(seen);
            let part = self.window.part((slot.wall, self.now.wall_at(seen)));
            for (doing, ms) in tally.spent {
                *all.entry(doing).or_default() += ms as f64 / 1000.0 * part;
            }
        }
        all
    }

    /// Those that were in force within the window, oldest first.
    fn holds(&self) -> Vec<Hold> {
        let (mut holds, mut open): (Vec<Hold>, Option<Hold>) = (Vec::new(), None);
        for event in self.own() {
            let data = &event.data;
            match event.kind {
                EventKind::Limited => {
                    let reason = data["banner"].as_str().unwrap_or(&event.text);
                    open = Some(Hold {
                        from: event.at,
                        until: None,
                        reason: printable_cut(reason, SAID),
                        account: data["account"].as_str().map(|a| printable_cut(a, SAID)),
                    });
                }
                EventKind::LimitOver => {
                    let begun = moment(&data["since"]);
                    let known = open.take();
                    let from = begun.or(known.as_ref().map(|h| h.from)).unwrap_or(self.window.since);
                    let until = moment(&data["until"]).unwrap_or(event.at);
                    let (reason, account) = known.map(|h| (h.reason, h.account)).unwrap_or_default();
                    holds.push(Hold { from, until: Some(until), reason, account });
                }
                _ => {}
            }
        }
        let held = self.unit.and_then(|u| u.hold.as_ref()).map(|hold| (hold.since, None));
        // Stopped with everything else: nobody was left who could tell that it ended.
        let was_held = || Some((self.unit?.tally.held_since?, Some(self.looked())));
        if let Some((from, until)) = held.or_else(was_held) {
            let (reason, account) = open.map(|h| (h.reason, h.account)).unwrap_or_default();
            holds.push(Hold { from, until, reason, account });
        }
        holds.extend(self.errors());
        holds.retain(|h| self.within(h.from, h.until).is_some());
        holds.sort_by_key(|h| h.from);
        holds
    }

    /// Errors that ended a turn, until it was past them or started anew: nothing went on meanwhile.
    fn errors(&self) -> Vec<Hold> {
        let (mut errors, mut open): (Vec<Hold>, Option<Hold>) = (Vec::new(), None);
        for event in self.own() {
            let class = event.data["class"].as_str().filter(|_| event.kind == EventKind::Error);
            if matches!(event.kind, EventKind::ErrorOver | EventKind::Started) || class.is_some() {
                errors.extend(open.take().map(|hold| Hold { until: Some(event.at), ..hold }));
            }
            if let Some(class) = class {
                let text = event.data["text"].as_str().unwrap_or_default();
                let reason = printable_cut(&format!("error ({class}): {text}"), SAID);
                open = Some(Hold { from: event.at, until: None, reason, account: None });
            }
        }
        let lasts = self.unit.is_some_and(|u| u.trouble.is_some());
        errors.extend(open.map(|hold| Hold { until: (!lasts).then(|| self.looked()), ..hold }));
        errors
    }

    /// Questions that were open within the window, oldest first.
    fn waits(&self) -> Vec<Wait> {
        let (mut waits, mut open): (Vec<Wait>, Option<Wait>) = (Vec::new(), None);
        for event in self.own() {
            let asked = event.data["asked"].as_str().map(|text| printable_cut(text, SAID));
            match (event.kind, asked) {
                (EventKind::Waiting, Some(asked)) => open = Some(Wait { from: event.at, until: None, asked }),
                (EventKind::WaitingOver, asked) => {
                    let known = open.take();
                    let begun = moment(&event.data["since"]).or(known.as_ref().map(|w| w.from));
                    let asked = asked.or(known.map(|w| w.asked)).unwrap_or_default();
                    let until = moment(&event.data["until"]).unwrap_or(event.at);
                    waits.push(Wait { from: begun.unwrap_or(self.window.since), until: Some(until), asked });
                }
                _ => {}
            }
        }
        if let Some(asked) = self.unit.and_then(|u| u.tally.asked.as_ref()) {
            let asks = matches!(self.view.state, Standing::Waiting | Standing::Limited | Standing::Paused);
            let until = if asks { None } else { Some(self.looked()) };
            waits.push(Wait { from: asked.since, until, asked: printable_cut(&asked.text, SAID) });
        }
        waits.retain(|w| self.within(w.from, w.until).is_some());
        waits
    }

    fn answers(&self) -> Vec<Answer> {
        let word = |e: &Event, key: &str| printable_cut(e.data[key].as_str().unwrap_or_default(), SAID);
        let one =
            |e: &Event| Answer { at: e.at, asked: word(e, "asked"), choice: word(e, "choice"), rule: word(e, "rule") };
        self.of(EventKind::Answered).filter(|e| self.window.holds(e.at)).map(one).collect()
    }

    fn undelivered(&self) -> Vec<Undelivered> {
        let after_all: BTreeSet<i64> =
            self.of(EventKind::Delivered).filter_map(|e| e.data["delivery"].as_i64()).collect();
        let lost = |e: &&Event| {
            matches!(e.kind, EventKind::Undelivered | EventKind::Unknown)
                && self.window.holds(e.at)
                && e.data["delivery"].as_i64().is_none_or(|id| !after_all.contains(&id))
        };
        let one = |e: &Event| {
            let id = e.data["delivery"].as_i64().unwrap_or(0);
            // `send #3 not delivered to a: why`: names hold no colon.
            let reason = e.text.split_once(": ").map_or(e.text.as_str(), |(_, why)| why);
            Undelivered {
                id,
                at: e.at,
                kind: printable_cut(e.data["kind"].as_str().unwrap_or("text"), SAID),
                outcome: e.kind.as_str(),
                text: self.texts.get(&id).map(|text| printable_cut(text.trim(), BEGINNING)),
                reason: printable_cut(reason, SAID),
            }
        };
        self.own().filter(lost).map(one).collect()
    }

    fn commits(&self) -> u64 {
        let seen = self.events.iter().filter(|e| e.kind == EventKind::Commits && self.window.holds(e.at));
        let own = |c: &&Value| c["by"].as_str() == Some(self.view.name.as_str());
        seen.map(|e| e.data["commits"].as_array().map_or(0, |all| all.iter().filter(own).count() as u64)).sum()
    }
}

pub fn restarts(events: &[Event], name: &str, window: Window) -> Vec<Restart> {
    let own = |e: &&Event| e.kind == EventKind::Started && e.agent.as_deref() == Some(name) && window.holds(e.at);
    let one = |e: &Event| {
        let reason = printable_cut(e.data["restart"].as_str()?, SAID);
        Some(Restart { at: e.at, reason })
    };
    events.iter().filter(own).filter_map(one).collect()
}

/// A time in the data of an event.
pub fn moment(value: &Value) -> Option<Wall> {
    Wall::parse_rfc3339(value.as_str()?)
}

pub fn rounded(share: f64) -> f64 {
    (share * 1000.0).round() / 1000.0
}
