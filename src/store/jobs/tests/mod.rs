use super::*;
use crate::model::{
    job::{Bytes, DEFAULT_GROUP, Exit, JobCommand, JobId, JobSpec, JobState, ProcMark, StepSpec},
    time::Wall,
};
use std::{
    os::unix::fs::PermissionsExt,
    sync::{Arc, Barrier},
};

mod agents;
mod alike;
mod approvals;
mod at_once;
mod callers;
mod families_and_wishes;
mod files_and_lists;
mod found;
mod retention;
mod seen;
mod turns;
mod unreadable;
mod within;

const BOOT: &str = "this boot";

fn temp() -> (tempfile::TempDir, JobStore) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(&dir.path().join("sub").join(FILE), Durability::Normal).expect("a store");
    (dir, store)
}

fn again(store: &JobStore) -> JobStore {
    open(&store.path(), Durability::Normal).expect("a store")
}

fn new() -> NewJob {
    let step = StepSpec::of(JobCommand::Shell(Bytes("true".into())));
    let spec = JobSpec { description: "true".into(), steps: vec![step], log_cap: 1 << 20, ..JobSpec::default() };
    let env = vec![("A".into(), "1=2".into()), ("=B".into(), "".into())];
    NewJob { spec, env: env.into(), caller: None, after_batch: Vec::new() }
}

fn with(change: impl FnOnce(&mut JobSpec)) -> NewJob {
    let mut job = new();
    change(&mut job.spec);
    job
}

fn submit(store: &mut JobStore, job: NewJob) -> JobId {
    store.submit(&[job], Wall(1000)).expect("queued")[0]
}

fn me(pid: u32) -> ProcMark {
    ProcMark { pid, start: 7 }
}

fn claim(store: &mut JobStore, at: i64) -> Option<Claimed> {
    store.claim(me(1), BOOT, Wall(at)).expect("a claim")
}

fn claim_id(store: &mut JobStore, at: i64) -> Option<i64> {
    claim(store, at).map(|claimed| claimed.job.id.0)
}

fn finish(store: &mut JobStore, claimed: &Claimed, state: JobState, at: i64) -> Finished {
    let ending = Ending { exit: Some(Exit::Code(3)), ..Ending::of(state) };
    match store.finish(claimed.job.id, claimed.epoch, &ending, Wall(at)).expect("written") {
        Fenced::Held(finished) => finished,
        Fenced::Over => panic!("it is fenced"),
    }
}

fn state(store: &JobStore, id: JobId) -> JobState {
    store.state(id).expect("read").expect("there")
}
