use super::*;

#[test]
fn a_job_that_ended_just_now_is_kept_whatever_the_count_says() {
    let (_dir, mut store) = temp();
    for at in [10, 20, 30] {
        submit(&mut store, new());
        let claimed = claim(&mut store, at).expect("a job");
        finish(&mut store, &claimed, JobState::Done, at + 1);
    }
    let ids = |gone: Vec<Gone>| -> Vec<i64> { gone.iter().map(|gone| gone.id.0).collect() };
    assert_eq!(ids(store.forget_old(1, 0, Wall(15), false).expect("written")), [1]);
    assert_eq!(ids(store.forget_old(0, 0, Wall(25), false).expect("written")), [2]);
    assert_eq!(ids(store.forget_old(0, 0, Wall(25), false).expect("read")), [] as [i64; 0]);
    assert_eq!(ids(store.forget_old(0, 0, Wall(31), false).expect("written")), [3]);
}

#[test]
fn what_was_interrupted_is_told_once_and_again_only_if_it_happens_again() {
    let (_dir, mut store) = temp();
    let ids = |left: Left| (left.jobs.iter().map(|job| job.id.0).collect::<Vec<_>>(), left.more);
    let mut end = |state: JobState| {
        let id = submit(&mut store, new());
        let claimed = claim(&mut store, 2000).expect("claimed");
        assert_eq!(claimed.job.id, id);
        finish(&mut store, &claimed, state, 3000);
        id
    };
    for state in [JobState::Done, JobState::Failed, JobState::Cancelled] {
        end(state);
    }
    let last = [JobState::Interrupted; 3].map(&mut end)[2];
    let changes = |store: &JobStore| -> u64 { store.conn.total_changes() };
    assert_eq!(ids(again(&store).left_unfinished(2).expect("read")), (vec![6, 5], 1));
    let before = changes(&store);
    assert_eq!(ids(store.left_unfinished(2).expect("read")), (vec![], 0), "also the third one was told of");
    assert_eq!(changes(&store), before);
    store.retry(last).expect("written");
    let claimed = claim(&mut store, 4000).expect("claimed");
    assert_eq!(ids(store.left_unfinished(2).expect("read")), (vec![], 0), "it runs");
    finish(&mut store, &claimed, JobState::Interrupted, 5000);
    assert_eq!(ids(store.left_unfinished(2).expect("read")), (vec![6], 0));
}

#[test]
fn another_attempt_begins_without_the_progress_of_the_last_one_and_a_resumed_one_keeps_it() {
    let (_dir, mut store) = temp();
    let id = submit(&mut store, new());
    let said = crate::model::job::Progress { done: Some(1), total: Some(2), ..Default::default() };
    for (resumed, kept) in [(true, Some(1)), (false, None)] {
        let claimed = claim(&mut store, 2000).expect("claimed");
        store.progressed(id, claimed.epoch, &said, Some("1/2")).expect("written");
        finish(&mut store, &claimed, JobState::Interrupted, 3000);
        let changed = if resumed { store.resume(id) } else { store.retry(id) };
        assert_eq!(changed.expect("written"), Changed::Now(JobState::Queued));
        let claimed = claim(&mut store, 4000).expect("claimed");
        assert_eq!((claimed.job.progress.done, claimed.job.last_event.is_some()), (kept, kept.is_some()));
        finish(&mut store, &claimed, JobState::Interrupted, 5000);
        store.retry(id).expect("written");
    }
}
