//! A job that begins as it is submitted is what it would be if it had been queued and then claimed.
use super::*;
use crate::model::time::Wall;
use rusqlite::types::Value;
use std::time::Duration;

/// All that is stored, and what the runner gets.
fn rows(store: &JobStore) -> Vec<Vec<Value>> {
    let mut query = store.conn.prepare("SELECT * FROM job ORDER BY id").expect("SQL");
    let columns = query.column_count();
    let rows = query.query_map([], |r| (0..columns).map(|at| r.get(at)).collect()).expect("asked");
    rows.collect::<rusqlite::Result<_>>().expect("read")
}

fn at_once(store: &mut JobStore, job: &NewJob, at: i64) -> (JobId, Option<Claimed>) {
    store.submit_to_run(job, me(1), BOOT, Wall(at)).expect("submitted")
}

#[test]
fn it_is_as_if_it_had_been_queued_and_claimed() {
    let named = with(|spec| {
        spec.name = "web".into();
        spec.priority = -3;
        spec.timeout = Some(Duration::from_millis(1500));
    });
    let steps = with(|spec| {
        spec.steps.push(StepSpec::of(JobCommand::Argv(vec![Bytes("a".into()), Bytes("b c".into())])));
        spec.interactive = true;
        spec.group = "many".into();
    });
    let past = with(|spec| spec.not_before = Some(Wall(900)));
    let ((_one, mut one), (_two, mut two)) = (temp(), temp());
    for store in [&mut one, &mut two] {
        store.set_limit("many", None).expect("written");
    }
    for job in [new(), named, steps, past] {
        let (id, begun) = at_once(&mut one, &job, 1000);
        let begun = begun.expect("it begins");
        assert_eq!(submit(&mut two, job), id);
        let claimed = claim(&mut two, 1000).expect("claimed");
        // Folders of their own.
        let short = |claimed: &Claimed| format!("{claimed:?}").replace(&*claimed.job.log.to_string_lossy(), "LOG");
        assert_eq!(short(&begun), short(&claimed));
        assert_eq!(begun.job.log.file_name(), claimed.job.log.file_name());
        assert_eq!(rows(&one), rows(&two));
    }
    assert_eq!(one.next_wake().expect("read"), None);
}

#[test]
fn it_waits_where_it_would_have_to_wait() {
    let waits = |prepare: &dyn Fn(&mut JobStore), job: NewJob| {
        let (_dir, mut store) = temp();
        prepare(&mut store);
        let (id, begun) = at_once(&mut store, &job, 1000);
        assert!(begun.is_none());
        state(&store, id)
    };
    let nothing = |_: &mut JobStore| ();
    assert_eq!(waits(&nothing, with(|spec| spec.hold = true)), JobState::Held);
    assert_eq!(waits(&nothing, with(|spec| spec.not_before = Some(Wall(1001)))), JobState::Queued);
    let full = |store: &mut JobStore| store.set_limit(DEFAULT_GROUP, Some(0)).expect("written");
    assert_eq!(waits(&full, new()), JobState::Queued);
    let busy = |store: &mut JobStore| {
        store.set_machine_slots(1);
        assert!(at_once(store, &new(), 1000).1.is_some());
    };
    assert_eq!(waits(&busy, new()), JobState::Queued);
    let parent = |store: &mut JobStore| assert_eq!(submit(store, new()), JobId(1));
    assert_eq!(waits(&parent, with(|spec| spec.after = vec![JobId(1)])), JobState::Blocked);
    // Whoever came first goes first; and so does one whose time has come, though nobody has looked yet.
    assert_eq!(waits(&parent, new()), JobState::Queued);
    let (_dir, mut store) = temp();
    submit(&mut store, with(|spec| spec.not_before = Some(Wall(1001))));
    assert!(at_once(&mut store, &new(), 1000).1.is_some(), "its time has not come");
    assert!(at_once(&mut store, &new(), 1001).1.is_none(), "its time has come");
    // Those who wait in another group do not matter.
    let (_dir, mut store) = temp();
    store.set_limit("none", Some(0)).expect("written");
    submit(&mut store, with(|spec| spec.group = "none".into()));
    assert!(at_once(&mut store, &new(), 1000).1.is_some());
}

#[test]
fn nothing_is_left_of_one_that_is_refused() {
    let (_dir, mut store) = temp();
    let refused = |store: &mut JobStore, job: &NewJob| {
        store.submit_to_run(job, me(1), BOOT, Wall(1000)).expect_err("refused").to_string()
    };
    assert_eq!(refused(&mut store, &with(|spec| spec.group = "gpu".into())), "there is no group `gpu`");
    assert_eq!(refused(&mut store, &with(|spec| spec.after = vec![JobId(9)])), "there is no job j9 to come after");
    assert!(rows(&store).is_empty());
}

#[test]
fn a_machine_with_few_cores_has_four_slots() {
    let (_dir, mut store) = temp();
    let begun = (0..4).filter(|_| at_once(&mut store, &new(), 1000).1.is_some()).count();
    assert_eq!(begun, 4);
    let more = std::thread::available_parallelism().map_or(1, usize::from) > 4;
    assert_eq!(at_once(&mut store, &new(), 1000).1.is_some(), more);
}
