//! The forms in which apps write a reset time, as tables.
use super::parse;
use crate::model::{
    time::{Boot, Now, Wall},
    zones::{Rules, Zones, bundled},
};
use jiff::{Timestamp, tz::TimeZone};

/// A moment in local time, like `2026-06-15T14:00`, where the machine's zone is `zone`.
pub fn at(local: &str, zone: &str) -> Now {
    let local_zone = bundled(zone).unwrap();
    let time: jiff::civil::DateTime = local.parse().unwrap();
    let wall = Wall(local_zone.to_timestamp(time).unwrap().as_millisecond());
    let rules = Rules { local: Some(local_zone), ..Rules::default() };
    Now { boot: Boot(0), wall, utc_offset_s: 0, zones: Zones::of(Box::leak(Box::new(rules))) }
}

/// What was understood, in the machine's local time: `Tue 06-16 15:00`.
pub fn understood(text: &str, now: Now) -> Option<String> {
    let zone: TimeZone = now.zones.local(now.utc_offset_s)?;
    let at = Timestamp::from_millisecond(parse(text, now)?.0).unwrap();
    Some(at.to_zoned(zone).strftime("%a %m-%d %H:%M").to_string())
}

fn check(now: Now, table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(understood(text, now).as_deref(), Some(*expected), "{text}");
    }
}

