//! A store without a disk: the plain model that the SQLite store is compared with, and the memory of the engine's tests.
use super::{Changes, Claim, Durability, EventFilter, Store, StoreError};
use crate::model::{
    delivery::Delivery,
    event::Event,
    request::{Answer, Request, Verb},
    state::{FleetState, State, UnitState},
    time::Wall,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Clones share one memory, as processes share one file. Nothing is ever pruned.
#[derive(Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    claims: BTreeMap<String, (String, i64)>,
    units: BTreeMap<String, UnitState>,
    fleet: FleetState,
    deliveries: BTreeMap<i64, Delivery>,
    events: Vec<Event>,
    requests: BTreeMap<i64, (Request, Option<Answer>)>,
    values: BTreeMap<String, String>,
    failing: bool,
}

impl MemoryStore {
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }
    /// From now on every write answers [`StoreError::Full`] (or no longer).
    pub fn set_full(&self, full: bool) {
        self.inner().failing = full;
    }
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn writable(&self) -> Result<MutexGuard<'_, Inner>, StoreError> {
        let inner = self.inner();
        if inner.failing { Err(StoreError::Full { path: "memory".into() }) } else { Ok(inner) }
    }
}

fn passes(event: &Event, filter: &EventFilter) -> bool {
    filter.agent.as_ref().is_none_or(|a| event.agent.as_ref() == Some(a)) && filter.since.is_none_or(|t| event.at >= t)
}

impl Store for MemoryStore {
    fn claim(&mut self, resource: &str, owner: &str) -> Result<Claim, StoreError> {
        let mut inner = self.writable()?;
        let entry = inner.claims.entry(resource.to_owned()).or_default();
        *entry = (owner.to_owned(), entry.1 + 1);
        Ok(Claim { resource: resource.into(), owner: owner.into(), epoch: entry.1 })
    }

    fn load(&self) -> Result<State, StoreError> {
        let inner = self.inner();
        let open = inner.deliveries.iter().filter(|(_, d)| !d.stage.is_over());
        Ok(State {
            units: inner.units.clone(),
            deliveries: open.map(|(id, d)| (*id, d.clone())).collect(),
            fleet: inner.fleet.clone(),
        })
    }

    fn save(&mut self, claim: &Claim, changes: &Changes, _: Durability) -> Result<(), StoreError> {
        let mut inner = self.writable()?;
        if inner.claims.get(&claim.resource) != Some(&(claim.owner.clone(), claim.epoch)) {
            return Err(StoreError::Fenced { resource: claim.resource.clone(), epoch: claim.epoch });
        }
        for session in &changes.removed_units {
            inner.units.remove(session);
        }
        for unit in &changes.units {
            inner.units.insert(unit.session.clone(), unit.clone());
        }
        for delivery in &changes.deliveries {
            inner.deliveries.insert(delivery.id, delivery.clone());
        }
        if let Some(fleet) = &changes.fleet {
            inner.fleet = fleet.clone();
        }
        for event in &changes.events {
            let seq = inner.events.len() as i64 + 1;
            inner.events.push(Event { seq, ..event.clone() });
        }
        for (id, answer) in &changes.answers {
            if let Some((_, slot @ None)) = inner.requests.get_mut(id) {
                *slot = Some(answer.clone());
            }
        }
        Ok(())
    }

    fn last_events(&self, filter: &EventFilter, limit: usize) -> Result<Vec<Event>, StoreError> {
        let inner = self.inner();
        let mut found: Vec<Event> =
            inner.events.iter().rev().filter(|e| passes(e, filter)).take(limit).cloned().collect();
        found.reverse();
        Ok(found)
    }

    fn events_after(&self, seq: i64, filter: &EventFilter, limit: usize) -> Result<Vec<Event>, StoreError> {
        let inner = self.inner();
        Ok(inner.events.iter().filter(|e| e.seq > seq && passes(e, filter)).take(limit).cloned().collect())
    }

    fn ask(&mut self, verb: &Verb, at: Wall) -> Result<i64, StoreError> {
        let mut inner = self.writable()?;
        let id = inner.requests.len() as i64 + 1;
        inner.requests.insert(id, (Request { id, at, verb: verb.clone() }, None));
        Ok(id)
    }

    fn requests(&self) -> Result<Vec<Request>, StoreError> {
        Ok(self.inner().requests.values().filter(|(_, a)| a.is_none()).map(|(r, _)| r.clone()).collect())
    }

    fn answer(&self, request: i64) -> Result<Option<Answer>, StoreError> {
        Ok(self.inner().requests.get(&request).and_then(|(_, a)| a.clone()))
    }

    fn delivery(&self, id: i64) -> Result<Option<Delivery>, StoreError> {
        Ok(self.inner().deliveries.get(&id).cloned())
    }

    fn deliveries(&self, session: Option<&str>, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let inner = self.inner();
        let wanted = inner.deliveries.values().rev().filter(|d| session.is_none_or(|s| d.session == s));
        Ok(wanted.take(limit).cloned().collect())
    }

    fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(self.inner().values.get(key).cloned())
    }

    fn put(&mut self, values: &BTreeMap<String, String>) -> Result<(), StoreError> {
        self.writable()?.values.extend(values.iter().map(|(k, v)| (k.clone(), v.clone())));
        Ok(())
    }
}
