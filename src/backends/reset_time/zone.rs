//! Names of time zones, as apps print them.
use crate::model::{time::Now, zones::Zones};
use jiff::{
    SignedDuration, Timestamp,
    tz::{Offset, TimeZone},
};
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// `GMT+5:30`, `UTC-08`, `UTC +2`: signs as people mean them, not as in `Etc/GMT+5`.
static OFFSET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:utc|gmt)?\s?([+-])([0-9]{1,2})(?::?([0-9]{2}))?$").expect("a constant pattern")
});

/// Minutes east of UTC. Where several countries use the letters, those that apps from the United States print mean;
/// the machine's own zone goes before them.
const FIXED: &[(&str, i16)] = &[
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
    ("AST", -240),
    ("ADT", -180),
    ("NST", -210),
    ("NDT", -150),
    ("BRT", -180),
    ("WET", 0),
    ("WEST", 60),
    ("BST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("MEZ", 60),
    ("MESZ", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("WAT", 60),
    ("CAT", 120),
    ("SAST", 120),
    ("EAT", 180),
    ("PKT", 300),
    ("IST", 330),
    ("WIB", 420),
    ("SGT", 480),
    ("HKT", 480),
    ("PHT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("ACDT", 630),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
];

/// Names without a season.
const REGIONS: &[(&str, &str)] = &[
    ("ET", "America/New_York"),
    ("CT", "America/Chicago"),
    ("MT", "America/Denver"),
    ("PT", "America/Los_Angeles"),
    ("Eastern", "America/New_York"),
    ("Central", "America/Chicago"),
    ("Mountain", "America/Denver"),
    ("Pacific", "America/Los_Angeles"),
];

/// A zone's name as it stands in the text, perhaps wrapped. `None`: it is none that we know.
pub fn known(text: &str, now: Now) -> Option<TimeZone> {
    let text = text.trim();
    // `America/New York`, and names that go on over a row end.
    let blanks = |instead: &str| text.contains(char::is_whitespace).then(|| text.replace(char::is_whitespace, instead));
    exactly(text, now).or_else(|| exactly(&blanks("_")?, now)).or_else(|| exactly(&blanks("")?, now)).or_else(|| {
        // `Pacific Time`, `UTC, tomorrow`.
        let first = text.split([' ', '\n', ',']).next()?;
        first.starts_with(|c: char| c.is_ascii_uppercase()).then(|| exactly(first, now))?
    })
}

fn exactly(text: &str, now: Now) -> Option<TimeZone> {
    if ["utc", "gmt", "z"].iter().any(|n| text.eq_ignore_ascii_case(n)) {
        return Some(TimeZone::UTC);
    }
    match OFFSET.captures(text) {
        Some(c) => fixed(&c),
        None => abbreviation(text, now).or_else(|| now.zones.named(text)),
    }
}

/// `CET`, `PST`, `PT`: exactly in these letters.
pub fn abbreviation(text: &str, now: Now) -> Option<TimeZone> {
    let local = || now.zones.local(now.utc_offset_s).filter(|zone| calls_itself(zone, text, now));
    let fixed = || {
        let minutes = FIXED.iter().find(|(name, _)| *name == text)?.1;
        Some(TimeZone::fixed(Offset::from_seconds(i32::from(minutes) * 60).ok()?))
    };
    let region = |zones: Zones| zones.named(REGIONS.iter().find(|(name, _)| *name == text)?.1);
    local().or_else(fixed).or_else(|| region(now.zones))
}

/// Does that zone use these letters now, or in its other season?
fn calls_itself(zone: &TimeZone, letters: &str, now: Now) -> bool {
    let Ok(at) = Timestamp::from_millisecond(now.wall.0) else { return false };
    let half_a_year = SignedDuration::from_hours(24 * 182);
    letters.len() > 2
        && letters.bytes().all(|b| b.is_ascii_uppercase())
        && [Ok(at), at.checked_add(half_a_year)]
            .into_iter()
            .flatten()
            .any(|at| zone.to_offset_info(at).abbreviation() == letters)
}

fn fixed(c: &Captures) -> Option<TimeZone> {
    let hours: i32 = c[2].parse().ok()?;
    let minutes: i32 = c.get(3).map_or(Some(0), |m| m.as_str().parse().ok())?;
    let seconds = (hours <= 14 && minutes < 60).then_some(hours * 3600 + minutes * 60)?;
    Some(TimeZone::fixed(Offset::from_seconds(if &c[1] == "-" { -seconds } else { seconds }).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        time::Wall,
        zones::{Rules, bundled},
    };

    fn now(local: Option<&str>) -> Now {
        let rules = Rules { local: local.and_then(bundled), ..Rules::default() };
        // Monday 2026-06-15 12:00 UTC.
        Now { wall: Wall(1_781_524_800_000), zones: Zones::of(Box::leak(Box::new(rules))), ..Now::default() }
    }
    fn minutes(text: &str, local: Option<&str>) -> Option<i32> {
        let at = Timestamp::from_millisecond(1_781_524_800_000).unwrap();
        Some(known(text, now(local))?.to_offset(at).seconds() / 60)
    }

    #[test]
    fn names_that_apps_print() {
        for (text, expected) in [
            ("UTC", 0),
            ("GMT", 0),
            ("GMT+5:30", 330),
            ("gmt+5:30", 330),
            ("UTC-8", -480),
            ("UTC +02:00", 120),
            ("+0530", 330),
            ("America/Los_Angeles", -420),
            ("america/los_angeles", -420),
            ("Etc/GMT+5", -300),
            ("America/Argentina/Buenos_Aires", -180),
            ("America/New York", -240),
            ("America/Los_Ang\neles", -420),
            ("America/\nLos_Angeles", -420),
            ("EST", -300),
            ("PDT", -420),
            ("CET", 60),
            ("PT", -420),
            ("ET", -240),
            ("Pacific Time", -420),
            ("IST", 330),
            ("Japan", 540),
            ("EST5EDT", -240),
            ("UTC, tomorrow", 0),
        ] {
            assert_eq!(minutes(text, None), Some(expected), "{text}");
        }
        for unknown in ["", "Atlantis/Capital", "1h 30m", "GMT+99", "UTC+5:99", "Pro plan", "local time", "../x"] {
            assert_eq!(minutes(unknown, None), None, "{unknown}");
        }
    }

    #[test]
    fn the_machines_own_zone_decides_what_letters_mean() {
        assert_eq!(minutes("CST", Some("Asia/Shanghai")), Some(480));
        assert_eq!(minutes("IST", Some("Europe/Dublin")), Some(60));
        assert_eq!(minutes("IST", Some("Asia/Jerusalem")), Some(180), "now it is IDT, but the zone is the same");
        assert_eq!(minutes("CST", Some("Europe/Berlin")), Some(-360));
    }
}
