//! What the morning page lives on.
use super::world::*;
use crate::model::{
    event::{Event, EventKind},
    observation::{CommitObs, GitObs},
    tally::Doing,
};

fn of(w: &World, kind: EventKind) -> Vec<&Event> {
    w.events.iter().filter(|e| e.kind == kind).collect()
}

/// Seconds that the events tell, and those that wait to be told.
fn spent(w: &World, name: &str, doing: Doing) -> u64 {
    let word = serde_json::to_value(doing).unwrap();
    let told = |e: &&Event| e.data["agents"][name][word.as_str().unwrap()].as_u64().unwrap_or(0);
    let mut tally = w.state.units[&format!("p-{name}")].tally.clone();
    tally.count(w.now.boot);
    of(w, EventKind::Activity).iter().map(told).sum::<u64>() + tally.spent.get(&doing).copied().unwrap_or(0) / 1000
}

#[test]
fn time_is_told_once_per_quarter_of_an_hour_however_often_it_changes() {
    let mut w = World::new(vec![agent("a"), agent("b")]);
    w.program("p-a").reading.active = evidence("active_re");
    for minute in 0..120 {
        w.program("p-b").reading.active = evidence("active_re").filter(|_| minute % 2 == 0);
        w.run(secs(60));
    }
    let told = of(&w, EventKind::Activity).len();
    assert!((7..=8).contains(&told), "{told}");
    assert!((7_150..=7_200).contains(&spent(&w, "a", Doing::Working)), "{}", spent(&w, "a", Doing::Working));
    for doing in [Doing::Working, Doing::Idle] {
        assert!((3_400..=3_800).contains(&spent(&w, "b", doing)), "{doing:?} {}", spent(&w, "b", doing));
    }
}

#[test]
fn a_hold_and_a_question_tell_their_end_with_their_beginning() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.limit = evidence("limit_re");
    w.run(secs(1_800));
    w.program("p-a").reading.limit = None;
    w.run(secs(60));
    let begun = of(&w, EventKind::Limited)[0].at;
    assert_eq!(of(&w, EventKind::LimitOver).len(), 1);
    assert_eq!(of(&w, EventKind::LimitOver)[0].data["since"], begun.rfc3339());
    assert_eq!(of(&w, EventKind::Limited)[0].data["banner"], "limit_re");
    assert!((1_750..=1_830).contains(&spent(&w, "a", Doing::Limited)), "{}", spent(&w, "a", Doing::Limited));
    w.program("p-a").reading.waiting = evidence("waiting_re");
    w.run(secs(600));
    assert_eq!(w.state.units["p-a"].tally.asked.as_ref().map(|a| a.text.as_str()), Some("waiting_re"));
    w.program("p-a").reading.waiting = None;
    w.run(secs(60));
    let over = of(&w, EventKind::WaitingOver);
    assert_eq!((over.len(), &over[0].data["asked"]), (1, &"waiting_re".into()));
    assert_eq!(over[0].data["since"], of(&w, EventKind::Waiting)[0].at.rfc3339());
}

#[test]
fn a_hold_that_is_taken_away_ends_in_the_page_too() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.limit = evidence("limit_re");
    w.run(secs(60));
    w.program("p-a").reading.limit = None;
    w.state.units.get_mut("p-a").unwrap().hold = None;
    w.run(secs(60));
    assert_eq!(of(&w, EventKind::LimitOver).len(), 1);
}

#[test]
fn a_start_tells_why_it_is_a_restart_and_the_first_one_is_none() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(60));
    w.crash("p-a");
    w.run(secs(60));
    w.program("p-a").reading.fatal = evidence("fatal_re");
    w.run(secs(320));
    w.program("p-a").reading.fatal = None;
    w.run(secs(60));
    let why: Vec<_> = of(&w, EventKind::Started).iter().map(|e| e.data["restart"].as_str()).collect();
    assert_eq!(why[..2], [None, Some("exit code 1")]);
    assert!(why[2..].iter().all(|w| *w == Some("fatal error on its screen")) && why.len() > 2, "{why:?}");
}

#[test]
fn nobody_s_time_is_told_of_what_nobody_saw() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(600));
    w.now = w.now.plus(secs(7 * 3600));
    w.run(secs(600));
    let worked = spent(&w, "a", Doing::Working);
    assert!((1_150..=1_200).contains(&worked), "{worked}");
    assert!(w.said("nobody looked for 7h 0m"));
    // Another supervisor takes over: its predecessor looked until then.
    w.run(secs(300));
    w.state.fleet.looked = Some(w.now.boot);
    w.state.fleet.taken_over = true;
    w.now = w.now.plus(secs(3600));
    w.run(secs(300));
    let worked = spent(&w, "a", Doing::Working);
    assert!((1_750..=1_800).contains(&worked), "{worked}");
    assert_eq!(w.events.iter().filter(|e| e.text.contains("nobody looked")).count(), 1, "the start tells that");
}

#[test]
fn a_clock_that_is_set_changes_no_length() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.active = evidence("active_re");
    for hours in [-5i64, 9, -2] {
        w.run(secs(1_000));
        w.now.wall.0 += hours * 3_600_000;
    }
    let worked = spent(&w, "a", Doing::Working);
    assert!((2_950..=3_000).contains(&worked), "{worked}");
}

#[test]
fn a_stopped_or_paused_agent_has_no_time() {
    let mut w = World::new(vec![agent("a")]);
    w.program("p-a").reading.active = evidence("active_re");
    w.run(secs(600));
    w.ask(crate::model::request::Verb::Pause { names: vec!["a".into()] });
    w.run(secs(3_600));
    let all: u64 =
        [Doing::Working, Doing::Idle, Doing::Down, Doing::Unseen].into_iter().map(|d| spent(&w, "a", d)).sum();
    assert!((550..=610).contains(&all), "{all}");
}

#[test]
fn commits_are_told_once_and_belong_to_who_claims_or_reviews() {
    let mut w = super::handoff::loop_world();
    w.run(secs(30));
    let heads = |n: u32| std::collections::BTreeMap::from([("main".to_owned(), n.to_string())]);
    w.obs.git = Some(GitObs { heads: heads(1), ..GitObs::default() });
    w.run(secs(30));
    let commit = |n: u32, subject: &str| CommitObs { sha: format!("{n:040}"), subject: subject.into() };
    let commits = vec![commit(1, "claim: x"), commit(2, "review: x"), commit(3, "chore \u{1b}[2J")];
    for _ in 0..2 {
        w.obs.git = Some(GitObs { heads: heads(2), commits: commits.clone(), ..GitObs::default() });
        w.run(secs(60));
    }
    let told = of(&w, EventKind::Commits);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].text, "3 new commits, the last 0000000");
    let by: Vec<_> = told[0].data["commits"].as_array().unwrap().iter().map(|c| c["by"].as_str()).collect();
    assert_eq!(by, [Some("builder"), Some("adversary"), None]);
}
