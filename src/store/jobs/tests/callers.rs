//! What jobs get of who submits them, beside an environment.
use super::*;
use crate::model::caller::{Caller, Limit};
use std::sync::Arc;

fn caller(umask: u32) -> Arc<Caller> {
    Arc::new(Caller { umask, nice: 0, processors: None, limits: [Limit::NONE; 16] })
}

fn with_caller(caller: Option<&Arc<Caller>>) -> NewJob {
    NewJob { caller: caller.cloned(), ..new() }
}

#[test]
fn jobs_of_the_same_environment_and_different_callers_keep_theirs() {
    let (_dir, mut store) = temp();
    let (one, other) = (caller(0o22), caller(0o77));
    let all = [Some(&one), Some(&other), None, Some(&caller(0o22))].map(with_caller);
    store.submit(&all, Wall(1000)).expect("queued");
    submit(&mut store, with_caller(Some(&other)));
    for expected in [Some(&one), Some(&other), None, Some(&one), Some(&other)] {
        let claimed = claim(&mut store, 2000).expect("a job");
        assert_eq!((claimed.caller.as_ref(), &claimed.env), (expected.map(Arc::as_ref), &*all[0].env));
        let handed = store.handed_on(claimed.job.id, claimed.epoch).expect("read").expect("it runs");
        assert_eq!(handed.caller, claimed.caller);
        finish(&mut store, &claimed, JobState::Done, 3000);
    }
    let rows = || store.conn.query_row("SELECT count(*) FROM env", [], |r| r.get::<_, i64>(0)).expect("counted");
    assert_eq!(rows(), 3, "one for each that is different");
}

#[test]
fn of_a_caller_that_cannot_be_read_nothing_is_known() {
    let (_dir, mut store) = temp();
    submit(&mut store, with_caller(Some(&caller(0o22))));
    store.conn.execute("UPDATE env SET caller = 'umask=x'", []).expect("written");
    let claimed = claim(&mut store, 2000).expect("the job");
    assert_eq!((claimed.caller, claimed.env), (None, new().env.to_vec()));
}
