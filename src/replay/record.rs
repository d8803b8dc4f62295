//! Writes decisions down.
use super::{
    delta::{Change, Delta, below},
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
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// Of a journal's lines. Another one that this program cannot read is a higher number; more keys are not another one.
pub const FORMAT: u64 = 1;
/// Place of [`Fleeting`] in a written state.
const FLEETING: &str = "fleeting";

/// One line of a journal, as it is read.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    pub n: u64,
    #[serde(default)]
    pub program: String,
    pub now: Now,
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
    obs: Observation,
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
        let last = last.as_ref();
        let n = last.map_or(0, |l| l.n + 1);
        let at = now.wall.rfc3339();
        let mut line = serde_json::to_vec(&json!({ "v": FORMAT, "n": n, "at": at, "now": now }))?;
        line.pop();
        let mut put = |key: &str, text: &[u8]| {
            line.extend(format!(",\"{key}\":").bytes());
            line.extend(text);
        };
        if last.is_none() {
            put("program", json!(env!("CARGO_PKG_VERSION")).to_string().as_bytes());
        }
        if last.is_none_or(|l| !Arc::ptr_eq(&l.policy, policy)) {
            put("policy", &in_force(policy)?);
        }
        // States first: they say which text is whose.
        let remembered = changed_state(last.map(|l| &l.state), state, &mut masking)?;
        put("obs", &changed_obs(last.map(|l| &l.obs), obs, &mut masking)?);
        put("state", &remembered);
        let then = changed_state(Some(state), &decision.state, &mut masking)?;
        let order = Order::of(decision, &mut masking)?;
        put("actions", order.actions.to_string().as_bytes());
        put("events", order.events.to_string().as_bytes());
        put("wake_at", decision.wake_at.0.to_string().as_bytes());
        put("then", &then);
        line.extend(b"}\n");
        self.last = Some(Last { n, policy: policy.clone(), obs: obs.clone(), state: decision.state.clone() });
        Ok(line)
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

/// A change that is being written: only what differs is made a value for it, one entry at a time.
struct Found<'a> {
    delta: Delta,
    masking: &'a mut Masking,
}

impl Found<'_> {
    /// A field. No `old`: the line needs no other one.
    fn field<T: Serialize + PartialEq>(&mut self, place: &str, old: Option<&T>, new: &T) -> serde_json::Result<()> {
        if old == Some(new) {
            return Ok(());
        }
        let old = old.map(|old| self.value(old)).transpose()?;
        let new = self.value(new)?;
        self.delta.add(place, old.as_ref(), Some(&new));
        Ok(())
    }

    /// A field with an entry for each of many.
    fn entries<T: Serialize + PartialEq>(
        &mut self,
        place: &str,
        old: Option<&BTreeMap<String, T>>,
        new: &BTreeMap<String, T>,
    ) -> serde_json::Result<()> {
        if old.is_none() {
            self.delta.add(place, None, Some(&json!({})));
        }
        for (key, value) in new {
            self.field(&below(place, key), old.and_then(|old| old.get(key)), value)?;
        }
        for key in old.into_iter().flat_map(BTreeMap::keys).filter(|key| !new.contains_key(*key)) {
            self.delta.add(&below(place, key), Some(&Value::Null), None);
        }
        Ok(())
    }

    fn value(&mut self, of: &impl Serialize) -> serde_json::Result<Value> {
        let mut value = serde_json::to_value(of)?;
        self.masking.written(&mut value);
        Ok(value)
    }
}

/// The text of the change between two [`whole_state`]s.
fn changed_state(old: Option<&State>, new: &State, masking: &mut Masking) -> serde_json::Result<Vec<u8>> {
    let mut found = Found { delta: Delta::default(), masking };
    let State { units, deliveries, fleet } = new;
    found.field("/deliveries", old.map(|s| &s.deliveries), deliveries)?;
    found.entries("/units", old.map(|s| &s.units), units)?;
    found.field("/fleet", old.map(|s| &s.fleet), fleet)?;
    found.field(&below("", FLEETING), old.map(Fleeting::of).as_ref(), &Fleeting::of(new))?;
    Ok(found.delta.text())
}

/// The same of two observations. Whatever there is an entry of for each agent is compared entry by entry.
fn changed_obs(old: Option<&Observation>, new: &Observation, masking: &mut Masking) -> serde_json::Result<Vec<u8>> {
    let mut found = Found { delta: Delta::default(), masking };
    // A field that is not named here does not compile.
    macro_rules! compare {
        ($($way:ident: $($name:ident)*;)*) => {
            let Observation { $($($name,)*)* } = new;
            $($(found.$way(concat!("/", stringify!($name)), old.map(|o| &o.$name), $name)?;)*)*
        };
    }
    compare! {
        entries: panes exits usage readings own broken;
        field: supervised server occupied lingering logless unread unsettled host git phase files results requests config
            store_failing;
    }
    Ok(found.delta.text())
}

/// The text of a policy. A backend that many agents share is written once: they have its name in its place.
fn in_force(policy: &Policy) -> serde_json::Result<Vec<u8>> {
    let mut masking = Masking::default();
    let mut rest = serde_json::to_value(Policy { agents: Vec::new(), ..policy.clone() })?;
    let known = |backend: &Value| {
        let mut named = policy.backends.iter().filter(|b| backend["name"] == b.name);
        named.next().is_some_and(|b| serde_json::to_value(b).is_ok_and(|b| b == *backend))
    };
    let mut text = b"{\"agents\":[".to_vec();
    for (at, agent) in policy.agents.iter().enumerate() {
        let mut agent = serde_json::to_value(agent)?;
        if known(&agent["backend"]) {
            agent["backend"] = agent["backend"]["name"].take();
        }
        masking.policy(&mut agent);
        text.extend(format!("{}{agent}", if at > 0 { "," } else { "" }).bytes());
    }
    rest.as_object_mut().map(|rest| rest.remove("agents"));
    masking.policy(&mut rest);
    text.extend(b"],");
    text.extend(rest.to_string().bytes().skip(1));
    Ok(text)
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
