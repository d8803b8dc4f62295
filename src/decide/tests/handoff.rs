//! Claims, reviews, inboxes.
use super::world::*;
use crate::model::{
    observation::{CommitObs, GitObs},
    policy::*,
};
use regex::RegexBuilder;

pub fn loop_world() -> World {
    let loops = |name: &str| Agent {
        kind: Kind::Loop,
        role: Some(name.into()),
        watch: Watch::Heal,
        prompt: Prompt::Role { template: None, role_file: format!("/p/prompts/{name}.md").into() },
        ..agent(name)
    };
    let mut w = World::new(vec![loops("builder"), loops("adversary")]);
    let re = |text: &str| RegexBuilder::new(text).case_insensitive(true).multi_line(true).build().unwrap();
    let phase = |id: &str| Phase { id: id.into(), plan: None, status: format!("{id}.md"), models: Default::default() };
    w.policy.phases = Some(Loop {
        phases: vec![phase("p1"), phase("p2")],
        state_file: "/p/.agents/state/phase-idx".into(),
        auto_advance: true,
        done_marker: "## DONE".into(),
        done_from: DoneFrom::Auto,
        handoff: Some(Handoff {
            claim: re("^claim"),
            review: re("^review"),
            claim_pings: "adversary".into(),
            review_pings: "builder".into(),
            inboxes: vec!["ADV.md".into(), "BLD.md".into()],
        }),
        repo: "/p".into(),
        state_subdir: "machine-docs".into(),
        on_complete: None,
    });
    w
}

fn git(head: &str, commits: &[(&str, &str)]) -> GitObs {
    GitObs {
        heads: [("refs/remotes/origin/main".to_string(), head.to_string())].into(),
        commits: commits
            .iter()
            .map(|(sha, subject)| CommitObs { sha: sha.to_string(), subject: subject.to_string() })
            .collect(),
        ..GitObs::default()
    }
}

fn seen(w: &mut World, obs: GitObs) {
    w.obs.git = Some(obs);
    w.run(secs(20));
}

#[test]
fn a_claim_pings_the_adversary_and_a_review_the_builder_once_each() {
    let mut w = loop_world();
    w.run(secs(15));
    seen(&mut w, git("a", &[]));
    seen(&mut w, git("b", &[("b", "Claim: gate 1"), ("b0", "other work")]));
    seen(&mut w, git("b", &[("b", "Claim: gate 1")]));
    assert_eq!(
        w.program("p-adversary").submitted,
        ["watchdog ping: the other loop pushed a gate CLAIM commit. Pull and verify the claimed gate now."]
    );
    assert_eq!(w.program("p-builder").submitted.len(), 0);
    seen(&mut w, git("c", &[("c", "review: pass")]));
    assert_eq!(w.program("p-builder").submitted.len(), 1);
    assert_eq!(w.program("p-adversary").submitted.len(), 1);
    assert!(w.said("handoff: claim commit → pinging reviewer") && w.said("handoff: review commit → pinging builder"));
}

#[test]
fn first_sight_takes_positions_and_pings_only_for_an_inbox_that_is_there() {
    let mut w = loop_world();
    w.run(secs(15));
    let mut first = git("a", &[("a", "claim: old")]);
    first.inboxes.insert("ADV.md".into(), "md5".into());
    seen(&mut w, first.clone());
    assert_eq!(
        w.program("p-adversary").submitted,
        [
            "watchdog ping: the other loop pushed machine-docs/ADV.md — pull, read it, act, then delete the file (commit + push) to mark it consumed."
        ]
    );
    first.commits.clear();
    seen(&mut w, first);
    assert_eq!(w.program("p-adversary").submitted.len(), 1);
    seen(&mut w, git("a", &[]));
    let mut again = git("a", &[]);
    again.inboxes.insert("ADV.md".into(), "md5".into());
    seen(&mut w, again);
    assert_eq!(w.program("p-adversary").submitted.len(), 2, "gone and back");
}

#[test]
fn fault_21_what_landed_while_we_were_down_is_pinged_and_nothing_again() {
    let mut w = loop_world();
    w.run(secs(15));
    seen(&mut w, git("a", &[]));
    let text = serde_json::to_string(&w.state).unwrap();
    w.state = serde_json::from_str(&text).unwrap();
    seen(&mut w, git("b", &[("b", "claim: while down")]));
    assert_eq!(w.program("p-adversary").submitted.len(), 1);
    let text = serde_json::to_string(&w.state).unwrap();
    w.state = serde_json::from_str(&text).unwrap();
    seen(&mut w, git("b", &[("b", "claim: while down")]));
    assert_eq!(w.program("p-adversary").submitted.len(), 1);
}

#[test]
fn a_repository_that_cannot_be_read_loses_no_position() {
    let mut w = loop_world();
    w.run(secs(15));
    seen(&mut w, git("a", &[]));
    let gone = GitObs { error: Some("gone".into()), repo_gone: true, ..GitObs::default() };
    seen(&mut w, gone.clone());
    seen(&mut w, gone);
    assert_eq!(w.events.iter().filter(|e| e.text.contains("the repository is gone")).count(), 1);
    assert_eq!(w.state.fleet.handoff.heads.len(), 1);
    seen(&mut w, git("b", &[("b", "claim: x")]));
    assert_eq!(w.program("p-adversary").submitted.len(), 1);
}

#[test]
fn a_busy_target_hears_one_ping_for_many_claims() {
    let mut w = loop_world();
    w.run(secs(15));
    seen(&mut w, git("a", &[]));
    w.program("p-adversary").reading.active = evidence("x");
    for i in 0..5 {
        let sha = format!("b{i}");
        seen(&mut w, git(&sha, &[(&sha, "claim: more")]));
    }
    w.program("p-adversary").reading.active = None;
    w.run(secs(30));
    assert_eq!(w.program("p-adversary").submitted.len(), 1);
}
