use super::*;

const NEWER: &str = r#"{"name": "web", "steps": [{"command": {"agent": "later"}}]}"#;

fn damage(store: &JobStore, id: JobId, column: &str, value: &str) {
    let rows = store.conn.execute(&format!("UPDATE job SET {column} = ?2 WHERE id = ?1"), params(id, value));
    assert_eq!(rows, Ok(1));
}

fn params(id: JobId, value: &str) -> (i64, &str) {
    (id.0, value)
}

#[test]
fn a_row_that_cannot_be_read_takes_no_other_with_it() {
    let (_dir, mut store) = temp();
    let first = submit(&mut store, with(|spec| spec.name = "web".into()));
    let second = submit(&mut store, new());
    let third = submit(&mut store, new());
    damage(&store, first, "spec", NEWER);
    damage(&store, third, "steps", "{");
    let list = store.list(&JobFilter::default(), None).expect("a list");
    assert_eq!(list.iter().map(|job| job.id).collect::<Vec<_>>(), [third, second, first]);
    assert_eq!((list[1].error.as_deref(), list[1].spec.steps.len()), (None, 1));
    for (job, name) in [(&list[2], "web"), (&list[0], "")] {
        let why = job.error.as_deref().expect("why");
        assert!(why.starts_with("this version of agents cannot read it: "), "{why}");
        assert_eq!((&*job.spec.description, &*job.spec.name, job.state), (why, name, JobState::Queued));
    }
    assert!(list[2].error.as_deref().is_some_and(|why| why.contains("agent")));
    assert_eq!(list[2].log, store.dir().join("logs/jobs/j1-web.log"));
    assert!(matches!(store.remove(third, Wall(5)).expect("removed"), Removed::Gone(_)));
}

#[test]
fn a_job_that_cannot_be_read_fails_and_the_next_one_is_claimed() {
    let (_dir, mut store) = temp();
    store.set_limit(DEFAULT_GROUP, Some(1)).expect("written");
    let bad = submit(&mut store, new());
    let child = submit(&mut store, with(|spec| spec.after = vec![bad]));
    let good = submit(&mut store, new());
    damage(&store, bad, "spec", "no JSON");
    let claimed = claim(&mut store, 2000).expect("the next one");
    assert_eq!(claimed.job.id, good);
    assert_eq!((state(&store, bad), state(&store, child)), (JobState::Failed, JobState::Skipped));
    let told = store.job(bad).expect("read").expect("there");
    assert!(told.error.is_some_and(|why| why.contains("cannot read it")) && told.runner.is_none());
    assert_eq!(told.ended, Some(Wall(2000)));
}

#[test]
fn a_state_that_nobody_knows_can_be_seen_and_forgotten() {
    let (_dir, mut store) = temp();
    let id = submit(&mut store, new());
    damage(&store, id, "state", "dreaming");
    let job = store.job(id).expect("read").expect("there");
    assert!(job.error.is_some_and(|why| why.contains("no job is in the state `dreaming`")));
    assert!(store.exists(id).expect("read") && !store.exists(JobId(9)).expect("read"));
    assert!(matches!(store.remove(id, Wall(5)).expect("removed"), Removed::Gone(_)));
}

#[test]
fn a_job_that_became_unreadable_while_it_ran_ends_and_one_that_waits_for_an_answer_fails() {
    let (_dir, mut store) = temp();
    submit(&mut store, with(|spec| spec.retries = 3));
    let claimed = claim(&mut store, 1).expect("claimed");
    damage(&store, claimed.job.id, "spec", NEWER);
    assert_eq!(finish(&mut store, &claimed, JobState::Failed, 2).state, JobState::Failed);
    submit(&mut store, new());
    let claimed = claim(&mut store, 3).expect("claimed");
    let (id, epoch) = (claimed.job.id, claimed.epoch);
    assert_eq!(store.ask(id, epoch, 1).expect("asked"), Fenced::Held(()));
    damage(&store, id, "spec", NEWER);
    assert!(store.taken_over(id, epoch, Wall(4)).expect("read").is_none());
    assert_eq!(state(&store, id), JobState::Failed);
}
