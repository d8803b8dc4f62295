//! Whatever the moment, the zone and the text.
use super::parse;
use crate::model::{
    time::{Now, Wall},
    zones::{Rules, Zones, bundled},
};
use jiff::{Timestamp, Zoned, civil::DateTime, tz::TimeZone};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::LazyLock};

/// Half hours, quarter hours, half an hour of daylight saving time, laws that change, both hemispheres, the date line.
const NAMES: [&str; 16] = [
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/Los_Angeles",
    "America/Vancouver",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Seoul",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Auckland",
    "Pacific/Kiritimati",
];
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

static MACHINES: LazyLock<BTreeMap<&str, Zones>> = LazyLock::new(|| {
    let machine = |name| Zones::of(Box::leak(Box::new(Rules { local: bundled(name), ..Rules::default() })));
    NAMES.into_iter().map(|name| (name, machine(name))).collect()
});

fn zone(name: &str) -> TimeZone {
    bundled(name).unwrap()
}
fn shown(ms: i64, zone: &TimeZone) -> Zoned {
    Timestamp::from_millisecond(ms).unwrap().to_zoned(zone.clone())
}
fn now(ms: i64, local: &str) -> Now {
    Now { wall: Wall(ms), zones: MACHINES[local], ..Now::default() }
}

/// Whole minutes from 2020 to 2040, every second one less than two days from a change of that zone's clocks.
fn moments() -> impl Strategy<Value = (i64, &'static str, &'static str)> {
    let minutes = 1_577_836_800i64 / 60..2_208_988_800 / 60;
    let names = || prop::sample::select(&NAMES[..]);
    (minutes, names(), names(), any::<bool>(), -48 * 60i64..48 * 60).prop_map(|(minute, name, local, near, away)| {
        let at = Timestamp::from_second(minute * 60).unwrap();
        let turn = near.then(|| zone(name).following(at).next().map(|t| t.timestamp().as_second() / 60 + away));
        (turn.flatten().unwrap_or(minute) * MINUTE, name, local)
    })
}

