//! The submit key: pressed for a whole text, until the screen proves it, and not before the last one was read.
use super::{
    typing::{ms, send},
    world::*,
};
use crate::model::event::EventKind;

#[test]
fn fault_22_a_swallowed_submit_key_is_pressed_again_and_no_more_than_three_times() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").deaf = 2;
    send(&mut w, "hello");
    w.run(secs(20));
    assert_eq!((w.program("p-a").submitted.len(), w.program("p-a").presses), (1, 3));
    w.program("p-a").deaf = 100;
    w.program("p-a").presses = 0;
    send(&mut w, "again");
    w.run(secs(60));
    assert_eq!(w.program("p-a").presses, 3);
    assert_eq!(w.count(EventKind::Undelivered), 1);
}

/// A program that is still loading shows a text piece by piece, and drops the first submit key (Codex).
#[test]
fn a_text_that_shows_piece_by_piece_is_submitted_once_it_stands_whole() {
    for no_draft_re in [false, true] {
        let mut w = World::new(vec![agent("a")]);
        w.run(secs(1));
        let program = w.program("p-a");
        (program.shows, program.deaf, program.no_draft_re) = (Some(0), 1, no_draft_re);
        send(&mut w, "the other loop pushed a gate CLAIM commit");
        while w.typed("p-a") == 0 {
            w.run(ms(50));
        }
        for n in 1..40 {
            w.program("p-a").shows = Some(n);
            w.run(ms(40));
            assert_eq!(w.program("p-a").presses, 0, "{n} characters show");
        }
        w.program("p-a").shows = None;
        w.run(ms(1000));
        assert_eq!((w.program("p-a").presses, w.count(EventKind::Delivered)), (1, 0), "that key was dropped");
        w.run(secs(3));
        assert_eq!((w.program("p-a").presses, w.program("p-a").submitted.len()), (2, 1));
        assert_eq!(w.count(EventKind::Delivered), 1);
    }
}

#[test]
fn a_text_that_was_not_read_yet_is_waited_for() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").blind = true;
    send(&mut w, "hello");
    while w.typed("p-a") == 0 {
        w.run(ms(50));
    }
    w.obs.unread.insert("p-a".into());
    w.run(secs(100));
    assert_eq!((w.program("p-a").presses, w.count(EventKind::Unknown)), (0, 0));
    w.obs.unread.clear();
    w.program("p-a").blind = false;
    w.run(secs(10));
    assert_eq!((w.typed("p-a"), w.program("p-a").presses, w.program("p-a").submitted.len()), (1, 1, 1));
}

/// On a busy machine Gemini CLI read the submit key and had not acted on it when the next one came: it submitted twice.
#[test]
fn a_key_that_was_read_and_not_yet_acted_on_gets_no_second_one() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").deaf = 1;
    w.obs.unsettled.insert("p-a".into());
    send(&mut w, "hello");
    w.run(secs(60));
    assert_eq!((w.typed("p-a"), w.program("p-a").presses), (1, 1));
    // It came to rest, and the text still stands there: the key was swallowed.
    w.obs.unsettled.clear();
    w.run(secs(10));
    assert_eq!((w.typed("p-a"), w.program("p-a").presses, w.program("p-a").submitted.len()), (1, 2, 1));
    assert_eq!((w.count(EventKind::Delivered), w.count(EventKind::Undelivered)), (1, 0));
}

#[test]
fn a_program_that_never_reads_its_keys_is_not_waited_for_for_ever() {
    for blind in [true, false] {
        let mut w = World::new(vec![agent("a")]);
        w.run(secs(1));
        (w.program("p-a").blind, w.program("p-a").deaf) = (blind, u32::MAX);
        send(&mut w, "hello");
        while w.typed("p-a") == 0 {
            w.run(ms(50));
        }
        w.obs.unread.insert("p-a".into());
        w.run(secs(660));
        let (unknown, undelivered) = (w.count(EventKind::Unknown), w.count(EventKind::Undelivered));
        assert_eq!((unknown, undelivered), if blind { (1, 0) } else { (0, 1) });
    }
}

