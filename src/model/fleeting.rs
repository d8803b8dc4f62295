//! What of the memory lives only as long as the process that remembers it: never saved, but decisions depend on it, so that
//! the record of a decision keeps it. Every `#[serde(skip)]` of the state has its place here; a test holds that.
use super::{state::State, time::Boot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fleeting {
    pub next_signal: Option<Boot>,
    pub next_heavy: Option<Boot>,
    pub looked: Option<Boot>,
    pub taken_over: bool,
    /// By session; only those that have something.
    pub units: BTreeMap<String, OfUnit>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfUnit {
    pub end_asked: bool,
    /// Of its `leftover`.
    pub rest: Option<(u64, Boot)>,
    /// Of its `spin`.
    pub other: Option<Boot>,
}

impl Fleeting {
    pub fn of(state: &State) -> Fleeting {
        let mut units = BTreeMap::new();
        for (session, unit) in &state.units {
            let of = OfUnit {
                end_asked: unit.end_asked,
                rest: unit.leftover.as_ref().and_then(|l| l.rest),
                other: unit.sight.spin.as_ref().and_then(|s| s.other),
            };
            if of != OfUnit::default() {
                units.insert(session.clone(), of);
            }
        }
        let fleet = &state.fleet;
        Fleeting {
            next_signal: fleet.next_signal,
            next_heavy: fleet.next_heavy,
            looked: fleet.looked,
            taken_over: fleet.taken_over,
            units,
        }
    }

    /// Into a state that was read back.
    pub fn put(self, state: &mut State) {
        let fleet = &mut state.fleet;
        (fleet.next_signal, fleet.next_heavy) = (self.next_signal, self.next_heavy);
        (fleet.looked, fleet.taken_over) = (self.looked, self.taken_over);
        for (session, of) in self.units {
            let Some(unit) = state.units.get_mut(&session) else { continue };
            unit.end_asked = of.end_asked;
            if let Some(leftover) = &mut unit.leftover {
                leftover.rest = of.rest;
            }
            if let Some(spin) = &mut unit.sight.spin {
                spin.other = of.other;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_that_is_not_saved_is_left_out() {
        let here = include_str!("fleeting.rs");
        for text in [
            include_str!("state.rs"),
            include_str!("still.rs"),
            include_str!("delivery.rs"),
            include_str!("tally.rs"),
            include_str!("trouble.rs"),
            include_str!("dialog.rs"),
        ] {
            for after in text.split("#[serde(skip)]").skip(1) {
                let field = after.trim().trim_start_matches("pub ").split(':').next().unwrap_or_default();
                assert!(here.contains(&format!("pub {field}: ")), "`{field}` is not saved; a record has to keep it");
            }
        }
    }
}
