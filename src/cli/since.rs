//! Moments and spans on the line.
use crate::{
    config::parse_duration,
    model::{
        name::printable,
        time::{Now, Wall, utc_offset_at},
    },
};
use std::time::Duration;

/// `10m` (that long ago), `14:30` or `14:30:05` (the last time it was), `2026-11-21`, `2026-11-21 14:30`, `today` and
/// `yesterday` (from midnight on), RFC 3339.
pub fn moment(text: &str, now: Now) -> Result<Wall, String> {
    let text = text.trim();
    if let Ok(span) = duration(text) {
        return Ok(Wall(now.wall.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))));
    }
    if let Some(wall) = Wall::parse_rfc3339(text) {
        return Ok(wall);
    }
    let day = |days: i64| local(&Wall(now.wall.0 - days * 86_400_000).format_local("%Y-%m-%d"), "00:00");
    let words: Vec<&str> = text.splitn(2, [' ', 'T']).collect();
    let found = match words[..] {
        ["today"] => day(0),
        ["yesterday"] => day(1),
        [time] if time.contains(':') => last_time_of_day(time, now),
        [date] => local(date, "00:00"),
        [date, time] => local(date, time),
        _ => None,
    };
    found.ok_or_else(|| {
        format!("`{}` is no moment; it may be like `10m`, `14:30`, `2026-11-21 14:30` or RFC 3339", printable(text))
    })
}

/// `90s`, `5m`, `1h30m`, or seconds: as in the config.
pub fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|e| format!("`{}` {}; {}", printable(text), e.message, e.hint))
}

/// That time of day today, or yesterday if it is still to come.
fn last_time_of_day(time: &str, now: Now) -> Option<Wall> {
    let day = |wall: Wall| wall.format_local("%Y-%m-%d");
    let today = local(&day(now.wall), time)?;
    if today <= now.wall { Some(today) } else { local(&day(Wall(now.wall.0 - 86_400_000)), time) }
}

/// A local date and time.
pub fn local(date: &str, time: &str) -> Option<Wall> {
    let time = if time.matches(':').count() == 1 { format!("{time}:00") } else { time.to_owned() };
    let time = if time.find(':') == Some(1) { format!("0{time}") } else { time };
    let utc = Wall::parse_rfc3339(&format!("{date}T{time}Z"))?;
    let shift = |offset: i32| Wall(utc.0 - i64::from(offset) * 1000);
    // The offset at the moment meant, not at the one first guessed.
    let guess = shift(utc_offset_at(utc));
    Some(shift(utc_offset_at(guess)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Now {
        let wall = Wall(1_795_000_000_000);
        Now { wall, utc_offset_s: utc_offset_at(wall), ..Now::default() }
    }

    #[test]
    fn spans() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for bad in ["", "m", "5x", "-1", "nan", "1e999", "5 apples"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn moments() {
        let now = now();
        assert_eq!(moment("10m", now), Ok(Wall(now.wall.0 - 600_000)));
        assert_eq!(moment("2026-01-01T00:00:00Z", now), Ok(Wall(1_767_225_600_000)));
        for text in ["2026-11-01", "2026-11-01 14:30", "2026-11-01T14:30:05"] {
            let wall = moment(text, now).unwrap_or_default();
            assert!(wall.format_local("%Y-%m-%dT%H:%M:%S").starts_with(&text.replace(' ', "T")), "{text}");
        }
        let later = now.wall.after(Duration::from_secs(120)).format_local("%H:%M");
        let wall = moment(&later, now).unwrap_or_default();
        assert!(wall < now.wall && wall.0 > now.wall.0 - 25 * 3_600_000, "{later}");
        for (word, days) in [("today", 0), ("yesterday", 1)] {
            let midnight = Wall(now.wall.0 - days * 86_400_000).format_local("%Y-%m-%d 00:00:00");
            assert_eq!(moment(word, now).unwrap_or_default().format_local("%Y-%m-%d %H:%M:%S"), midnight);
        }
        assert!(moment("soon", now).is_err());
    }
}
