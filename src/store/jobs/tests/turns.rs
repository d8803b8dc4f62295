use super::*;

#[test]
fn higher_priority_first_then_age() {
    let (_dir, mut store) = temp();
    for priority in [0, 5, 5, -1] {
        submit(&mut store, with(|spec| spec.priority = priority));
    }
    let order: Vec<_> = (0..5).map(|_| claim_id(&mut store, 2000)).collect();
    assert_eq!(order, [Some(2), Some(3), Some(1), Some(4), None]);
}

#[test]
fn a_group_runs_no_more_than_its_limit_and_holds_no_other_up() {
    let (_dir, mut store) = temp();
    store.set_limit("one", Some(1)).expect("written");
    store.set_limit("none", Some(0)).expect("written");
    store.set_limit("many", None).expect("written");
    for group in ["none", "one", "one", "many", "many"] {
        submit(&mut store, with(|spec| spec.group = group.into()));
    }
    assert_eq!(store.startable(Wall(2000), 100).expect("read"), 3);
    let first = claim(&mut store, 2000).expect("of `one`");
    assert_eq!(first.job.id, JobId(2));
    assert_eq!([4, 5].map(Some), [claim_id(&mut store, 2000), claim_id(&mut store, 2000)]);
    assert_eq!((claim_id(&mut store, 2000), store.startable(Wall(2000), 100).expect("read")), (None, 0));
    finish(&mut store, &first, JobState::Done, 3000);
    assert_eq!(store.startable(Wall(2000), 100).expect("read"), 1);
    assert_eq!(claim_id(&mut store, 3000), Some(3));
    store.set_limit("none", Some(2)).expect("written");
    assert_eq!(claim_id(&mut store, 3000), Some(1));
    let groups = store.groups().expect("read");
    assert_eq!(groups[0].name, DEFAULT_GROUP);
    assert!(groups[0].limit.is_some_and(|limit| limit >= 4));
    let one = groups.iter().find(|group| group.name == "one").expect("there");
    assert_eq!(one, &Group { name: "one".into(), limit: Some(1), running: 1, queued: 0 });
}

#[test]
fn the_default_group_has_the_limit_of_the_machine_until_one_is_set() {
    let (_dir, mut store) = temp();
    store.set_machine_slots(1);
    submit(&mut store, new());
    submit(&mut store, new());
    assert_eq!([claim_id(&mut store, 1000), claim_id(&mut store, 1000)], [Some(1), None]);
    store.set_limit(DEFAULT_GROUP, Some(2)).expect("written");
    assert_eq!(claim_id(&mut store, 1000), Some(2));
}

#[test]
fn two_who_race_never_take_the_same_job_nor_more_than_the_limit() {
    let (_dir, mut store) = temp();
    store.set_limit("three", Some(3)).expect("written");
    let jobs: Vec<NewJob> = (0..200).map(|_| with(|spec| spec.group = "three".into())).collect();
    store.submit(&jobs, Wall(1000)).expect("queued");
    let barrier = Arc::new(Barrier::new(4));
    let threads: Vec<_> = (0..4_u32)
        .map(|number| {
            let (mut store, barrier) = (again(&store), barrier.clone());
            std::thread::spawn(move || {
                barrier.wait();
                let mut taken = Vec::new();
                loop {
                    let claimed = store.claim(me(number), BOOT, Wall(2000)).expect("a claim");
                    let live = store.running().expect("read").len();
                    assert!(live <= 3, "{live} run at once");
                    match claimed {
                        Some(claimed) => {
                            taken.push(claimed.job.id.0);
                            finish(&mut store, &claimed, JobState::Done, 3000);
                        }
                        // The slots may be those of the others.
                        None if store.counts().expect("read").contains_key(&JobState::Queued) => {
                            std::thread::yield_now();
                        }
                        None => return taken,
                    }
                }
            })
        })
        .collect();
    let mut all: Vec<i64> = threads.into_iter().flat_map(|thread| thread.join().expect("it ended well")).collect();
    all.sort_unstable();
    assert_eq!(all, (1..=200).collect::<Vec<i64>>());
}

#[test]
fn a_runner_whose_job_was_taken_over_writes_nothing() {
    let (_dir, mut store) = temp();
    let id = submit(&mut store, new());
    let old = claim(&mut store, 2000).expect("claimed");
    assert_eq!(store.started(id, old.epoch, 0, me(50), Wall(2000)).expect("written"), Fenced::Held(()));
    let lost = store.lost("another boot").expect("read");
    let (runner, child) = (Some(me(1)), Some(me(50)));
    let known =
        Lost { id, epoch: old.epoch, runner, child, this_boot: false, paused: false, finder: None, within: None };
    assert_eq!(lost, [known]);
    assert!(store.lost(BOOT).expect("read")[0].this_boot);
    let Fenced::Held(epoch) = store.take_over(id, old.epoch, me(2), BOOT).expect("written") else { panic!("fenced") };
    assert_eq!(store.take_over(id, old.epoch, me(3), BOOT).expect("read"), Fenced::Over);
    let done = Ending::of(JobState::Done);
    assert_eq!(store.started(id, old.epoch, 0, me(51), Wall(3000)).expect("read"), Fenced::Over);
    assert_eq!(store.finish(id, old.epoch, &done, Wall(3000)).expect("read"), Fenced::Over);
    assert_eq!((state(&store, id), store.running().expect("read").len()), (JobState::Running, 1));
    let ending = Ending::of(JobState::Interrupted);
    assert!(matches!(store.finish(id, epoch, &ending, Wall(3000)).expect("written"), Fenced::Held(_)));
    assert_eq!(state(&store, id), JobState::Interrupted);
    assert_eq!(store.finish(id, epoch, &done, Wall(4000)).expect("read"), Fenced::Over, "it is over");
}

