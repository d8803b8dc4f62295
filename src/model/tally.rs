//! How an agent spent its time, as the mind keeps it: added up at every change, and written into one event of the fleet
//! per quarter of an hour. Lengths are counted in [`Boot`] time: no clock that is set changes them.
use super::time::{Boot, Wall};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an agent does, as far as its share of work is concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Nobody wants it to work: stopped, paused, done, left alone.
    #[default]
    Off,
    Working,
    Idle,
    /// It asks a person.
    Waiting,
    /// At its usage limit.
    Limited,
    /// It should run and does not: starting, ending, in a pause, given up, or broken on its screen.
    Down,
    /// It runs, and nobody reads its screen.
    Unseen,
}

/// Milliseconds spent in each.
pub type Spent = BTreeMap<Doing, u64>;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    pub doing: Doing,
    /// Up to here everything is in `spent`.
    pub counted: Boot,
    /// Since the last event that told it.
    pub spent: Spent,
    /// All of its work so far, in ms, and how much of it was done when the last commit came.
    pub worked: u64,
    pub worked_at_commit: u64,
    /// The last commit in its repository.
    pub committed: Option<Wall>,
    /// The hold that was seen last; its end is told by it.
    pub held_since: Option<Wall>,
    /// The question that is open.
    pub asked: Option<Asked>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub since: Wall,
    pub text: String,
}

impl Tally {
    /// Adds the time up to `until` to what it did then.
    pub fn count(&mut self, until: Boot) {
        let spent = until.since(self.counted).as_millis() as u64;
        if spent > 0 && self.doing != Doing::Off {
            *self.spent.entry(self.doing).or_default() += spent;
            self.worked += if self.doing == Doing::Working { spent } else { 0 };
        }
        self.counted = self.counted.max(until);
    }
}

/// The stretch of time that the next event will tell of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub boot: Boot,
    pub wall: Wall,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_added_to_what_was_done_and_never_twice() {
        let mut tally = Tally { doing: Doing::Working, counted: Boot(1_000), ..Tally::default() };
        tally.count(Boot(3_000));
        tally.count(Boot(2_000));
        tally.count(Boot(3_000));
        tally.doing = Doing::Off;
        tally.count(Boot(9_000));
        assert_eq!(tally.spent, Spent::from([(Doing::Working, 2_000)]));
        assert_eq!(tally.counted, Boot(9_000));
    }
}
