//! Many jobs at once, one after the other.
use super::*;
use crate::model::job::Job;

fn lines(count: usize) -> impl Iterator<Item = (String, JobCommand)> {
    (0..count).map(|n| (format!("line {n}"), JobCommand::Shell(Bytes(format!("echo {n}").into()))))
}

fn all(store: &JobStore) -> Vec<Job> {
    store.list(&JobFilter::default(), None).expect("a list")
}

#[test]
fn jobs_that_are_alike_are_queued_as_if_each_had_been_written_out() {
    let (_dir, mut store) = temp();
    let parent = submit(&mut store, new());
    let alike = with(|spec| {
        spec.after = vec![parent];
        spec.priority = 3;
        spec.not_before = Some(Wall(99_000));
    });
    let ids = store.submit_alike(alike.clone(), lines(3), Wall(1000)).expect("queued");
    assert_eq!(ids, [JobId(2), JobId(3), JobId(4)]);
    let (_other_dir, mut other) = temp();
    let one = submit(&mut other, new());
    let written = lines(3).map(|(description, command)| {
        let steps = vec![StepSpec::of(command)];
        NewJob { spec: JobSpec { description, steps, after: vec![one], ..alike.spec.clone() }, ..alike.clone() }
    });
    assert_eq!(other.submit(&written.collect::<Vec<_>>(), Wall(1000)).expect("queued"), ids);
    let logs = |mut jobs: Vec<Job>| {
        jobs.iter_mut().for_each(|job| job.log = Default::default());
        jobs
    };
    assert_eq!(logs(all(&store)), logs(all(&other)));
    let claimed = claim(&mut store, 2000).expect("the parent");
    finish(&mut store, &claimed, JobState::Done, 3000);
    let next = claim(&mut store, 100_000).expect("the first line");
    assert_eq!((next.job.id, next.env), (JobId(2), alike.env.to_vec()));
    assert!(store.submit_alike(alike, lines(0), Wall(1000)).expect("nothing").is_empty());
}

#[test]
fn of_jobs_that_are_alike_none_is_queued_where_one_cannot_be() {
    let (_dir, mut store) = temp();
    let gpu = with(|spec| spec.group = "gpu".into());
    let refused = store.submit_alike(gpu, lines(3), Wall(1000));
    assert!(matches!(refused, Err(SubmitError::UnknownGroup { .. })));
    // The second of them would come after itself.
    let circle = with(|spec| spec.after = vec![JobId(2)]);
    let refused = store.submit_alike(circle, lines(3), Wall(1000));
    assert!(matches!(refused, Err(SubmitError::UnknownParent { parent: JobId(2) })));
    assert_eq!(all(&store), []);
    assert_eq!(submit(&mut store, new()), JobId(1), "no id is lost");
}

/// Whoever comes next, and has the store open alone, reads all of it.
#[test]
fn a_large_batch_leaves_no_long_log() {
    let (_dir, mut store) = temp();
    let long = lines(4000).map(|(_, command)| ("x".repeat(1000), command));
    assert_eq!(store.submit_alike(new(), long, Wall(1000)).expect("queued").len(), 4000);
    let log = std::fs::metadata(store.path().with_extension("db-wal")).expect("the log").len();
    assert!(log < TOO_LONG_WAL, "{log} bytes");
    assert_eq!(store.counts().expect("counted")[&JobState::Queued], 4000);
}
