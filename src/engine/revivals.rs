//! How often a watchdog was brought back, and how long to wait before the next time.
use crate::model::time::Wall;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(60);
/// Whoever ran for so long ran well: the next pause is the first one again.
const WELL: Duration = Duration::from_secs(300);

/// What a guardian had to do so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revivals {
    /// Ends that asked for a new start.
    pub total: u32,
    /// How many of them came soon after one another; the last one included.
    pub row: u32,
    /// How the last one ended: `killed by signal 9`.
    pub why: String,
    /// When.
    pub at: Wall,
    /// While it waits: the moment of the next start.
    pub next: Option<Wall>,
}

impl Revivals {
    /// One more end, after it had run for so long. The pause before the next start.
    pub fn ended(&mut self, why: String, ran: Duration, now: Wall) -> Duration {
        self.total = self.total.saturating_add(1);
        self.row = if ran >= WELL { 1 } else { self.row.saturating_add(1) };
        let pause = FIRST.saturating_mul(1 << (self.row - 1).min(16)).min(LONGEST);
        (self.why, self.at) = (why, now);
        self.next = Some(Wall(now.0 + pause.as_millis() as i64));
        pause
    }

    /// How the last one ended, as part of a sentence.
    pub fn said(&self) -> String {
        let was = if self.why.starts_with("killed") { "was " } else { "" };
        format!("{was}{}", self.why)
    }

    /// How often, in words.
    pub fn times(&self) -> String {
        if self.total == 1 { "once".into() } else { format!("{} times", self.total) }
    }

    /// Whether this end is worth an alert: a single one is mended already, a crash loop is not, and says so ever more
    /// rarely.
    pub fn is_alarming(&self) -> bool {
        self.row >= 4 && self.row.is_power_of_two()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_minute_and_begin_anew_after_a_good_run() {
        let mut so_far = Revivals::default();
        let soon = Duration::from_secs(2);
        let mut pauses: Vec<u128> = (0..11).map(|_| so_far.ended("x".into(), soon, Wall(0)).as_millis()).collect();
        pauses.push(so_far.ended("x".into(), Duration::from_secs(299), Wall(0)).as_millis());
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000]);
        let pause = so_far.ended("killed by signal 9".into(), WELL, Wall(5000));
        assert_eq!(pause, FIRST);
        assert_eq!((so_far.total, so_far.row, so_far.next), (13, 1, Some(Wall(5100))));
    }

    #[test]
    fn a_crash_loop_is_alarming_and_one_end_is_not() {
        let mut so_far = Revivals::default();
        let mut alarming = Vec::new();
        for n in 1..=40 {
            so_far.ended("x".into(), Duration::ZERO, Wall(0));
            alarming.extend(so_far.is_alarming().then_some(n));
        }
        assert_eq!(alarming, [4, 8, 16, 32]);
    }
}
