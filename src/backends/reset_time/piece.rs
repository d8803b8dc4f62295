//! The pieces of a moment, in whatever order apps write them: `Feb 17 at 2pm (Asia/Seoul)`, `4:00 AM Friday Apr 24`,
//! `15:28 on 5 May`.
use super::{
    resolve::{self, Clock, Day, Moment},
    zone,
};
use crate::model::time::{Now, Wall};
use jiff::{
    civil::{Time, Weekday},
    tz::TimeZone,
};
use regex::{Captures, Regex, RegexBuilder};
use std::sync::LazyLock;

pub type Pattern = LazyLock<Regex>;

pub fn pattern(text: &str) -> Regex {
    RegexBuilder::new(text).case_insensitive(true).ignore_whitespace(true).build().expect("a constant pattern")
}

static BEFORE: Pattern = LazyLock::new(|| pattern(r"^(?:[\s,(]*(?:(?P<at>at)|on|of|the|by)\s+|[\s,]*)"));
static NEAR_DAY: Pattern = LazyLock::new(|| pattern(r"^(?:(today)|tomorrow)\b"));
static WEEKDAY: Pattern = LazyLock::new(|| {
    pattern(
        r"^(mon(?:day)?|tue(?:s|sday)?|wed(?:s|nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)\b\.?",
    )
});
const MONTH: &str = r"(?P<mon>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const DAY: &str = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?\b";
const YEAR: &str = r"(?:,?\s+(?P<year>20[0-9]{2})\b)?";
static DATES: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    [
        pattern(&format!(r"^{MONTH}\b\.?\s*{DAY}{YEAR}")),
        pattern(&format!(r"^{DAY}\.?\s*(?:of\s+)?{MONTH}\b\.?{YEAR}")),
        pattern(r"^(?P<year>20[0-9]{2})-(?P<number>[0-9]{2})-(?P<day>[0-9]{2})(?:T|\b)"),
    ]
});
static NAMED_CLOCK: Pattern = LazyLock::new(|| pattern(r"^(?:(noon)|midnight)\b"));
static CLOCK: Pattern = LazyLock::new(|| {
    pattern(
        r"^(?P<h>[0-9]{1,2})(?::(?P<m>[0-9]{2})(?::(?P<s>[0-9]{2})(?:\.[0-9]{1,9})?)?)?
           (?:\s?(?P<ap>[ap])(?:\.\s?m\.?|m\b))?",
    )
});
static IN_BRACKETS: Pattern = LazyLock::new(|| pattern(r"^\s?\(([^()]{1,60})\)"));
static OFFSET: Pattern = LazyLock::new(|| pattern(r"^[\s,]*\(?((?:utc|gmt)(?:[+-][0-9]{1,2}(?::?[0-9]{2})?)?)\b"));
static ISO_OFFSET: Pattern = LazyLock::new(|| pattern(r"^\s?(z|[+-][0-9]{2}:?[0-9]{2})\b"));
static ZONE_NAME: Pattern = LazyLock::new(|| pattern(r"^[\s,]*\(?([a-z][a-z_]{1,19}(?:/[a-z0-9_+-]{2,30}){0,2})\b"));

/// The moment that `text` begins with, and the text after it. `hour_alone`: a number alone may be an hour. `near`: see
/// [`resolve::instant`].
pub fn moment(text: &str, hour_alone: bool, near: Option<Wall>, now: Now) -> Option<(Wall, &str)> {
    let mut said = Moment::default();
    let mut rest = text;
    let mut iso = false;
    for _ in 0..6 {
        if said.clock.is_some()
            && said.zone.is_none()
            && let Some((zone, after)) = zone_at(rest, iso, now)
        {
            (said.zone, rest) = (Some(zone), after);
            continue;
        }
        let before = BEFORE.captures(rest)?;
        let from = &rest[before[0].len()..];
        if let Some((day, after)) = day_at(from).and_then(|(day, after)| Some((joined(said.day, day)?, after))) {
            // `2026-06-16T03:00`, but not `June 16`.
            iso = from.starts_with("20");
            (said.day, rest) = (day, after);
            continue;
        }
        let alone = hour_alone || before.name("at").is_some();
        if said.clock.is_none()
            && let Some((clock, after)) = clock_at(from, alone, iso, now)
        {
            (said.clock, rest) = (Some(clock), after);
            continue;
        }
        break;
    }
    let day_alone = said.clock.is_none() && (near.is_some() || word_follows(rest));
    (!day_alone).then(|| Some((resolve::instant(&said, near, now)?, rest)))?
}

/// Two words about the day that go together: a date and its weekday.
fn joined(known: Day, new: Day) -> Option<Day> {
    match (known, new) {
        (Day::Unsaid, new) => Some(new),
        (Day::Weekday(weekday), Day::Date { year, month, day, weekday: None })
        | (Day::Date { year, month, day, weekday: None }, Day::Weekday(weekday)) => {
            Some(Day::Date { year, month, day, weekday: Some(weekday) })
        }
        _ => None,
    }
}

