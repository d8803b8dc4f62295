//! The texts of ours that may stand on a screen.
use crate::model::{
    delivery::{Delivery, Stage},
    state::State,
};
use std::collections::BTreeMap;

/// By session: the deliveries' ids and their texts. What may have been typed comes first: of two with the same words (a
/// wake that was left in the input line, and the next one) it is the one that stands there.
pub fn texts(state: &State) -> BTreeMap<&str, Vec<(i64, String)>> {
    let is_typed = |d: &&Delivery| !matches!(d.stage, Stage::Queued { .. });
    let open = || state.deliveries.values().filter(|d| !d.stage.is_over());
    let left = state.units.values().filter_map(|u| Some(&u.leftover.as_ref()?.delivery));
    let mut all: BTreeMap<&str, Vec<(i64, String)>> = BTreeMap::new();
    for d in open().filter(is_typed).chain(left).chain(open().filter(|d| !is_typed(d))) {
        all.entry(&d.session).or_default().push((d.id, d.text.clone()));
    }
    // What comes below them is their answer.
    for unit in state.units.values() {
        for taken in unit.taken.iter().filter(|t| !t.begun) {
            all.entry(&unit.session).or_default().push((taken.delivery, taken.text.clone()));
        }
        // Whether a failed turn took them out of the conversation shows below them.
        if unit.trouble.is_some() || unit.hold.is_some() {
            let texts = all.entry(&unit.session).or_default();
            for told in &unit.said {
                if texts.iter().all(|(id, _)| *id != told.delivery) {
                    texts.push((told.delivery, told.text.clone()));
                }
            }
        }
        let Some(nudged) = &unit.sight.nudged else { continue };
        let texts = all.entry(&unit.session).or_default();
        if texts.iter().all(|(id, _)| *id != nudged.delivery) {
            texts.push((nudged.delivery, nudged.text.clone()));
        }
    }
    all
}
