//! Phase advance and the end of the sequence.
use super::{handoff::loop_world, world::*};
use crate::model::{
    event::EventKind,
    observation::{CommitObs, GitObs, PhaseObs},
    policy::OnComplete,
    request::Verb,
    state::Life,
};

fn done(w: &mut World, index: usize) {
    w.obs.phase = Some(PhaseObs { index, done: true, source: "origin/main:p.md".into() });
    w.run(secs(5));
}

#[test]
fn a_done_phase_restarts_the_loops_in_the_next_one_once() {
    let mut w = loop_world();
    w.run(secs(5));
    done(&mut w, 0);
    assert!(w.said("PHASE p1 DONE — auto-transitioning to p2"));
    assert_eq!(w.obs.files.phase_index, Some(1));
    assert_eq!(w.launches.len(), 4);
    done(&mut w, 0);
    assert_eq!(w.launches.len(), 4, "an old answer moves nothing");
    assert!(w.state.units.values().all(|u| u.restarts.total == 0));
}

#[test]
fn the_last_phase_stops_the_loops_and_they_stay_stopped() {
    let mut w = loop_world();
    w.obs.files.phase_index = Some(1);
    w.run(secs(5));
    done(&mut w, 1);
    assert!(w.obs.files.sequence_complete);
    w.run(secs(3600));
    assert_eq!(w.launches.len(), 2);
    assert!(matches!(w.life("p-builder"), Life::Absent));
    done(&mut w, 1);
    assert_eq!(w.events.iter().filter(|e| e.text.starts_with("PHASE SEQUENCE COMPLETE")).count(), 1);
}

#[test]
fn after_the_last_phase_nobody_is_pinged_who_does_not_run() {
    let mut w = loop_world();
    w.obs.files.phase_index = Some(1);
    w.run(secs(5));
    let mut git = GitObs { heads: [("refs/remotes/origin/main".into(), "a".into())].into(), ..GitObs::default() };
    git.inboxes.insert("BLD.md".into(), "md5".into());
    w.obs.git = Some(git.clone());
    w.run(secs(20));
    done(&mut w, 1);
    w.obs.git = Some(git.clone());
    w.run(secs(20));
    assert_eq!(w.events.iter().filter(|e| e.text.contains("BLD.md changed")).count(), 1, "it is no news");
    git.commits.push(CommitObs { sha: "b".into(), subject: "claim: late".into() });
    w.obs.git = Some(git);
    w.run(secs(20));
    assert!(w.said("handoff: claim commit"));
    assert!(w.state.deliveries.values().all(|d| d.stage.is_over()), "nothing waits for those who are over");
}

#[test]
fn fault_31_a_phase_set_back_makes_the_loops_live_again() {
    let mut w = loop_world();
    w.obs.files.phase_index = Some(1);
    w.run(secs(5));
    done(&mut w, 1);
    w.run(secs(10));
    w.ask(Verb::PhaseSet { index: 0 });
    w.run(secs(60));
    assert!(!w.obs.files.sequence_complete);
    assert!(matches!(w.life("p-builder"), Life::Running { .. }));
    w.crash("p-builder");
    w.run(secs(5));
    assert!(matches!(w.life("p-builder"), Life::Running { .. }));
}

#[test]
fn fault_14_a_wild_index_is_said_and_changes_nothing() {
    let mut w = loop_world();
    w.run(secs(5));
    for wild in [99, -1, i64::MAX, i64::MIN] {
        w.obs.files.phase_index = Some(wild);
        w.run(secs(60));
        assert_eq!(w.state.fleet.phase, 0);
    }
    assert!(w.said("phase-idx says 99"));
    w.ask(Verb::PhaseSet { index: 99 });
    w.run(secs(1));
    assert_eq!(w.launches.len(), 2);
}

#[test]
fn on_complete_launches_with_the_trigger_or_always() {
    for (trigger, always, launched) in [(true, false, true), (false, false, false), (false, true, true)] {
        let mut w = loop_world();
        let mut wrap = agent("wrap");
        wrap.enabled = false;
        w.policy.agents.push(wrap);
        w.policy.phases.as_mut().unwrap().on_complete =
            Some(OnComplete { run: Some("wrap".into()), trigger_file: "/p/.agents/.run-on-complete".into(), always });
        w.obs.files.phase_index = Some(1);
        w.obs.files.trigger = trigger;
        w.run(secs(5));
        done(&mut w, 1);
        assert_eq!(w.launches.iter().any(|(_, s)| s == "p-wrap"), launched);
        assert!(!w.obs.files.trigger);
        if launched {
            w.exit("p-wrap", 1, Some(0), None);
            w.run(secs(3600));
            assert_eq!(*w.life("p-wrap"), Life::Done);
            assert_eq!(w.launches.iter().filter(|(_, s)| s == "p-wrap").count(), 1);
        }
    }
}

#[test]
fn an_agent_that_cannot_start_in_the_new_phase_is_tried_until_it_can() {
    let mut w = loop_world();
    w.run(secs(5));
    w.refuse_session = Some("p-builder".into());
    done(&mut w, 0);
    assert_eq!((w.launches.len(), w.state.fleet.phase), (3, 1), "the other one is in the new phase");
    w.run(secs(2000));
    assert!(matches!(w.life("p-builder"), Life::Running { .. }), "nothing was ended");
    assert_eq!(w.count(EventKind::LaunchFailed), 1, "said once: {:?}", w.events);
    assert!(w.said("in the new phase: prompt file missing"));
    let tries: Vec<u64> = w.prepared("p-builder").windows(2).map(|two| two[1].since(two[0]).as_secs()).collect();
    assert_eq!(tries[1..6], [10, 20, 40, 80, 160], "{tries:?}");
    assert!(tries[6..].iter().all(|pause| *pause == 300), "{tries:?}");
    w.refuse_session = None;
    w.run(secs(300));
    assert_eq!((w.launches.len(), w.state.units["p-builder"].owed.clone()), (4, None));
    w.run(secs(5000));
    assert_eq!(w.launches.len(), 4, "once");
}

#[test]
fn a_debt_is_forgotten_with_the_agent_stopped_or_the_sequence_over() {
    let mut w = loop_world();
    w.run(secs(5));
    w.refuse_session = Some("p-builder".into());
    done(&mut w, 0);
    w.ask(Verb::Pause { names: vec!["builder".into()] });
    w.run(secs(5));
    let tries = w.prepared("p-builder").len();
    w.refuse_session = None;
    w.run(secs(1000));
    assert_eq!(w.prepared("p-builder").len(), tries, "paused: not touched");
    w.ask(Verb::Resume { names: vec!["builder".into()] });
    w.run(secs(400));
    assert_eq!(w.launches.len(), 4, "resumed: in the new phase");
    let mut w = loop_world();
    w.run(secs(5));
    w.refuse_session = Some("p-builder".into());
    done(&mut w, 0);
    w.refuse_session = None;
    w.ask(Verb::Down { names: vec!["builder".into()] });
    w.run(secs(1000));
    assert_eq!((w.launches.len(), w.life("p-builder")), (3, &Life::Absent));
    assert_eq!(w.state.units["p-builder"].owed, None);
}
