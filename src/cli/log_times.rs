//! When log lines were written, as far as they say so: `[agents HH:MM:SS] …` names no day.
use crate::model::time::Wall;

const DAY: i64 = 86_400_000;

/// Index of the first line written at or after `since`. The last line was written at `written` at the latest; going up
/// from there, a time of day that grows means the day before. A line without a time has that of the line above it.
/// Lines that nothing is known about count as new.
pub fn first_since(lines: &[String], written: Wall, since: Wall) -> usize {
    let mut at = written;
    for (i, line) in lines.iter().enumerate().rev() {
        let Some(time) = time_of_day(line) else { continue };
        let mut candidate = on_the_day_of(at, time);
        if candidate > at {
            candidate = Wall(candidate.0 - DAY);
        }
        at = candidate;
        if at < since {
            // Whatever follows without a time of its own belongs to this line.
            return (i + 1..lines.len()).find(|j| time_of_day(&lines[*j]).is_some()).unwrap_or(lines.len());
        }
    }
    0
}

/// Milliseconds since local midnight.
fn time_of_day(line: &str) -> Option<i64> {
    let clock = line.strip_prefix("[agents ")?.get(..8)?;
    let mut parts = clock.split(':').map(|p| p.parse::<i64>().ok());
    let (h, m, s) = (parts.next()??, parts.next()??, parts.next()??);
    (h < 24 && m < 60 && s <= 60).then_some(((h * 60 + m) * 60 + s) * 1000)
}

fn on_the_day_of(wall: Wall, time: i64) -> Wall {
    let shown = wall.format_local("%H:%M:%S");
    let of_day = time_of_day(&format!("[agents {shown}")).unwrap_or(0);
    Wall(wall.0 - wall.0.rem_euclid(1000) - of_day + time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: Wall, text: &str) -> String {
        crate::view::log_line(at, text)
    }

    #[test]
    fn days_are_counted_from_the_end() {
        let end = Wall(1_795_000_000_000);
        let back = |hours: i64| Wall(end.0 - hours * 3_600_000);
        let lines = vec![
            "untimed".to_owned(),
            line(back(30), "a"),
            line(back(20), "b"),
            "more of b".to_owned(),
            line(back(3), "c"),
            "more of c".to_owned(),
        ];
        assert_eq!(first_since(&lines, end, back(40)), 0);
        assert_eq!(first_since(&lines, end, back(25)), 2);
        assert_eq!(first_since(&lines, end, back(10)), 4);
        assert_eq!(first_since(&lines, end, back(1)), 6);
        assert_eq!(first_since(&["no times".to_owned()], end, back(1)), 0);
    }
}
