//! A moment to come, on the line: `--at`.
use super::since::{duration, local};
use crate::model::{name::printable, time::Wall};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// `+10m`, `14:30` or `14:30:05` (the next time it is), `2026-11-21 14:30`, RFC 3339. What has passed is at once.
pub fn coming(text: &str, now: Wall) -> Result<Wall, String> {
    let text = text.trim();
    if let Some(span) = text.strip_prefix('+') {
        return Ok(now.after(duration(span)?));
    }
    if let Some(wall) = Wall::parse_rfc3339(text) {
        return Ok(wall);
    }
    let words: Vec<&str> = text.splitn(2, [' ', 'T']).collect();
    let found = match words[..] {
        [time] if time.contains(':') => next_time_of_day(time, now),
        [date, time] => local(date, time),
        _ => None,
    };
    found.ok_or_else(|| {
        let shown = printable(text);
        format!("`{shown}` is no moment to come; it may be like `+10m`, `14:30`, `2026-11-21 14:30` or RFC 3339")
    })
}

fn next_time_of_day(time: &str, now: Wall) -> Option<Wall> {
    let day = |wall: Wall| wall.format_local("%Y-%m-%d");
    let today = local(&day(now), time)?;
    if today > now { Some(today) } else { local(&day(now.after(DAY)), time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_to_come() {
        let now = Wall(1_795_000_000_000);
        assert_eq!(coming("+10m", now), Ok(Wall(now.0 + 600_000)));
        assert_eq!(coming("2026-01-01T00:00:00Z", now), Ok(Wall(1_767_225_600_000)));
        for minutes in [2, 60 * 23] {
            let clock = now.after(Duration::from_secs(minutes * 60)).format_local("%H:%M");
            let wall = coming(&clock, now).expect("a moment");
            assert!(wall > now && wall.0 <= now.0 + 90_000_000, "{clock}");
            assert_eq!(wall.format_local("%H:%M:%S"), format!("{clock}:00"));
        }
        for bad in ["", "10m", "+soon", "25:00", "2026-11-21", "tomorrow"] {
            assert!(coming(bad, now).is_err(), "{bad}");
        }
    }
}
