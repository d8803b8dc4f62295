//! What becomes of a text that arrived.
use super::{typing::send, world::*};
use crate::model::{
    event::EventKind,
    policy::{Agent, Backend, Reader, Watch},
    seen::{ErrorClass, ErrorSeen},
};
use std::sync::Arc;

/// A CLI whose work we know when we see it.
fn known() -> World {
    let backend = backend();
    let reader = Reader { preset: Some("gemini".into()), ..backend.reader.clone() };
    let backend = Arc::new(Backend { reader, ..backend });
    let mut w = World::new(vec![Agent { backend, watch: Watch::Heal, ..agent("a") }]);
    w.run(secs(1));
    w
}

fn works(w: &mut World, yes: bool) {
    let reading = &mut w.program("p-a").reading;
    reading.active = yes.then(|| evidence("busy")).flatten();
    reading.screen += 1;
}

fn submitted(w: &World) -> usize {
    w.programs["p-a"].submitted.len()
}

/// In doubt: the events of texts that were told delivered before.
fn doubted(w: &World) -> Vec<&str> {
    w.events.iter().filter(|e| e.kind == EventKind::Unknown && e.alert).map(|e| e.text.as_str()).collect()
}

/// OpenCode kept the second text in its own queue, hung at the first, and the queue died with it.
#[test]
fn a_second_text_waits_until_the_first_was_begun_and_is_over() {
    let mut w = known();
    send(&mut w, "first");
    send(&mut w, "second");
    w.run(secs(6));
    assert_eq!(submitted(&w), 1, "nothing is known of the first");
    works(&mut w, true);
    w.run(secs(60));
    assert_eq!(submitted(&w), 1);
    works(&mut w, false);
    w.run(secs(4));
    assert_eq!(submitted(&w), 2);
}

/// Seen in the real harness: a wake whose turn nobody saw, and the next text, which the program hung at, was told.
#[test]
fn a_turn_that_nobody_saw_is_over_when_the_next_text_is_taken() {
    let mut w = known();
    send(&mut w, "first");
    send(&mut w, "second");
    w.run(secs(15));
    works(&mut w, true);
    w.run(secs(30));
    w.crash("p-a");
    w.run(secs(5));
    assert_eq!((submitted(&w), doubted(&w)), (2, vec![]));
}

#[test]
fn a_turn_that_nobody_saw_keeps_the_next_text_for_a_few_seconds() {
    let mut w = known();
    send(&mut w, "first");
    send(&mut w, "second");
    w.run(secs(20));
    assert_eq!(submitted(&w), 2);
}

/// Gemini CLI answers a short text within a second.
#[test]
fn an_answer_below_it_is_a_turn_too() {
    let mut w = known();
    send(&mut w, "first");
    send(&mut w, "second");
    w.program("p-a").answers = true;
    w.run(secs(6));
    assert_eq!(submitted(&w), 2);
}

#[test]
fn a_program_whose_work_nobody_knows_gets_the_next_text_at_once() {
    let mut w = World::new(vec![Agent { watch: Watch::Heal, ..agent("a") }]);
    w.run(secs(1));
    send(&mut w, "first");
    send(&mut w, "second");
    w.run(secs(8));
    assert_eq!(submitted(&w), 2);
}

#[test]
fn what_a_program_was_not_seen_to_begin_with_is_told_when_it_dies() {
    let mut w = known();
    send(&mut w, "first");
    w.run(secs(5));
    assert_eq!((submitted(&w), w.count(EventKind::Delivered)), (1, 1));
    w.crash("p-a");
    w.run(secs(5));
    assert_eq!(doubted(&w).len(), 1, "{:?}", doubted(&w));
    assert!(doubted(&w)[0].starts_with("send #"), "{:?}", doubted(&w));
    assert!(w.state.units["p-a"].taken.is_empty());
}

#[test]
fn what_was_begun_or_is_long_over_is_not_told() {
    for (seen, idle) in [(true, 5), (false, 100)] {
        let mut w = known();
        send(&mut w, "first");
        w.run(secs(3));
        works(&mut w, seen);
        w.run(secs(idle));
        works(&mut w, false);
        w.run(secs(5));
        w.crash("p-a");
        w.run(secs(5));
        assert_eq!(doubted(&w), Vec::<&str>::new(), "seen at work: {seen}");
    }
}

/// Gemini CLI took a text into a poisoned conversation and was ended before it had sent it.
#[test]
fn a_program_that_has_just_taken_a_text_is_not_ended_for_its_error() {
    let mut w = known();
    let error = |text: &str| Some(ErrorSeen { class: ErrorClass::Transcript, text: text.into(), retry_after: None });
    let reading = &mut w.program("p-a").reading;
    (reading.error, reading.fatal) = (error("bad history"), evidence("gemini/fatal/history"));
    while w.count(EventKind::FreshSession) == 0 {
        w.run(secs(1));
        if w.count(EventKind::Delivered) == 1 && w.state.deliveries.is_empty() {
            send(&mut w, "and one more");
        }
    }
    let last = w.events.iter().rfind(|e| e.kind == EventKind::Delivered).unwrap();
    let ended = w.events.iter().rfind(|e| e.kind == EventKind::FreshSession).unwrap();
    assert!(ended.at.0 - last.at.0 >= 10_000, "{} ms after it", ended.at.0 - last.at.0);
    let reading = &mut w.program("p-a").reading;
    (reading.error, reading.fatal) = (None, None);
    w.run(secs(60));
    assert_eq!(w.programs["p-a"].submitted.iter().filter(|t| *t == "and one more").count(), 1);
}
