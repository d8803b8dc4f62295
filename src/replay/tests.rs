//! Every story of the mind's own tests is written down on the way, read back, and decided again.
use super::{
    again::compare,
    masking::{Masking, masked},
    read::{Fault, Journal, Recorded},
    record::{Made, Recorder, whole_state},
};
use crate::{
    decide::{
        Decision, decide,
        tests::world::{World, agent, secs},
    },
    model::{observation::Observation, policy::Policy, request::Verb, state::State, time::Now},
};
use serde_json::Value;
use std::sync::Arc;

/// Looks on while a story is told. When it is over, its journal is read.
#[derive(Default)]
pub struct Witness {
    recorder: Recorder,
    journal: Vec<u8>,
    policy: Option<(Value, Arc<Policy>)>,
    seen: Vec<(Value, Value)>,
}

impl Witness {
    pub fn saw(&mut self, obs: &Observation, state: &State, policy: &Policy, now: Now, decision: &Decision) {
        if decision.actions.is_empty() && decision.events.is_empty() {
            return;
        }
        let text = serde_json::to_value(policy).unwrap();
        let known = self.policy.take().filter(|(before, _)| *before == text);
        let (_, policy) = self.policy.insert(known.unwrap_or_else(|| (text, Arc::new(policy.clone()))));
        let made = Made { obs, state, policy, now, decision };
        self.journal.extend(self.recorder.line(&made).unwrap());
        self.seen.push(input(obs, state));
    }
}

/// What a decision is made of, as it is written.
fn input(obs: &Observation, state: &State) -> (Value, Value) {
    let mut masking = Masking::default();
    let state = whole_state(state, &mut masking).unwrap();
    let mut obs = serde_json::to_value(obs).unwrap();
    masking.written(&mut obs);
    (obs, state)
}

fn again(recorded: &Recorded) -> Decision {
    decide(&recorded.obs, &recorded.state, &recorded.policy, recorded.now)
}

impl Drop for Witness {
    fn drop(&mut self) {
        if std::thread::panicking() || self.seen.is_empty() {
            return;
        }
        let mut seen = self.seen.iter();
        for recorded in Journal::new(&self.journal) {
            let recorded = recorded.unwrap();
            assert_eq!(Some(&input(&recorded.obs, &recorded.state)), seen.next(), "line {}", recorded.line);
            let found = compare(&recorded, &again(&recorded)).unwrap();
            assert!(found.is_empty(), "line {}: {found:#?}", recorded.line);
        }
        assert_eq!(seen.next(), None);
    }
}

/// The journal of a short story, one line a decision.
fn story() -> Vec<Vec<u8>> {
    let mut w = World::new(vec![agent("a"), agent("b")]);
    w.run(secs(60));
    w.ask(Verb::Send { name: "a".into(), text: "the launch code is 0451".into() });
    w.run(secs(60));
    w.crash("p-b");
    w.run(secs(60));
    let lines: Vec<Vec<u8>> = w.witness.journal.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    assert!(lines.len() > 6, "{}", lines.len());
    lines
}

fn read(lines: &[&[u8]]) -> (Result<Vec<Recorded>, Fault>, usize) {
    let bytes = lines.concat();
    let mut journal = Journal::new(&bytes);
    let read: Result<Vec<Recorded>, Fault> = journal.by_ref().collect();
    (read, journal.cut)
}

#[test]
fn a_journal_does_not_tell_what_was_sent() {
    let lines = story();
    let text = String::from_utf8(lines.concat()).unwrap();
    assert!(!text.contains("launch code") && text.contains(&masked("the launch code is 0451")));
    assert!(lines[2].len() * 4 < lines[0].len(), "a line says what changed: {} of {}", lines[2].len(), lines[0].len());
}

#[test]
fn what_a_killed_process_leaves_is_no_fault() {
    let lines = story();
    let all: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let half = &all[2][..all[2].len() / 2];
    let (read_back, cut) = read(&[all[0], all[1], half]);
    assert_eq!((read_back.unwrap().len(), cut), (2, 1));
    // The next process ends the line and begins anew.
    let (read_back, cut) = read(&[all[0], all[1], half, b"\n", all[0], all[1]]);
    assert_eq!((read_back.unwrap().len(), cut), (4, 1));
    // Nobody was killed there.
    let (read_back, _) = read(&[all[0], half, b"\n", all[1]]);
    assert!(matches!(read_back, Err(Fault::NoRecord { line: 2, .. })), "{read_back:?}");
}

#[test]
fn what_is_no_journal_is_said_with_its_line() {
    let lines = story();
    let all: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let fault = |lines: &[&[u8]]| read(lines).0.unwrap_err().to_string();
    assert_eq!(fault(&[]), "it is empty");
    assert_eq!(fault(&[b"\n\n"]), "it is empty");
    assert_eq!(fault(&[b"\x7fELF\x02\x01\0\0"]), "line 1 is no record of a decision: expected value (column 1)");
    assert_eq!(fault(&[b"{\"a\": 1}\n"]), "line 1 is no record of a decision: missing field `v` (column 8)");
    assert_eq!(fault(&[b"{\"v\":7}\n"]), "line 1 has format 7, this program knows up to 1");
    assert_eq!(fault(&[all[1]]), "line 1 goes on from a line that is not there (record 1 after none)");
    assert_eq!(fault(&[all[0], all[2]]), "line 2 goes on from a line that is not there (record 2 after 0)");
    let other = String::from_utf8(all[0].to_vec()).unwrap().replace("\"life\":\"absent\"", "\"life\":7");
    let other = other.replace("\"/supervised\":true", "\"/supervised\":7");
    assert!(
        fault(&[other.as_bytes()]).starts_with("line 1 does not fit the lines before it: `obs`"),
        "{}",
        fault(&[other.as_bytes()])
    );
    for cut in 0..all[0].len() {
        // Whatever is left of a line: no panic.
        let _ = read(&[&all[0][..cut]]);
    }
}

#[test]
fn a_doctored_decision_is_found() {
    let lines = story();
    let text = String::from_utf8(lines.concat()).unwrap();
    let doctored = text.replacen("\"do\":\"launch\"", "\"do\":\"clear\"", 1);
    assert_ne!(doctored, text);
    let all: Vec<_> = Journal::new(doctored.as_bytes()).map(|r| r.unwrap()).collect();
    let found: Vec<_> = all.iter().map(|r| compare(r, &again(r)).unwrap()).filter(|d| !d.is_empty()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].iter().any(|d| d.field.ends_with("/do")), "{found:?}");
}

#[test]
fn fields_that_this_program_does_not_know_are_no_difference() {
    let lines = story();
    let text = String::from_utf8(lines[0].clone()).unwrap();
    let newer =
        text.replace("\"wish\":", "\"mood\":\"good\",\"wish\":").replace("\"server\":{", "\"ghost\":1,\"server\":{");
    assert_ne!(newer, text);
    let recorded = Journal::new(newer.as_bytes()).next().unwrap().unwrap();
    assert_eq!(compare(&recorded, &again(&recorded)).unwrap(), []);
}
