//! The report on hand-made nights.
mod night;

use super::{Usage, page::page};
use crate::{
    model::{
        event::EventKind,
        state::{Hold, Life, Seen},
        tally::{Asked, Doing, Slot, Tally},
        time::{Boot, Wall},
    },
    view::{paint::Paint, table::Look},
};
use night::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn hold(since: Wall) -> Hold {
    Hold { since, until: Boot(0), until_wall: since, reset: None, probes: 0, pause_ms: 0, gone: None }
}

#[test]
fn an_empty_night_is_calm_and_knows_nothing() {
    let report = Night::new(&["a"]).report();
    let a = &report.agents[0];
    assert_eq!((a.worked_s, a.could_work_s, a.share, a.commits), (None, None, None, None));
    assert_eq!((report.needs.len(), report.gaps.len(), report.totals.share), (0, 0, None));
    let text = Night::new(&["a"]).page(80);
    assert!(text.contains("nobody is waited for; no hold, no restart, no incident"), "{text}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        (&json["v"], &json["agents"][0]["share"], &json["agents"][0]["turns"]),
        (&1.into(), &Value::Null, &Value::Null)
    );
    for list in ["holds", "restarts", "waits", "undelivered", "gave_up"] {
        assert_eq!(json["agents"][0][list], json!([]), "{list}");
    }
    assert!(Night::new(&[]).page(80).contains("0 agents"));
}

#[test]
fn the_share_is_of_the_time_in_which_it_could_work() {
    let cases = [
        (json!({ "working": 300, "idle": 300, "limited": 300 }), Some(300), Some(600), Some(0.5)),
        (json!({ "working": 600, "waiting": 300 }), Some(600), Some(600), Some(1.0)),
        (json!({ "working": 300, "down": 600 }), Some(300), Some(900), Some(0.333)),
        (json!({ "limited": 900 }), Some(0), Some(0), None),
        (json!({ "unseen": 900 }), None, None, None),
        (json!({ "dreaming": 900 }), None, None, None),
    ];
    for (spent, worked, could, share) in cases {
        let mut night = Night::new(&["a"]);
        night.slot(0, 900, json!({ "a": spent.clone(), "x": { "working": 5 } }));
        let a = &night.report().agents[0];
        assert_eq!((a.worked_s, a.could_work_s, a.share), (worked, could, share), "{spent}");
    }
}

#[test]
fn time_before_the_report_is_not_counted_and_time_not_told_yet_is() {
    let mut night = Night::new(&["a"]);
    night.slot(-900, 0, json!({ "a": { "working": 900 } }));
    night.slot(-450, 450, json!({ "a": { "working": 900 } }));
    night.state.fleet.slot = Some(Slot { boot: Boot(99_400_000), wall: at(10 * HOUR - 600) });
    let spent = BTreeMap::from([(Doing::Idle, 100_000)]);
    night.unit("a").tally = Tally { doing: Doing::Working, counted: Boot(99_500_000), spent, ..Tally::default() };
    let a = night.report().agents[0].clone();
    assert_eq!((a.worked_s, a.idle_s), (Some(450 + 500), Some(100)));
    // Nobody looked for the last 300 s.
    night.running = false;
    night.beat = Some(at(10 * HOUR - 300));
    assert_eq!(night.report().agents[0].worked_s, Some(450 + 200));
}

#[test]
fn holds_that_overlap_count_once_and_one_from_before_is_still_in_force() {
    let mut night = Night::new(&["a", "b", "c"]);
    night.limited(-2 * HOUR, "a").lifted(HOUR, "a", Some(-2 * HOUR));
    night.limited(-2 * HOUR, "b");
    night.unit("b").hold = Some(hold(at(-2 * HOUR)));
    night.limited(HOUR, "c").lifted(3 * HOUR, "c", Some(HOUR)).lifted(4 * HOUR, "c", Some(2 * HOUR));
    night.limited(-5 * HOUR, "c").lifted(-4 * HOUR, "c", None);
    let report = night.report();
    let held: Vec<_> = report.agents.iter().map(|a| (a.holds.len(), a.held_s)).collect();
    assert_eq!(held, [(1, HOUR as u64), (1, 10 * HOUR as u64), (2, 3 * HOUR as u64)]);
    let b = &report.agents[1].holds[0];
    assert_eq!((b.from, b.until, b.reason.as_str()), (at(-2 * HOUR), None, "5-hour limit reached ∙ resets 3am"));
}

#[test]
fn a_clock_that_was_set_back_makes_no_negative_length() {
    let mut night = Night::new(&["a"]);
    night.limited(5 * HOUR, "a").lifted(4 * HOUR, "a", Some(5 * HOUR));
    night.slot(6 * HOUR, 5 * HOUR, json!({ "a": { "working": 900 } }));
    night.watchdog(3 * HOUR, json!({ "up": false })).watchdog(2 * HOUR, json!({ "up": true }));
    let report = night.report();
    let a = &report.agents[0];
    assert_eq!((a.held_s, a.worked_s, report.gaps.len()), (0, Some(900), 0));
    assert!(!night.page(80).contains('-') || night.page(80).lines().all(|l| !l.contains("-1")));
    // The whole memory lies ahead.
    night.born = Some(at(20 * HOUR));
    assert!(night.report().since <= night.report().until);
}