#[test]
fn fault_18_forms_of_real_banners() {
    // Monday, UTC+2.
    check(
        at("2026-06-15T14:00", "Europe/Berlin"),
        &[
            // 1
            ("resets 3pm", "Mon 06-15 15:00"),
            ("resets 3am", "Tue 06-16 03:00"),
            ("resets 4:20am", "Tue 06-16 04:20"),
            ("resets 8:01pm", "Mon 06-15 20:01"),
            ("resets 12am", "Tue 06-16 00:00"),
            ("resets 12pm", "Tue 06-16 12:00"),
            ("resets 12:30pm", "Tue 06-16 12:30"),
            ("resets 1pm", "Tue 06-16 13:00"),
            ("resets 1:30pm", "Mon 06-15 13:30"),
            ("resets 5:00 p.m.", "Mon 06-15 17:00"),
            ("resets 5:00\u{202f}PM", "Mon 06-15 17:00"),
            // 2
            ("resets 7pm (America/Los_Angeles)", "Tue 06-16 04:00"),
            ("resets 2:10pm (America/Chicago)", "Mon 06-15 21:10"),
            // 3
            ("You've hit your limit ∙ resets 10pm", "Mon 06-15 22:00"),
            ("You’ve hit your limit · resets 10pm", "Mon 06-15 22:00"),
            ("5-hour limit reached - resets 10pm", "Mon 06-15 22:00"),
            ("limit reached\n· resets 10pm", "Mon 06-15 22:00"),
            ("limit reached • resets: 10pm", "Mon 06-15 22:00"),
            // 4
            ("resets at 2pm (America/New_York)", "Mon 06-15 20:00"),
            ("Resets at 3pm (UTC)", "Mon 06-15 17:00"),
            ("resets at 3:00 AM (UTC)", "Tue 06-16 05:00"),
            ("resets at 11:30 AM (America/New_York)", "Mon 06-15 17:30"),
            // 5
            ("Your limit will reset at 7pm (America/New_York).", "Tue 06-16 01:00"),
            ("will reset at 6:11 AM", "Tue 06-16 06:11"),
            ("Limits will reset at 9:30 AM.", "Tue 06-16 09:30"),
            // 6
            ("resets 15:30 (Asia/Kolkata)", "Tue 06-16 12:00"),
            ("resets 14:39", "Mon 06-15 14:39"),
            ("5h limit: [████░░] 21% left (resets 18:44)", "Mon 06-15 18:44"),
            ("resets 16:00 UTC", "Mon 06-15 18:00"),
            ("resets 07:05", "Tue 06-16 07:05"),
            ("resets 7:05", "Mon 06-15 19:05"),
            ("resets 00:10", "Tue 06-16 00:10"),
            // 7
            ("resets Jun 17 at 2pm (Asia/Seoul)", "Wed 06-17 07:00"),
            ("resets Jun 28 at 19:00 (Europe/Madrid)", "Sun 06-28 19:00"),
            ("resets Jun 28 at 7 (UTC)", "Sun 06-28 09:00"),
            ("resets Jun 16 at 10pm", "Tue 06-16 22:00"),
            // 8
            ("resets Aug 17, 5am (America/Sao_Paulo)", "Mon 08-17 10:00"),
            ("resets Jun 16, 10pm", "Tue 06-16 22:00"),
            // 9
            ("resets Tue 12:00am", "Tue 06-16 00:00"),
            ("resets Mon 12:00 AM", "Mon 06-22 00:00"),
            ("resets Mon 3:00 PM", "Mon 06-15 15:00"),
            ("resets Monday at 1:30 PM", "Mon 06-15 13:30"),
            ("resets Thursday, 9am", "Thu 06-18 09:00"),
            // 10
            ("Resets by 4:00 AM Friday Jun 19", "Fri 06-19 04:00"),
            ("Resets by 19:00 Friday Jun 19", "Fri 06-19 19:00"),
            // 11
            ("resets tomorrow at 9am", "Tue 06-16 09:00"),
            ("resets today at 9pm", "Mon 06-15 21:00"),
            // 12
            ("Weekly limit: (resets 15:28 on 5 Jul)", "Sun 07-05 15:28"),
            ("(resets 16:21 on 19 Jun)", "Fri 06-19 16:21"),
            // 13
            ("try again at 7:00 PM.", "Mon 06-15 19:00"),
            ("try again at 9:15 pm", "Mon 06-15 21:15"),
            ("try again at 2:51 PM", "Mon 06-15 14:51"),
            ("try again at 3pm", "Mon 06-15 15:00"),
            // 14
            ("try again at Jul 4th, 2026 3:45 PM.", "Sat 07-04 15:45"),
            ("try again at Jul 4th 3:45 PM.", "Sat 07-04 15:45"),
            // 15
            ("try again in 2 days 17 hours 14 minutes", "Thu 06-18 07:14"),
            ("try again in 5 days 22 hours 11\nminutes", "Sun 06-21 12:11"),
            ("try again in 3 hours 2 minutes", "Mon 06-15 17:02"),
            // 16
            ("try again in 60s", "Mon 06-15 14:01"),
            ("Please try again in 1 minute", "Mon 06-15 14:01"),
            ("in 5 hours: try again in 5 hours", "Mon 06-15 19:00"),
            ("Please wait 120 seconds before retrying", "Mon 06-15 14:02"),
            ("wait 30 mins", "Mon 06-15 14:30"),
            ("Please retry in 90.5s.", "Mon 06-15 14:01"),
            ("try again in less than a minute", "Mon 06-15 14:01"),
            // 17
            ("resets in: 3 hours", "Mon 06-15 17:00"),
            ("resets in 2 hours", "Mon 06-15 16:00"),
            ("resets in approximately 4 hours", "Mon 06-15 18:00"),
            ("Resets in 4h.", "Mon 06-15 18:00"),
            ("(Limit resets in 1h)", "Mon 06-15 15:00"),
            ("resets in 1h 30m and 10 seconds", "Mon 06-15 15:30"),
            // 18
            ("Resets in 52h49m12s.", "Wed 06-17 18:49"),
            ("Your quota will reset after 1h4m0s.", "Mon 06-15 15:04"),
            // 19
            ("Access resets at 2:00 PM.", "Mon 06-15 14:00"),
            ("1 hour 30 minutes at 9:30 AM EDT", "Mon 06-15 15:30"),
            ("Limit resets in 1 hour 30 minutes at 3:31 PM", "Mon 06-15 15:31"),
            ("resets in 26 hours at 4:05 PM", "Tue 06-16 16:05"),
            ("gemini-pro  12  3:30 PM (1h 30m)", "Mon 06-15 15:30"),
            ("Usage resets: 3:30 PM (1h 30m)", "Mon 06-15 15:30"),
            // 20
            ("Claude AI usage limit reached|1781528400", "Mon 06-15 15:00"),
            // 21
            ("retry-after: 120s", "Mon 06-15 14:02"),
            ("Retry after: 60", "Mon 06-15 14:01"),
            ("The usage limit has been reached [retrying in 1m 43s attempt #1]", "Mon 06-15 14:01"),
            ("usage limit (click to expand) [retrying in 2h 13m attempt #12]", "Mon 06-15 16:13"),
            ("The usage limit has been reached [retrying in ~1 day attempt #1]", "Tue 06-16 14:00"),
            // 22
            ("available again at 10:30 PM", "Mon 06-15 22:30"),
            // Others
            ("resets 2026-06-16T03:00", "Tue 06-16 03:00"),
            ("resets 2026-06-16 03:00 UTC", "Tue 06-16 05:00"),
            ("resets 2026-06-16T03:00:00.123Z", "Tue 06-16 05:00"),
            ("resets at 2026-06-16T03:00:00+05:30", "Mon 06-15 23:30"),
            ("resets at midnight (UTC)", "Tue 06-16 02:00"),
            ("resets at 5pm GMT+5:30", "Mon 06-15 13:30"),
            ("resets at 5:30pm (GMT+5:30)", "Mon 06-15 14:00"),
            ("resets 10am PT", "Mon 06-15 19:00"),
            ("resets 9am PDT, or upgrade", "Mon 06-15 18:00"),
            ("resets 5pm (Atlantis/Capital)", "Mon 06-15 17:00"),
            ("resets 17 (UTC)", "Mon 06-15 19:00"),
            ("resets 7", "Mon 06-15 19:00"),
            ("limits · resets 3pm, then you reset 18 files", "Mon 06-15 15:00"),
            ("reset 18 files · resets 3pm", "Mon 06-15 15:00"),
            ("resets on Jul 1", "Wed 07-01 00:00"),
            ("resets Friday.", "Fri 06-19 00:00"),
        ],
    );
}

