//! `agents watchdog --dry-run`: one look and one decision on a copy of the memory. Nothing is done or saved, no server is
//! started; screens are not read.
use super::{
    config_file::ConfigFile,
    fleet::{Fleet, FleetError},
    heart::Heart,
    journal::Journal,
    memory,
    recorder::Decisions,
    saver::RESOURCE,
};
use crate::{
    decide::decide,
    model::{name::printable, observation::Observation, state::State},
    store::{Durability, Store, memory::MemoryStore},
    world::clock,
};
use std::collections::BTreeSet;

/// Prints what the supervisor would decide now.
pub(super) fn rehearse(fleet: &Fleet) -> Result<(), FleetError> {
    let mut store = MemoryStore::new();
    if let Some(real) = fleet.store_to_read()? {
        let claim = store.claim(RESOURCE, "rehearsal")?;
        let mut changes = memory::changes(&State::default(), &real.load()?);
        changes.events.clear();
        store.save(&claim, &changes, Durability::Normal)?;
    }
    let config = ConfigFile::new(fleet.policy.clone(), fleet.config_text.clone(), false);
    let mut heart = Heart::new(config, Box::new(store), false, Journal::nowhere())?;
    heart.decisions = Decisions::nowhere();
    for line in lines(&mut heart) {
        println!("{}", printable(&line));
    }
    Ok(())
}

fn lines(heart: &mut Heart) -> Vec<String> {
    let now = clock::now();
    let policy = heart.policy();
    let mut obs = Observation::default();
    heart.eyes.look(&mut obs, &heart.state, &policy, &mut BTreeSet::new(), now);
    obs.supervised = true;
    heart.eyes.files(&mut obs, &heart.state, &policy, now);
    obs.host = super::host::look(&obs, &heart.state, &policy, now);
    let decision = decide(&obs, &heart.state, &policy, now);
    let events = decision.events.iter().map(|e| format!("event: {}", e.text));
    let actions = decision.actions.iter().map(|a| {
        let words = serde_json::to_value(a).unwrap_or_default();
        format!("action: {} {}", words["do"].as_str().unwrap_or_default(), a.session().unwrap_or_default())
    });
    let mut lines: Vec<String> = events.chain(actions).map(|l| l.trim_end().to_owned()).collect();
    if lines.is_empty() {
        lines.push("nothing to do".into());
    }
    lines
}