#[test]
fn questions_open_and_answered() {
    let mut night = Night::new(&["a", "b"]);
    night.event(HOUR, EventKind::Waiting, "a", "a waits", json!({ "asked": "Run rm -rf build?" }));
    night.event(
        2 * HOUR,
        EventKind::WaitingOver,
        "a",
        "over",
        json!({ "since": at(HOUR).rfc3339(), "asked": "Run rm -rf build?" }),
    );
    night.event(3 * HOUR, EventKind::Waiting, "b", "b has an unsent text in its input line", Value::Null);
    night.unit("b").tally.asked = Some(Asked { since: at(9 * HOUR), text: "Trust this folder?\u{1b}[2J".into() });
    night.unit("b").sight.state = Seen::Waiting;
    let report = night.report();
    assert_eq!((report.agents[0].waited_s, report.agents[1].waited_s), (HOUR as u64, HOUR as u64));
    assert_eq!(report.needs.len(), 1);
    assert_eq!((report.needs[0].kind.as_str(), report.needs[0].agent.as_deref()), ("waiting", Some("b")));
    assert_eq!(report.alerts.len(), 1, "an unsent text is told among the alerts");
    let text = night.page(100);
    assert!(text.contains("asks, for 1h now: Trust this folder?") && text.contains("agents attach b"), "{text}");
    assert!(text.contains("Run rm -rf build?") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn times_without_a_watchdog() {
    let up = |seen: Option<i64>| json!({ "up": true, "seen": seen.map(|s| at(s).rfc3339()) });
    let down = json!({ "up": false });
    let gap = |from: i64, until: i64| json!({ "gap": { "from": at(from).rfc3339(), "until": at(until).rfc3339() } });
    type Case = (Vec<(i64, Value)>, bool, Vec<(i64, Option<i64>)>);
    let cases: Vec<Case> = vec![
        // The first start of all is no gap; what came before the report is cut.
        (vec![(HOUR, up(None))], true, vec![]),
        (vec![(-HOUR, down.clone()), (HOUR, up(Some(-HOUR)))], true, vec![(0, Some(HOUR))]),
        // Killed: its successor tells how long nobody looked.
        (vec![(-HOUR, up(None)), (2 * HOUR, up(Some(HOUR)))], true, vec![(HOUR, Some(2 * HOUR))]),
        // Killed, and nobody came.
        (vec![(-HOUR, up(None))], false, vec![(9 * HOUR, None)]),
        (vec![(HOUR, up(None)), (2 * HOUR, down)], false, vec![(2 * HOUR, None)]),
        // It came up so long ago that its start is forgotten.
        (vec![(-HOUR, gap(-HOUR, -HOUR)), (2 * HOUR, up(Some(HOUR)))], true, vec![(HOUR, Some(2 * HOUR))]),
        // Overlapping ones are one.
        (
            vec![(-HOUR, up(None)), (3 * HOUR, gap(HOUR, 3 * HOUR)), (4 * HOUR, up(Some(2 * HOUR)))],
            true,
            vec![(HOUR, Some(4 * HOUR))],
        ),
    ];
    for (told, running, expected) in cases {
        let mut night = Night::new(&["a"]);
        night.running = running;
        night.beat = Some(at(if running { 10 * HOUR } else { 9 * HOUR }));
        for (s, data) in told.clone() {
            night.watchdog(s, data);
        }
        let gaps: Vec<_> = night.report().gaps.iter().map(|g| (g.from, g.until)).collect();
        let expected: Vec<_> = expected.into_iter().map(|(f, u)| (at(f), u.map(at))).collect();
        assert_eq!(gaps, expected, "{told:?}");
    }
}

#[test]
fn alike_restarts_are_one_row_and_lost_messages_show_how_they_begin() {
    let mut night = Night::new(&["a", "b"]);
    for s in [10, 20, 30] {
        night.restart(s, "a", "exit code 1");
    }
    night.restart(40, "a", "stalled").event(1, EventKind::Started, "a", "starting", Value::Null);
    let lost = json!({ "delivery": 7, "kind": "send" });
    night.event(HOUR, EventKind::Undelivered, "b", "send #7 not delivered to b: the program ended", lost.clone());
    night.event(-HOUR, EventKind::Undelivered, "b", "send #6 not delivered to b: the program ended", lost);
    night.event(HOUR, EventKind::Unknown, "b", "x: why", json!({ "delivery": 8, "kind": "claim" }));
    night.texts = BTreeMap::from([(7, format!("please\n{}", "x".repeat(500)))]);
    let report = night.report();
    assert_eq!((report.agents[0].restarts.len(), report.totals.restarts), (4, 4));
    let lost = &report.agents[1].undelivered;
    assert_eq!((lost.len(), lost[0].id, lost[0].reason.as_str()), (2, 7, "the program ended"));
    assert!(lost[0].text.as_ref().is_some_and(|t| t.starts_with("please\\n") && t.chars().count() == 100));
    assert_eq!((lost[1].text.as_deref(), lost[1].outcome.as_str()), (None, "unknown"));
    let text = night.page(200);
    assert!(text.contains("3 × exit code 1") && text.contains("claim #8 may not have arrived"), "{text}");
    assert_eq!(text.matches("exit code 1").count(), 1);
}

#[test]
fn turns_tokens_and_cost_show_where_they_are_known() {
    let mut night = Night::new(&["a", "b"]);
    assert!(!night.page(160).contains("TURNS") && !night.page(160).contains("COST"));
    let usage = Usage { turns: Some(41), tokens: Some(3_210_000), cost_usd: Some(1.5) };
    night.usage = BTreeMap::from([("a".to_owned(), usage)]);
    let text = night.page(160);
    for word in ["TURNS", "TOKENS", "COST", "41", "3.2M", "$1.50"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let json = serde_json::to_value(night.report()).unwrap();
    assert_eq!((&json["agents"][0]["turns"], &json["agents"][1]["turns"]), (&41.into(), &Value::Null));
    assert_eq!((&json["totals"]["turns"], &json["totals"]["cost_usd"]), (&41.into(), &1.5.into()));
}

#[test]
fn a_whole_night_fits_every_width() {
    let night = realistic();
    for width in [60, 80, 120] {
        let text = night.page(width);
        println!("{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= usize::from(width), "{width}: {line}");
        }
        assert!(text.contains("needs you") && text.contains("4 × exit code 1"), "{text}");
    }
    let plain = page(&night.report(), Look::default());
    let colour = page(&night.report(), Look { paint: Paint::Colour, ..Look::default() });
    assert!(!plain.contains('\u{1b}') && colour.contains('\u{1b}'));
    let mut bare = colour;
    for code in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[2m"] {
        bare = bare.replace(code, "");
    }
    assert_eq!(bare, plain, "colour adds no width");
}

#[test]
fn what_was_open_when_everything_was_stopped_ended_with_the_last_look() {
    let mut night = Night::new(&["a"]);
    night.limited(HOUR, "a");
    night.running = false;
    night.beat = Some(at(3 * HOUR));
    let unit = night.unit("a");
    unit.life = Life::Absent;
    unit.tally.held_since = Some(at(HOUR));
    unit.tally.asked = Some(Asked { since: at(2 * HOUR), text: "Go on?".into() });
    let report = night.report();
    let a = &report.agents[0];
    assert_eq!((a.held_s, a.waited_s), (2 * HOUR as u64, HOUR as u64));
    assert_eq!(a.holds[0].reason, "5-hour limit reached ∙ resets 3am");
    assert!(report.needs.iter().all(|n| n.kind != "waiting"), "{:?}", report.needs);
}

#[test]
fn what_had_arrived_after_all_is_not_lost() {
    let mut night = Night::new(&["a", "b"]);
    let data = |id: i64| json!({ "delivery": id, "kind": "send" });
    night.event(HOUR, EventKind::Unknown, "b", "send #7 to b: unknown whether it arrived: the program ended", data(7));
    night.event(HOUR, EventKind::Unknown, "b", "send #8 to b: unknown whether it arrived: the program ended", data(8));
    night.event(HOUR + 9, EventKind::Delivered, "b", "send #7 delivered to b after all", data(7));
    let report = night.report();
    let lost: Vec<i64> = report.agents[1].undelivered.iter().map(|lost| lost.id).collect();
    assert_eq!((lost, report.totals.undelivered), (vec![8], 1));
}

#[test]
fn errors_are_holds_and_a_lost_login_needs_a_person() {
    use crate::model::{seen::ErrorClass, trouble::Trouble};
    let mut night = Night::new(&["a", "b"]);
    night.event(100, EventKind::Error, "a", "stopped", json!({ "class": "overload", "text": "529 Overloaded" }));
    night.event(160, EventKind::ErrorOver, "a", "past it", json!({ "class": "overload" }));
    night.event(300, EventKind::Error, "b", "stopped", json!({ "class": "auth", "text": "401" }));
    night.unit("b").sight.state = Seen::Fatal;
    night.unit("b").trouble = Some(Trouble {
        class: ErrorClass::Auth,
        text: "401".into(),
        since: at(300),
        until: Boot(0),
        pause_ms: 0,
        tries: 3,
        gone: None,
    });
    let report = night.report();
    let held: Vec<_> = report.agents[0].holds.iter().map(|h| (h.from, h.until, h.reason.as_str())).collect();
    assert_eq!(held, [(at(100), Some(at(160)), "error (overload): 529 Overloaded")]);
    assert_eq!(report.agents[1].holds[0].until, None);
    let needs: Vec<_> = report.needs.iter().map(|n| (n.kind.as_str(), n.agent.as_deref(), n.text.as_str())).collect();
    assert_eq!(needs, [("error", Some("b"), "auth: 401")]);
}