#[test]
fn steps_are_told_as_they_go() {
    let (_dir, mut store) = temp();
    let mut job = new();
    job.spec.steps.push(job.spec.steps[0].clone());
    let id = submit(&mut store, job);
    let claimed = claim(&mut store, 2000).expect("claimed");
    store.started(id, claimed.epoch, 0, me(9), Wall(2001)).expect("written");
    let exit = Some(Exit::Signal(9));
    store
        .step_ended(id, claimed.epoch, StepEnd { number: 0, state: JobState::Failed, exit, at: Wall(2002) })
        .expect("written");
    store.started(id, claimed.epoch, 0, me(10), Wall(2003)).expect("written");
    let job = store.job(id).expect("read").expect("there");
    assert_eq!((job.steps.len(), job.step, job.child), (2, 0, Some(me(10))));
    assert_eq!(
        (job.steps[0].attempt, job.steps[0].state, job.steps[0].started),
        (2, JobState::Running, Some(Wall(2003)))
    );
    assert_eq!((job.steps[1].attempt, job.steps[1].state), (0, JobState::Queued));
    store
        .step_ended(
            id,
            claimed.epoch,
            StepEnd { number: 0, state: JobState::Done, exit: Some(Exit::Code(0)), at: Wall(2004) },
        )
        .expect("written");
    let job = store.job(id).expect("read").expect("there");
    assert_eq!((job.child, job.steps[0].exit, job.steps[0].ended), (None, Some(Exit::Code(0)), Some(Wall(2004))));
}

#[test]
fn a_batch_is_queued_whole_or_not_at_all() {
    let (_dir, mut store) = temp();
    let ids = |jobs: &[NewJob], store: &mut JobStore| store.submit(jobs, Wall(1));
    let after = |after_batch: &[usize]| NewJob { after_batch: after_batch.to_vec(), ..new() };
    let error = ids(&[new(), with(|s| s.group = "nowhere".into())], &mut store).expect_err("refused");
    assert_eq!(error.to_string(), "there is no group `nowhere`");
    let error = ids(&[new(), with(|s| s.after = vec![JobId(1)])], &mut store).expect_err("refused");
    assert_eq!(error.to_string(), "there is no job j1 to come after", "an id that the batch itself would get");
    let error = ids(&[after(&[2]), after(&[0]), after(&[1])], &mut store).expect_err("refused");
    assert!(matches!(&error, SubmitError::Cycle { jobs } if jobs.len() == 3), "{error}");
    assert!(matches!(ids(&[after(&[0])], &mut store), Err(SubmitError::Cycle { .. })), "itself");
    assert!(matches!(ids(&[after(&[7])], &mut store), Err(SubmitError::UnknownInBatch { parent: 7, .. })));
    assert!(store.list(&JobFilter::default(), None).expect("read").is_empty());
    let ids = ids(&[after(&[1, 2]), after(&[2]), new()], &mut store).expect("queued");
    assert_eq!(ids, [JobId(1), JobId(2), JobId(3)]);
    assert_eq!([1, 2, 3].map(|id| state(&store, JobId(id))), [JobState::Blocked, JobState::Blocked, JobState::Queued]);
    assert_eq!(store.job(JobId(1)).expect("read").expect("there").spec.after, [JobId(2), JobId(3)]);
}

#[test]
fn a_failure_is_tried_again_after_growing_pauses() {
    let (_dir, mut store) = temp();
    let id = submit(&mut store, with(|spec| spec.retries = 2));
    let child = submit(&mut store, with(|spec| spec.after = vec![id]));
    let claimed = claim(&mut store, 0).expect("claimed");
    let finished = finish(&mut store, &claimed, JobState::Failed, 5000);
    assert_eq!(finished, Finished { state: JobState::Backoff, wake: Some(Wall(6000)), freed: 0 });
    assert_eq!((store.next_wake().expect("read"), claim_id(&mut store, 5999)), (Some(Wall(6000)), None));
    assert_eq!(store.startable(Wall(6000), 9).expect("read"), 1);
    let claimed = claim(&mut store, 6000).expect("its time has come");
    assert_eq!((claimed.job.id, claimed.job.attempt), (id, 2));
    assert_eq!(finish(&mut store, &claimed, JobState::Timeout, 7000).wake, Some(Wall(9000)));
    let claimed = claim(&mut store, 9000).expect("its time has come");
    assert_eq!(finish(&mut store, &claimed, JobState::Failed, 9500).state, JobState::Failed);
    assert_eq!((state(&store, child), store.next_wake().expect("read")), (JobState::Skipped, None));
    assert_eq!(store.retry(id).expect("written"), Changed::Now(JobState::Queued));
    let claimed = claim(&mut store, 9600).expect("retried");
    assert_eq!(claimed.job.attempt, 4);
    assert_eq!(finish(&mut store, &claimed, JobState::Failed, 9700).state, JobState::Backoff, "with all its retries");
}

#[test]
fn a_time_that_is_not_yet_holds_nobody_else_up() {
    let (_dir, mut store) = temp();
    submit(&mut store, with(|spec| (spec.not_before, spec.priority) = (Some(Wall(9000)), 9)));
    submit(&mut store, new());
    assert_eq!((claim_id(&mut store, 2000), claim_id(&mut store, 2000)), (Some(2), None));
    assert_eq!((store.next_wake().expect("read"), claim_id(&mut store, 9000)), (Some(Wall(9000)), Some(1)));
}
