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
    assert_eq!(ids(store.forget_old(1, 0, Wall(15)).expect("written")), [1]);
    assert_eq!(ids(store.forget_old(0, 0, Wall(25)).expect("written")), [2]);
    assert_eq!(ids(store.forget_old(0, 0, Wall(25)).expect("read")), [] as [i64; 0]);
    assert_eq!(ids(store.forget_old(0, 0, Wall(31)).expect("written")), [3]);
}
