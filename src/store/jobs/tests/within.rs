//! Jobs within the bounds of another one.
use super::*;
use crate::store::jobs::Within;

/// The same store, as somebody sees it who is held in.
fn held_in(store: &JobStore, bounds: i64) -> JobStore {
    let mut held = again(store);
    held.set_within(Within { bounds, word: "".into(), here: None });
    held
}

#[test]
fn only_who_is_within_the_same_bounds_takes_them() {
    let (_dir, mut store) = temp();
    let (mut one, mut other) = (held_in(&store, 1), held_in(&store, -7));
    let [a, b] = [submit(&mut one, with(|spec| spec.priority = 9)), submit(&mut other, new())];
    let c = submit(&mut store, new());
    let bounds = [a, b, c].map(|id| store.bounds_of(id).expect("read"));
    assert_eq!(bounds, [Some(1), Some(-7), None]);
    assert_eq!(store.job(a).expect("read").expect("there").within, Some(1));
    for store in [&store, &one, &other] {
        assert_eq!(store.startable(Wall(1), 9).expect("counted"), 1);
        let groups = store.groups().expect("read");
        assert_eq!(groups[0].queued, 3, "all of them wait for the same slots");
    }
    assert_eq!(store.counts().expect("counted").get(&JobState::Queued), Some(&3));
    assert_eq!([claim_id(&mut other, 1), claim_id(&mut other, 1)], [Some(b.0), None]);
    assert_eq!([claim_id(&mut store, 1), claim_id(&mut store, 1)], [Some(c.0), None]);
    assert_eq!([claim_id(&mut one, 1), claim_id(&mut one, 1)], [Some(a.0), None]);
}

#[test]
fn slots_are_counted_together() {
    let (_dir, mut store) = temp();
    store.set_limit(DEFAULT_GROUP, Some(1)).expect("written");
    let mut held = held_in(&store, 1);
    let (inner, beside) = (submit(&mut held, new()), submit(&mut store, new()));
    assert!(store.waits_beside().expect("read"));
    let claimed = claim(&mut held, 1).expect("a slot");
    assert_eq!((claimed.job.id, claim_id(&mut store, 1)), (inner, None));
    assert!(store.waits_beside().expect("read"), "the one that runs may be what it waits for");
    finish(&mut held, &claimed, JobState::Done, 2);
    assert!(!store.waits_beside().expect("read"));
    assert_eq!(claim_id(&mut store, 2), Some(beside.0));
}

#[test]
fn their_times_are_no_business_of_others() {
    let (_dir, mut store) = temp();
    let mut held = held_in(&store, 1);
    submit(&mut held, with(|spec| spec.not_before = Some(Wall(5000))));
    assert_eq!([store.next_wake(), held.next_wake()].map(Result::unwrap), [None, Some(Wall(5000))]);
    assert_eq!([store.startable(Wall(6000), 9), held.startable(Wall(6000), 9)].map(Result::unwrap), [0, 1]);
    assert_eq!(claim_id(&mut store, 6000), None);
    assert_eq!(claim_id(&mut held, 6000), Some(1));
    let (id, begun) = store.submit_to_run(&new(), me(3), BOOT, Wall(6000)).expect("queued");
    assert!(begun.is_some() && store.bounds_of(id).expect("read").is_none());
}

#[test]
fn what_waits_for_bounds_that_are_gone_ends_and_nothing_else() {
    let (_dir, mut store) = temp();
    let (mut one, mut other) = (held_in(&store, 1), held_in(&store, 2));
    let runs = submit(&mut one, new());
    assert_eq!(claim_id(&mut one, 1), Some(runs.0));
    let waiting = [
        submit(&mut one, new()),
        submit(&mut one, with(|spec| spec.hold = true)),
        submit(&mut one, with(|spec| spec.not_before = Some(Wall(5000)))),
        submit(&mut one, with(|spec| spec.after = vec![runs])),
    ];
    let (beside, after) = (submit(&mut other, new()), submit(&mut store, with(|spec| spec.after = vec![waiting[0]])));
    let mut found = store.bounds_with_jobs().expect("read");
    found.sort_unstable();
    assert_eq!(found, [1, 2]);
    store.end_within(1, "nobody is there", Wall(3000)).expect("written");
    for id in waiting {
        let job = store.job(id).expect("read").expect("there");
        assert_eq!((job.state, job.error.as_deref()), (JobState::Interrupted, Some("nobody is there")), "{id}");
        assert_eq!((job.ended, job.wake), (Some(Wall(3000)), None), "{id}");
    }
    assert_eq!(
        [runs, beside, after].map(|id| state(&store, id)),
        [JobState::Running, JobState::Queued, JobState::Skipped]
    );
    assert_eq!(store.bounds_with_jobs().expect("read"), [2]);
    assert!(!store.waits_within(1).expect("read") && store.waits_within(2).expect("read"));
}

#[test]
fn who_runs_is_told_with_its_bounds_where_any_has_some() {
    let (_dir, mut store) = temp();
    submit(&mut store, new());
    let plain = claim(&mut store, 1).expect("a slot");
    assert_eq!(store.alive_if_any_is_held().expect("read"), []);
    submit(&mut store, new());
    let bounded = store.claim(me(2), BOOT, Wall(1)).expect("a claim").expect("a slot");
    store.set_bounds(bounded.job.id, bounded.epoch, &Default::default()).expect("written");
    submit(&mut held_in(&store, -5), new());
    held_in(&store, -5).claim(me(3), BOOT, Wall(1)).expect("a claim").expect("a slot");
    let alive = store.alive_if_any_is_held().expect("read");
    let of = |pid: u32| alive.iter().find(|job| job.runner == Some(me(pid))).and_then(|job| job.bounds);
    assert_eq!([of(1), of(2), of(3)], [None, Some(bounded.job.id.0), Some(-5)]);
    assert_eq!((alive.len(), plain.job.id), (3, JobId(1)));
}