/// The earliest minute from less than an hour ago on that shows this time of day, by looking at each; of a time that
/// comes twice, the one that is still to come.
fn by_looking(now: i64, zone: &TimeZone, wanted: &Zoned) -> i64 {
    let same = |ms: &i64| {
        let at = zone.to_datetime(Timestamp::from_millisecond(*ms).unwrap());
        (at.hour(), at.minute()) == (wanted.hour(), wanted.minute())
    };
    let first = (1..60 * 60).map(|m| now - HOUR + m * MINUTE).find(same).unwrap();
    let twin = first + 30 * MINUTE..=first + HOUR;
    let again = (first / MINUTE + 1..=*twin.end() / MINUTE).map(|m| m * MINUTE).find(same);
    let same_day = |ms: &i64| shown(*ms, zone).date() == shown(first, zone).date();
    again.filter(same_day).filter(|_| first <= now).unwrap_or(first)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_time_of_day_is_read_back((now_ms, name, local) in moments(), ahead in 0i64..23 * 60) {
        let there = zone(name);
        let target = shown(now_ms + ahead * MINUTE, &there);
        let expected = by_looking(now_ms, &there, &target);
        for form in ["resets %-I:%M%P", "resets at %-I:%M %p", "try again at %I:%M %p", "resets %H:%M"] {
            // An hour without a zero before it may be either half of the day: see the next test.
            if form.ends_with("%H:%M") && (10..=12).contains(&target.hour()) {
                continue;
            }
            let text = target.strftime(form).to_string();
            prop_assert_eq!(parse(&text, now(now_ms, name)), Some(Wall(expected)), "local: {}", text);
            let text = format!("{text} ({name})");
            prop_assert_eq!(parse(&text, now(now_ms, local)), Some(Wall(expected)), "{}", text);
        }
    }

    #[test]
    fn an_hour_of_either_half_is_never_late((now_ms, name, _) in moments(), ahead in 0i64..23 * 60) {
        let there = zone(name);
        let target = shown(now_ms + ahead * MINUTE, &there);
        let text = target.strftime("resets %-H:%M").to_string();
        let at = parse(&text, now(now_ms, name)).unwrap().0;
        prop_assert!(at > now_ms - HOUR && at <= by_looking(now_ms, &there, &target), "{}", text);
    }

    #[test]
    fn a_date_is_read_back((now_ms, name, local) in moments(), ahead in -24 * 60i64..40 * 24 * 60) {
        let there = zone(name);
        let target = shown(now_ms + ahead * MINUTE, &there);
        // A time that comes twice: the one to come, else the second.
        let twice = there.to_ambiguous_timestamp(target.datetime());
        let pair = [twice.earlier().unwrap().as_millisecond(), twice.later().unwrap().as_millisecond()];
        let expected = if pair[0] > now_ms { pair[0] } else { pair[1] };
        for form in [
            "resets %b %-d at %-I:%M%P (Z)", "resets %b %-d, %-I:%M%P (Z)", "Resets by %I:%M %p %A %b %-d (Z)",
            "(resets %I:%M %p (Z) on %-d %b)", "resets %Y-%m-%dT%H:%M Z", "try again at %b %-dth, %Y %-I:%M %p Z.",
            "resets %A %B %-d %-I:%M%P Z",
        ] {
            let text = target.strftime(form).to_string().replace('Z', name);
            // A wrap at a blank does not matter.
            let cut = text.match_indices(' ').nth(now_ms as usize / 60_000 % 5).map_or(0, |(at, _)| at);
            let wrapped = format!("{}\n   {}", &text[..cut], &text[cut..]);
            prop_assert_eq!(parse(&text, now(now_ms, local)), Some(Wall(expected)), "{}", text);
            prop_assert_eq!(parse(&wrapped, now(now_ms, local)), Some(Wall(expected)), "{}", wrapped);
        }
    }

    #[test]
    fn a_weekday_is_read_back((now_ms, name, local) in moments(), ahead in 60i64..6 * 24 * 60) {
        let there = zone(name);
        let target = shown(now_ms + ahead * MINUTE, &there);
        let text = target.strftime("resets %a %-I:%M%P").to_string() + &format!(" ({name})");
        let at = parse(&text, now(now_ms, local)).unwrap().0;
        let read: DateTime = shown(at, &there).datetime();
        prop_assert_eq!(read, target.datetime(), "{}", text);
    }

    #[test]
    fn a_length_is_read_back((now_ms, name, _) in moments(), s in 1u64..30 * 86_400) {
        let (d, h, m, sec) = (s / 86_400, s / 3600 % 24, s / 60 % 60, s % 60);
        for text in [
            format!("try again in {d} days {h} hours {m} minutes {sec} seconds"),
            format!("Resets in {}h{m}m{sec}s.", s / 3600),
            format!("resets in: {d}d {h}h {m}m and {sec}s"),
            format!("retry-after: {s}s"),
            format!("Please wait {d} day, {h} hrs,\n  {m} mins, {sec} secs before retrying"),
        ] {
            prop_assert_eq!(parse(&text, now(now_ms, name)), Some(Wall(now_ms + s as i64 * 1000)), "{}", text);
        }
    }

    #[test]
    fn no_text_ends_it(words in prop::collection::vec(prop::sample::select(&[
        "resets", "reset", "try again", "at", "in", "on", "by", "3", "12", "31", "pm", "am", "3pm", "12:30", "99:99", "Feb",
        "30", "2026", "Mon", "tomorrow", "hours", "1h", "(UTC)", "GMT+5:30", "(", ")", "PST", "|", "\n", ":", "·", "é", "٣",
        "limit reached|9999999999999", "9223372036854775807", "K", "ſ", "\u{202f}", "2026-02-30", "T", "Z", "(a/b)",
    ][..]), 0..14), ms in any::<i64>(), offset in any::<i32>(), blank in any::<bool>()) {
        let text = words.join(if blank { " " } else { "" });
        let _ = parse(&text, Now { wall: Wall(ms), utc_offset_s: offset, ..Now::default() });
        let _ = parse(&text, now(1_781_524_800_000, "Europe/Berlin"));
    }

    #[test]
    fn nor_any_other_text(text in "(?s).{0,200}") {
        let _ = parse(&text, now(1_781_524_800_000, "Europe/Berlin"));
        let _ = parse(&format!("resets at {text}"), now(1_781_524_800_000, "Europe/Berlin"));
    }
}

/// Each of these has thousands of places to begin at: nothing may be read to its end from each of them.
#[test]
fn long_texts_are_read_in_linear_time() {
    let now = now(1_781_524_800_000, "Europe/Berlin");
    for part in ["resets ", "resets in 1h", "wait ", "1 hour ", "resets 3pm (", "resets at 7 ", "x\n", "9"] {
        let _ = parse(&part.repeat(30_000 / part.len()), now);
    }
    let text = "resets (".repeat(1_000) + &"x ".repeat(50_000);
    assert_eq!(parse(&text, now), None);
    assert!(parse(&format!("{text} resets 3pm"), now).is_some());
}