#[test]
fn no_time_is_never_now() {
    let now = at("2026-06-15T14:00", "Europe/Berlin");
    for text in [
        "git reset 18 files",
        "reset 5 tests",
        "resets 1.5 hours",
        "preset 4",
        "resets 25:00",
        "resets 0:75",
        "resets 13pm",
        "resets 99",
        "resets soon",
        "every 5h and every week",
        "",
        "Retrying in 4 seconds… (attempt 3/10)",
        "The usage limit has been reached [retrying in 4s attempt #3]",
        "The usage limit has been reached [retrying attempt #1]",
        "Retrying in 5 minutes",
        "or wait for limits to reset (every 5h and every week.)",
        "Run /usage-credits to continue",
        "individual spend limit",
        "resets every 5 hours",
        "resets in 0s",
        "Stop and wait for limit to reset\n2. Upgrade",
        "wait for limit to reset\n❯ 1. Stop and wait",
        "resets\n3",
        "resets 3/10",
        "resets 7%",
        "resets Feb 30 at 3pm",
        "resets today",
        "resets Monday",
        "resets Jun 1",
        "resets ٣pm",
        "resets 3\u{b5}",
        "resets in 500 apples",
        "try again later",
        "try 3 times",
        "wait 3",
        "resets Mar 3 files",
        "resets in 9999999 hours",
        "resets in 99999999999999999999 hours",
        "reset --hard 3",
        "limit reached|175123456",
        "resets 3p",
        "available 3",
        "resets 2026-13-45 10:00",
        "resets in -3 hours",
    ] {
        assert_eq!(understood(text, now), None, "{text}");
    }
}

/// Every row of the table above has to survive any wrap, in a box or not.
#[test]
fn a_row_end_anywhere_changes_nothing() {
    let now = at("2026-06-15T14:00", "Europe/Berlin");
    for text in [
        "You've hit your limit · resets 7pm (America/Los_Angeles)",
        "Your limit will reset at 11:30 AM (America/New_York).",
        "You’ve hit your limit ∙ resets Jun 17 at 2pm (Asia/Seoul)",
        "limit reached. Resets by 4:00 AM Friday Jun 19",
        "Weekly limit: (resets 15:28 on 5 Jul)",
        "try again at Jul 4th, 2026 3:45 PM.",
        "You've hit your usage limit. Try again in 5 days 22 hours 11 minutes.",
        "Please wait 30 seconds before retrying",
        "Claude AI usage limit reached|1781528400",
        "limit resets in 1 hour 30 minutes at 9:30 AM EDT",
        "resets at 5:30pm (GMT+5:30)",
        "Resets in 52h49m12s.",
        "resets tomorrow at 9am",
        "resets 18:44",
    ] {
        let whole = parse(text, now);
        assert!(whole.is_some(), "{text}");
        for (cut, _) in text.char_indices().skip(1) {
            let (head, tail) = text.split_at(cut);
            for wrapped in [
                format!("{head}\n{tail}"),
                format!("{head}\n    {tail}\n\n  ❯ 1. Stop and wait for limit to reset"),
                format!("│ {head}  │\n│ {tail} │\n╰────╯"),
            ] {
                assert_eq!(parse(&wrapped, now), whole, "{wrapped}");
            }
        }
    }
}

