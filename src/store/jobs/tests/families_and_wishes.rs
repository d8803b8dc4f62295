use super::*;

#[test]
fn a_child_runs_after_the_success_of_all_its_parents() {
    let (_dir, mut store) = temp();
    let (a, b) = (submit(&mut store, new()), submit(&mut store, new()));
    let child = submit(&mut store, with(|spec| spec.after = vec![a, b]));
    assert_eq!(state(&store, child), JobState::Blocked);
    let (first, second) = (claim(&mut store, 1).expect("a"), claim(&mut store, 1).expect("b"));
    assert_eq!(finish(&mut store, &first, JobState::Done, 2).freed, 0);
    assert_eq!(claim_id(&mut store, 3), None);
    assert_eq!(finish(&mut store, &second, JobState::Done, 3).freed, 1);
    assert_eq!(claim_id(&mut store, 4), Some(child.0));
    let late = submit(&mut store, with(|spec| spec.after = vec![a]));
    assert_eq!(state(&store, late), JobState::Queued, "its parent is done");
}

#[test]
fn what_comes_after_a_failure_is_skipped_with_all_that_comes_after_it() {
    let (_dir, mut store) = temp();
    let a = submit(&mut store, new());
    let b = submit(&mut store, with(|spec| spec.after = vec![a]));
    let c = submit(&mut store, with(|spec| (spec.after, spec.hold) = (vec![b], true)));
    let claimed = claim(&mut store, 1).expect("a");
    finish(&mut store, &claimed, JobState::Failed, 2);
    let why = |id| store.job(id).expect("read").expect("there");
    assert_eq!((why(b).state, why(b).ended), (JobState::Skipped, Some(Wall(2))));
    assert_eq!(why(b).error.as_deref(), Some("it comes after j1, which failed"));
    assert_eq!(
        (why(c).state, why(c).error.as_deref()),
        (JobState::Skipped, Some("it comes after j2, which was skipped"))
    );
    let late = submit(&mut store, with(|spec| spec.after = vec![a]));
    let late = store.job(late).expect("read").expect("there");
    assert_eq!((late.state, late.error.as_deref()), (JobState::Skipped, Some("it comes after j1, which failed")));
}

#[test]
fn cancel_ends_what_waits_and_asks_for_what_runs() {
    let (_dir, mut store) = temp();
    let (a, b) = (submit(&mut store, with(|spec| spec.retries = 3)), submit(&mut store, new()));
    let child = submit(&mut store, with(|spec| spec.after = vec![b]));
    let claimed = claim(&mut store, 1).expect("a");
    assert_eq!(store.cancel(b, Wall(2)).expect("written"), Cancelled::Ended);
    assert_eq!([state(&store, b), state(&store, child)], [JobState::Cancelled, JobState::Skipped]);
    assert_eq!(store.cancel(b, Wall(2)).expect("read"), Cancelled::Was(JobState::Cancelled));
    assert_eq!(store.cancel(JobId(77), Wall(2)).expect("read"), Cancelled::Unknown);
    assert!(!store.is_cancelled(a, claimed.epoch).expect("read"));
    assert_eq!(store.cancel(a, Wall(2)).expect("written"), Cancelled::Asked(me(1)));
    assert!(store.is_cancelled(a, claimed.epoch).expect("read"));
    assert_eq!(finish(&mut store, &claimed, JobState::Failed, 3).state, JobState::Cancelled, "and not tried again");
    assert_eq!(store.retry(a).expect("written"), Changed::Now(JobState::Queued));
    let claimed = claim(&mut store, 4).expect("a");
    assert!(!store.is_cancelled(a, claimed.epoch).expect("read"), "that was the last time");
}

#[test]
fn hold_and_release() {
    let (_dir, mut store) = temp();
    let a = submit(&mut store, with(|spec| spec.hold = true));
    let b = submit(&mut store, with(|spec| spec.after = vec![a]));
    assert_eq!((state(&store, a), claim_id(&mut store, 1)), (JobState::Held, None));
    assert_eq!(store.hold(b).expect("written"), Changed::Now(JobState::Held));
    assert_eq!(store.release(b).expect("written"), Changed::Now(JobState::Blocked));
    assert_eq!(store.release(a).expect("written"), Changed::Now(JobState::Queued));
    assert_eq!(store.release(a).expect("read"), Changed::Not(JobState::Queued));
    assert_eq!(claim_id(&mut store, 1), Some(1));
    assert_eq!(store.hold(a).expect("read"), Changed::Not(JobState::Running));
    assert_eq!(store.hold(JobId(9)).expect("read"), Changed::Unknown);
}

#[test]
fn resume_goes_on_where_it_ended_and_retry_begins_again() {
    let (_dir, mut store) = temp();
    let mut job = new();
    job.spec.steps.push(job.spec.steps[0].clone());
    let id = submit(&mut store, job);
    for goes_on in [true, false] {
        let claimed = claim(&mut store, 1).expect("claimed");
        for step in claimed.job.step..2 {
            store.started(id, claimed.epoch, step, me(9), Wall(2)).expect("written");
            let ended = [JobState::Done, JobState::Failed][step];
            store
                .step_ended(id, claimed.epoch, StepEnd { number: step, state: ended, exit: None, at: Wall(3) })
                .expect("written");
        }
        finish(&mut store, &claimed, JobState::Failed, 4);
        let changed = if goes_on { store.resume(id) } else { store.retry(id) };
        assert_eq!(changed.expect("written"), Changed::Now(JobState::Queued));
        let next = claim(&mut store, 5).expect("claimed");
        assert_eq!((next.goes_on, next.job.step), (goes_on, usize::from(goes_on)));
        let first = if goes_on { JobState::Done } else { JobState::Queued };
        assert_eq!(next.job.steps[0].state, first);
        finish(&mut store, &next, JobState::Interrupted, 6);
        assert_eq!(store.retry(id).expect("written"), Changed::Now(JobState::Queued));
    }
    let claimed = claim(&mut store, 7).expect("claimed");
    finish(&mut store, &claimed, JobState::Done, 8);
    assert_eq!(store.resume(id).expect("read"), Changed::Not(JobState::Done), "there is nothing left of it");
}

#[test]
fn a_retried_child_does_not_wait_for_parents_that_are_over() {
    let (_dir, mut store) = temp();
    let a = submit(&mut store, new());
    let b = submit(&mut store, with(|spec| spec.after = vec![a]));
    let claimed = claim(&mut store, 1).expect("a");
    finish(&mut store, &claimed, JobState::Failed, 2);
    assert_eq!(store.retry(b).expect("written"), Changed::Now(JobState::Queued));
    assert_eq!(store.retry(a).expect("written"), Changed::Now(JobState::Queued));
    assert_eq!([claim_id(&mut store, 3), claim_id(&mut store, 3)], [Some(1), Some(2)]);
}
