//! When a usage limit ends, as its banner says it: `resets 3pm`, `try again in 2h 15m`, `resets Jun 16, 10pm`.
//!
//! The answer is an absolute instant or unknown, never "now". A clock time that passed less than an hour ago stays in
//! the past (the limit is over); an older one means tomorrow. UTC and GMT are known as zones; any other zone is read as
//! local time, and the probes correct what that gets wrong.
use crate::model::time::{Now, Wall};
use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Weekday};
use regex::{Captures, Regex, RegexBuilder};
use std::sync::LazyLock;

fn pattern(text: &str) -> Regex {
    RegexBuilder::new(text).case_insensitive(true).ignore_whitespace(true).build().expect("a constant pattern")
}

/// What stands before a time.
const LEAD: &str = r"(?:\breset(?:s|ting)?(?:\s+(?:at|by|on))?:?|try\s+again\s+(?:at|on)|available\s+again\s+at)\s+";
const CLOCK: &str = r"(?P<h>\d{1,2})(?::(?P<m>\d{2}))?\s*(?P<ap>[ap]\.?m\b\.?)?";

static IN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:\breset(?:s)?\s+in:?|try\s+again\s+in|retry[\s-]after:?|wait)\s+(?:approximately\s+|about\s+)?
          (?P<parts>(?:\d+\s*(?:days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\b[\s,]*(?:and\s+)?|\d+[dhms])+)",
    )
});
static PART: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\d+)\s*([dhms])[a-z]*"));
static EPOCH: LazyLock<Regex> = LazyLock::new(|| pattern(r"limit\s+reached\|(\d{10})\b"));
static ISO: LazyLock<Regex> = LazyLock::new(|| {
    let text =
        format!(r"{LEAD}(?P<iso>\d{{4}}-\d\d-\d\d[T\ ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?)\s*(?P<z>Z|[+-]\d\d:?\d\d)?");
    pattern(&text)
});
static DATED: LazyLock<Regex> = LazyLock::new(|| {
    let text = format!(
        r"{LEAD}(?P<mon>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{{4}}))?,?\s+(?:at\s+)?{CLOCK}"
    );
    pattern(&text)
});
static WEEKDAY: LazyLock<Regex> = LazyLock::new(|| {
    let text = format!(r"{LEAD}(?P<wd>mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+(?:at\s+)?{CLOCK}");
    pattern(&text)
});
static TOMORROW: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"{LEAD}tomorrow\s+(?:at\s+)?{CLOCK}")));
static TIME: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"{LEAD}{CLOCK}")));
static ZONE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*\(?\s*(?:UTC|GMT)\b(?:\s*(?P<sign>[+-])(?P<zh>\d{1,2})(?::?(?P<zm>\d{2}))?)?"));

/// The first reset time in `banner`, which begins at the limit's own row.
pub fn parse(banner: &str, now: Now) -> Option<Wall> {
    let local = FixedOffset::east_opt(now.utc_offset_s)?;
    if let Some(c) = EPOCH.captures(banner) {
        return c[1].parse::<i64>().ok().map(|s| Wall(s * 1000));
    }
    if let Some(c) = IN.captures(banner) {
        return Some(now.wall.after(std::time::Duration::from_secs(seconds(&c["parts"])?)));
    }
    if let Some(c) = ISO.captures(banner) {
        return iso(&c, local);
    }
    let zone_after = |c: &Captures| zone(&banner[c.get(0).map_or(0, |m| m.end())..]).unwrap_or(local);
    let today = |zone: FixedOffset| zone.timestamp_millis_opt(now.wall.0).single().map(|t| t.naive_local());
    if let Some(c) = DATED.captures(banner) {
        let zone = zone_after(&c);
        let month = month(&c["mon"])?;
        let here = today(zone)?;
        let year = c.name("year").and_then(|y| y.as_str().parse().ok());
        let date = NaiveDate::from_ymd_opt(year.unwrap_or(here.year()), month, c["day"].parse().ok()?)?;
        let at = date.and_time(clock(&c)?);
        // A date without a year that lies half a year back is next year's.
        let rolled = year.is_none() && (here - at).num_days() > 180;
        return instant(if rolled { at.with_year(here.year() + 1)? } else { at }, zone);
    }
    if let Some(c) = WEEKDAY.captures(banner) {
        let zone = zone_after(&c);
        let here = today(zone)?;
        let wanted: Weekday = c["wd"].parse().ok()?;
        let ahead = (7 + wanted.num_days_from_monday() - here.weekday().num_days_from_monday()) % 7;
        let at = here.date().checked_add_days(Days::new(ahead.into()))?.and_time(clock(&c)?);
        return instant(if long_past(at, here) { at.checked_add_days(Days::new(7))? } else { at }, zone);
    }
    if let Some(c) = TOMORROW.captures(banner) {
        let zone = zone_after(&c);
        return instant(today(zone)?.date().checked_add_days(Days::new(1))?.and_time(clock(&c)?), zone);
    }
    let c = TIME
        .captures_iter(banner)
        .find(|c| c.name("ap").is_some() || c.name("m").is_some() || plain_hour(banner, c))?;
    let zone = zone_after(&c);
    let here = today(zone)?;
    let at = here.date().and_time(clock(&c)?);
    instant(if long_past(at, here) { at.checked_add_days(Days::new(1))? } else { at }, zone)
}

/// `resets at 7 (UTC)` is a time, `reset 18 files` is not: a bare hour must not be followed by a word.
fn plain_hour(banner: &str, c: &Captures) -> bool {
    let rest = &banner[c.get(0).map_or(0, |m| m.end())..];
    !rest.starts_with(['.', ':'])
        && rest.trim_start_matches([' ', '\t']).chars().next().is_none_or(|c| !c.is_alphanumeric())
}

fn long_past(at: NaiveDateTime, here: NaiveDateTime) -> bool {
    (here - at).num_minutes() >= 60
}

fn instant(at: NaiveDateTime, zone: FixedOffset) -> Option<Wall> {
    zone.from_local_datetime(&at).single().map(|t| Wall(t.timestamp_millis()))
}

fn iso(c: &Captures, local: FixedOffset) -> Option<Wall> {
    let text = c["iso"].replace(' ', "T");
    let text = if text.len() == 16 { format!("{text}:00") } else { text };
    if let Some(z) = c.name("z") {
        let z = if z.as_str().len() == 5 {
            format!("{}:{}", &z.as_str()[..3], &z.as_str()[3..])
        } else {
            z.as_str().to_owned()
        };
        return DateTime::parse_from_rfc3339(&format!("{text}{z}")).ok().map(|t| Wall(t.timestamp_millis()));
    }
    instant(NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").ok()?, local)
}

fn clock(c: &Captures) -> Option<NaiveTime> {
    let hour: u32 = c["h"].parse().ok()?;
    let minute: u32 = c.name("m").map_or(Some(0), |m| m.as_str().parse().ok())?;
    let hour = match c.name("ap").map(|m| m.as_str().as_bytes()[0].to_ascii_lowercase()) {
        Some(_) if hour == 0 || hour > 12 => return None,
        Some(b'a') => hour % 12,
        Some(_) => hour % 12 + 12,
        None => hour,
    };
    NaiveTime::from_hms_opt(hour, minute, 0)
}

fn month(word: &str) -> Option<u32> {
    let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    names.iter().position(|n| word.to_ascii_lowercase().starts_with(n)).map(|i| i as u32 + 1)
}

fn zone(rest: &str) -> Option<FixedOffset> {
    let c = ZONE.captures(rest)?;
    let part = |name: &str| c.name(name).and_then(|m| m.as_str().parse::<i32>().ok()).unwrap_or(0);
    let seconds = part("zh") * 3600 + part("zm") * 60;
    FixedOffset::east_opt(if c.name("sign").is_some_and(|s| s.as_str() == "-") { -seconds } else { seconds })
}

fn seconds(parts: &str) -> Option<u64> {
    let mut sum = 0u64;
    for c in PART.captures_iter(parts) {
        let unit = match c[2].to_ascii_lowercase().as_str() {
            "d" => 86_400,
            "h" => 3_600,
            "m" => 60,
            _ => 1,
        };
        sum = sum.checked_add(c[1].parse::<u64>().ok()?.checked_mul(unit)?)?;
    }
    (sum <= 400 * 86_400).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Boot;

    /// Monday 2026-06-15 14:00 at UTC+2.
    const NOW: Now = Now { boot: Boot(0), wall: Wall(1_781_524_800_000), utc_offset_s: 7_200 };

    fn at(text: &str) -> Option<String> {
        let zone = FixedOffset::east_opt(7_200).unwrap();
        let wall = parse(text, NOW)?;
        Some(zone.timestamp_millis_opt(wall.0).unwrap().format("%a %m-%d %H:%M").to_string())
    }

    #[test]
    fn forms_of_real_banners() {
        for (text, expected) in [
            ("resets 3pm", "Mon 06-15 15:00"),
            ("will reset at 7pm", "Mon 06-15 19:00"),
            ("resets at 15:30 (Europe/Berlin)", "Mon 06-15 15:30"),
            ("resets 16:00 UTC", "Mon 06-15 18:00"),
            ("Resets at 3pm (UTC)", "Mon 06-15 17:00"),
            ("resets 8:01pm", "Mon 06-15 20:01"),
            ("resets 1pm", "Tue 06-16 13:00"),
            ("resets 1:30pm", "Mon 06-15 13:30"),
            ("resets 12am", "Tue 06-16 00:00"),
            ("resets Jun 16, 10pm", "Tue 06-16 22:00"),
            ("resets Jun 16 at 10pm", "Tue 06-16 22:00"),
            ("try again at Jun 16th, 2026 3:45 PM.", "Tue 06-16 15:45"),
            ("resets Mon 3:00 PM", "Mon 06-15 15:00"),
            ("resets Mon 12:00am", "Mon 06-22 00:00"),
            ("resets in 3 hours", "Mon 06-15 17:00"),
            ("try again in 2 days 17 hours 14 minutes", "Thu 06-18 07:14"),
            ("try again in 2 hours 11\nminutes", "Mon 06-15 16:11"),
            ("Resets in 52h49m12s.", "Wed 06-17 18:49"),
            ("try again at 3pm", "Mon 06-15 15:00"),
            ("resets tomorrow at 9am", "Tue 06-16 09:00"),
            ("resets 2026-06-16T03:00", "Tue 06-16 03:00"),
            ("resets 5:00 p.m.", "Mon 06-15 17:00"),
            ("Claude AI usage limit reached|1781528400", "Mon 06-15 15:00"),
            ("limits · resets 3pm, then you reset 18 files", "Mon 06-15 15:00"),
            ("try again at 2:51 PM", "Mon 06-15 14:51"),
            ("resets 17 (UTC)", "Mon 06-15 19:00"),
        ] {
            assert_eq!(at(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn no_time_is_never_now() {
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
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
