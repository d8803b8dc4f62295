//! After a tick that this program's own fault cut short: told once, and tried again after a growing pause, as if another
//! process had taken over.
use super::{eyes::Eyes, heart::Heart, memory};
use crate::{
    model::{event::EventKind, time::Boot},
    world::{clock, mishap},
};
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
const MOST: usize = 50;

/// The pause after the n-th failure in a row.
fn pause(n: u32) -> Duration {
    FIRST.saturating_mul(1 << (n.saturating_sub(1)).min(16)).min(LONGEST)
}

impl Heart {
    /// `failed`: how many ticks in a row. The moment of the next try.
    pub(super) fn recover(&mut self, words: &str, failed: u32) -> Boot {
        let now = clock::now();
        // What the tick was in the middle of is unknown: connections and results are thrown away, and looked for anew.
        self.eyes = Eyes::new(&self.policy(), &self.paths, self.sender.clone());
        self.results.clear();
        for unit in self.state.units.values_mut() {
            memory::take_over(unit, now);
            unit.end_asked = false;
        }
        let text = format!("a tick was cut short, tried again with growing pauses: {words}");
        // Telling it may be what fails.
        let _ = mishap::caught(|| self.tell_mishap(&text));
        clock::boot().after(pause(failed))
    }

    /// A fault of this program, with an alert; each once, and not more than can be read.
    pub(super) fn tell_mishap(&mut self, words: &str) {
        if self.mishaps.len() < MOST && self.mishaps.insert(words.to_owned()) {
            self.note(EventKind::InternalError, format!("this program has a fault: {words}"), true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_minute() {
        let seconds: Vec<u64> = [1, 2, 3, 6, 7, 8, 1000].map(|n| pause(n).as_secs()).into();
        assert_eq!(seconds, [1, 2, 4, 32, 60, 60, 60]);
    }
}
