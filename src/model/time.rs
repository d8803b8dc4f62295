//! Time as an argument. Everything about waiting is a [`Boot`] deadline; wall time is only for people and for "resets at 3pm".
//!
//! chrono stays behind this module and `backends::marker`, so that another library can replace it.
use super::zones::Zones;
use chrono::{DateTime, FixedOffset, Local, Offset, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Milliseconds of CLOCK_BOOTTIME: goes on during suspend, never jumps with the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Boot(pub u64);

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Wall(pub i64);

/// One moment on both clocks, with the local UTC offset in seconds at that moment, and the rules of time zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Now {
    pub boot: Boot,
    pub wall: Wall,
    pub utc_offset_s: i32,
    #[serde(skip)]
    pub zones: Zones,
}

impl Boot {
    pub fn after(self, d: Duration) -> Boot {
        Boot(self.0.saturating_add(d.as_millis().min(u64::MAX as u128) as u64))
    }
    /// Time since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Boot) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Wall {
    pub fn after(self, d: Duration) -> Wall {
        Wall(self.0.saturating_add(d.as_millis().min(i64::MAX as u128) as i64))
    }
    /// RFC 3339 with the machine's local offset at that instant, to the millisecond: `2026-11-21T01:00:00.000+01:00`.
    pub fn rfc3339(self) -> String {
        self.local().to_rfc3339_opts(SecondsFormat::Millis, false)
    }
    /// Local time by a strftime pattern, for log lines.
    pub fn format_local(self, pattern: &str) -> String {
        self.local().format(pattern).to_string()
    }
    fn local(self) -> DateTime<FixedOffset> {
        let utc = Utc.timestamp_millis_opt(self.0).single().unwrap_or_default();
        let local = utc.with_timezone(&Local);
        local.with_timezone(&local.offset().fix())
    }
    /// Reads RFC 3339 (`Z` or an offset). `None` if it is not that.
    pub fn parse_rfc3339(text: &str) -> Option<Wall> {
        Wall::parse_with_offset(text).map(|(wall, _)| wall)
    }
    /// Reads RFC 3339, with its offset in seconds east of UTC.
    pub fn parse_with_offset(text: &str) -> Option<(Wall, i32)> {
        let t = DateTime::parse_from_rfc3339(text).ok()?;
        Some((Wall(t.timestamp_millis()), t.offset().local_minus_utc()))
    }
}

/// The machine's UTC offset at `wall`, in seconds east of UTC.
pub fn utc_offset_at(wall: Wall) -> i32 {
    wall.local().offset().local_minus_utc()
}

/// Writes many moments: the machine's rules are asked once for those that lie close together.
#[derive(Clone, Debug, Default)]
pub struct Stamper {
    known: Option<Quarter>,
}

/// Within it the texts of all moments are alike but for a few digits.
#[derive(Clone, Debug)]
struct Quarter {
    number: i64,
    /// Its beginning: `2026-11-21T14:15:00.000+01:00`.
    text: String,
    /// Minutes of that hour at which it begins.
    minute: u32,
}

/// Bytes of such a text.
const LENGTH: usize = 29;

/// Milliseconds between two moments at which an offset can change: a quarter of an hour.
const QUARTER: i64 = 900_000;

impl Stamper {
    /// Appends the same as [`Wall::rfc3339`].
    pub fn write(&mut self, wall: Wall, out: &mut Vec<u8>) {
        let number = wall.0.div_euclid(QUARTER);
        if self.known.as_ref().is_none_or(|known| known.number != number) {
            self.known = Quarter::of(number);
        }
        let Some(quarter) = &self.known else { return out.extend_from_slice(wall.rfc3339().as_bytes()) };
        let ms = wall.0.rem_euclid(QUARTER) as u32;
        let (minute, second, ms) = (quarter.minute + ms / 60_000, ms / 1000 % 60, ms % 1000);
        let digit = |number: u32, place: u32| b'0' + (number / place % 10) as u8;
        let begin = out.len();
        out.extend_from_slice(quarter.text.as_bytes());
        let digits = [
            (14, digit(minute, 10)),
            (15, digit(minute, 1)),
            (17, digit(second, 10)),
            (18, digit(second, 1)),
            (20, digit(ms, 100)),
            (21, digit(ms, 10)),
            (22, digit(ms, 1)),
        ];
        if let Some(text) = out.get_mut(begin..begin + LENGTH) {
            digits.iter().for_each(|(at, digit)| text[*at] = *digit);
        }
    }
}

impl Quarter {
    /// `None`: its offset is none of whole quarters of an hour, as before there were time zones.
    fn of(number: i64) -> Option<Quarter> {
        let text = Wall(number.checked_mul(QUARTER)?).rfc3339();
        let minute = text.get(14..16)?.parse().ok()?;
        let whole = minute % 15 == 0 && text.len() == LENGTH && text.get(16..23) == Some(":00.000");
        whole.then_some(Quarter { number, text, minute })
    }
}

impl Now {
    pub fn after(self, d: Duration) -> Boot {
        self.boot.after(d)
    }
    /// The boottime instant at which the wall clock will show `wall` (now, if it has passed).
    pub fn boot_at(self, wall: Wall) -> Boot {
        Boot(self.boot.0.saturating_add(wall.0.saturating_sub(self.wall.0).max(0) as u64))
    }
    /// What the wall clock will show at `boot`, if nobody sets it.
    pub fn wall_at(self, boot: Boot) -> Wall {
        Wall(self.wall.0 + (boot.0 as i64 - self.boot.0 as i64))
    }
    /// The same moment some time later: for tests and simulations.
    pub fn plus(self, d: Duration) -> Now {
        Now { boot: self.boot.after(d), wall: self.wall.after(d), ..self }
    }
}

/// `90s`, `5m`, `1h 30m` for people; whole seconds, two units at most.
pub fn human(d: Duration) -> String {
    let s = d.as_secs();
    match s {
        0..=119 => format!("{s}s"),
        120..=7199 if s.is_multiple_of(60) => format!("{}m", s / 60),
        120..=3599 => format!("{}m {}s", s / 60, s % 60),
        3600..=172_799 => format!("{}h {}m", s / 3600, s % 3600 / 60),
        _ => format!("{}d {}h", s / 86_400, s % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_moments_are_written_as_one_is() {
        let mut stamper = Stamper::default();
        for ms in
            [0, 1, -1, 899_999, 900_000, 1_800_000_000_123, 1_790_000_000_000, 1_743_296_399_999, 1_743_296_400_000]
        {
            for wall in [Wall(ms), Wall(ms + 7), Wall(ms + 61_234)] {
                let mut text = Vec::new();
                stamper.write(wall, &mut text);
                assert_eq!(String::from_utf8(text).as_deref(), Ok(wall.rfc3339().as_str()));
            }
        }
    }
}
