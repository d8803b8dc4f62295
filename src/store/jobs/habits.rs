//! What a project says of all its jobs: whoever opens the store knows it, and hands it on to the runners, which read no
//! config.
use crate::store::Durability;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// Slots of the default group, where nobody has set a limit. `None`: by the machine.
    pub slots: Option<u32>,
    pub keep: Keep,
    pub durability: Durability,
}

/// How many of the newest are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    pub finished: u32,
    pub unfinished: u32,
    pub dirs: u32,
}

impl Keep {
    /// Some jobs are forgotten as soon as they are over.
    pub fn none_of_some(&self) -> bool {
        self.finished == 0 || self.unfinished == 0
    }
}

impl Habits {
    /// One word of a command line: `4,1000,10,20,full`; slots by the machine are `-`.
    pub fn word(&self) -> String {
        let slots = self.slots.map_or_else(|| "-".into(), |n| n.to_string());
        let Keep { finished, unfinished, dirs } = self.keep;
        let durability = if self.durability == Durability::Full { "full" } else { "normal" };
        format!("{slots},{finished},{unfinished},{dirs},{durability}")
    }

    pub fn parse(word: &str) -> Option<Habits> {
        let parts: Vec<&str> = word.split(',').collect();
        let [slots, finished, unfinished, dirs, durability] = parts[..] else { return None };
        let slots = if slots == "-" { None } else { Some(slots.parse().ok()?) };
        let keep =
            Keep { finished: finished.parse().ok()?, unfinished: unfinished.parse().ok()?, dirs: dirs.parse().ok()? };
        let durability = match durability {
            "full" => Durability::Full,
            "normal" => Durability::Normal,
            _ => return None,
        };
        Some(Habits { slots, keep, durability })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn habits_survive_a_command_line() {
        let keep = Keep { finished: 1000, unfinished: 0, dirs: 20 };
        for (slots, durability) in [(None, Durability::Full), (Some(3), Durability::Normal)] {
            let habits = Habits { slots, keep, durability };
            assert_eq!(Habits::parse(&habits.word()), Some(habits));
        }
        for bad in ["", "1,2,3,4", "x,1,1,1,full", "1,1,1,1,half", "1,1,1,1,full,"] {
            assert_eq!(Habits::parse(bad), None, "{bad}");
        }
    }
}
