//! Decisions and differences in words: what was decided, about whom, and why.
use super::{difference::Difference, read::Recorded};
use crate::model::{
    delivery::Delivery,
    name::printable_cut,
    state::{Life, State, UnitState},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Longest value shown.
const LONGEST: usize = 200;

impl Recorded {
    /// Agents and services that it is about: something was ordered or told of them, or they are remembered otherwise.
    pub fn names(&self) -> BTreeSet<String> {
        let changed = self.then.units.iter().filter(|(session, unit)| self.state.units.get(*session) != Some(*unit));
        let sessions = changed.map(|(session, _)| session.as_str());
        let ordered = list(&self.actions).filter_map(|a| a["session"].as_str());
        let told = list(&self.events).filter_map(|e| e["agent"].as_str()).map(str::to_owned);
        sessions.chain(ordered).map(|session| self.name(session)).chain(told).collect()
    }

    /// Of the agent or service with that session.
    fn name(&self, session: &str) -> String {
        let unit = self.state.units.get(session).or_else(|| self.then.units.get(session));
        unit.map_or(session, |u| &u.name).to_owned()
    }

    /// What was ordered, what became of whom, and why: `launch b · b: running -> starting (starting) · "b gone"`.
    pub fn told(&self, about: Option<&str>) -> String {
        let mut parts = Vec::new();
        for action in list(&self.actions) {
            let name = action["session"].as_str().map(|session| self.name(session));
            if about.is_none() || about == name.as_deref() {
                let word = action["do"].as_str().unwrap_or("?").to_owned();
                parts.push(name.map_or(word.clone(), |name| format!("{word} {name}")));
            }
        }
        for (session, unit) in &self.then.units {
            let before = self.state.units.get(session);
            if about.is_none_or(|name| name == unit.name) && before != Some(unit) {
                parts.extend(moved(before, unit));
            }
        }
        for (id, delivery) in &self.then.deliveries {
            let stage = |d: &Delivery| json!(d.stage)["stage"].as_str().unwrap_or_default().to_owned();
            let name = self.name(&delivery.session);
            let was = self.state.deliveries.get(id).map(stage);
            if about.is_none_or(|about| about == name) && was != Some(stage(delivery)) {
                let kind = json!(delivery.kind);
                parts.push(format!("{} #{id} to {name}: {}", kind.as_str().unwrap_or_default(), stage(delivery)));
            }
        }
        for event in list(&self.events) {
            if about.is_none() || about == event["agent"].as_str() {
                parts.push(format!("\"{}\"", event["text"].as_str().unwrap_or_default()));
            }
        }
        if parts.is_empty() {
            let names = self.names();
            let names = if names.is_empty() { vec!["fleet".to_owned()] } else { names.into_iter().collect() };
            parts.push(format!("remembered of {}", names.join(", ")));
        }
        parts.join(" · ")
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// `b: running -> starting (crashed)`; `None`: it is what it was, for the same reason.
fn moved(before: Option<&UnitState>, unit: &UnitState) -> Option<String> {
    let was = before.map(|u| (standing(u), u.reason.as_str()));
    let is = (standing(unit), unit.reason.as_str());
    if was.as_ref() == Some(&is) {
        return None;
    }
    let from = was.map(|(word, _)| word).filter(|word| *word != is.0).map(|word| format!("{word} -> "));
    let why = if is.1.is_empty() { String::new() } else { format!(" ({})", is.1) };
    Some(format!("{}: {}{}{why}", unit.name, from.unwrap_or_default(), is.0))
}

fn standing(unit: &UnitState) -> String {
    match unit.life {
        Life::Running { .. } => format!("running, {}", unit.sight.state.as_str()),
        Life::Absent => "absent".into(),
        Life::Starting { .. } => "starting".into(),
        Life::Backoff { .. } => "backoff".into(),
        Life::GaveUp { .. } => "gave-up".into(),
        Life::Ending { .. } => "ending".into(),
        Life::Done => "done".into(),
    }
}

impl Difference {
    /// Whom it is about; `None`: the whole fleet.
    pub fn agent(&self, recorded: &Recorded, now: &State) -> Option<String> {
        let mut steps = self.field.split('/').skip(1);
        let of = |value: &Option<Value>| {
            let value = value.as_ref()?;
            let session = value["session"].as_str().map(|session| recorded.name(session));
            session.or_else(|| value["agent"].as_str().map(str::to_owned))
        };
        match (steps.next()?, steps.next()?) {
            ("state", "units") => {
                let session = steps.next()?.replace("~1", "/").replace("~0", "~");
                let unit = now.units.get(&session).filter(|_| !recorded.then.units.contains_key(&session));
                Some(unit.map_or_else(|| recorded.name(&session), |u| u.name.clone()))
            }
            (kind @ ("actions" | "events"), at) => {
                let whole = of(&self.recorded).or_else(|| of(&self.now));
                let all = if kind == "actions" { &recorded.actions } else { &recorded.events };
                whole.or_else(|| of(&all.get(at.parse::<usize>().ok()?).cloned()))
            }
            _ => None,
        }
    }

    /// `state.life.life`, without the session that the agent's name says.
    pub fn short(&self) -> String {
        let field = self.field.strip_prefix("/state/units/").and_then(|rest| rest.split_once('/'));
        let field = field.map_or(self.field.as_str(), |(_, rest)| rest);
        field.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~")
    }
}

/// A value on one line.
pub fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".into(),
        Some(value) => printable_cut(&value.to_string(), LONGEST),
    }
}