/// A person may begin with the same letter.
#[test]
fn what_a_person_types_behind_a_taken_text_is_not_submitted() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    send(&mut w, "hello");
    while w.program("p-a").presses == 0 {
        w.run(ms(50));
    }
    w.run(ms(1250));
    w.program("p-a").composer = "h".into();
    w.run(secs(30));
    assert_eq!((w.program("p-a").presses, w.program("p-a").submitted.len()), (1, 1));
    assert_eq!(w.count(EventKind::Delivered), 1);
}

/// Gemini CLI takes two submit keys that it reads together for two messages.
#[test]
fn a_submit_key_that_was_not_read_is_not_pressed_again() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").away = true;
    send(&mut w, "hello");
    w.run(secs(60));
    assert_eq!((w.program("p-a").presses, w.count(EventKind::Delivered)), (1, 0));
    w.program("p-a").away = false;
    w.obs.unread.clear();
    w.program("p-a").composer.clear();
    w.program("p-a").submitted.push("hello".into());
    w.run(secs(10));
    assert_eq!((w.program("p-a").presses, w.count(EventKind::Delivered)), (1, 1));
}

#[test]
fn a_text_that_never_shows_as_a_whole_gets_no_submit_key() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").shows = Some(30);
    send(&mut w, "the other loop pushed a gate CLAIM commit");
    w.run(secs(30));
    assert_eq!((w.typed("p-a"), w.program("p-a").presses, w.count(EventKind::Unknown)), (1, 0, 1));
    w.program("p-a").shows = None;
    w.run(secs(60));
    assert_eq!((w.typed("p-a"), w.program("p-a").presses), (1, 1), "it was all there after all");
    assert_eq!(w.program("p-a").submitted.len(), 1);
}

/// A screen is sometimes caught while it is drawn.
#[test]
fn a_text_that_is_missing_from_one_look_still_stands() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").deaf = 1;
    send(&mut w, "hello");
    while w.program("p-a").presses == 0 {
        w.run(ms(50));
    }
    w.program("p-a").shows = Some(0);
    w.run(ms(1250));
    w.program("p-a").shows = None;
    w.run(ms(150));
    assert_eq!(w.count(EventKind::Delivered), 0);
    w.run(secs(5));
    assert_eq!((w.program("p-a").presses, w.program("p-a").submitted.len()), (2, 1));
    assert_eq!(w.count(EventKind::Delivered), 1);
}

/// The cursor was elsewhere, as when a dialog has come up: the key was not sent, and the text is not taken for delivered.
#[test]
fn a_submit_key_that_was_refused_was_not_pressed() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").refused = 2;
    send(&mut w, "hello");
    w.run(secs(60));
    let p = w.program("p-a");
    assert_eq!((p.submitted.iter().filter(|t| *t == "hello").count(), p.presses), (1, 1));
    // A dialog came up between the look and the key.
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").refused = 1;
    send(&mut w, "hello");
    while w.program("p-a").refused > 0 {
        w.run(ms(20));
    }
    w.program("p-a").menu = Some(super::menu::Menu { choices: vec!["Yes".into(), "No".into()], ..Default::default() });
    w.run(secs(120));
    let p = w.program("p-a");
    assert_eq!((p.submitted.len(), p.presses, p.keys.len()), (0, 0, 0), "no key into the dialog");
    p.menu = None;
    p.reading = Default::default();
    w.run(secs(60));
    assert_eq!((w.program("p-a").submitted.len(), w.program("p-a").presses), (1, 1));
}

/// A busy Gemini CLI drew a wake a minute late. The next wake, queued with the same words, was taken for what stood there,
/// and nothing was typed any more.
#[test]
fn a_text_that_shows_late_is_sent_although_another_one_waits_with_the_same_words() {
    let mut w = World::new(vec![agent("a")]);
    w.run(secs(1));
    w.program("p-a").blind = true;
    send(&mut w, "look at the repository");
    w.run(secs(20));
    assert_eq!((w.count(EventKind::Unknown), w.program("p-a").presses), (1, 0));
    send(&mut w, "look at the repository");
    w.program("p-a").blind = false;
    w.run(secs(30));
    let (submitted, typed) = (w.program("p-a").submitted.clone(), w.typed("p-a"));
    assert_eq!((submitted.len(), typed), (2, 2), "{submitted:?}");
}