fn day_at(text: &str) -> Option<(Day, &str)> {
    let after = |c: &Captures| &text[c[0].len()..];
    if let Some(c) = NEAR_DAY.captures(text) {
        return Some((if c.get(1).is_some() { Day::Today } else { Day::Tomorrow }, after(&c)));
    }
    if let Some(c) = WEEKDAY.captures(text) {
        return Some((Day::Weekday(weekday(&c[1])?), after(&c)));
    }
    let c = DATES.iter().find_map(|form| form.captures(text))?;
    let number = |name: &str| c.name(name).and_then(|m| m.as_str().parse::<i16>().ok());
    let month = match c.name("mon") {
        Some(word) => month(word.as_str())?,
        None => i8::try_from(number("number")?).ok()?,
    };
    let day = i8::try_from(number("day")?).ok()?;
    Some((Day::Date { year: number("year"), month, day, weekday: None }, after(&c)))
}

/// Without am or pm: every app whose banners we know prints such a time with 24 hours, but a person's own build may not,
/// and waiting twelve hours too long costs more than a probe twelve hours too early. So an hour from 1 to 12 is taken as
/// either, unless a zero stands before it or an ISO date: nobody writes `07:05` for the evening.
fn clock_at(text: &str, alone: bool, iso: bool, now: Now) -> Option<(Clock, &str)> {
    if let Some(c) = NAMED_CLOCK.captures(text) {
        let hour = if c.get(1).is_some() { 12 } else { 0 };
        return Some((Clock::At(Time::new(hour, 0, 0, 0).ok()?), &text[c[0].len()..]));
    }
    let c = CLOCK.captures(text)?;
    let rest = &text[c[0].len()..];
    let number = |name: &str| c.name(name).map_or(Some(0), |m| m.as_str().parse::<i8>().ok());
    let (hour, minute, second) = (number("h")?, number("m")?, number("s")?);
    let half = c.name("ap").map(|m| m.as_str().eq_ignore_ascii_case("p"));
    let ends = match (c.name("m"), half) {
        (None, None) => alone && ends_after_hour(rest, now),
        _ => !rest.starts_with(|c: char| c.is_alphanumeric() && !(iso && c.eq_ignore_ascii_case(&'z'))),
    };
    let time = |hour: i8| Time::new(hour, minute, second, 0).ok();
    let clock = match half {
        _ if !ends => return None,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(pm) => Clock::At(time(hour % 12 + if pm { 12 } else { 0 })?),
        None if (1..=12).contains(&hour) && !c["h"].starts_with('0') && !iso => Clock::Either(time(hour)?),
        None => Clock::At(time(hour)?),
    };
    Some((clock, rest))
}

/// `at 7 (UTC)` ends there, `18 files`, `3/10` and `1. Stop` go on.
fn ends_after_hour(rest: &str, now: Now) -> bool {
    match rest.chars().next() {
        Some('.') => rest[1..].chars().next().is_none_or(|c| c == '\n'),
        Some(c) if c.is_alphanumeric() || "/:%-_+".contains(c) => false,
        _ => !word_follows(rest) || zone_at(rest, false, now).is_some() || day_at(rest.trim_start()).is_some(),
    }
}

/// On the same row.
fn word_follows(rest: &str) -> bool {
    rest.trim_start_matches(' ').starts_with(char::is_alphanumeric)
}

fn zone_at(text: &str, iso: bool, now: Now) -> Option<(TimeZone, &str)> {
    if iso && let Some(c) = ISO_OFFSET.captures(text) {
        return Some((zone::known(&c[1], now)?, &text[c[0].len()..]));
    }
    if let Some(c) = IN_BRACKETS.captures(text) {
        return Some((zone::known(&c[1], now)?, &text[c[0].len()..]));
    }
    if let Some(c) = OFFSET.captures(text) {
        return Some((zone::known(&c[1], now)?, &text[c[0].len()..]));
    }
    let c = ZONE_NAME.captures(text)?;
    let zone = if c[1].contains('/') { now.zones.named(&c[1]) } else { zone::abbreviation(&c[1], now) };
    Some((zone?, &text[c[0].len()..]))
}

fn month(word: &str) -> Option<i8> {
    let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    names.iter().zip(1..).find(|(name, _)| starts(word, name)).map(|(_, number)| number)
}

fn weekday(word: &str) -> Option<Weekday> {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let number = names.iter().zip(1..).find(|(name, _)| starts(word, name))?.1;
    Weekday::from_monday_one_offset(number).ok()
}

fn starts(word: &str, name: &str) -> bool {
    word.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
}