#[test]
fn a_time_that_just_passed_stays_in_the_past_also_over_midnight() {
    let now = at("2026-06-15T00:20", "Europe/Berlin");
    check(
        now,
        &[
            ("resets 11:50pm", "Sun 06-14 23:50"),
            ("resets 23:21", "Sun 06-14 23:21"),
            ("resets 23:20", "Mon 06-15 23:20"),
            ("resets Sun 11:50pm", "Sun 06-14 23:50"),
            ("resets Sun 11:10pm", "Sun 06-21 23:10"),
            ("resets 12:10", "Mon 06-15 00:10"),
            ("resets Jun 14 at 11pm", "Sun 06-14 23:00"),
            ("resets Jun 10 at 11pm", "Wed 06-10 23:00"),
        ],
    );
}

#[test]
fn the_year_rolls_forward_and_back() {
    check(
        at("2026-12-31T23:00", "Europe/Berlin"),
        &[("resets Jan 2 at 2pm", "Sat 01-02 14:00"), ("resets Dec 30, 5am", "Wed 12-30 05:00")],
    );
    let year = |text: &str, local: &str| {
        let at = Timestamp::from_millisecond(parse(text, at(local, "UTC")).unwrap().0).unwrap();
        at.to_zoned(TimeZone::UTC).year()
    };
    assert_eq!(year("resets Jan 2 at 2pm", "2026-12-31T23:00"), 2027);
    assert_eq!(year("resets Dec 31 at 11pm", "2027-01-01T00:30"), 2026);
    assert_eq!(year("resets Jan 1 at 12am", "2027-01-01T05:00"), 2027);
    assert_eq!(year("resets by 4am Friday Apr 24", "2025-11-01T00:00"), 2026, "the weekday tells");
    assert_eq!(year("resets Feb 29 at 2pm", "2027-12-01T00:00"), 2028);
}

#[test]
fn clocks_that_change() {
    // Berlin: on 2026-03-29 the hour from 2 to 3 does not exist, on 2026-10-25 it comes twice.
    check(
        at("2026-03-28T23:30", "Europe/Berlin"),
        &[
            ("resets 2:30am", "Sun 03-29 03:00"),
            ("resets 3:00am", "Sun 03-29 03:00"),
            ("resets 9am", "Sun 03-29 09:00"),
        ],
    );
    let ms = |text: &str, now: &str| {
        let now: Timestamp = now.parse().unwrap();
        let rules = Rules { local: bundled("Europe/Berlin"), ..Rules::default() };
        let zones = Zones::of(Box::leak(Box::new(rules)));
        let at = parse(text, Now { wall: Wall(now.as_millisecond()), zones, ..Now::default() }).unwrap();
        Timestamp::from_millisecond(at.0).unwrap().to_string()
    };
    assert_eq!(ms("resets 2:30am", "2026-10-24T20:00:00Z"), "2026-10-25T00:30:00Z", "the first");
    assert_eq!(ms("resets 2:30am", "2026-10-25T00:45:00Z"), "2026-10-25T01:30:00Z", "the second");
    assert_eq!(ms("resets 2:30am", "2026-10-25T02:00:00Z"), "2026-10-25T01:30:00Z", "both passed, one of them just");
    assert_eq!(ms("resets 9am", "2026-10-24T20:00:00Z"), "2026-10-25T08:00:00Z");
    assert_eq!(ms("resets Mar 29 at 2:30am", "2026-03-20T20:00:00Z"), "2026-03-29T01:00:00Z");
    assert_eq!(ms("resets 2:30am (America/New_York)", "2026-03-08T05:00:00Z"), "2026-03-08T07:00:00Z");
    assert_eq!(ms("resets 8am (America/Vancouver)", "2026-12-01T10:00:00Z"), "2026-12-01T15:00:00Z", "law of 2026");
}

#[test]
fn a_length_on_an_old_screen_does_not_move_the_time_beside_it() {
    check(
        at("2026-06-15T14:00", "Europe/Berlin"),
        &[
            ("resets in 3 hours at 2:30 PM", "Mon 06-15 14:30"),
            // The letters were misread: the length is right.
            ("resets in 1 hour at 4:00 PM EST", "Mon 06-15 15:00"),
        ],
    );
}

#[test]
fn without_a_zone_of_the_machine_its_offset_counts() {
    let now = Now { wall: Wall(1_781_524_800_000), utc_offset_s: 7_200, ..Now::default() };
    assert_eq!(understood("resets 3pm", now).as_deref(), Some("Mon 06-15 15:00"));
}
