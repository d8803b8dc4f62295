use super::*;
use crate::model::job::Answer;

/// A job of two steps that waits after its first.
fn paused(store: &mut JobStore) -> Claimed {
    let id = submit(store, with(|spec| spec.steps = vec![spec.steps[0].clone(), spec.steps[0].clone()]));
    let claimed = claim(store, 2000).expect("a job");
    store.started(id, claimed.epoch, 0, me(50), Wall(2000)).expect("written");
    assert_eq!(store.ask(id, claimed.epoch, 1).expect("written"), Fenced::Held(()));
    claimed
}

fn answer(store: &mut JobStore, id: JobId, answer: Answer) -> Answered {
    store.answer(id, answer, Wall(3000)).expect("written")
}

fn take(store: &mut JobStore, job: &Claimed) -> Fenced<Option<Answer>> {
    store.take_answer(job.job.id, job.epoch).expect("written")
}

#[test]
fn a_paused_job_keeps_its_slot_and_the_first_answer_counts() {
    let (_dir, mut store) = temp();
    store.set_limit(DEFAULT_GROUP, Some(1)).expect("written");
    let job = paused(&mut store);
    let id = job.job.id;
    submit(&mut store, new());
    assert_eq!((claim_id(&mut store, 3000), store.startable(Wall(3000), 9).expect("read")), (None, 0));
    let row = store.job(id).expect("read").expect("there");
    assert_eq!((row.state, row.step, row.child, row.runner), (JobState::Paused, 1, None, Some(me(1))));
    assert_eq!(take(&mut store, &job), Fenced::Held(None));
    assert_eq!(answer(&mut store, id, Answer::Retry), Answered::Given(me(1)));
    assert_eq!(answer(&mut store, id, Answer::Continue), Answered::Already(Answer::Retry));
    assert_eq!(state(&store, id), JobState::Paused, "until the runner has it");
    assert_eq!(take(&mut store, &job), Fenced::Held(Some(Answer::Retry)));
    assert_eq!(state(&store, id), JobState::Running);
    assert_eq!(answer(&mut store, id, Answer::Continue), Answered::Not(JobState::Running));
    assert_eq!(answer(&mut store, JobId(99), Answer::Continue), Answered::Unknown);
    // The next question does not find the old answer.
    store.ask(id, job.epoch, 1).expect("written");
    assert_eq!(take(&mut store, &job), Fenced::Held(None));
    assert_eq!(answer(&mut store, id, Answer::Continue), Answered::Given(me(1)));
    assert_eq!(answer(&mut store, id, Answer::Cancel), Answered::Given(me(1)), "an end can still be asked for");
    assert_eq!(take(&mut store, &job), Fenced::Held(Some(Answer::Cancel)));
    finish(&mut store, &job, JobState::Cancelled, 4000);
    assert_eq!(answer(&mut store, id, Answer::Continue), Answered::Not(JobState::Cancelled));
    assert_eq!(store.resume(id).expect("written"), Changed::Now(JobState::Queued));
    let resumed = claim(&mut store, 5000).expect("the older one");
    assert_eq!((resumed.job.id, resumed.job.step, resumed.goes_on), (id, 1, true));
    store.ask(id, resumed.epoch, 1).expect("written");
    assert_eq!(take(&mut store, &resumed), Fenced::Held(None));
}

#[test]
fn before_the_first_step_there_is_nothing_to_retry() {
    let (_dir, mut store) = temp();
    let id = submit(&mut store, new());
    assert_eq!(answer(&mut store, id, Answer::Cancel), Answered::Not(JobState::Queued));
    let job = claim(&mut store, 2000).expect("a job");
    store.ask(id, job.epoch, 0).expect("written");
    assert_eq!(answer(&mut store, id, Answer::Retry), Answered::NothingToRetry);
    assert_eq!(answer(&mut store, id, Answer::Continue), Answered::Given(me(1)));
}

#[test]
fn an_answer_waits_for_the_runner_that_takes_a_paused_job_over() {
    let (_dir, mut store) = temp();
    let job = paused(&mut store);
    let id = job.job.id;
    assert!(store.lost(BOOT).expect("read")[0].paused);
    answer(&mut store, id, Answer::Continue);
    let taken = store.take_over(id, job.epoch, me(2), "next boot").expect("written");
    let Fenced::Held(epoch) = taken else { panic!("fenced") };
    assert!(store.lost("next boot").expect("read")[0].this_boot, "it is that machine's now");
    let claimed = store.taken_over(id, epoch, Wall(9)).expect("read").expect("it waits");
    assert_eq!((claimed.job.step, claimed.job.runner, &claimed.env), (1, Some(me(2)), &job.env));
    assert_eq!(take(&mut store, &job), Fenced::Over);
    assert_eq!(store.ask(id, job.epoch, 1).expect("read"), Fenced::Over);
    assert_eq!(take(&mut store, &claimed), Fenced::Held(Some(Answer::Continue)));
    assert!(store.taken_over(id, epoch, Wall(9)).expect("read").is_none(), "it runs");
}
