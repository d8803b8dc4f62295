use super::*;
use crate::model::time::Boot;

fn finder(pid: u32) -> Finder {
    Finder { mark: me(pid), boot: BOOT.into(), at: Boot(7000) }
}

/// A job whose runner is gone, as those see it who look.
fn lost(store: &mut JobStore) -> Lost {
    let id = submit(store, new());
    claim(store, 2000).expect("claimed");
    of(store, id)
}

fn of(store: &JobStore, id: JobId) -> Lost {
    store.lost(BOOT).expect("read").into_iter().find(|lost| lost.id == id).expect("it is lost")
}

#[test]
fn of_many_who_find_lost_jobs_at_once_each_has_one_finder() {
    let (_dir, mut store) = temp();
    store.set_limit(DEFAULT_GROUP, None).expect("written");
    let jobs: Vec<Lost> = (0..40).map(|_| lost(&mut store)).collect();
    let barrier = Arc::new(Barrier::new(4));
    let threads: Vec<_> = (0..4_u32)
        .map(|number| {
            let (mut store, barrier, jobs) = (again(&store), barrier.clone(), jobs.clone());
            std::thread::spawn(move || {
                barrier.wait();
                // A few at a time, so that they come in between each other.
                let ours = jobs.chunks(3).flat_map(|some| store.found(some, &finder(number)).expect("written"));
                ours.map(|job| (job, number)).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut all: Vec<(Lost, u32)> = threads.into_iter().flat_map(|thread| thread.join().expect("it ended")).collect();
    all.sort_by_key(|(job, _)| job.id);
    assert_eq!(all.iter().map(|(job, _)| job.id).collect::<Vec<_>>(), jobs.iter().map(|j| j.id).collect::<Vec<_>>());
    for (job, number) in all {
        assert_eq!((job.epoch, &job.finder), (2, &Some(finder(number))));
        assert_eq!(of(&store, job.id), job, "what it was told stands there");
    }
}

#[test]
fn a_finder_counts_until_a_runner_has_the_job_and_is_none() {
    let (_dir, mut store) = temp();
    let old = lost(&mut store);
    let [job] = &store.found(std::slice::from_ref(&old), &finder(50)).expect("written")[..] else { panic!("one") };
    assert_eq!((job.runner, job.epoch, job.finder.clone()), (old.runner, old.epoch + 1, Some(finder(50))));
    let cancelled = store.cancel(old.id, Wall(3000)).expect("written");
    assert_eq!(cancelled, Cancelled::Asked(old.runner.expect("a mark")), "nobody else would be told");
    let over = store.finish(old.id, old.epoch, &Ending::of(JobState::Done), Wall(3000)).expect("read");
    assert_eq!(over, Fenced::Over, "whoever ran it before comes too late");
    store.sent(&[(old.id, job.epoch, Some(finder(51)))]).expect("written");
    assert_eq!(of(&store, old.id).finder, Some(finder(51)));
    let late = store.found(std::slice::from_ref(job), &finder(60)).expect("read");
    assert_eq!(late, [], "who saw the one before it, and that it is dead, has missed that it had sent somebody");
    store.sent(&[(old.id, job.epoch, None)]).expect("written");
    assert_eq!(of(&store, old.id).finder, None, "nobody could be sent");
    store.sent(&[(old.id, job.epoch, Some(finder(52)))]).expect("written");
    assert_eq!(store.take_over(old.id, old.epoch, me(53), BOOT).expect("read"), Fenced::Over);
    let taken = store.take_over(old.id, job.epoch, me(52), BOOT).expect("written");
    assert_eq!((taken, of(&store, old.id).finder), (Fenced::Held(job.epoch + 1), None));
    store.sent(&[(old.id, job.epoch, Some(finder(54)))]).expect("read");
    assert_eq!((of(&store, old.id).finder, of(&store, old.id).runner), (None, Some(me(52))), "that was too late");
}

#[test]
fn a_session_that_is_ended_ends_its_own_job_and_is_the_reason() {
    let (_dir, mut store) = temp();
    let id = submit(&mut store, new());
    let claimed = claim(&mut store, 2000).expect("claimed");
    let end = |store: &mut JobStore, opened: i64| {
        store.cancel_with_session(id, opened, "its end", Wall(3000)).expect("written")
    };
    assert_eq!(end(&mut store, claimed.epoch), None, "it has none");
    store.set_session(id, claimed.epoch, Some("j1")).expect("written");
    assert_eq!(end(&mut store, claimed.epoch + 1), None, "that is another one");
    store.session_gone(id, claimed.epoch + 1).expect("read");
    assert_eq!(store.job(id).expect("read").expect("there").session.as_deref(), Some("j1"));
    // Whoever runs it by now.
    let Fenced::Held(epoch) = store.take_over(id, claimed.epoch, me(2), BOOT).expect("written") else { panic!("over") };
    assert_eq!(end(&mut store, claimed.epoch), Some(Cancelled::Asked(me(2))));
    assert!(store.is_cancelled(id, epoch).expect("read"));
    store.finish(id, epoch, &Ending::of(JobState::Cancelled), Wall(4000)).expect("written");
    let error = |store: &JobStore| store.job(id).expect("read").expect("there").error;
    assert_eq!(error(&store).as_deref(), Some("its end"));
    assert_eq!(end(&mut store, claimed.epoch), None, "it is over");
    // In another run: one that was asked for first, and one that ended otherwise.
    for (asked, ended, why) in [(true, JobState::Cancelled, None), (false, JobState::Done, None)] {
        store.retry(id).expect("written");
        let claimed = claim(&mut store, 5000).expect("claimed");
        assert_eq!((error(&store), end(&mut store, claimed.epoch)), (None, None), "it has no session yet");
        store.set_session(id, claimed.epoch, Some("j1")).expect("written");
        if asked {
            store.cancel(id, Wall(6000)).expect("written");
        }
        assert_eq!(end(&mut store, claimed.epoch), Some(Cancelled::Asked(me(1))));
        store.finish(id, claimed.epoch, &Ending::of(ended), Wall(7000)).expect("written");
        assert_eq!(error(&store).as_deref(), why);
    }
    // One whose session is gone by itself.
    store.retry(id).expect("written");
    let claimed = claim(&mut store, 8000).expect("claimed");
    store.set_session(id, claimed.epoch, Some("j1")).expect("written");
    store.session_gone(id, claimed.epoch).expect("written");
    assert_eq!(end(&mut store, claimed.epoch), None);
}
