//! `WAITING-UNTIL: 2026-06-15T15:00:00+02:00`: an agent says that it sleeps on purpose, and until when.
use crate::model::time::{Now, Wall};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

const WORD: &str = "WAITING-UNTIL:";

/// The last marker that can be read. A `footer_ui` counts it only at the beginning of the last row that is not blank.
/// No zone means local time; a date alone means midnight.
pub fn waiting_until(text: &str, footer_ui: bool, now: Now) -> Option<Wall> {
    if footer_ui {
        let last = text.trim_end().lines().last()?.trim_start();
        return parse(last.strip_prefix(WORD)?, now);
    }
    // Almost no screen has one, and this is a tenth of the time of a search from the end.
    if !text.contains(WORD) {
        return None;
    }
    text.rmatch_indices(WORD).find_map(|(at, word)| parse(&text[at + word.len()..], now))
}

fn parse(after: &str, now: Now) -> Option<Wall> {
    let mut words = after.split_whitespace();
    let first = clean(words.next()?);
    if let Ok(t) = DateTime::parse_from_rfc3339(&first.replace('z', "Z")) {
        return Some(Wall(t.timestamp_millis()));
    }
    if let Some(t) = with_offset(first) {
        return Some(t);
    }
    let local = naive(first).or_else(|| {
        let date = NaiveDate::parse_from_str(first, "%Y-%m-%d").ok()?;
        let time = words.next().map(clean).and_then(clock).unwrap_or(NaiveTime::MIN);
        Some(date.and_time(time))
    })?;
    let utc = local.and_utc().timestamp_millis();
    let shifted = |offset: i32| Wall(utc - i64::from(offset) * 1000);
    // The offset at the moment meant: the clocks may change before it.
    let offset = now.zones.utc_offset_at(shifted(now.utc_offset_s).0).unwrap_or(now.utc_offset_s);
    Some(shifted(offset))
}

/// Without the full stop, quote or bracket that prose puts after a time.
fn clean(word: &str) -> &str {
    word.trim_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '+' || c == '-' || c == ':'))
}

fn naive(word: &str) -> Option<NaiveDateTime> {
    let (date, time) = word.split_once(['T', 't'])?;
    Some(NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?.and_time(clock(time)?))
}

fn clock(word: &str) -> Option<NaiveTime> {
    ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|f| NaiveTime::parse_from_str(word, f).ok())
}

/// `2026-06-15T15:00+02:00`, `…+0200`, `…Z`: offsets on times without seconds, which RFC 3339 does not know.
fn with_offset(word: &str) -> Option<Wall> {
    ["%Y-%m-%dT%H:%M%:z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]
        .iter()
        .find_map(|f| DateTime::parse_from_str(&word.replace(['Z', 'z'], "+0000"), f).ok())
        .map(|t| Wall(t.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        time::Boot,
        zones::{Rules, Zones, bundled},
    };

    fn at(text: &str) -> Option<i64> {
        let now = Now { boot: Boot(0), wall: Wall(0), utc_offset_s: 7_200, ..Now::default() };
        waiting_until(text, false, now).map(|w| w.0 / 1000)
    }

    #[test]
    fn forms_that_people_and_models_write() {
        let noon_utc = 1_781_524_800; // 2026-06-15T12:00:00Z
        for form in [
            "2026-06-15T12:00:00Z",
            "2026-06-15T12:00Z",
            "2026-06-15T14:00:00+02:00",
            "2026-06-15T14:00+02:00",
            "2026-06-15T14:00:00+0200",
            "2026-06-15T14:00",
            "2026-06-15 14:00",
            "2026-06-15T14:00:00.",
            "\n  2026-06-15T14:00:00`",
        ] {
            assert_eq!(at(&format!("WAITING-UNTIL: {form}")), Some(noon_utc), "{form}");
        }
        assert_eq!(at("WAITING-UNTIL: 2026-06-15"), Some(noon_utc - 14 * 3600));
        for unreadable in ["15:00", "1781524800", "<iso time>", "soon", ""] {
            assert_eq!(at(&format!("WAITING-UNTIL: {unreadable}")), None, "{unreadable}");
        }
    }

    #[test]
    fn the_clocks_may_change_before_it() {
        let local = bundled("Europe/Berlin");
        let zones = Zones::of(Box::leak(Box::new(Rules { local, ..Rules::default() })));
        // 2026-10-24T20:00Z, at UTC+2.
        let now = Now { wall: Wall(1_792_872_000_000), utc_offset_s: 7_200, zones, ..Now::default() };
        let at = waiting_until("WAITING-UNTIL: 2026-10-25T09:00", false, now);
        assert_eq!(at, Wall::parse_rfc3339("2026-10-25T09:00:00+01:00"));
    }

    #[test]
    fn the_last_readable_marker_wins() {
        let text = "WAITING-UNTIL: 2020-01-01T00:00:00Z\nWAITING-UNTIL: 2099-01-01T00:00:00Z\nWAITING-UNTIL: <time>\n";
        assert_eq!(at(text), Some(4_070_908_800));
    }

    #[test]
    fn a_footer_ui_reads_only_the_last_row() {
        let now = Now::default();
        assert!(waiting_until("WAITING-UNTIL: 2099-01-01\nmore", true, now).is_none());
        assert!(waiting_until("x\n  WAITING-UNTIL: 2099-01-01\n\n", true, now).is_some());
        assert!(waiting_until("say WAITING-UNTIL: 2099-01-01", true, now).is_none());
    }
}
