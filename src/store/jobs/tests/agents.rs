use super::*;
use crate::model::job::{Answer, Progress};

fn news(step: usize, session: &str) -> AgentNews {
    AgentNews {
        progress: Progress { model_calls: 3, ..Progress::default() },
        last_event: Some("Edit(file='a')".into()),
        cost_usd: Some(0.5),
        usage: Some(serde_json::json!({"input_tokens": 7})),
        session: Some((step, session.into())),
    }
}

#[test]
fn what_an_agent_said_stays_for_a_resume_and_goes_with_a_retry() {
    let (_dir, mut store) = temp();
    let id = submit(&mut store, with(|spec| spec.steps = vec![spec.steps[0].clone(), spec.steps[0].clone()]));
    let job = claim(&mut store, 2000).expect("a job");
    store.started(id, job.epoch, 1, me(50), Wall(2000)).expect("written");
    assert_eq!(store.agent_said(id, job.epoch, &news(1, "s-1")).expect("written"), Fenced::Held(()));
    // Nothing new of the conversation takes nothing away.
    let later = AgentNews { session: None, ..news(1, "") };
    assert_eq!(store.agent_said(id, job.epoch, &later).expect("written"), Fenced::Held(()));
    assert_eq!(store.files_changed(id, job.epoch, 2).expect("written"), Fenced::Held(()));
    let row = store.job(id).expect("read").expect("there");
    assert_eq!((row.agent_session.as_deref(), row.files_changed, row.cost_usd), (Some("s-1"), Some(2), Some(0.5)));
    assert_eq!((row.progress.model_calls, row.last_event.as_deref()), (3, Some("Edit(file='a')")));
    assert_eq!((row.steps[0].session.as_deref(), row.steps[1].session.as_deref()), (None, Some("s-1")));
    assert_eq!(row.steps[1].state, JobState::Running, "the step goes on");
    finish(&mut store, &job, JobState::Failed, 3000);
    store.resume(id).expect("written");
    let resumed = claim(&mut store, 4000).expect("a job");
    let row = &resumed.job;
    assert_eq!((resumed.goes_on, row.agent_session.as_deref(), row.files_changed), (true, Some("s-1"), None));
    assert_eq!((row.cost_usd, row.usage.is_some(), row.steps[1].session.is_some()), (Some(0.5), true, true));
    // Whoever had it before writes nothing any more.
    assert_eq!(store.agent_said(id, job.epoch, &news(1, "forged")).expect("written"), Fenced::Over);
    assert_eq!(store.files_changed(id, job.epoch, 9).expect("written"), Fenced::Over);
    finish(&mut store, &resumed, JobState::Failed, 5000);
    store.retry(id).expect("written");
    let fresh = claim(&mut store, 6000).expect("a job").job;
    assert_eq!((fresh.agent_session, fresh.cost_usd, fresh.usage, fresh.files_changed), (None, None, None, None));
    assert_eq!((fresh.progress, fresh.steps[1].session.as_deref()), (Progress::default(), None));
}

#[test]
fn a_job_that_waits_for_an_approval_keeps_what_its_agent_said() {
    let (_dir, mut store) = temp();
    let id = submit(&mut store, with(|spec| spec.steps = vec![spec.steps[0].clone(), spec.steps[0].clone()]));
    let job = claim(&mut store, 2000).expect("a job");
    store.agent_said(id, job.epoch, &news(0, "s-1")).expect("written");
    store.ask(id, job.epoch, 1).expect("written");
    let Fenced::Held(epoch) = store.take_over(id, job.epoch, me(2), BOOT).expect("written") else { panic!("fenced") };
    store.answer(id, Answer::Continue, Wall(3000)).expect("written");
    let taken = store.taken_over(id, epoch, Wall(9)).expect("read").expect("it waits");
    assert_eq!((taken.job.agent_session.as_deref(), taken.goes_on), (Some("s-1"), true));
}
