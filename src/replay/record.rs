//! Writes decisions down.
use super::{
    delta::{self, Change, Delta, below},
    masking::Masking,
};
use crate::{
    decide::Decision,
    model::{
        fleeting::Fleeting,
        observation::Observation,
        policy::Policy,
        state::State,
        time::{Boot, Now},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Of a journal's lines. Another one that this program cannot read is a higher number; more keys are not another one.
pub const FORMAT: u64 = 1;
/// Place of [`Fleeting`] in a written state.
const FLEETING: &str = "fleeting";

/// One line of a journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    pub v: u64,
    pub n: u64,
    pub at: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub program: String,
    pub now: Now,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Value>,
    pub obs: Change,
    pub state: Change,
    pub actions: Value,
    pub events: Value,
    pub wake_at: Boot,
    pub then: Change,
}

/// A decision, and what it was made of.
pub struct Made<'a> {
    pub obs: &'a Observation,
    pub state: &'a State,
    pub policy: &'a Arc<Policy>,
    pub now: Now,
    pub decision: &'a Decision,
}

/// Makes lines; each says what changed since the one before it.
#[derive(Default)]
pub struct Recorder {
    last: Option<Last>,
}

struct Last {
    n: u64,
    policy: Arc<Policy>,
    obs: Value,
    state: State,
}

impl Recorder {
    /// The next line needs no other one.
    pub fn start_anew(&mut self) {
        self.last = None;
    }

    /// The line of this decision, with its end. The error: something in it cannot be written, a path that is not UTF-8.
    pub fn line(&mut self, made: &Made) -> serde_json::Result<Vec<u8>> {
        let Made { obs, state, policy, now, decision } = *made;
        let mut masking = Masking::default();
        let last = self.last.take();
        let (state_change, obs_change, seen) = match &last {
            None => {
                let whole = whole_state(state, &mut masking)?;
                let seen = seen(obs, &mut masking)?;
                (Change::Whole { whole }, Change::Whole { whole: seen.clone() }, seen)
            }
            Some(last) => {
                let changed = changed_state(&last.state, state, &mut masking)?;
                let seen = seen(obs, &mut masking)?;
                (changed, delta::between(&last.obs, &seen), seen)
            }
        };
        let then = changed_state(state, &decision.state, &mut masking)?;
        let known = last.as_ref().is_some_and(|l| Arc::ptr_eq(&l.policy, policy));
        let order = Order::of(decision, &mut masking)?;
        let line = Line {
            v: FORMAT,
            n: last.as_ref().map_or(0, |l| l.n + 1),
            at: now.wall.rfc3339(),
            program: if last.is_none() { env!("CARGO_PKG_VERSION").into() } else { String::new() },
            now,
            policy: if known { None } else { Some(in_force(policy)?) },
            obs: obs_change,
            state: state_change,
            actions: order.actions,
            events: order.events,
            wake_at: decision.wake_at,
            then,
        };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        self.last = Some(Last { n: line.n, policy: policy.clone(), obs: seen, state: decision.state.clone() });
        Ok(bytes)
    }
}

/// What was decided, beside the state.
pub struct Order {
    pub actions: Value,
    pub events: Value,
}

impl Order {
    pub fn of(decision: &Decision, masking: &mut Masking) -> serde_json::Result<Order> {
        let mut actions = serde_json::to_value(&decision.actions)?;
        masking.written(&mut actions);
        masking.quoted(&mut actions);
        let mut events = serde_json::to_value(&decision.events)?;
        masking.written(&mut events);
        masking.quoted(&mut events);
        Ok(Order { actions, events })
    }
}

/// All that is remembered, also what is not saved.
pub fn whole_state(state: &State, masking: &mut Masking) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(state)?;
    masking.written(&mut value);
    value[FLEETING] = serde_json::to_value(Fleeting::of(state))?;
    Ok(value)
}

/// A state that was written by [`whole_state`].
pub fn state_of(value: &Value) -> serde_json::Result<State> {
    let mut state = State::deserialize(value)?;
    let fleeting = value.get(FLEETING).map(Fleeting::deserialize).transpose()?;
    fleeting.unwrap_or_default().put(&mut state);
    Ok(state)
}

/// As between two [`whole_state`]s; only what differs is written out for it.
fn changed_state(old: &State, new: &State, masking: &mut Masking) -> serde_json::Result<Change> {
    let mut delta = Delta::default();
    let State { units, deliveries, fleet } = new;
    if old.deliveries != *deliveries {
        let mut both = [serde_json::to_value(&old.deliveries)?, serde_json::to_value(deliveries)?];
        both.iter_mut().for_each(|value| masking.written(value));
        let [before, after] = both;
        delta.add("/deliveries", Some(&before), Some(&after));
    }
    for (session, unit) in units {
        let before = old.units.get(session);
        if before != Some(unit) {
            let mut both = [serde_json::to_value(before)?, serde_json::to_value(unit)?];
            both.iter_mut().for_each(|value| masking.written(value));
            let [was, is] = both;
            delta.add(&below("/units", session), before.map(|_| &was), Some(&is));
        }
    }
    for session in old.units.keys().filter(|session| !units.contains_key(*session)) {
        delta.add(&below("/units", session), Some(&Value::Null), None);
    }
    if old.fleet != *fleet {
        delta.add("/fleet", Some(&serde_json::to_value(&old.fleet)?), Some(&serde_json::to_value(fleet)?));
    }
    let (before, after) = (Fleeting::of(old), Fleeting::of(new));
    if before != after {
        delta.add("/fleeting", Some(&serde_json::to_value(before)?), Some(&serde_json::to_value(after)?));
    }
    Ok(delta.done())
}

fn seen(obs: &Observation, masking: &mut Masking) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(obs)?;
    masking.written(&mut value);
    Ok(value)
}

/// A backend that many agents share is written once: they have its name in its place.
fn in_force(policy: &Policy) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(policy)?;
    let backends: Vec<Value> = value["backends"].as_array().cloned().unwrap_or_default();
    for agent in agents(&mut value) {
        if let Some(backend) = agent.get_mut("backend")
            && backends.iter().find(|b| b["name"] == backend["name"]) == Some(backend)
        {
            *backend = backend["name"].take();
        }
    }
    Masking::default().policy(&mut value);
    Ok(value)
}

/// A policy that was written by a recorder.
pub fn policy_of(mut value: Value) -> serde_json::Result<Policy> {
    let backends: Vec<Value> = value["backends"].as_array().cloned().unwrap_or_default();
    for agent in agents(&mut value) {
        if let Some(backend) = agent.get_mut("backend")
            && let Some(known) = backends.iter().find(|b| b["name"].is_string() && b["name"] == *backend)
        {
            *backend = known.clone();
        }
    }
    Policy::deserialize(value)
}

fn agents(policy: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let agents = policy.get_mut("agents").and_then(Value::as_array_mut);
    agents.into_iter().flatten().filter_map(Value::as_object_mut)
}
