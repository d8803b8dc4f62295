//! Moments and spans as people read them.
use crate::model::time::{Now, Wall, human};
use std::time::Duration;

/// `15:00:45` if that is less than 12 hours from now, else with its day: `Nov 22 15:00`.
pub fn clock(at: Wall, now: Now) -> String {
    let distance = (at.0 - now.wall.0).abs();
    if distance < 12 * 3_600_000 { at.format_local("%H:%M:%S") } else { at.format_local("%b %-d %H:%M") }
}

/// `in 8s`, or `now` once it has come.
pub fn until(at: Wall, now: Now) -> String {
    let left = at.0 - now.wall.0;
    if left <= 0 { "now".into() } else { format!("in {}", human(round_up(left))) }
}

/// `12m 5s`: how long ago that was. Zero if it lies ahead.
pub fn ago(at: Wall, now: Now) -> String {
    human(Duration::from_millis((now.wall.0 - at.0).max(0) as u64))
}

/// Milliseconds to whole seconds, upwards: a start in 0.4 s is not `in 0s`.
fn round_up(millis: i64) -> Duration {
    Duration::from_secs((millis.max(0) as u64).div_ceil(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Now {
        Now { wall: Wall(1_800_000_000_000), ..Now::default() }
    }

    #[test]
    fn spans_round_up_and_never_go_negative() {
        let now = now();
        assert_eq!(until(Wall(now.wall.0 + 7_400), now), "in 8s");
        assert_eq!(until(Wall(now.wall.0 - 1), now), "now");
        assert_eq!(ago(Wall(now.wall.0 + 50_000), now), "0s");
    }

    #[test]
    fn a_far_moment_carries_its_day() {
        let now = now();
        assert_eq!(clock(Wall(now.wall.0 + 1000), now).len(), 8);
        assert!(clock(Wall(now.wall.0 + 13 * 3_600_000), now).contains(' '));
    }
}
